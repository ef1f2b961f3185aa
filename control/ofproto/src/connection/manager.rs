//! [`ConnManager`]: all connections of a bridge: who is told what, and what happens without
//! controllers.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use weir_openflow::message::encode_for;
use weir_openflow::messages::duration::Duration;
use weir_openflow::messages::flow_removed::FlowRemoved;
use weir_openflow::messages::port::{PortReason, PortStatus};
use weir_openflow::messages::request_forward::RequestForward;
use weir_openflow::messages::role::{Role, RoleStatus};
use weir_openflow::{Action, FlowMod, Message, OfPort, OfVersion};

use super::describe;
use super::dispatch::{self, Reach};
use super::ofconn::{ConnKind, ConnStatus, OfConn};
use crate::bridge::{BridgeState, PortEvent};
use crate::config::FailMode;
use crate::flows::{FlowEvent, RemovalReason};
use crate::switch::PacketIn;
use crate::table::Rule;
use crate::table::rule::flag;

/// Identifies a connection of a bridge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnId(pub u64);

/// Priority of the flow that keeps packets moving while no controller is there.
const FAIL_OPEN_PRIORITY: i32 = 0xf0_f0f0;

/// Most requests of one connection that are executed before the next one gets its turn.
const BATCH: usize = 512;

/// See the [module documentation](self).
#[derive(Debug, Default)]
pub struct ConnManager {
    conns: BTreeMap<ConnId, OfConn>,
    next: u64,
    pub(super) generation_id: Option<u64>,
    pub(super) invalid_ttl: bool,
    /// Are controllers configured, and the fail mode they were configured with?
    controllers: Option<(bool, FailMode)>,
    fail_open: bool,
}

impl ConnManager {
    /// Takes up a connection. Its hello waits in its output.
    pub fn open(&mut self, kind: ConnKind, versions: &[OfVersion]) -> ConnId {
        self.next += 1;
        let id = ConnId(self.next);
        self.conns.insert(id, OfConn::new(kind, versions));
        id
    }

    /// Forgets a connection.
    pub fn close(&mut self, id: ConnId) {
        self.conns.remove(&id);
    }

    /// A connection.
    pub fn get_mut(&mut self, id: ConnId) -> Option<&mut OfConn> {
        self.conns.get_mut(&id)
    }

    /// All connections.
    pub fn iter(&self) -> impl Iterator<Item = (ConnId, &OfConn)> {
        self.conns.iter().map(|(id, c)| (*id, c))
    }

    /// When a bundle is to be dropped, in monotonic milliseconds.
    #[must_use]
    pub fn expires_at(&self) -> Option<u64> {
        self.conns.values().filter_map(|c| c.bundles.expires_at()).min()
    }

    /// Executes what has come in on all connections. True if something is left for which there was
    /// no turn.
    pub(crate) fn run(&mut self, state: &mut BridgeState, reach: &Reach<'_>) -> bool {
        let ids: Vec<ConnId> = self.conns.keys().copied().collect();
        let mut more = false;
        for id in ids {
            // Out of the map while it runs, so that it can reach the others.
            let Some(mut conn) = self.conns.remove(&id) else { continue };
            conn.expire(reach.now_ms);
            conn.send_waiting_packets(reach.now_ms);
            conn.continue_dump(reach.now_ms);
            let mut done = 0;
            while done < BATCH {
                let Some((request, bytes)) = conn.next_request(reach.now_ms) else { break };
                let result = dispatch::handle(&mut conn, state, self, reach, &request);
                if let Err(error) = result {
                    log::debug!(target: "connmgr", "{}: request refused: {error}",
                        state.config.name);
                    conn.error(error, &bytes);
                }
                done += 1;
            }
            more |= done == BATCH;
            self.conns.insert(id, conn);
        }
        state.flows.publish(&reach.bridge.shared);
        self.distribute(state, None);
        let asks = self.conns.values().any(OfConn::answers_misses);
        let old = reach.bridge.shared.miss_to_controller.swap(asks, Ordering::Relaxed);
        if old != asks {
            reach.switch.forwarding_changed();
        }
        more
    }

