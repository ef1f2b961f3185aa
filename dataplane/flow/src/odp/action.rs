//! Datapath actions as text.

use std::fmt::Write;

use super::attr;
use super::key::{Style, write_mpls, write_tci};
use super::value::{self, hex};
use crate::action::{Action, HashAlgorithm, Header, SetHeader, SlowReasons, Userspace};
use crate::flow::eth_type;

/// Writes an action list; an empty one is `drop`.
#[must_use]
pub fn format_actions(actions: &[Action], style: &Style<'_>) -> String {
    let mut out = String::new();
    write_actions(&mut out, actions, style);
    out
}

/// [`format_actions`], behind what is in `out` already.
pub fn write_actions(out: &mut String, actions: &[Action], style: &Style<'_>) {
    if actions.is_empty() {
        out.push_str("drop");
    }
    for (i, action) in actions.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        write_action(out, action, style);
    }
}

fn write_action(out: &mut String, action: &Action, style: &Style<'_>) {
    let nested = |out: &mut String, name: &str, actions: &[Action]| {
        out.push_str(name);
        out.push('(');
        write_actions(out, actions, style);
        out.push(')');
    };
    // Writing to a string does not fail.
    let _ = match action {
        Action::Output(port) => {
            style.port(out, *port);
            Ok(())
        }
        Action::Userspace(userspace) => write_userspace(out, userspace),
        Action::Set(set) => {
            write_set(out, set);
            Ok(())
        }
        Action::PushVlan { tpid, tci } => {
            out.push_str("push_vlan(");
            if *tpid != eth_type::VLAN_8021Q {
                let _ = write!(out, "tpid={tpid:#06x},");
            }
            write_tci(out, *tci, u16::MAX, false);
            out.write_char(')')
        }
        Action::PopVlan => out.write_str("pop_vlan"),
        Action::PushMpls { ethertype, lse } => {
            let (label, tc, ttl, bos) = (lse >> 12, lse >> 9 & 7, lse & 0xff, lse >> 8 & 1);
            write!(
                out,
                "push_mpls(label={label},tc={tc},ttl={ttl},bos={bos},eth_type={ethertype:#x})"
            )
        }
        Action::PopMpls { ethertype } => write!(out, "pop_mpls(eth_type={ethertype:#x})"),
        Action::Sample { probability, actions } => {
            let percent = f64::from(*probability) * 100.0 / f64::from(u32::MAX);
            let _ = write!(out, "sample(sample={percent:.1}%,");
            nested(out, "actions", actions);
            out.write_char(')')
        }
        Action::Recirc(id) => {
            out.push_str("recirc(");
            hex(out, (*id).into());
            out.write_char(')')
        }
        Action::Hash { algorithm, basis } => match algorithm {
            HashAlgorithm::L4 => write!(out, "hash(l4({basis}))"),
            HashAlgorithm::SymL4 => write!(out, "hash(sym_l4({basis}))"),
        },
        Action::Truncate(max_len) => write!(out, "trunc({max_len})"),
        Action::Clone(actions) => {
            nested(out, "clone", actions);
            Ok(())
        }
        Action::CheckPktLen { len, greater, less_equal } => {
            let _ = write!(out, "check_pkt_len(size={len},");
            nested(out, "gt", greater);
            out.push(',');
            nested(out, "le", less_equal);
            out.write_char(')')
        }
        Action::Meter(id) => write!(out, "meter({id})"),
        Action::Drop(_) => out.write_str("drop"),
    };
}

fn write_userspace(out: &mut String, userspace: &Userspace) -> std::fmt::Result {
    out.push_str("userspace(pid=0,");
    match userspace {
        Userspace::Controller(c) => {
            write!(
                out,
                "controller(reason={},dont_send={},continuation={},recirc_id={},rule_cookie=",
                c.reason,
                u8::from(c.dont_send),
                u8::from(c.continuation),
                c.recirc_id
            )?;
            hex(out, c.rule_cookie.into());
            write!(out, ",controller_id={},max_len={})", c.controller_id, c.max_len)?;
        }
        Userspace::SlowPath(reasons) => write_slow_path(out, *reasons),
        Userspace::Sample(s) => write!(out, "{}({})", s.kind, s.text)?,
    }
    out.write_char(')')
}

/// Writes `slow_path(REASONS)`.
pub(super) fn write_slow_path(out: &mut String, reasons: SlowReasons) {
    out.push_str("slow_path(");
    value::write_flags(out, value::SLOW_PATH, reasons.0.into(), ',');
    out.push(')');
}

fn write_set(out: &mut String, set: &SetHeader) {
    let SetHeader { header, value, mask } = set;
    let write = |out: &mut String, attr: &attr::Attr| {
        out.push_str("set(");
        attr.write(out, value, mask, false);
        out.push(')');
    };
    match (header, attr::of_header(*header)) {
        (Header::Nd, _) if !attr::ND_EXT.is_wildcard(mask) => {
            if !attr::ND.is_wildcard(mask) {
                write(out, &attr::ND);
                out.push(',');
            }
            write(out, &attr::ND_EXT);
        }
        (Header::Mpls, _) => {
            out.push_str("set(");
            write_mpls(out, value, mask, 1);
            out.push(')');
        }
        (_, Some(attr)) => write(out, attr),
        (Header::Nsh, None) => out.push_str("set(nsh())"),
        (_, None) => out.push_str("set(tunnel())"),
    }
}
