//! Outputs: to ports, through patch ports into other bridges, to controllers.

use std::sync::Arc;

use weir_flow::PortNo;
use weir_flow::action::{Action as DpAction, ControllerCookie, Userspace};
use weir_flow::flow::U32;
use weir_openflow::actions::action::ControllerAction;
use weir_openflow::matching::Subfield;
use weir_openflow::{Action, OfPort};

use super::credit::CreditEntry;
use super::ctx::{Ctx, Origin};
use super::fields;
use super::recirc::{Frozen, Step};
use super::trace::NodeKind;
use crate::ports::PortFlags;
use crate::view::{BridgeId, PatchCounters, PortTarget};

/// Packet-in reasons (`OFPR_*`); the last two exist only inside the switch, each connection gets
/// what its OpenFlow version has for them.
pub mod reason {
    /// No flow matched.
    pub const NO_MATCH: u8 = 0;
    /// An `output` to the controller.
    pub const ACTION: u8 = 1;
    /// A TTL ran out.
    pub const INVALID_TTL: u8 = 2;
    /// An output in the action set.
    pub const ACTION_SET: u8 = 3;
    /// An output in a bucket.
    pub const GROUP: u8 = 4;
    /// An output in a packet-out.
    pub const PACKET_OUT: u8 = 5;
    /// An output in a table-miss flow.
    pub const EXPLICIT_MISS: u8 = 6;
    /// A table's setting for packets without a flow.
    pub const IMPLICIT_MISS: u8 = 7;
}

/// What a packet-in says besides the packet: the state of the pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PacketInState {
    /// The bridge.
    pub bridge: BridgeId,
    /// The port the packet came in by, as flows see it.
    pub in_port: OfPort,
    /// Registers.
    pub regs: [u32; 32],
    /// Metadata.
    pub metadata: u64,
    /// Tunnel identifier.
    pub tun_id: u64,
    /// Userdata of the `controller` action.
    pub userdata: Vec<u8>,
}

impl<'a> Ctx<'a> {
    /// The `output` action.
    pub(super) fn output(&mut self, port: OfPort, max_len: u16, packet_in: bool, last: bool) {
        match port {
            OfPort::IN_PORT => self.output_port(self.in_port(), last, false),
            OfPort::TABLE => self.table(self.in_port(), 0, packet_in, last, Self::run),
            OfPort::NORMAL => self.normal(),
            OfPort::FLOOD => self.flood(false),
            OfPort::ALL => self.flood(true),
            OfPort::CONTROLLER => {
                let why = if self.env.packet_out {
                    reason::PACKET_OUT
                } else if self.in_bucket {
                    reason::GROUP
                } else if self.in_action_set {
                    reason::ACTION_SET
                } else {
                    reason::ACTION
                };
                self.packet_in(max_len, why, 0, Vec::new(), None);
            }
            OfPort::NONE => {}
            _ if port == self.in_port() => {
                self.note(NodeKind::Warning, || "skipping output to input port".to_owned());
            }
            _ => self.output_port(port, last, false),
        }
    }

    /// To all ports but the one the packet came in by; unless `all`, not to those with `no-flood`.
    fn flood(&mut self, all: bool) {
        let bridge = self.bridge;
        let in_port = self.in_port();
        let mut ports: Vec<_> = bridge
            .ports
            .values()
            .filter(|p| p.ofport != in_port && (all || !p.flags.has(PortFlags::NO_FLOOD)))
            .map(|p| p.ofport)
            .collect();
        ports.sort_unstable();
        for port in ports {
            self.output_port(port, false, false);
        }
    }

    /// To one port of the bridge, whatever port the packet came from.
    pub(super) fn output_port(&mut self, port: OfPort, last: bool, truncated: bool) {
        let bridge = self.bridge;
        let Some(view) = bridge.ports.get(&port) else {
            self.note(NodeKind::Warning, || "Nonexistent output port".to_owned());
            return;
        };
        if view.flags.has(PortFlags::NO_FWD) {
            self.note(NodeKind::Warning, || "OFPPC_NO_FWD set, skipping output".to_owned());
            return;
        }
        match &view.to {
            PortTarget::Patch { .. } if truncated => {
                self.note(NodeKind::Warning, || "Cannot truncate output to patch port".to_owned());
            }
            PortTarget::Patch { peer: Some((bridge, port)), counters } => {
                self.patch(*bridge, *port, counters, last);
            }
            PortTarget::Patch { peer: None, .. } => {
                self.note(NodeKind::Warning, || "Nonexistent output port".to_owned());
            }
            PortTarget::Datapath(port) => self.emit(*port),
        }
    }

    fn emit(&mut self, port: PortNo) {
        self.commit();
        self.out.push(DpAction::Output(port));
    }

