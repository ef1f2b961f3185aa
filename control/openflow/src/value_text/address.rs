//! Ethernet, IPv4 and IPv6 addresses with their masks.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{TextError, text_error};

/// An Ethernet address from the start of a text, with what follows it: six groups of one or two hex
/// digits.
fn split_mac(s: &str) -> Option<([u8; 6], &str)> {
    let mut mac = [0u8; 6];
    let mut rest = s;
    for (i, byte) in mac.iter_mut().enumerate() {
        if i > 0 {
            rest = rest.strip_prefix(':')?;
        }
        let n = rest.bytes().take(2).take_while(u8::is_ascii_hexdigit).count();
        *byte = u8::from_str_radix(rest.get(..n)?, 16).ok()?;
        rest = &rest[n..];
    }
    Some((mac, rest))
}

/// An Ethernet address alone.
///
/// # Errors
/// `invalid mac address TEXT`
pub fn parse_mac(s: &str) -> Result<[u8; 6], TextError> {
    match split_mac(s) {
        Some((mac, "")) => Ok(mac),
        _ => text_error!("invalid mac address {s}"),
    }
}

/// An Ethernet address, or `address/mask`.
///
/// # Errors
/// `TEXT: invalid Ethernet address`
pub fn parse_mac_masked(s: &str) -> Result<([u8; 6], [u8; 6]), TextError> {
    match split_mac(s) {
        Some((mac, "")) => return Ok((mac, [0xff; 6])),
        Some((mac, rest)) => {
            if let Some((mask, "")) = rest.strip_prefix('/').and_then(split_mac) {
                return Ok((mac, mask));
            }
        }
        None => {}
    }
    text_error!("{s}: invalid Ethernet address")
}

/// `xx:xx:xx:xx:xx:xx`
#[must_use]
pub fn format_mac(mac: [u8; 6]) -> String {
    let [a, b, c, d, e, f] = mac;
    format!("{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}")
}

/// An address with its mask, unless that is exact.
#[must_use]
pub fn format_mac_masked(mac: [u8; 6], mask: [u8; 6]) -> String {
    if mask == [0xff; 6] {
        format_mac(mac)
    } else {
        format!("{}/{}", format_mac(mac), format_mac(mask))
    }
}

/// An IPv4 address alone.
///
/// # Errors
/// `TEXT: could not convert to IP address`
pub fn parse_ipv4(s: &str) -> Result<Ipv4Addr, TextError> {
    dotted_quad(s).ok_or_else(|| {
        log::error!(target: "socket_util", "\"{s}\" is not a valid IP address");
        TextError(format!("{s}: could not convert to IP address"))
    })
}

/// Four decimal numbers; unlike in Rust's own reading, zeros may lead them.
fn dotted_quad(s: &str) -> Option<Ipv4Addr> {
    let mut octets = [0; 4];
    let mut parts = s.split('.');
    for octet in &mut octets {
        let part = parts.next()?;
        if part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        *octet = part.parse().ok()?;
    }
    parts.next().is_none().then_some(octets.into())
}

/// Reads the length of a prefix; `width` is its largest value.
fn prefix_len(s: &str, width: u32) -> Option<Result<u32, ()>> {
    if s.is_empty() || !s.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(s.parse().ok().filter(|n| *n <= width).ok_or(()))
}

/// `address`, `address/prefix` or `address/mask`; bits outside the mask stay as they are.
///
/// # Errors
/// `TEXT: invalid IP address` and the like.
pub fn parse_ipv4_masked(s: &str) -> Result<(u32, u32), TextError> {
    let (address, mask) = s.split_once('/').map_or((s, None), |(a, m)| (a, Some(m)));
    let Some(address) = dotted_quad(address) else { text_error!("{s}: invalid IP address") };
    let mask = match mask {
        None => u32::MAX,
        Some(m) => match (dotted_quad(m), prefix_len(m, 32)) {
            (Some(mask), _) => mask.into(),
            (_, Some(Ok(n))) => u32::MAX.checked_shl(32 - n).unwrap_or(0),
            (_, Some(Err(()))) => {
                text_error!("{s}: IPv4 network prefix bits not between 0 and 32, inclusive")
            }
            _ => text_error!("{s}: invalid IP address"),
        },
    };
    Ok((address.into(), mask))
}

