//! The difference between what is wanted and what runs: which datapath ports go, which come.
//! Plain data in, plain data out.

use std::collections::{BTreeMap, BTreeSet};

use weir_engine::PortConfig;

use crate::datapath_types::{device_kind, is_dummy_datapath, is_known};
use crate::desired::{Desired, Interface, parse_mac};
use crate::options::Dummy;

/// A datapath port that is wanted.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// What the engine is told.
    pub config: PortConfig,
    /// Is it in a datapath of dummies, where numbers follow names?
    pub dummy: bool,
}

/// All datapath ports that are wanted, by interface name, and interfaces that cannot be had.
#[derive(Debug, Default)]
pub struct Wants {
    /// Ports of the engine.
    pub ports: BTreeMap<String, Wanted>,
    /// Patch ports, which exist in translation only, and their peers.
    pub patches: BTreeMap<String, String>,
    /// Why an interface cannot exist, for its `error` column.
    pub refused: BTreeMap<String, String>,
}

impl Wants {
    /// What is wrong with a patch port whose peer does not name it in turn.
    #[must_use]
    pub fn without_peer(&self, name: &str, dp_type: &str) -> Option<String> {
        let peer = self.patches.get(name)?;
        let paired = self.patches.get(peer).is_some_and(|back| back == name);
        (!paired).then(|| format!("No usable peer '{peer}' exists in '{dp_type}' datapath."))
    }
}

/// Reads from the desired state which ports the engine should have.
#[must_use]
pub fn wants(desired: &Desired, dummy: Dummy) -> Wants {
    let mut wants = Wants::default();
    for bridge in &desired.bridges {
        let dummies = is_dummy_datapath(&bridge.datapath_type, dummy);
        for iface in bridge.ports.iter().flat_map(|p| &p.interfaces) {
            let name = &iface.name;
            // The bridge's own port is internal whatever its row says.
            let kind = if *name == bridge.name { "internal" } else { iface.kind.as_str() };
            if !is_known(kind, dummy) {
                let text = format!("could not create type {kind}: unknown interface type");
                wants.refused.insert(name.clone(), text);
            } else if wants.ports.contains_key(name) || wants.patches.contains_key(name) {
                let text = format!("{name}: an interface of this name is in another bridge");
                wants.refused.insert(name.clone(), text);
            } else if kind == "patch" {
                match iface.options.get("peer") {
                    Some(peer) if peer == name => {
                        let text = format!("{name}: patch peer must not be self");
                        wants.refused.insert(name.clone(), text);
                    }
                    Some(peer) => drop(wants.patches.insert(name.clone(), peer.clone())),
                    None => {
                        let text = format!("{name}: patch type requires valid 'peer' argument");
                        wants.refused.insert(name.clone(), text);
                    }
                }
            } else {
                let config = port_config(iface, device_kind(kind, dummies, dummy));
                wants.ports.insert(name.clone(), Wanted { config, dummy: dummies });
            }
        }
    }
    wants
}

fn port_config(iface: &Interface, kind: &str) -> PortConfig {
    let mac = iface.mac.or_else(|| parse_mac(iface.options.get("mac")?));
    PortConfig {
        name: iface.name.clone(),
        kind: kind.to_owned(),
        options: iface.options.clone(),
        mtu: iface.mtu_request.and_then(|m| u16::try_from(m).ok()),
        mac: mac.filter(|_| iface.kind != "system"),
        emc_disabled: !iface.emc,
        rxq_affinity: iface.rxq_affinity.clone(),
    }
}

/// What has to change, by names of ports.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Ports to remove, before anything else.
    pub remove: Vec<String>,
    /// Ports to change while they run.
    pub change: Vec<String>,
    /// Ports to add.
    pub add: Vec<String>,
}

/// Compares the ports that run with those that are wanted.
#[must_use]
pub fn difference<'a>(
    running: impl Iterator<Item = (&'a String, &'a PortConfig)>,
    wants: &Wants,
) -> Difference {
    let mut diff = Difference::default();
    let mut kept = BTreeSet::new();
    for (name, config) in running {
        match wants.ports.get(name) {
            // Another type is another device.
            Some(wanted) if wanted.config.kind == config.kind => {
                kept.insert(name);
                if wanted.config != *config {
                    diff.change.push(name.clone());
                }
            }
            _ => diff.remove.push(name.clone()),
        }
    }
    diff.add = wants.ports.keys().filter(|n| !kept.contains(n)).cloned().collect();
    diff
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::{Bridge, Port};

    fn interface(name: &str, kind: &str, options: &[(&str, &str)]) -> Interface {
        Interface {
            uuid: weir_ovsdb::Uuid::nil(),
            name: name.to_owned(),
            kind: kind.to_owned(),
            options: options.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            other_config: BTreeMap::new(),
            rxq_affinity: BTreeMap::new(),
            emc: true,
            ofport: None,
            ofport_request: None,
            mac: None,
            mtu_request: None,
            error: None,
        }
    }

    fn desired(interfaces: Vec<Interface>) -> Desired {
        let port = |i: Interface| Port {
            uuid: weir_ovsdb::Uuid::nil(),
            name: i.name.clone(),
            interfaces: vec![i],
            vlan: weir_ofproto::config::VlanConfig::default(),
            protected: false,
            mac: None,
        };
        let bridge = Bridge {
            ports: interfaces.into_iter().map(port).collect(),
            ..Bridge::named("br0", "dummy")
        };
        Desired { bridges: vec![bridge], ..Desired::default() }
    }

    #[test]
    fn only_what_changed_is_made_anew() {
        let d = desired(vec![
            interface("br0", "internal", &[]),
            interface("p1", "dummy", &[]),
            interface("p2", "dummy", &[("pcap", "x")]),
        ]);
        let w = wants(&d, Dummy::On);
        assert_eq!(w.ports["br0"].config.kind, "dummy-internal");
        let mut running: BTreeMap<String, PortConfig> =
            w.ports.iter().map(|(n, w)| (n.clone(), w.config.clone())).collect();
        assert_eq!(difference(running.iter(), &w), Difference::default());
        running.get_mut("p1").unwrap().mtu = Some(9000);
        running.get_mut("p2").unwrap().kind = "tap".to_owned();
        running.insert("p3".into(), PortConfig::default());
        let diff = difference(running.iter(), &w);
        assert_eq!(diff.remove, ["p2", "p3"]);
        assert_eq!(diff.add, ["p2"]);
        assert_eq!(diff.change, ["p1"]);
    }

    #[test]
    fn what_cannot_exist_is_refused_with_a_reason() {
        let d = desired(vec![
            interface("a", "frob", &[]),
            interface("b", "patch", &[]),
            interface("c", "patch", &[("peer", "c")]),
            interface("d", "patch", &[("peer", "e")]),
        ]);
        let w = wants(&d, Dummy::Off);
        assert_eq!(w.refused.keys().collect::<Vec<_>>(), ["a", "b", "c"]);
        let lonely = w.without_peer("d", "netdev").unwrap();
        assert_eq!(lonely, "No usable peer 'e' exists in 'netdev' datapath.");
    }
}
