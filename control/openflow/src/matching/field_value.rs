//! [`FieldValue`]: a value (or mask) of a field of any width, up to `tun_metadataN`'s 124 bytes.

use std::fmt;

use smallvec::SmallVec;
use weir_flow::Field;

/// A value, big endian, in as many bytes as its field has on the wire.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct FieldValue(SmallVec<[u8; 16]>);

impl FieldValue {
    /// Zero, `n` bytes long.
    #[must_use]
    pub fn zero(n: usize) -> Self {
        Self(SmallVec::from_elem(0, n))
    }

    /// The low `n` bytes of `value`, with zeros in front when `n` is more than 16.
    #[must_use]
    pub fn from_u128(value: u128, n: usize) -> Self {
        let mut v = Self::zero(n);
        let bytes = value.to_be_bytes();
        for (to, from) in v.0.iter_mut().rev().zip(bytes.iter().rev()) {
            *to = *from;
        }
        v
    }

    /// `value` as a value of `field`.
    #[must_use]
    pub fn of(field: &Field, value: u128) -> Self {
        Self::from_u128(value, usize::from(field.bytes))
    }

    /// The bytes as they stand on the wire.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(SmallVec::from_slice(bytes))
    }

    /// All ones, `n` bytes long: the mask of an exact match, whatever the field's significant bits.
    #[must_use]
    pub fn ones(n: usize) -> Self {
        Self(SmallVec::from_elem(0xff, n))
    }

    /// Number of bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Has it no bytes at all?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The low 128 bits.
    #[must_use]
    pub fn as_u128(&self) -> u128 {
        self.0.iter().fold(0, |v, b| (v << 8) | u128::from(*b))
    }

    /// The low 64 bits.
    #[must_use]
    pub fn as_u64(&self) -> u64 {
        self.0.iter().fold(0, |v, b| (v << 8) | u64::from(*b))
    }

    /// The bytes as they stand on the wire.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Are all bits zero?
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.0.iter().all(|b| *b == 0)
    }

    /// Are all bits of all bytes one?
    #[must_use]
    pub fn is_all_ones(&self) -> bool {
        self.0.iter().all(|b| *b == 0xff)
    }

    /// Bit `i`, counted from the least significant; beyond the value it is zero.
    #[must_use]
    pub fn bit(&self, i: usize) -> bool {
        let Some(at) = self.0.len().checked_sub(1 + i / 8) else { return false };
        self.0.get(at).is_some_and(|b| b >> (i % 8) & 1 == 1)
    }

    /// Sets `n` bits from bit `first` on; bits beyond the value are ignored.
    pub fn set_bits(&mut self, first: usize, n: usize, one: bool) {
        for i in first..first + n {
            let Some(at) = self.0.len().checked_sub(1 + i / 8) else { return };
            if let Some(b) = self.0.get_mut(at) {
                let bit = 1u8 << (i % 8);
                *b = if one { *b | bit } else { *b & !bit };
            }
        }
    }

    /// Are the bits from `first` on, `n` of them, all equal to `one`?
    #[must_use]
    pub fn bits_are(&self, first: usize, n: usize, one: bool) -> bool {
        (first..first + n).all(|i| self.bit(i) == one)
    }

    /// Up to 128 bits from bit `first` on.
    #[must_use]
    pub fn get_bits(&self, first: usize, n: usize) -> u128 {
        (0..n.min(128)).rev().fold(0, |v, i| (v << 1) | u128::from(self.bit(first + i)))
    }

    /// Copies the low `n` bits of `from` to the bits from `first` on.
    pub fn put_bits(&mut self, first: usize, n: usize, from: &Self) {
        for i in 0..n {
            self.set_bits(first + i, 1, from.bit(i));
        }
    }

    /// Bits of `self` that are one in `mask` too.
    #[must_use]
    pub fn and(&self, mask: &Self) -> Self {
        let mut v = self.clone();
        for (i, b) in v.0.iter_mut().rev().enumerate() {
            let at = mask.0.len().checked_sub(1 + i);
            *b &= at.and_then(|at| mask.0.get(at)).copied().unwrap_or(0);
        }
        v
    }

    /// Does the value have a one bit where `mask` has a zero?
    #[must_use]
    pub fn exceeds(&self, mask: &Self) -> bool {
        self.and(mask) != *self
    }

    /// The value in `n` bytes: zeros put in front or leading bytes dropped.
    #[must_use]
    pub fn resized(&self, n: usize) -> Self {
        let mut v = Self::zero(n);
        for (to, from) in v.0.iter_mut().rev().zip(self.0.iter().rev()) {
            *to = *from;
        }
        v
    }
}

impl fmt::Debug for FieldValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("0x")?;
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits() {
        let mut v = FieldValue::zero(20);
        v.set_bits(3, 140, true);
        assert!(v.bits_are(3, 140, true) && !v.bit(2) && !v.bit(143) && !v.bit(999));
        assert_eq!(v.get_bits(0, 5), 0b11000);
        assert_eq!(FieldValue::from_u128(0x1234, 2).bytes(), [0x12, 0x34]);
        assert_eq!(FieldValue::from_u128(0x1234, 20).as_u128(), 0x1234);
        let mut w = FieldValue::zero(2);
        w.put_bits(4, 8, &FieldValue::from_u128(0xab, 1));
        assert_eq!(w.as_u64(), 0xab0);
        assert!(w.exceeds(&FieldValue::from_u128(0xff, 2)));
        assert_eq!(w.resized(1).as_u64(), 0xb0);
    }
}
