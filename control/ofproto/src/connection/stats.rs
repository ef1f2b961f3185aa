//! Multipart requests: flows, tables, ports, queues.

use std::sync::Arc;
use std::time::Duration;

use weir_openflow::flow_text::{FlowModFlags, FlowStats};
use weir_openflow::message::{CodecOptions, encode_as};
use weir_openflow::messages::flow_stats::{self, AggregateStats, FlowStatsRequest};
use weir_openflow::messages::queue::{
    QUEUE_ALL, QueueConfig, QueueConfigs, QueueRequest, QueueStats,
};
use weir_openflow::messages::table::{TableDesc, TableVacancy};
use weir_openflow::messages::table_stats::{TableAbilities, TableStats};
use weir_openflow::multipart::MultipartWriter;
use weir_openflow::raw::{Kind, Raw};
use weir_openflow::{Decoded, FlowMod, Message, OfPort, OfVersion, OfpError};

use super::describe;
use super::dispatch::Reach;
use super::ofconn::{FlowDump, OfConn};
use crate::bridge::BridgeState;
use crate::flows::Criteria;
use crate::table::{Classifier, Rule};
use crate::view::{INTERNAL_TABLE, TableCounters};

/// Flows a table can hold, as far as controllers are told.
const MAX_ENTRIES: u32 = 1_000_000;

/// Answers a multipart request; `Ok(false)` if it is none.
pub(super) fn handle(
    conn: &mut OfConn,
    state: &BridgeState,
    reach: &Reach<'_>,
    request: &Decoded,
) -> Result<bool, OfpError> {
    let xid = request.header.xid;
    let reply = match &request.message {
        Message::DescRequest => Message::DescReply(describe::description(state)),
        Message::FlowStatsRequest(r) => {
            flows(conn, state, request, r, reach.now_ms);
            return Ok(true);
        }
        Message::AggregateStatsRequest(r) => {
            let raw = match request.raw {
                Raw::NxstAggregateRequest => Some(Raw::NxstAggregateReply),
                _ => Kind::AggregateStatsReply.raw(request.version),
            };
            let reply = Message::AggregateStatsReply(aggregate(state, r));
            if let Some(raw) = raw
                && let Ok(bytes) =
                    encode_as(raw, request.version, xid, &reply, CodecOptions::default())
            {
                conn.queue(bytes);
            }
            return Ok(true);
        }
        Message::TableStatsRequest => {
            Message::TableStatsReply(tables(state, reach, request.version))
        }
        Message::PortStatsRequest(port) => {
            let wanted = select_ports(state, *port);
            let stats = wanted.map(|p| describe::port_stats(p, reach.now_ms));
            Message::PortStatsReply(stats.collect())
        }
        Message::PortDescRequest(port) => {
            Message::PortDescReply(select_ports(state, *port).map(describe::port).collect())
        }
        Message::QueueStatsRequest(r) => Message::QueueStatsReply(queues(state, r)?),
        Message::QueueGetConfigRequest(r) => Message::QueueGetConfigReply(queue_config(state, r)?),
        Message::TableDescRequest => Message::TableDescReply(table_descs(state)),
        Message::TableFeaturesRequest(change) => {
            if !change.is_empty() {
                return Err(OfpError::OFPTFFC_EPERM);
            }
            Message::TableFeaturesReply(super::features::tables(state, request.version))
        }
        _ => return Ok(false),
    };
    conn.send(xid, &reply);
    Ok(true)
}

fn select_ports(state: &BridgeState, port: OfPort) -> impl Iterator<Item = &crate::bridge::Port> {
    state.ports.values().filter(move |p| port == OfPort::NONE || p.config.ofport == port)
}

/// The request as a flow-mod, which knows how flows are selected.
fn as_flow_mod(r: &FlowStatsRequest) -> FlowMod {
    FlowMod {
        matched: r.matched.clone(),
        cookie: r.cookie,
        cookie_mask: r.cookie_mask,
        out_port: r.out_port,
        out_group: r.out_group,
        table_id: r.table_id,
        ..FlowMod::default()
    }
}

/// Begins a flow statistics reply; [`OfConn::continue_dump`] goes on as the peer reads it.
fn flows(
    conn: &mut OfConn,
    state: &BridgeState,
    request: &Decoded,
    r: &FlowStatsRequest,
    now_ms: u64,
) {
    let raw = match request.raw {
        Raw::NxstFlowRequest => Some(Raw::NxstFlowReply),
        _ => Kind::FlowStatsReply.raw(request.version),
    };
    let Some(raw) = raw else { return };
    let rules = state.flows.select(&Criteria::loose(&as_flow_mod(r)));
    let writer = MultipartWriter::new(raw, request.version, request.header.xid);
    conn.dump = Some(FlowDump { writer, rules: rules.into() });
    conn.continue_dump(now_ms);
}

