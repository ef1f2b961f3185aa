//! Consistency of actions with the match of their flow (OpenFlow 1.1 sections 4.6 and 5.12).

use weir_flow::flow::{FRAG_LATER, MAX_VLANS, PT_ETH, VLAN_CFI, eth_type, ip_proto};

use super::Action;
use super::action::ResubmitForm;
use super::family::{conntrack, learn, nat, set_field};
use crate::matching::Match;
use crate::matching::prerequisites::{dl_type, is_ct_valid, is_mpls};
use crate::ofp_errors::OfpError;
use crate::ofp_port::OfPort;
use crate::protocol::Protocols;

/// What actions are checked against. The match is changed while the check goes on, as the actions
/// would change a packet, and is as before afterwards.
#[derive(Clone, Debug)]
pub struct CheckContext {
    /// The flow's match.
    pub matched: Match,
    /// The switch's ports are numbered below this.
    pub max_ports: OfPort,
    /// The flow's table; 255 when it is not known.
    pub table_id: u8,
    /// Number of tables; 255 when it is not known.
    pub n_tables: u8,
    /// Formats that accept the actions with this match. Only OpenFlow 1.0 accepts, say, setting a
    /// TCP port of what may not be TCP.
    pub usable: Protocols,
}

impl CheckContext {
    /// For a flow with this match in this table.
    #[must_use]
    pub fn new(matched: Match, table_id: u8) -> Self {
        Self { matched, max_ports: OfPort::MAX, table_id, n_tables: 255, usable: Protocols::ANY }
    }

    /// Only OpenFlow 1.0 accepts actions that may not apply to what is matched.
    fn require(&mut self, consistent: bool) {
        if !consistent {
            self.usable &= Protocols::OF10_ANY;
        }
    }

    pub(crate) fn dl_type(&self) -> u16 {
        dl_type(&self.matched.flow)
    }

    pub(crate) fn is_ip(&self) -> bool {
        matches!(self.dl_type(), eth_type::IPV4 | eth_type::IPV6)
    }

    fn is_ethernet(&self) -> bool {
        self.matched.flow.packet_type.get() == PT_ETH
    }

    fn has_vlan(&self) -> bool {
        self.matched.flow.vlans[0].tci.get() & VLAN_CFI != 0
    }

    fn set_vlan(&mut self) {
        let tci = self.matched.flow.vlans[0].tci.get() | VLAN_CFI;
        self.matched.flow.vlans[0].tci = tci.into();
    }
}

/// Checks a list of actions against a match, and notes in some actions what later encodings need to
/// know about the match. `cx.usable` says afterwards which formats accept them.
///
/// # Errors
/// `OFPBAC_*`, `OFPBIC_BAD_TABLE_ID`, `OFPMMFC_INVALID_METER`: no version accepts them.
pub fn check_actions(actions: &mut [Action], cx: &mut CheckContext) -> Result<(), OfpError> {
    let before = cx.matched.flow;
    cx.usable = Protocols::ANY;
    let result = actions.iter_mut().try_for_each(|a| check_action(a, cx));
    cx.matched.flow = before;
    result
}

/// Like [`check_actions`] for a message of one format, which must accept the actions.
///
/// # Errors
/// As [`check_actions`], and `OFPBAC_MATCH_INCONSISTENT`.
pub fn check_consistency(
    actions: &mut [Action],
    needed: Protocols,
    cx: &mut CheckContext,
) -> Result<(), OfpError> {
    check_actions(actions, cx)?;
    if cx.usable.contains(needed) { Ok(()) } else { Err(OfpError::OFPBAC_MATCH_INCONSISTENT) }
}

/// Checks a list inside of another action; what is found about formats counts for the whole.
pub(crate) fn check_sub_list(
    actions: &mut [Action],
    cx: &mut CheckContext,
) -> Result<(), OfpError> {
    let mut sub = cx.clone();
    let result = check_actions(actions, &mut sub);
    cx.usable &= sub.usable;
    result
}

