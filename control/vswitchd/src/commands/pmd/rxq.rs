//! `dpif-netdev/pmd-rxq-show`: which thread polls which receive queue, and how much of the thread each
//! uses.

use std::fmt::Write as _;

use weir_engine::{PmdSnapshot, RxqSnapshot};
use weir_jsonrpc::Json;
use weir_runtime::unixctl::{CommandResult, Outcome};

use super::args::Args;
use super::{heading, selected, thread_json};
use crate::switchd::Switchd;

/// Seconds of an interval.
const STEP: usize = 5;
/// Seconds that are remembered.
const LONGEST: usize = 60;

/// Of how many of the last intervals the usage is shown.
fn intervals(args: &Args<'_>) -> usize {
    let seconds = args.number("-secs").filter(|n| (1..=LONGEST).contains(n)).unwrap_or(LONGEST);
    seconds.div_ceil(STEP)
}

/// Dummies that OVS's main thread would serve cost a PMD thread nothing.
fn is_shown(queue: &RxqSnapshot) -> bool {
    queue.is_pmd || queue.pinned || !queue.kind.starts_with("dummy")
}

/// Part of the thread in percent; `None` while there is nothing to tell.
fn usage(cycles: &[u64], pmd: &PmdSnapshot, intervals: usize) -> Option<u64> {
    let used: u64 = cycles.iter().take(intervals).sum();
    (used * 100).checked_div(pmd.load.interval * intervals as u64)
}

fn percent(usage: Option<u64>) -> String {
    usage.map_or_else(|| "NOT AVAIL".to_owned(), |usage| format!("{usage:2} %"))
}

pub(super) fn show(state: &mut Switchd, args: &[String]) -> CommandResult {
    let args = Args::read(args, (&["-pmd", "-secs"], &[]));
    let pmds = selected(state, args.core())?;
    let intervals = intervals(&args);
    let json = Json::array(pmds.iter().filter_map(|pmd| json(pmd, intervals)));
    Outcome::with_json(text(&pmds, intervals), json)
}

fn text(pmds: &[PmdSnapshot], intervals: usize) -> String {
    let mut out = String::new();
    if !pmds.is_empty() {
        let seconds = intervals * STEP;
        let _ = writeln!(out, "Displaying last {seconds} seconds pmd usage %");
    }
    for pmd in pmds.iter().filter(|pmd| pmd.core.is_some()) {
        heading(&mut out, pmd);
        let _ = writeln!(out, "  isolated : {}", pmd.isolated);
        let mut any = false;
        for queue in pmd.rxqs.iter().filter(|queue| is_shown(queue)) {
            any = true;
            let state = if queue.enabled { "(enabled) " } else { "(disabled)" };
            let usage = percent(usage(&queue.cycles, pmd, intervals));
            let _ = writeln!(
                out,
                "  port: {:<16}  queue-id: {:2} {state}  pmd usage: {usage}",
                queue.name, queue.queue
            );
        }
        if any {
            let overhead = percent(usage(&pmd.load.overhead, pmd, intervals));
            let _ = writeln!(out, "  overhead: {overhead}");
        }
    }
    out
}

fn json(pmd: &PmdSnapshot, intervals: usize) -> Option<Json> {
    let number = |usage: Option<u64>| usage.map_or(Json::Null, |n| Json::from(n as i64));
    let queues = pmd.rxqs.iter().filter(|queue| is_shown(queue)).map(|queue| {
        Json::object([
            ("port", Json::str(queue.name.as_str())),
            ("queue-id", Json::from(i64::from(queue.queue))),
            ("enabled", Json::Bool(queue.enabled)),
            ("pinned", Json::Bool(queue.pinned)),
            ("packets", Json::from(queue.packets as i64)),
            ("usage-percent", number(usage(&queue.cycles, pmd, intervals))),
        ])
    });
    let rest = [
        ("isolated", Json::Bool(pmd.isolated)),
        ("seconds", Json::from((intervals * STEP) as i64)),
        ("overhead-percent", number(usage(&pmd.load.overhead, pmd, intervals))),
        ("queues", Json::array(queues)),
    ];
    Some(Json::object(thread_json(pmd)?.into_iter().chain(rest)))
}

#[cfg(test)]
mod tests {
    use weir_engine::{LoadSnapshot, MissSnapshot};
    use weir_flow::PortNo;

    use super::*;

    fn queue(name: &str, number: u16, cycles: &[u64]) -> RxqSnapshot {
        RxqSnapshot {
            port: PortNo(1),
            name: name.to_owned(),
            kind: "dpdk".to_owned(),
            queue: number,
            core: Some(1),
            pinned: false,
            is_pmd: true,
            enabled: number != 9,
            cycles: cycles.to_vec(),
            packets: 0,
            misses: MissSnapshot::default(),
        }
    }

    fn pmd(rxqs: Vec<RxqSnapshot>) -> PmdSnapshot {
        let load = LoadSnapshot { interval: 1000, busy: vec![960, 700], overhead: vec![66, 70] };
        PmdSnapshot { core: Some(1), load, rxqs, ..PmdSnapshot::default() }
    }

    #[test]
    fn as_open_vswitch_shows_it() {
        let queues = vec![queue("n0", 1, &[929, 710]), queue("n1", 9, &[])];
        let text = |intervals| text(&[pmd(queues.clone())], intervals);
        assert_eq!(
            text(1),
            "Displaying last 5 seconds pmd usage %\n\
             pmd thread numa_id 0 core_id 1:\n\
             \x20 isolated : false\n\
             \x20 port: n0                queue-id:  1 (enabled)   pmd usage: 92 %\n\
             \x20 port: n1                queue-id:  9 (disabled)  pmd usage:  0 %\n\
             \x20 overhead:  6 %\n"
        );
        // Intervals that were not count as idle.
        assert!(text(3).contains("pmd usage: 54 %") && text(12).contains("pmd usage: 13 %"));
        assert!(text(12).starts_with("Displaying last 60 seconds pmd usage %\n"));
    }

    #[test]
    fn before_an_interval_has_ended() {
        let fresh = PmdSnapshot { load: LoadSnapshot::default(), ..pmd(vec![queue("n0", 0, &[])]) };
        let idle = pmd(Vec::new());
        assert_eq!(
            text(&[fresh, idle, PmdSnapshot::default()], 12),
            "Displaying last 60 seconds pmd usage %\n\
             pmd thread numa_id 0 core_id 1:\n\
             \x20 isolated : false\n\
             \x20 port: n0                queue-id:  0 (enabled)   pmd usage: NOT AVAIL\n\
             \x20 overhead: NOT AVAIL\n\
             pmd thread numa_id 0 core_id 1:\n\
             \x20 isolated : false\n"
        );
    }

    #[test]
    fn seconds_are_rounded_up_to_intervals() {
        let of = |secs: &str| {
            let args = ["-secs".to_owned(), secs.to_owned()];
            intervals(&Args::read(&args, (&["-secs"], &[])))
        };
        assert_eq!(["5", "7", "11", "60", "0", "61", "x"].map(of), [1, 2, 3, 12, 12, 12, 12]);
    }
}
