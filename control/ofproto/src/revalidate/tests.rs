//! Passes over a table of megaflows kept here.

use std::sync::{Arc, Mutex};

use weir_flow::action::{Actions, SlowReasons};
use weir_flow::slowpath::{Credit, Translation};
use weir_flow::{Flow, Mask, PortNo};
use weir_openflow::flow_text::{FlowModCommand, FlowParser, Purpose};
use weir_openflow::{Action as OfAction, FlowMod, OfPort};

use super::*;
use crate::xlate::ctx::Tracing;
use crate::xlate::tests::{add, two_bridges};

/// A datapath of megaflows that packets "hit" by hand.
#[derive(Default)]
struct Fake(Mutex<Vec<Megaflow>>);

struct Megaflow {
    key: Flow,
    mask: Mask,
    actions: Actions,
    credit: Arc<dyn Credit>,
    stats: FlowStats,
    credited: FlowStats,
}

impl Fake {
    fn install(&self, key: Flow, t: Translation) {
        let stats = FlowStats::default();
        self.0.lock().unwrap().push(Megaflow {
            key,
            mask: t.mask,
            actions: t.actions,
            credit: t.credit,
            stats,
            credited: stats,
        });
    }

    fn hit(&self, n: usize, packets: u64, now: u64) {
        let mut flows = self.0.lock().unwrap();
        let s = &mut flows[n].stats;
        (s.packets, s.bytes, s.used_ms) = (s.packets + packets, s.bytes + packets * 100, now);
    }
}

