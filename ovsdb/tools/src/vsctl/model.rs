//! Bridges, fake bridges, ports and interfaces by name, as the commands see them.
//!
//! A *fake bridge* is a port with `fake_bridge` set and a VLAN in `tag`: the ports of its parent
//! bridge that have the same tag count as its ports.

use std::collections::BTreeMap;

use weir_ovsdb::{Atom, Datum, Uuid};

use super::Ctx;
use crate::ctl::CtlError;

/// A bridge or fake bridge.
#[derive(Clone, Debug)]
pub(super) struct Bridge {
    pub(super) name: String,
    /// The row of the bridge, of a fake one that of its parent.
    pub(super) row: Uuid,
    /// The parent of a fake bridge.
    pub(super) parent: Option<String>,
    /// The VLAN of a fake bridge, else 0.
    pub(super) vlan: i64,
}

#[derive(Clone, Debug)]
pub(super) struct Port {
    pub(super) name: String,
    pub(super) row: Uuid,
    /// The bridge or fake bridge it belongs to.
    pub(super) bridge: String,
}

#[derive(Clone, Debug)]
pub(super) struct Iface {
    pub(super) row: Uuid,
    pub(super) port: String,
}

/// See the [module documentation](self).
#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) bridges: BTreeMap<String, Bridge>,
    pub(super) ports: BTreeMap<String, Port>,
    pub(super) ifaces: BTreeMap<String, Iface>,
    /// Fake bridges by parent and VLAN.
    vlan_bridges: BTreeMap<(String, i64), String>,
}

fn name(ctx: &Ctx<'_>, table: &str, row: Uuid) -> String {
    ctx.str(table, row, "name").unwrap_or_default()
}

/// The VLAN of a port's `tag`, if it is a valid one.
fn vlan(ctx: &Ctx<'_>, port: Uuid) -> Option<i64> {
    let tag = ctx.get("Port", port, "tag")?.single()?.as_integer()?;
    (0..=4095).contains(&tag).then_some(tag)
}

fn is_fake_bridge(ctx: &Ctx<'_>, port: Uuid) -> bool {
    let flag = ctx.get("Port", port, "fake_bridge");
    flag.is_some_and(|d| d.single() == Some(&Atom::Boolean(true)))
}

impl Model {
    /// Reads the database.
    pub(super) fn new(ctx: &mut Ctx<'_>) -> Self {
        let mut model = Self::default();
        let rows = ctx.uuids("Open_vSwitch", ctx.root, "bridges");
        let mut real = Vec::new();
        for row in rows {
            let bridge = name(ctx, "Bridge", row);
            if model.bridges.contains_key(&bridge) {
                let text = format!("{bridge}: database contains duplicate bridge name");
                ctx.warn_as_tool(text);
                continue;
            }
            real.push((row, bridge.clone()));
            model.add_bridge(ctx, Bridge { name: bridge, row, parent: None, vlan: 0 });
        }
        // The fake bridges are known before the ports are shared out among them.
        for (row, bridge) in &real {
            for port in ctx.uuids("Bridge", *row, "ports") {
                let (Some(vlan), true) = (vlan(ctx, port), is_fake_bridge(ctx, port)) else {
                    continue;
                };
                let name = name(ctx, "Port", port);
                if !model.bridges.contains_key(&name) {
                    let parent = Some(bridge.clone());
                    model.add_bridge(ctx, Bridge { name, row: *row, parent, vlan });
                }
            }
        }
        for (row, bridge) in &real {
            for port in ctx.uuids("Bridge", *row, "ports") {
                model.read_port(ctx, bridge, port);
            }
        }
        model
    }

