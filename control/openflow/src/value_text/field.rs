//! The text of a value of any match field, driven by the field's row in the table.

use weir_flow::field::{Field, Format, id};

use super::address;
use super::flags::{CT_STATE, FlagNames, TCP_FLAGS, TUN_FLAGS};
use super::number::{alt_hex, split_number};
use super::{TextError, text_error};
use crate::matching::{FieldValue, field_access};
use crate::ofp_port::{NameMap, OfPort};

/// `ip_frag`: name, value and mask.
pub(crate) const FRAGS: [(&str, u8, u8); 5] =
    [("no", 0, 3), ("yes", 1, 1), ("first", 1, 3), ("later", 3, 3), ("not_later", 0, 2)];

/// The name that texts of actions have for a field. ovs-fields(7) knows the IPv4 addresses as `ip_src`
/// and `ip_dst`; matches are written with the other names.
#[must_use]
pub fn action_name(field: &Field) -> &str {
    match field.id {
        id::NW_SRC => "ip_src",
        id::NW_DST => "ip_dst",
        _ => &field.name,
    }
}

/// Reads `value` or `value/mask` of a field; without a mask, it is all ones in every byte.
///
/// # Errors
/// The text is not a value of the field, or the field cannot be matched under that mask.
pub fn parse_field(
    field: &Field,
    s: &str,
    ports: Option<&NameMap>,
) -> Result<(FieldValue, FieldValue), TextError> {
    if s == "*" {
        let n = usize::from(field.bytes);
        return Ok((FieldValue::zero(n), FieldValue::zero(n)));
    }
    let (value, mask) = parse_unchecked(field, s, ports)?;
    if !field_access::is_mask_valid(field, &mask) {
        text_error!("{s}: invalid mask for field {}", field.name);
    }
    Ok((value, mask))
}

/// Reads a value without a mask.
///
/// # Errors
/// The text is not a value of the field, or has a mask.
pub fn parse_field_exact(
    field: &Field,
    s: &str,
    ports: Option<&NameMap>,
) -> Result<FieldValue, TextError> {
    let (value, mask) = parse_field(field, s, ports)?;
    if !mask.is_all_ones() {
        text_error!("{s}: wildcards not allowed here");
    }
    Ok(value)
}

fn parse_unchecked(
    field: &Field,
    s: &str,
    ports: Option<&NameMap>,
) -> Result<(FieldValue, FieldValue), TextError> {
    let of = |v: u128| FieldValue::of(field, v);
    let ones = || FieldValue::ones(usize::from(field.bytes));
    let pair = |(v, m): (u128, u128)| (of(v), of(m));
    Ok(match field.format {
        Format::Decimal | Format::Hexadecimal => parse_integer(field, s)?,
        Format::Ethernet => {
            let (value, mask) = address::parse_mac_masked(s)?;
            (FieldValue::from_bytes(&value), FieldValue::from_bytes(&mask))
        }
        Format::Ipv4 => {
            let (v, m) = address::parse_ipv4_masked(s)?;
            pair((v.into(), m.into()))
        }
        Format::Ipv6 => pair(address::parse_ipv6_masked(s)?),
        Format::OfPort10 | Format::OfPort => {
            let Some(port) = OfPort::parse(s, ports) else {
                text_error!("{s}: invalid or unknown port for {}", field.name)
            };
            let wide = field.format == Format::OfPort;
            let number = if wide { port.to_ofp11() } else { u32::from(port.0) };
            (of(number.into()), ones())
        }
        Format::Frag => match FRAGS.iter().find(|(name, _, _)| s.eq_ignore_ascii_case(name)) {
            Some((_, v, m)) if *m == 3 => (of((*v).into()), ones()),
            Some((_, v, m)) => pair(((*v).into(), (*m).into())),
            None => text_error!(
                "{s}: unknown fragment type (valid types are \"no\", \"yes\", \"first\", \"later\", \
                 \"not_later\""
            ),
        },
        Format::TunnelFlags => parse_flags(field, &TUN_FLAGS, s)?,
        Format::TcpFlags => parse_flags(field, &TCP_FLAGS, s)?,
        Format::CtState => parse_flags(field, &CT_STATE, s)?,
        Format::PacketType => (of(parse_packet_type(s)?.into()), ones()),
    })
}

