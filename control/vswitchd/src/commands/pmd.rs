//! `dpif-netdev/*`: the PMD threads, their queues and what they counted.

use std::fmt::Write as _;

use weir_engine::{Engine, PmdSnapshot, PmdStats};
use weir_runtime::unixctl::{CommandResult, Commands, Outcome};

use crate::switchd::Switchd;

pub(super) fn register(commands: &mut Commands<Switchd>) {
    let usage = "[-pmd core] [dp]";
    commands.add("dpif-netdev/pmd-stats-show", usage, 0, 3, |s: &mut Switchd, args| {
        show(s, args, stats_show)
    });
    commands.add("dpif-netdev/pmd-stats-clear", usage, 0, 3, |s: &mut Switchd, args| {
        let core = core_of(args)?;
        let engine = engine(s)?;
        s.perf.clear(&engine.pmd_snapshots(), core);
        Outcome::empty()
    });
    let usage = "[-nh] [-it iter-history-len] [-ms ms-history-len] [-pmd core] [dp]";
    commands.add("dpif-netdev/pmd-perf-show", usage, 0, 8, |s: &mut Switchd, args| {
        let core = core_of(args)?;
        let engine = engine(s)?;
        let mut out = String::new();
        let time = s.wall_time_text();
        for pmd in selected(&engine, core).iter().filter(|p| p.core.is_some()) {
            s.perf.write_perf(&mut out, pmd, &time);
        }
        Outcome::text(out)
    });
    let usage = "[-pmd core] [-secs secs] [dp]";
    commands.add("dpif-netdev/pmd-rxq-show", usage, 0, 5, |s: &mut Switchd, args| {
        show(s, args, rxq_show)
    });
    commands.add("dpif-netdev/pmd-rxq-rebalance", "[dp]", 0, 1, |s: &mut Switchd, _| {
        engine(s)?.rebalance_rxqs();
        Outcome::text("pmd rxq rebalance requested.\n")
    });
    commands.add("dpif-netdev/pmd-sleep-show", "[dp]", 0, 1, |s: &mut Switchd, _| {
        let engine = engine(s)?;
        let default = s.desired.as_ref().map_or(0, |d| d.switch.pmd_sleep.default_us);
        let mut out = format!("Default max sleep: {default:4} us\n");
        for pmd in engine.pmd_snapshots() {
            let Some(core) = pmd.core else { continue };
            let _ = writeln!(out, "pmd thread numa_id {} core_id {core}:", pmd.numa);
            let _ = writeln!(out, "  max sleep: {:4} us", pmd.sleep_max_us);
        }
        Outcome::text(out)
    });
}

fn engine(state: &Switchd) -> Result<std::sync::Arc<Engine>, String> {
    state.engine.clone().ok_or_else(|| "dpif_netdev/... : no datapath yet".to_owned())
}

/// The argument of `-pmd`.
fn core_of(args: &[String]) -> Result<Option<u32>, String> {
    let Some(at) = args.iter().position(|a| a == "-pmd") else { return Ok(None) };
    let text = args.get(at + 1).map(String::as_str).unwrap_or_default();
    text.parse().map(Some).map_err(|_| format!("{text}: not a core"))
}

fn selected(engine: &Engine, core: Option<u32>) -> Vec<PmdSnapshot> {
    let all = engine.pmd_snapshots().into_iter();
    all.filter(|p| core.is_none() || p.core == core).collect()
}

fn show(
    state: &mut Switchd,
    args: &[String],
    write: fn(&mut String, &PmdSnapshot, &PmdStats, bool),
) -> CommandResult {
    let core = core_of(args)?;
    let engine = engine(state)?;
    let mut out = String::new();
    for (i, pmd) in selected(&engine, core).iter().enumerate() {
        write(&mut out, pmd, &state.perf.since_clear(pmd), i == 0);
    }
    Outcome::text(out)
}

fn heading(out: &mut String, pmd: &PmdSnapshot) {
    let _ = match pmd.core {
        Some(core) => writeln!(out, "pmd thread numa_id {} core_id {core}:", pmd.numa),
        None => writeln!(out, "main thread:"),
    };
}

fn ratio(a: u64, b: u64) -> f64 {
    if b == 0 { 0.0 } else { a as f64 / b as f64 }
}

fn stats_show(out: &mut String, pmd: &PmdSnapshot, s: &PmdStats, _first: bool) {
    heading(out, pmd);
    let cycles = s.idle_cycles + s.busy_cycles;
    let _ = write!(
        out,
        "  packets received: {}\n\
         \x20 packet recirculations: {}\n\
         \x20 avg. datapath passes per packet: {:.2}\n\
         \x20 phwol hits: 0\n\
         \x20 mfex opt hits: 0\n\
         \x20 simple match hits: 0\n\
         \x20 emc hits: {}\n\
         \x20 smc hits: 0\n\
         \x20 megaflow hits: {}\n\
         \x20 avg. subtable lookups per megaflow hit: {:.2}\n\
         \x20 miss with success upcall: {}\n\
         \x20 miss with failed upcall: {}\n\
         \x20 avg. packets per output batch: {:.2}\n",
        s.rx_packets,
        s.recirculations,
        ratio(s.passes(), s.rx_packets),
        s.emc_hits,
        s.megaflow_hits,
        ratio(s.subtable_probes, s.megaflow_hits),
        s.upcalls + s.slow_upcalls,
        s.lost,
        ratio(s.tx_packets, s.tx_batches),
    );
    if cycles == 0 {
        return;
    }
    let _ = writeln!(
        out,
        "  idle cycles: {} ({:.2}%)\n  processing cycles: {} ({:.2}%)",
        s.idle_cycles,
        ratio(s.idle_cycles, cycles) * 100.0,
        s.busy_cycles,
        ratio(s.busy_cycles, cycles) * 100.0,
    );
    if s.rx_packets == 0 {
        return;
    }
    let per = |c: u64| ratio(c, s.rx_packets);
    let _ = writeln!(
        out,
        "  avg cycles per packet: {:.2} ({cycles}/{})\n  avg processing cycles per packet: {:.2} ({}/{})",
        per(cycles),
        s.rx_packets,
        per(s.busy_cycles),
        s.busy_cycles,
        s.rx_packets,
    );
}

fn rxq_show(out: &mut String, pmd: &PmdSnapshot, s: &PmdStats, first: bool) {
    if first {
        out.push_str("Displaying last 60 seconds pmd usage %\n");
    }
    if pmd.core.is_none() {
        return;
    }
    heading(out, pmd);
    let _ = writeln!(out, "  isolated : {}", pmd.isolated);
    let total = s.idle_cycles + s.busy_cycles;
    let mut used = 0;
    for q in &pmd.rxqs {
        used += q.cycles;
        let usage = match total {
            0 => "NOT AVAIL".to_owned(),
            _ => format!("{:2} %", (ratio(q.cycles, total) * 100.0).round().min(100.0)),
        };
        let _ = writeln!(
            out,
            "  port: {:<16}  queue-id: {:2} (enabled)   pmd usage: {usage}",
            q.name, q.queue
        );
    }
    if !pmd.rxqs.is_empty() {
        let overhead = match total {
            0 => "NOT AVAIL".to_owned(),
            _ => format!(
                "{:2} %",
                (ratio(s.busy_cycles.saturating_sub(used), total) * 100.0).round()
            ),
        };
        let _ = writeln!(out, "  overhead: {overhead}");
    }
}