/// Is it a port that an output can have?
pub(crate) fn check_output_port(port: OfPort, max_ports: OfPort) -> Result<(), OfpError> {
    match port {
        OfPort::IN_PORT
        | OfPort::TABLE
        | OfPort::NORMAL
        | OfPort::FLOOD
        | OfPort::ALL
        | OfPort::CONTROLLER
        | OfPort::LOCAL => Ok(()),
        OfPort::NONE => Err(OfpError::OFPBAC_BAD_OUT_PORT),
        port if port < max_ports => Ok(()),
        _ => Err(OfpError::OFPBAC_BAD_OUT_PORT),
    }
}

/// Is it a port that a queue can belong to?
pub(crate) fn check_queue_port(port: OfPort, max_ports: OfPort) -> Result<(), OfpError> {
    if port < max_ports || matches!(port, OfPort::IN_PORT | OfPort::LOCAL) {
        Ok(())
    } else {
        Err(OfpError::OFPBAC_BAD_OUT_PORT)
    }
}

fn check_action(action: &mut Action, cx: &mut CheckContext) -> Result<(), OfpError> {
    match action {
        Action::Output { port, .. } | Action::OutputTrunc { port, .. } => {
            return check_output_port(*port, cx.max_ports);
        }
        Action::Enqueue { port, .. } => return check_queue_port(*port, cx.max_ports),
        Action::OutputReg { src, .. } | Action::StackPush(src) => {
            return src.check_src(Some(&cx.matched));
        }
        Action::StackPop(dst) => return dst.check_dst(Some(&cx.matched)),
        Action::Multipath(multipath) => return multipath.dst.check_dst(Some(&cx.matched)),
        Action::Bundle(bundle) => {
            if let Some(dst) = &bundle.dst {
                dst.check_dst(Some(&cx.matched))?;
            }
            let max = cx.max_ports;
            let is_member = |m: &OfPort| *m < max || matches!(*m, OfPort::NONE | OfPort::LOCAL);
            if !bundle.members.iter().all(is_member) {
                return Err(OfpError::OFPBAC_BAD_OUT_PORT);
            }
        }
        Action::SetField(sf) => return set_field::check(sf, cx),
        Action::RegMove { src, dst, .. } => {
            src.check_src(Some(&cx.matched))?;
            return dst.check_dst(Some(&cx.matched));
        }
        Action::SetIpv4Src(_) | Action::SetIpv4Dst(_) => {
            cx.require(cx.dl_type() == eth_type::IPV4);
        }
        Action::SetIpDscp(_)
        | Action::SetIpEcn(_)
        | Action::SetIpTtl(_)
        | Action::DecTtl { .. } => cx.require(cx.is_ip()),
        Action::SetL4SrcPort(a) | Action::SetL4DstPort(a) => {
            let flow = &cx.matched.flow;
            let ports = matches!(flow.nw_proto, ip_proto::TCP | ip_proto::UDP | ip_proto::SCTP);
            a.flow_ip_proto = flow.nw_proto;
            cx.require(cx.is_ip() && flow.nw_frag & FRAG_LATER == 0 && ports);
        }
        Action::SetMplsLabel(_)
        | Action::SetMplsTc(_)
        | Action::SetMplsTtl(_)
        | Action::DecMplsTtl => cx.require(is_mpls(cx.dl_type())),
        Action::DecNshTtl => cx.require(cx.dl_type() == eth_type::NSH),
        Action::DeleteField(field) => {
            if !matches!(field.field().place, weir_flow::field::Place::TunMetadata) {
                return Err(OfpError::OFPBAC_BAD_ARGUMENT);
            }
        }
        Action::FinTimeout { .. } => cx.require(cx.matched.flow.nw_proto == ip_proto::TCP),
        Action::Resubmit { form: ResubmitForm::TableCt, .. } => {
            if !is_ct_valid(&cx.matched.flow, Some(&cx.matched.mask.0)) {
                return Err(OfpError::OFPBAC_MATCH_INCONSISTENT);
            }
        }
        Action::Learn(l) => return learn::check(l, &cx.matched),
        Action::Ct(ct) => return conntrack::check(ct, cx),
        Action::Nat(n) => return nat::check(n, cx),
        Action::Clone(actions) => return check_sub_list(actions, cx),
        // The order in which an action set is executed is not that of the list.
        Action::WriteActions(actions) => return check_actions(actions, &mut cx.clone()),
        Action::Meter(id) => {
            const OFPM_MAX: u32 = 0xffff_0000;
            if *id == 0 || *id > OFPM_MAX {
                return Err(OfpError::OFPMMFC_INVALID_METER);
            }
        }
        Action::GotoTable(table) => {
            let backwards = cx.table_id != 255 && *table <= cx.table_id;
            let beyond = cx.n_tables != 255 && *table >= cx.n_tables;
            if backwards || beyond {
                return Err(OfpError::OFPBIC_BAD_TABLE_ID);
            }
        }
        Action::SetVlanVid(_)
        | Action::SetVlanPcp(_)
        | Action::StripVlan { .. }
        | Action::PushVlan { .. }
        | Action::PushMpls { .. }
        | Action::PopMpls { .. }
        | Action::Encap(_)
        | Action::Decap { .. } => return check_layers(action, cx),
        Action::Group(_)
        | Action::Controller(_)
        | Action::SetEthSrc(_)
        | Action::SetEthDst(_)
        | Action::SetTunnel { .. }
        | Action::SetQueue(_)
        | Action::PopQueue
        | Action::Resubmit { .. }
        | Action::Conjunction { .. }
        | Action::Note(_)
        | Action::Exit
        | Action::Sample(_)
        | Action::CtClear
        | Action::CheckPktLarger { .. }
        | Action::DebugRecirc
        | Action::DebugSlow
        | Action::ClearActions
        | Action::WriteMetadata { .. } => {}
    }
    Ok(())
}

