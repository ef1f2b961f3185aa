//! Single values and their masks in text.

use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::scan::Scanner;
use crate::flow::{FRAG_ANY, FRAG_LATER};

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Decimal,
    Hexadecimal,
    Mac,
    Ipv4,
    Ipv6,
    /// `no`, `first`, `later`; never under a partial mask.
    Frag,
}

/// Writes a number as C's `%#x` does: zero has no prefix.
pub(super) fn hex(out: &mut String, v: u128) {
    let _ = if v == 0 { out.write_char('0') } else { write!(out, "{v:#x}") };
}

/// An IPv6 address as inet_ntop(3) of the GNU C library writes it: with the last two groups as an
/// IPv4 address in IPv4-mapped and IPv4-compatible addresses.
#[must_use]
pub fn ipv6_text(addr: Ipv6Addr) -> String {
    match addr.octets() {
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d] if (a, b) != (0, 0) => {
            format!("::{a}.{b}.{c}.{d}")
        }
        _ => addr.to_string(),
    }
}

impl Form {
    /// Writes a value alone.
    fn value(self, out: &mut String, v: u128) {
        let _ = match self {
            Self::Decimal => write!(out, "{v}"),
            Self::Hexadecimal => {
                hex(out, v);
                Ok(())
            }
            Self::Mac => {
                let [.., a, b, c, d, e, f] = v.to_be_bytes();
                write!(out, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}")
            }
            Self::Ipv4 => write!(out, "{}", Ipv4Addr::from_bits(v as u32)),
            Self::Ipv6 => write!(out, "{}", ipv6_text(Ipv6Addr::from_bits(v))),
            Self::Frag => out.write_str(match v as u8 {
                0 => "no",
                FRAG_ANY => "first",
                _ => "later",
            }),
        };
    }

    /// Writes a value and, unless it is `full`, its mask.
    pub(super) fn write(self, out: &mut String, v: u128, mask: u128, full: u128) {
        self.value(out, v);
        if mask != full && self != Self::Frag {
            out.push('/');
            match self {
                Self::Decimal => hex(out, mask),
                _ => self.value(out, mask),
            }
        }
    }

    /// Reads a value and its mask, which is `full` if there is none.
    pub(super) fn read(self, s: &mut Scanner<'_>, full: u128) -> Option<(u128, u128)> {
        let v = self.read_value(s)?;
        let mask = match self {
            Self::Frag => full,
            _ if s.eat("/") => self.read_value(s)?,
            _ => full,
        };
        (v <= full && mask <= full).then_some((v, mask))
    }

    fn read_value(self, s: &mut Scanner<'_>) -> Option<u128> {
        match self {
            Self::Decimal | Self::Hexadecimal => s.number(),
            Self::Mac => s.mac(),
            Self::Ipv4 => {
                let text = s.word(|c| c.is_ascii_digit() || c == '.');
                Some(text.parse::<Ipv4Addr>().ok()?.to_bits().into())
            }
            Self::Ipv6 => {
                let text = s.word(|c| c.is_ascii_hexdigit() || c == ':' || c == '.');
                Some(text.parse::<Ipv6Addr>().ok()?.to_bits())
            }
            Self::Frag => Some(match s.word(|c| c.is_ascii_lowercase()) {
                "no" => 0,
                "first" => FRAG_ANY.into(),
                "later" => (FRAG_ANY | FRAG_LATER).into(),
                _ => return None,
            }),
        }
    }
}

/// Names of the bits of a field, the lowest first.
pub(super) type FlagNames = &'static [&'static str];

/// Names of `tcp_flags`. The last three bits have none.
pub(super) const TCP_FLAGS: FlagNames =
    &["fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr", "ns"];
/// Names of `ct_state`.
pub(super) const CT_STATE: FlagNames = &["new", "est", "rel", "rpl", "inv", "trk", "snat", "dnat"];
/// Names of the reasons for the slow path.
pub(super) const SLOW_PATH: FlagNames = &["cfm", "bfd", "lacp", "stp", "lldp", "action", "match"];

fn flag(out: &mut String, names: FlagNames, bit: usize) {
    match names.get(bit) {
        Some(name) => out.push_str(name),
        None => {
            let _ = write!(out, "[{:x}]", 1u32 << bit);
        }
    }
}

/// Bits that are set, the lowest first.
fn bits(v: u32) -> impl Iterator<Item = usize> {
    (0..32).filter(move |bit| v >> bit & 1 != 0)
}

/// Writes the names of the set bits, or 0.
pub(super) fn write_flags(out: &mut String, names: FlagNames, v: u32, separator: char) {
    for (n, bit) in bits(v).enumerate() {
        if n > 0 {
            out.push(separator);
        }
        flag(out, names, bit);
    }
    if v == 0 {
        out.push('0');
    }
}

/// Writes `+name` or `-name` for each bit of the mask.
pub(super) fn write_masked_flags(out: &mut String, names: FlagNames, v: u32, mask: u32) {
    for bit in bits(mask) {
        out.push(if v >> bit & 1 != 0 { '+' } else { '-' });
        flag(out, names, bit);
    }
}

/// Reads flags in any of the forms `+a-b`, `a|b`, `V`, `V/M`. Without signs or mask, all bits of
/// `full` count.
pub(super) fn read_flags(s: &mut Scanner<'_>, names: FlagNames, full: u32) -> Option<(u32, u32)> {
    if s.peek().is_some_and(|c| c.is_ascii_digit()) {
        let v = u32::try_from(s.number()?).ok()?;
        let mask = if s.eat("/") { u32::try_from(s.number()?).ok()? } else { full };
        return Some((v & full, mask & full));
    }
    let (mut v, mut mask) = (0, 0);
    let signed = s.peek().is_some_and(|c| c == '+' || c == '-');
    loop {
        let set = if !signed || s.eat("+") {
            true
        } else if s.eat("-") {
            false
        } else {
            return (v & !mask == 0 && mask & !full == 0).then_some((v, mask));
        };
        let bit = read_flag(s, names)?;
        if mask & bit != 0 {
            return None;
        }
        mask |= bit;
        v |= if set { bit } else { 0 };
        if !signed && !s.eat("|") {
            return (v & !full == 0).then_some((v, full));
        }
    }
}

fn read_flag(s: &mut Scanner<'_>, names: FlagNames) -> Option<u32> {
    if s.eat("[") {
        let bit = u32::from_str_radix(s.word(|c| c.is_ascii_hexdigit()), 16).ok()?;
        return (bit.is_power_of_two() && s.eat("]")).then_some(bit);
    }
    let name = s.word(|c| c.is_ascii_alphanumeric());
    Some(1 << names.iter().position(|n| *n == name)?)
}
