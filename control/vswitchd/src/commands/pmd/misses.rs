//! `dpif-netdev/miss-show`: what the packets that no megaflow matched cost, by port.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use weir_engine::{MissSnapshot, PmdSnapshot};
use weir_jsonrpc::Json;
use weir_runtime::unixctl::{CommandResult, Outcome};

use super::args::Args;
use super::{engine, heading, selected, thread_json};
use crate::switchd::Switchd;

pub(super) fn show(state: &mut Switchd, args: &[String]) -> CommandResult {
    let args = Args::read(args, (&["-pmd"], &[]));
    let share = engine(state)?.miss_share();
    let pmds = selected(state, args.core())?;
    let hz = weir_dpdk::tsc_hz();
    let threads = pmds.iter().filter_map(|pmd| json(pmd, hz));
    let json = Json::object([
        ("share-percent", Json::from(i64::from(share))),
        ("threads", Json::array(threads)),
    ]);
    Outcome::with_json(text(&pmds, share, hz), json)
}

/// A thread's misses by the name of the port.
fn by_port(pmd: &PmdSnapshot) -> BTreeMap<&str, MissSnapshot> {
    let mut ports = BTreeMap::<&str, MissSnapshot>::new();
    for queue in &pmd.rxqs {
        let port = ports.entry(&queue.name).or_default();
        port.translated += queue.misses.translated;
        port.cycles += queue.misses.cycles;
        port.refused += queue.misses.refused;
    }
    ports
}

/// Nanoseconds a miss.
fn each(misses: &MissSnapshot, hz: u64) -> u64 {
    let nanoseconds = u128::from(misses.cycles) * 1_000_000_000 / u128::from(hz.max(1));
    (nanoseconds / u128::from(misses.translated.max(1))) as u64
}

fn text(pmds: &[PmdSnapshot], share: u32, hz: u64) -> String {
    let mut out = match share {
        100 => "Misses may take all of a thread's time\n".to_owned(),
        share => {
            format!("Misses of a port may take {share} % of a thread's time while others wait\n")
        }
    };
    for pmd in pmds.iter().filter(|pmd| pmd.core.is_some()) {
        heading(&mut out, pmd);
        for (name, misses) in by_port(pmd) {
            let MissSnapshot { translated, refused, .. } = misses;
            let _ = writeln!(
                out,
                "  port: {name:<16}  misses: {translated:<10}  ns each: {:<6}  dropped: {refused}",
                each(&misses, hz)
            );
        }
    }
    out
}

fn json(pmd: &PmdSnapshot, hz: u64) -> Option<Json> {
    let clip = |n: u64| Json::from(i64::try_from(n).unwrap_or(i64::MAX));
    let ports = by_port(pmd).into_iter().map(|(name, misses)| {
        Json::object([
            ("port", Json::str(name)),
            ("misses", clip(misses.translated)),
            ("nanoseconds-each", clip(each(&misses, hz))),
            ("dropped", clip(misses.refused)),
        ])
    });
    let ports = ("ports", Json::array(ports));
    Some(Json::object(thread_json(pmd)?.into_iter().chain([ports])))
}

#[cfg(test)]
mod tests {
    use weir_engine::RxqSnapshot;
    use weir_flow::PortNo;

    use super::*;

    #[test]
    fn queues_of_a_port_are_one_line() {
        let queue = |queue| RxqSnapshot {
            port: PortNo(1),
            name: "dpdk0".to_owned(),
            kind: "dpdk".to_owned(),
            queue,
            core: Some(1),
            pinned: false,
            is_pmd: true,
            enabled: true,
            cycles: Vec::new(),
            packets: 0,
            misses: MissSnapshot { translated: 10, cycles: 50_000, refused: u64::from(queue) },
        };
        let rxqs = vec![queue(0), queue(1)];
        let pmds = [PmdSnapshot { core: Some(1), rxqs, ..PmdSnapshot::default() }];
        assert_eq!(
            text(&pmds, 10, 2_000_000_000),
            "Misses of a port may take 10 % of a thread's time while others wait\n\
             pmd thread numa_id 0 core_id 1:\n\
             \x20 port: dpdk0             misses: 20          ns each: 2500    dropped: 1\n"
        );
    }
}
