//! Commands about ports.

use weir_ovsdb::{Atom, Datum};

use super::state::with_model;
use super::{ANY, Cmd, Ctx, INFO, VsctlCommand, arity};
use crate::ctl::db::set_column;
use crate::ctl::{CtlError, Needs, escape_arg};

pub(super) const COMMANDS: &[VsctlCommand] = &[
    VsctlCommand {
        name: "list-ports",
        arity: arity(1, 1),
        arguments: "!BRIDGE",
        options: "",
        read_only: true,
        needs: Needs::Fixed(INFO),
        run: list_ports,
    },
    VsctlCommand {
        name: "add-port",
        arity: arity(2, ANY),
        arguments: "!BRIDGE !NEW-PORT *COLUMN?:KEY=VALUE",
        options: "--may-exist",
        read_only: false,
        needs: Needs::Fixed(INFO),
        run: add_port,
    },
    VsctlCommand {
        name: "add-bond",
        arity: arity(4, ANY),
        arguments: "!BRIDGE !BOND +IFACE *COLUMN?:KEY=VALUE",
        options: "--may-exist,--fake-iface",
        read_only: false,
        needs: Needs::Fixed(INFO),
        run: add_bond,
    },
    VsctlCommand {
        name: "del-port",
        arity: arity(1, 2),
        arguments: "?BRIDGE !PORT|IFACE",
        options: "--if-exists,--with-iface",
        read_only: false,
        needs: Needs::Fixed(INFO),
        run: del_port,
    },
    VsctlCommand {
        name: "port-to-br",
        arity: arity(1, 1),
        arguments: "!PORT",
        options: "",
        read_only: true,
        needs: Needs::Fixed(INFO),
        run: port_to_br,
    },
];

/// The command as it was written, for complaints about `--may-exist`.
pub(super) fn as_written(cmd: &Cmd) -> String {
    let options = cmd.options.keys().map(String::as_str);
    let words = options.chain([cmd.command.name]).chain(cmd.args.iter().map(String::as_str));
    words.map(escape_arg).collect::<Vec<_>>().join(" ")
}

fn list_ports(ctx: &mut Ctx<'_>, cmd: &Cmd) -> Result<(), CtlError> {
    with_model(ctx, |ctx, model| {
        let bridge = &model.bridge(cmd.arg(0))?.name;
        for port in model.ports_of(bridge).filter(|p| p.name != *bridge) {
            ctx.print(&port.name);
        }
        Ok(())
    })
}

/// What is to be added.
struct NewPort<'a> {
    bridge: &'a str,
    name: &'a str,
    ifaces: &'a [String],
    settings: &'a [String],
    fake_iface: bool,
}

fn add_port(ctx: &mut Ctx<'_>, cmd: &Cmd) -> Result<(), CtlError> {
    let (Some(ifaces), Some(settings)) = (cmd.args.get(1..2), cmd.args.get(2..)) else {
        return Ok(());
    };
    let (bridge, name) = (cmd.arg(0), cmd.arg(1));
    add(ctx, cmd, &NewPort { bridge, name, ifaces, settings, fake_iface: false })
}

fn add_bond(ctx: &mut Ctx<'_>, cmd: &Cmd) -> Result<(), CtlError> {
    let rest = cmd.args.get(2..).unwrap_or_default();
    let count = rest.iter().position(|a| a.contains('=')).unwrap_or(rest.len());
    let (ifaces, settings) = rest.split_at(count);
    if count < 2 {
        return Err(CtlError::fatal(format!(
            "add-bond requires at least 2 interfaces, but only {count} were specified"
        )));
    }
    let (bridge, name) = (cmd.arg(0), cmd.arg(1));
    let fake_iface = cmd.has("--fake-iface");
    add(ctx, cmd, &NewPort { bridge, name, ifaces, settings, fake_iface })
}

