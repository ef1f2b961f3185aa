//! Telling the database what came of it.

use weir_engine::Link;
use weir_ofproto::config as of;
use weir_ovsdb::replica::{Replica, Transaction};
use weir_runtime::clock::Msec;

use super::{RunningBridge, Switchd};
use crate::datapath_types::{datapath_types, interface_types};
use crate::desired::Desired;
use crate::plan::wants;
use crate::report::{self, BridgeReport, DeviceReport, InterfaceReport, SwitchReport};

impl Switchd {
    pub(super) fn report(&mut self, now: Msec) {
        self.must_report = false;
        let Some(desired) = self.desired.take() else { return };
        if self.engine.is_some() {
            let wants = wants(&desired, self.options.dummy);
            let configs: Vec<of::BridgeConfig> =
                desired.bridges.iter().map(|b| self.bridge_config(b, &wants)).collect();
            self.switch.apply(&configs, self.now_ms());
        }
        let mut txn = Transaction::new();
        if let Some(replica) = self.database.replica() {
            self.fill_report(replica, &mut txn, &desired);
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

    fn fill_report(&self, replica: &Replica, txn: &mut Transaction, desired: &Desired) {
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
                let device = self.device_report(&iface.name, running);
                let uuid = iface.uuid;
                report::interface(replica, txn, &InterfaceReport { uuid, ofport, error, device });
            }
        }
    }

    fn device_report(&self, name: &str, bridge: &RunningBridge) -> Option<DeviceReport> {
        let Some(port) = self.ports.get(name) else {
            // A patch port is a device of the imagination: always there, always up.
            let patch = bridge.ofports.contains_key(name);
            let link = Link { up: true, ..Link::default() };
            let mac = bridge.mac;
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
            ifindex: status.ifindex,
            status: status.status,
        })
    }

    fn fill_statistics(&self, replica: &Replica, txn: &mut Transaction, desired: &Desired) {
        let Some(engine) = &self.engine else { return };
        for iface in desired.bridges.iter().flat_map(|b| &b.ports).flat_map(|p| &p.interfaces) {
            let Some(port) = self.ports.get(&iface.name) else { continue };
            if let Some(stats) = engine.port_stats(port.no) {
                report::statistics(replica, txn, iface.uuid, &stats);
            }
        }
    }
}
