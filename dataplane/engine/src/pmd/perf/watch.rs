//! [`Watch`]: finds suspicious iterations (`dpif-netdev/pmd-perf-log-set`) and hands their neighbourhood
//! to whoever logs. The thread itself neither logs nor allocates: reports are made beforehand and used
//! again.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam::queue::ArrayQueue;
use weir_dpdk::tsc_hz;

use crate::pmd::perf::rows::{ROWS, Row, Rows};

/// Rows around a suspicious iteration at most: one of the ring may be half written.
const MOST: usize = ROWS - 2;
/// Rows of a report beyond which OVS goes back to the defaults.
const MANY: usize = 100;
/// Reports that may wait to be logged.
const REPORTS: usize = 8;

/// What is suspicious, and how much of its neighbourhood is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PerfLog {
    /// Whether it is looked for.
    pub on: bool,
    /// Iterations before.
    pub before: usize,
    /// Iterations after.
    pub after: usize,
    /// Whether another one on the way makes the report longer.
    pub extend: bool,
    /// An iteration longer than this many microseconds is suspicious.
    pub us: u64,
    /// A guest's queue with this many packets is suspicious.
    pub queue_length: u64,
}

impl Default for PerfLog {
    fn default() -> Self {
        Self { on: false, before: 5, after: 5, extend: false, us: 250, queue_length: 128 }
    }
}

impl PerfLog {
    /// As far as there are rows for it.
    #[must_use]
    pub fn within_memory(mut self) -> Self {
        self.before = self.before.min(MOST);
        self.after = self.after.min(MOST - self.before);
        self
    }

    /// What is left after a report of so many rows.
    pub(crate) fn after_report(self, rows: usize) -> Self {
        let d = Self::default();
        if rows <= MANY {
            return self;
        }
        Self { before: d.before, after: d.after, extend: d.extend, ..self }
    }
}

impl fmt::Display for PerfLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { on, before, after, extend, us, queue_length } = self;
        let on = if *on { "on" } else { "off" };
        write!(
            f,
            "{on}, before={before}, after={after}, extend={extend}, us_thr={us}, q_thr={queue_length}"
        )
    }
}

/// Why an iteration is suspicious.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// It took long.
    Cycles,
    /// A guest's queue was full.
    Queue,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cycles => "Excessive total cycles",
            Self::Queue => "Vhost RX queue full",
        })
    }
}

/// A suspicious iteration and its neighbours.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) core: u32,
    pub(crate) reason: Reason,
    pub(crate) suspect: Row,
    /// The newest first.
    pub(crate) rows: Vec<Row>,
}

/// Reports on their way from the threads to the log and back.
#[derive(Debug)]
pub(crate) struct Desk {
    free: ArrayQueue<Box<Report>>,
    written: ArrayQueue<Box<Report>>,
    /// Reports for which none was free.
    lost: AtomicU64,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let desk = Self {
            free: ArrayQueue::new(REPORTS),
            written: ArrayQueue::new(REPORTS),
            lost: AtomicU64::new(0),
        };
        for _ in 0..REPORTS {
            let rows = Vec::with_capacity(ROWS);
            let report = Report { core: 0, reason: Reason::Cycles, suspect: Row::default(), rows };
            // There is room for all of them.
            let _ = desk.free.push(Box::new(report));
        }
        desk
    }

    /// Shows each report that waits, and lets it be used again. Answers for how many there was no
    /// room.
    pub(crate) fn read(&self, mut show: impl FnMut(&Report)) -> u64 {
        while let Some(report) = self.written.pop() {
            show(&report);
            let _ = self.free.push(report);
        }
        self.lost.swap(0, Ordering::Relaxed)
    }
}

/// A suspicious iteration whose successors are waited for.
#[derive(Clone, Copy, Debug)]
struct Suspect {
    row: Row,
    reason: Reason,
    /// First and last iteration of the report.
    from: u64,
    to: u64,
}

/// See the [module documentation](self).
#[derive(Debug)]
pub(crate) struct Watch {
    core: u32,
    settings: PerfLog,
    /// The threshold in TSC cycles.
    cycles: u64,
    suspect: Option<Suspect>,
    desk: Option<Arc<Desk>>,
}

impl Watch {
    pub(super) fn new(core: u32) -> Self {
        Self { core, settings: PerfLog::default(), cycles: u64::MAX, suspect: None, desk: None }
    }

    pub(crate) fn set(&mut self, settings: PerfLog, desk: Arc<Desk>) {
        self.settings = settings.within_memory();
        self.cycles = settings.us.saturating_mul(tsc_hz()) / 1_000_000;
        self.desk = Some(desk);
        self.suspect = None;
    }

    pub(super) fn forget(&mut self) {
        self.suspect = None;
    }

    /// Looks at an iteration, which is in `rows` already.
    #[inline]
    pub(super) fn look(&mut self, row: &Row, rows: &Rows) {
        if !self.settings.on {
            return;
        }
        if row.cycles > self.cycles {
            self.suspect(row, Reason::Cycles);
        } else if row.queue_length >= self.settings.queue_length {
            self.suspect(row, Reason::Queue);
        }
        if let Some(suspect) = self.suspect.take_if(|suspect| row.number >= suspect.to) {
            self.report(&suspect, rows);
        }
    }

