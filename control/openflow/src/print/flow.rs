//! Flows: flow-mods, removed flows, statistics.

use std::fmt::Write;

use super::PrintContext;
use crate::actions;
use crate::flow_text::flow_mod::NO_BUFFER;
use crate::flow_text::{FlowMod, FlowModCommand, FlowModFlags, FlowStats};
use crate::frame::Frame;
use crate::matching::match_format::DEFAULT_PRIORITY;
use crate::messages::flow_removed::{FlowRemoved, removed_reason};
use crate::messages::flow_stats::{AggregateStats, FlowStatsRequest};
use crate::messages::table::TABLE_ALL;
use crate::ofp_port::OfPort;
use crate::version::OfVersion;

/// `send_flow_rem check_overlap `
pub(super) fn flags(s: &mut String, flags: FlowModFlags) {
    for (flag, name) in FlowModFlags::NAMES {
        if flags.contains(flag) {
            let _ = write!(s, "{name} ");
        }
    }
}

/// The words of the commands.
fn command(c: FlowModCommand) -> &'static str {
    match c {
        FlowModCommand::Add => "ADD",
        FlowModCommand::Modify => "MOD",
        FlowModCommand::ModifyStrict => "MOD_STRICT",
        FlowModCommand::Delete => "DEL",
        FlowModCommand::DeleteStrict => "DEL_STRICT",
    }
}

pub(super) fn flow_mod(
    s: &mut String,
    f: &Frame<'_>,
    m: &FlowMod,
    v: OfVersion,
    cx: PrintContext<'_>,
) {
    let _ = f;
    let _ = write!(s, " {}", command(m.command));
    if m.table_id != 0 {
        let _ = write!(s, " table:{}", cx.names.table(m.table_id));
    }
    s.push(' ');
    let _ = write!(s, "{}", m.matched.display(m.priority, cx.names.ports));
    if !s.ends_with(' ') {
        s.push(' ');
    }
    if let Some(cookie) = m.new_cookie.filter(|c| *c != 0) {
        let _ = write!(s, "cookie:0x{cookie:x} ");
    }
    if m.cookie_mask != 0 {
        let _ = write!(s, "cookie:0x{:x}/0x{:x} ", m.cookie, m.cookie_mask);
    }
    for (name, n) in
        [("idle", m.idle_timeout), ("hard", m.hard_timeout), ("importance", m.importance)]
    {
        if n != 0 {
            let _ = write!(s, "{name}:{n} ");
        }
    }
    if m.buffer_id != NO_BUFFER {
        let _ = write!(s, "buf:0x{:x} ", m.buffer_id);
    }
    if m.out_port != OfPort::NONE {
        let _ = write!(s, "out_port:{} ", cx.names.port(m.out_port));
    }
    // Before OpenFlow 1.2 every change starts the counters anew, which is not worth telling.
    let mut told = m.flags;
    if v < OfVersion::V12 {
        told.0 &= !FlowModFlags::RESET_COUNTS.0;
    }
    flags(s, told);
    let _ = write!(s, "actions={}", actions::display(&m.actions, cx.names));
}

pub(super) fn flow_removed(s: &mut String, m: &FlowRemoved, cx: PrintContext<'_>) {
    let _ = write!(s, " {}", m.matched.display(m.priority, cx.names.ports));
    let reason = removed_reason::name(m.reason).map_or_else(|| m.reason.to_string(), str::to_owned);
    let _ = write!(s, " reason={reason}");
    if m.table_id != TABLE_ALL {
        let _ = write!(s, " table_id={}", cx.names.table(m.table_id));
    }
    if m.cookie != 0 {
        let _ = write!(s, " cookie:0x{:x}", m.cookie);
    }
    let _ = write!(s, " duration{} idle{}", m.duration, m.idle_timeout);
    if m.hard_timeout != 0 {
        let _ = write!(s, " hard{}", m.hard_timeout);
    }
    let _ = writeln!(s, " pkts{} bytes{}", m.packet_count, m.byte_count);
}

pub(super) fn stats_request(s: &mut String, m: &FlowStatsRequest, cx: PrintContext<'_>) {
    if m.table_id != TABLE_ALL {
        let _ = write!(s, " table={}", cx.names.table(m.table_id));
    }
    if m.out_port != OfPort::NONE {
        let _ = write!(s, " out_port={}", cx.names.port(m.out_port));
    }
    let matched = m.matched.display(DEFAULT_PRIORITY, cx.names.ports).to_string();
    if !matched.is_empty() {
        let _ = write!(s, " {matched}");
    }
}

pub(super) fn stats_reply(s: &mut String, list: &[FlowStats], cx: PrintContext<'_>) {
    for fs in list {
        let _ = write!(s, "\n{}", fs.display(cx.names, true));
    }
    s.push('\n');
}

pub(super) fn aggregate(s: &mut String, m: &AggregateStats) {
    let _ = write!(
        s,
        " packet_count={} byte_count={} flow_count={}",
        m.packet_count, m.byte_count, m.flow_count
    );
}
