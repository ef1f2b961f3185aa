//! What the switch says of itself: features, description, ports.

use weir_openflow::OfVersion;
use weir_openflow::messages::duration::Duration;
use weir_openflow::messages::port::{PhyPort, PortFeatures};
use weir_openflow::messages::port_stats::{PortCounters, PortStats};
use weir_openflow::messages::switch::{SwitchDesc, SwitchFeatures, capability};

use crate::bridge::{BridgeState, Port};
use crate::view::INTERNAL_TABLE;

/// Actions of OpenFlow 1.0's features reply: all but vendor actions.
const OFP10_ACTIONS: u32 = 0xfff;

/// The features reply of a version.
pub(super) fn features(state: &BridgeState, version: OfVersion) -> SwitchFeatures {
    let both = capability::FLOW_STATS
        | capability::TABLE_STATS
        | capability::PORT_STATS
        | capability::GROUP_STATS
        | capability::QUEUE_STATS;
    let extra = match version {
        OfVersion::V10 => capability::ARP_MATCH_IP,
        _ => 0,
    };
    let with_ports = version < OfVersion::V13;
    SwitchFeatures {
        datapath_id: state.config.datapath_id,
        n_buffers: 0,
        n_tables: INTERNAL_TABLE,
        auxiliary_id: 0,
        capabilities: both | extra,
        actions: if version == OfVersion::V10 { OFP10_ACTIONS } else { 0 },
        ports: if with_ports { ports(state) } else { Vec::new() },
    }
}

/// The description.
pub(super) fn description(state: &BridgeState) -> SwitchDesc {
    let d = &state.config.description;
    let bytes = |s: &String| s.clone().into_bytes();
    SwitchDesc {
        mfr_desc: bytes(&d.mfr_desc),
        hw_desc: bytes(&d.hw_desc),
        sw_desc: bytes(&d.sw_desc),
        serial_num: bytes(&d.serial_num),
        dp_desc: bytes(&d.dp_desc),
    }
}

/// All ports.
pub(super) fn ports(state: &BridgeState) -> Vec<PhyPort> {
    state.ports.values().map(port).collect()
}

/// One port.
pub(super) fn port(p: &Port) -> PhyPort {
    let f = &p.config.features;
    PhyPort {
        port_no: p.config.ofport,
        hw_addr: p.config.mac,
        name: p.config.name.clone().into_bytes(),
        config: p.flags.0,
        state: p.state().0,
        curr: PortFeatures(f.current),
        advertised: PortFeatures(f.advertised),
        supported: PortFeatures(f.supported),
        peer: PortFeatures(f.peer),
        curr_speed: f.curr_speed,
        max_speed: f.max_speed,
    }
}

/// One port's counters.
pub(super) fn port_stats(p: &Port, now_ms: u64) -> PortStats {
    let c = p.counters();
    PortStats {
        port_no: p.config.ofport,
        counters: PortCounters {
            rx_packets: c.rx_packets,
            tx_packets: c.tx_packets,
            rx_bytes: c.rx_bytes,
            tx_bytes: c.tx_bytes,
            rx_dropped: c.rx_dropped,
            tx_dropped: c.tx_dropped,
            rx_errors: c.rx_errors,
            tx_errors: c.tx_errors,
            rx_frame_err: c.rx_frame_err,
            rx_over_err: c.rx_over_err,
            rx_crc_err: c.rx_crc_err,
            collisions: c.collisions,
        },
        duration: Some(Duration::from_millis(now_ms.saturating_sub(p.created_ms))),
        rfc2819: [u64::MAX; 21],
        custom: Vec::new(),
    }
}
