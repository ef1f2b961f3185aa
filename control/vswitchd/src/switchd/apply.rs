//! Making the switch what the database asks for.

use std::collections::BTreeMap;

use weir_engine::{Link, LinkModes};
use weir_ofproto::config as of;
use weir_ofproto::revalidate::Limits;
use weir_openflow::OfPort;
use weir_runtime::clock::Msec;

use super::{LINK_INTERVAL, RunningBridge, Switchd, engine};
use crate::address::{Candidate, bridge_mac, datapath_id, default_mac, random_mac};
use crate::datapath_types::{device_kind, is_dummy_datapath, shown_kind};
use crate::desired::{self, Desired};
use crate::links::Links;
use crate::numbering::{Claim, assign_ofports};
use crate::openflow::BridgeSettings;
use crate::plan::{Wants, wants};

impl Switchd {
    /// Closes ports whose device went away, and tries again those whose device may have come.
    pub(super) fn follow_links(&mut self, now: Msec) {
        let Some(news) = self.links.as_mut().map(Links::news) else { return };
        self.must_report |= news.changed.iter().any(|name| self.ports.get(name).is_some());
        self.must_try_ports |= self.ports.concerns(&news);
        // A port that fails may make news itself: not as often as it can.
        if !self.must_try_ports || now < self.next_port_try {
            return;
        }
        self.must_try_ports = false;
        self.next_port_try = now + LINK_INTERVAL;
        if let Some(engine) = &self.engine {
            engine.run();
        }
        if let Some(desired) = self.desired.take() {
            self.apply(&desired);
            self.desired = Some(desired);
            self.must_report = true;
        }
    }

    /// Makes the switch what the database asks for.
    pub(super) fn reconfigure(&mut self) {
        let Some(replica) = self.database.replica() else { return };
        self.configured = true;
        let Some(desired) = Desired::read(replica) else { return };
        // Our own reports come back as changes; they ask for nothing new.
        let asks = |d: &Desired| (d.switch.clone(), d.bridges.clone());
        if self.desired.as_ref().map(asks) == Some(asks(&desired)) && self.engine_error.is_none() {
            return;
        }
        let known = self.desired.as_ref().map(|d| d.complaints.clone()).unwrap_or_default();
        for complaint in desired.complaints.iter().filter(|c| !known.contains(c)) {
            log::warn!(target: "bridge", "{complaint}");
        }
        self.apply(&desired);
        self.desired = Some(desired);
        self.must_report = true;
    }

    fn apply(&mut self, desired: &Desired) {
        // To be waited for from the start or not at all: later it would only stop a running switch.
        let wait = desired.switch.flow_restore_wait;
        let restoring = self.restoring.is_none_or(|r| r) && wait;
        if self.restoring == Some(true) && !restoring {
            log::info!(target: "bridge", "flows are restored: packets and controllers are served");
        }
        self.restoring = Some(restoring);
        self.switch.hold(restoring);
        let mut wants = wants(desired, self.options.dummy);
        self.prepare_bridges(desired, &mut wants);
        if self.engine.is_none() && !desired.bridges.is_empty() {
            self.start_engine(desired);
        }
        if let Some(e) = &self.engine {
            engine::tune(e, &desired.switch);
            self.ports.apply(e, &wants);
        }
        self.switch.set_vlan_limit(desired.switch.vlan_limit);
        self.name_bridges(desired);
        let configs: Vec<of::BridgeConfig> =
            desired.bridges.iter().map(|b| self.bridge_config(b, &wants)).collect();
        self.switch.apply(&configs, self.now_ms());
        self.configure_openflow(desired);
        self.configure_revalidator(desired);
        self.revalidator.waker().wake();
    }

    fn configure_revalidator(&self, desired: &Desired) {
        let Some(datapath) = self.datapath() else { return };
        let switch = &desired.switch;
        let limits = Limits {
            flow_limit: switch.flow_limit,
            max_idle_ms: switch.max_idle_ms,
            max_revalidator_ms: switch.max_revalidator_ms,
            min_pps: switch.min_revalidate_pps,
        };
        let interval = switch.max_revalidator_ms.min(switch.max_idle_ms);
        self.revalidator.configure(datapath, limits, Msec::try_from(interval).unwrap_or(500));
    }

    fn configure_openflow(&mut self, desired: &Desired) {
        let Some(datapath) = self.datapath() else { return };
        let settings = desired.bridges.iter().map(|b| BridgeSettings {
            name: b.name.clone(),
            versions: b.protocols.clone(),
            controllers: b.controllers.clone(),
            // While flows are being restored, controllers would only be in the way.
            wait: self.restoring == Some(true),
            fail_mode: b.fail_mode,
        });
        let settings: Vec<BridgeSettings> = settings.collect();
        if settings != self.openflow_settings {
            self.openflow.configure(settings.clone(), datapath);
            self.openflow_settings = settings;
        }
    }

