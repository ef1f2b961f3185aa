//! `nat`, inside of `ct`: addresses and ports that a connection gets.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use weir_flow::flow::eth_type;

use crate::actions::action::{NatAction, nat_flag as flag};
use crate::actions::check::CheckContext;
use crate::actions::parse::{ParseContext, Parsed};
use crate::actions::raw::Body;
use crate::actions::table;
use crate::actions::{Action, Actions};
use crate::ofp_errors::OfpError;
use crate::value_text::address::format_ipv6;
use crate::value_text::key_value::KeyValues;
use crate::value_text::{TextError, text_error};
use crate::version::OfVersion;
use crate::wire::Put;

/// Every flag.
const ALL_FLAGS: u16 = 0x1f;

/// `NX_NAT_RANGE_*`: which parameters follow.
mod range {
    pub(super) const IPV4_MIN: u16 = 1;
    pub(super) const IPV4_MAX: u16 = 1 << 1;
    pub(super) const IPV6_MIN: u16 = 1 << 2;
    pub(super) const IPV6_MAX: u16 = 1 << 3;
    pub(super) const PROTO_MIN: u16 = 1 << 4;
    pub(super) const PROTO_MAX: u16 = 1 << 5;
}

pub(crate) fn decode(b: &mut Body<'_>) -> Result<Action, OfpError> {
    decode_checked(b).map_err(|e| {
        // A parameter that is cut short is a bad argument.
        if e == OfpError::OFPBAC_BAD_LEN { OfpError::OFPBAC_BAD_ARGUMENT } else { e }
    })
}

fn decode_checked(b: &mut Body<'_>) -> Result<Action, OfpError> {
    const BAD: OfpError = OfpError::OFPBAC_BAD_ARGUMENT;
    b.r.skip(2)?;
    let (flags, present) = (b.r.u16()?, b.r.u16()?);
    let both = |x: u16| flags & x == x;
    if flags & !ALL_FLAGS != 0
        || both(flag::SRC | flag::DST)
        || both(flag::PROTO_HASH | flag::PROTO_RANDOM)
    {
        return Err(BAD);
    }
    let has = |bit: u16| present & bit != 0;
    let mut nat = NatAction { flags, ..NatAction::default() };
    if has(range::IPV4_MIN) {
        if has(range::IPV6_MIN | range::IPV6_MAX) {
            return Err(BAD);
        }
        nat.addr_min = Some(Ipv4Addr::from(b.r.u32()?).into());
        if has(range::IPV4_MAX) {
            nat.addr_max = Some(Ipv4Addr::from(b.r.u32()?).into());
        }
    } else if has(range::IPV4_MAX) {
        return Err(BAD);
    } else if has(range::IPV6_MIN) {
        nat.addr_min = Some(Ipv6Addr::from(b.r.array::<16>()?).into());
        if has(range::IPV6_MAX) {
            nat.addr_max = Some(Ipv6Addr::from(b.r.array::<16>()?).into());
        }
    } else if has(range::IPV6_MAX) {
        return Err(BAD);
    }
    let backwards = nat.addr_max.is_some_and(|max| nat.addr_min.is_some_and(|min| max < min));
    if backwards || nat.addr_min.is_some_and(|a| a.is_unspecified()) {
        return Err(BAD);
    }
    if has(range::PROTO_MIN) {
        nat.proto_min = b.r.u16()?;
        if nat.addr_min.is_none() || nat.proto_min == 0 {
            return Err(BAD);
        }
        if has(range::PROTO_MAX) {
            nat.proto_max = b.r.u16()?;
            if nat.proto_max < nat.proto_min {
                return Err(BAD);
            }
        }
    } else if has(range::PROTO_MAX) {
        return Err(BAD);
    }
    Ok(Action::Nat(Box::new(nat)))
}

pub(crate) fn encode(n: &NatAction, v: OfVersion, out: &mut Vec<u8>) {
    let mut present = 0;
    let mut rest = Vec::new();
    let addresses = [
        (n.addr_min, range::IPV4_MIN, range::IPV6_MIN),
        (n.addr_max, range::IPV4_MAX, range::IPV6_MAX),
    ];
    for (address, v4, v6) in addresses {
        match address {
            Some(a) if a.is_unspecified() => {}
            Some(IpAddr::V4(a)) => {
                present |= v4;
                rest.extend_from_slice(&a.octets());
            }
            Some(IpAddr::V6(a)) => {
                present |= v6;
                rest.extend_from_slice(&a.octets());
            }
            None => {}
        }
    }
    if n.addr_min.is_some() {
        for (port, bit) in [(n.proto_min, range::PROTO_MIN), (n.proto_max, range::PROTO_MAX)] {
            if port != 0 {
                present |= bit;
                rest.put_u16(port);
            }
        }
    }
    table::NAT.put(v, out, |b| {
        b.put_zeros(2);
        b.put_u16(n.flags);
        b.put_u16(present);
        b.extend_from_slice(&rest);
    });
}

fn is_ipv6_char(c: char) -> bool {
    c.is_ascii_hexdigit() || matches!(c, ':' | '.')
}

