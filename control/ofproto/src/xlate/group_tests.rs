//! Groups: what their buckets do to packets, who is counted, what lives.

use weir_flow::Flow;
use weir_flow::action::Action as DpAction;
use weir_flow::flow::eth_type;
use weir_flow::slowpath::Credit;
use weir_openflow::matching::FieldValue;
use weir_openflow::messages::group::{
    Bucket, GroupCommand, GroupMod, GroupProps, GroupType, bucket_id, group_id,
};
use weir_openflow::{Action, FlowMod, OfPort};

use super::Outcome;
use super::ctx::XlateError;
use super::tests::{add, add_group, key, out, text, translate, two_bridges};
use crate::Switch;

fn bucket(weight: u16, actions: Vec<Action>) -> Bucket {
    Bucket { bucket_id: 0, weight, watch_port: OfPort::NONE, watch_group: group_id::ANY, actions }
}

fn watching(port: u16, group: u32, to: u16) -> Bucket {
    let watch_port = if port == 0 { OfPort::NONE } else { OfPort(port) };
    Bucket { watch_port, watch_group: group, ..bucket(0, vec![out(to)]) }
}

fn group(id: u32, kind: GroupType, buckets: Vec<Bucket>) -> GroupMod {
    let numbered = (0..).zip(buckets).map(|(n, b)| Bucket { bucket_id: n, ..b });
    GroupMod {
        command: GroupCommand::AddOrMod,
        kind,
        group_id: id,
        command_bucket_id: bucket_id::ALL,
        buckets: numbered.collect(),
        props: GroupProps::default(),
    }
}

fn all_packets(switch: &Switch, actions: Vec<Action>) {
    add(switch, "br0", &FlowMod { actions, ..FlowMod::default() });
}

fn counts(switch: &Switch, id: u32) -> (u64, Vec<u64>) {
    let br0 = switch.bridge("br0").unwrap();
    let stats = br0.lock().flows.set().groups.get(id).unwrap().stats(0, 0);
    (stats.packet_count, stats.buckets.iter().map(|(packets, _)| *packets).collect())
}

fn recirculated(o: &Outcome) -> u32 {
    o.actions
        .iter()
        .find_map(|a| if let DpAction::Recirc(id) = a { Some(*id) } else { None })
        .unwrap()
}

#[test]
fn every_bucket_of_all_has_a_packet_of_its_own() {
    let switch = two_bridges();
    let buckets = vec![
        bucket(0, vec![Action::SetEthSrc([9; 6]), out(2)]),
        bucket(0, vec![Action::SetEthSrc([8; 6])]),
        bucket(0, vec![out(3)]),
    ];
    add_group(&switch, "br0", &group(1, GroupType::All, buckets));
    all_packets(&switch, vec![Action::Group(1), out(1), out(2)]);
    let o = translate(&switch, &key(4, 0x1234), false);
    let want = "set(eth(src=09:09:09:09:09:09)),2,set(eth(src=02:00:00:00:00:01)),3,1,2";
    assert_eq!(text(&o), want);
    o.credits.credit(3, 300, 0, 0);
    assert_eq!(counts(&switch, 1), (3, vec![3, 3, 3]));
}

#[test]
fn fast_failover_follows_ports_and_groups() {
    let switch = two_bridges();
    let main = vec![watching(1, group_id::ANY, 1), watching(0, 2, 2), watching(3, 9, 3)];
    add_group(&switch, "br0", &group(1, GroupType::FastFailover, main));
    let watched = vec![watching(77, group_id::ANY, 1), watching(2, group_id::ANY, 1)];
    add_group(&switch, "br0", &group(2, GroupType::FastFailover, watched));
    all_packets(&switch, vec![Action::Group(1)]);
    let br0 = switch.bridge("br0").unwrap();
    let to = || text(&translate(&switch, &key(4, 0x1234), false));
    let down = |n| {
        let before = switch.generation();
        let mut config = br0.lock().config.clone();
        config.ports.iter_mut().filter(|p| p.ofport.0 == n).for_each(|p| p.link_up = false);
        br0.apply(&config, 0);
        switch.publish();
        assert!(switch.generation() > before);
    };
    assert_eq!(to(), "1");
    down(1);
    assert_eq!(to(), "2");
    down(2);
    assert_eq!(to(), "3");
    down(3);
    let o = translate(&switch, &key(4, 0x1234), false);
    o.credits.credit(1, 100, 0, 0);
    assert_eq!((text(&o), counts(&switch, 1)), ("drop".to_owned(), (0, vec![0, 0, 0])));
}

#[test]
fn groups_that_watch_one_another_live_if_anything_does() {
    let switch = two_bridges();
    add_group(&switch, "br0", &group(1, GroupType::FastFailover, vec![watching(0, 2, 1)]));
    add_group(&switch, "br0", &group(2, GroupType::FastFailover, vec![watching(0, 1, 1)]));
    all_packets(&switch, vec![Action::Group(1)]);
    let to = || text(&translate(&switch, &key(4, 0x1234), false));
    assert_eq!(to(), "drop");
    let more = vec![watching(0, 1, 1), watching(2, group_id::ANY, 1)];
    add_group(&switch, "br0", &group(2, GroupType::FastFailover, more));
    assert_eq!(to(), "1");
}