impl Datapath for Fake {
    fn visit(&self, visitor: &mut dyn FnMut(&MegaflowView<'_>) -> Revalidation) {
        let mut ufid = 0;
        self.0.lock().unwrap().retain_mut(|f| {
            ufid += 1;
            let view = MegaflowView {
                ufid,
                core: None,
                key: &f.key,
                mask: &f.mask,
                actions: &f.actions,
                slow: SlowReasons::default(),
                stats: f.stats,
                created_ms: 0,
                credited: f.credited,
                credit: &f.credit,
            };
            let verdict = visitor(&view);
            if !matches!(verdict, Revalidation::Keep { .. }) {
                give(&view);
                f.credited = f.stats;
            }
            match verdict {
                Revalidation::Keep { credited } => f.credited = credited,
                Revalidation::Delete => return false,
                Revalidation::Replace(t) => {
                    f.actions = t.actions;
                    f.credit = t.credit;
                }
            }
            true
        });
    }
    fn n_flows(&self) -> usize {
        self.0.lock().unwrap().len()
    }
    fn execute(&self, _: &[u8], _: &Flow, _: &Actions) {}
    fn port_counters(&self, _port: PortNo) -> Option<weir_flow::slowpath::PortCounters> {
        None
    }

    fn set_port_up(&self, _: PortNo, _: bool) {}

    fn port_is_up(&self, _: PortNo) -> bool {
        true
    }
}

fn to(port: u16) -> FlowMod {
    FlowMod {
        actions: vec![OfAction::Output { port: OfPort(port), max_len: 0 }],
        ..FlowMod::default()
    }
}

fn miss(switch: &Switch, dp: &Fake) {
    let mut key = Flow::ZERO;
    key.in_port = 1.into();
    key.dl_type = 0x1234.into();
    let guard = weir_rcu::pin();
    let o = switch.translate_key(&guard, &key, Start::Ingress, 0, true, Tracing::Off);
    dp.install(key, o.into_translation());
}

fn counts(switch: &Switch) -> (u64, u64) {
    let bridge = switch.bridge("br0").unwrap();
    let state = bridge.lock();
    let rule = state.flows.set().get(0).unwrap().iter().next().unwrap().clone();
    rule.stats.counts()
}

#[test]
fn statistics_reach_the_flow_that_forwarded_the_packets() {
    let (switch, dp, mut r) = (two_bridges(), Fake::default(), Revalidator::new());
    let limits = Limits::default();
    add(&switch, "br0", &to(2));
    miss(&switch, &dp);
    dp.hit(0, 3, 10);
    r.pass(&switch, &dp, &limits, 20);
    assert_eq!(counts(&switch), (3, 300));
    dp.hit(0, 2, 30);
    r.pass(&switch, &dp, &limits, 40);
    r.pass(&switch, &dp, &limits, 50);
    assert_eq!(counts(&switch), (5, 500));
    // The flow is replaced by one that does the same: later packets are the new one's.
    add(&switch, "br0", &FlowMod { command: FlowModCommand::Delete, ..to(2) });
    add(&switch, "br0", &to(2));
    dp.hit(0, 7, 60);
    r.pass(&switch, &dp, &limits, 70);
    dp.hit(0, 1, 80);
    r.pass(&switch, &dp, &limits, 90);
    assert_eq!((counts(&switch), dp.n_flows()), ((1, 100), 1));
}

#[test]
fn changed_tables_change_or_remove_megaflows() {
    let (switch, dp, mut r) = (two_bridges(), Fake::default(), Revalidator::new());
    let limits = Limits::default();
    add(&switch, "br0", &to(2));
    miss(&switch, &dp);
    r.pass(&switch, &dp, &limits, 1);
    add(&switch, "br0", &to(3));
    r.pass(&switch, &dp, &limits, 2);
    let actions = dp.0.lock().unwrap()[0].actions.clone();
    assert!(matches!(actions[..], [Action::Output(PortNo(3))]));
    assert_eq!(r.summary().invalidated, 0);
    // Now the Ethernet address matters: the old mask is too wide.
    let mut narrow = FlowMod { priority: 0xffff, ..to(1) };
    narrow.matched.mask.0.dl_dst = [0xff; 6];
    narrow.matched.flow.dl_dst = [2; 6];
    add(&switch, "br0", &narrow);
    r.pass(&switch, &dp, &limits, 3);
    assert_eq!((r.summary().invalidated, dp.n_flows()), (1, 0));
}

#[test]
fn idle_megaflows_go_and_sooner_when_there_are_too_many() {
    let (switch, dp, mut r) = (two_bridges(), Fake::default(), Revalidator::new());
    let limits = Limits { flow_limit: 1, ..Limits::default() };
    miss(&switch, &dp);
    r.pass(&switch, &dp, &limits, 10_000);
    assert_eq!(dp.n_flows(), 1);
    r.pass(&switch, &dp, &limits, 10_001);
    assert_eq!((dp.n_flows(), r.summary().idled), (0, 1));
    miss(&switch, &dp);
    miss(&switch, &dp);
    dp.hit(0, 1, 20_000);
    r.pass(&switch, &dp, &limits, 20_050);
    assert_eq!(dp.n_flows(), 1);
    r.purge(&dp);
    assert_eq!(dp.n_flows(), 0);
}

#[test]
fn what_has_few_packets_is_not_revalidated_while_passes_take_long() {
    let (switch, dp, mut r) = (two_bridges(), Fake::default(), Revalidator::new());
    let limits = Limits::default();
    let change = |n| {
        switch.forwarding_changed();
        n
    };
    (0..2).for_each(|_| miss(&switch, &dp));
    (0..2).for_each(|n| dp.hit(n, 1, 1_000));
    r.pass(&switch, &dp, &limits, 1_000);
    // A pass that took no time is made again.
    r.took(10, &limits);
    dp.hit(0, 5, 1_900);
    r.pass(&switch, &dp, &limits, change(2_000));
    assert_eq!(dp.n_flows(), 2);
    // One that took long is made for those with five packets a second.
    r.took(250, &limits);
    dp.hit(0, 6, 2_900);
    dp.hit(1, 1, 2_900);
    r.pass(&switch, &dp, &limits, change(3_000));
    assert_eq!((dp.n_flows(), r.summary().invalidated, r.summary().replaced), (1, 1, 0));
    let all = Limits { min_pps: 0, ..limits };
    r.took(250, &all);
    r.pass(&switch, &dp, &all, change(9_000));
    assert_eq!(dp.n_flows(), 1);
}

#[test]
fn without_a_change_nothing_is_replaced() {
    let (switch, dp, mut r) = (two_bridges(), Fake::default(), Revalidator::new());
    for text in [
        "priority=10,ip,in_port=1,nw_dst=10.99.0.1,actions=resubmit(,1)",
        "priority=9,ip,in_port=1,actions=output:2",
        "table=1,priority=40,tcp,tp_dst=80,actions=output:3",
        "table=1,priority=30,ip,nw_src=10.0.0.1,actions=output:3",
        "table=1,priority=20,tcp,tp_src=12345,actions=output:3",
        "table=1,priority=1,actions=drop",
    ] {
        let mod_ = Purpose::Mod(FlowModCommand::Add);
        add(&switch, "br0", &FlowParser::new(None, None).parse(text, mod_).unwrap());
    }
    let guard = weir_rcu::pin();
    for n in 0..64u32 {
        let mut key = Flow::ZERO;
        key.in_port = 1.into();
        key.dl_type = 0x0800.into();
        key.nw_proto = 6;
        key.nw_dst = (0x0a63_0001 ^ (n & 3) << 7).into();
        key.nw_src = (0x0a00_0001 ^ n.reverse_bits()).into();
        key.tp_dst = (80 ^ (n as u16) << 4).into();
        key.tp_src = (12345 ^ (n as u16) << 3).into();
        let o = switch.translate_key(&guard, &key, Start::Ingress, 0, true, Tracing::Off);
        dp.install(key, o.into_translation());
    }
    r.pass(&switch, &dp, &Limits::default(), 1);
    switch.forwarding_changed();
    r.pass(&switch, &dp, &Limits::default(), 2);
    assert_eq!((r.summary().replaced, r.summary().invalidated, dp.n_flows()), (0, 0, 64));
}
