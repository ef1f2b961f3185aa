//! Bundles, driven by the bytes of a peer.

use weir_openflow::messages::bundle::{BundleAdd, BundleControl, BundleControlType, bundle_flags};

use weir_openflow::messages::port::PortFeatures;

use super::*;

const FLAGS: u16 = bundle_flags::ATOMIC | bundle_flags::ORDERED;

fn control(kind: BundleControlType) -> Message {
    Message::BundleControl(BundleControl { bundle_id: 5, kind, flags: FLAGS })
}

impl Peer {
    fn put(&mut self, message: &Message) -> Vec<(Header, Message)> {
        let message = encode(self.version, 7, message).unwrap();
        self.send(&Message::BundleAddMessage(BundleAdd { bundle_id: 5, flags: FLAGS, message }))
    }

    fn done(&mut self, request: BundleControlType) -> BundleControlType {
        let replies = self.send(&control(request));
        let [(_, Message::BundleControl(c))] = replies.as_slice() else { panic!("{replies:?}") };
        c.kind
    }

    fn n_flows(&mut self) -> usize {
        let replies = self.send(&Message::FlowStatsRequest(all_flows()));
        let [(_, Message::FlowStatsReply(l))] = replies.as_slice() else { panic!("{replies:?}") };
        l.len()
    }
}

fn command(command: FlowModCommand, n: u32) -> Message {
    Message::FlowMod(FlowMod { command, ..flow(n) })
}

#[test]
fn a_bundle_is_one_change() {
    for version in [OfVersion::V13, OfVersion::V14, OfVersion::V15] {
        let mut p = Peer::new(ConnKind::Service, version);
        p.send(&Message::FlowMod(flow(1)));
        assert_eq!(p.done(BundleControlType::OpenRequest), BundleControlType::OpenReply);
        for n in 2..10 {
            assert_eq!(p.put(&command(FlowModCommand::Add, n)), []);
        }
        p.put(&command(FlowModCommand::Delete, 1));
        assert_eq!(p.n_flows(), 1, "nothing is done yet");
        assert_eq!(p.done(BundleControlType::CloseRequest), BundleControlType::CloseReply);
        let before = p.bridge.lock().flows.set().version;
        assert_eq!(p.done(BundleControlType::CommitRequest), BundleControlType::CommitReply);
        assert_eq!(p.n_flows(), 8);
        assert_eq!(p.bridge.lock().flows.set().version, before + 1, "readers see one change");
    }
}

#[test]
fn a_message_that_fails_undoes_those_before_it() {
    let mut p = Peer::new(ConnKind::Service, OfVersion::V14);
    for n in 1..4 {
        p.send(&Message::FlowMod(flow(n)));
    }
    let texts = |p: &Peer| {
        let state = p.bridge.lock();
        let rules = state.flows.set().get(0).unwrap().iter();
        let mut all: Vec<String> = rules.map(|r| format!("{r:?}")).collect();
        all.sort();
        (all, state.flows.len())
    };
    let before = texts(&p);
    p.put(&command(FlowModCommand::Delete, 1));
    p.put(&command(FlowModCommand::Add, 2));
    let reset = FlowMod { flags: FlowModFlags::RESET_COUNTS, ..flow(3) };
    p.put(&Message::FlowMod(FlowMod { command: FlowModCommand::Modify, ..reset }));
    p.put(&command(FlowModCommand::Add, 20));
    let overlap =
        FlowMod { flags: FlowModFlags::CHECK_OVERLAP, matched: Match::catchall(), ..flow(0) };
    p.put(&Message::FlowMod(overlap));
    let replies = p.send(&control(BundleControlType::CommitRequest));
    let codes = replies.iter().map(|(_, m)| match m {
        Message::Error(e) => OfpError::from_code(OfVersion::V14, e.code).unwrap(),
        other => panic!("{other:?}"),
    });
    let want = [OfpError::OFPFMFC_OVERLAP, OfpError::OFPBFC_MSG_FAILED];
    assert_eq!(codes.collect::<Vec<_>>(), want);
    assert_eq!(texts(&p), before);
    assert_eq!(p.error(&control(BundleControlType::CommitRequest)), OfpError::OFPBFC_BAD_ID);
}

#[test]
fn mistakes_about_bundles_have_their_errors() {
    let mut p = Peer::new(ConnKind::Service, OfVersion::V14);
    let error = |p: &mut Peer, kind| p.error(&control(kind));
    use BundleControlType as Type;
    for kind in [Type::CloseRequest, Type::CommitRequest, Type::DiscardRequest] {
        assert_eq!(error(&mut p, kind), OfpError::OFPBFC_BAD_ID);
    }
    assert_eq!(error(&mut p, Type::OpenReply), OfpError::OFPBFC_BAD_TYPE);
    p.done(Type::OpenRequest);
    assert_eq!(error(&mut p, Type::OpenRequest), OfpError::OFPBFC_BAD_ID);
    assert_eq!(error(&mut p, Type::CommitRequest), OfpError::OFPBFC_BAD_ID, "the first is gone");
    p.done(Type::OpenRequest);
    p.done(Type::CloseRequest);
    let late = encode(OfVersion::V14, 7, &Message::FlowMod(flow(1))).unwrap();
    let late = BundleAdd { bundle_id: 5, flags: FLAGS, message: late };
    assert_eq!(p.error(&Message::BundleAddMessage(late)), OfpError::OFPBFC_BUNDLE_CLOSED);
    p.done(Type::OpenRequest);
    p.done(Type::DiscardRequest);
    // A port-mod cannot be atomic.
    let mac = p.bridge.lock().ports.values().next().unwrap().config.mac;
    let pm = PortMod {
        port_no: OfPort(1),
        hw_addr: mac,
        config: 0,
        mask: 0,
        advertise: PortFeatures(0),
    };
    p.put(&Message::PortMod(pm));
    assert_eq!(p.send(&control(Type::CommitRequest)).len(), 2);
}

#[test]
fn a_bundle_that_is_forgotten_is_dropped() {
    let mut p = Peer::new(ConnKind::Service, OfVersion::V14);
    p.done(BundleControlType::OpenRequest);
    assert_eq!(p.bridge.lock().conns.expires_at(), Some(11_000));
    p.now = 10_999;
    p.run();
    assert_eq!(p.replies(), []);
    p.now = 11_000;
    p.run();
    let replies = p.replies();
    let [(header, Message::Error(e))] = replies.as_slice() else { panic!("{replies:?}") };
    assert_eq!(header.xid, 7);
    assert_eq!(OfpError::from_code(OfVersion::V14, e.code), Some(OfpError::OFPBFC_TIMEOUT));
    assert_eq!(p.bridge.lock().conns.expires_at(), None);
}

#[test]
fn packets_of_a_bundle_see_its_flows() {
    let mut p = Peer::new(ConnKind::Service, OfVersion::V14);
    let any = FlowMod { matched: Match::catchall(), ..flow(0) };
    p.put(&Message::PacketOut(PacketOut {
        packet: vec![0; 60],
        buffer_id: None,
        actions: vec![Action::Output { port: OfPort::TABLE, max_len: 0 }],
        metadata: ethernet_from(OfPort::NONE),
    }));
    p.put(&Message::FlowMod(any));
    assert_eq!(p.done(BundleControlType::CommitRequest), BundleControlType::CommitReply);
    assert_eq!(p.datapath.0.lock().unwrap().len(), 1);
}
