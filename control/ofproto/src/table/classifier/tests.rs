//! The classifier against a linear scan, and the soundness of the bits it says it looked at.

use proptest::prelude::*;
use weir_openflow::Action;

use super::*;
use crate::table::rule::{RuleActions, RuleId, RuleStats};

/// A small space of flows and masks, so that random ones often agree.
fn small_flow() -> impl Strategy<Value = Flow> {
    (0u32..3, 0u8..3, 0u32..8, 0u8..2, 0u16..8, 0u32..3).prop_map(
        |(port, mac, ip, proto, tp, reg)| {
            let mut f = Flow::ZERO;
            f.in_port = port.into();
            f.dl_dst = [0, 0, 0, 0, 0, mac];
            f.dl_type = 0x0800.into();
            f.nw_src = (ip << 29 | 1).into();
            f.nw_dst = (ip << 8).into();
            f.nw_proto = proto + 6;
            f.tp_dst = (tp << 12).into();
            f.tp_src = tp.into();
            f.regs[0] = reg.into();
            f
        },
    )
}

fn small_mask() -> impl Strategy<Value = Mask> {
    (any::<[bool; 6]>(), 0u32..=3, 0u32..=3).prop_map(|(on, src, tp)| {
        let mut m = Mask::CATCHALL;
        let [port, mac, typ, proto, reg, dst] = on;
        if port {
            m.0.in_port = u32::MAX.into();
        }
        if mac {
            m.0.dl_dst = [0xff; 6];
        }
        if typ {
            m.0.dl_type = 0xffff.into();
        }
        if proto {
            m.0.nw_proto = 0xff;
        }
        if reg {
            m.0.regs[0] = u32::MAX.into();
        }
        if dst {
            m.0.nw_dst = 0x0000_0100.into();
        }
        m.0.nw_src = (!(u32::MAX >> src)).into();
        m.0.tp_dst = (!(u16::MAX >> tp)).into();
        m
    })
}

fn rule(n: u64, priority: i32, flow: &Flow, mask: &Mask, actions: Vec<Action>) -> Arc<Rule> {
    let mask = CompactMask::new(mask);
    Arc::new(Rule {
        id: RuleId(n),
        table_id: 0,
        priority,
        key: mask.key(flow),
        mask: Arc::new(mask),
        cookie: 0,
        flags: 0,
        importance: 0,
        actions: Arc::new(RuleActions::new(actions)),
        created_ms: 0,
        modified_ms: 0,
        stats: Arc::new(RuleStats::new(0, 0, 0)),
    })
}

fn tables(conjunctive: u32) -> impl Strategy<Value = Vec<Arc<Rule>>> {
    let action = prop_oneof![
        4 - conjunctive => Just(Vec::new()),
        conjunctive => (1u32..3, 0u8..2).prop_map(|(id, clause)| {
            vec![Action::Conjunction { id, clause, n_clauses: 2 }]
        }),
    ];
    prop::collection::vec((0i32..6, small_flow(), small_mask(), action, 0u32..3), 0..40).prop_map(
        |rows| {
            let one =
                |(n, (prio, mut flow, mut mask, act, conj)): (u64, (i32, Flow, Mask, _, u32))| {
                    if conj > 0 && n % 3 == 0 {
                        flow.conj_id = conj.into();
                        mask.0.conj_id = u32::MAX.into();
                    }
                    rule(n, prio, &flow, &mask, act)
                };
            (0..).zip(rows).map(one).collect()
        },
    )
}

fn fields() -> Vec<PrefixField> {
    ["nw_dst", "nw_src"].iter().filter_map(|n| PrefixField::by_name(n)).collect()
}

