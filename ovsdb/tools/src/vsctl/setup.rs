//! `init` and `emer-reset`.

use weir_ovsdb::{Atom, Datum};

use super::{Cmd, Ctx, VsctlCommand, arity};
use crate::ctl::{CtlError, Needs, ToolState};

pub(super) const COMMANDS: &[VsctlCommand] = &[
    VsctlCommand {
        name: "init",
        arity: arity(0, 0),
        arguments: "",
        options: "",
        read_only: false,
        needs: Needs::Nothing,
        run: init,
    },
    VsctlCommand {
        name: "emer-reset",
        arity: arity(0, 0),
        arguments: "",
        options: "",
        read_only: false,
        needs: Needs::Fixed(RESET),
        run: emer_reset,
    },
];

/// What `emer-reset` empties.
const RESET: &[(&str, &[&str])] = &[
    ("Open_vSwitch", &["manager_options", "ssl"]),
    (
        "Bridge",
        &[
            "controller",
            "fail_mode",
            "mirrors",
            "netflow",
            "sflow",
            "ipfix",
            "flood_vlans",
            "other_config",
        ],
    ),
    ("Port", &["other_config"]),
    ("Interface", &["ingress_policing_rate", "ingress_policing_burst"]),
];

/// Whose rows `emer-reset` deletes.
const DELETED: &[&str] = &[
    "Mirror",
    "Controller",
    "Manager",
    "NetFlow",
    "SSL",
    "sFlow",
    "IPFIX",
    "Flow_Sample_Collector_Set",
];

/// The row of the database is there already: the tool sees to that before any command.
fn init(_: &mut Ctx<'_>, _: &Cmd) -> Result<(), CtlError> {
    Ok(())
}

fn emer_reset(ctx: &mut Ctx<'_>, _: &Cmd) -> Result<(), CtlError> {
    let schema = ctx.replica.schema().clone();
    for (table, columns) in RESET {
        for row in ctx.rows(table) {
            for column in *columns {
                let type_ = schema.table(table).and_then(|t| t.column(column)).map(|c| &c.type_);
                let Some(type_) = type_ else { continue };
                let mut value = Datum::default_of(type_);
                // The address of the bridge survives.
                if (*table, *column) == ("Bridge", "other_config")
                    && let Some(old) = ctx.get(table, row, column)
                    && let Some(address) = old.get_str("hwaddr")
                {
                    value = Datum::map([(Atom::from("hwaddr"), Atom::from(address))]);
                }
                ctx.txn.set(table, row, column, value);
            }
        }
    }
    for table in DELETED {
        for row in ctx.rows(table) {
            ctx.txn.delete(table, row);
        }
    }
    ctx.state.invalidate();
    Ok(())
}