    /// Tells connections what happened to flows and ports.
    pub(super) fn distribute(&mut self, state: &mut BridgeState, mut current: Option<&mut OfConn>) {
        let flows = state.flows.take_events();
        let ports = state.take_port_events();
        if flows.is_empty() && ports.is_empty() {
            return;
        }
        let mut each = |tell: &dyn Fn(&mut OfConn)| {
            self.conns.values_mut().for_each(tell);
            if let Some(conn) = current.as_deref_mut() {
                tell(conn);
            }
        };
        for event in flows {
            if let FlowEvent::Removed { rule, reason, at_ms } = event
                && rule.flags & flag::SEND_FLOW_REM != 0
            {
                let message = flow_removed(&rule, reason, at_ms);
                each(&|c| c.flow_removed(reason, &message));
            }
        }
        for event in ports {
            let (reason, port) = match event {
                PortEvent::Added(p) => (PortReason::Add, p),
                PortEvent::Deleted(p) => (PortReason::Delete, p),
                PortEvent::Modified(p) => (PortReason::Modify, p),
            };
            let status = PortStatus { reason, port: describe::port(&port) };
            each(&|c| c.port_status(&status));
        }
    }

    /// Tells the other controllers of a group-mod that one of them had executed.
    pub(super) fn forward_request(&mut self, xid: u32, request: &Message) {
        self.conns.values_mut().for_each(|c| c.request_forward(xid, request));
    }

    /// Gives a packet to the controllers that want it.
    pub(crate) fn packet_in(&mut self, p: &PacketIn) {
        let invalid_ttl = crate::xlate::output::reason::INVALID_TTL;
        for conn in self.conns.values_mut() {
            if p.cookie.reason == invalid_ttl && !self.invalid_ttl && !conn.wants_invalid_ttl() {
                continue;
            }
            conn.packet_in(p);
        }
    }

    /// A new primary controller: there is only one.
    pub(super) fn demote_primaries(&mut self) {
        let generation_id = self.generation_id;
        for conn in self.conns.values_mut().filter(|c| c.role == Role::Primary) {
            conn.role = Role::Secondary;
            conn.role_status(generation_id);
        }
    }

    /// Says whether controllers are configured. When that changes, the flows are the new regime's:
    /// none, or one that makes the bridge an ordinary switch.
    pub(crate) fn set_controllers(
        &mut self,
        state: &mut BridgeState,
        configured: bool,
        now_ms: u64,
    ) {
        let mode = state.config.fail_mode;
        let regime = (configured, mode);
        let old = self.controllers.replace(regime);
        let alone = |r: (bool, FailMode)| r == (false, FailMode::Standalone);
        if old == Some(regime) || (old.is_some_and(|o| alone(o) == alone(regime))) {
            return;
        }
        if old.is_some() {
            flush(state, now_ms);
        }
        if alone(regime) {
            let normal = FlowMod { priority: 0, table_id: 0, ..normal_flow() };
            // The tables were just emptied; a limit of 0 flows is the only way to refuse it.
            let _ = state.flows.flow_mod(&normal, now_ms);
        }
    }

    /// Says whether the controllers have been away for too long: a standalone bridge then forwards
    /// as an ordinary switch until they are back.
    pub(crate) fn set_fail_open(&mut self, state: &mut BridgeState, on: bool, now_ms: u64) {
        if self.fail_open == on {
            return;
        }
        self.fail_open = on;
        if on {
            state.flows.add_hidden(0, FAIL_OPEN_PRIORITY, &normal_flow(), now_ms);
        } else {
            state.flows.remove_hidden(0, FAIL_OPEN_PRIORITY);
        }
    }
}

fn normal_flow() -> FlowMod {
    let actions = vec![Action::Output { port: OfPort::NORMAL, max_len: 0 }];
    FlowMod { actions, ..FlowMod::default() }
}

/// Deletes all flows.
fn flush(state: &mut BridgeState, now_ms: u64) {
    use weir_openflow::flow_text::FlowModCommand;
    let all = FlowMod { command: FlowModCommand::Delete, ..FlowMod::default() };
    let _ = state.flows.flow_mod(&all, now_ms);
}

