//! `dpif-netdev/*`: the PMD threads, their queues and what they counted.
//!
//! | file | is |
//! | --- | --- |
//! | `args.rs` | options of these commands |
//! | `implementations.rs` | `dpif-impl-*`, `miniflow-parser-*`, `subtable-lookup-*`, `odp-execute/*` |
//! | `latency.rs` | `latency-show`, `latency-set` |
//! | `misses.rs` | `miss-show` |
//! | `perf.rs` | `pmd-perf-show`, `pmd-perf-log-set` |
//! | `rxq.rs` | `pmd-rxq-show` |
//! | `stats.rs` | `pmd-stats-show` |

mod args;
mod implementations;
mod latency;
mod misses;
mod perf;
mod rxq;
mod stats;

use std::fmt::Write as _;
use std::sync::Arc;

use weir_engine::{Engine, PmdSnapshot};
use weir_jsonrpc::Json;
use weir_runtime::unixctl::{Commands, Outcome};

use crate::switchd::Switchd;
use args::Args;

const NO_DATAPATH: &str = "please specify an existing datapath";

pub(super) fn register(commands: &mut Commands<Switchd>) {
    implementations::register(commands);
    latency::register(commands);
    let usage = "[-pmd core] [dp]";
    commands.add("dpif-netdev/pmd-stats-show", usage, 0, 3, |s: &mut Switchd, args| {
        stats::show(s, args)
    });
    commands.add("dpif-netdev/pmd-stats-clear", usage, 0, 3, |s: &mut Switchd, args| {
        let args = Args::read(args, (&["-pmd"], &[]));
        let pmds = selected(s, args.core())?;
        let engine = engine(s)?;
        s.perf.clear(&engine, &pmds);
        Outcome::empty()
    });
    commands
        .add("dpif-netdev/miss-show", usage, 0, 3, |s: &mut Switchd, args| misses::show(s, args));
    let usage = "[-nh] [-it iter-history-len] [-ms ms-history-len] [-pmd core] [dp]";
    commands
        .add("dpif-netdev/pmd-perf-show", usage, 0, 8, |s: &mut Switchd, args| perf::show(s, args));
    commands.add(
        "dpif-netdev/pmd-perf-log-set",
        perf::LOG_USAGE,
        0,
        10,
        |s: &mut Switchd, args| perf::log_set(s, args),
    );
    let usage = "[-pmd core] [-secs secs] [dp]";
    commands
        .add("dpif-netdev/pmd-rxq-show", usage, 0, 5, |s: &mut Switchd, args| rxq::show(s, args));
    commands.add("dpif-netdev/pmd-rxq-rebalance", "[dp]", 0, 1, |s: &mut Switchd, args| {
        if !args.iter().all(|dp| s.is_datapath(dp)) {
            return Err(NO_DATAPATH.to_owned());
        }
        engine(s)?.rebalance_rxqs();
        Outcome::text("pmd rxq rebalance requested.\n")
    });
    commands.add("dpif-netdev/pmd-sleep-show", "[dp]", 0, 1, |s: &mut Switchd, _| {
        let default = s.desired.as_ref().map_or(0, |d| d.switch.pmds.tuning.sleep_max_us);
        let mut out = format!("Default max sleep: {default:4} us\n");
        for pmd in selected(s, None)?.iter().filter(|p| p.core.is_some()) {
            heading(&mut out, pmd);
            let _ = writeln!(out, "  max sleep: {:4} us", pmd.sleep_max_us);
        }
        Outcome::text(out)
    });
}

fn engine(state: &Switchd) -> Result<Arc<Engine>, String> {
    state.engine.clone().ok_or_else(|| NO_DATAPATH.to_owned())
}

/// The thread of a core, or all.
fn selected(state: &Switchd, core: Option<u32>) -> Result<Vec<PmdSnapshot>, String> {
    let all = engine(state)?.pmd_snapshots().into_iter();
    Ok(all.filter(|p| core.is_none() || p.core == core).collect())
}

fn heading(out: &mut String, pmd: &PmdSnapshot) {
    let _ = match pmd.core {
        Some(core) => writeln!(out, "pmd thread numa_id {} core_id {core}:", pmd.numa),
        None => writeln!(out, "main thread:"),
    };
}

/// Which thread it is; `None` for the thread of injected packets.
fn thread_json(pmd: &PmdSnapshot) -> Option<[(&'static str, Json); 2]> {
    Some([
        ("numa_id", Json::from(i64::from(pmd.numa))),
        ("core_id", Json::from(i64::from(pmd.core?))),
    ])
}
