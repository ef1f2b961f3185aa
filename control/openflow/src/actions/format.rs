//! The text of actions and instructions, as `ovs-ofctl dump-flows` prints it.

use std::fmt;

use super::family::{
    conntrack, controller, encap, fields, hash, learn, nat, output, pipeline, resubmit, sample,
    set_field,
};
use super::{Action, inspect};
use crate::ofp_port::{NameMap, quote};
use crate::value_text::address::format_mac;
use crate::value_text::number::{alt_hex, dotted_hex};

/// The names that a text may use.
#[derive(Clone, Copy, Debug, Default)]
pub struct Names<'a> {
    /// Names of ports.
    pub ports: Option<&'a NameMap>,
    /// Names of tables.
    pub tables: Option<&'a NameMap>,
}

impl Names<'_> {
    /// The name or the number of a table.
    #[must_use]
    pub fn table(&self, table: u8) -> String {
        match self.tables.and_then(|t| t.name(table.into())) {
            Some(name) => quote(name),
            None => table.to_string(),
        }
    }

    /// Does the table have a name?
    #[must_use]
    pub fn has_table(&self, table: u8) -> bool {
        self.tables.is_some_and(|t| t.name(table.into()).is_some())
    }

    /// The name or the number of a port.
    #[must_use]
    pub fn port(&self, port: crate::ofp_port::OfPort) -> String {
        port.display(self.ports).to_string()
    }
}

/// A list as text; an empty one is `drop`.
#[must_use]
pub fn display<'a>(actions: &'a [Action], names: Names<'a>) -> ActionsText<'a> {
    ActionsText { actions, names }
}

/// See [`display`].
#[derive(Debug)]
pub struct ActionsText<'a> {
    actions: &'a [Action],
    names: Names<'a>,
}

impl fmt::Display for ActionsText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.actions.is_empty() {
            return f.write_str("drop");
        }
        for (i, action) in self.actions.iter().enumerate() {
            if i > 0 {
                f.write_str(",")?;
            }
            write_action(f, action, self.names)?;
        }
        Ok(())
    }
}

