//! Requests of controllers: what each one does to the bridge, and its answer.

use std::borrow::Cow;
use std::sync::Arc;

use weir_flow::Flow;
use weir_flow::packet::{Metadata, parse};
use weir_flow::slowpath::{Credit, Datapath};
use weir_openflow::flow_text::FlowModCommand;
use weir_openflow::flow_text::flow_mod::FlowModFlags;
use weir_openflow::message::{CodecOptions, encode_as};
use weir_openflow::messages::packet_out::PacketOut;
use weir_openflow::messages::port_mod::PortMod;
use weir_openflow::messages::role::{Role, RoleMsg};
use weir_openflow::messages::switch::{INVALID_TTL_TO_CONTROLLER, SwitchConfig};
use weir_openflow::messages::table::{TABLE_ALL, TableMiss as WireMiss, TableMod};
use weir_openflow::messages::tlv_table::{TlvCommand, TlvTableMod, TlvTableReply};
use weir_openflow::protocol::Protocols;
use weir_openflow::raw::Raw;
use weir_openflow::{Action, Decoded, FlowMod, Message, OfPort, OfVersion, OfpError};

use super::manager::ConnManager;
use super::ofconn::OfConn;
use super::{bundle, describe, groups, stats};
use crate::bridge::{Bridge, BridgeState};
use crate::config::Behind;
use crate::ports::PortFlags;
use crate::view::{INTERNAL_TABLE, TableMiss};
use crate::xlate::Start;
use crate::xlate::ctx::Tracing;
use crate::{Switch, flows};

/// What a request can reach besides its bridge's own state.
#[derive(Clone, Copy)]
pub struct Reach<'a> {
    /// The switch.
    pub switch: &'a Switch,
    /// The bridge.
    pub bridge: &'a Arc<Bridge>,
    /// Where packet-outs go.
    pub datapath: &'a dyn Datapath,
    /// Monotonic milliseconds.
    pub now_ms: u64,
}

impl std::fmt::Debug for Reach<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reach").field("now_ms", &self.now_ms).finish_non_exhaustive()
    }
}

/// Configuration bits of a port that a port-mod may change.
const MODIFIABLE: u32 = PortFlags::PORT_DOWN.0
    | PortFlags::NO_STP.0
    | PortFlags::NO_RECV.0
    | PortFlags::NO_RECV_STP.0
    | PortFlags::NO_FLOOD.0
    | PortFlags::NO_FWD.0
    | PortFlags::NO_PACKET_IN.0;

/// Fragment handling in `OFPT_SET_CONFIG`'s flags.
const FRAG_MASK: u16 = 0x0003;

