//! Commands about bridges.

use weir_ovsdb::{Atom, Datum, Uuid};

use super::model::{Bridge, Model};
use super::state::with_model;
use super::{Cmd, Ctx, INFO, VsctlCommand, arity};
use crate::ctl::{CtlError, Needs};

const fn read(
    name: &'static str,
    (min, max): (usize, usize),
    arguments: &'static str,
    options: &'static str,
    run: fn(&mut Ctx<'_>, &Cmd) -> Result<(), CtlError>,
) -> VsctlCommand {
    let (arity, needs) = (arity(min, max), Needs::Fixed(INFO));
    VsctlCommand { name, arity, arguments, options, read_only: true, needs, run }
}

const fn write(command: VsctlCommand) -> VsctlCommand {
    VsctlCommand { read_only: false, ..command }
}

pub(super) const COMMANDS: &[VsctlCommand] = &[
    write(read("add-br", (1, 3), "!NEW-BRIDGE ?PARENT ?NEW-VLAN", "--may-exist", add_br)),
    VsctlCommand {
        needs: Needs::Fixed(DELETE_NEEDS),
        ..write(read("del-br", (1, 1), "!BRIDGE", "--if-exists", del_br))
    },
    read("list-br", (0, 0), "", "--real,--fake", list_br),
    read("br-exists", (1, 1), "!BRIDGE", "", br_exists),
    read("br-to-vlan", (1, 1), "!BRIDGE", "", br_to_vlan),
    read("br-to-parent", (1, 1), "!BRIDGE", "", br_to_parent),
    write(read("br-set-external-id", (2, 3), "!BRIDGE !KEY ?VALUE", "", set_external_id)),
    read("br-get-external-id", (1, 2), "!BRIDGE ?KEY", "", get_external_id),
];

const DELETE_NEEDS: &[(&str, &[&str])] = &[
    ("Open_vSwitch", &["bridges"]),
    ("Bridge", &["name", "ports"]),
    ("Port", &["name", "fake_bridge", "tag", "interfaces"]),
    ("Interface", &["name"]),
    ("Flow_Sample_Collector_Set", &["bridge"]),
];

fn add_br(ctx: &mut Ctx<'_>, cmd: &Cmd) -> Result<(), CtlError> {
    let name = cmd.arg(0);
    let place = match &cmd.args[..] {
        [_] => None,
        [_, parent, vlan] => {
            // As atoi(3): no number is 0.
            let vlan: i64 = leading_int(vlan);
            if !(0..=4095).contains(&vlan) {
                return Err(CtlError::fatal("add-br: vlan must be between 0 and 4095"));
            }
            Some((parent.as_str(), vlan))
        }
        _ => return Err(CtlError::fatal("'add-br' command takes exactly 1 or 3 arguments")),
    };
    if name.is_empty() {
        return Err(CtlError::fatal("bridge name must not be empty string"));
    }
    with_model(ctx, |ctx, model| {
        if cmd.has("--may-exist")
            && let Some(bridge) = model.bridges.get(name)
        {
            return check_existing(bridge, place);
        }
        model.check_conflicts(ctx, name, &format!("cannot create a bridge named {name}"))?;
        match place {
            None => add_real(ctx, model, name),
            Some((parent, vlan)) => add_fake(ctx, model, name, parent, vlan),
        }
    })
}

/// C's `atoi`.
fn leading_int(text: &str) -> i64 {
    let text = text.trim_start();
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let value: i64 = digits[..end].parse().unwrap_or(0);
    if text.starts_with('-') { -value } else { value }
}

fn check_existing(bridge: &Bridge, place: Option<(&str, i64)>) -> Result<(), CtlError> {
    let name = &bridge.name;
    let text = match (place, &bridge.parent) {
        (None, None) => return Ok(()),
        (None, Some(_)) => format!(
            "\"--may-exist add-br {name}\" but {name} is a VLAN bridge for VLAN {}",
            bridge.vlan
        ),
        (Some((parent, vlan)), None) => {
            format!("\"--may-exist add-br {name} {parent} {vlan}\" but {name} is not a VLAN bridge")
        }
        (Some((parent, vlan)), Some(actual)) if actual != parent => format!(
            "\"--may-exist add-br {name} {parent} {vlan}\" but {name} has the wrong parent {actual}"
        ),
        (Some((parent, vlan)), Some(_)) if bridge.vlan != vlan => format!(
            "\"--may-exist add-br {name} {parent} {vlan}\" but {name} is a VLAN bridge for the \
             wrong VLAN {}",
            bridge.vlan
        ),
        _ => return Ok(()),
    };
    Err(CtlError::fatal(text))
}

/// A port with an internal interface of the same name: the port and the interface.
fn insert_local_port(ctx: &mut Ctx<'_>, name: &str) -> (Uuid, Uuid) {
    let iface = ctx.txn.insert("Interface");
    ctx.txn.set("Interface", iface, "name", Datum::scalar(name));
    ctx.txn.set("Interface", iface, "type", Datum::scalar("internal"));
    let port = ctx.txn.insert("Port");
    ctx.txn.set("Port", port, "name", Datum::scalar(name));
    ctx.txn.set("Port", port, "interfaces", Datum::scalar(iface));
    ctx.state.new_ifaces.push(iface);
    (port, iface)
}

fn add_real(ctx: &mut Ctx<'_>, model: &mut Model, name: &str) -> Result<(), CtlError> {
    let (port, iface) = insert_local_port(ctx, name);
    let row = ctx.txn.insert("Bridge");
    ctx.txn.set("Bridge", row, "name", Datum::scalar(name));
    ctx.txn.set("Bridge", row, "ports", Datum::scalar(port));
    let root = ctx.root;
    ctx.txn.add_elements(ctx.replica, "Open_vSwitch", root, "bridges", &Datum::scalar(row));
    model.add_bridge(ctx, Bridge { name: name.to_owned(), row, parent: None, vlan: 0 });
    model.add_port(name, name.to_owned(), port, None);
    model.add_iface(name, name, iface);
    Ok(())
}

fn add_fake(
    ctx: &mut Ctx<'_>,
    model: &mut Model,
    name: &str,
    parent: &str,
    vlan: i64,
) -> Result<(), CtlError> {
    let row = match model.bridges.get(parent) {
        Some(b) if b.parent.is_some() => {
            return Err(CtlError::fatal("cannot create bridge with fake bridge as parent"));
        }
        Some(b) => b.row,
        None => return Err(CtlError::fatal(format!("parent bridge {parent} does not exist"))),
    };
    if let Some(other) = model.vlan_bridge(parent, vlan) {
        return Err(CtlError::fatal(format!(
            "bridge {parent} already has a child VLAN bridge {other} on VLAN {vlan}"
        )));
    }
    let (port, iface) = insert_local_port(ctx, name);
    ctx.txn.set("Port", port, "fake_bridge", Datum::scalar(true));
    ctx.txn.set("Port", port, "tag", Datum::scalar(vlan));
    ctx.txn.add_elements(ctx.replica, "Bridge", row, "ports", &Datum::scalar(port));
    // Ports of the parent on this VLAN are the fake bridge's from now on.
    let bridge = Bridge { name: name.to_owned(), row, parent: Some(parent.to_owned()), vlan };
    model.add_bridge(ctx, bridge);
    model.add_port(parent, name.to_owned(), port, Some(vlan));
    model.add_iface(name, name, iface);
    model.move_ports(ctx, parent, vlan);
    Ok(())
}

fn del_br(ctx: &mut Ctx<'_>, cmd: &Cmd) -> Result<(), CtlError> {
    with_model(ctx, |ctx, model| {
        if !cmd.has("--if-exists") {
            model.bridge(cmd.arg(0))?;
        }
        model.delete_bridge(ctx, cmd.arg(0));
        Ok(())
    })
}

fn list_br(ctx: &mut Ctx<'_>, cmd: &Cmd) -> Result<(), CtlError> {
    let (real, fake) = (cmd.has("--real"), cmd.has("--fake"));
    let both = real == fake;
    with_model(ctx, |ctx, model| {
        for bridge in model.bridges.values() {
            if both || bridge.parent.is_some() == fake {
                ctx.print(&bridge.name);
            }
        }
        Ok(())
    })
}

fn br_exists(ctx: &mut Ctx<'_>, cmd: &Cmd) -> Result<(), CtlError> {
    with_model(ctx, |_, model| match model.bridges.contains_key(cmd.arg(0)) {
        true => Ok(()),
        false => Err(CtlError::Exit(2)),
    })
}

fn br_to_vlan(ctx: &mut Ctx<'_>, cmd: &Cmd) -> Result<(), CtlError> {
    with_model(ctx, |ctx, model| {
        ctx.print(model.bridge(cmd.arg(0))?.vlan.to_string());
        Ok(())
    })
}

fn br_to_parent(ctx: &mut Ctx<'_>, cmd: &Cmd) -> Result<(), CtlError> {
    with_model(ctx, |ctx, model| {
        let bridge = model.bridge(cmd.arg(0))?;
        ctx.print(bridge.parent.as_ref().unwrap_or(&bridge.name));
        Ok(())
    })
}

/// Where a bridge's external ids are: the ids of a fake bridge are those of its port, with a
/// prefix.
fn external_ids(model: &Model, name: &str) -> Result<(&'static str, Uuid, &'static str), CtlError> {
    let bridge = model.bridge(name)?;
    match (&bridge.parent, model.ports.get(name)) {
        (Some(_), Some(port)) => Ok(("Port", port.row, "fake-bridge-")),
        _ => Ok(("Bridge", bridge.row, "")),
    }
}

fn set_external_id(ctx: &mut Ctx<'_>, cmd: &Cmd) -> Result<(), CtlError> {
    with_model(ctx, |ctx, model| {
        let (table, row, prefix) = external_ids(model, cmd.arg(0))?;
        let key = Atom::from(format!("{prefix}{}", cmd.arg(1)));
        match cmd.args.get(2) {
            Some(value) => {
                let pair = Datum::map([(key, Atom::from(value.as_str()))]);
                ctx.txn.put_pairs(ctx.replica, table, row, "external_ids", &pair);
            }
            None => {
                let key = Datum::set([key]);
                ctx.txn.remove_elements(ctx.replica, table, row, "external_ids", &key);
            }
        }
        Ok(())
    })
}

fn get_external_id(ctx: &mut Ctx<'_>, cmd: &Cmd) -> Result<(), CtlError> {
    with_model(ctx, |ctx, model| {
        let (table, row, prefix) = external_ids(model, cmd.arg(0))?;
        let ids = ctx.datum(table, row, "external_ids");
        if let Some(key) = cmd.args.get(1) {
            if let Some(value) = ids.get_str(&format!("{prefix}{key}")) {
                ctx.print(value);
            }
            return Ok(());
        }
        for (key, value) in ids.pairs() {
            let key = key.as_str().and_then(|k| k.strip_prefix(prefix));
            if let (Some(key), Some(value)) = (key, value.as_str()) {
                ctx.print(format!("{key}={value}"));
            }
        }
        Ok(())
    })
}
