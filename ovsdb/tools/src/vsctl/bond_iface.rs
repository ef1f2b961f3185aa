//! Commands about the interfaces of a bond.

use weir_ovsdb::Datum;

use super::port::as_written;
use super::state::with_model;
use super::{Cmd, Ctx, INFO, VsctlCommand, arity};
use crate::ctl::{CtlError, Needs};

pub(super) const COMMANDS: &[VsctlCommand] = &[
    VsctlCommand {
        name: "add-bond-iface",
        arity: arity(2, 2),
        arguments: "!BOND !IFACE",
        options: "--may-exist",
        read_only: false,
        needs: Needs::Fixed(INFO),
        run: add_bond_iface,
    },
    VsctlCommand {
        name: "del-bond-iface",
        arity: arity(1, 2),
        arguments: "?BOND !IFACE",
        options: "--if-exists",
        read_only: false,
        needs: Needs::Fixed(INFO),
        run: del_bond_iface,
    },
];

fn add_bond_iface(ctx: &mut Ctx<'_>, cmd: &Cmd) -> Result<(), CtlError> {
    let (bond, name) = (cmd.arg(0), cmd.arg(1));
    if name.is_empty() {
        return Err(CtlError::fatal("interface name must not be empty string"));
    }
    with_model(ctx, |ctx, model| {
        let port = model.port(bond)?.clone();
        ctx.txn.verify("Port", port.row, "interfaces");
        if cmd.has("--may-exist")
            && let Some(iface) = model.find_iface(name)
        {
            return match iface.port == bond {
                true => Ok(()),
                false => Err(CtlError::fatal(format!(
                    "\"{}\" but {name} is actually attached to port {}",
                    as_written(cmd),
                    iface.port
                ))),
            };
        }
        let action = format!("cannot create an interface named {name}");
        model.check_conflicts(ctx, name, &action)?;
        let row = ctx.txn.insert("Interface");
        ctx.txn.set("Interface", row, "name", Datum::scalar(name));
        ctx.txn.add_elements(ctx.replica, "Port", port.row, "interfaces", &Datum::scalar(row));
        ctx.state.new_ifaces.push(row);
        model.add_iface(bond, name, row);
        Ok(())
    })
}

fn del_bond_iface(ctx: &mut Ctx<'_>, cmd: &Cmd) -> Result<(), CtlError> {
    let must_exist = !cmd.has("--if-exists");
    let name = cmd.args.last().map_or("", String::as_str);
    let bond = (cmd.args.len() == 2).then(|| cmd.arg(0));
    with_model(ctx, |ctx, model| {
        let bond_row = bond.map(|b| model.port(b).map(|p| p.row)).transpose()?;
        let found = match must_exist {
            true => Some(model.iface(name)?),
            false => model.find_iface(name),
        };
        let Some(iface) = found.cloned() else { return Ok(()) };
        if let (Some(bond), Some(_)) = (bond, bond_row)
            && iface.port != bond
        {
            return match must_exist {
                false => Ok(()),
                true => {
                    Err(CtlError::fatal(format!("port {bond} does not have an interface {name}")))
                }
            };
        }
        let Some(port) = model.ports.get(&iface.port) else { return Ok(()) };
        ctx.txn.verify("Port", port.row, "interfaces");
        if model.ifaces.values().filter(|i| i.port == port.name).count() < 2 {
            let text = format!("cannot delete last interface from port {}", port.name);
            return Err(CtlError::fatal(text));
        }
        let gone = Datum::scalar(iface.row);
        ctx.txn.remove_elements(ctx.replica, "Port", port.row, "interfaces", &gone);
        ctx.txn.delete("Interface", iface.row);
        model.ifaces.remove(name);
        Ok(())
    })
}