fn add(ctx: &mut Ctx<'_>, cmd: &Cmd, new: &NewPort<'_>) -> Result<(), CtlError> {
    let name = new.name;
    if name.is_empty() {
        return Err(CtlError::fatal("port name must not be empty string"));
    }
    if new.ifaces.iter().any(String::is_empty) {
        return Err(CtlError::fatal("interface name must not be empty string"));
    }
    with_model(ctx, |ctx, model| {
        if cmd.has("--may-exist")
            && let Some(port) = model.find_port(name)
        {
            let row = port.row;
            if port.bridge != new.bridge {
                return Err(CtlError::fatal(format!(
                    "\"{}\" but {name} is actually attached to bridge {}",
                    as_written(cmd),
                    port.bridge
                )));
            }
            let of_port = |(_, i): &(&String, &super::model::Iface)| i.port == name;
            let have: Vec<&String> =
                model.ifaces.iter().filter(of_port).map(|(name, _)| name).collect();
            let mut want: Vec<&String> = new.ifaces.iter().collect();
            want.sort();
            if want != have {
                let have: Vec<&str> = have.into_iter().map(String::as_str).collect();
                return Err(CtlError::fatal(format!(
                    "\"{}\" but {name} actually has interface(s) {}",
                    as_written(cmd),
                    have.join(", ")
                )));
            }
            // The settings of a port that is there are brought up to date.
            return apply(ctx, row, new.settings);
        }
        model.check_conflicts(ctx, name, &format!("cannot create a port named {name}"))?;
        for iface in new.ifaces {
            let action = format!("cannot create an interface named {iface}");
            model.check_conflicts(ctx, iface, &action)?;
        }
        let bridge = model.bridge(new.bridge)?.clone();
        let mut rows = Vec::new();
        for iface in new.ifaces {
            let row = ctx.txn.insert("Interface");
            ctx.txn.set("Interface", row, "name", Datum::scalar(iface.as_str()));
            ctx.state.new_ifaces.push(row);
            rows.push(row);
        }
        let port = ctx.txn.insert("Port");
        ctx.txn.set("Port", port, "name", Datum::scalar(name));
        let atoms = rows.iter().copied().map(Atom::Uuid);
        ctx.txn.set("Port", port, "interfaces", Datum::set(atoms));
        ctx.txn.set("Port", port, "bond_fake_iface", Datum::scalar(new.fake_iface));
        if bridge.parent.is_some() {
            ctx.txn.set("Port", port, "tag", Datum::scalar(bridge.vlan));
        }
        apply(ctx, port, new.settings)?;
        ctx.txn.add_elements(ctx.replica, "Bridge", bridge.row, "ports", &Datum::scalar(port));
        let vlan = ctx.get("Port", port, "tag").and_then(|d| d.single()?.as_integer());
        let real = bridge.parent.as_deref().unwrap_or(&bridge.name);
        model.add_port(real, name.to_owned(), port, vlan);
        for (iface, row) in new.ifaces.iter().zip(rows) {
            model.add_iface(name, iface, row);
        }
        Ok(())
    })
}

fn apply(ctx: &mut Ctx<'_>, port: weir_ovsdb::Uuid, settings: &[String]) -> Result<(), CtlError> {
    let table = ctx.table("Port")?;
    settings.iter().try_for_each(|setting| set_column(ctx, &table, port, setting))
}

fn del_port(ctx: &mut Ctx<'_>, cmd: &Cmd) -> Result<(), CtlError> {
    let must_exist = !cmd.has("--if-exists");
    let target = cmd.args.last().map_or("", String::as_str);
    with_model(ctx, |ctx, model| {
        model.verify_ports(ctx);
        if model.bridges.contains_key(target) {
            return match must_exist {
                false => Ok(()),
                true => Err(CtlError::fatal(format!(
                    "cannot delete port {target} because it is the local port for bridge {target} \
                     (deleting this port requires deleting the entire bridge)"
                ))),
            };
        }
        let mut found = model.find_port(target);
        if found.is_none() && cmd.has("--with-iface") {
            found = model.find_iface(target).and_then(|i| model.ports.get(&i.port));
        }
        let Some(port) = found.cloned() else {
            return match (must_exist, cmd.has("--with-iface")) {
                (false, _) => Ok(()),
                (true, false) => model.port(target).map(drop),
                (true, true) => {
                    Err(CtlError::fatal(format!("no port or interface named {target}")))
                }
            };
        };
        if cmd.args.len() == 2 {
            let bridge = model.bridge(cmd.arg(0))?;
            let actual = model.bridge(&port.bridge)?;
            if actual.name != bridge.name {
                let text = format!("bridge {} does not have a port {target}", bridge.name);
                return Err(CtlError::fatal(match &actual.parent {
                    Some(parent) if *parent == bridge.name => {
                        format!("{text} (although its child bridge {} does)", actual.name)
                    }
                    _ => text,
                }));
            }
        }
        model.delete_port(ctx, &port.name);
        Ok(())
    })
}

fn port_to_br(ctx: &mut Ctx<'_>, cmd: &Cmd) -> Result<(), CtlError> {
    with_model(ctx, |ctx, model| {
        ctx.print(&model.port(cmd.arg(0))?.bridge);
        Ok(())
    })
}
