//! [`Header`]: the four (for experimenters, eight) bytes that begin an NXM or OXM entry.

use weir_flow::field::{Field, Oxm, Place};

use crate::version::OfVersion;

/// OXM class of experimenters.
pub const OFPXMC_EXPERIMENTER: u16 = 0xffff;

/// The header of an entry. `Copy` and plain: whether it names a known field is another question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Header {
    /// Experimenter when the class is [`OFPXMC_EXPERIMENTER`], else 0.
    pub vendor: u32,
    /// OXM class.
    pub class: u16,
    /// Field number, 7 bits.
    pub number: u8,
    /// Does a mask follow the value?
    pub has_mask: bool,
    /// Bytes after the first four, experimenter included.
    pub length: u8,
}

impl Header {
    /// The pseudo-field of a flow's cookie, which some Nicira messages put into a match.
    pub const COOKIE: Self =
        Self { vendor: 0, class: 0x0001, number: 30, has_mask: false, length: 8 };

    /// Bytes of the experimenter identifier in the header.
    #[must_use]
    pub fn experimenter_len(self) -> usize {
        if self.class == OFPXMC_EXPERIMENTER { 4 } else { 0 }
    }

    /// Bytes of value and mask, or `None` when the length does not even hold the experimenter.
    #[must_use]
    pub fn payload_len(self) -> Option<usize> {
        usize::from(self.length).checked_sub(self.experimenter_len())
    }

    /// Bytes of the value alone.
    #[must_use]
    pub fn value_len(self) -> usize {
        let payload = self.payload_len().unwrap_or(0);
        if self.has_mask { payload / 2 } else { payload }
    }

    /// The header of `field`'s entry of `n_bytes` bytes in the form `oxm`.
    #[must_use]
    pub fn of(oxm: &Oxm, n_bytes: usize, has_mask: bool) -> Self {
        let mut h =
            Self { vendor: oxm.vendor, class: oxm.class, number: oxm.number, has_mask, length: 0 };
        let payload = if has_mask { 2 * n_bytes } else { n_bytes };
        h.length = u8::try_from(payload + h.experimenter_len()).unwrap_or(u8::MAX);
        h
    }

    /// The known field that the header names. The length must be the field's.
    #[must_use]
    pub fn field(self) -> Option<&'static Field> {
        let field = Field::by_oxm(self.vendor, self.class, self.number)?;
        let variable = matches!(field.place, Place::TunMetadata);
        (variable || self.value_len() == usize::from(field.bytes)).then_some(field)
    }

    /// Is it the cookie's pseudo-field, with or without a mask?
    #[must_use]
    pub fn is_cookie(self) -> bool {
        (Self { has_mask: false, length: 8, ..self }) == Self::COOKIE
            && self.length == if self.has_mask { 16 } else { 8 }
    }

    /// Its symbolic name, with `_W` when it has a mask.
    #[must_use]
    pub fn name(self) -> Option<String> {
        let suffix = if self.has_mask { "_W" } else { "" };
        if self.is_cookie() {
            return Some(format!("NXM_NX_COOKIE{suffix}"));
        }
        let same = |o: &&(Oxm, String)| {
            (o.0.vendor, o.0.class, o.0.number) == (self.vendor, self.class, self.number)
        };
        let name = self.field()?.oxm.iter().find(same)?;
        Some(format!("{}{suffix}", name.1))
    }
}

/// The form in which an OpenFlow version writes a field; `None` asks for the NXM form if there is
/// one. Fields that only text knows have no form.
#[must_use]
pub fn preferred(field: &Field, version: Option<OfVersion>) -> Option<&(Oxm, String)> {
    let version = version.map_or(0, OfVersion::wire);
    let known = field.oxm.iter().rev().filter(|(o, _)| o.since <= version);
    // Of several that are as new, the first is preferred, which comes last here.
    let newest = known.max_by_key(|(o, _)| o.since);
    newest.or_else(|| field.oxm.first())
}

/// The field with this NXM or OXM name, for instance `NXM_OF_ETH_SRC`.
#[must_use]
pub fn field_by_oxm_name(name: &str) -> Option<(&'static Field, &'static Oxm)> {
    Field::all().iter().find_map(|f| f.oxm.iter().find(|(_, n)| n == name).map(|(oxm, _)| (f, oxm)))
}

/// Is the field's NXM form one of 4 bytes? Some older Nicira actions have no room for others.
#[must_use]
pub fn has_short_form(field: &Field) -> bool {
    preferred(field, None).is_some_and(|(o, _)| o.class != OFPXMC_EXPERIMENTER)
}
