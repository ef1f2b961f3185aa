//! Hello, error, echo, and what a switch is: features, configuration, description.

use std::fmt::Write;

use super::{PrintContext, bits, hex_dump, ofp_to_string, port};
use crate::frame::Frame;
use crate::messages::error::ErrorMsg;
use crate::messages::hello::Hello;
use crate::messages::switch::{
    INVALID_TTL_TO_CONTROLLER, SwitchConfig, SwitchDesc, SwitchFeatures, capability, frag,
};
use crate::ofp_errors::OfpError;
use crate::version::OfVersion;

pub(super) fn hello(s: &mut String, f: &Frame<'_>, m: &Hello) {
    let _ = write!(s, "\n version bitmap: {}", m.versions);
    if !m.understood {
        s.push_str("\n unknown data in hello:\n");
        let mut whole = Vec::new();
        f.header.put(&mut whole);
        whole.extend_from_slice(f.body);
        s.push_str(&hex_dump(&whole));
    }
}

pub(super) fn error(s: &mut String, wire_version: u8, m: &ErrorMsg) -> Result<(), OfpError> {
    // A code nobody knows counts as a message nobody can read.
    let error = m.error(wire_version).ok_or(OfpError::OFPBRC_BAD_LEN)?;
    let _ = writeln!(s, " {error}");
    if matches!(error, OfpError::OFPHFC_INCOMPATIBLE | OfpError::OFPHFC_EPERM) {
        printable(s, &m.data);
    } else {
        let cx = PrintContext { names: crate::actions::format::Names::default(), verbosity: 1 };
        s.push_str(&ofp_to_string(&m.data, cx));
    }
    Ok(())
}

/// Characters that cannot be shown become `\ooo`.
fn printable(s: &mut String, bytes: &[u8]) {
    for b in bytes {
        if (b' '..=b'~').contains(b) && *b != b'\\' {
            s.push(char::from(*b));
        } else {
            let _ = write!(s, "\\{b:03o}");
        }
    }
}

pub(super) fn echo(s: &mut String, data: &[u8], verbosity: u8) {
    let _ = writeln!(s, " {} bytes of payload", data.len());
    if verbosity > 1 {
        s.push_str(&hex_dump(data));
    }
}

fn capability_name(bit: u32) -> Option<&'static str> {
    Some(match 1_u32 << bit {
        capability::FLOW_STATS => "FLOW_STATS",
        capability::TABLE_STATS => "TABLE_STATS",
        capability::PORT_STATS => "PORT_STATS",
        capability::IP_REASM => "IP_REASM",
        capability::QUEUE_STATS => "QUEUE_STATS",
        capability::ARP_MATCH_IP => "ARP_MATCH_IP",
        capability::GROUP_STATS => "GROUP_STATS",
        capability::PORT_BLOCKED => "PORT_BLOCKED",
        capability::BUNDLES => "BUNDLES",
        capability::FLOW_MONITORING => "FLOW_MONITORING",
        _ => return None,
    })
}

/// Actions by OpenFlow 1.0 type, in the order they are listed: enqueue follows output.
const ACTIONS_10: [(u32, &str); 12] = [
    (0, "output"),
    (11, "enqueue"),
    (1, "set_vlan_vid"),
    (2, "set_vlan_pcp"),
    (3, "strip_vlan"),
    (4, "mod_dl_src"),
    (5, "mod_dl_dst"),
    (6, "mod_nw_src"),
    (7, "mod_nw_dst"),
    (8, "mod_nw_tos"),
    (9, "mod_tp_src"),
    (10, "mod_tp_dst"),
];

pub(super) fn features(s: &mut String, m: &SwitchFeatures, v: OfVersion, cx: PrintContext<'_>) {
    let _ = writeln!(s, " dpid:{:016x}", m.datapath_id);
    let _ = write!(s, "n_tables:{}, n_buffers:{}", m.n_tables, m.n_buffers);
    if m.auxiliary_id != 0 {
        let _ = write!(s, ", auxiliary_id:{}", m.auxiliary_id);
    }
    s.push_str("\ncapabilities: ");
    // OpenFlow 1.0's STP stands where that version has its bit.
    let stp = m.capabilities & capability::STP != 0;
    let low = m.capabilities
        & (capability::FLOW_STATS | capability::TABLE_STATS | capability::PORT_STATS);
    let rest = m.capabilities & !(low | capability::STP);
    if stp {
        let mut groups = Vec::new();
        for (bits_of, is_there) in [(low, low != 0), (rest, rest != 0)] {
            let mut part = String::new();
            if is_there {
                bits::names(&mut part, bits_of, ' ', capability_name);
            }
            groups.push(part);
        }
        groups.insert(1, "STP".to_owned());
        groups.retain(|g| !g.is_empty());
        s.push_str(&groups.join(" "));
    } else {
        bits::names(s, m.capabilities, ' ', capability_name);
    }
    s.push('\n');
    if v == OfVersion::V10 && m.actions != 0 {
        let known: Vec<&str> = ACTIONS_10
            .iter()
            .filter(|(bit, _)| m.actions & (1 << bit) != 0)
            .map(|(_, name)| *name)
            .collect();
        let _ = writeln!(s, "actions: {}", known.join(" "));
    }
    if v < OfVersion::V13 {
        port::ports(s, &m.ports, cx);
    }
}

/// The word of a way to treat fragments.
pub(super) fn frag_name(flags: u16) -> &'static str {
    match flags & frag::MASK {
        frag::NORMAL => "normal",
        frag::DROP => "drop",
        frag::REASM => "reassemble",
        _ => "nx-match",
    }
}

pub(super) fn config(s: &mut String, m: SwitchConfig) {
    let _ = write!(s, " frags={}", frag_name(m.flags));
    if m.flags & INVALID_TTL_TO_CONTROLLER != 0 {
        s.push_str(" invalid_ttl_to_controller");
    }
    let _ = writeln!(s, " miss_send_len={}", m.miss_send_len);
}

pub(super) fn desc(s: &mut String, m: &SwitchDesc) {
    s.push('\n');
    for (name, text) in [
        ("Manufacturer", &m.mfr_desc),
        ("Hardware", &m.hw_desc),
        ("Software", &m.sw_desc),
        ("Serial Num", &m.serial_num),
        ("DP Description", &m.dp_desc),
    ] {
        let _ = writeln!(s, "{name}: {}", String::from_utf8_lossy(text));
    }
}