fn write_action(f: &mut fmt::Formatter<'_>, action: &Action, names: Names<'_>) -> fmt::Result {
    match action {
        Action::Output { port, max_len } => output::format(f, *port, *max_len, names),
        Action::Group(id) => write!(f, "group:{id}"),
        Action::Controller(c) => controller::format(f, c),
        Action::Enqueue { port, queue } => write!(f, "enqueue:{}:{queue}", names.port(*port)),
        Action::OutputReg { src, .. } => write!(f, "output:{src}"),
        Action::OutputTrunc { port, max_len } => {
            write!(f, "output(port={},max_len={max_len})", names.port(*port))
        }
        Action::Bundle(b) => hash::format_bundle(f, b, names),
        Action::SetField(sf) => set_field::format(f, sf, names),
        Action::RegMove { src, dst, .. } => write!(f, "move:{src}->{dst}"),
        Action::SetVlanVid(a) => {
            let name = if a.push_vlan_if_needed { "mod_vlan_vid" } else { "set_vlan_vid" };
            write!(f, "{name}:{}", a.value)
        }
        Action::SetVlanPcp(a) => {
            let name = if a.push_vlan_if_needed { "mod_vlan_pcp" } else { "set_vlan_pcp" };
            write!(f, "{name}:{}", a.value)
        }
        Action::StripVlan { of11 } => f.write_str(if *of11 { "pop_vlan" } else { "strip_vlan" }),
        Action::PushVlan { ethertype } => write!(f, "push_vlan:{ethertype:#x}"),
        Action::SetEthSrc(mac) => write!(f, "mod_dl_src:{}", format_mac(*mac)),
        Action::SetEthDst(mac) => write!(f, "mod_dl_dst:{}", format_mac(*mac)),
        Action::SetIpv4Src(ip) => write!(f, "mod_nw_src:{ip}"),
        Action::SetIpv4Dst(ip) => write!(f, "mod_nw_dst:{ip}"),
        Action::SetIpDscp(tos) => write!(f, "mod_nw_tos:{tos}"),
        Action::SetIpEcn(ecn) => write!(f, "mod_nw_ecn:{ecn}"),
        Action::SetIpTtl(ttl) => write!(f, "mod_nw_ttl:{ttl}"),
        Action::SetL4SrcPort(p) => write!(f, "mod_tp_src:{}", p.port),
        Action::SetL4DstPort(p) => write!(f, "mod_tp_dst:{}", p.port),
        Action::DecTtl { controller_ids } => {
            f.write_str("dec_ttl")?;
            if controller_ids.is_empty() {
                return Ok(());
            }
            let ids: Vec<_> = controller_ids.iter().map(u16::to_string).collect();
            write!(f, "({})", ids.join(","))
        }
        Action::SetMplsLabel(label) => write!(f, "set_mpls_label({label})"),
        Action::SetMplsTc(tc) => write!(f, "set_mpls_tc({tc})"),
        Action::SetMplsTtl(ttl) => write!(f, "set_mpls_ttl({ttl})"),
        Action::PushMpls { ethertype } => write!(f, "push_mpls:0x{ethertype:04x}"),
        Action::PopMpls { ethertype } => write!(f, "pop_mpls:0x{ethertype:04x}"),
        Action::Encap(e) => encap::format(f, e),
        Action::Decap { new_packet_type } => encap::format_decap(f, *new_packet_type),
        Action::DeleteField(field) => write!(f, "delete_field:{}", field.field().name),
        Action::SetTunnel { id, wide } => {
            let suffix = if *wide || u32::try_from(*id).is_err() { "64" } else { "" };
            write!(f, "set_tunnel{suffix}:{}", alt_hex((*id).into()))
        }
        Action::SetQueue(queue) => write!(f, "set_queue:{queue}"),
        Action::FinTimeout { idle, hard } => pipeline::format_fin_timeout(f, *idle, *hard),
        Action::Resubmit { in_port, table_id, form } => {
            resubmit::format(f, *in_port, *table_id, *form, names)
        }
        Action::Learn(l) => learn::format(f, l, names),
        Action::Conjunction { id, clause, n_clauses } => {
            write!(f, "conjunction({id},{}/{n_clauses})", u16::from(*clause) + 1)
        }
        Action::Multipath(m) => hash::format_multipath(f, m),
        Action::Note(note) => write!(f, "note:{}", dotted_hex(note)),
        Action::Sample(s) => sample::format(f, s, names),
        Action::Ct(ct) => conntrack::format(f, ct, names),
        Action::Nat(n) => nat::format(f, n),
        Action::Clone(actions) => write!(f, "clone({})", display(actions, names)),
        Action::CheckPktLarger { pkt_len, dst } => {
            fields::format_check_pkt_larger(f, *pkt_len, dst)
        }
        Action::StackPush(subfield) => write!(f, "push:{subfield}"),
        Action::StackPop(subfield) => write!(f, "pop:{subfield}"),
        Action::Meter(id) => write!(f, "meter:{id}"),
        Action::WriteActions(actions) => write!(f, "write_actions({})", display(actions, names)),
        Action::WriteMetadata { metadata, mask } => {
            write!(f, "write_metadata:{}", alt_hex((*metadata).into()))?;
            if *mask == u64::MAX { Ok(()) } else { write!(f, "/{}", alt_hex((*mask).into())) }
        }
        Action::GotoTable(table) => write!(f, "goto_table:{}", names.table(*table)),
        Action::DecMplsTtl
        | Action::DecNshTtl
        | Action::PopQueue
        | Action::Exit
        | Action::CtClear
        | Action::DebugRecirc
        | Action::DebugSlow
        | Action::ClearActions => f.write_str(inspect::name(action)),
    }
}