    fn read_port(&mut self, ctx: &mut Ctx<'_>, bridge: &str, row: Uuid) {
        let port = name(ctx, "Port", row);
        if let Some(known) = self.ports.get(&port) {
            let text = if known.row == row {
                format!("{port}: port is in multiple bridges ({bridge} and {})", known.bridge)
            } else {
                format!("{port}: database contains duplicate port name")
            };
            ctx.warn_as_tool(text);
            return;
        }
        self.add_port(bridge, port.clone(), row, vlan(ctx, row));
        for iface in ctx.uuids("Port", row, "interfaces") {
            let name = name(ctx, "Interface", iface);
            if let Some(known) = self.ifaces.get(&name) {
                let text = if known.row == iface {
                    format!("{name}: interface is in multiple ports ({} and {port})", known.port)
                } else {
                    format!("{name}: database contains duplicate interface name")
                };
                ctx.warn_as_tool(text);
                continue;
            }
            self.ifaces.insert(name, Iface { row: iface, port: port.clone() });
        }
    }

    /// Adds a bridge.
    pub(super) fn add_bridge(&mut self, ctx: &mut Ctx<'_>, bridge: Bridge) {
        if let Some(parent) = &bridge.parent {
            let place = (parent.clone(), bridge.vlan);
            if let Some(other) = self.vlan_bridges.get(&place) {
                ctx.warn_as_tool(format!(
                    "{parent}: bridge has multiple VLAN bridges ({} and {other}) for VLAN {}, but \
                     only one is allowed",
                    bridge.name, bridge.vlan
                ));
            } else {
                self.vlan_bridges.insert(place, bridge.name.clone());
            }
        }
        self.bridges.insert(bridge.name.clone(), bridge);
    }

    /// Adds a port of the real bridge `bridge`; with the VLAN of a fake bridge it is that one's.
    pub(super) fn add_port(&mut self, bridge: &str, name: String, row: Uuid, vlan: Option<i64>) {
        let fake = vlan.and_then(|v| self.vlan_bridges.get(&(bridge.to_owned(), v)));
        let bridge = fake.cloned().unwrap_or_else(|| bridge.to_owned());
        self.ports.insert(name.clone(), Port { name, row, bridge });
    }

    /// Adds an interface.
    pub(super) fn add_iface(&mut self, port: &str, name: &str, row: Uuid) {
        self.ifaces.insert(name.to_owned(), Iface { row, port: port.to_owned() });
    }

    /// Gives the ports of `parent` that have the VLAN of one of its fake bridges to that one.
    pub(super) fn move_ports(&mut self, ctx: &Ctx<'_>, parent: &str, on: i64) {
        let Some(fake) = self.vlan_bridge(parent, on).cloned() else { return };
        for port in self.ports.values_mut().filter(|p| p.bridge == parent) {
            if vlan(ctx, port.row) == Some(on) {
                port.bridge.clone_from(&fake);
            }
        }
    }

    /// The fake bridge of `parent` on `vlan`.
    pub(super) fn vlan_bridge(&self, parent: &str, vlan: i64) -> Option<&String> {
        self.vlan_bridges.get(&(parent.to_owned(), vlan))
    }

    /// A bridge that must be there.
    pub(super) fn bridge(&self, name: &str) -> Result<&Bridge, CtlError> {
        let bridge = self.bridges.get(name);
        bridge.ok_or_else(|| CtlError::fatal(format!("no bridge named {name}")))
    }

    /// A bridge that must be there and real.
    pub(super) fn real_bridge(&self, name: &str) -> Result<&Bridge, CtlError> {
        let bridge = self.bridge(name)?;
        match bridge.parent {
            Some(_) => Err(CtlError::fatal(format!("{name} is a fake bridge"))),
            None => Ok(bridge),
        }
    }

    /// A port; the local port of a bridge is none in this sense.
    pub(super) fn find_port(&self, name: &str) -> Option<&Port> {
        self.ports.get(name).filter(|p| p.bridge != name)
    }

    /// A port that must be there.
    pub(super) fn port(&self, name: &str) -> Result<&Port, CtlError> {
        let port = self.find_port(name);
        port.ok_or_else(|| CtlError::fatal(format!("no port named {name}")))
    }

