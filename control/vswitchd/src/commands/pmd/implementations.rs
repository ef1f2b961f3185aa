//! Commands about implementations that Open vSwitch can exchange: look-up in subtables, extraction of
//! miniflows, the datapath's input, execution of actions. Weir has one of each, and says so; asking for
//! another is an error.

use std::collections::HashSet;

use weir_flow::Datapath as _;
use weir_flow::slowpath::Revalidation;
use weir_runtime::unixctl::{CommandResult, Commands, Outcome};

use super::args::Args;
use super::{NO_DATAPATH, selected};
use crate::switchd::Switchd;

pub(super) fn register(commands: &mut Commands<Switchd>) {
    for name in ["dpif-netdev/subtable-lookup-info-get", "dpif-netdev/subtable-lookup-prio-get"] {
        commands.add(name, "", 0, 0, |s: &mut Switchd, _| {
            let n = subtables(s);
            Outcome::text(format!(
                "Available dpcls implementations:\n  generic (Use count: {n}, Priority: 1)\n"
            ))
        });
    }
    let usage = "[lookup_func] [prio]";
    commands.add("dpif-netdev/subtable-lookup-prio-set", usage, 2, 2, |_, args| match args {
        [_, prio] if prio.parse::<u8>().is_err() => {
            Err("error converting priority, use integer in range 0-255".to_owned())
        }
        [name, _] if name == "generic" => {
            Outcome::text("Lookup priority change affected 0 dpcls ports and 0 subtables.\n")
        }
        _ => Err("error, subtable lookup function not found".to_owned()),
    });
    commands.add("dpif-netdev/miniflow-parser-get", "", 0, 0, |s: &mut Switchd, _| {
        let pmds = cores(s);
        Outcome::text(format!(
            "Available MFEX implementations:\n  scalar (available: True pmds: {pmds})\n"
        ))
    });
    let usage = "[-pmd core] miniflow_implementation_name [study_pkt_cnt]";
    commands.add("dpif-netdev/miniflow-parser-set", usage, 1, 5, |s: &mut Switchd, args| {
        set_miniflow_parser(s, args)
    });
    commands.add("dpif-netdev/dpif-impl-get", "", 0, 0, |s: &mut Switchd, _| {
        let pmds = cores(s);
        Outcome::text(format!("Available DPIF implementations:\n  dpif_scalar (pmds: {pmds})\n"))
    });
    let usage = "dpif_implementation_name";
    commands.add("dpif-netdev/dpif-impl-set", usage, 1, 1, |_, args| {
        only("dpif_scalar", args, "DPIF implementation set to dpif_scalar.\n", |name| {
            format!("DPIF implementation not available: Unknown DPIF implementation {name}.")
        })
    });
    commands.add("odp-execute/action-impl-show", "", 0, 0, |_, _| {
        Outcome::text(
            "Available Actions implementations:\n  scalar (available: Yes, active: Yes)\n",
        )
    });
    commands.add("odp-execute/action-impl-set", "name", 1, 1, |_, args| {
        only("scalar", args, "Action implementation set to scalar.\n", |name| {
            format!("Error: unknown action implementation, {name}, specified!")
        })
    });
    // There are no bonds in the datapath: translation picks their members.
    commands.add("dpif-netdev/bond-show", "[dp]", 0, 1, |s: &mut Switchd, args| {
        if s.engine.is_none() || !args.iter().all(|dp| s.is_datapath(dp)) {
            return Err(NO_DATAPATH.to_owned());
        }
        Outcome::empty()
    });
}

/// Megaflows' masks, for each thread and ingress port.
fn subtables(state: &Switchd) -> usize {
    let mut masks = HashSet::new();
    if let Some(engine) = &state.engine {
        engine.visit(&mut |view| {
            let words = view.mask.0.words().to_vec();
            masks.insert((view.core, view.key.in_port.get(), words));
            Revalidation::Keep { credited: view.credited }
        });
    }
    masks.len()
}

fn set_miniflow_parser(state: &Switchd, args: &[String]) -> CommandResult {
    let args = Args::read(args, (&["-pmd"], &[]));
    let unchanged = "Error: miniflow extract parser not changed, PMD thread";
    let core = match (args.value("-pmd"), args.core()) {
        (Some(text), None) => {
            return Err(format!(
                "{unchanged} passed is not valid: '{text}'. Pass a valid pmd thread ID."
            ));
        }
        (_, core) => core,
    };
    match args.rest[..] {
        ["scalar"] => {}
        ["scalar", more, ..] => return Err(format!("Error: unknown argument {more}.")),
        [name, ..] => {
            return Err(format!("Error: unknown miniflow extract implementation {name}."));
        }
        [] => return Err("Error: no miniflow extract name provided.".to_owned()),
    }
    match core {
        None => Outcome::text("Miniflow extract implementation set to scalar.\n"),
        Some(core) if selected(state, Some(core))?.is_empty() => {
            Err(format!("{unchanged} {core} not in use, pass a valid pmd thread ID."))
        }
        Some(core) => Outcome::text(format!(
            "Miniflow extract implementation set to scalar, on pmd thread {core}.\n"
        )),
    }
}

fn only(name: &str, args: &[String], done: &str, unknown: fn(&str) -> String) -> CommandResult {
    match args.first() {
        Some(given) if given == name => Outcome::text(done),
        given => Err(unknown(given.map(String::as_str).unwrap_or_default())),
    }
}

/// The cores of the PMD threads, as these commands list them.
fn cores(state: &Switchd) -> String {
    let pmds = selected(state, None).unwrap_or_default();
    let cores: Vec<String> = pmds.iter().filter_map(|pmd| Some(pmd.core?.to_string())).collect();
    if cores.is_empty() { "none".to_owned() } else { cores.join(",") }
}
