//! What a thread counts, and snapshots of it: the data behind `dpif-netdev/pmd-stats-show`,
//! `pmd-perf-show` and `pmd-rxq-show`.

use crate::counters::Counter;

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)+) => {
        /// Counters of one thread; it alone writes them.
        #[derive(Debug, Default)]
        #[repr(align(64))]
        pub(crate) struct PmdCounters { $($(#[$doc])* pub(crate) $name: Counter,)+ }

        /// Values of a thread's counters.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct PmdStats { $($(#[$doc])* pub $name: u64,)+ }

        impl PmdCounters {
            pub(crate) fn snapshot(&self) -> PmdStats {
                PmdStats { $($name: self.$name.get(),)+ }
            }
        }

        impl PmdStats {
            /// What was counted since `earlier`.
            #[must_use]
            pub fn since(&self, earlier: &Self) -> Self {
                Self { $($name: self.$name.saturating_sub(earlier.$name),)+ }
            }

            /// Both together.
            #[must_use]
            pub fn plus(&self, other: &Self) -> Self {
                Self { $($name: self.$name + other.$name,)+ }
            }
        }
    };
}

counters! {
    /// Poll iterations without packets.
    idle_iterations,
    /// Poll iterations with packets.
    busy_iterations,
    /// Iterations that ended with a sleep.
    sleep_iterations,
    /// TSC cycles asleep.
    sleep_cycles,
    /// TSC cycles of idle iterations, sleep not counted.
    idle_cycles,
    /// TSC cycles of busy iterations.
    busy_cycles,
    /// Packets received from ports.
    rx_packets,
    /// Receive bursts with packets.
    rx_batches,
    /// Passes through the caches by recirculated packets.
    recirculations,
    /// Packets answered by the exact-match cache.
    emc_hits,
    /// Packets answered by the megaflow table.
    megaflow_hits,
    /// Subtables asked for those.
    subtable_probes,
    /// Packets the slow path translated because nothing matched them.
    upcalls,
    /// TSC cycles of these translations.
    upcall_cycles,
    /// Translations of packets whose megaflow says to translate each.
    slow_upcalls,
    /// Misses that were not translated.
    lost,
    /// Megaflows not installed because there were too many new ones: they are if they come again.
    deferred,
    /// Megaflows not installed because the limit was reached.
    not_installed,
    /// Packets handed to ports.
    tx_packets,
    /// Calls for that.
    tx_batches,
}

impl PmdStats {
    /// Packets through the caches, each pass counted.
    #[must_use]
    pub fn passes(&self) -> u64 {
        self.rx_packets + self.recirculations
    }

    /// Poll iterations.
    #[must_use]
    pub fn iterations(&self) -> u64 {
        self.idle_iterations + self.busy_iterations
    }
}
