//! The histograms of `pmd-perf-show`, as Open vSwitch prints them.

use std::fmt::Write as _;

use weir_engine::{HistogramSnapshot, PerfSnapshot};

use super::per;

/// Widths of a column and of its first half.
const COLUMN: usize = 21;
const WALL: usize = 9;

const BINS_OF: [&str; 7] = [
    "cycles/it",
    "packets/it",
    "cycles/pkt",
    "pkts/batch",
    "max vhost qlen",
    "upcalls/it",
    "cycles/upcall",
];
const AVERAGES_OF: [&str; 7] = [
    "cycles/it",
    "packets/it",
    "cycles/pkt",
    "pkts/batch",
    "vhost qlen",
    "upcalls/it",
    "cycles/upcall",
];

fn line<T: AsRef<str>>(out: &mut String, columns: impl IntoIterator<Item = T>) {
    let cells: Vec<String> =
        columns.into_iter().map(|text| format!("{:<COLUMN$}", text.as_ref())).collect();
    let _ = writeln!(out, "   {}", cells.join("  "));
}

/// Appends the histograms and averages of all iterations.
pub(super) fn write(out: &mut String, perf: &PerfSnapshot) {
    out.push_str("\nHistograms\n");
    line(out, BINS_OF);
    let h = &perf.histograms;
    let mut columns: Vec<Vec<String>> = [
        &h.cycles,
        &h.packets,
        &h.cycles_per_packet,
        &h.packets_per_batch,
        &h.queue_length,
        &h.upcalls,
        &h.cycles_per_upcall,
    ]
    .into_iter()
    .map(cells)
    .collect();
    while let Some(row) = columns.iter_mut().map(Vec::pop).collect::<Option<Vec<String>>>() {
        line(out, row);
    }
    out.push_str(&"-".repeat(154));
    out.push('\n');
    line(out, AVERAGES_OF);
    let total = &perf.total;
    let whole = |part, whole| format!("{:.0}", per(part, whole).floor());
    let fraction = |part, whole| format!("{:.5}", per(part, whole));
    line(
        out,
        [
            whole(total.cycles, perf.iterations),
            fraction(total.packets, perf.iterations),
            whole(perf.busy_cycles, total.packets),
            fraction(total.packets, total.batches),
            fraction(total.queue_length, perf.iterations),
            fraction(total.upcalls, perf.iterations),
            whole(total.upcall_cycles, total.upcalls),
        ],
    );
}

/// The lines of a histogram, the last first.
fn cells(histogram: &HistogramSnapshot) -> Vec<String> {
    let cell = |(wall, count): (Option<u64>, u64)| {
        let wall = wall.map_or_else(|| ">".to_owned(), |wall| wall.to_string());
        format!("{wall:<WALL$} {count}")
    };
    let mut cells: Vec<String> = histogram.bins().map(cell).collect();
    cells.reverse();
    cells
}
