//! [`Subfield`]: some bits of a field, as `NXM_NX_REG0[4..7]`.

use weir_flow::{Field, FieldId};

/// `n_bits` bits of `field`, from bit `ofs` (0 is the least significant) on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Subfield {
    /// The field.
    pub field: FieldId,
    /// Its lowest bit.
    pub ofs: u16,
    /// How many bits, at least one.
    pub n_bits: u16,
}

impl Subfield {
    /// All bits of a field.
    #[must_use]
    pub fn whole(field: &Field) -> Self {
        Self { field: field.id, ofs: 0, n_bits: field.bits }
    }

    /// Is it all bits of its field?
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.ofs == 0 && self.n_bits == self.field.field().bits
    }
}