    /// Goes on in the bridge at the other end of a patch port, then comes back as if nothing had
    /// happened there.
    fn patch(&mut self, to: BridgeId, port: OfPort, from: &Arc<PatchCounters>, last: bool) {
        let view = self.env.view;
        let Some(bridge) = view.bridges.get(&to) else {
            self.note(NodeKind::Warning, || "Nonexistent output port".to_owned());
            return;
        };
        let Some(peer) = bridge.ports.get(&port) else {
            self.note(NodeKind::Warning, || "Nonexistent output port".to_owned());
            return;
        };
        let old_flow = self.flow;
        let old_bridge = (self.bridge, self.tables, self.table_id, self.origin);
        let old_stack = (std::mem::take(&mut self.stack), std::mem::take(&mut self.stack_bytes));
        let old_set = std::mem::take(&mut self.action_set);
        let (old_in_set, old_mpls) = (self.in_action_set, self.was_mpls);
        let (old_exit, old_error) = (self.exit, self.error);
        let old_rule = self.rule.take();

        self.enter_bridge(bridge);
        let f = &mut self.flow;
        f.in_port = u32::from(port.0).into();
        f.metadata = 0.into();
        f.regs = [0.into(); 32];
        f.tun_id = 0.into();
        f.actset_output = u32::from(OfPort::UNSET.0).into();
        self.in_action_set = false;
        self.exit = false;
        self.origin = Origin::NONE;
        if let PortTarget::Patch { counters: to, .. } = &peer.to {
            self.credits.push(CreditEntry::Patch { from: from.clone(), to: to.clone() });
        }
        self.enter(NodeKind::Bridge, |ctx| format!("bridge(\"{}\")", ctx.bridge.name));
        if self.may_receive(peer.flags) {
            self.table(port, 0, true, last, Self::run_clone);
        }
        self.leave();

        self.flow = old_flow;
        (self.bridge, self.tables, self.table_id, self.origin) = old_bridge;
        (self.stack, self.stack_bytes) = old_stack;
        self.action_set = old_set;
        (self.in_action_set, self.was_mpls) = (old_in_set, old_mpls);
        (self.exit, self.error) = (old_exit, old_error);
        (self.freezing, self.hash_wanted) = (None, None);
        self.rule = old_rule;
    }

    /// May packets come in by a port with this configuration?
    pub(super) fn may_receive(&mut self, flags: PortFlags) -> bool {
        if !flags.has(PortFlags(PortFlags::NO_RECV.0 | PortFlags::NO_RECV_STP.0)) {
            return true;
        }
        self.wc.0.dl_dst = [0xff; 6];
        let is_stp = self.flow.dl_dst == super::normal::STP_ADDRESS;
        !flags.has(if is_stp { PortFlags::NO_RECV_STP } else { PortFlags::NO_RECV })
    }

    pub(super) fn enqueue(&mut self, port: OfPort, queue: u32, last: bool) {
        let port = match port {
            OfPort::IN_PORT => self.in_port(),
            p if p == self.in_port() => return,
            p => p,
        };
        let old = std::mem::replace(&mut self.flow.skb_priority, queue.into());
        self.wc.0.skb_priority = u32::MAX.into();
        self.output_port(port, last, false);
        self.flow.skb_priority = old;
    }

    pub(super) fn output_reg(&mut self, src: &Subfield, max_len: u16, last: bool) {
        fields::examine_sub(src, &mut self.wc);
        let port = fields::read(src, &self.flow);
        let Ok(number) = u16::try_from(port) else {
            self.note(NodeKind::Warning, || format!("output port {port} is out of range"));
            return;
        };
        self.note(NodeKind::Detail, || format!("output port is {port}"));
        self.output(OfPort(number), max_len, false, last);
    }

    pub(super) fn output_trunc(&mut self, port: OfPort, max_len: u32, last: bool) {
        let number = match port {
            OfPort::TABLE
            | OfPort::NORMAL
            | OfPort::FLOOD
            | OfPort::ALL
            | OfPort::CONTROLLER
            | OfPort::NONE => {
                self.note(NodeKind::Warning, || {
                    format!("output_trunc does not support port: {port}")
                });
                return;
            }
            OfPort::IN_PORT => self.in_port(),
            p if p == self.in_port() => {
                self.note(NodeKind::Warning, || "skipping output to input port".to_owned());
                return;
            }
            p => p,
        };
        let bridge = self.bridge;
        match bridge.ports.get(&number).map(|p| (&p.to, p.flags)) {
            Some((PortTarget::Datapath(_), flags)) if !flags.has(PortFlags::NO_FWD) => {
                // Header changes may come in between: the limit is the next output's.
                self.out.push(DpAction::Truncate(max_len));
                self.output_port(number, last, true);
            }
            Some((PortTarget::Datapath(_), _)) => self.output_port(number, last, true),
            _ => self
                .note(NodeKind::Warning, || "output_trunc does not support patch port".to_owned()),
        }
    }

