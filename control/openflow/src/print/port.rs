//! Ports: descriptions, status, configuration, counters.

use std::fmt::Write;

use super::{PrintContext, bits};
use crate::messages::port::{PhyPort, PortFeatures, PortReason, PortStatus, config, state};
use crate::messages::port_mod::PortMod;
use crate::messages::port_stats::{Direction, PortStats, RFC2819};
use crate::ofp_port::OfPort;

fn mac(a: &[u8; 6]) -> String {
    let [a, b, c, d, e, f] = a;
    format!("{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}")
}

fn config_name(bit: u32) -> Option<&'static str> {
    Some(match 1_u32 << bit {
        config::PORT_DOWN => "PORT_DOWN",
        config::NO_STP => "NO_STP",
        config::NO_RECV => "NO_RECV",
        config::NO_RECV_STP => "NO_RECV_STP",
        config::NO_FLOOD => "NO_FLOOD",
        config::NO_FWD => "NO_FWD",
        config::NO_PACKET_IN => "NO_PACKET_IN",
        _ => return None,
    })
}

fn state_name(bit: u32) -> Option<&'static str> {
    Some(match 1_u32 << bit {
        state::LINK_DOWN => "LINK_DOWN",
        state::BLOCKED => "BLOCKED",
        state::LIVE => "LIVE",
        _ => return None,
    })
}

fn put_config(s: &mut String, bits_set: u32) {
    bits::names(s, bits_set, ' ', config_name);
    s.push('\n');
}

fn put_state(s: &mut String, bits_set: u32) {
    // The spanning tree state is a number, not bits; "listen" (0) is not told from "no STP".
    let stp = match bits_set & state::STP_MASK {
        state::STP_LEARN => "STP_LEARN",
        state::STP_FORWARD => "STP_FORWARD",
        state::STP_BLOCK => "STP_BLOCK",
        _ => "",
    };
    s.push_str(stp);
    let rest = bits_set & !state::STP_MASK;
    if stp.is_empty() || rest != 0 {
        bits::names(s, rest, ' ', state_name);
    }
    s.push('\n');
}

fn put_features(s: &mut String, f: PortFeatures) {
    bits::names(s, f.0, ' ', PortFeatures::name);
    s.push('\n');
}

fn phy_port(s: &mut String, p: &PhyPort, cx: PrintContext<'_>) {
    let name: String =
        p.name.iter().take_while(|b| (b' '..=b'~').contains(*b)).map(|b| char::from(*b)).collect();
    let number = p.port_no.reserved_name().map_or_else(|| p.port_no.0.to_string(), str::to_owned);
    let _ = cx;
    let _ = writeln!(s, " {number}({name}): addr:{}", mac(&p.hw_addr));
    s.push_str("     config:     ");
    put_config(s, p.config);
    s.push_str("     state:      ");
    put_state(s, p.state);
    for (label, features) in [
        ("     current:    ", p.curr),
        ("     advertised: ", p.advertised),
        ("     supported:  ", p.supported),
        ("     peer:       ", p.peer),
    ] {
        if features.0 != 0 {
            s.push_str(label);
            put_features(s, features);
        }
    }
    let _ = writeln!(
        s,
        "     speed: {} Mbps now, {} Mbps max",
        p.curr_speed / 1000,
        p.max_speed / 1000
    );
}

/// A list of ports, by number.
pub(super) fn ports(s: &mut String, list: &[PhyPort], cx: PrintContext<'_>) {
    let mut sorted: Vec<&PhyPort> = list.iter().collect();
    sorted.sort_by_key(|p| p.port_no);
    for p in sorted {
        phy_port(s, p, cx);
    }
}

pub(super) fn desc_request(s: &mut String, port: OfPort, cx: PrintContext<'_>) {
    let _ = write!(s, " port={}", cx.names.port(port));
}

pub(super) fn desc_reply(s: &mut String, list: &[PhyPort], cx: PrintContext<'_>) {
    s.push('\n');
    ports(s, list, cx);
}

pub(super) fn status(s: &mut String, m: &PortStatus, cx: PrintContext<'_>) {
    s.push_str(match m.reason {
        PortReason::Add => " ADD:",
        PortReason::Delete => " DEL:",
        PortReason::Modify => " MOD:",
    });
    phy_port(s, &m.port, cx);
}

pub(super) fn port_mod(s: &mut String, m: &PortMod, cx: PrintContext<'_>) {
    let _ = writeln!(s, " port: {}: addr:{}", cx.names.port(m.port_no), mac(&m.hw_addr));
    s.push_str("     config: ");
    put_config(s, m.config);
    s.push_str("     mask:   ");
    put_config(s, m.mask);
    s.push_str("     advertise: ");
    if m.advertise.0 == 0 {
        s.push_str("UNCHANGED\n");
    } else {
        put_features(s, m.advertise);
    }
}

pub(super) fn stats_request(s: &mut String, port: OfPort, cx: PrintContext<'_>) {
    let _ = write!(s, " port_no={}", cx.names.port(port));
}

/// A counter, or `?` when it is not known.
pub(super) fn counter(n: u64) -> String {
    if n == u64::MAX { "?".to_owned() } else { n.to_string() }
}

pub(super) fn stats_reply(s: &mut String, list: &[PortStats], cx: PrintContext<'_>) {
    let _ = writeln!(s, " {} ports", list.len());
    if cx.verbosity == 0 {
        return;
    }
    for p in list {
        let pad = if p.port_no.0 < 10 { " " } else { "" };
        let c = &p.counters;
        let n = counter;
        let _ = writeln!(
            s,
            "  port {pad}{}: rx pkts={}, bytes={}, drop={}, errs={}, frame={}, over={}, crc={}",
            cx.names.port(p.port_no),
            n(c.rx_packets),
            n(c.rx_bytes),
            n(c.rx_dropped),
            n(c.rx_errors),
            n(c.rx_frame_err),
            n(c.rx_over_err),
            n(c.rx_crc_err)
        );
        let _ = writeln!(
            s,
            "           tx pkts={}, bytes={}, drop={}, errs={}, coll={}",
            n(c.tx_packets),
            n(c.tx_bytes),
            n(c.tx_dropped),
            n(c.tx_errors),
            n(c.collisions)
        );
        if let Some(d) = p.duration {
            let _ = writeln!(s, "           duration={d}");
        }
        rfc2819(s, p);
        custom(s, p);
    }
}

/// A counter is told only when it is known and not 0.
fn rfc2819(s: &mut String, p: &PortStats) {
    for (direction, label) in [(Direction::Rx, "rx"), (Direction::Tx, "tx")] {
        let mut line = String::new();
        for ((d, name), n) in RFC2819.iter().zip(p.rfc2819) {
            if *d == direction && n != u64::MAX && n != 0 {
                let _ = write!(line, "{name}={n}, ");
            }
        }
        if !line.is_empty() {
            let _ = writeln!(s, "           {label} rfc2819 {line}");
        }
    }
}

/// Three counters a line.
fn custom(s: &mut String, p: &PortStats) {
    let known: Vec<_> = p.custom.iter().filter(|(_, v)| *v != u64::MAX).collect();
    if known.is_empty() {
        return;
    }
    s.push_str("           CUSTOM Statistics");
    for line in known.chunks(3) {
        let text =
            |(name, value): &&(Vec<u8>, u64)| format!("{}={value},", String::from_utf8_lossy(name));
        let line: Vec<String> = line.iter().map(text).collect();
        let _ = write!(s, "\n                      {}", line.join(" "));
    }
    s.push('\n');
}
