//! Numbers, as C's `strtoul` with base 0 reads them: decimal, `0x` hexadecimal, `0` octal.

use super::{TextError, text_error};

/// A decimal number of 32 bits; leading blanks and `+` are allowed.
#[must_use]
pub fn parse_u32(s: &str) -> Option<u32> {
    let s = s.trim_start();
    let digits = s.strip_prefix('+').unwrap_or(s);
    if digits.starts_with('+') { None } else { digits.parse().ok() }
}

/// A number in any of the three bases, with what follows it. `None` when there is no digit or the
/// number needs more than 128 bits. The sign is given apart.
#[must_use]
pub fn split_number(s: &str) -> Option<(bool, u128, &str)> {
    let s = s.trim_start();
    let (negative, s) = match s.as_bytes().first() {
        Some(b'-') => (true, &s[1..]),
        Some(b'+') => (false, &s[1..]),
        _ => (false, s),
    };
    let hex = s.strip_prefix("0x").or_else(|| s.strip_prefix("0X"));
    let (digits, radix) = match hex {
        Some(h) if h.starts_with(|c: char| c.is_ascii_hexdigit()) => (h, 16),
        _ if s.starts_with('0') => (s, 8),
        _ => (s, 10),
    };
    let n = digits.bytes().take_while(|b| char::from(*b).is_digit(radix)).count();
    let (number, rest) = digits.split_at(n);
    if n == 0 {
        return None;
    }
    Some((negative, u128::from_str_radix(number, radix).ok()?, rest))
}

/// A whole string as a number below 2^64; negative numbers are not.
fn whole(s: &str) -> Option<u64> {
    match split_number(s)? {
        (false, n, "") => u64::try_from(n).ok(),
        (true, 0, "") => Some(0),
        _ => None,
    }
}

/// 8 bits; `name` is what the error calls it.
///
/// # Errors
/// `invalid NAME "TEXT"`
pub fn u8_named(s: &str, name: &str) -> Result<u8, TextError> {
    let n = whole(s).and_then(|n| u8::try_from(n).ok());
    n.ok_or_else(|| TextError(format!("invalid {name} \"{s}\"")))
}

/// 16 bits; `name` is what the error calls it.
///
/// # Errors
/// `invalid NAME "TEXT"`
pub fn u16_named(s: &str, name: &str) -> Result<u16, TextError> {
    let n = whole(s).and_then(|n| u16::try_from(n).ok());
    n.ok_or_else(|| TextError(format!("invalid {name} \"{s}\"")))
}

/// 64 bits as C's `strtoull` reads them: a minus sign wraps around.
fn wrapping(s: &str) -> Option<u64> {
    match split_number(s)? {
        (negative, n, "") => {
            let n = u64::try_from(n).ok()?;
            Some(if negative { n.wrapping_neg() } else { n })
        }
        _ => None,
    }
}

/// 32 bits. As in Open vSwitch, a larger number loses its upper bits and a minus sign wraps around.
///
/// # Errors
/// `missing required numeric argument`, `invalid numeric format TEXT`
pub fn u32_arg(s: &str) -> Result<u32, TextError> {
    u64_arg(s).map(|n| u32::try_from(n & 0xffff_ffff).unwrap_or(0))
}

/// 64 bits; a minus sign wraps around.
///
/// # Errors
/// `missing required numeric argument`, `invalid numeric format TEXT`
pub fn u64_arg(s: &str) -> Result<u64, TextError> {
    if s.is_empty() {
        text_error!("missing required numeric argument");
    }
    wrapping(s).ok_or_else(|| TextError(format!("invalid numeric format {s}")))
}

/// What C's `atoi` makes of a text: the leading decimal number, else 0. Out of range saturates.
#[must_use]
pub fn atoi(s: &str) -> i64 {
    let s = s.trim_start();
    let negative = s.starts_with('-');
    let digits = s.strip_prefix(['-', '+']).unwrap_or(s);
    let n = digits.bytes().take_while(u8::is_ascii_digit).count();
    let value: i64 = match digits.get(..n) {
        None | Some("") => 0,
        Some(d) => d.parse().unwrap_or(i64::MAX),
    };
    if negative { -value } else { value }
}

/// Bytes written as pairs of hex digits, with blanks and dots between them. Answers the bytes and
/// what follows them.
#[must_use]
pub fn hex_bytes(s: &str) -> (Vec<u8>, &str) {
    let mut bytes = Vec::new();
    let mut rest = s.trim_start_matches([' ', '\t', '\r', '\n', '.']);
    while let Some(pair) = rest.get(..2) {
        if !pair.bytes().all(|b| b.is_ascii_hexdigit()) {
            break;
        }
        bytes.extend(u8::from_str_radix(pair, 16));
        rest = rest[2..].trim_start_matches([' ', '\t', '\r', '\n', '.']);
    }
    (bytes, rest)
}

/// Bytes as `hh.hh.hh`.
#[must_use]
pub fn dotted_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(".")
}

/// C's `%#x`: no prefix for zero.
#[must_use]
pub fn alt_hex(n: u128) -> String {
    if n == 0 { "0".to_owned() } else { format!("{n:#x}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bases_signs_and_limits() {
        assert_eq!(u16_named("0x10", "x"), Ok(16));
        assert_eq!(u16_named("010", "x"), Ok(8));
        assert_eq!(u16_named("65536", "x").unwrap_err().0, "invalid x \"65536\"");
        assert_eq!(u8_named("-1", "x").unwrap_err().0, "invalid x \"-1\"");
        assert_eq!(u32_arg("").unwrap_err().0, "missing required numeric argument");
        assert_eq!(u32_arg("1a").unwrap_err().0, "invalid numeric format 1a");
        assert_eq!(u64_arg("0xffffffffffffffff"), Ok(u64::MAX));
        assert_eq!(u32_arg("-1"), Ok(u32::MAX));
        assert_eq!(split_number("0x"), Some((false, 0, "x")));
        assert_eq!([atoi("12x"), atoi("x"), atoi(" -3")], [12, 0, -3]);
        assert_eq!(hex_bytes("0011 22.33g"), (vec![0, 0x11, 0x22, 0x33], "g"));
    }
}
