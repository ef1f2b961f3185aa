//! [`OfpError`]: the OpenFlow errors a switch can raise, with their numbers in every version.
//!
//! Text form: the name with `OFP`/`NX` prefix (`OFPBAC_BAD_TYPE`), as `ovs-ofctl` prints it.

mod table;

use std::fmt;

use crate::version::OfVersion;

/// One error; the constants carry Open vSwitch's names (`OfpError::OFPBAC_BAD_TYPE`).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct OfpError(u8);

/// How an error stands in an `OFPT_ERROR` message of some version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Code {
    /// Experimenter identifier, 0 for standard errors. Nicira errors before OpenFlow 1.2 travel as
    /// `OFPET` 0xb0c2 with a `nx_vendor_error`, later ones as `OFPET_EXPERIMENTER`.
    pub vendor: u32,
    /// Error type; for an experimenter error of 1.2 and later its `exp_type`.
    pub kind: u16,
    /// Error code; 0 for an experimenter error of 1.2 and later.
    pub code: u16,
}

impl OfpError {
    /// Every error, in table order.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..table::ROWS.len()).filter_map(|i| u8::try_from(i).ok()).map(Self)
    }

    fn row(self) -> &'static table::Row {
        // The number is only ever made from a row of the table.
        &table::ROWS[usize::from(self.0)]
    }

    /// Its name, for instance `OFPBAC_BAD_TYPE`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// A sentence that explains it.
    #[must_use]
    pub fn description(self) -> &'static str {
        self.row().description
    }

    /// Its numbers in `version`, or `None` when that version cannot express it.
    #[must_use]
    pub fn code(self, version: OfVersion) -> Option<Code> {
        self.row().code(version.wire())
    }

    /// The error with these numbers. Where one number means several errors in a version, the first
    /// of the table is meant.
    #[must_use]
    pub fn from_code(version: OfVersion, code: Code) -> Option<Self> {
        Self::all().find(|e| e.code(version) == Some(code))
    }

    /// Looks an error up by name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::all().find(|e| e.name() == name)
    }
}

impl fmt::Display for OfpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for OfpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl std::error::Error for OfpError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_round_trip_except_where_versions_merge_errors() {
        let mut merged = Vec::new();
        for v in OfVersion::ALL {
            for e in OfpError::all() {
                let Some(code) = e.code(v) else { continue };
                if OfpError::from_code(v, code) != Some(e) {
                    merged.push((v.wire(), e.name()));
                }
            }
        }
        assert_eq!(
            merged,
            [(1, "OFPBRC_IS_SECONDARY"), (2, "OFPBRC_IS_SECONDARY"), (2, "OFPBIC_BAD_EXP_TYPE")]
        );
    }

    #[test]
    fn nicira_numbers_change_between_versions() {
        let e = OfpError::NXBRC_NXM_INVALID;
        assert_eq!(e.code(OfVersion::V10), Some(Code { vendor: 0x2320, kind: 1, code: 256 }));
        assert_eq!(e.code(OfVersion::V13), Some(Code { vendor: 0x2320, kind: 2, code: 0 }));
        assert_eq!(
            OfpError::by_name("OFPBAC_BAD_TYPE").map(OfpError::name),
            Some("OFPBAC_BAD_TYPE")
        );
    }
}
