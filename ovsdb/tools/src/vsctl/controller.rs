//! Commands about controllers and what a bridge does without them.

use weir_ovsdb::{Atom, Datum};
use weir_runtime::stream::Target;

use super::state::with_model;
use super::{ANY, Cmd, Ctx, INFO, VsctlCommand, arity};
use crate::ctl::{CtlError, Needs};

const fn command(
    name: &'static str,
    (min, max): (usize, usize),
    arguments: &'static str,
    options: &'static str,
    run: fn(&mut Ctx<'_>, &Cmd) -> Result<(), CtlError>,
) -> VsctlCommand {
    let (arity, needs) = (arity(min, max), Needs::Fixed(INFO));
    VsctlCommand { name, arity, arguments, options, read_only: false, needs, run }
}

const fn read_only(command: VsctlCommand) -> VsctlCommand {
    VsctlCommand { read_only: true, ..command }
}

pub(super) const COMMANDS: &[VsctlCommand] = &[
    read_only(command("get-controller", (1, 1), "!BRIDGE", "", get_controller)),
    command("del-controller", (1, 1), "!BRIDGE", "", del_controller),
    command("set-controller", (1, ANY), "!BRIDGE +TARGET", "--inactivity-probe=", set_controller),
    read_only(command("get-fail-mode", (1, 1), "!BRIDGE", "", get_fail_mode)),
    command("del-fail-mode", (1, 1), "!BRIDGE", "", del_fail_mode),
    command("set-fail-mode", (2, 2), "!BRIDGE !MODE", "", set_fail_mode),
];

/// The rows in `column` of a row; what is done depends on them.
fn targets(ctx: &mut Ctx<'_>, table: &str, row: weir_ovsdb::Uuid, column: &str) -> Vec<String> {
    ctx.txn.verify(table, row, column);
    let target_table = if table == "Bridge" { "Controller" } else { "Manager" };
    let rows = ctx.uuids(table, row, column);
    let mut targets: Vec<String> =
        rows.into_iter().filter_map(|r| ctx.str(target_table, r, "target")).collect();
    targets.sort();
    targets
}

/// Prints the targets of the rows that a column refers to.
pub(super) fn print_targets(ctx: &mut Ctx<'_>, table: &str, row: weir_ovsdb::Uuid, column: &str) {
    for target in targets(ctx, table, row, column) {
        ctx.print(target);
    }
}

/// Replaces the rows that a column refers to by new ones for `targets`.
pub(super) fn replace_targets(
    ctx: &mut Ctx<'_>,
    (table, row, column): (&str, weir_ovsdb::Uuid, &str),
    target_table: &str,
    targets: &[String],
    probe: Option<&str>,
) -> Result<(), CtlError> {
    ctx.txn.verify(table, row, column);
    for old in ctx.uuids(table, row, column) {
        ctx.txn.delete(target_table, old);
    }
    let mut new = Vec::new();
    for target in targets {
        if !Target::is_active(target) && !Target::is_passive(target) {
            let text = format!("target type \"{target}\" is possibly erroneous");
            ctx.warn_as_tool(text);
        }
        let row = ctx.txn.insert(target_table);
        ctx.txn.set(target_table, row, "target", Datum::scalar(target.as_str()));
        if let Some(probe) = probe {
            let schema = ctx.table(target_table)?;
            let setting = format!("inactivity_probe={probe}");
            crate::ctl::db::set_column(ctx, &schema, row, &setting)?;
        }
        new.push(Atom::Uuid(row));
    }
    ctx.txn.set(table, row, column, Datum::set(new));
    Ok(())
}

fn get_controller(ctx: &mut Ctx<'_>, cmd: &Cmd) -> Result<(), CtlError> {
    with_model(ctx, |ctx, model| {
        print_targets(ctx, "Bridge", model.bridge(cmd.arg(0))?.row, "controller");
        Ok(())
    })
}

fn del_controller(ctx: &mut Ctx<'_>, cmd: &Cmd) -> Result<(), CtlError> {
    with_model(ctx, |ctx, model| {
        let row = model.real_bridge(cmd.arg(0))?.row;
        if ctx.uuids("Bridge", row, "controller").is_empty() {
            return Ok(());
        }
        replace_targets(ctx, ("Bridge", row, "controller"), "Controller", &[], None)
    })
}

fn set_controller(ctx: &mut Ctx<'_>, cmd: &Cmd) -> Result<(), CtlError> {
    with_model(ctx, |ctx, model| {
        let row = model.real_bridge(cmd.arg(0))?.row;
        let targets = cmd.args.get(1..).unwrap_or_default();
        let probe = cmd.option("--inactivity-probe");
        replace_targets(ctx, ("Bridge", row, "controller"), "Controller", targets, probe)
    })
}

fn get_fail_mode(ctx: &mut Ctx<'_>, cmd: &Cmd) -> Result<(), CtlError> {
    with_model(ctx, |ctx, model| {
        let row = model.bridge(cmd.arg(0))?.row;
        if let Some(mode) = ctx.str("Bridge", row, "fail_mode").filter(|m| !m.is_empty()) {
            ctx.print(mode);
        }
        Ok(())
    })
}

fn del_fail_mode(ctx: &mut Ctx<'_>, cmd: &Cmd) -> Result<(), CtlError> {
    with_model(ctx, |ctx, model| {
        let row = model.real_bridge(cmd.arg(0))?.row;
        ctx.txn.set("Bridge", row, "fail_mode", Datum::empty());
        Ok(())
    })
}

fn set_fail_mode(ctx: &mut Ctx<'_>, cmd: &Cmd) -> Result<(), CtlError> {
    with_model(ctx, |ctx, model| {
        let row = model.real_bridge(cmd.arg(0))?.row;
        let mode = cmd.arg(1);
        if mode != "standalone" && mode != "secure" {
            return Err(CtlError::fatal("fail-mode must be \"standalone\" or \"secure\""));
        }
        ctx.txn.set("Bridge", row, "fail_mode", Datum::scalar(mode));
        Ok(())
    })
}
