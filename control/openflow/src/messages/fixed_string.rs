//! Strings in fixed-size fields, filled up with zeros.

use crate::wire::Put;

/// The bytes before the first zero. The last byte of the field never counts, as in Open vSwitch.
pub(crate) fn get(field: &[u8]) -> Vec<u8> {
    let room = field.get(..field.len().saturating_sub(1)).unwrap_or(&[]);
    room.iter().copied().take_while(|b| *b != 0).collect()
}

/// Appends `s` in a field of `n` bytes, cut so that a zero remains.
pub(crate) fn put(out: &mut Vec<u8>, s: &[u8], n: usize) {
    let cut = s.get(..n.saturating_sub(1)).unwrap_or(s);
    out.extend_from_slice(cut);
    out.put_zeros(n - cut.len());
}
