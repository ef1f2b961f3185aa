//! The table finds what was installed and nothing else, whatever the masks.

use std::sync::Arc;

use proptest::prelude::*;
use weir_flow::action::{Action, SlowReasons};
use weir_flow::flow::HOT_WORDS;
use weir_flow::slowpath::{Credit, Translation};
use weir_flow::{Flow, Mask, PortNo};

use super::entry::Verdict;
use super::table::MegaflowTable;
use crate::hash::HashKey;

#[derive(Debug)]
struct Nobody;

impl Credit for Nobody {
    fn credit(&self, _packets: u64, _bytes: u64, _used_ms: u64, _tcp_flags: u16) {}

    fn receivers(&self) -> u64 {
        0
    }
}

fn translation(mask: Mask, out: u32) -> Translation {
    Translation {
        mask,
        actions: Arc::new([Action::Output(PortNo(out))]),
        drop_reason: None,
        slow: SlowReasons::default(),
        credit: Arc::new(Nobody),
    }
}

/// Rules of source prefixes and port bits, one prefix length and one bit each, so that almost every
/// packet has a mask of its own.
fn decide(rules: &[(u32, u32, u16)], flow: &Flow) -> (Mask, u32) {
    let mut mask = Mask::CATCHALL;
    for (i, (value, len, bit)) in rules.iter().enumerate() {
        let prefix = u32::MAX.checked_shl(32 - len).unwrap_or(0);
        mask.0.nw_src = (mask.0.nw_src.get() | prefix).into();
        if (flow.nw_src.get() ^ value) & prefix == 0 {
            mask.0.tp_src = (mask.0.tp_src.get() | bit).into();
            if flow.tp_src.get() & bit != 0 {
                return (mask, i as u32);
            }
        }
    }
    (mask, u32::MAX)
}

fn flow(src: u32, port: u16, in_port: u32) -> Flow {
    let mut flow = Flow::ZERO;
    flow.in_port = in_port.into();
    flow.dl_type = 0x0800.into();
    flow.nw_src = src.into();
    flow.tp_src = port.into();
    flow
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn what_is_found_is_what_would_be_decided(
        rules in proptest::collection::vec((any::<u32>(), 0u32..=32, 0u32..16), 1..60),
        packets in proptest::collection::vec((any::<u32>(), any::<u16>(), 1u32..3, 0usize..60), 1..400),
    ) {
        let rules: Vec<_> = rules.into_iter().map(|(v, l, b)| (v, l, 1u16 << b)).collect();
        let mut table = MegaflowTable::new(HashKey::random());
        let mut installed = Vec::new();
        for (n, (src, port, in_port, near)) in packets.iter().enumerate() {
            // Near some rule, so that prefixes of all lengths matter.
            let value = rules.get(near % rules.len()).map_or(0, |r| r.0);
            let key = flow(value ^ src.checked_shr(*near as u32).unwrap_or(0), *port, *in_port);
            let (mask, out) = decide(&rules, &key);
            let verdict = Verdict::Output(PortNo(out));
            match table.find(*in_port, key.words()).flow {
                Some(found) => {
                    prop_assert_eq!(found.verdict, verdict);
                    prop_assert!(found.mask.mask.covers(&mask));
                    prop_assert!(found.mask.mask.agrees(&found.key(), &key));
                }
                None => installed.push(table.install(&key, &translation(mask, out), 1)),
            }
            // What the port's projection leaves of the packet finds the same.
            if let Some(projection) = table.projection(*in_port) {
                let mut words = [0; HOT_WORDS];
                words.copy_from_slice(&key.words()[..HOT_WORDS]);
                for (word, bits) in words[1..].iter_mut().zip(projection.bits) {
                    *word &= bits;
                }
                let found = table.find(*in_port, &words).flow.map(|f| f.verdict);
                prop_assert_eq!(found, Some(verdict));
            }
            if n % 50 == 49 {
                table.maintain();
                let victim = installed.swap_remove(n % installed.len());
                prop_assert!(table.remove(&victim));
                prop_assert!(!table.remove(&victim) && victim.is_dead());
            }
        }
        prop_assert!(table.n_subtables(1) <= 41);
        let mut left = table.flush_port(1);
        left.extend(table.flush_port(2));
        prop_assert_eq!(left.len(), installed.len());
        prop_assert!(left.iter().all(|flow| flow.is_dead()));
    }
}

#[test]
fn bits_nobody_looks_at_any_more_are_forgotten() {
    let mut table = MegaflowTable::new(HashKey::random());
    let key = flow(1, 2, 3);
    let mut wide = Mask::CATCHALL;
    wide.0.dl_type = u16::MAX.into();
    let mut narrow = wide;
    narrow.0.nw_src = u32::MAX.into();
    let first = table.install(&key, &translation(narrow, 1), 1);
    let with_src = *table.projection(3).unwrap();
    assert!(table.remove(&first));
    drop(first);
    table.install(&flow(9, 9, 3), &translation(wide, 1), 1);
    assert_eq!(*table.projection(3).unwrap(), with_src);
    // Not while bits are being added.
    table.maintain();
    assert_eq!(table.projection(3).unwrap().bits, with_src.bits);
    table.maintain();
    let without = *table.projection(3).unwrap();
    assert!(without.bits[3] == 0 && without.epoch != with_src.epoch);
    table.maintain();
    assert_eq!(*table.projection(3).unwrap(), without);
}