/// Executes a request. An error is answered by the caller.
pub(super) fn handle(
    conn: &mut OfConn,
    state: &mut BridgeState,
    others: &mut ConnManager,
    reach: &Reach<'_>,
    request: &Decoded,
) -> Result<(), OfpError> {
    let xid = request.header.xid;
    if conn.role == Role::Secondary && is_write(&request.message) {
        return Err(OfpError::OFPBRC_IS_SECONDARY);
    }
    match &request.message {
        Message::Hello(_) | Message::EchoReply(_) | Message::FlowAge => {}
        Message::Error(e) => {
            log::info!(target: "connmgr", "controller sent an error: {:?}", e.code);
        }
        Message::EchoRequest(data) => conn.send(xid, &Message::EchoReply(data.clone())),
        Message::FeaturesRequest => {
            let features = describe::features(state, request.version);
            conn.send(xid, &Message::FeaturesReply(features));
        }
        Message::GetConfigRequest => {
            let flags = (u16::from(others.invalid_ttl) * INVALID_TTL_TO_CONTROLLER)
                | u16::from(reach.bridge.shared.fragments());
            let config = SwitchConfig { flags, miss_send_len: conn.miss_send_len };
            conn.send(xid, &Message::GetConfigReply(config));
        }
        Message::SetConfig(c) => set_config(conn, others, reach, c, request.version),
        Message::FlowMod(fm) => {
            let fm = &with_implied_flags(fm, request.version);
            if fm.buffer_id != u32::MAX {
                // The flow is made; the packet that was to go through it is not here.
                state.flows.flow_mod(fm, reach.now_ms)?;
                return Err(OfpError::OFPBRC_BUFFER_UNKNOWN);
            }
            state.flows.flow_mod(fm, reach.now_ms)?;
        }
        Message::PacketOut(po) => packet_out(state, reach, po)?,
        Message::PortMod(pm) => port_mod(state, reach, pm)?,
        Message::TableMod(tm) => table_mod(state, tm)?,
        Message::GroupMod(gm) => {
            state.flows.group_mod(gm, reach.now_ms)?;
            others.forward_request(xid, &request.message);
        }
        Message::BundleControl(c) => bundle::control(conn, state, others, reach, xid, *c)?,
        Message::BundleAddMessage(add) => bundle::add(conn, xid, add, reach.now_ms)?,
        Message::TlvTableMod(tm) => tlv_table_mod(tm)?,
        Message::TlvTableRequest => {
            let none = TlvTableReply { max_option_space: 0, max_fields: 0, maps: Vec::new() };
            conn.send(xid, &Message::TlvTableReply(none));
        }
        Message::BarrierRequest => {
            state.flows.publish(&reach.bridge.shared);
            others.distribute(state, Some(conn));
            conn.send(xid, &Message::BarrierReply);
        }
        Message::RoleRequest(r) => role(conn, others, request, r)?,
        Message::GetAsyncRequest => {
            let config = conn.async_config.to_msg();
            conn.send(xid, &Message::GetAsyncReply(config));
        }
        Message::SetAsyncConfig(change) => {
            conn.async_config = conn.async_config.changed(change);
            // Asking for asynchronous messages is wanting them.
            if conn.miss_send_len == 0 {
                conn.miss_send_len = 128;
            }
        }
        Message::SetPacketInFormat(format) => conn.packet_in_format = *format,
        Message::SetControllerId(id) => conn.controller_id = *id,
        Message::FlowModTableId(on) => set_format(conn, None, Some(*on != 0))?,
        Message::SetFlowFormat(n) => match n {
            0 => set_format(conn, Some(false), None)?,
            2 => set_format(conn, Some(true), None)?,
            _ => return Err(OfpError::OFPBRC_EPERM),
        },
        _ if stats::handle(conn, state, reach, request)? => {}
        _ if groups::handle(conn, state, reach, request) => {}
        Message::QueueGetConfigRequest(_) => return Err(OfpError::OFPBRC_BAD_TYPE),
        Message::MeterMod(_) => return Err(OfpError::OFPMMFC_INVALID_METER),
        _ => return Err(OfpError::OFPBRC_BAD_TYPE),
    }
    Ok(())
}

/// May only controllers that are not secondary send it?
fn is_write(m: &Message) -> bool {
    matches!(
        m,
        Message::FlowMod(_)
            | Message::PacketOut(_)
            | Message::PortMod(_)
            | Message::TableMod(_)
            | Message::GroupMod(_)
            | Message::MeterMod(_)
            | Message::SetConfig(_)
            | Message::BundleControl(_)
            | Message::BundleAddMessage(_)
    )
}

fn set_config(
    conn: &mut OfConn,
    others: &mut ConnManager,
    reach: &Reach<'_>,
    c: &SwitchConfig,
    version: OfVersion,
) {
    if conn.kind == super::ConnKind::Primary || version < OfVersion::V13 {
        others.invalid_ttl = c.flags & INVALID_TTL_TO_CONTROLLER != 0;
    }
    let fragments = (c.flags & FRAG_MASK) as u8;
    if reach.bridge.shared.set_fragments(fragments) {
        reach.switch.forwarding_changed();
    }
    conn.miss_send_len = c.miss_send_len;
}

