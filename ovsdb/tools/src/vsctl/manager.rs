//! Commands about managers: who may connect to the database.

use super::controller::{print_targets, replace_targets};
use super::{ANY, Cmd, Ctx, VsctlCommand, arity};
use crate::ctl::{CtlError, Needs};

const NEEDS: Needs =
    Needs::Fixed(&[("Open_vSwitch", &["manager_options"]), ("Manager", &["target"])]);

pub(super) const COMMANDS: &[VsctlCommand] = &[
    VsctlCommand {
        name: "get-manager",
        arity: arity(0, 0),
        arguments: "",
        options: "",
        read_only: true,
        needs: NEEDS,
        run: get_manager,
    },
    VsctlCommand {
        name: "del-manager",
        arity: arity(0, 0),
        arguments: "",
        options: "",
        read_only: false,
        needs: NEEDS,
        run: set_manager,
    },
    VsctlCommand {
        name: "set-manager",
        arity: arity(1, ANY),
        arguments: "+TARGET",
        options: "--inactivity-probe=",
        read_only: false,
        needs: NEEDS,
        run: set_manager,
    },
];

fn get_manager(ctx: &mut Ctx<'_>, _: &Cmd) -> Result<(), CtlError> {
    print_targets(ctx, "Open_vSwitch", ctx.root, "manager_options");
    Ok(())
}

/// `del-manager` sets none.
fn set_manager(ctx: &mut Ctx<'_>, cmd: &Cmd) -> Result<(), CtlError> {
    let place = ("Open_vSwitch", ctx.root, "manager_options");
    replace_targets(ctx, place, "Manager", &cmd.args, cmd.option("--inactivity-probe"))
}
