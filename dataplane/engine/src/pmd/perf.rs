//! `other_config:pmd-perf-metrics`: what every iteration of a thread was like, in histograms and in the
//! last rows; the data behind `dpif-netdev/pmd-perf-show` and `pmd-perf-log-set`.
//!
//! | file | concept |
//! | --- | --- |
//! | `bins` | histograms of 32 bins |
//! | `rows` | the last thousand iterations and milliseconds |
//! | `meter` | the thread's side: measures iterations |
//! | `watch` | suspicious iterations, and how they get into the log |

mod bins;
pub(crate) mod meter;
mod rows;
pub(crate) mod watch;

pub use bins::{BINS, HistogramSnapshot};
pub use rows::Row;
pub use watch::PerfLog;

use crate::counters::Counter;
use bins::{Histogram, Scale};
use rows::Rows;

macro_rules! metrics {
    ($($(#[$doc:meta])* $name:ident = $scale:expr,)+) => {
        /// The histograms of one thread; it alone writes them.
        #[derive(Debug)]
        pub(crate) struct Histograms { $($(#[$doc])* pub(crate) $name: Histogram,)+ }

        /// Histograms of a thread's iterations.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct HistogramSnapshots { $($(#[$doc])* pub $name: HistogramSnapshot,)+ }

        impl Histograms {
            fn new() -> Self {
                Self { $($name: Histogram::new($scale),)+ }
            }

            fn snapshot(&self) -> HistogramSnapshots {
                HistogramSnapshots { $($name: self.$name.snapshot(),)+ }
            }
        }

        impl HistogramSnapshots {
            fn since(&self, earlier: &Self) -> Self {
                Self { $($name: self.$name.since(&earlier.$name),)+ }
            }
        }
    };
}

metrics! {
    /// TSC cycles of an iteration.
    cycles = Scale::Log(500, 24_000_000),
    /// Packets of an iteration.
    packets = Scale::Log(0, 1000),
    /// TSC cycles a packet, of iterations with packets.
    cycles_per_packet = Scale::Linear(100, 30_000),
    /// Packets a burst, of iterations with packets.
    packets_per_batch = Scale::Linear(0, 32),
    /// Packets in the fullest of the guests' queues that were polled.
    queue_length = Scale::Log(0, 512),
    /// Upcalls of an iteration.
    upcalls = Scale::Linear(0, 30),
    /// TSC cycles an upcall, of iterations with upcalls.
    cycles_per_upcall = Scale::Log(1000, 1_000_000),
}

/// Sums over all iterations that were measured; the thread writes.
#[derive(Debug, Default)]
struct Totals {
    iterations: Counter,
    busy_cycles: Counter,
    all: rows::AtomicRow,
}

/// What a thread shares of its measurements.
#[derive(Debug)]
pub(crate) struct PerfShared {
    pub(crate) histograms: Histograms,
    totals: Totals,
    /// The last iterations.
    pub(crate) iterations: Rows,
    /// The last milliseconds.
    pub(crate) milliseconds: Rows,
}

/// What a thread measured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PerfSnapshot {
    /// Iterations that were measured.
    pub iterations: u64,
    /// TSC cycles of those with packets.
    pub busy_cycles: u64,
    /// Sums over the iterations.
    pub total: Row,
    /// How the iterations were.
    pub histograms: HistogramSnapshots,
}

impl PerfShared {
    pub(crate) fn new() -> Self {
        Self {
            histograms: Histograms::new(),
            totals: Totals::default(),
            iterations: Rows::new(),
            milliseconds: Rows::new(),
        }
    }

    pub(crate) fn snapshot(&self) -> PerfSnapshot {
        PerfSnapshot {
            iterations: self.totals.iterations.get(),
            busy_cycles: self.totals.busy_cycles.get(),
            total: self.totals.all.get(),
            histograms: self.histograms.snapshot(),
        }
    }
}

impl PerfSnapshot {
    /// What was measured since `earlier`.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            iterations: self.iterations.saturating_sub(earlier.iterations),
            busy_cycles: self.busy_cycles.saturating_sub(earlier.busy_cycles),
            total: self.total.since(&earlier.total),
            histograms: self.histograms.since(&earlier.histograms),
        }
    }
}
