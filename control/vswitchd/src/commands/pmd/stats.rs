//! `dpif-netdev/pmd-stats-show`: what each thread counted.

use std::fmt::Write as _;

use weir_engine::{PmdSnapshot, PmdStats};
use weir_runtime::unixctl::{CommandResult, Outcome};

use super::args::Args;
use super::{heading, selected};
use crate::switchd::Switchd;

pub(super) fn show(state: &mut Switchd, args: &[String]) -> CommandResult {
    let args = Args::read(args, (&["-pmd"], &[]));
    let mut out = String::new();
    for pmd in selected(state, args.core())? {
        write(&mut out, &pmd, &state.perf.since_clear(&pmd));
    }
    Outcome::text(out)
}

fn ratio(a: u64, b: u64) -> f64 {
    if b == 0 { 0.0 } else { a as f64 / b as f64 }
}

fn write(out: &mut String, pmd: &PmdSnapshot, s: &PmdStats) {
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
