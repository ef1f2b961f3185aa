//! The lists of `pmd-perf-show`: the last iterations and the last milliseconds.

use std::fmt::Write as _;

use weir_engine::PerfRow;

/// Appends the last iterations.
pub(super) fn write_iterations(out: &mut String, rows: &[PerfRow]) {
    out.push('\n');
    out.push_str(&PerfRow::iterations_text(rows));
}

fn ratio(part: u64, whole: u64) -> u64 {
    part.checked_div(whole).unwrap_or(0)
}

/// Appends the last milliseconds.
pub(super) fn write_milliseconds(out: &mut String, rows: &[PerfRow]) {
    out.push_str(
        "\n   ms             iterations   cycles/it    Kpps         cycles/pkt   pkts/batch   \
         vhost qlen   upcalls      cycles/upcall\n",
    );
    for row in rows {
        let _ = writeln!(
            out,
            "   {:<12}   {:<10}   {:<10}   {:<10}   {:<10}   {:<10}   {:<10}   {:<10}   {:<10} ",
            row.number,
            row.iterations,
            ratio(row.cycles, row.iterations),
            // Packets a millisecond.
            row.packets,
            ratio(row.cycles, row.packets),
            ratio(row.packets, row.batches),
            ratio(row.queue_length, row.iterations),
            row.upcalls,
            ratio(row.upcall_cycles, row.upcalls),
        );
    }
}
