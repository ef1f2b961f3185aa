//! Commands about the mappings of Auto Attach: I-SID to VLAN.

use weir_ovsdb::{Atom, Datum};

use super::state::with_model;
use super::{Cmd, Ctx, VsctlCommand, arity};
use crate::ctl::{CtlError, Needs};

const NEEDS: Needs = Needs::Fixed(&[
    ("Open_vSwitch", &["bridges"]),
    ("Bridge", &["name", "ports", "auto_attach"]),
    ("Port", &["name", "fake_bridge", "tag", "interfaces"]),
    ("Interface", &["name"]),
    ("AutoAttach", &["mappings"]),
]);

pub(super) const COMMANDS: &[VsctlCommand] = &[
    VsctlCommand {
        name: "add-aa-mapping",
        arity: arity(3, 3),
        arguments: "!BRIDGE !ARG !ARG",
        options: "",
        read_only: false,
        needs: NEEDS,
        run: add,
    },
    VsctlCommand {
        name: "del-aa-mapping",
        arity: arity(3, 3),
        arguments: "!BRIDGE !ARG !ARG",
        options: "",
        read_only: false,
        needs: NEEDS,
        run: delete,
    },
    VsctlCommand {
        name: "get-aa-mapping",
        arity: arity(1, 1),
        arguments: "!BRIDGE",
        options: "",
        read_only: true,
        needs: NEEDS,
        run: get,
    },
];

/// A number, of which the leading digits count.
fn number(text: &str) -> Result<Atom, CtlError> {
    let digits = text.trim_start();
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    match digits[..end].parse() {
        Ok(number) => Ok(Atom::Integer(number)),
        Err(_) => Err(CtlError::fatal(format!("Invalid argument {text}"))),
    }
}

fn add(ctx: &mut Ctx<'_>, cmd: &Cmd) -> Result<(), CtlError> {
    let pair = Datum::map([(number(cmd.arg(1))?, number(cmd.arg(2))?)]);
    with_model(ctx, |ctx, model| {
        let bridge = model.bridge(cmd.arg(0))?.row;
        ctx.txn.verify("Bridge", bridge, "auto_attach");
        let row = match ctx.uuids("Bridge", bridge, "auto_attach").first() {
            Some(row) => *row,
            None => {
                let row = ctx.txn.insert("AutoAttach");
                ctx.txn.set("Bridge", bridge, "auto_attach", Datum::scalar(row));
                row
            }
        };
        ctx.txn.put_pairs(ctx.replica, "AutoAttach", row, "mappings", &pair);
        Ok(())
    })
}

fn delete(ctx: &mut Ctx<'_>, cmd: &Cmd) -> Result<(), CtlError> {
    let pair = Datum::map([(number(cmd.arg(1))?, number(cmd.arg(2))?)]);
    with_model(ctx, |ctx, model| {
        let bridge = model.bridge(cmd.arg(0))?.row;
        for row in ctx.uuids("Bridge", bridge, "auto_attach") {
            ctx.txn.remove_elements(ctx.replica, "AutoAttach", row, "mappings", &pair);
        }
        Ok(())
    })
}

fn get(ctx: &mut Ctx<'_>, cmd: &Cmd) -> Result<(), CtlError> {
    with_model(ctx, |ctx, model| {
        let bridge = model.bridge(cmd.arg(0))?.row;
        for row in ctx.uuids("Bridge", bridge, "auto_attach") {
            let mappings = ctx.datum("AutoAttach", row, "mappings");
            for (isid, vlan) in mappings.pairs() {
                let isid = isid.as_integer().unwrap_or_default();
                ctx.print(format!("{isid} {}", vlan.as_integer().unwrap_or_default()));
            }
        }
        Ok(())
    })
}