    #[cold]
    fn suspect(&mut self, row: &Row, reason: Reason) {
        let PerfLog { before, after, extend, .. } = self.settings;
        let to = row.number + after as u64;
        match &mut self.suspect {
            None => {
                let from = row.number.saturating_sub(before as u64);
                self.suspect = Some(Suspect { row: *row, reason, from, to });
            }
            Some(suspect) if extend => {
                // As far as the first is still remembered.
                let to = to.min(suspect.from + MOST as u64);
                *suspect = Suspect { row: *row, reason, to, ..*suspect };
            }
            Some(_) => {}
        }
    }

    #[cold]
    fn report(&mut self, suspect: &Suspect, rows: &Rows) {
        let Some(desk) = &self.desk else {
            return;
        };
        let Some(mut report) = desk.free.pop() else {
            desk.lost.fetch_add(1, Ordering::Relaxed);
            return;
        };
        report.core = self.core;
        report.reason = suspect.reason;
        report.suspect = suspect.row;
        report.rows.clear();
        let n = (suspect.to - suspect.from + 1) as usize;
        // No more than was set aside for.
        report.rows.extend(rows.own(n.min(report.rows.capacity())));
        self.settings = self.settings.after_report(report.rows.len());
        let _ = desk.written.push(report);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Rig {
        watch: Watch,
        rows: Rows,
        desk: Arc<Desk>,
        number: u64,
    }

    impl Rig {
        fn new(settings: PerfLog) -> Self {
            let desk = Arc::new(Desk::new());
            let mut watch = Watch::new(3);
            watch.set(PerfLog { on: true, ..settings }, Arc::clone(&desk));
            Self { watch, rows: Rows::new(), desk, number: 0 }
        }

        /// An iteration; `us` is how long it takes.
        fn iterate(&mut self, us: u64, queue_length: u64) {
            let cycles = us * tsc_hz() / 1_000_000 + 1;
            let row = Row { number: self.number, cycles, queue_length, ..Row::default() };
            self.number += 1;
            self.rows.push(&row);
            self.watch.look(&row, &self.rows);
        }

        /// Suspect, reason and first and last row of the reports.
        fn reports(&self) -> Vec<(u64, Reason, u64, u64)> {
            let mut all = Vec::new();
            self.desk.read(|r| {
                let ends = (r.rows.last().unwrap().number, r.rows[0].number);
                all.push((r.suspect.number, r.reason, ends.0, ends.1));
                assert_eq!(r.core, 3);
            });
            all
        }
    }

    #[test]
    fn a_long_iteration_is_reported_with_its_neighbours() {
        let mut rig = Rig::new(PerfLog { before: 2, after: 3, ..PerfLog::default() });
        (0..10).for_each(|_| rig.iterate(249, 127));
        rig.iterate(251, 0);
        rig.iterate(251, 0);
        assert!(rig.reports().is_empty());
        (0..10).for_each(|_| rig.iterate(1, 0));
        assert_eq!(rig.reports(), [(10, Reason::Cycles, 8, 13)]);
        rig.iterate(1, 128);
        (0..3).for_each(|_| rig.iterate(1, 0));
        assert_eq!(rig.reports(), [(22, Reason::Queue, 20, 25)]);
    }

    #[test]
    fn with_extend_another_one_makes_it_longer() {
        let mut rig = Rig::new(PerfLog { extend: true, ..PerfLog::default() });
        (0..6).for_each(|_| rig.iterate(1, 0));
        rig.iterate(300, 0);
        (0..3).for_each(|_| rig.iterate(1, 0));
        rig.iterate(300, 0);
        (0..5).for_each(|_| rig.iterate(1, 0));
        assert_eq!(rig.reports(), [(10, Reason::Cycles, 1, 15)]);
    }

    #[test]
    fn a_large_report_is_the_last_of_its_size_and_full_desks_take_no_more() {
        let mut rig = Rig::new(PerfLog { before: 60, after: 60, ..PerfLog::default() });
        (0..200).for_each(|_| rig.iterate(1, 0));
        rig.iterate(300, 0);
        (0..200).for_each(|_| rig.iterate(1, 0));
        assert_eq!(rig.reports(), [(200, Reason::Cycles, 140, 260)]);
        for _ in 0..20 {
            rig.iterate(300, 0);
            (0..10).for_each(|_| rig.iterate(1, 0));
        }
        assert_eq!(rig.desk.lost.load(Ordering::Relaxed), 12);
        let reports = rig.reports();
        assert_eq!((reports.len(), reports[0]), (REPORTS, (401, Reason::Cycles, 396, 406)));
        assert_eq!(rig.desk.read(|_| ()), 0);
    }

    #[test]
    fn limits() {
        let long = PerfLog { before: 2_000, after: 7, ..PerfLog::default() }.within_memory();
        assert_eq!((long.before, long.after), (998, 0));
        assert_eq!(
            PerfLog { on: true, us: 20, ..PerfLog::default() }.to_string(),
            "on, before=5, after=5, extend=false, us_thr=20, q_thr=128"
        );
    }
}