/// Changes the flow format of an OpenFlow 1.0 connection.
fn set_format(conn: &mut OfConn, nxm: Option<bool>, tid: Option<bool>) -> Result<(), OfpError> {
    if conn.version() != Some(OfVersion::V10) {
        return if nxm.is_some() { Err(OfpError::OFPBRC_BAD_TYPE) } else { Ok(()) };
    }
    let nxm = nxm.unwrap_or_else(|| conn.protocol.intersects(Protocols::OF10_NXM_ANY));
    let tid = tid.unwrap_or_else(|| conn.protocol.intersects(Protocols::TID));
    conn.protocol = match (nxm, tid) {
        (false, false) => Protocols::OF10_STD,
        (false, true) => Protocols::OF10_STD_TID,
        (true, false) => Protocols::OF10_NXM,
        (true, true) => Protocols::OF10_NXM_TID,
    };
    Ok(())
}

/// Before OpenFlow 1.2 there is no flag for it: to add a flow resets its counters, and nothing else
/// does.
fn with_implied_flags(fm: &FlowMod, version: OfVersion) -> Cow<'_, FlowMod> {
    if version >= OfVersion::V12 {
        return Cow::Borrowed(fm);
    }
    let mut fm = fm.clone();
    let reset = FlowModFlags::RESET_COUNTS.0;
    fm.flags.0 &= !reset;
    if fm.command == FlowModCommand::Add {
        fm.flags.0 |= reset;
    }
    Cow::Owned(fm)
}

/// Executes a flow-mod.
pub(super) fn flow_mod(
    state: &mut BridgeState,
    reach: &Reach<'_>,
    fm: &FlowMod,
) -> Result<(), OfpError> {
    state.flows.flow_mod(fm, reach.now_ms)?;
    if fm.buffer_id != u32::MAX {
        // The flow is made; the packet that was to go through it is not here.
        return Err(OfpError::OFPBRC_BUFFER_UNKNOWN);
    }
    Ok(())
}

fn packet_out(state: &mut BridgeState, reach: &Reach<'_>, po: &PacketOut) -> Result<(), OfpError> {
    let packet = checked_packet_out(state, reach, po)?;
    state.flows.publish(&reach.bridge.shared);
    send(reach, &packet);
    Ok(())
}

/// A packet-out that may be sent.
#[derive(Debug)]
pub(super) struct Outgoing<'a> {
    in_port: OfPort,
    key: Flow,
    actions: Vec<Action>,
    packet: &'a [u8],
}

/// Looks whether a packet-out can be executed.
pub(super) fn checked_packet_out<'a>(
    state: &BridgeState,
    reach: &Reach<'_>,
    po: &'a PacketOut,
) -> Result<Outgoing<'a>, OfpError> {
    if po.buffer_id.is_some() {
        return Err(OfpError::OFPBRC_BUFFER_UNKNOWN);
    }
    let in_port = po.in_port();
    let special = matches!(in_port, OfPort::LOCAL | OfPort::NONE | OfPort::CONTROLLER);
    if in_port.0 >= OfPort::MAX.0 && !special {
        return Err(OfpError::OFPBRC_BAD_PORT);
    }
    let port = reach.switch.datapath_port(reach.bridge.id, in_port).map_or(u32::MAX, |p| p.0);
    let mut key: Flow = parse(&po.packet, &Metadata::from_port(port)).flow;
    key.tun_id = po.metadata.flow.tun_id;
    let mut actions = po.actions.clone();
    flows::check_for_packet(&key, &mut actions, &state.flows.set().groups)?;
    Ok(Outgoing { in_port, key, actions, packet: &po.packet })
}