/// An address at the start of a text; IPv6 may stand in brackets.
fn split_address(s: &str) -> Option<(IpAddr, &str)> {
    let v4_len = s.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(s.len());
    if let Ok(v4) = s[..v4_len].parse::<Ipv4Addr>() {
        return Some((v4.into(), &s[v4_len..]));
    }
    if let Some((inside, rest)) = s.strip_prefix('[').and_then(|s| s.split_once(']')) {
        return inside.parse::<Ipv6Addr>().ok().map(|a| (a.into(), rest));
    }
    let end = s.find(|c| !is_ipv6_char(c)).unwrap_or(s.len());
    s[..end].parse::<Ipv6Addr>().ok().map(|a| (a.into(), &s[end..]))
}

fn split_port(s: &str) -> Option<(u16, &str)> {
    let end = s.find(|c: char| !c.is_ascii_digit()).unwrap_or(s.len());
    s[..end].parse().ok().map(|n| (n, &s[end..]))
}

fn parse_range(s: &str, nat: &mut NatAction) -> Result<(), TextError> {
    let invalid = || TextError(format!("invalid nat range \"{s}\""));
    (nat.addr_min, nat.addr_max) = (None, None);
    // What could begin an IPv6 address counts as read, even if it is none.
    let mut rest = s.trim_start_matches(is_ipv6_char);
    if let Some((min, after)) = split_address(s) {
        nat.addr_min = Some(min);
        rest = after;
        if let Some(max) = rest.strip_prefix('-') {
            let (max, after) = split_address(max)
                .filter(|(max, _)| max.is_ipv4() == min.is_ipv4() && *max >= min)
                .ok_or_else(invalid)?;
            nat.addr_max = Some(max);
            rest = after;
        }
        if let Some(ports) = rest.strip_prefix(':') {
            (nat.proto_min, rest) = split_port(ports).ok_or_else(invalid)?;
            if let Some(max) = rest.strip_prefix('-') {
                let min = nat.proto_min;
                (nat.proto_max, rest) =
                    split_port(max).filter(|(max, _)| *max >= min).ok_or_else(invalid)?;
            }
        }
    }
    if !rest.is_empty() {
        text_error!("garbage ({rest}) after nat range \"{s}\" (pos: {})", s.len() - rest.len());
    }
    Ok(())
}

pub(crate) fn parse(arg: &str, _: &mut ParseContext<'_>, out: &mut Actions) -> Parsed {
    let mut nat = NatAction::default();
    for (key, value) in KeyValues::new(arg) {
        nat.flags |= match key {
            "src" | "dst" => {
                parse_range(value, &mut nat)?;
                if key == "src" { flag::SRC } else { flag::DST }
            }
            "persistent" => flag::PERSISTENT,
            "hash" => flag::PROTO_HASH,
            "random" => flag::PROTO_RANDOM,
            _ => text_error!("invalid key \"{key}\" in \"nat\" argument"),
        };
    }
    let both = |x: u16| nat.flags & x == x;
    if both(flag::SRC | flag::DST) {
        text_error!("May only specify one of \"src\" or \"dst\".");
    }
    if nat.flags & (flag::SRC | flag::DST) == 0 && nat.flags != 0 {
        text_error!("Flags allowed only with \"src\" or \"dst\".");
    }
    if both(flag::PROTO_HASH | flag::PROTO_RANDOM) {
        text_error!("Both \"hash\" and \"random\" are not allowed.");
    }
    out.push(Action::Nat(Box::new(nat)));
    Ok(())
}

fn address_text(address: IpAddr, brackets: bool) -> String {
    match address {
        IpAddr::V4(a) => a.to_string(),
        IpAddr::V6(a) if brackets => format!("[{}]", format_ipv6(a.into())),
        IpAddr::V6(a) => format_ipv6(a.into()),
    }
}

pub(crate) fn format(f: &mut fmt::Formatter<'_>, n: &NatAction) -> fmt::Result {
    f.write_str("nat")?;
    if n.flags & (flag::SRC | flag::DST) == 0 {
        return Ok(());
    }
    let mut text = if n.flags & flag::SRC != 0 { "src" } else { "dst" }.to_owned();
    if let Some(min) = n.addr_min {
        let has_ports = n.proto_min != 0;
        text.push('=');
        text.push_str(&address_text(min, has_ports));
        if let Some(max) = n.addr_max.filter(|m| *m != min && !m.is_unspecified()) {
            text.push('-');
            text.push_str(&address_text(max, has_ports));
        }
        if has_ports {
            text.push_str(&format!(":{}", n.proto_min));
            if n.proto_max != 0 && n.proto_max != n.proto_min {
                text.push_str(&format!("-{}", n.proto_max));
            }
        }
        let flags = [
            (flag::PERSISTENT, ",persistent"),
            (flag::PROTO_HASH, ",hash"),
            (flag::PROTO_RANDOM, ",random"),
        ];
        for (_, word) in flags.iter().filter(|(bit, _)| n.flags & bit != 0) {
            text.push_str(word);
        }
    }
    write!(f, "({text})")
}

pub(crate) fn check(n: &NatAction, cx: &CheckContext) -> Result<(), OfpError> {
    let consistent = match (cx.dl_type(), n.addr_min) {
        (eth_type::IPV4 | eth_type::IPV6, None) => true,
        (eth_type::IPV4, Some(a)) => a.is_ipv4(),
        (eth_type::IPV6, Some(a)) => a.is_ipv6(),
        _ => false,
    };
    if consistent { Ok(()) } else { Err(OfpError::OFPBAC_MATCH_INCONSISTENT) }
}