fn build(rules: &[Arc<Rule>]) -> (Classifier, Vec<Arc<Rule>>) {
    let mut c = Classifier::new(&fields());
    let mut list: Vec<Arc<Rule>> = Vec::new();
    for r in rules {
        let old = list.iter().position(|o| o.same_place(r));
        assert_eq!(c.insert(r.clone()).is_some(), old.is_some());
        match old {
            Some(at) => list[at] = r.clone(),
            None => list.push(r.clone()),
        }
    }
    assert_eq!(c.len(), list.len());
    (c, list)
}

/// The priority of the best flow, by looking at all of them.
fn linear(list: &[Arc<Rule>], flow: &Flow) -> Option<i32> {
    list.iter().filter(|r| r.matches(flow)).map(|r| r.priority).max()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn finds_what_a_linear_scan_finds(rules in tables(0), flows in prop::collection::vec(small_flow(), 20)) {
        let (c, list) = build(&rules);
        for flow in flows {
            let mut wc = Mask::CATCHALL;
            let found = c.lookup(&flow, &mut wc);
            prop_assert_eq!(found.map(|r| r.priority), linear(&list, &flow));
            prop_assert!(found.is_none_or(|r| r.matches(&flow)));
        }
    }

    /// The security boundary: packets that agree in the bits looked at get the same flow.
    #[test]
    fn agreeing_packets_get_the_same_flow(rules in tables(1), flows in prop::collection::vec(small_flow(), 24)) {
        let (c, _) = build(&rules);
        for a in &flows {
            let mut wc = Mask::CATCHALL;
            let found = c.lookup(a, &mut wc).map(|r| r.id);
            for b in &flows {
                // Mix: everything looked at from a, the rest from b.
                let mut mixed = *b;
                let words = a.words().iter().zip(wc.0.words());
                for (m, (w, bits)) in mixed.words_mut().iter_mut().zip(words) {
                    *m = *m & !bits | w & bits;
                }
                let mut wc2 = Mask::CATCHALL;
                prop_assert_eq!(c.lookup(&mixed, &mut wc2).map(|r| r.id), found);
            }
        }
    }

    #[test]
    fn removing_flows_leaves_no_trace(rules in tables(0), keep in any::<u64>(), flows in prop::collection::vec(small_flow(), 10)) {
        let (mut c, list) = build(&rules);
        let (stay, go): (Vec<_>, Vec<_>) =
            list.into_iter().partition(|r| keep >> (r.id.0 % 64) & 1 == 1);
        let before = c.clone();
        for r in &go {
            prop_assert_eq!(c.remove(r).map(|x| x.id), Some(r.id));
        }
        prop_assert_eq!(before.len(), stay.len() + go.len());
        let (fresh, _) = build(&stay);
        prop_assert_eq!(c.subtables().len(), fresh.subtables().len());
        for flow in flows {
            let (mut w1, mut w2) = (Mask::CATCHALL, Mask::CATCHALL);
            prop_assert_eq!(
                c.lookup(&flow, &mut w1).map(|r| r.priority),
                fresh.lookup(&flow, &mut w2).map(|r| r.priority)
            );
        }
    }

    #[test]
    fn loose_search_is_containment(rules in tables(0), flow in small_flow(), mask in small_mask()) {
        let (c, list) = build(&rules);
        let found: std::collections::BTreeSet<u64> =
            c.find_loose(&mask, &flow).iter().map(|r| r.id.0).collect();
        let want: std::collections::BTreeSet<u64> = list
            .iter()
            .filter(|r| r.mask.expand().covers(&mask) && mask.agrees(&r.mask.flow(&r.key), &flow))
            .map(|r| r.id.0)
            .collect();
        prop_assert_eq!(found, want);
    }
}