    /// The bridge of an interface.
    pub(super) fn bridge_of(&self, iface: &Iface) -> &str {
        self.ports.get(&iface.port).map_or("", |p| &p.bridge)
    }

    /// An interface; the local interface of a bridge is none in this sense.
    pub(super) fn find_iface(&self, name: &str) -> Option<&Iface> {
        self.ifaces.get(name).filter(|i| self.bridge_of(i) != name)
    }

    /// An interface that must be there.
    pub(super) fn iface(&self, name: &str) -> Result<&Iface, CtlError> {
        let iface = self.find_iface(name);
        iface.ok_or_else(|| CtlError::fatal(format!("no interface named {name}")))
    }

    /// The ports of a bridge, by name.
    pub(super) fn ports_of(&self, bridge: &str) -> impl Iterator<Item = &Port> {
        self.ports.values().filter(move |p| p.bridge == bridge)
    }

    /// No bridge, port or interface may be called `name`. `action` begins the complaint.
    pub(super) fn check_conflicts(
        &self,
        ctx: &mut Ctx<'_>,
        name: &str,
        action: &str,
    ) -> Result<(), CtlError> {
        self.verify_ports(ctx);
        let taken = if self.bridges.contains_key(name) {
            format!("a bridge named {name} already exists")
        } else if let Some(port) = self.ports.get(name) {
            format!("a port named {name} already exists on bridge {}", port.bridge)
        } else if let Some(iface) = self.ifaces.get(name) {
            let bridge = self.bridge_of(iface);
            format!("an interface named {name} already exists on bridge {bridge}")
        } else {
            return Ok(());
        };
        Err(CtlError::fatal(format!("{action} because {taken}")))
    }

    /// What was decided depends on the bridges' ports: if others change them, think again.
    pub(super) fn verify_ports(&self, ctx: &mut Ctx<'_>) {
        for bridge in self.bridges.values().filter(|b| b.parent.is_none()) {
            ctx.txn.verify("Bridge", bridge.row, "ports");
        }
    }

    /// Deletes a port and its interfaces, here and in the transaction.
    pub(super) fn delete_port(&mut self, ctx: &mut Ctx<'_>, name: &str) {
        let Some(port) = self.ports.remove(name) else { return };
        if let Some(bridge) = self.bridges.get(&port.bridge) {
            let gone = Datum::scalar(port.row);
            ctx.txn.remove_elements(ctx.replica, "Bridge", bridge.row, "ports", &gone);
        }
        self.ifaces.retain(|_, iface| {
            if iface.port == name {
                ctx.txn.delete("Interface", iface.row);
            }
            iface.port != name
        });
        ctx.txn.delete("Port", port.row);
    }

    /// Deletes a bridge with its fake bridges and ports, here and in the transaction.
    pub(super) fn delete_bridge(&mut self, ctx: &mut Ctx<'_>, name: &str) {
        let Some(bridge) = self.bridges.get(name).cloned() else { return };
        let is_child = |b: &&Bridge| b.parent.as_deref() == Some(name);
        let children: Vec<String> =
            self.bridges.values().filter(is_child).map(|b| b.name.clone()).collect();
        for child in children {
            self.delete_bridge(ctx, &child);
        }
        let ports: Vec<String> = self.ports_of(name).map(|p| p.name.clone()).collect();
        for port in ports {
            self.delete_port(ctx, &port);
        }
        if bridge.parent.is_none() {
            for row in ctx.rows("Flow_Sample_Collector_Set") {
                if ctx.uuids("Flow_Sample_Collector_Set", row, "bridge") == [bridge.row] {
                    ctx.txn.delete("Flow_Sample_Collector_Set", row);
                }
            }
            ctx.txn.delete("Bridge", bridge.row);
            let gone = Datum::scalar(bridge.row);
            let root = ctx.root;
            ctx.txn.remove_elements(ctx.replica, "Open_vSwitch", root, "bridges", &gone);
        }
        self.vlan_bridges.retain(|_, fake| fake != name);
        self.bridges.remove(name);
    }
}
