//! [`Protocols`]: the flow formats of `ovs-ofctl`, that is, which OpenFlow version with which kind
//! of match (and, in 1.0, with or without the table-id extension).

use std::fmt;
use std::ops::{BitAnd, BitAndAssign, BitOr, Not};

use crate::version::OfVersion;

/// A set of flow formats; a constant with one bit is one format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Protocols(u16);

/// Formats in order of preference, with their names for `--flow-format`.
const NAMES: [(Protocols, &str); 9] = [
    (Protocols::OF10_STD, "OpenFlow10-table_id"),
    (Protocols::OF10_STD_TID, "OpenFlow10+table_id"),
    (Protocols::OF10_NXM, "NXM-table_id"),
    (Protocols::OF10_NXM_TID, "NXM+table_id"),
    (Protocols::OF11_STD, "OpenFlow11"),
    (Protocols::OF12_OXM, "OXM-OpenFlow12"),
    (Protocols::OF13_OXM, "OXM-OpenFlow13"),
    (Protocols::OF14_OXM, "OXM-OpenFlow14"),
    (Protocols::OF15_OXM, "OXM-OpenFlow15"),
];

/// Names of sets of formats.
const ABBREVIATIONS: [(Protocols, &str); 4] = [
    (Protocols::ANY, "any"),
    (Protocols::OF10_STD_ANY, "OpenFlow10"),
    (Protocols::OF10_NXM_ANY, "NXM"),
    (Protocols::OXM_ANY, "OXM"),
];

impl Protocols {
    /// The empty set.
    pub const NONE: Self = Self(0);
    /// OpenFlow 1.0 with its standard match.
    pub const OF10_STD: Self = Self(1);
    /// The same with the table-id extension.
    pub const OF10_STD_TID: Self = Self(1 << 1);
    /// OpenFlow 1.0 with Nicira's extended match.
    pub const OF10_NXM: Self = Self(1 << 2);
    /// The same with the table-id extension.
    pub const OF10_NXM_TID: Self = Self(1 << 3);
    /// OpenFlow 1.1.
    pub const OF11_STD: Self = Self(1 << 4);
    /// OpenFlow 1.2.
    pub const OF12_OXM: Self = Self(1 << 5);
    /// OpenFlow 1.3.
    pub const OF13_OXM: Self = Self(1 << 6);
    /// OpenFlow 1.4.
    pub const OF14_OXM: Self = Self(1 << 7);
    /// OpenFlow 1.5.
    pub const OF15_OXM: Self = Self(1 << 8);
    /// Every format.
    pub const ANY: Self = Self(0x1ff);
    /// OpenFlow 1.0 with its standard match.
    pub const OF10_STD_ANY: Self = Self(0b11);
    /// OpenFlow 1.0 with Nicira's extended match.
    pub const OF10_NXM_ANY: Self = Self(0b1100);
    /// OpenFlow 1.0.
    pub const OF10_ANY: Self = Self(0b1111);
    /// Formats whose match is OXM.
    pub const OXM_ANY: Self = Self(0x1e0);
    /// Formats whose match is NXM or OXM.
    pub const NXM_OXM_ANY: Self = Self(0x1ec);
    /// NXM, and OpenFlow 1.1 and later.
    pub const NXM_OF11_UP: Self = Self(0x1fc);
    /// OpenFlow 1.1 and later.
    pub const OF11_UP: Self = Self(0x1f0);
    /// OpenFlow 1.2 and later.
    pub const OF12_UP: Self = Self(0x1e0);
    /// OpenFlow 1.3 and later.
    pub const OF13_UP: Self = Self(0x1c0);
    /// OpenFlow 1.4 and later.
    pub const OF14_UP: Self = Self(0x180);
    /// OpenFlow 1.5 and later.
    pub const OF15_UP: Self = Self(0x100);
    /// Formats that can name the table of a flow.
    pub const TID: Self = Self(0x1fa);

    /// Is no format left?
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Does it have every format of `other`?
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Does it have a format of `other`?
    #[must_use]
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Its most preferred format (the oldest) alone.
    #[must_use]
    pub fn first(self) -> Option<Self> {
        self.iter().next()
    }

    /// Its formats one at a time, the oldest first.
    pub fn iter(self) -> impl Iterator<Item = Self> {
        NAMES.into_iter().map(|(p, _)| p).filter(move |p| self.intersects(*p))
    }

    /// Formats of one OpenFlow version.
    #[must_use]
    pub const fn of_version(version: OfVersion) -> Self {
        match version {
            OfVersion::V10 => Self::OF10_ANY,
            OfVersion::V11 => Self::OF11_STD,
            OfVersion::V12 => Self::OF12_OXM,
            OfVersion::V13 => Self::OF13_OXM,
            OfVersion::V14 => Self::OF14_OXM,
            OfVersion::V15 => Self::OF15_OXM,
        }
    }

    /// The OpenFlow version of its first format.
    #[must_use]
    pub fn version(self) -> Option<OfVersion> {
        let first = self.first()?;
        OfVersion::ALL.into_iter().find(|v| Self::of_version(*v).intersects(first))
    }

    /// Reads a name or abbreviation.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let mut all = ABBREVIATIONS.iter().chain(&NAMES);
        all.find(|(_, n)| n.eq_ignore_ascii_case(name)).map(|(p, _)| *p)
    }
}

impl BitAnd for Protocols {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl BitAndAssign for Protocols {
    fn bitand_assign(&mut self, other: Self) {
        self.0 &= other.0;
    }
}

impl BitOr for Protocols {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl Not for Protocols {
    type Output = Self;
    fn not(self) -> Self {
        Self(!self.0 & Self::ANY.0)
    }
}

/// `NXM,OXM,OpenFlow11`: abbreviations where whole sets are there, then single names.
impl fmt::Display for Protocols {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("none");
        }
        let mut rest = *self;
        let mut sep = "";
        for (set, name) in ABBREVIATIONS.iter().chain(&NAMES) {
            if !rest.is_empty() && rest.contains(*set) {
                write!(f, "{sep}{name}")?;
                sep = ",";
                rest &= !*set;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        assert_eq!(Protocols::ANY.to_string(), "any");
        assert_eq!(Protocols::NXM_OF11_UP.to_string(), "NXM,OXM,OpenFlow11");
        assert_eq!(Protocols::OF10_ANY.to_string(), "OpenFlow10,NXM");
        assert_eq!(Protocols::TID.to_string(), "OXM,OpenFlow10+table_id,NXM+table_id,OpenFlow11");
        assert_eq!(Protocols::from_name("nxm+table_id"), Some(Protocols::OF10_NXM_TID));
        assert_eq!(Protocols::OF15_UP.version(), Some(OfVersion::V15));
    }
}
