//! The parser against that of the installed Open vSwitch: `ovs-ofctl parse-pcap` prints the flow of
//! each packet of a capture.

use std::process::Command;

use crate::field::{Field, Format};
use crate::flow::{Flow, eth_type, ip_proto};
use crate::packet::{Metadata, parse, plausible};

/// Reproducible random bytes.
fn seeds(n: usize) -> Vec<Vec<u8>> {
    let mut state = 0x1234_5678_9abc_def0_u64;
    let mut byte = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8
    };
    (0..n).map(|_| (0..300).map(|_| byte()).collect()).collect()
}

fn pcap(packets: &[Vec<u8>]) -> Vec<u8> {
    let words = |words: &[u32]| words.iter().flat_map(|w| w.to_le_bytes()).collect::<Vec<_>>();
    let mut file = words(&[0xa1b2_c3d4, 4 << 16 | 2, 0, 0, 0xffff, 1]);
    for p in packets {
        file.extend(words(&[0, 0, p.len() as u32, p.len() as u32]));
        file.extend(p);
    }
    file
}

#[test]
fn flows_are_those_of_the_installed_open_vswitch() {
    let mut packets: Vec<_> = seeds(5000).iter().map(|s| plausible::packet(s)).collect();
    packets.retain(|p| !p.is_empty());
    let path = std::env::temp_dir().join(format!("weir-flow-{}.pcap", std::process::id()));
    std::fs::write(&path, pcap(&packets)).unwrap();
    let output = Command::new("ovs-ofctl").arg("parse-pcap").arg(&path).output();
    std::fs::remove_file(&path).unwrap();
    let Ok(output) = output else {
        println!("skipped: ovs-ofctl is not installed");
        return;
    };
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), packets.len());
    for (packet, line) in packets.iter().zip(lines) {
        let flow = parse(packet, &Metadata::default()).flow;
        for word in line.split(',') {
            let agrees = match word.split_once('=') {
                Some((name, value)) => has_field(&flow, name, value),
                None => is_of_kind(&flow, word),
            };
            assert!(agrees, "{packet:02x?}\n{flow:?}\n{line}\n{word}");
        }
    }
}

/// `tcp6`, `arp` and the like.
fn is_of_kind(flow: &Flow, kind: &str) -> bool {
    let ty = match kind {
        "arp" => eth_type::ARP,
        "rarp" => eth_type::RARP,
        "mpls" => eth_type::MPLS,
        "mplsm" => eth_type::MPLS_MCAST,
        "ipv6" | "tcp6" | "udp6" | "sctp6" | "icmp6" => eth_type::IPV6,
        _ => eth_type::IPV4,
    };
    let proto = match kind.trim_end_matches('6') {
        "tcp" => Some(ip_proto::TCP),
        "udp" => Some(ip_proto::UDP),
        "sctp" => Some(ip_proto::SCTP),
        "icmp" if kind == "icmp6" => Some(ip_proto::ICMPV6),
        "icmp" => Some(ip_proto::ICMP),
        _ => None,
    };
    flow.dl_type.get() == ty && proto.is_none_or(|p| flow.nw_proto == p)
}

fn has_field(flow: &Flow, name: &str, value: &str) -> bool {
    let number = |s: &str| match s.strip_prefix("0x") {
        Some(hex) => u128::from_str_radix(hex, 16).unwrap(),
        None => s.parse().unwrap(),
    };
    let vlan = |n: usize, bits: u16, shift: u16| {
        u128::from((flow.vlans[n].tci.get() & bits) >> shift) == number(value)
    };
    match name {
        "in_port" => return true,
        "dl_vlan" => return vlan(0, 0xfff, 0),
        "dl_vlan_pcp" => return vlan(0, 0xe000, 13),
        "vlan_tci1" => return vlan(1, 0xffff, 0),
        "dl_vlan1" => return vlan(1, 0xfff, 0),
        "dl_vlan_pcp1" => return vlan(1, 0xe000, 13),
        "nw_tos" => return u128::from(flow.nw_tos & 0xfc) == number(value),
        "mpls_lse1" => return u128::from(flow.mpls_lse[1].get()) == number(value),
        "mpls_lse2" => return u128::from(flow.mpls_lse[2].get()) == number(value),
        _ => {}
    }
    let field = Field::by_name(name).unwrap_or_else(|| panic!("no field {name}"));
    let expected = match field.format {
        Format::Ethernet => {
            value.split(':').fold(0, |a, b| a << 8 | u128::from_str_radix(b, 16).unwrap())
        }
        Format::Ipv4 => u128::from(value.parse::<std::net::Ipv4Addr>().unwrap().to_bits()),
        Format::Ipv6 => value.parse::<std::net::Ipv6Addr>().unwrap().to_bits(),
        Format::Frag => match value {
            "no" => 0,
            "first" => 1,
            _ => 3,
        },
        Format::TcpFlags => {
            let names = ["fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr", "ns"];
            let bit = |word: &str| match names.iter().position(|n| *n == word) {
                Some(n) => 1 << n,
                None => number(&format!("0x{}", word.trim_matches(['[', ']']))),
            };
            if value == "0" { 0 } else { value.split('|').map(bit).sum() }
        }
        _ => number(value),
    };
    field.get(flow) == expected
}
