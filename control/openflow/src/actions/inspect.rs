//! Questions about lists of actions: names, outputs, groups, meters.

use super::Action;
use crate::ofp_port::OfPort;

/// The name of an action in texts, without its argument.
#[must_use]
pub fn name(action: &Action) -> &'static str {
    match action {
        Action::Output { .. } => "output",
        Action::Group(_) => "group",
        Action::Controller(_) => "controller",
        Action::Enqueue { .. } => "enqueue",
        Action::OutputReg { .. } => "output_reg",
        Action::OutputTrunc { .. } => "output_trunc",
        Action::Bundle(_) => "bundle",
        Action::SetField(_) => "set_field",
        Action::RegMove { .. } => "move",
        Action::SetVlanVid(_) => "set_vlan_vid",
        Action::SetVlanPcp(_) => "set_vlan_pcp",
        Action::StripVlan { .. } => "strip_vlan",
        Action::PushVlan { .. } => "push_vlan",
        Action::SetEthSrc(_) => "mod_dl_src",
        Action::SetEthDst(_) => "mod_dl_dst",
        Action::SetIpv4Src(_) => "mod_nw_src",
        Action::SetIpv4Dst(_) => "mod_nw_dst",
        Action::SetIpDscp(_) => "mod_nw_tos",
        Action::SetIpEcn(_) => "mod_nw_ecn",
        Action::SetIpTtl(_) => "mod_nw_ttl",
        Action::SetL4SrcPort(_) => "mod_tp_src",
        Action::SetL4DstPort(_) => "mod_tp_dst",
        Action::DecTtl { .. } => "dec_ttl",
        Action::SetMplsLabel(_) => "set_mpls_label",
        Action::SetMplsTc(_) => "set_mpls_tc",
        Action::SetMplsTtl(_) => "set_mpls_ttl",
        Action::DecMplsTtl => "dec_mpls_ttl",
        Action::PushMpls { .. } => "push_mpls",
        Action::PopMpls { .. } => "pop_mpls",
        Action::DecNshTtl => "dec_nsh_ttl",
        Action::Encap(_) => "encap",
        Action::Decap { .. } => "decap",
        Action::DeleteField(_) => "delete_field",
        Action::SetTunnel { .. } => "set_tunnel",
        Action::SetQueue(_) => "set_queue",
        Action::PopQueue => "pop_queue",
        Action::FinTimeout { .. } => "fin_timeout",
        Action::Resubmit { .. } => "resubmit",
        Action::Learn(_) => "learn",
        Action::Conjunction { .. } => "conjunction",
        Action::Multipath(_) => "multipath",
        Action::Note(_) => "note",
        Action::Exit => "exit",
        Action::Sample(_) => "sample",
        Action::Ct(_) => "ct",
        Action::Nat(_) => "nat",
        Action::CtClear => "ct_clear",
        Action::Clone(_) => "clone",
        Action::CheckPktLarger { .. } => "check_pkt_larger",
        Action::StackPush(_) => "push",
        Action::StackPop(_) => "pop",
        Action::DebugRecirc => "debug_recirc",
        Action::DebugSlow => "debug_slow",
        Action::Meter(_) => "meter",
        Action::ClearActions => "clear_actions",
        Action::WriteActions(_) => "write_actions",
        Action::WriteMetadata { .. } => "write_metadata",
        Action::GotoTable(_) => "goto_table",
    }
}

/// The list inside of an action, if it has one.
#[must_use]
pub fn nested(action: &Action) -> &[Action] {
    match action {
        Action::Clone(actions) | Action::WriteActions(actions) => actions,
        Action::Ct(ct) => &ct.actions,
        _ => &[],
    }
}

/// Does `found` hold for an action of the list, or of a list inside?
pub fn any(actions: &[Action], found: &impl Fn(&Action) -> bool) -> bool {
    actions.iter().any(|a| found(a) || any(nested(a), found))
}

/// Is there an output to this port?
#[must_use]
pub fn output_to_port(actions: &[Action], port: OfPort) -> bool {
    any(actions, &|a| match a {
        Action::Output { port: p, .. } | Action::Enqueue { port: p, .. } => *p == port,
        Action::Controller(_) => port == OfPort::CONTROLLER,
        _ => false,
    })
}

/// Is there an output to this group?
#[must_use]
pub fn output_to_group(actions: &[Action], group: u32) -> bool {
    any(actions, &|a| matches!(a, Action::Group(g) if *g == group))
}

/// The meter that polices the list, if any.
#[must_use]
pub fn meter(actions: &[Action]) -> Option<u32> {
    actions.iter().find_map(|a| if let Action::Meter(m) = a { Some(*m) } else { None })
}