/// Many prefixes of all lengths near a few addresses, behind different preludes.
fn prefixes() -> impl Strategy<Value = Vec<Arc<Rule>>> {
    let one = (any::<[u32; 2]>(), 0u32..=32, 0u32..=32, 0u8..8, 0u32..4, any::<u16>());
    prop::collection::vec((one, 0i32..50), 30..200).prop_map(|rows| {
        let rows = (0..).zip(rows);
        rows.map(|(n, ((noise, src, dst, kind, port, tp), priority))| {
            let (mut f, mut m) = (near(noise, port, tp), Mask::CATCHALL);
            m.0.dl_type = u16::MAX.into();
            let prefix = |n: u32| u32::MAX.checked_shl(32 - n).unwrap_or(0);
            (m.0.nw_src, m.0.nw_dst) = (prefix(src).into(), prefix(dst).into());
            if kind & 1 != 0 {
                m.0.tp_dst = u16::MAX.into();
                m.0.nw_proto = u8::MAX;
            }
            match kind >> 1 {
                0 => m.0.in_port = u32::MAX.into(),
                1 => m.0.regs[0] = u32::MAX.into(),
                _ => {}
            }
            if n % 16 == 0 {
                f.dl_type = 0x0806.into();
            }
            rule(n, priority, &f, &m, Vec::new())
        })
        .collect()
    })
}

fn near(noise: [u32; 2], port: u32, tp: u16) -> Flow {
    let mut f = Flow::ZERO;
    let at = |noise: u32| 0x0a0a_0a0a ^ (noise & 0xffff).checked_shr(noise >> 28).unwrap_or(0);
    f.dl_type = 0x0800.into();
    (f.in_port, f.regs[0]) = ((port & 1).into(), (port >> 1).into());
    (f.nw_src, f.nw_dst) = (at(noise[0]).into(), at(noise[1]).into());
    (f.nw_proto, f.tp_dst) = (6, (tp & 3).into());
    f
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// The same flow and the same bits as when every subtable is asked.
    #[test]
    fn skipping_subtables_makes_no_difference(
        rules in prefixes(),
        packets in prop::collection::vec((any::<[u32; 2]>(), 0u32..4, any::<u16>()), 40),
        gone in any::<u64>(),
    ) {
        let (mut c, list) = build(&rules);
        let all = SkipIndex::new(0, &[]);
        for pass in 0..2 {
            for (noise, port, tp) in &packets {
                let flow = near(*noise, *port, *tp);
                let (mut w1, mut w2) = (Mask::CATCHALL, Mask::CATCHALL);
                let one = c.walk(&flow, &mut w1, true, Skip::new(&all)).0.map(|r| r.id);
                let two = c.lookup(&flow, &mut w2).map(|r| r.id);
                prop_assert_eq!(one, two, "pass {}", pass);
                prop_assert_eq!(&w1, &w2, "pass {}", pass);
            }
            for r in list.iter().filter(|r| pass == 0 && gone >> (r.id.0 % 64) & 1 == 1) {
                c.remove(r);
            }
        }
    }
}

#[test]
fn conjunctions_multiply_their_clauses() {
    let mut f = Flow::ZERO;
    let (mut src, mut dst, mut id) = (Mask::CATCHALL, Mask::CATCHALL, Mask::CATCHALL);
    src.0.nw_src = u32::MAX.into();
    dst.0.nw_dst = u32::MAX.into();
    id.0.conj_id = u32::MAX.into();
    let part = |clause| vec![Action::Conjunction { id: 7, clause, n_clauses: 2 }];
    f.nw_src = 1.into();
    f.nw_dst = 2.into();
    f.conj_id = 7.into();
    let rules = [
        rule(1, 10, &f, &src, part(0)),
        rule(2, 10, &f, &dst, part(1)),
        rule(3, 10, &f, &id, vec![]),
        rule(4, 1, &f, &Mask::CATCHALL, vec![]),
    ];
    let (c, _) = build(&rules);
    let look = |src: u32, dst: u32| {
        let mut p = Flow::ZERO;
        p.nw_src = src.into();
        p.nw_dst = dst.into();
        c.lookup(&p, &mut Mask::default()).map(|r| r.id.0)
    };
    assert_eq!([look(1, 2), look(1, 3), look(3, 2)], [Some(3), Some(4), Some(4)]);
}