fn parse_flags(
    field: &Field,
    names: &FlagNames,
    s: &str,
) -> Result<(FieldValue, FieldValue), TextError> {
    let (value, mask) = names.parse(s)?;
    let mask = if mask == names.all {
        FieldValue::ones(usize::from(field.bytes))
    } else {
        FieldValue::of(field, mask.into())
    };
    Ok((FieldValue::of(field, value.into()), mask))
}

/// `(ns,type)`; what follows is not looked at.
fn parse_packet_type(s: &str) -> Result<u32, TextError> {
    let bad = |at: &str, what: &str| TextError(format!("{at}: bad syntax for packet type {what}"));
    let part = |s: &'_ str| -> Option<(u16, usize)> {
        match split_number(s)? {
            (false, n, rest) => Some((u16::try_from(n).ok()?, s.len() - rest.len())),
            _ => None,
        }
    };
    let inner = s.strip_prefix('(').ok_or_else(|| bad(s, "missing '('"))?;
    let (ns, n) = part(inner).ok_or_else(|| bad(inner, "ns"))?;
    let rest = inner[n..].strip_prefix(',').ok_or_else(|| bad(inner, "missing ','"))?;
    let (kind, n) = part(rest).ok_or_else(|| bad(rest, "ns_type"))?;
    if !rest[n..].starts_with(')') {
        return Err(bad(rest, "missing ')'"));
    }
    Ok(u32::from(ns) << 16 | u32::from(kind))
}

/// An integer of any width. Hexadecimal digits may be as many as the field has; other bases give up
/// to 64 bits. Answers the value in `n_bytes` bytes and what follows.
pub(crate) fn parse_wide_integer(
    s: &str,
    n_bytes: usize,
) -> Option<Result<(FieldValue, &str), ()>> {
    let t = s.trim_start();
    let Some(hex) = t.strip_prefix("0x").or_else(|| t.strip_prefix("0X")) else {
        let (negative, n, rest) = split_number(s)?;
        let fits = n_bytes >= 8 || n >> (8 * n_bytes) == 0;
        if u64::try_from(n).is_err() || !fits || (negative && n != 0) {
            return Some(Err(()));
        }
        return Some(Ok((FieldValue::from_u128(n, n_bytes), rest)));
    };
    let n = hex.bytes().take_while(u8::is_ascii_hexdigit).count();
    if n == 0 {
        return Some(Ok((FieldValue::zero(n_bytes), hex)));
    }
    let (digits, rest) = hex.split_at(n);
    let digits = digits.trim_start_matches('0');
    if digits.len() > 2 * n_bytes {
        return Some(Err(()));
    }
    let mut value = vec![0u8; n_bytes];
    for (i, c) in digits.bytes().rev().enumerate() {
        let nibble = char::from(c).to_digit(16).and_then(|d| u8::try_from(d).ok()).unwrap_or(0);
        if let Some(byte) = value.iter_mut().rev().nth(i / 2) {
            *byte |= nibble << (4 * (i % 2));
        }
    }
    Some(Ok((FieldValue::from_bytes(&value), rest)))
}

fn parse_integer(field: &Field, s: &str) -> Result<(FieldValue, FieldValue), TextError> {
    let n = usize::from(field.bytes);
    let name = &field.name;
    let (value, rest) = match parse_wide_integer(s, n) {
        Some(Ok(r)) => r,
        Some(Err(())) => text_error!("{s}: value too large for {n}-byte field {name}"),
        None => text_error!("{s}: bad syntax for {name} value"),
    };
    let (mask, rest) = match rest.strip_prefix('/') {
        None => (FieldValue::ones(n), rest),
        Some(m) => match parse_wide_integer(m, n) {
            Some(Ok(r)) => r,
            Some(Err(())) => text_error!("{s}: mask too large for {n}-byte field {name}"),
            None => text_error!("{s}: bad syntax for {name} mask"),
        },
    };
    if rest.is_empty() {
        Ok((value, mask))
    } else {
        text_error!("{s}: bad syntax for {name} value")
    }
}

