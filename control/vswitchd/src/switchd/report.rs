//! Telling the database what came of it.

use std::collections::{BTreeMap, BTreeSet};

use weir_engine::{Link, PortStats};
use weir_ofproto::config as of;
use weir_ovsdb::replica::{Replica, Transaction};
use weir_runtime::clock::Msec;

use super::{RunningBridge, Switchd};
use crate::datapath_types::{datapath_types, interface_types};
use crate::desired::Desired;
use crate::dp_features;
use crate::plan::{Wants, wants};
use crate::report::{self, BridgeReport, DeviceReport, InterfaceReport, SwitchReport};
use crate::system_stats;

/// How often the machine's statistics are written, milliseconds.
const SYSTEM_STATISTICS_INTERVAL: Msec = 5_000;

impl Switchd {
    pub(super) fn report(&mut self, now: Msec) {
        self.must_report = false;
        let Some(desired) = self.desired.take() else { return };
        let wants = wants(&desired, self.options.dummy);
        if self.engine.is_some() {
            let configs: Vec<of::BridgeConfig> =
                desired.bridges.iter().map(|b| self.bridge_config(b, &wants)).collect();
            self.switch.apply(&configs, self.now_ms());
        }
        let mut txn = Transaction::new();
        if let Some(replica) = self.database.replica() {
            self.fill_report(replica, &mut txn, &desired, &wants);
            if now >= self.next_system_statistics {
                self.next_system_statistics = now + SYSTEM_STATISTICS_INTERVAL;
                let on = desired.switch.enable_statistics;
                let stats = if on { system_stats::collect() } else { BTreeMap::new() };
                report::system_statistics(replica, &mut txn, desired.switch.uuid, stats);
            }
            if now >= self.next_statistics {
                self.next_statistics = now + desired.switch.stats_interval_ms as Msec;
                self.fill_statistics(replica, &mut txn, &desired);
            }
        }
        self.desired = Some(desired);
        if let Ok(id) = self.database.commit(&txn) {
            self.reporting = Some(id);
        }
    }

    fn fill_report(
        &self,
        replica: &Replica,
        txn: &mut Transaction,
        desired: &Desired,
        wants: &Wants,
    ) {
        let dpdk_wanted =
            matches!(desired.switch.dpdk.get("init").map(String::as_str), Some("true" | "try"));
        let switch = SwitchReport {
            uuid: desired.switch.uuid,
            cur_cfg: desired.switch.next_cfg,
            datapath_types: datapath_types(self.options.dummy),
            iface_types: interface_types(self.options.dummy),
            dpdk_initialized: dpdk_wanted && self.engine.is_some(),
            dpdk_version: weir_dpdk::version(),
            ovs_version: weir_runtime::version::OVS_VERSION.to_owned(),
        };
        report::switch(replica, txn, &switch);
        if self.engine.is_some() {
            let known = self.datapath_types_in_use(desired);
            for (_, row) in
                desired.switch.datapaths.iter().filter(|(t, _)| known.contains(t.as_str()))
            {
                let capabilities = dp_features::capabilities(desired.switch.vlan_limit);
                report::capabilities(replica, txn, *row, capabilities);
            }
        }
        for controller in self.openflow.reports() {
            report::controller(replica, txn, &controller);
        }
        for bridge in &desired.bridges {
            let Some(running) = self.bridges.get(&bridge.name) else { continue };
            let datapath_id = running.datapath_id;
            report::bridge(replica, txn, &BridgeReport { uuid: bridge.uuid, datapath_id });
            for iface in bridge.ports.iter().flat_map(|p| &p.interfaces) {
                let ofport = running.ofports.get(&iface.name).copied();
                let error = self.ports.error(&iface.name).map(str::to_owned);
                let error = error.or_else(|| self.engine_error.clone());
                let error = error.or_else(|| wants.without_peer(&iface.name, self.dp_type()));
                let device = self.device_report(&iface.name, running);
                let uuid = iface.uuid;
                report::interface(replica, txn, &InterfaceReport { uuid, ofport, error, device });
            }
        }
    }

    /// Types of the datapaths that there are, as bridges name them.
    fn datapath_types_in_use<'a>(&self, desired: &'a Desired) -> BTreeSet<&'a str> {
        let named = desired.bridges.iter().map(|b| match b.datapath_type.as_str() {
            "" => "system",
            other => other,
        });
        named.chain([self.dp_type()]).collect()
    }

    fn device_report(&self, name: &str, bridge: &RunningBridge) -> Option<DeviceReport> {
        let Some(port) = self.ports.get(name) else {
            // A patch port is a device of the imagination: always there, always up.
            let patch = bridge.ofports.contains_key(name);
            let link = Link { up: true, ..Link::default() };
            let mac = bridge.patch_macs.get(name).copied().unwrap_or(bridge.mac);
            return patch.then(|| DeviceReport {
                mac,
                admin_up: true,
                link,
                ..DeviceReport::default()
            });
        };
        let status = self.engine.as_ref()?.port_status(port.no)?;
        Some(DeviceReport {
            mac: status.mac,
            mtu: Some(status.mtu),
            admin_up: status.admin_up,
            link: status.link,
            link_resets: status.link.resets,
            ifindex: match status.ifindex {
                0 if port.config.kind.starts_with("dpdk") => ifindex_of_name(name),
                index => index,
            },
            status: status.status,
        })
    }

    fn fill_statistics(&self, replica: &Replica, txn: &mut Transaction, desired: &Desired) {
        let Some(engine) = &self.engine else { return };
        for iface in desired.bridges.iter().flat_map(|b| &b.ports).flat_map(|p| &p.interfaces) {
            let stats = match self.ports.get(&iface.name) {
                Some(port) => engine.port_stats(port.no),
                None => self.patch_stats(&iface.name),
            };
            if let Some(stats) = stats {
                report::statistics(replica, txn, iface.uuid, &stats);
            }
        }
    }

    /// Counters of a patch port: what translation sent through it.
    fn patch_stats(&self, name: &str) -> Option<PortStats> {
        let owner = self.bridges.iter().find(|(_, b)| b.patch_macs.contains_key(name));
        let bridge = self.switch.bridge(owner?.0)?;
        let counters = bridge.lock().port_by_name(name)?.counters();
        Some(PortStats {
            rx_packets: counters.rx_packets,
            rx_bytes: counters.rx_bytes,
            tx_packets: counters.tx_packets,
            tx_bytes: counters.tx_bytes,
            ..PortStats::default()
        })
    }
}

/// A number for devices that the kernel does not know: 24 bits that stay the same over restarts
/// (RFC 2863), as far as possible different from others.
fn ifindex_of_name(name: &str) -> u32 {
    let fnv = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    name.bytes().fold(0x811c_9dc5, fnv) % 0xff_fffe + 1
}