/// Sends a packet through its actions, and the published tables if they say so.
pub(super) fn send(reach: &Reach<'_>, out: &Outgoing<'_>) {
    let (in_port, actions) = (out.in_port, &out.actions);
    let start = Start::PacketOut { bridge: reach.bridge.id, in_port, actions };
    let guard = weir_rcu::pin();
    let outcome =
        reach.switch.translate_key(&guard, &out.key, start, reach.now_ms, true, Tracing::Off);
    drop(guard);
    let bytes = u64::try_from(out.packet.len()).unwrap_or(0);
    outcome.credits.credit(1, bytes, reach.now_ms, out.key.tcp_flags.get());
    if !outcome.actions.is_empty() {
        reach.datapath.execute(out.packet, &out.key, &outcome.actions);
    }
}

pub(super) fn port_mod(
    state: &mut BridgeState,
    reach: &Reach<'_>,
    pm: &PortMod,
) -> Result<(), OfpError> {
    let port = state.ports.get(&pm.port_no).ok_or(OfpError::OFPPMFC_BAD_PORT)?;
    if port.config.mac != pm.hw_addr {
        return Err(OfpError::OFPPMFC_BAD_HW_ADDR);
    }
    let mask = pm.mask & MODIFIABLE;
    let flags = PortFlags(port.flags.0 & !mask | pm.config & mask);
    let toggled = PortFlags(flags.0 ^ port.flags.0);
    if let (true, Behind::Datapath(device)) =
        (toggled.has(PortFlags::PORT_DOWN), &port.config.behind)
    {
        reach.datapath.set_port_up(*device, !flags.has(PortFlags::PORT_DOWN));
    }
    if state.set_port_flags(pm.port_no, flags) {
        reach.switch.publish_later();
    }
    Ok(())
}

fn table_mod(state: &mut BridgeState, tm: &TableMod) -> Result<(), OfpError> {
    let tables = match tm.table_id {
        TABLE_ALL => 0..INTERNAL_TABLE,
        id if id < INTERNAL_TABLE => id..id + 1,
        _ => return Err(OfpError::OFPTMFC_BAD_TABLE),
    };
    let miss = match tm.miss {
        WireMiss::Default => TableMiss::Default,
        WireMiss::Controller => TableMiss::Controller,
        WireMiss::Continue => TableMiss::Continue,
        WireMiss::Drop => TableMiss::Drop,
    };
    for id in tables {
        state.flows.set_miss(id, miss);
    }
    Ok(())
}

/// Datapaths without Geneve have no room for options: what asks for none succeeds, as the requests
/// with which tools restore an empty table do.
fn tlv_table_mod(tm: &TlvTableMod) -> Result<(), OfpError> {
    match tm.command {
        TlvCommand::Clear => Ok(()),
        _ if tm.maps.is_empty() => Ok(()),
        TlvCommand::Add => Err(OfpError::NXTTMFC_TABLE_FULL),
        TlvCommand::Delete => Err(OfpError::NXTTMFC_BAD_FIELD_IDX),
    }
}

fn role(
    conn: &mut OfConn,
    others: &mut ConnManager,
    request: &Decoded,
    r: &RoleMsg,
) -> Result<(), OfpError> {
    if r.role != Role::NoChange {
        if matches!(r.role, Role::Primary | Role::Secondary)
            && let Some(new) = r.generation_id
        {
            // Generations are compared around the end of the number range.
            if others.generation_id.is_some_and(|old| (new.wrapping_sub(old) as i64) < 0) {
                return Err(OfpError::OFPRRFC_STALE);
            }
            others.generation_id = Some(new);
        }
        if r.role == Role::Primary {
            others.demote_primaries();
        }
        conn.role = r.role;
    }
    let reply =
        Message::RoleReply(RoleMsg { role: conn.role, generation_id: others.generation_id });
    if request.raw == Raw::NxtRoleRequest {
        let options = CodecOptions::default();
        let xid = request.header.xid;
        if let Ok(bytes) = encode_as(Raw::NxtRoleReply, request.version, xid, &reply, options) {
            conn.queue(bytes);
        }
    } else {
        conn.send(request.header.xid, &reply);
    }
    Ok(())
}
