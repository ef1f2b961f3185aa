//! Texts of values: numbers, addresses, flags.

/// A decimal number of 32 bits, as C's `strtoul` reads it: leading blanks and `+` allowed.
#[must_use]
pub fn parse_u32(s: &str) -> Option<u32> {
    let s = s.trim_start();
    let digits = s.strip_prefix('+').unwrap_or(s);
    if digits.starts_with('+') { None } else { digits.parse().ok() }
}
