//! What the PMD threads counted since `pmd-stats-clear`, and `pmd-perf-show`'s text about it.
//!
//! | file | is |
//! | --- | --- |
//! | `histograms.rs` | histograms of iterations |
//! | `history.rs` | the last iterations and milliseconds |

mod histograms;
mod history;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use weir_engine::{Engine, LatencySnapshot, PerfSnapshot, PmdSnapshot, PmdStats};

/// Counters at the last clear, by core (`None` is the thread of injected packets).
#[derive(Debug, Default)]
pub struct Perf {
    cleared: BTreeMap<Option<u32>, Cleared>,
}

#[derive(Debug)]
struct Cleared {
    /// The thread; one that comes later on the same core starts from nothing.
    thread_id: u32,
    stats: PmdStats,
    perf: PerfSnapshot,
    latency: LatencySnapshot,
    at: Instant,
}

/// What `pmd-perf-show` shows besides the counters, with `pmd-perf-metrics`.
#[derive(Clone, Copy, Debug)]
pub struct Parts {
    /// Histograms.
    pub histograms: bool,
    /// How many of the last iterations.
    pub iterations: usize,
    /// How many of the last milliseconds.
    pub milliseconds: usize,
}

fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { 100.0 * part as f64 / whole as f64 }
}

fn per(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

impl Perf {
    /// Starts counting anew for these threads.
    pub fn clear(&mut self, engine: &Engine, pmds: &[PmdSnapshot]) {
        for pmd in pmds {
            let PmdSnapshot { thread_id, stats, .. } = *pmd;
            let cleared = Cleared {
                thread_id,
                stats,
                perf: pmd.core.and_then(|core| engine.perf(core)).unwrap_or_default(),
                latency: pmd.core.and_then(|core| engine.latency(core)).unwrap_or_default(),
                at: Instant::now(),
            };
            self.cleared.insert(pmd.core, cleared);
        }
    }

    /// How long packets took on a thread since the last clear.
    #[must_use]
    pub fn latency_since_clear(&self, engine: &Engine, pmd: &PmdSnapshot) -> LatencySnapshot {
        let latency = pmd.core.and_then(|core| engine.latency(core)).unwrap_or_default();
        match self.cleared(pmd) {
            Some(cleared) => latency.since(&cleared.latency),
            None => latency,
        }
    }

    /// What a thread's iterations were like since the last clear.
    fn perf_since_clear(&self, engine: &Engine, pmd: &PmdSnapshot) -> PerfSnapshot {
        let perf = pmd.core.and_then(|core| engine.perf(core)).unwrap_or_default();
        self.cleared(pmd).map_or_else(|| perf.clone(), |cleared| perf.since(&cleared.perf))
    }

    /// Appends what was measured of a thread's iterations.
    pub fn write_metrics(
        &self,
        out: &mut String,
        engine: &Engine,
        pmd: &PmdSnapshot,
        parts: Parts,
    ) {
        if parts.histograms {
            histograms::write(out, &self.perf_since_clear(engine, pmd));
        }
        let (iterations, milliseconds) = (parts.iterations, parts.milliseconds);
        let rows = pmd.core.and_then(|core| engine.perf_rows(core, iterations, milliseconds));
        let (iterations, milliseconds) = rows.unwrap_or_default();
        if parts.iterations > 0 {
            history::write_iterations(out, &iterations);
        }
        if parts.milliseconds > 0 {
            history::write_milliseconds(out, &milliseconds);
        }
    }

    fn cleared(&self, pmd: &PmdSnapshot) -> Option<&Cleared> {
        self.cleared.get(&pmd.core).filter(|cleared| cleared.thread_id == pmd.thread_id)
    }

    /// What a thread counted since the last clear.
    #[must_use]
    pub fn since_clear(&self, pmd: &PmdSnapshot) -> PmdStats {
        self.cleared(pmd).map_or(pmd.stats, |cleared| pmd.stats.since(&cleared.stats))
    }

    fn seconds(&self, pmd: &PmdSnapshot) -> f64 {
        let time = self.cleared(pmd).map_or(pmd.age, |cleared| cleared.at.elapsed());
        time.max(Duration::from_micros(1)).as_secs_f64()
    }

    /// Appends a thread's part of `pmd-perf-show`. `time` is the time of day.
    pub fn write_perf(&self, out: &mut String, pmd: &PmdSnapshot, time: &str) {
        let Some(core) = pmd.core else { return };
        let s = self.since_clear(pmd);
        let seconds = self.seconds(pmd);
        let iterations = s.iterations();
        let cycles = s.idle_cycles + s.busy_cycles;
        let hz = weir_dpdk::tsc_hz() as f64;
        let _ = write!(
            out,
            "\nTime: {time}\nMeasurement duration: {seconds:.3} s\n\n\
             pmd thread numa_id {} core_id {core}:\n\n\
             \x20 Iterations:         {iterations:12}  ({:.2} us/it)\n\
             \x20 - Used TSC cycles: {cycles:13}  ({:5.1} % of total cycles)\n\
             \x20 - idle iterations:  {:12}  ({:5.1} % of used cycles)\n\
             \x20 - busy iterations:  {:12}  ({:5.1} % of used cycles)\n\
             \x20 - sleep iterations: {:12}  ({:5.1} % of iterations)\n\
             \x20 Sleep time (us):    {:12.0}  ({:3.0} us/iteration avg.)\n",
            pmd.numa,
            if iterations == 0 { 0.0 } else { seconds * 1e6 / iterations as f64 },
            100.0 * cycles as f64 / (seconds * hz),
            s.idle_iterations,
            percent(s.idle_cycles, cycles),
            s.busy_iterations,
            percent(s.busy_cycles, cycles),
            s.sleep_iterations,
            percent(s.sleep_iterations, iterations),
            s.sleep_cycles as f64 * 1e6 / hz,
            per(s.sleep_cycles, s.sleep_iterations) * 1e6 / hz,
        );
        if s.rx_packets > 0 {
            write_packets(out, &s, seconds, hz);
        } else {
            let _ = writeln!(out, "  Rx packets:         {:12}", 0);
        }
        if s.tx_packets > 0 {
            let _ = write!(
                out,
                "  Tx packets:         {:12}  ({:.0} Kpps)\n\
                 \x20 Tx batches:         {:12}  ({:.2} pkts/batch)\n",
                s.tx_packets,
                s.tx_packets as f64 / seconds / 1000.0,
                s.tx_batches,
                per(s.tx_packets, s.tx_batches),
            );
        } else {
            let _ = writeln!(out, "  Tx packets:         {:12}\n", 0);
        }
    }
}

fn write_packets(out: &mut String, s: &PmdStats, seconds: f64, hz: f64) {
    let passes = s.passes();
    let upcalls = s.upcalls + s.slow_upcalls;
    let _ = write!(
        out,
        "  Rx packets:         {:12}  ({:.0} Kpps, {:.0} cycles/pkt)\n\
         \x20 Datapath passes:    {passes:12}  ({:.2} passes/pkt)\n\
         \x20 - PHWOL hits:       {:12}  ({:5.1} %)\n\
         \x20 - MFEX Opt hits:    {:12}  ({:5.1} %)\n\
         \x20 - Simple Match hits:{:12}  ({:5.1} %)\n\
         \x20 - EMC hits:         {:12}  ({:5.1} %)\n\
         \x20 - SMC hits:         {:12}  ({:5.1} %)\n\
         \x20 - Megaflow hits:    {:12}  ({:5.1} %, {:.2} subtbl lookups/hit)\n\
         \x20 - Upcalls:          {upcalls:12}  ({:5.1} %, {:.1} us/upcall)\n\
         \x20 - Lost upcalls:     {:12}  ({:5.1} %)\n",
        s.rx_packets,
        s.rx_packets as f64 / seconds / 1000.0,
        per(s.busy_cycles, s.rx_packets),
        per(passes, s.rx_packets),
        0,
        0.0,
        0,
        0.0,
        0,
        0.0,
        s.emc_hits,
        percent(s.emc_hits, passes),
        0,
        0.0,
        s.megaflow_hits,
        percent(s.megaflow_hits, passes),
        per(s.subtable_probes, s.megaflow_hits),
        percent(upcalls, passes),
        per(s.upcall_cycles, upcalls) * 1e6 / hz,
        s.lost,
        percent(s.lost, passes),
    );
}
