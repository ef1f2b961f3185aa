//! Commands about keys and certificates.

use weir_ovsdb::{Atom, Datum};

use super::{Cmd, Ctx, VsctlCommand, arity};
use crate::ctl::{CtlError, Needs};

const NEEDS: Needs = Needs::Fixed(&[
    ("Open_vSwitch", &["ssl"]),
    ("SSL", &["private_key", "certificate", "ca_cert", "bootstrap_ca_cert"]),
]);

pub(super) const COMMANDS: &[VsctlCommand] = &[
    VsctlCommand {
        name: "get-ssl",
        arity: arity(0, 0),
        arguments: "",
        options: "",
        read_only: true,
        needs: NEEDS,
        run: get_ssl,
    },
    VsctlCommand {
        name: "del-ssl",
        arity: arity(0, 0),
        arguments: "",
        options: "",
        read_only: false,
        needs: NEEDS,
        run: del_ssl,
    },
    VsctlCommand {
        name: "set-ssl",
        arity: arity(3, 3),
        arguments: "!PRIVATE-KEY !CERTIFICATE !CA-CERT",
        options: "--bootstrap",
        read_only: false,
        needs: NEEDS,
        run: set_ssl,
    },
];

fn current(ctx: &mut Ctx<'_>) -> Option<weir_ovsdb::Uuid> {
    let root = ctx.root;
    ctx.txn.verify("Open_vSwitch", root, "ssl");
    ctx.uuids("Open_vSwitch", root, "ssl").first().copied()
}

fn get_ssl(ctx: &mut Ctx<'_>, _: &Cmd) -> Result<(), CtlError> {
    let Some(row) = current(ctx) else { return Ok(()) };
    let text = |column| ctx.str("SSL", row, column).unwrap_or_default();
    let (key, cert, ca) = (text("private_key"), text("certificate"), text("ca_cert"));
    let bootstrap = ctx.get("SSL", row, "bootstrap_ca_cert");
    let bootstrap = bootstrap.is_some_and(|d| d.single() == Some(&Atom::Boolean(true)));
    ctx.print(format!("Private key: {key}"));
    ctx.print(format!("Certificate: {cert}"));
    ctx.print(format!("CA Certificate: {ca}"));
    ctx.print(format!("Bootstrap: {bootstrap}"));
    Ok(())
}

fn del_ssl(ctx: &mut Ctx<'_>, _: &Cmd) -> Result<(), CtlError> {
    if let Some(row) = current(ctx) {
        ctx.txn.delete("SSL", row);
        let root = ctx.root;
        ctx.txn.set("Open_vSwitch", root, "ssl", Datum::empty());
    }
    Ok(())
}

fn set_ssl(ctx: &mut Ctx<'_>, cmd: &Cmd) -> Result<(), CtlError> {
    if let Some(row) = current(ctx) {
        ctx.txn.delete("SSL", row);
    }
    let row = ctx.txn.insert("SSL");
    for (column, value) in ["private_key", "certificate", "ca_cert"].into_iter().zip(&cmd.args) {
        ctx.txn.set("SSL", row, column, Datum::scalar(value.as_str()));
    }
    let bootstrap = Datum::scalar(cmd.has("--bootstrap"));
    ctx.txn.set("SSL", row, "bootstrap_ca_cert", bootstrap);
    let root = ctx.root;
    ctx.txn.set("Open_vSwitch", root, "ssl", Datum::scalar(row));
    Ok(())
}