/// Writes a value under a mask: `value`, `value/mask`, or `ANY` when nothing is matched.
#[must_use]
pub fn format_field(
    field: &Field,
    value: &FieldValue,
    mask: Option<&FieldValue>,
    ports: Option<&NameMap>,
) -> String {
    let mask = match mask {
        Some(m) if m.is_zero() => return "ANY".to_owned(),
        Some(m) if m.is_all_ones() => None,
        m => m,
    };
    let v = value.as_u128();
    let m = mask.map(FieldValue::as_u128);
    let low32 = |n: u128| u32::try_from(n & u128::from(u32::MAX)).unwrap_or(0);
    match (field.format, m) {
        (Format::OfPort, None) => match OfPort::from_ofp11(low32(v)) {
            Some(port) => port.display(ports).to_string(),
            None => v.to_string(),
        },
        (Format::OfPort10, None) => {
            OfPort(u16::try_from(v & 0xffff).unwrap_or(0)).display(ports).to_string()
        }
        (Format::Decimal, None) => v.to_string(),
        (Format::Decimal | Format::OfPort | Format::OfPort10, Some(m)) => {
            format!("{v}/{}", alt_hex(m))
        }
        (Format::Hexadecimal, _) => {
            let mask = mask.map(|m| format!("/{}", wide_hex(m))).unwrap_or_default();
            format!("{}{mask}", wide_hex(value))
        }
        (Format::Ethernet, m) => {
            let mac = |n: u128| {
                let [.., a, b, c, d, e, f] = n.to_be_bytes();
                [a, b, c, d, e, f]
            };
            address::format_mac_masked(mac(v), m.map_or([0xff; 6], mac))
        }
        (Format::Ipv4, m) => address::format_ipv4_masked(low32(v), m.map_or(u32::MAX, low32)),
        (Format::Ipv6, m) => address::format_ipv6_masked(v, m.unwrap_or(u128::MAX)),
        (Format::Frag, m) => {
            let (v, m) = (v & 3 & m.unwrap_or(3), m.unwrap_or(3) & 3);
            let name = FRAGS.iter().find(|f| (u128::from(f.1), u128::from(f.2)) == (v, m));
            name.map_or("<error>", |f| f.0).to_owned()
        }
        (Format::TunnelFlags, _) => TUN_FLAGS.format(low32(v)),
        (Format::TcpFlags, m) => TCP_FLAGS.format_masked(low32(v), m.map_or(u32::MAX, low32)),
        (Format::CtState, m) => CT_STATE.format_masked(low32(v), m.map_or(u32::MAX, low32)),
        (Format::PacketType, m) => {
            let text = format_packet_type(low32(v));
            match m {
                None => text,
                Some(m) => format!("{text}/{:#010x}", low32(m)),
            }
        }
    }
}

/// `(ns,type)`, the type in hexadecimal where that makes a difference.
#[must_use]
pub fn format_packet_type(packet_type: u32) -> String {
    let (ns, kind) = (packet_type >> 16, packet_type & 0xffff);
    if kind <= 9 { format!("({ns},{kind})") } else { format!("({ns},{kind:#x})") }
}

/// C's `%#x` for a value of any width.
#[must_use]
pub fn wide_hex(value: &FieldValue) -> String {
    let digits: String = value.bytes().iter().map(|b| format!("{b:02x}")).collect();
    match digits.trim_start_matches('0') {
        "" => "0".to_owned(),
        d => format!("0x{d}"),
    }
}
