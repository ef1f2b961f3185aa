//! Executes OpenFlow actions on a packet's flow. Header changes only change the flow; outputs turn
//! into datapath actions in `output.rs`.

use weir_flow::field::id;
use weir_flow::flow::{FRAG_LATER, VLAN_CFI, VLAN_PCP_MASK, VLAN_VID_MASK, eth_type};
use weir_openflow::actions::action::SetFieldAction;
use weir_openflow::matching::{FieldValue, Subfield};
use weir_openflow::value_text::field::format_field;
use weir_openflow::value_text::number::alt_hex;
use weir_openflow::{Action, OfPort};

use super::credit::CreditEntry;
use super::ctx::{Ctx, XlateError};
use super::output::reason;
use super::recirc::Step;
use super::trace::NodeKind;
use super::{action_set, fields, learn, mpls, select, vlan};

/// Stack items of one packet, besides the limit in bytes.
const MAX_STACK_ITEMS: usize = 65536;

/// Whether a list goes on after an action.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    On,
    /// The rest of this list is skipped (a TTL that ran out, a group that is not there).
    Stop,
    /// The action and the rest are done when the packet has been recirculated.
    Again,
}

impl Ctx<'_> {
    /// Executes a list. `last` says that nothing follows it, so the packet need not survive.
    pub(super) fn run(&mut self, actions: &[Action], last: bool) {
        if actions.is_empty() {
            self.note(NodeKind::Action, || "drop".to_owned());
        }
        for (i, action) in actions.iter().enumerate() {
            if self.error.is_some() {
                return;
            }
            if self.was_mpls && !self.exit && needs_payload(action) {
                self.freeze();
            }
            if self.exit {
                self.put_off(&actions[i..]);
                return;
            }
            self.enter(NodeKind::Action, |ctx| super::text::action(action, ctx.names()));
            let last = last && i + 1 == actions.len() && self.action_set.is_empty();
            let flow = self.one(action, last);
            self.leave();
            match flow {
                Next::On => {}
                Next::Stop => return,
                Next::Again => {
                    self.put_off(&actions[i..]);
                    return;
                }
            }
        }
    }

    /// Stops here: the rest is done when the packet has been recirculated.
    pub(super) fn freeze(&mut self) {
        self.exit = true;
        self.freezing.get_or_insert_default();
    }

    /// Remembers actions that are left to do, if the translation is being frozen.
    fn put_off(&mut self, actions: &[Action]) {
        let Some(rest) = &mut self.freezing else { return };
        rest.push(Step {
            table_id: self.table_id,
            cookie: self.origin.cookie,
            table_miss: self.origin.table_miss,
            actions: actions.to_vec(),
        });
    }

    fn one(&mut self, action: &Action, last: bool) -> Next {
        match action {
            // Output
            Action::Output { port, max_len } => self.output(*port, *max_len, true, last),
            Action::Controller(c) => self.controller(c),
            Action::Enqueue { port, queue } => self.enqueue(*port, *queue, last),
            Action::OutputReg { src, max_len } => self.output_reg(src, *max_len, last),
            Action::OutputTrunc { port, max_len } => self.output_trunc(*port, *max_len, last),
            Action::Group(id) => return self.group(*id, last),
            Action::Bundle(b) => {
                let port = select::bundle(b, &self.flow, &mut self.wc, &self.bridge.ports);
                match &b.dst {
                    Some(dst) => {
                        self.load(dst, u128::from(port.0));
                        self.report_subfield(dst);
                    }
                    None => self.output(port, 0, false, last),
                }
            }

            // Header changes
            Action::SetField(f) => self.set_field(f),
            Action::RegMove { src, dst, .. } => self.reg_move(src, dst),
            Action::SetVlanVid(v) => {
                self.set_tci(VLAN_VID_MASK, v.value, v.push_vlan_if_needed);
            }
            Action::SetVlanPcp(v) => {
                self.set_tci(VLAN_PCP_MASK, u16::from(v.value) << 13, v.push_vlan_if_needed);
            }
            Action::StripVlan { .. } => vlan::pop(&mut self.flow, &mut self.wc),
            Action::PushVlan { ethertype } => {
                let tag = vlan::tag(*ethertype, VLAN_CFI);
                vlan::push(&mut self.flow, &mut self.wc, tag);
            }
            Action::SetEthSrc(mac) => {
                self.wc.0.dl_src = [0xff; 6];
                self.flow.dl_src = *mac;
            }
            Action::SetEthDst(mac) => {
                self.wc.0.dl_dst = [0xff; 6];
                self.flow.dl_dst = *mac;
            }
            Action::SetIpv4Src(ip) => self.set_ipv4(id::NW_SRC, u32::from(*ip)),
            Action::SetIpv4Dst(ip) => self.set_ipv4(id::NW_DST, u32::from(*ip)),
            Action::SetIpDscp(tos) => self.set_tos(0xfc, *tos),
            Action::SetIpEcn(ecn) => self.set_tos(0x03, *ecn),
            Action::SetIpTtl(ttl) => {
                if self.flow.is_ip_any() {
                    self.wc.0.nw_proto = 0xff;
                    self.wc.0.nw_ttl = 0xff;
                    self.flow.nw_ttl = *ttl;
                }
            }
            Action::SetL4SrcPort(p) => self.set_port(true, p.port),
            Action::SetL4DstPort(p) => self.set_port(false, p.port),
            Action::DecTtl { controller_ids } => return self.dec_ttl(controller_ids),
            Action::SetMplsLabel(label) => self.set_label(id::MPLS_LABEL, u128::from(*label)),
            Action::SetMplsTc(tc) => self.set_label(id::MPLS_TC, u128::from(*tc)),
            Action::SetMplsTtl(ttl) => self.set_label(id::MPLS_TTL, u128::from(*ttl)),
            Action::DecMplsTtl => return self.dec_mpls_ttl(),
            Action::PushMpls { ethertype } => self.push_mpls(*ethertype),
            Action::PopMpls { ethertype } => self.pop_mpls(*ethertype),

            // Metadata
            Action::SetTunnel { id, .. } => self.flow.tun_id = (*id).into(),
            Action::SetQueue(queue) => {
                self.wc.0.skb_priority = u32::MAX.into();
                self.flow.skb_priority = (*queue).into();
            }
            Action::PopQueue => {
                self.wc.0.skb_priority = u32::MAX.into();
                let queue = self.original_priority;
                if self.flow.skb_priority.get() != queue {
                    self.flow.skb_priority = queue.into();
                    self.note(NodeKind::Detail, || format!("queue = {}", alt_hex(queue.into())));
                }
            }
            Action::FinTimeout { idle, hard } => self.fin_timeout(*idle, *hard),
            Action::WriteMetadata { metadata, mask } => {
                let old = self.flow.metadata.get();
                self.flow.metadata = (old & !mask | metadata & mask).into();
            }

            // Flow of control
            Action::Resubmit { in_port, table_id, .. } => {
                let port = if *in_port == OfPort::IN_PORT { self.in_port() } else { *in_port };
                let table = if *table_id == 255 { self.table_id } else { *table_id };
                self.table(port, table, false, last, Self::run);
            }
            Action::GotoTable(table) => {
                self.table(self.in_port(), *table, true, last, Self::run);
            }
            Action::Learn(l) => self.learn(l),
            Action::Multipath(m) => {
                let link = select::multipath(m, &self.flow, &mut self.wc);
                self.load(&m.dst, u128::from(link));
                self.report_subfield(&m.dst);
            }
            Action::Exit => self.exit = true,
            Action::Clone(list) => self.clone_packet(list, last),
            Action::StackPush(sub) => self.push_stack(sub),
            Action::StackPop(sub) => self.pop_stack(sub),
            Action::ClearActions => {
                self.report_action_set("was");
                self.action_set.clear();
                self.flow.actset_output = u32::from(OfPort::UNSET.0).into();
            }
            Action::WriteActions(list) => self.write_actions(list),
            Action::DebugRecirc => {
                self.freeze();
                // The actions behind this one are put off by the loop.
            }

            // Nothing to do while a packet passes: a comment; a marker for the classifier; samples,
            // whose collectors are not configured.
            Action::Note(_)
            | Action::Conjunction { .. }
            | Action::Sample(_)
            | Action::DebugSlow => {}

            // Refused when a flow with them is added (`flow_mod/check.rs`).
            Action::Meter(_)
            | Action::Ct(_)
            | Action::Nat(_)
            | Action::CtClear
            | Action::CheckPktLarger { .. }
            | Action::Encap(_)
            | Action::Decap { .. }
            | Action::DecNshTtl
            | Action::DeleteField(_) => {
                self.error = Some(XlateError::UnsupportedPacketType);
            }
        }
        Next::On
    }

    fn set_field(&mut self, f: &SetFieldAction) {
        let field = f.field.field();
        if !fields::prerequisites(field, &self.flow, &mut self.wc) {
            self.note(NodeKind::Warning, || {
                format!("unmet prerequisites for {}, set_field ignored", field.name)
            });
            return;
        }
        let mask = f.mask.as_u128();
        self.examine_network(f.field);
        fields::examine(field, &mut self.wc, mask);
        fields::write_masked(field, &mut self.flow, &mut self.wc, f.value.as_u128(), mask);
    }

    /// Network fields are only written to packets that have a protocol, so it is looked at.
    fn examine_network(&mut self, field: weir_flow::FieldId) {
        use weir_flow::field::Prereq;
        if matches!(field.field().prereq, Prereq::Arp | Prereq::Ipv4 | Prereq::Ipv6 | Prereq::IpAny)
        {
            self.wc.0.nw_proto = 0xff;
        }
    }

    /// Writes a number that the switch computed.
    fn load(&mut self, dst: &Subfield, value: u128) {
        if fields::prerequisites(dst.field.field(), &self.flow, &mut self.wc) {
            fields::examine_sub(dst, &mut self.wc);
            fields::write(dst, &mut self.flow, &mut self.wc, value);
        }
    }

    fn reg_move(&mut self, src: &Subfield, dst: &Subfield) {
        let (from, to) = (src.field.field(), dst.field.field());
        if !fields::prerequisites(to, &self.flow, &mut self.wc)
            || !fields::prerequisites(from, &self.flow, &mut self.wc)
        {
            return;
        }
        fields::examine(to, &mut self.wc, to.all_ones());
        fields::examine(from, &mut self.wc, from.all_ones());
        let value = fields::read(src, &self.flow);
        fields::write(dst, &mut self.flow, &mut self.wc, value);
        self.report_subfield(dst);
    }

    fn report_subfield(&mut self, sub: &Subfield) {
        if self.trace.is_none() {
            return;
        }
        let value = fields::read(sub, &self.flow);
        let field = sub.field.field();
        let text = if sub.is_whole() {
            format_field(field, &FieldValue::of(field, value), None, None)
        } else {
            alt_hex(value)
        };
        self.note(NodeKind::Detail, || format!("{sub} is now {text}"));
    }

    fn push_stack(&mut self, sub: &Subfield) {
        if self.stack.len() >= MAX_STACK_ITEMS {
            self.fail(XlateError::StackTooDeep, || "stack too deep".to_owned());
            return;
        }
        fields::examine_sub(sub, &mut self.wc);
        let item = fields::value_of(sub, fields::read(sub, &self.flow));
        self.stack_bytes += item.len() + 1;
        self.stack.push(item);
    }

    fn pop_stack(&mut self, sub: &Subfield) {
        let Some(item) = self.stack.pop() else {
            self.note(NodeKind::Warning, || "stack underflow".to_owned());
            return;
        };
        self.stack_bytes -= item.len() + 1;
        self.load(sub, item.as_u128());
        self.report_subfield(sub);
    }

    fn set_tci(&mut self, mask: u16, value: u16, push: bool) {
        let old = self.flow.vlans[0];
        self.wc.0.vlans[0].tci = (self.wc.0.vlans[0].tci.get() | mask | VLAN_CFI).into();
        if old.tci.get() & VLAN_CFI == 0 && !push {
            return;
        }
        let tpid = if old.tpid.get() == 0 { eth_type::VLAN_8021Q } else { old.tpid.get() };
        let tci = old.tci.get() & !mask | value & mask | VLAN_CFI;
        self.flow.vlans[0] = vlan::tag(tpid, tci);
    }

    fn set_ipv4(&mut self, field: weir_flow::FieldId, value: u32) {
        if self.flow.dl_type.get() == eth_type::IPV4 {
            self.wc.0.nw_proto = 0xff;
            fields::examine(field.field(), &mut self.wc, u128::from(u32::MAX));
            field.field().set(&mut self.flow, u128::from(value));
        }
    }

    fn set_tos(&mut self, mask: u8, value: u8) {
        if self.flow.is_ip_any() {
            self.wc.0.nw_proto = 0xff;
            self.wc.0.nw_tos |= mask;
            self.flow.nw_tos = self.flow.nw_tos & !mask | value & mask;
        }
    }

    fn set_port(&mut self, source: bool, port: u16) {
        if !self.flow.is_ip_any() || self.flow.nw_frag & FRAG_LATER != 0 {
            return;
        }
        self.wc.0.nw_proto = 0xff;
        if source {
            self.wc.0.tp_src = u16::MAX.into();
            self.flow.tp_src = port.into();
        } else {
            self.wc.0.tp_dst = u16::MAX.into();
            self.flow.tp_dst = port.into();
        }
    }

    fn dec_ttl(&mut self, controllers: &[u16]) -> Next {
        if !self.flow.is_ip_any() {
            return Next::On;
        }
        self.wc.0.nw_proto = 0xff;
        self.wc.0.nw_ttl = 0xff;
        if self.flow.nw_ttl > 1 {
            self.flow.nw_ttl -= 1;
            return Next::On;
        }
        let default = [0];
        let ids = if controllers.is_empty() { &default } else { controllers };
        for id in ids {
            self.packet_in(u16::MAX, reason::INVALID_TTL, *id, Vec::new(), None);
        }
        let family = if self.flow.dl_type.get() == eth_type::IPV4 { 4 } else { 6 };
        self.note(NodeKind::Warning, || format!("IPv{family} decrement TTL exception"));
        Next::Stop
    }

    fn set_label(&mut self, field: weir_flow::FieldId, value: u128) {
        mpls::set_outermost(field.field(), &mut self.flow, &mut self.wc, value);
    }

    fn dec_mpls_ttl(&mut self) -> Next {
        if !mpls::is_mpls(self.flow.dl_type.get()) {
            return Next::On;
        }
        let field = id::MPLS_TTL.field();
        let ttl = field.get(&self.flow);
        if ttl > 1 {
            mpls::set_outermost(field, &mut self.flow, &mut self.wc, ttl - 1);
            return Next::On;
        }
        field.set(&mut self.wc.0, field.all_ones());
        self.packet_in(u16::MAX, reason::INVALID_TTL, 0, Vec::new(), None);
        self.note(NodeKind::Warning, || "MPLS decrement TTL exception".to_owned());
        Next::Stop
    }

    fn push_mpls(&mut self, ethertype: u16) {
        let n = mpls::count(&self.flow, Some(&mut self.wc));
        if n == 0 {
            self.commit();
        } else if n >= weir_flow::flow::MAX_MPLS_LABELS {
            self.fail(XlateError::TooManyMplsLabels, || {
                "dropping packet on which an MPLS push action can't be performed as it would \
                 have more MPLS LSEs than the 3 supported."
                    .to_owned()
            });
            return;
        }
        mpls::push(&mut self.flow, n, ethertype, &mut self.wc);
    }

    fn pop_mpls(&mut self, ethertype: u16) {
        if self.flow.mpls_lse != self.base.mpls_lse {
            // What was written to the label is gone with it, but whether there was one is not known.
            self.wc.0.mpls_lse = [u32::MAX.into(); weir_flow::flow::MAX_MPLS_LABELS];
        }
        let n = mpls::count(&self.flow, Some(&mut self.wc));
        if mpls::pop(&mut self.flow, n, ethertype, &mut self.wc) {
            if !mpls::is_mpls(ethertype) {
                self.was_mpls = true;
            }
        } else if n >= weir_flow::flow::MAX_MPLS_LABELS {
            self.fail(XlateError::TooManyMplsLabels, || {
                "dropping packet on which an MPLS pop action can't be performed as it has more \
                 MPLS LSEs than the 3 supported."
                    .to_owned()
            });
            self.out.clear();
        }
    }

    fn fin_timeout(&mut self, idle: u16, hard: u16) {
        let Some(rule) = &self.rule else { return };
        let stats = rule.stats.clone();
        if self.env.side_effects && self.flow.nw_proto == 6 && self.flow.tcp_flags.get() & 5 != 0 {
            stats.reduce_timeouts(idle, hard);
        }
        self.credits.push(CreditEntry::FinTimeout { stats, idle, hard });
    }

    fn learn(&mut self, action: &weir_openflow::actions::action::LearnAction) {
        let learned = learn::execute(action, self.bridge.id, &self.flow, &mut self.wc);
        let learned = std::sync::Arc::new(learned);
        if self.env.teaches() {
            self.env.learner.learn(&learned, self.env.now_ms);
        } else if !self.env.packet_out {
            self.note(NodeKind::Warning, || {
                "suppressing side effects, so learn action ignored".to_owned()
            });
        }
        if let Some(dst) = &action.result_dst {
            // Learning does not wait for the table, so success is what can be foreseen: the limit
            // is not reached yet.
            let room = action.limit == 0 || self.env.learner.has_room(&learned);
            self.load(dst, u128::from(room));
        }
        let sink = self.env.learner.clone();
        self.credits.push(CreditEntry::Learn { sink, learned });
    }

    fn write_actions(&mut self, list: &[Action]) {
        for action in list {
            match action {
                Action::Output { port, .. } if !self.action_set_has_group() => {
                    self.flow.actset_output = u32::from(port.0).into();
                }
                // A group takes the place of any output.
                Action::Group(_) => {
                    self.flow.actset_output = u32::from(OfPort::UNSET.0).into();
                }
                _ => {}
            }
            self.action_set.push(action.clone());
        }
        self.report_action_set("is");
    }

    fn action_set_has_group(&self) -> bool {
        self.action_set.iter().any(|a| matches!(a, Action::Group(_)))
    }

    fn report_action_set(&mut self, verb: &str) {
        if self.trace.is_some() {
            let ordered = action_set::ordered(&self.action_set);
            let text = super::text::actions(&ordered, self.names());
            self.note(NodeKind::Detail, || format!("action set {verb}: {text}"));
        }
    }

    /// Executes the action set, at the end of a pipeline.
    pub(super) fn finish_action_set(&mut self) {
        if self.exit && self.freezing.is_some() {
            return;
        }
        let ordered = action_set::ordered(&self.action_set);
        self.action_set.clear();
        if ordered.is_empty() {
            return;
        }
        self.enter(NodeKind::Table, |_| "--. Executing action set:".to_owned());
        self.in_action_set = true;
        let in_bucket = std::mem::take(&mut self.in_bucket);
        // After `exit` nothing of it is executed.
        self.run(&ordered, true);
        self.in_action_set = false;
        self.in_bucket = in_bucket;
        self.leave();
    }

    /// Executes actions on a copy of the packet and the pipeline's state.
    pub(super) fn clone_packet(&mut self, actions: &[Action], last: bool) {
        let flow = self.flow;
        let stack = self.stack.clone();
        let stack_bytes = self.stack_bytes;
        // The clone has the action set so far, and executes it. Its `exit` ends everything.
        let action_set = self.action_set.clone();
        let was_mpls = self.was_mpls;
        self.run_clone(actions, last);
        self.flow = flow;
        self.stack = stack;
        self.stack_bytes = stack_bytes;
        self.action_set = action_set;
        self.was_mpls = was_mpls;
    }

    /// Executes actions whose effect on the packet must not be seen by what follows: with a
    /// datapath `clone` where the datapath could not undo it.
    pub(super) fn run_clone(&mut self, actions: &[Action], last: bool) {
        if last || actions.iter().all(is_reversible) {
            let flow = self.flow;
            self.run(actions, last);
            self.finish_pipeline();
            self.flow = flow;
            return;
        }
        self.commit();
        let base = self.base;
        let was_mpls = self.was_mpls;
        let outer = std::mem::take(&mut self.out);
        self.run(actions, true);
        self.finish_pipeline();
        let inner = std::mem::replace(&mut self.out, outer);
        if !inner.is_empty() {
            self.out.push(weir_flow::action::Action::Clone(inner.into()));
        }
        self.base = base;
        self.was_mpls = was_mpls;
    }

    /// The end of a pipeline: the action set, or recirculation.
    pub(super) fn finish_pipeline(&mut self) {
        if self.error.is_some() {
            return;
        }
        if self.freezing.is_none() {
            self.finish_action_set();
        }
        if self.freezing.is_some() {
            self.finish_freezing();
            // What was put off is not ended: if this was a clone, the packet goes on.
            self.exit = false;
        }
    }
}

/// Can the datapath undo what the action did to the packet, by setting header fields back?
fn is_reversible(action: &Action) -> bool {
    !matches!(
        action,
        Action::Ct(_)
            | Action::Meter(_)
            | Action::Nat(_)
            | Action::OutputTrunc { .. }
            | Action::Encap(_)
            | Action::Decap { .. }
            | Action::DecNshTtl
            | Action::CheckPktLarger { .. }
    )
}

/// Does the action need headers that a popped label has uncovered? Those that only send the packet
/// on, or change what is in front of the network header, do not.
fn needs_payload(action: &Action) -> bool {
    match action {
        Action::Output { .. }
        | Action::OutputTrunc { .. }
        | Action::Enqueue { .. }
        | Action::OutputReg { .. }
        | Action::SetVlanVid(_)
        | Action::SetVlanPcp(_)
        | Action::SetEthSrc(_)
        | Action::SetEthDst(_)
        | Action::SetTunnel { .. }
        | Action::SetQueue(_)
        | Action::Group(_) => false,
        Action::SetField(f) => {
            use weir_flow::field::Prereq;
            !matches!(f.field.field().prereq, Prereq::None | Prereq::Ethernet | Prereq::VlanVid)
        }
        _ => true,
    }
}