/// Appends one flow to a reply.
pub(super) fn put_flow(w: &mut MultipartWriter, rule: &Arc<Rule>, now_ms: u64) {
    let (packets, bytes) = rule.stats.counts();
    let (idle_timeout, hard_timeout) = rule.stats.timeouts();
    let secs =
        |since: u64| Some(u32::try_from(now_ms.saturating_sub(since) / 1000).unwrap_or(u32::MAX));
    let stats = FlowStats {
        matched: rule.to_match(),
        cookie: rule.cookie,
        table_id: rule.table_id,
        priority: u16::try_from(rule.priority).unwrap_or(u16::MAX),
        idle_timeout,
        hard_timeout,
        duration: Duration::from_millis(now_ms.saturating_sub(rule.created_ms)),
        idle_age: secs(rule.stats.used_ms()),
        hard_age: secs(rule.fresh_ms()),
        packet_count: packets,
        byte_count: bytes,
        flags: FlowModFlags(rule.flags & 0x1f),
        importance: rule.importance,
        actions: rule.actions.list.clone(),
    };
    let (raw, version) = (w.raw(), w.version());
    if w.entry(|out| flow_stats::put(&stats, out, raw, version)).is_err() {
        log::warn!(target: "ofproto", "a flow is too long for a statistics reply: left out");
    }
}

fn aggregate(state: &BridgeState, r: &FlowStatsRequest) -> AggregateStats {
    let rules = state.flows.select(&Criteria::loose(&as_flow_mod(r)));
    let mut sum = AggregateStats {
        packet_count: 0,
        byte_count: 0,
        flow_count: u32::try_from(rules.len()).unwrap_or(u32::MAX),
    };
    for rule in rules {
        let (packets, bytes) = rule.stats.counts();
        sum.packet_count = sum.packet_count.saturating_add(packets);
        sum.byte_count = sum.byte_count.saturating_add(bytes);
    }
    sum
}

fn tables(state: &BridgeState, reach: &Reach<'_>, version: OfVersion) -> Vec<TableStats> {
    (0..INTERNAL_TABLE)
        .map(|id| {
            let counters = reach.bridge.shared.counters.get(usize::from(id));
            let (matched, lookups) = counters.map_or((0, 0), TableCounters::matched_and_lookups);
            let active = state.flows.set().get(id).map_or(0, Classifier::len);
            TableStats {
                table_id: id,
                active_count: u32::try_from(active).unwrap_or(u32::MAX),
                lookup_count: lookups,
                matched_count: matched,
                abilities: abilities(state, id, version),
            }
        })
        .collect()
}

/// What a table can do, as the statistics of OpenFlow 1.0 to 1.2 tell it.
fn abilities(state: &BridgeState, id: u8, version: OfVersion) -> TableAbilities {
    let config = state.config.tables.iter().find(|t| t.id == id);
    let name = config.map(|t| t.name.clone());
    TableAbilities {
        name: name.unwrap_or_default().into_bytes(),
        max_entries: max_entries(state, id),
        ..super::features::abilities(version, id + 1 == INTERNAL_TABLE)
    }
}

/// Flows a table can hold.
pub(super) fn max_entries(state: &BridgeState, id: u8) -> u32 {
    let limit = state.flows.flow_limit(id);
    limit.map_or(MAX_ENTRIES, |n| u32::try_from(n).unwrap_or(u32::MAX))
}

fn table_descs(state: &BridgeState) -> Vec<TableDesc> {
    let evicts = |id| state.config.tables.iter().any(|t| t.id == id && t.evict);
    (0..INTERNAL_TABLE)
        .map(|id| TableDesc {
            table_id: id,
            eviction: evicts(id),
            eviction_flags: Some(0b111),
            vacancy_events: false,
            vacancy: TableVacancy { down: 0, up: 0, now: 0 },
        })
        .collect()
}

/// Each datapath port has the queue 0 and no more: there is no QoS.
fn queues(state: &BridgeState, r: &QueueRequest) -> Result<Vec<QueueStats>, OfpError> {
    let ports = queue_ports(state, r.port_no)?;
    if r.queue_id != QUEUE_ALL && r.queue_id != 0 {
        return Err(OfpError::OFPQOFC_BAD_QUEUE);
    }
    let stats = |port_no| QueueStats {
        port_no,
        queue_id: 0,
        tx_bytes: u64::MAX,
        tx_packets: u64::MAX,
        tx_errors: u64::MAX,
        duration: None,
    };
    Ok(ports.into_iter().map(stats).collect())
}

fn queue_config(state: &BridgeState, r: &QueueRequest) -> Result<QueueConfigs, OfpError> {
    let ports = queue_ports(state, r.port_no)?;
    let config = |port_no| QueueConfig { port_no, queue_id: 0, min_rate: None, max_rate: None };
    Ok(QueueConfigs { port_no: r.port_no, queues: ports.into_iter().map(config).collect() })
}

fn queue_ports(state: &BridgeState, port: OfPort) -> Result<Vec<OfPort>, OfpError> {
    use crate::config::Behind;
    let all = matches!(port, OfPort::NONE | OfPort::ALL);
    let ports: Vec<_> = state
        .ports
        .values()
        .filter(|p| all || p.config.ofport == port)
        .filter(|p| matches!(p.config.behind, Behind::Datapath(_)))
        .map(|p| p.config.ofport)
        .collect();
    if !all && !state.ports.contains_key(&port) {
        return Err(OfpError::OFPQOFC_BAD_PORT);
    }
    Ok(ports)
}
