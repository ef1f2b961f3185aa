//! `list-dp-cap`: what a datapath is capable of.

use weir_ovsdb::Uuid;

use super::{Cmd, Ctx, VsctlCommand, arity};
use crate::ctl::{CtlError, Needs};

pub(super) const COMMANDS: &[VsctlCommand] = &[VsctlCommand {
    name: "list-dp-cap",
    arity: arity(1, 1),
    arguments: "!DATAPATH",
    options: "",
    read_only: true,
    needs: Needs::Fixed(&[("Open_vSwitch", &["datapaths"]), ("Datapath", &["capabilities"])]),
    run: list_dp_cap,
}];

/// The row of a datapath.
pub(super) fn find(ctx: &mut Ctx<'_>, name: &str) -> Option<Uuid> {
    let root = ctx.root;
    ctx.txn.verify("Open_vSwitch", root, "datapaths");
    let datapaths = ctx.get("Open_vSwitch", root, "datapaths")?;
    datapaths.get(&name.into())?.as_uuid()
}

fn list_dp_cap(ctx: &mut Ctx<'_>, cmd: &Cmd) -> Result<(), CtlError> {
    let name = cmd.arg(0);
    let Some(row) = find(ctx, name) else {
        return Err(CtlError::fatal(format!("datapath \"{name}\" record not found")));
    };
    let capabilities = ctx.datum("Datapath", row, "capabilities");
    let words: Vec<String> = capabilities
        .pairs()
        .map(|(k, v)| format!("{}={}", k.as_str().unwrap_or(""), v.as_str().unwrap_or("")))
        .collect();
    ctx.print(words.join(" "));
    Ok(())
}
