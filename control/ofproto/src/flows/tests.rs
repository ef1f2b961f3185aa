//! Flow-mods, time-outs and limits, on simulated time.

use weir_openflow::flow_text::flow_mod::{FlowModCommand, FlowModFlags};
use weir_openflow::{Action, FlowMod, OfPort, OfpError};

use super::*;
use crate::config::TableConfig;
use crate::view::BridgeId;
use crate::xlate::learn::Learned;

fn out(n: u16) -> Vec<Action> {
    vec![Action::Output { port: OfPort(n), max_len: 0 }]
}

/// A flow that matches `nw_dst` under a prefix.
fn flow(dst: u32, prefix: u32, actions: Vec<Action>) -> FlowMod {
    let mut fm = FlowMod { actions, table_id: 0, ..FlowMod::default() };
    fm.matched.mask.0.dl_type = u16::MAX.into();
    fm.matched.flow.dl_type = 0x0800.into();
    fm.matched.mask.0.nw_dst = (!u32::MAX.checked_shr(prefix).unwrap_or(0)).into();
    fm.matched.flow.nw_dst = dst.into();
    fm
}

fn with(command: FlowModCommand, fm: FlowMod) -> FlowMod {
    FlowMod { command, ..fm }
}

fn state(t: &FlowTables) -> Vec<(u64, Vec<Action>)> {
    let mut all: Vec<_> = t.by_id.values().map(|r| (r.cookie, r.actions.list.clone())).collect();
    all.sort_by_key(|(c, _)| *c);
    all
}

#[test]
fn strict_commands_mean_one_flow_and_loose_ones_all_within() {
    let mut t = FlowTables::new();
    for (n, (dst, prefix)) in
        [(0x0a000000, 8), (0x0a010000, 16), (0x0b000000, 8)].iter().enumerate()
    {
        let fm = FlowMod { new_cookie: Some(n as u64 + 1), ..flow(*dst, *prefix, out(1)) };
        t.flow_mod(&fm, 0).unwrap();
    }
    let modify = with(FlowModCommand::Modify, flow(0x0a000000, 8, out(2)));
    t.flow_mod(&modify, 0).unwrap();
    assert_eq!(state(&t), [(1, out(2)), (2, out(2)), (3, out(1))]);
    let strict = with(FlowModCommand::ModifyStrict, flow(0x0a000000, 8, out(3)));
    t.flow_mod(&strict, 0).unwrap();
    assert_eq!(state(&t), [(1, out(3)), (2, out(2)), (3, out(1))]);
    let to_port_2 = FlowMod { out_port: OfPort(2), ..FlowMod::default() };
    t.flow_mod(&with(FlowModCommand::Delete, to_port_2), 0).unwrap();
    assert_eq!(state(&t), [(1, out(3)), (3, out(1))]);
    let by_cookie = FlowMod { cookie: 3, cookie_mask: u64::MAX, ..FlowMod::default() };
    t.flow_mod(&with(FlowModCommand::Delete, by_cookie), 0).unwrap();
    assert_eq!(state(&t), [(1, out(3))]);
    let wrong = FlowMod { priority: 1, ..flow(0x0a000000, 8, vec![]) };
    t.flow_mod(&with(FlowModCommand::DeleteStrict, wrong), 0).unwrap();
    assert_eq!(t.len(), 1);
    t.flow_mod(&with(FlowModCommand::DeleteStrict, flow(0x0a000000, 8, vec![])), 0).unwrap();
    assert!(t.is_empty() && t.by_cookie.is_empty() && t.timed.is_empty());
}

#[test]
fn modifying_nothing_adds_only_where_cookies_are_not_asked_for() {
    let mut t = FlowTables::new();
    let fm = with(FlowModCommand::Modify, flow(1, 32, out(1)));
    t.flow_mod(&FlowMod { new_cookie: None, ..fm.clone() }, 0).unwrap();
    assert!(t.is_empty());
    t.flow_mod(&fm, 0).unwrap();
    assert_eq!(t.len(), 1);
}

#[test]
fn an_added_flow_replaces_its_equal_and_keeps_counting_unless_told_otherwise() {
    let mut t = FlowTables::new();
    let fm = flow(1, 32, out(1));
    t.flow_mod(&fm, 0).unwrap();
    let counts = |t: &FlowTables| t.by_id.values().next().unwrap().stats.counts();
    t.by_id.values().next().unwrap().stats.credit(5, 500, 1);
    t.flow_mod(&FlowMod { actions: out(2), ..fm.clone() }, 10).unwrap();
    assert_eq!((t.len(), counts(&t)), (1, (5, 500)));
    t.flow_mod(&FlowMod { flags: FlowModFlags::RESET_COUNTS, ..fm }, 20).unwrap();
    assert_eq!((t.len(), counts(&t)), (1, (0, 0)));
}

#[test]
fn packets_owed_to_a_replaced_flow_are_its_successors() {
    let mut t = FlowTables::new();
    let only = |t: &FlowTables| t.by_id.values().next().unwrap().stats.clone();
    t.flow_mod(&flow(1, 32, out(1)), 0).unwrap();
    let old = only(&t);
    t.flow_mod(&flow(1, 32, out(2)), 10).unwrap();
    assert_eq!(only(&t).used_ms(), 0);
    old.credit(2, 200, 5);
    assert_eq!((only(&t).counts(), only(&t).used_ms()), ((2, 200), 5));
    t.flow_mod(&FlowMod { flags: FlowModFlags::RESET_COUNTS, ..flow(1, 32, out(3)) }, 20).unwrap();
    old.credit(1, 100, 15);
    assert_eq!((only(&t).counts(), only(&t).used_ms()), ((0, 0), 5));
}

