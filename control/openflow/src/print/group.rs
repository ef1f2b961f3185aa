//! Groups.

use std::fmt::Write;

use super::PrintContext;
use crate::actions;
use crate::messages::group::{
    Bucket, GroupCommand, GroupDesc, GroupFeatures, GroupMod, GroupProps, GroupStats, GroupType,
    bucket_id, group_id,
};
use crate::ofp_port::OfPort;
use crate::value_text::field::{action_name, format_field};
use crate::version::OfVersion;

/// `group_id=ALL`
fn id(id: u32) -> String {
    match id {
        group_id::ALL => "ALL".to_owned(),
        group_id::ANY => "ANY".to_owned(),
        n => n.to_string(),
    }
}

pub(super) fn request(s: &mut String, group: u32) {
    let _ = write!(s, " group_id={}", id(group));
}

/// Buckets have numbers in OpenFlow 1.5 and in Nicira's form of it.
fn bucket_number(s: &mut String, label: &str, number: u32, v: OfVersion) {
    if !matches!(v, OfVersion::V10 | OfVersion::V15) {
        return;
    }
    let text = match number {
        bucket_id::FIRST => "first".to_owned(),
        bucket_id::LAST => "last".to_owned(),
        bucket_id::ALL => "all".to_owned(),
        n => n.to_string(),
    };
    let _ = write!(s, "{label}{text},");
}

fn properties(s: &mut String, p: &GroupProps) {
    if p.selection_method.is_empty() {
        return;
    }
    let _ = write!(s, ",selection_method={}", p.selection_method);
    if p.selection_method_param != 0 {
        let _ = write!(s, ",selection_method_param={}", p.selection_method_param);
    }
    let fields: Vec<String> = p
        .fields
        .iter()
        .map(|(field, mask)| {
            let field = field.field();
            if mask.is_all_ones() {
                action_name(field).to_owned()
            } else {
                format!("{}={}", action_name(field), format_field(field, mask, None, None))
            }
        })
        .collect();
    let _ = match fields.as_slice() {
        [] => Ok(()),
        [one] => write!(s, ",fields={one}"),
        many => write!(s, ",fields({})", many.join(",")),
    };
}

fn bucket(s: &mut String, b: &Bucket, kind: GroupType, v: OfVersion, cx: PrintContext<'_>) {
    s.push_str(",bucket=");
    bucket_number(s, "bucket_id:", b.bucket_id, v);
    if b.weight != u16::from(kind == GroupType::Select) {
        let _ = write!(s, "weight:{},", b.weight);
    }
    if b.watch_port != OfPort::NONE {
        let _ = write!(s, "watch_port:{},", cx.names.port(b.watch_port));
    }
    if b.watch_group != group_id::ANY {
        let _ = write!(s, "watch_group:{},", b.watch_group);
    }
    let _ = write!(s, "actions={}", actions::display(&b.actions, cx.names));
}

pub(super) fn desc_reply(s: &mut String, list: &[GroupDesc], v: OfVersion, cx: PrintContext<'_>) {
    for g in list {
        let _ = write!(s, "\n group_id={},type={}", g.group_id, g.kind.name());
        properties(s, &g.props);
        g.buckets.iter().for_each(|b| bucket(s, b, g.kind, v, cx));
    }
}

pub(super) fn group_mod(s: &mut String, m: &GroupMod, v: OfVersion, cx: PrintContext<'_>) {
    let (word, of_buckets) = match m.command {
        GroupCommand::Add => ("ADD", false),
        GroupCommand::Modify => ("MOD", false),
        GroupCommand::AddOrMod => ("ADD_OR_MOD", false),
        GroupCommand::Delete => ("DEL", false),
        GroupCommand::InsertBucket => ("INSERT_BUCKET", true),
        GroupCommand::RemoveBucket => ("REMOVE_BUCKET", true),
    };
    let _ = write!(s, "\n {word} ");
    if of_buckets {
        bucket_number(s, "command_bucket_id:", m.command_bucket_id, v);
    }
    let _ = write!(s, "group_id={}", m.group_id);
    if !of_buckets {
        let _ = write!(s, ",type={}", m.kind.name());
    }
    properties(s, &m.props);
    m.buckets.iter().for_each(|b| bucket(s, b, m.kind, v, cx));
}

pub(super) fn stats_reply(s: &mut String, list: &[GroupStats]) {
    for g in list {
        let _ = write!(s, "\n group_id={},", g.group_id);
        if let Some(d) = g.duration {
            let _ = write!(s, "duration={d},");
        }
        let _ = write!(
            s,
            "ref_count={},packet_count={},byte_count={}",
            g.ref_count, g.packet_count, g.byte_count
        );
        for (i, (packets, bytes)) in g.buckets.iter().enumerate() {
            if *packets != u64::MAX {
                let _ = write!(s, ",bucket{i}:packet_count={packets},byte_count={bytes}");
            }
        }
    }
}

pub(super) fn features(s: &mut String, m: &GroupFeatures) {
    let _ = write!(
        s,
        "\n Group table:\n    Types:  0x{:x}\n    Capabilities:  0x{:x}\n",
        m.types, m.capabilities
    );
    let kinds = ["all", "select", "indirect", "fast failover"];
    for (i, kind) in kinds.iter().enumerate().filter(|(i, _)| m.types & (1 << i) != 0) {
        let max = m.max_groups.get(i).copied().unwrap_or(0);
        let max = if max == 0 { "0".to_owned() } else { format!("{max:#x}") };
        let names: Vec<&str> = m.actions.get(i).map(|a| a.names().collect()).unwrap_or_default();
        let _ = write!(
            s,
            "    {kind} group:\n       max_groups={max}\n       actions: {}\n",
            names.join(" ")
        );
    }
}
