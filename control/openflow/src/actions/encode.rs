//! Writing lists of actions and instructions for the wire, in the forms that Open vSwitch chooses
//! for each version.

use super::family::{
    conntrack, controller, encap, fields, hash, header, instruction, learn, mpls, nat, output,
    pipeline, registers, resubmit, sample, set_field, ttl, tunnel, vlan,
};
use super::table::{
    CT_CLEAR, DEBUG_RECIRC, DEBUG_SLOW, DEC_MPLS_TTL, DEC_NSH_TTL, EXIT, POP_QUEUE, SET_QUEUE,
};
use super::verify::Instruction;
use super::{Action, inspect};
use crate::version::OfVersion;
use crate::wire::Put;

/// Writes one action (or instruction).
pub(crate) fn encode_action(action: &Action, v: OfVersion, out: &mut Vec<u8>) {
    match action {
        Action::Output { port, max_len } => output::encode(*port, *max_len, v, out),
        Action::Group(id) => output::encode_group(*id, v, out),
        Action::Controller(c) => controller::encode(c, v, out),
        Action::Enqueue { port, queue } => output::encode_enqueue(*port, *queue, v, out),
        Action::OutputReg { src, max_len } => output::encode_reg(src, *max_len, v, out),
        Action::OutputTrunc { port, max_len } => output::encode_trunc(*port, *max_len, v, out),
        Action::Bundle(b) => hash::encode_bundle(b, v, out),
        Action::SetField(sf) => set_field::encode(sf, v, out),
        Action::RegMove { src, dst, onf } => registers::encode_move(src, dst, *onf, v, out),
        Action::SetVlanVid(a) => vlan::encode_vid(a, v, out),
        Action::SetVlanPcp(a) => vlan::encode_pcp(a, v, out),
        Action::StripVlan { .. } => vlan::encode_strip(v, out),
        Action::PushVlan { ethertype } => vlan::encode_push(*ethertype, v, out),
        Action::SetEthSrc(mac) => header::encode_dl_src(*mac, v, out),
        Action::SetEthDst(mac) => header::encode_dl_dst(*mac, v, out),
        Action::SetIpv4Src(ip) => header::encode_nw_src(*ip, v, out),
        Action::SetIpv4Dst(ip) => header::encode_nw_dst(*ip, v, out),
        Action::SetIpDscp(tos) => header::encode_nw_tos(*tos, v, out),
        Action::SetIpEcn(ecn) => header::encode_nw_ecn(*ecn, v, out),
        Action::SetIpTtl(n) => ttl::encode_set_nw_ttl(*n, v, out),
        Action::SetL4SrcPort(p) => header::encode_tp_src(p, v, out),
        Action::SetL4DstPort(p) => header::encode_tp_dst(p, v, out),
        Action::DecTtl { controller_ids } => ttl::encode_dec_ttl(controller_ids, v, out),
        Action::SetMplsLabel(label) => mpls::encode_label(*label, v, out),
        Action::SetMplsTc(tc) => mpls::encode_tc(*tc, v, out),
        Action::SetMplsTtl(n) => mpls::encode_ttl(*n, v, out),
        Action::DecMplsTtl => DEC_MPLS_TTL.put_void(v, out),
        Action::PushMpls { ethertype } => mpls::encode_push(*ethertype, v, out),
        Action::PopMpls { ethertype } => mpls::encode_pop(*ethertype, v, out),
        Action::DecNshTtl => DEC_NSH_TTL.put_void(v, out),
        Action::Encap(e) => encap::encode(e, v, out),
        Action::Decap { new_packet_type } => encap::encode_decap(*new_packet_type, v, out),
        Action::DeleteField(field) => fields::encode_delete_field(*field, v, out),
        Action::SetTunnel { id, wide } => tunnel::encode(*id, *wide, v, out),
        Action::SetQueue(queue) => SET_QUEUE.put_arg(v, out, 4, (*queue).into()),
        Action::PopQueue => POP_QUEUE.put_void(v, out),
        Action::FinTimeout { idle, hard } => pipeline::encode_fin_timeout(*idle, *hard, v, out),
        Action::Resubmit { in_port, table_id, form } => {
            resubmit::encode(*in_port, *table_id, *form, v, out);
        }
        Action::Learn(l) => learn::encode(l, v, out),
        Action::Conjunction { id, clause, n_clauses } => {
            pipeline::encode_conjunction(*id, *clause, *n_clauses, v, out);
        }
        Action::Multipath(m) => hash::encode_multipath(m, v, out),
        Action::Note(note) => pipeline::encode_note(note, v, out),
        Action::Exit => EXIT.put_void(v, out),
        Action::Sample(s) => sample::encode(s, v, out),
        Action::Ct(ct) => conntrack::encode(ct, v, out),
        Action::Nat(n) => nat::encode(n, v, out),
        Action::CtClear => CT_CLEAR.put_void(v, out),
        Action::Clone(actions) => pipeline::encode_clone(actions, v, out),
        Action::CheckPktLarger { pkt_len, dst } => {
            fields::encode_check_pkt_larger(*pkt_len, dst, v, out);
        }
        Action::StackPush(subfield) => registers::encode_push(subfield, v, out),
        Action::StackPop(subfield) => registers::encode_pop(subfield, v, out),
        Action::DebugRecirc => DEBUG_RECIRC.put_void(v, out),
        Action::DebugSlow => DEBUG_SLOW.put_void(v, out),
        Action::Meter(id) => instruction::encode_meter(*id, v, out),
        Action::ClearActions => instruction::encode_clear_actions(v, out),
        Action::WriteActions(actions) => instruction::encode_write_actions(actions, v, out),
        Action::WriteMetadata { metadata, mask } => {
            instruction::encode_write_metadata(*metadata, *mask, v, out);
        }
        Action::GotoTable(table) => instruction::encode_goto_table(*table, v, out),
    }
}

/// Writes a list of actions.
pub fn encode_actions(actions: &[Action], version: OfVersion, out: &mut Vec<u8>) {
    for action in actions {
        encode_action(action, version, out);
    }
}

/// Writes the instructions of a flow; in OpenFlow 1.0 a list of actions.
pub fn encode_instructions(actions: &[Action], version: OfVersion, out: &mut Vec<u8>) {
    if version == OfVersion::V10 {
        encode_actions(actions, version, out);
        return;
    }
    let is_apply = |a: &Action| Instruction::of(a, version) == Instruction::ApplyActions;
    let mut rest = actions;
    while let Some(first) = rest.first() {
        if is_apply(first) {
            let n = rest.iter().take_while(|a| is_apply(a)).count();
            let (apply, after) = rest.split_at(n);
            instruction::put_action_list(instruction::OFPIT_APPLY_ACTIONS, apply, version, out);
            rest = after;
        } else {
            encode_action(first, version, out);
            rest = &rest[1..];
        }
    }
}

/// Rounds up what was written since `start` and enters the length at `start + 2`.
pub(crate) fn finish(out: &mut Vec<u8>, start: usize) {
    out.pad_to(start, 8);
    let len = out.len() - start;
    out.set_u16(start + 2, u16::try_from(len).unwrap_or(u16::MAX));
}

/// Is there anything in the list that the version cannot say?
#[must_use]
pub fn is_expressible(actions: &[Action], version: OfVersion) -> bool {
    !inspect::any(actions, &|a| match a {
        Action::Encap(_) | Action::Decap { .. } | Action::DecNshTtl | Action::Meter(_) => {
            version < OfVersion::V13
        }
        _ => false,
    })
}