    /// Makes room for new bridges and forgets old ones; the local ports get their addresses.
    fn prepare_bridges(&mut self, desired: &Desired, wants: &mut Wants) {
        self.bridges.retain(|name, _| desired.bridges.iter().any(|b| b.name == *name));
        for bridge in &desired.bridges {
            let dummy = is_dummy_datapath(&bridge.datapath_type, self.options.dummy);
            let running = self.bridges.entry(bridge.name.clone()).or_insert_with(|| {
                let fallback_mac = default_mac(bridge.uuid);
                RunningBridge {
                    fallback_mac,
                    mac: bridge.hwaddr.unwrap_or(fallback_mac),
                    next_ofport: 1,
                    ofports: BTreeMap::new(),
                    patch_macs: BTreeMap::new(),
                    datapath_id: 0,
                    dummy,
                }
            });
            running.dummy = dummy;
            let names = || bridge.ports.iter().flat_map(|p| &p.interfaces).map(|i| &i.name);
            let patches = || names().filter(|n| wants.patches.contains_key(*n));
            running.patch_macs.retain(|name, _| patches().any(|n| n == name));
            for name in patches() {
                running.patch_macs.entry(name.clone()).or_insert_with(random_mac);
            }
            if let Some(local) = wants.ports.get_mut(&bridge.name) {
                local.config.mac = Some(running.mac);
            }
        }
    }

    /// Chooses addresses, datapath IDs and OpenFlow numbers from the ports that run.
    fn name_bridges(&mut self, desired: &Desired) {
        let Some(engine) = &self.engine else { return };
        for bridge in &desired.bridges {
            let Some(running) = self.bridges.get_mut(&bridge.name) else { continue };
            let interfaces = || bridge.ports.iter().flat_map(|p| &p.interfaces);
            let candidates: Vec<Candidate> = interfaces()
                .filter_map(|i| {
                    let port = self.ports.get(&i.name)?;
                    let mac = engine.port_status(port.no)?.mac;
                    Some(Candidate { mac, internal: port.config.kind.ends_with("internal") })
                })
                .collect();
            running.mac = bridge_mac(bridge.hwaddr, &candidates, running.fallback_mac);
            running.datapath_id = datapath_id(bridge.datapath_id, running.mac);
            self.ports.set_mac(engine, &bridge.name, running.mac);
            // One that could not be changed runs as it did, and keeps its number.
            let exists = |i: &&desired::Interface| match self.ports.get(&i.name) {
                Some(_) => true,
                None => i.kind == "patch" && self.ports.error(&i.name).is_none(),
            };
            let claims: Vec<Claim<'_>> = interfaces()
                .filter(exists)
                .map(|i| Claim {
                    name: &i.name,
                    request: i.ofport_request,
                    former: running.ofports.get(&i.name).copied().or(i.ofport),
                })
                .collect();
            let numbers = assign_ofports(&bridge.name, &claims, &mut running.next_ofport);
            running.ofports = numbers.into_iter().map(|(n, p)| (n.to_owned(), p)).collect();
        }
    }

    pub(super) fn bridge_config(
        &self,
        bridge: &desired::Bridge,
        wants: &Wants,
    ) -> of::BridgeConfig {
        let mut config = of::BridgeConfig::new(&bridge.name);
        let Some(running) = self.bridges.get(&bridge.name) else { return config };
        config.datapath_id = running.datapath_id;
        config.mac = running.mac;
        config.fail_mode = bridge.fail_mode;
        config.protocols = bridge.protocols.clone();
        config.forward_bpdu = bridge.forward_bpdu;
        config.mac_learning = of::MacLearningConfig {
            aging_secs: bridge.mac_aging_s,
            table_size: bridge.mac_table_size,
            flood_vlans: bridge.flood_vlans.iter().copied().collect(),
        };
        if let Some(text) = &bridge.dp_desc {
            config.description.dp_desc.clone_from(text);
        }
        if let Some(text) = &bridge.dp_sn {
            config.description.serial_num.clone_from(text);
        }
        for port in &bridge.ports {
            let mut members = Vec::new();
            for iface in &port.interfaces {
                if let Some(port) = self.port_config(iface, running, wants) {
                    members.push(port.ofport);
                    config.ports.push(port);
                }
            }
            if !members.is_empty() {
                config.bundles.push(of::BundleConfig {
                    name: port.name.clone(),
                    members,
                    vlan: port.vlan.clone(),
                    protected: port.protected,
                });
            }
        }
        config
    }

    fn port_config(
        &self,
        iface: &desired::Interface,
        bridge: &RunningBridge,
        wants: &Wants,
    ) -> Option<of::PortConfig> {
        let ofport = *bridge.ofports.get(&iface.name)?;
        let (behind, status) = match self.ports.get(&iface.name) {
            Some(port) => {
                let status = self.engine.as_ref()?.port_status(port.no)?;
                (of::Behind::Datapath(port.no), Some(status))
            }
            None => (of::Behind::Patch { peer: wants.patches.get(&iface.name)?.clone() }, None),
        };
        let local = ofport == OfPort::LOCAL;
        let kind = if local { "internal" } else { iface.kind.as_str() };
        Some(of::PortConfig {
            name: iface.name.clone(),
            ofport,
            kind: shown_kind(device_kind(kind, bridge.dummy, self.options.dummy)).to_owned(),
            behind,
            mac: match &status {
                Some(status) => status.mac,
                None => *bridge.patch_macs.get(&iface.name)?,
            },
            link_up: status.as_ref().is_none_or(|s| s.link.up),
            admin_up: status.as_ref().is_none_or(|s| s.admin_up),
            features: features(status.as_ref().map(|s| s.link).unwrap_or_default()),
            mtu: status.as_ref().map_or(0, |s| s.mtu.into()),
        })
    }
}

/// What OpenFlow tells of a wire.
fn features(link: Link) -> of::PortFeatures {
    let modes = link.modes;
    of::PortFeatures {
        current: modes.current,
        advertised: modes.advertised,
        supported: modes.supported,
        peer: modes.peer,
        curr_speed: link.speed_mbps.unwrap_or(0).saturating_mul(1_000),
        max_speed: LinkModes::fastest_kbps(modes.supported),
    }
}
