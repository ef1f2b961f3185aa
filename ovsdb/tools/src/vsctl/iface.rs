//! Commands about interfaces.

use super::state::with_model;
use super::{Cmd, Ctx, INFO, VsctlCommand, arity};
use crate::ctl::{CtlError, Needs};

pub(super) const COMMANDS: &[VsctlCommand] = &[
    VsctlCommand {
        name: "list-ifaces",
        arity: arity(1, 1),
        arguments: "!BRIDGE",
        options: "",
        read_only: true,
        needs: Needs::Fixed(INFO),
        run: list_ifaces,
    },
    VsctlCommand {
        name: "iface-to-br",
        arity: arity(1, 1),
        arguments: "!IFACE",
        options: "",
        read_only: true,
        needs: Needs::Fixed(INFO),
        run: iface_to_br,
    },
];

fn list_ifaces(ctx: &mut Ctx<'_>, cmd: &Cmd) -> Result<(), CtlError> {
    with_model(ctx, |ctx, model| {
        let bridge = &model.bridge(cmd.arg(0))?.name;
        for (name, iface) in &model.ifaces {
            if model.bridge_of(iface) == bridge && name != bridge {
                ctx.print(name);
            }
        }
        Ok(())
    })
}

fn iface_to_br(ctx: &mut Ctx<'_>, cmd: &Cmd) -> Result<(), CtlError> {
    with_model(ctx, |ctx, model| {
        ctx.print(model.bridge_of(model.iface(cmd.arg(0))?));
        Ok(())
    })
}