/// An address with its mask: nothing for an exact one, else a prefix length, else in full.
#[must_use]
pub fn format_ipv4_masked(address: u32, mask: u32) -> String {
    let address = Ipv4Addr::from(address);
    if mask == u32::MAX {
        return address.to_string();
    }
    if mask.count_ones() == mask.leading_ones() {
        return format!("{address}/{}", mask.leading_ones());
    }
    format!("{address}/{}", Ipv4Addr::from(mask))
}

/// An IPv6 address as C's `inet_ntop` writes it: an IPv4-compatible one has its last 32 bits dotted.
#[must_use]
pub fn format_ipv6(address: u128) -> String {
    let low = u32::try_from(address).unwrap_or(0);
    if low > 0xffff {
        return format!("::{}", Ipv4Addr::from(low));
    }
    Ipv6Addr::from(address).to_string()
}

/// See [`parse_ipv4_masked`].
///
/// # Errors
/// `TEXT: invalid IPv6 address` and the like.
pub fn parse_ipv6_masked(s: &str) -> Result<(u128, u128), TextError> {
    let (address, mask) = s.split_once('/').map_or((s, None), |(a, m)| (a, Some(m)));
    let Ok(address) = address.parse::<Ipv6Addr>() else { text_error!("{s}: invalid IPv6 address") };
    let mask = match mask {
        None => u128::MAX,
        Some(m) => match (m.parse::<Ipv6Addr>(), prefix_len(m, 128)) {
            (Ok(mask), _) => mask.into(),
            (_, Some(Ok(n))) => u128::MAX.checked_shl(128 - n).unwrap_or(0),
            (_, Some(Err(()))) => {
                text_error!("{s}: IPv6 network prefix bits not between 0 and 128, inclusive")
            }
            _ => text_error!("{s}: invalid IPv6 address"),
        },
    };
    Ok((address.into(), mask))
}

/// See [`format_ipv4_masked`].
#[must_use]
pub fn format_ipv6_masked(address: u128, mask: u128) -> String {
    let address = format_ipv6(address);
    if mask == u128::MAX {
        return address;
    }
    if mask.count_ones() == mask.leading_ones() {
        return format!("{address}/{}", mask.leading_ones());
    }
    format!("{address}/{}", format_ipv6(mask))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks() {
        assert_eq!(parse_ipv4_masked("10.0.0.1/8"), Ok((0x0a00_0001, 0xff00_0000)));
        assert_eq!(parse_ipv4_masked("1.2.3.4/0"), Ok((0x0102_0304, 0)));
        assert_eq!(format_ipv4_masked(0x0a00_0000, 0xff00_0000), "10.0.0.0/8");
        assert_eq!(format_ipv4_masked(0x0a00_0000, 0xff00_ff00), "10.0.0.0/255.0.255.0");
        assert_eq!(format_ipv6_masked(1 << 64, !0 << 64), "0:0:0:1::/64");
        assert_eq!(format_ipv6(0x0102_0304), "::1.2.3.4");
        assert_eq!(format_ipv6(0x0304), "::304");
        assert_eq!(
            parse_ipv4_masked("1.2.3.4/33").unwrap_err().0,
            "1.2.3.4/33: IPv4 network prefix bits not between 0 and 32, inclusive"
        );
        assert_eq!(parse_mac("1:2:3:4:5:6"), Ok([1, 2, 3, 4, 5, 6]));
        assert!(parse_mac("1:2:3:4:5:6:7").is_err());
    }
}