fn learned_flow(port: u16, idle_timeout: u16, hard_timeout: u16) -> Learned {
    Learned {
        bridge: BridgeId(0),
        table_id: 0,
        priority: 1,
        cookie: 0,
        idle_timeout,
        hard_timeout,
        flags: 0,
        limit: 0,
        matching: weir_openflow::Match::catchall(),
        actions: out(port),
    }
}

#[test]
fn a_learn_actions_limit_counts_flows_that_are_not_there_yet() {
    let mut t = FlowTables::new();
    let limited = |port| Learned { limit: 1, ..learned_flow(port, 0, 10) };
    assert_eq!(t.learn(&limited(1), 0), Ok(true));
    assert_eq!(t.learn(&limited(1), 1), Ok(false));
    assert!(t.has_room_to_learn(&limited(1)) && !t.has_room_to_learn(&limited(2)));
    assert_eq!(t.learn(&limited(2), 2), Err(OfpError::OFPFMFC_TABLE_FULL));
}

#[test]
fn learning_again_renews_the_hard_timeout_and_nothing_else() {
    let mut t = FlowTables::new();
    let learned = learned_flow;
    assert_eq!(t.learn(&learned(1, 0, 10), 0), Ok(true));
    assert_eq!(t.learn(&learned(1, 0, 10), 9_000), Ok(false));
    t.expire(18_999);
    let rule = t.by_id.values().next().unwrap().clone();
    assert_eq!((rule.stats.used_ms(), rule.created_ms), (0, 0));
    // With other actions it is changed, and keeps its age and timeouts.
    assert_eq!(t.learn(&learned(2, 5, 0), 18_999), Ok(true));
    let rule = t.by_id.values().next().unwrap().clone();
    assert_eq!((rule.created_ms, rule.stats.timeouts()), (0, (0, 10)));
    t.expire(28_999);
    assert!(t.is_empty());
    t.learn(&learned(1, 10, 0), 30_000).unwrap();
    t.learn(&learned(1, 10, 0), 39_000).unwrap();
    t.expire(40_000);
    assert!(t.is_empty());
}

#[test]
fn overlaps_and_forbidden_tables_are_refused() {
    let mut t = FlowTables::new();
    t.flow_mod(&flow(0x0a000000, 8, out(1)), 0).unwrap();
    let checked = |fm| FlowMod { flags: FlowModFlags::CHECK_OVERLAP, ..fm };
    let overlap = t.flow_mod(&checked(flow(0x0a010000, 16, out(1))), 0);
    assert_eq!(overlap, Err(OfpError::OFPFMFC_OVERLAP));
    t.flow_mod(&checked(flow(0x0b010000, 16, out(1))), 0).unwrap();
    let internal = FlowMod { table_id: 254, ..flow(1, 32, vec![]) };
    assert_eq!(t.flow_mod(&internal, 0), Err(OfpError::OFPBRC_EPERM));
    let group = flow(1, 32, vec![Action::Clone(vec![Action::Group(1)])]);
    assert_eq!(t.flow_mod(&group, 0), Err(OfpError::OFPBAC_BAD_OUT_GROUP));
    assert_eq!(t.len(), 2);
}

#[test]
fn timeouts() {
    let mut t = FlowTables::new();
    let fm = |dst, idle_timeout, hard_timeout| FlowMod {
        idle_timeout,
        hard_timeout,
        flags: FlowModFlags::SEND_FLOW_REM,
        ..flow(dst, 32, out(1))
    };
    t.flow_mod(&fm(1, 10, 0), 0).unwrap();
    t.flow_mod(&fm(2, 0, 20), 0).unwrap();
    t.flow_mod(&fm(3, 0, 0), 0).unwrap();
    t.take_events();
    t.by_id.values().for_each(|r| r.stats.credit(1, 1, 5_000));
    t.expire(14_999);
    assert_eq!(t.len(), 3);
    let reasons = |t: &mut FlowTables| {
        let reason = |e| match e {
            FlowEvent::Removed { reason, .. } => Some(reason),
            _ => None,
        };
        t.take_events().into_iter().filter_map(reason).collect::<Vec<_>>()
    };
    t.expire(15_000);
    assert_eq!(reasons(&mut t), [RemovalReason::IdleTimeout]);
    t.expire(20_000);
    assert_eq!(reasons(&mut t), [RemovalReason::HardTimeout]);
    t.expire(1 << 40);
    assert_eq!(t.len(), 1);
}

#[test]
fn full_tables_refuse_or_evict_the_least_important() {
    let mut t = FlowTables::new();
    let limit = |evict| TableConfig { flow_limit: Some(2), evict, ..TableConfig::default() };
    t.configure(&[limit(false)]);
    let fm = |n: u32, importance| FlowMod {
        importance,
        hard_timeout: 100,
        new_cookie: Some(u64::from(n)),
        ..flow(n, 32, out(1))
    };
    t.flow_mod(&fm(1, 5), 0).unwrap();
    t.flow_mod(&fm(2, 3), 0).unwrap();
    assert_eq!(t.flow_mod(&fm(3, 9), 0), Err(OfpError::OFPFMFC_TABLE_FULL));
    t.flow_mod(&fm(2, 3), 0).unwrap();
    t.configure(&[limit(true)]);
    t.flow_mod(&fm(3, 9), 0).unwrap();
    let cookies: Vec<u64> = state(&t).iter().map(|(c, _)| *c).collect();
    assert_eq!(cookies, [1, 3]);
}