/// Actions that add or remove headers: what follows them sees another packet.
fn check_layers(action: &mut Action, cx: &mut CheckContext) -> Result<(), OfpError> {
    match action {
        Action::SetVlanVid(a) => {
            a.flow_has_vlan = cx.has_vlan();
            cx.require(a.flow_has_vlan || a.push_vlan_if_needed);
            cx.set_vlan();
        }
        Action::SetVlanPcp(a) => {
            a.flow_has_vlan = cx.has_vlan();
            cx.require(a.flow_has_vlan || a.push_vlan_if_needed);
            cx.set_vlan();
        }
        Action::StripVlan { .. } => {
            cx.require(cx.has_vlan());
            let vlans = &mut cx.matched.flow.vlans;
            vlans.rotate_left(1);
            vlans[MAX_VLANS - 1] = Default::default();
        }
        Action::PushVlan { .. } => {
            let vlans = &mut cx.matched.flow.vlans;
            if vlans[MAX_VLANS - 1].tci.get() & VLAN_CFI != 0 {
                return Err(OfpError::OFPBAC_BAD_TAG);
            }
            vlans.rotate_right(1);
            vlans[0] = Default::default();
            cx.set_vlan();
        }
        Action::PushMpls { ethertype } => {
            cx.require(cx.is_ethernet());
            cx.matched.flow.dl_type = (*ethertype).into();
            // What is inside of MPLS is not known any more.
            cx.matched.flow.nw_proto = 0;
        }
        Action::PopMpls { ethertype } => {
            cx.require(cx.is_ethernet() && is_mpls(cx.dl_type()));
            cx.matched.flow.dl_type = (*ethertype).into();
        }
        Action::Encap(e) => {
            let flow = &mut cx.matched.flow;
            flow.packet_type = e.new_packet_type.into();
            if e.new_packet_type >> 16 == 1 {
                flow.dl_type = u16::try_from(e.new_packet_type & 0xffff).unwrap_or(0).into();
            }
            if !cx.is_ip() {
                cx.matched.flow.nw_proto = 0;
            }
        }
        Action::Decap { .. } => {
            let flow = &mut cx.matched.flow;
            if flow.packet_type.get() == PT_ETH {
                flow.packet_type = (1 << 16 | u32::from(flow.dl_type.get())).into();
            } else {
                // Known only once a packet is decapsulated.
                flow.packet_type = u32::MAX.into();
                flow.dl_type = u16::MAX.into();
            }
        }
        _ => {}
    }
    Ok(())
}