    /// The `controller` action.
    pub(super) fn controller(&mut self, c: &ControllerAction) {
        let userdata = c.userdata.clone();
        self.packet_in(c.max_len, c.reason, c.controller_id, userdata, c.meter_id);
    }

    /// A table without a flow for the packet, whose setting is to ask the controller.
    pub(super) fn miss_packet_in(&mut self) {
        self.packet_in(u16::MAX, reason::IMPLICIT_MISS, 0, Vec::new(), None);
    }

    /// A copy of the packet, as it is now, to controllers.
    pub(super) fn packet_in(
        &mut self,
        max_len: u16,
        why: u8,
        controller_id: u16,
        userdata: Vec<u8>,
        meter_id: Option<u32>,
    ) {
        self.commit();
        let why = match why {
            reason::ACTION if self.origin.table_miss => reason::EXPLICIT_MISS,
            other => other,
        };
        let f = &self.flow;
        let state = PacketInState {
            bridge: self.bridge.id,
            in_port: self.in_port(),
            regs: f.regs.map(U32::get),
            metadata: f.metadata.get(),
            tun_id: f.tun_id.get(),
            userdata,
        };
        let recirc_id = self.pipeline_state();
        let cookie = ControllerCookie {
            dont_send: !self.env.side_effects,
            continuation: false,
            recirc_id,
            reason: why,
            rule_cookie: self.origin.cookie,
            table_id: self.table_id,
            controller_id,
            max_len,
            meter_id,
            state: Arc::new(state),
        };
        self.out.push(DpAction::Userspace(Userspace::Controller(Arc::new(cookie))));
    }

    fn frozen(&self, rest: Vec<Step>) -> Frozen {
        let f = &self.flow;
        Frozen {
            bridge: self.bridge.id,
            table_id: self.table_id,
            in_port: self.in_port(),
            regs: f.regs.map(U32::get),
            metadata: f.metadata.get(),
            tun_id: f.tun_id.get(),
            actset_output: f.actset_output.get(),
            hashed: self.hashed || self.hash_wanted.is_some(),
            stack: self.stack.clone(),
            action_set: self.action_set.clone(),
            rest,
        }
    }

    /// An identifier of the pipeline's state, by which the datapath tells packets to controllers
    /// apart. 0 if there are too many.
    fn pipeline_state(&mut self) -> u32 {
        let frozen = Frozen { action_set: Vec::new(), ..self.frozen(Vec::new()) };
        let Some(handle) = self.env.recirc.freeze(frozen) else { return 0 };
        let id = handle.id;
        self.recirculations.push(handle);
        id
    }

    /// Ends the translation here; it goes on when the packet comes back.
    pub(super) fn finish_freezing(&mut self) {
        let Some(rest) = self.freezing.take() else { return };
        self.commit();
        let frozen = self.frozen(rest);
        let hash = self.hash_wanted.take();
        self.stack.clear();
        self.stack_bytes = 0;
        self.action_set.clear();
        if let Some(handle) = self.env.recirc.freeze(frozen) {
            if let Some((algorithm, basis)) = hash {
                self.out.push(DpAction::Hash { algorithm, basis });
            }
            self.out.push(DpAction::Recirc(handle.id));
            self.recirculations.push(handle);
        }
    }

    /// Goes on where a translation was ended by [`Ctx::finish_freezing`].
    pub(super) fn thaw(&mut self, frozen: &Frozen) {
        let f = &mut self.flow;
        f.in_port = u32::from(frozen.in_port.0).into();
        f.regs = frozen.regs.map(Into::into);
        f.metadata = frozen.metadata.into();
        f.tun_id = frozen.tun_id.into();
        f.actset_output = frozen.actset_output.into();
        self.stack = frozen.stack.clone();
        self.stack_bytes = self.stack.iter().map(|v| v.len() + 1).sum();
        self.action_set = frozen.action_set.clone();
        self.table_id = frozen.table_id;
        self.hashed = frozen.hashed;
        self.run_steps(&frozen.rest);
    }

    fn run_steps(&mut self, steps: &[Step]) {
        for (i, step) in steps.iter().enumerate() {
            if self.error.is_some() {
                return;
            }
            if self.exit {
                if let Some(rest) = &mut self.freezing {
                    rest.extend_from_slice(&steps[i..]);
                }
                return;
            }
            self.table_id = step.table_id;
            self.origin = Origin { cookie: step.cookie, table_miss: step.table_miss };
            self.run(&step.actions, i + 1 == steps.len());
        }
    }

    /// Executes actions that came with a packet-out.
    pub(super) fn run_packet_out(&mut self, actions: &[Action]) {
        self.origin = Origin::NONE;
        self.run(actions, true);
    }
}
