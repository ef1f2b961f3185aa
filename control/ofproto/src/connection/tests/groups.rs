//! Groups, driven by the bytes of a peer.

use weir_openflow::messages::async_config::{AsyncChange, AsyncMsg, AsyncType};
use weir_openflow::messages::bundle::{BundleAdd, BundleControl, BundleControlType};
use weir_openflow::messages::group::{
    Bucket, GroupCommand, GroupMod, GroupProps, GroupType, bucket_id, group_id,
};

use super::*;

fn group(command: GroupCommand, id: u32) -> Message {
    let bucket = Bucket {
        bucket_id: 0,
        weight: 0,
        watch_port: OfPort::NONE,
        watch_group: group_id::ANY,
        actions: out(2),
    };
    Message::GroupMod(GroupMod {
        command,
        kind: GroupType::All,
        group_id: id,
        command_bucket_id: bucket_id::ALL,
        buckets: if command == GroupCommand::Delete { Vec::new() } else { vec![bucket] },
        props: GroupProps::default(),
    })
}

#[test]
fn every_version_has_groups() {
    for version in OfVersion::ALL {
        let mut p = Peer::new(ConnKind::Service, version);
        for id in [9, 3] {
            assert_eq!(p.send(&group(GroupCommand::Add, id)), [], "{version:?}");
        }
        assert_eq!(p.error(&group(GroupCommand::Add, 3)), OfpError::OFPGMFC_GROUP_EXISTS);
        let replies = p.send(&Message::GroupDescRequest(group_id::ALL));
        let [(_, Message::GroupDescReply(list))] = &replies[..] else { panic!("{replies:?}") };
        assert_eq!(list.iter().map(|g| g.group_id).collect::<Vec<_>>(), [3, 9]);
        let replies = p.send(&Message::GroupStatsRequest(9));
        let [(_, Message::GroupStatsReply(list))] = &replies[..] else { panic!("{replies:?}") };
        assert_eq!((list[0].group_id, &list[0].buckets), (9, &vec![(0, 0)]));
        assert_eq!(list[0].duration.is_some(), !matches!(version, OfVersion::V11 | OfVersion::V12));
        let replies = p.send(&Message::GroupStatsRequest(77));
        assert!(matches!(&replies[..], [(_, Message::GroupStatsReply(l))] if l.is_empty()));
        let replies = p.send(&Message::GroupFeaturesRequest);
        let [(_, Message::GroupFeaturesReply(f))] = &replies[..] else { panic!("{replies:?}") };
        assert_eq!((f.types, f.max_groups), (0xf, [group_id::MAX; 4]));
        p.send(&group(GroupCommand::Delete, group_id::ALL));
        assert!(p.bridge.lock().flows.set().groups.is_empty());
    }
}

#[test]
fn controllers_hear_of_flows_that_go_with_their_group() {
    let mut p = Peer::new(ConnKind::Primary, OfVersion::V14);
    p.send(&group(GroupCommand::Add, 1));
    let flags = FlowModFlags::SEND_FLOW_REM;
    p.send(&Message::FlowMod(FlowMod { flags, actions: vec![Action::Group(1)], ..flow(1) }));
    let replies = p.send(&group(GroupCommand::Delete, 1));
    assert!(matches!(&replies[..], [(_, Message::FlowRemoved(f))] if f.reason == 3), "{replies:?}");
}

#[test]
fn other_controllers_are_told_if_they_asked() {
    let mut first = Peer::new(ConnKind::Primary, OfVersion::V14);
    let mut masks = AsyncChange::default();
    masks[AsyncType::RequestForward as usize] = (Some(1), None);
    first.send(&Message::SetAsyncConfig(AsyncMsg { masks, replaces: false }));
    let (switch, first_id) = (std::mem::take(&mut first.switch), first.id);
    let mut second = Peer::join(switch, ConnKind::Primary, OfVersion::V13);
    assert_eq!(second.send(&group(GroupCommand::Add, 1)), []);
    assert_eq!(second.error(&group(GroupCommand::Add, 1)), OfpError::OFPGMFC_GROUP_EXISTS);
    (second.id, second.version) = (first_id, OfVersion::V14);
    let replies = second.replies();
    let [(_, Message::RequestForward(forward))] = &replies[..] else { panic!("{replies:?}") };
    let request = weir_openflow::message::decode(&forward.request).unwrap();
    let want = group(GroupCommand::Add, 1);
    assert_eq!((request.version, request.message), (OfVersion::V14, want));
    // One's own are no news.
    assert_eq!(second.send(&group(GroupCommand::Delete, 1)), []);
}

#[test]
fn a_bundle_that_fails_leaves_the_groups_as_they_were() {
    let mut p = Peer::new(ConnKind::Service, OfVersion::V14);
    p.send(&group(GroupCommand::Add, 1));
    p.send(&Message::FlowMod(FlowMod { actions: vec![Action::Group(1)], ..flow(1) }));
    let control = |kind| Message::BundleControl(BundleControl { bundle_id: 5, kind, flags: 0 });
    let requests = |last: Message| {
        let uses = Message::FlowMod(FlowMod { actions: vec![Action::Group(2)], ..flow(2) });
        [group(GroupCommand::Delete, 1), group(GroupCommand::Add, 2), uses, last]
    };
    let mut commit = |last: Message| {
        for m in requests(last) {
            let message = encode(OfVersion::V14, 7, &m).unwrap();
            p.send(&Message::BundleAddMessage(BundleAdd { bundle_id: 5, flags: 0, message }));
        }
        p.send(&control(BundleControlType::CommitRequest));
        let state = p.bridge.lock();
        let flows = &state.flows;
        let ids: Vec<u32> = flows.set().groups.iter().map(|g| g.id).collect();
        (ids, flows.len(), flows.group_ref_count(1), flows.group_ref_count(2))
    };
    let (groups, n, of_1, of_2) = commit(group(GroupCommand::Add, 2));
    assert_eq!((groups, of_1, of_2), (vec![1], 1, 0));
    let (groups, m, of_1, of_2) = commit(group(GroupCommand::Add, 3));
    assert_eq!((groups, m, of_1, of_2), (vec![2, 3], n, 0, 1));
}
