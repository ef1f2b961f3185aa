//! [`Rows`]: the last thousand measurements of a thread, in a ring that it writes and any thread reads.

use std::sync::atomic::{AtomicU64, Ordering, fence};

use crate::counters::Counter;

/// Rows that are remembered.
pub(crate) const ROWS: usize = 1000;

macro_rules! row {
    ($($(#[$doc:meta])* $name:ident,)+) => {
        /// A measurement: of an iteration, of all iterations of a millisecond, or of more.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Row { $($(#[$doc])* pub $name: u64,)+ }

        #[derive(Debug, Default)]
        #[repr(align(64))]
        pub(super) struct AtomicRow { $($name: Counter,)+ }

        impl AtomicRow {
            /// Owner only.
            fn set(&self, row: &Row) {
                $(self.$name.set(row.$name);)+
            }

            /// Adds everything but the number. Owner only.
            pub(super) fn add(&self, row: &Row) {
                $(self.$name.add(row.$name);)+
            }

            pub(super) fn get(&self) -> Row {
                Row { $($name: self.$name.get(),)+ }
            }
        }

        impl Row {
            pub(super) fn since(&self, earlier: &Self) -> Self {
                Self { $($name: self.$name.wrapping_sub(earlier.$name),)+ }
            }

            pub(super) fn plus(&self, other: &Self) -> Self {
                Self { $($name: self.$name.wrapping_add(other.$name),)+ }
            }
        }
    };
}

row! {
    /// The iteration's number, or the millisecond; in sums nothing.
    number,
    /// Iterations.
    iterations,
    /// TSC cycles.
    cycles,
    /// Packets.
    packets,
    /// Bursts.
    batches,
    /// Packets in the fullest queue of a guest, for each iteration added up.
    queue_length,
    /// Upcalls.
    upcalls,
    /// TSC cycles of those.
    upcall_cycles,
}

/// See the [module documentation](self).
#[derive(Debug)]
pub(crate) struct Rows {
    rows: Box<[AtomicRow]>,
    /// Rows ever written.
    written: AtomicU64,
}

impl Rows {
    pub(super) fn new() -> Self {
        Self { rows: (0..ROWS).map(|_| AtomicRow::default()).collect(), written: AtomicU64::new(0) }
    }

    /// Owner only.
    #[inline]
    pub(super) fn push(&self, row: &Row) {
        let written = self.written.load(Ordering::Relaxed);
        // Who reads of this row reads afterwards that the one before is written.
        fence(Ordering::Release);
        if let Some(place) = self.rows.get((written % ROWS as u64) as usize) {
            place.set(row);
        }
        self.written.store(written + 1, Ordering::Release);
    }

    /// The row that was written `back` rows before the next; 1 is the last.
    fn back(&self, written: u64, back: u64) -> Option<Row> {
        let index = written.checked_sub(back)?;
        self.rows.get((index % ROWS as u64) as usize).map(AtomicRow::get)
    }

    /// For the owner: the last rows, the newest first.
    pub(super) fn own(&self, n: usize) -> impl Iterator<Item = Row> {
        let written = self.written.load(Ordering::Relaxed);
        (1..=n.min(ROWS) as u64).map_while(move |back| self.back(written, back))
    }

    /// Up to `n` of the last rows, the newest first. Those that were overwritten meanwhile are left
    /// out.
    pub(crate) fn newest_first(&self, n: usize) -> Vec<Row> {
        let written = self.written.load(Ordering::Acquire);
        let n = n.min(ROWS) as u64;
        let rows: Vec<Row> = (1..=n).map_while(|back| self.back(written, back)).collect();
        // The rows were read before this; one more may be half written.
        fence(Ordering::Acquire);
        let since = self.written.load(Ordering::Relaxed) - written;
        let intact = (ROWS as u64).saturating_sub(since + 1);
        rows.into_iter().take(intact as usize).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_thousand() {
        let rows = Rows::new();
        assert!(rows.newest_first(5).is_empty());
        let row = |number| Row { number, ..Row::default() };
        (0..3).for_each(|n| rows.push(&row(n)));
        let numbers = |rows: Vec<Row>| rows.iter().map(|row| row.number).collect::<Vec<_>>();
        assert_eq!(numbers(rows.newest_first(2)), [2, 1]);
        assert_eq!(numbers(rows.own(9).collect()), [2, 1, 0]);
        (3..5_000).for_each(|n| rows.push(&row(n)));
        let all = numbers(rows.newest_first(ROWS));
        assert_eq!((all.len(), all[0], all[998]), (999, 4_999, 4_001));
    }

    #[test]
    fn rows_are_whole_while_they_are_written() {
        let rows = Rows::new();
        let stop = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut n = 0;
                while !stop.load(Ordering::Relaxed) {
                    rows.push(&Row { number: n, cycles: n, upcall_cycles: n, ..Row::default() });
                    n += 1;
                }
            });
            for _ in 0..200 {
                let read = rows.newest_first(ROWS);
                let whole = |row: &Row| row.number == row.cycles && row.number == row.upcall_cycles;
                assert!(read.iter().all(whole));
                assert!(read.windows(2).all(|pair| pair[0].number == pair[1].number + 1));
            }
            stop.store(true, Ordering::Relaxed);
        });
    }
}
