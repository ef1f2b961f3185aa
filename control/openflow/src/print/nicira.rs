//! Nicira's extensions.

use std::fmt::Write;
use std::net::Ipv6Addr;

use crate::frame::Frame;
use crate::messages::ipfix::IpfixStats;
use crate::messages::nicira::{CtFlush, CtTuple, PacketInFormat, flow_format};
use crate::messages::tlv_table::{TlvCommand, TlvMap, TlvTableMod, TlvTableReply};
use crate::raw::Raw;

/// Prints those messages of a few bytes that are shown whatever their bytes say. Answers whether it
/// did.
pub(super) fn print_raw(s: &mut String, f: &Frame<'_>) -> bool {
    let first = f.body.first_chunk().map_or(0, |b| u32::from_be_bytes(*b));
    let last = f.body.get(6..8).map_or(0, |b| u16::from_be_bytes([b[0], b[1]]));
    let _ = match f.raw {
        Raw::NxtSetFlowFormat => write!(
            s,
            " format={}",
            match first {
                flow_format::OPENFLOW10 => "openflow10",
                flow_format::NXM => "nxm",
                _ => "(unknown)",
            }
        ),
        Raw::NxtSetPacketInFormat => match PacketInFormat::from_wire(first) {
            Some(format) => write!(s, " format={}", format.name()),
            None => return false,
        },
        Raw::NxtFlowModTableId => {
            write!(s, " {}", if first >> 24 != 0 { "enable" } else { "disable" })
        }
        Raw::NxtSetControllerId => write!(s, " id={last}"),
        Raw::NxtCtFlushZone => write!(s, " zone_id={last}"),
        _ => return false,
    };
    true
}

fn maps(s: &mut String, maps: &[TlvMap]) {
    s.push_str(" mapping table:\n");
    s.push_str("  class  type  length  match field\n");
    s.push_str(" ------  ----  ------  --------------");
    for m in maps {
        let hex = |n: u16| if n == 0 { "0".to_owned() } else { format!("{n:#x}") };
        let (class, kind) = (hex(m.option_class), hex(m.option_type.into()));
        let _ = write!(s, "\n {class:>6}  {kind:>4}  {:>6}  tun_metadata{}", m.option_len, m.index);
    }
}

pub(super) fn tlv_mod(s: &mut String, m: &TlvTableMod) {
    s.push_str("\n ");
    s.push_str(match m.command {
        TlvCommand::Add => "ADD",
        TlvCommand::Delete => "DEL",
        TlvCommand::Clear => "CLEAR",
    });
    if m.command != TlvCommand::Clear {
        maps(s, &m.maps);
    }
}

pub(super) fn tlv_reply(s: &mut String, m: &TlvTableReply) {
    let allocated: u32 = m.maps.iter().map(|m| u32::from(m.option_len)).sum();
    let _ = write!(
        s,
        "\n max option space={} max fields={}\n allocated option space={allocated}\n\n",
        m.max_option_space, m.max_fields
    );
    maps(s, &m.maps);
}

fn address(a: Option<Ipv6Addr>, is_v4: bool) -> (bool, String) {
    let a = a.unwrap_or(Ipv6Addr::UNSPECIFIED);
    match a.to_ipv4_mapped() {
        Some(v4) => (true, v4.to_string()),
        None if is_v4 => (true, a.to_string()),
        None => (false, a.to_string()),
    }
}

const ICMP: u8 = 1;
const ICMPV6: u8 = 58;

fn tuple(t: &CtTuple, ip_proto: u8, tell_proto: bool) -> String {
    let is_v4 = t.src.and_then(|a| a.to_ipv4_mapped()).is_some()
        || t.dst.and_then(|a| a.to_ipv4_mapped()).is_some();
    let family = if is_v4 { "ct_nw" } else { "ct_ipv6" };
    let (src, dst) = (address(t.src, is_v4).1, address(t.dst, is_v4).1);
    let mut s = format!("{family}_src={src},{family}_dst={dst},");
    let _ = if matches!(ip_proto, ICMP | ICMPV6) {
        write!(
            s,
            "icmp_id={},icmp_type={},icmp_code={}",
            t.icmp_id.unwrap_or(0),
            t.icmp_type.unwrap_or(0),
            t.icmp_code.unwrap_or(0)
        )
    } else {
        write!(s, "ct_tp_src={},ct_tp_dst={}", t.src_port.unwrap_or(0), t.dst_port.unwrap_or(0))
    };
    if tell_proto {
        let _ = write!(s, ",ct_nw_proto={ip_proto}");
    }
    s
}

pub(super) fn ct_flush(s: &mut String, m: &CtFlush) {
    let _ = write!(
        s,
        " zone={} '{}' '{}'",
        m.zone.unwrap_or(0),
        tuple(&m.orig, m.ip_proto, true),
        tuple(&m.reply, m.ip_proto, false)
    );
}

fn ipfix(s: &mut String, label: &str, indent: &str, m: &IpfixStats) {
    let _ = writeln!(
        s,
        "  {label}: flows={}, current flows={}, sampled pkts={}, ipv4 ok={}, ipv6 ok={}, tx pkts={}",
        m.total_flows, m.current_flows, m.pkts, m.ipv4_pkts, m.ipv6_pkts, m.tx_pkts
    );
    let _ = writeln!(
        s,
        "{indent}pkts errs={}, ipv4 errs={}, ipv6 errs={}, tx errs={}",
        m.error_pkts, m.ipv4_error_pkts, m.ipv6_error_pkts, m.tx_errors
    );
}

pub(super) fn ipfix_bridge(s: &mut String, m: &IpfixStats) {
    s.push('\n');
    ipfix(s, "bridge ipfix", "                ", m);
}

pub(super) fn ipfix_flow(s: &mut String, list: &[IpfixStats]) {
    let _ = writeln!(s, " {} ids", list.len());
    for m in list {
        ipfix(s, &format!("id {:>3}", m.collector_set_id), "          ", m);
    }
}
