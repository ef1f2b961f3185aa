//! Names of bits.

use std::fmt::Write;

/// The names of the set bits, the lowest first, `sep` between them; `0` when none is set and hex for
/// those without a name.
pub(super) fn names(
    s: &mut String,
    bits: u32,
    sep: char,
    name: impl Fn(u32) -> Option<&'static str>,
) {
    if bits == 0 {
        s.push('0');
        return;
    }
    let mut first = true;
    let mut separate = |s: &mut String| {
        if !std::mem::replace(&mut first, false) {
            s.push(sep);
        }
    };
    let mut rest = bits;
    for i in (0..32).filter(|i| bits & (1 << i) != 0) {
        if let Some(name) = name(i) {
            separate(s);
            s.push_str(name);
            rest &= !(1 << i);
        }
    }
    if rest != 0 {
        separate(s);
        let _ = write!(s, "0x{rest:x}");
    }
}
