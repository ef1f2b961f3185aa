//! What the engine shows of its threads' iterations and latency, and the log of suspicious iterations.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::engine::{Engine, lock};
use crate::pmd::latency::LatencySnapshot;
use crate::pmd::perf::watch::{Desk, Report};
use crate::pmd::perf::{PerfLog, PerfSnapshot, Row};
use crate::pmd::thread::{Pmd, PmdCommand};

/// Heading of a list of iterations.
const HEADING: &str = "   iter                cycles       packets      cycles/pkt   pkts/batch   \
    vhost qlen   upcalls      cycles/upcall\n";

fn ratio(part: u64, whole: u64) -> u64 {
    part.checked_div(whole).unwrap_or(0)
}

impl Row {
    /// A line of a list of iterations.
    pub fn write_iteration(&self, out: &mut String) {
        let _ = writeln!(
            out,
            "   {:<17}   {:<10}   {:<10}   {:<10}   {:<10}   {:<10}   {:<10}   {:<10} ",
            self.number,
            self.cycles,
            self.packets,
            ratio(self.cycles, self.packets),
            ratio(self.packets, self.batches),
            self.queue_length,
            self.upcalls,
            ratio(self.upcall_cycles, self.upcalls),
        );
    }

    /// A list of iterations with its heading.
    #[must_use]
    pub fn iterations_text(rows: &[Self]) -> String {
        let mut out = HEADING.to_owned();
        rows.iter().for_each(|row| row.write_iteration(&mut out));
        out
    }
}

impl Engine {
    fn pmd(&self, core: u32) -> Option<Arc<Pmd>> {
        self.pmds().into_iter().find(|pmd| pmd.shared.core == core)
    }

    /// What the thread of a core measured (`other_config:pmd-perf-metrics`).
    #[must_use]
    pub fn perf(&self, core: u32) -> Option<PerfSnapshot> {
        self.pmd(core).map(|pmd| pmd.shared.perf.snapshot())
    }

    /// Up to so many of the last iterations of the thread of a core, and so many of the last
    /// milliseconds; the newest first.
    #[must_use]
    pub fn perf_rows(
        &self,
        core: u32,
        iterations: usize,
        milliseconds: usize,
    ) -> Option<(Vec<Row>, Vec<Row>)> {
        let pmd = self.pmd(core)?;
        let perf = &pmd.shared.perf;
        let milliseconds = perf.milliseconds.newest_first(milliseconds);
        Some((perf.iterations.newest_first(iterations), milliseconds))
    }

    /// How long packets took on the thread of a core.
    #[must_use]
    pub fn latency(&self, core: u32) -> Option<LatencySnapshot> {
        self.pmd(core).map(|pmd| pmd.shared.worker.latency.snapshot())
    }

    /// One burst in how many is timed; 0 for none.
    #[must_use]
    pub fn latency_sampling(&self) -> u32 {
        lock(&self.state).latency_sampling
    }

    /// Percent of a thread's time that the misses of one port may take while others wait.
    #[must_use]
    pub fn miss_share(&self) -> u32 {
        lock(&self.state).tuning.miss_share
    }

    /// Times one burst in so many; none for 0.
    pub fn set_latency_sampling(&self, one_in: u32) {
        let mut state = lock(&self.state);
        state.latency_sampling = one_in;
        for pmd in &state.pmds {
            pmd.send(PmdCommand::LatencySampling(one_in));
        }
        match one_in {
            0 => log::info!(target: "dpif_netdev", "latency is not measured"),
            n => log::info!(target: "dpif_netdev", "latency is measured of one burst in {n}"),
        }
    }

    /// Which iterations are suspicious (`dpif-netdev/pmd-perf-log-set`).
    #[must_use]
    pub fn perf_log(&self) -> PerfLog {
        lock(&self.state).perf_log
    }

    /// Changes which iterations are suspicious. They are looked for while metrics are collected.
    pub fn set_perf_log(&self, settings: PerfLog) {
        let settings = settings.within_memory();
        log::info!(target: "pmd_perf", "pmd-perf-log-set: {settings}");
        let mut state = lock(&self.state);
        state.perf_log = settings;
        if settings.on && !state.tuning.perf_metrics {
            log::warn!(target: "pmd_perf", "no iteration is looked at until other_config:pmd-perf-metrics=true");
        }
        if !settings.on && self.desk.get().is_none() {
            return;
        }
        let desk = self.desk.get_or_init(|| Arc::new(Desk::new()));
        for pmd in &state.pmds {
            pmd.send(PmdCommand::PerfLog(settings, Arc::clone(desk)));
        }
    }

    /// Logs what threads found suspicious.
    pub(crate) fn log_suspects(&self) {
        let Some(desk) = self.desk.get() else {
            return;
        };
        let mut rows = 0;
        let lost = desk.read(|report| {
            rows = rows.max(report.rows.len());
            say(report);
        });
        if lost != 0 {
            log::warn!(target: "pmd_perf", "{lost} more suspicious iterations were not logged");
        }
        let mut state = lock(&self.state);
        state.perf_log = state.perf_log.after_report(rows);
    }
}

fn say(report: &Report) {
    let Report { core, reason, suspect, rows } = report;
    let us = u128::from(suspect.cycles) * 1_000_000 / u128::from(weir_dpdk::tsc_hz().max(1));
    let number = suspect.number;
    log::warn!(target: "pmd_perf", "Suspicious iteration ({reason}): iter={number} duration={us} us core={core}");
    let list = Row::iterations_text(rows);
    log::warn!(target: "pmd_perf", "Neighborhood of suspicious iteration:\n{}", list.trim_end_matches('\n'));
}