#[test]
fn the_datapaths_hash_picks_by_weight() {
    let switch = two_bridges();
    let buckets = vec![bucket(1, vec![out(1)]), bucket(3, vec![out(2)])];
    add_group(&switch, "br0", &group(1, GroupType::Select, buckets));
    all_packets(&switch, vec![out(3), Action::Group(1), out(3)]);
    let first = translate(&switch, &key(4, 0x1234), false);
    let id = recirculated(&first);
    assert_eq!(text(&first), format!("3,hash(sym_l4(0)),recirc({id:#x})"));
    let mut again = Flow { recirc_id: id.into(), ..key(4, 0x1234) };
    let mut hits = [0; 2];
    for hash in 0..16u32 {
        again.dp_hash = (0xabcd_ef00 | hash).into();
        let o = translate(&switch, &again, false);
        assert_eq!(o.mask.0.dp_hash.get(), 0xf);
        match text(&o).as_str() {
            "1,3" => hits[0] += 1,
            "2,3" => hits[1] += 1,
            other => panic!("{other}"),
        }
        o.credits.credit(1, 1, 0, 0);
    }
    assert_eq!(hits, [4, 12]);
    assert_eq!(counts(&switch, 1), (16, vec![4, 12]));
}

#[test]
fn hashes_of_fields_read_what_they_name() {
    let switch = two_bridges();
    let buckets = (1..4).map(|n| bucket(1, vec![out(n)])).collect();
    let mut gm = group(1, GroupType::Select, buckets);
    gm.props.selection_method = "hash".to_owned();
    let masked = FieldValue::from_u128(0xffff_ff00, 4);
    gm.props.fields.insert(weir_flow::field::id::NW_DST, masked);
    add_group(&switch, "br0", &gm);
    all_packets(&switch, vec![Action::Group(1)]);
    let mut seen = std::collections::BTreeSet::new();
    for n in 0..64u32 {
        let mut k = key(4, eth_type::IPV4);
        (k.nw_src, k.nw_dst) = (n.into(), (n << 8).into());
        let o = translate(&switch, &k, false);
        assert_eq!((o.mask.0.nw_dst.get(), o.mask.0.nw_src.get()), (0xffff_ff00, 0));
        let mut near = k;
        near.nw_dst = (n << 8 | 7).into();
        assert_eq!(text(&o), text(&translate(&switch, &near, false)));
        seen.insert(text(&o));
    }
    assert_eq!(seen.len(), 3);
    // A packet without the field has a hash all the same.
    let o = translate(&switch, &key(4, 0x1234), false);
    assert_ne!(text(&o), "drop");
}

#[test]
fn chains_end() {
    let switch = two_bridges();
    let fork = |to| (0..2).map(|_| bucket(0, vec![Action::Group(to)])).collect();
    for id in 1..40 {
        add_group(&switch, "br0", &group(id, GroupType::All, fork(id + 1)));
    }
    add_group(&switch, "br0", &group(40, GroupType::All, vec![]));
    all_packets(&switch, vec![Action::Group(1)]);
    let o = translate(&switch, &key(4, 0x1234), false);
    assert_eq!(o.error, Some(XlateError::TooManyResubmits));
    add_group(&switch, "br0", &group(1, GroupType::All, fork(1)));
    let o = translate(&switch, &key(4, 0x1234), false);
    assert_eq!(o.error, Some(XlateError::RecursionTooDeep));
}

#[test]
fn a_bucket_that_recirculates_does_not_stop_the_packet() {
    let switch = two_bridges();
    add_group(&switch, "br0", &group(2, GroupType::Select, vec![bucket(1, vec![out(2)])]));
    let buckets = vec![bucket(0, vec![Action::Group(2)]), bucket(0, vec![out(1)])];
    add_group(&switch, "br0", &group(1, GroupType::All, buckets));
    let set = Action::WriteActions(vec![out(2)]);
    all_packets(&switch, vec![Action::Group(1), out(3), set]);
    let first = translate(&switch, &key(4, 0x1234), false);
    let id = recirculated(&first);
    assert_eq!(text(&first), format!("hash(sym_l4(0)),recirc({id:#x}),1,3,2"));
}

#[test]
fn a_group_in_the_action_set_takes_the_place_of_outputs() {
    let switch = two_bridges();
    add_group(&switch, "br0", &group(1, GroupType::Indirect, vec![bucket(0, vec![out(2)])]));
    let set = vec![out(1), Action::Group(1), out(3), Action::SetEthSrc([9; 6])];
    all_packets(&switch, vec![Action::WriteActions(set)]);
    let o = translate(&switch, &key(4, 0x1234), false);
    assert_eq!(text(&o), "set(eth(src=09:09:09:09:09:09)),2");
    assert_eq!(o.final_flow.actset_output.get(), u32::from(OfPort::UNSET.0));
}