fn flow_removed(rule: &Rule, reason: RemovalReason, at_ms: u64) -> FlowRemoved {
    let (packet_count, byte_count) = rule.stats.counts();
    let (idle_timeout, hard_timeout) = rule.stats.timeouts();
    FlowRemoved {
        matched: rule.to_match(),
        cookie: rule.cookie,
        priority: u16::try_from(rule.priority).unwrap_or(u16::MAX),
        reason: reason as u8,
        table_id: rule.table_id,
        duration: Duration::from_millis(at_ms.saturating_sub(rule.created_ms)),
        idle_timeout,
        hard_timeout,
        packet_count,
        byte_count,
    }
}

/// What a connection gets unasked.
impl OfConn {
    /// May it get asynchronous messages at all?
    fn hears(&self) -> bool {
        *self.status() == ConnStatus::Open
            && self.async_enabled
            && (self.kind == ConnKind::Primary || self.miss_send_len != 0)
    }

    /// Does it want messages of a kind ([`weir_openflow::messages::async_config::AsyncType`]) with
    /// this reason?
    fn wants(&self, kind: usize, reason: u8) -> bool {
        let masks = match self.role {
            Role::Secondary => &self.async_config.secondary,
            _ => &self.async_config.primary,
        };
        let mask = masks.get(kind).copied().unwrap_or(0);
        self.hears() && mask.checked_shr(u32::from(reason)).unwrap_or(0) & 1 == 1
    }

    pub(super) fn wants_packet_in(&self, reason: u8) -> bool {
        let ttl = crate::xlate::output::reason::INVALID_TTL;
        let reason = self.known_reason(reason);
        // The switch-wide setting turns these on for all.
        self.wants(0, reason) || (reason == ttl && self.hears())
    }

    /// Action sets, groups and packet-outs as reasons came with OpenFlow 1.4; before they are
    /// actions.
    fn known_reason(&self, reason: u8) -> u8 {
        use crate::xlate::output::reason::{ACTION, ACTION_SET, PACKET_OUT};
        let before = self.version().is_some_and(|v| v < OfVersion::V14);
        if before && (ACTION_SET..=PACKET_OUT).contains(&reason) { ACTION } else { reason }
    }

    fn wants_invalid_ttl(&self) -> bool {
        self.wants(0, crate::xlate::output::reason::INVALID_TTL)
    }

    /// Is it a controller that packets without a flow go to by default?
    fn answers_misses(&self) -> bool {
        self.hears()
            && self.controller_id == 0
            && self.version().is_some_and(|v| v < OfVersion::V13)
    }

    fn flow_removed(&mut self, reason: RemovalReason, message: &FlowRemoved) {
        if self.wants(2, reason as u8) {
            self.send(0, &Message::FlowRemoved(message.clone()));
        }
    }

    fn port_status(&mut self, status: &PortStatus) {
        if self.wants(1, status.reason as u8) {
            self.send(0, &Message::PortStatus(status.clone()));
        }
    }

    /// Another controller's group-mod, in the words of this one's version.
    fn request_forward(&mut self, xid: u32, request: &Message) {
        /// `OFPRFR_GROUP_MOD`
        const GROUP_MOD: u8 = 0;
        if self.wants(5, GROUP_MOD)
            && let Ok(request) = encode_for(self.protocol, xid, request)
        {
            self.send(0, &Message::RequestForward(RequestForward { request }));
        }
    }

    /// OpenFlow 1.4: the role was taken away.
    fn role_status(&mut self, generation_id: Option<u64>) {
        /// `OFPCRR_MASTER_REQUEST`
        const PRIMARY_REQUEST: u8 = 0;
        if self.wants(3, PRIMARY_REQUEST) {
            let status = RoleStatus {
                role: self.role,
                reason: PRIMARY_REQUEST,
                generation_id: generation_id.unwrap_or(u64::MAX),
            };
            self.send(0, &Message::RoleStatus(status));
        }
    }
}
