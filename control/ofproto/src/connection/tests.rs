//! Connections driven by the bytes of a peer.

use std::sync::{Arc, Mutex};

use weir_flow::action::{Actions, ControllerCookie};
use weir_flow::slowpath::{Datapath, MegaflowView, Revalidation, SlowPath};
use weir_flow::{Flow, PortNo};
use weir_openflow::flow_text::{FlowModCommand, FlowModFlags};
use weir_openflow::frame::Frame;
use weir_openflow::header::Header;
use weir_openflow::message::{CodecOptions, decode_frame, encode};
use weir_openflow::messages::async_config::AsyncMsg;
use weir_openflow::messages::flow_stats::FlowStatsRequest;
use weir_openflow::messages::hello::{Hello, VersionBitmap};
use weir_openflow::messages::packet_out::{PacketOut, ethernet_from};
use weir_openflow::messages::port_mod::PortMod;
use weir_openflow::messages::role::{Role, RoleMsg};
use weir_openflow::multipart::MultipartAssembler;
use weir_openflow::raw::Kind;
use weir_openflow::{Action, FlowMod, Match, Message, OfPort, OfVersion, OfpError};

use super::*;
use crate::Switch;
use crate::bridge::Bridge;
use crate::ports::PortFlags;
use crate::table::Classifier;
use crate::xlate::Start;
use crate::xlate::ctx::Tracing;
use crate::xlate::tests::two_bridges;

mod bundle;
mod groups;

/// A datapath that remembers what it was to send.
#[derive(Default)]
struct Sent(Mutex<Vec<String>>);

impl Datapath for Sent {
    fn visit(&self, _: &mut dyn FnMut(&MegaflowView<'_>) -> Revalidation) {}
    fn n_flows(&self) -> usize {
        0
    }
    fn execute(&self, _: &[u8], _: &Flow, actions: &Actions) {
        let text = weir_flow::odp::format_actions(actions, &Default::default());
        self.0.lock().unwrap().push(text);
    }
    fn port_counters(&self, _port: PortNo) -> Option<weir_flow::slowpath::PortCounters> {
        None
    }

    fn set_port_up(&self, port: PortNo, up: bool) {
        self.0.lock().unwrap().push(format!("{} {}", port.0, if up { "up" } else { "down" }));
    }

    fn port_is_up(&self, _: PortNo) -> bool {
        true
    }
}

/// A switch with a connection to `br0`, and the peer's end of it.
struct Peer {
    switch: Switch,
    bridge: Arc<Bridge>,
    id: ConnId,
    version: OfVersion,
    datapath: Sent,
    now: u64,
}

impl Peer {
    fn new(kind: ConnKind, version: OfVersion) -> Self {
        Self::join(two_bridges(), kind, version)
    }

    fn join(switch: Switch, kind: ConnKind, version: OfVersion) -> Self {
        let bridge = switch.bridge("br0").unwrap();
        let id = switch.open_connection(&bridge, kind);
        let mut p = Self { switch, bridge, id, version, datapath: Sent::default(), now: 1000 };
        let hello = Hello::new(VersionBitmap(1 << version.wire()));
        assert!(matches!(p.replies().as_slice(), [(_, Message::Hello(_))]));
        p.send_bytes(&encode(version, 1, &Message::Hello(hello)).unwrap());
        // Nobody asks about ports that were there before.
        p.replies();
        p
    }

    fn send_bytes(&mut self, bytes: &[u8]) {
        self.bridge.lock().conns.get_mut(self.id).unwrap().receive(bytes);
        self.run();
    }

    fn run(&mut self) {
        while self.switch.run_connections(&self.bridge, &self.datapath, self.now) {}
    }

    fn send(&mut self, message: &Message) -> Vec<(Header, Message)> {
        let bytes = encode(self.version, 7, message).unwrap();
        self.send_bytes(&bytes);
        self.replies()
    }

    fn output(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut state = self.bridge.lock();
        let conn = state.conns.get_mut(self.id).unwrap();
        while let Some(bytes) = conn.output().map(<[u8]>::to_vec) {
            conn.sent(bytes.len());
            out.extend(bytes);
        }
        out
    }

    /// Everything that has come, multipart messages joined.
    fn replies(&mut self) -> Vec<(Header, Message)> {
        let mut messages = Vec::new();
        let mut parts = MultipartAssembler::default();
        loop {
            let bytes = self.output();
            if bytes.is_empty() {
                return messages;
            }
            let mut rest = bytes.as_slice();
            while !rest.is_empty() {
                let len = usize::from(Header::parse(rest).unwrap().length);
                let frame = Frame::parse(&rest[..len]).unwrap();
                // Table features are more than anybody joins in memory.
                let joins = frame.raw.kind() != Kind::TableFeaturesReply;
                if joins && frame.raw.row().channel.is_multipart_reply() {
                    if let Some(joined) = parts.part(&frame, 0).unwrap() {
                        let d = decode_frame(&joined.frame(), CodecOptions::default()).unwrap();
                        messages.push((d.header, d.message));
                    }
                } else {
                    let d = decode_frame(&frame, CodecOptions::default()).unwrap();
                    messages.push((d.header, d.message));
                }
                rest = &rest[len..];
            }
            self.run();
        }
    }

    fn error(&mut self, message: &Message) -> OfpError {
        let replies = self.send(message);
        let [(header, Message::Error(e))] = replies.as_slice() else { panic!("{replies:?}") };
        assert_eq!(header.xid, 7);
        OfpError::from_code(self.version, e.code).unwrap()
    }
}

fn out(n: u16) -> Vec<Action> {
    vec![Action::Output { port: OfPort(n), max_len: 0 }]
}

fn all_flows() -> FlowStatsRequest {
    FlowStatsRequest {
        matched: Match::catchall(),
        cookie: 0,
        cookie_mask: 0,
        out_port: OfPort::NONE,
        out_group: u32::MAX,
        table_id: 255,
    }
}

fn flow(n: u32) -> FlowMod {
    let mut fm = FlowMod { table_id: 0, actions: out(2), ..FlowMod::default() };
    fm.matched.mask.0.dl_type = u16::MAX.into();
    fm.matched.flow.dl_type = 0x0800.into();
    fm.matched.mask.0.nw_src = u32::MAX.into();
    fm.matched.flow.nw_src = n.into();
    fm
}

#[test]
fn every_version_is_spoken() {
    for version in OfVersion::ALL {
        let mut p = Peer::new(ConnKind::Service, version);
        let replies = p.send(&Message::FeaturesRequest);
        let [(h, Message::FeaturesReply(f))] = replies.as_slice() else { panic!("{replies:?}") };
        assert_eq!((h.version, f.n_tables, h.xid), (version.wire(), 254, 7));
        assert_eq!(f.ports.len(), if version < OfVersion::V13 { 5 } else { 0 });
        let replies = p.send(&Message::EchoRequest(b"abc".to_vec()));
        assert!(matches!(&replies[..], [(_, Message::EchoReply(d))] if d == b"abc"));
        assert!(matches!(p.send(&Message::DescRequest)[..], [(_, Message::DescReply(_))]));
        assert!(matches!(
            p.send(&Message::GetConfigRequest)[..],
            [(_, Message::GetConfigReply(_))]
        ));
        assert!(matches!(
            p.send(&Message::TableStatsRequest)[..],
            [(_, Message::TableStatsReply(_))]
        ));
        assert!(matches!(
            &p.send(&Message::PortStatsRequest(OfPort::NONE))[..],
            [(_, Message::PortStatsReply(l))] if l.len() == 5
        ));
        assert!(matches!(p.send(&Message::BarrierRequest)[..], [(_, Message::BarrierReply)]));
        p.send(&Message::FlowMod(flow(1)));
        let replies = p.send(&Message::FlowStatsRequest(all_flows()));
        let [(_, Message::FlowStatsReply(l))] = replies.as_slice() else { panic!("{replies:?}") };
        assert_eq!((l.len(), l[0].actions.clone()), (1, out(2)));
        let replies = p.send(&Message::AggregateStatsRequest(all_flows()));
        assert!(
            matches!(&replies[..], [(_, Message::AggregateStatsReply(a))] if a.flow_count == 1)
        );
        if version >= OfVersion::V13 {
            let replies = p.send(&Message::TableFeaturesRequest(Vec::new()));
            let tables = replies.iter().map(|(_, m)| match m {
                Message::TableFeaturesReply(l) => l.len(),
                other => panic!("{other:?}"),
            });
            assert_eq!(tables.sum::<usize>(), 254);
        }
    }
}

#[test]
fn adding_a_flow_before_openflow_1_2_resets_its_counters() {
    for (version, want) in [(OfVersion::V10, true), (OfVersion::V11, true), (OfVersion::V12, false)]
    {
        let mut p = Peer::new(ConnKind::Service, version);
        p.send(&Message::FlowMod(flow(1)));
        let state = p.bridge.lock();
        let rules = state.flows.set().get(0).unwrap();
        let rule = rules.iter().find(|r| !r.is_hidden()).unwrap();
        let flag = crate::table::rule::flag::RESET_COUNTS;
        assert_eq!(rule.flags & flag != 0, want, "{version:?}");
    }
}

#[test]
fn no_common_version_ends_the_connection_with_an_error() {
    let switch = two_bridges();
    let bridge = switch.bridge("br0").unwrap();
    let id = switch.open_connection(&bridge, ConnKind::Primary);
    let mut p =
        Peer { switch, bridge, id, version: OfVersion::V10, datapath: Sent::default(), now: 0 };
    p.output();
    let hello = Hello::new(VersionBitmap(1 << 9));
    p.send_bytes(&encode(OfVersion::V15, 1, &Message::Hello(hello)).unwrap());
    let text = String::from_utf8_lossy(&p.output()).into_owned();
    assert!(text.contains("no common versions"), "{text}");
    let mut state = p.bridge.lock();
    let conn = state.conns.get_mut(id).unwrap();
    assert!(matches!(conn.status(), ConnStatus::Closing(_)) && !conn.wants_input());
}

#[test]
fn long_replies_come_in_parts_while_nothing_else_is_read() {
    let mut p = Peer::new(ConnKind::Service, OfVersion::V13);
    for n in 0..10_000 {
        p.bridge.lock().flows.flow_mod(&flow(n), 0).unwrap();
    }
    let request = encode(OfVersion::V13, 9, &Message::FlowStatsRequest(all_flows())).unwrap();
    p.send_bytes(&request);
    {
        let mut state = p.bridge.lock();
        let conn = state.conns.get_mut(p.id).unwrap();
        assert!(!conn.wants_input() && conn.output_len() < 512 << 10);
    }
    let replies = p.replies();
    let [(_, Message::FlowStatsReply(l))] = replies.as_slice() else { panic!() };
    assert_eq!(l.len(), 10_000);
}

#[test]
fn bad_requests_are_answered_and_the_connection_stays() {
    let mut p = Peer::new(ConnKind::Service, OfVersion::V13);
    let internal = FlowMod { table_id: 254, ..flow(1) };
    assert_eq!(p.error(&Message::FlowMod(internal)), OfpError::OFPBRC_EPERM);
    let group = FlowMod { actions: vec![Action::Group(1)], ..flow(1) };
    assert_eq!(p.error(&Message::FlowMod(group)), OfpError::OFPBAC_BAD_OUT_GROUP);
    let backwards = FlowMod { table_id: 3, actions: vec![Action::GotoTable(2)], ..flow(1) };
    assert_eq!(p.error(&Message::FlowMod(backwards)), OfpError::OFPBIC_BAD_TABLE_ID);
    let nowhere = PortMod {
        port_no: OfPort(77),
        hw_addr: [0; 6],
        config: 0,
        mask: 0,
        advertise: Default::default(),
    };
    assert_eq!(p.error(&Message::PortMod(nowhere)), OfpError::OFPPMFC_BAD_PORT);
    // A message type that does not exist, then one of another version.
    p.send_bytes(&[4, 99, 0, 8, 0, 0, 0, 7]);
    let replies = p.replies();
    let [(_, Message::Error(e))] = replies.as_slice() else { panic!("{replies:?}") };
    assert_eq!(OfpError::from_code(p.version, e.code), Some(OfpError::OFPBRC_BAD_TYPE));
    p.send_bytes(&[1, 18, 0, 8, 0, 0, 0, 7]);
    assert_eq!(p.replies().len(), 1);
    assert!(matches!(p.send(&Message::BarrierRequest)[..], [(_, Message::BarrierReply)]));
    // A length that lies.
    p.send_bytes(&[4, 2, 0, 3, 0, 0, 0, 7]);
    assert!(matches!(
        p.bridge.lock().conns.get_mut(p.id).unwrap().status(),
        ConnStatus::Closing(_)
    ));
}

#[test]
fn controllers_hear_of_removed_flows_and_changed_ports() {
    let mut p = Peer::new(ConnKind::Primary, OfVersion::V13);
    let timed = FlowMod {
        hard_timeout: 5,
        flags: FlowModFlags::SEND_FLOW_REM,
        new_cookie: Some(9),
        ..flow(1)
    };
    assert!(p.send(&Message::FlowMod(timed.clone())).is_empty());
    p.switch.run(6_000);
    p.now = 6_000;
    p.run();
    let replies = p.replies();
    let [(_, Message::FlowRemoved(r))] = replies.as_slice() else { panic!("{replies:?}") };
    assert_eq!((r.cookie, r.reason, r.hard_timeout, r.duration.sec), (9, 1, 5, 5));
    // Deleted before the barrier: told before its reply.
    p.send(&Message::FlowMod(timed));
    let delete = FlowMod { command: FlowModCommand::Delete, ..FlowMod::default() };
    let mut both = encode(OfVersion::V13, 1, &Message::FlowMod(delete)).unwrap();
    both.extend(encode(OfVersion::V13, 2, &Message::BarrierRequest).unwrap());
    p.send_bytes(&both);
    let replies = p.replies();
    assert!(matches!(
        &replies[..],
        [(_, Message::FlowRemoved(r)), (_, Message::BarrierReply)] if r.reason == 2
    ));
    let mac = p.bridge.lock().ports[&OfPort(2)].config.mac;
    let replies = p.send(&Message::PortMod(PortMod {
        port_no: OfPort(2),
        hw_addr: mac,
        config: PortFlags::NO_FWD.0,
        mask: PortFlags::NO_FWD.0,
        advertise: Default::default(),
    }));
    let [(_, Message::PortStatus(s))] = replies.as_slice() else { panic!("{replies:?}") };
    assert_eq!((s.port.port_no, s.port.config), (OfPort(2), PortFlags::NO_FWD.0));
    // Down and up are the device's, told once for each change.
    for config in [PortFlags::PORT_DOWN.0, PortFlags::PORT_DOWN.0, 0] {
        p.send(&Message::PortMod(PortMod {
            port_no: OfPort(2),
            hw_addr: mac,
            config,
            mask: PortFlags::PORT_DOWN.0,
            advertise: Default::default(),
        }));
    }
    assert_eq!(*p.datapath.0.lock().unwrap(), ["2 down", "2 up"]);
}

#[test]
fn packets_go_out_and_come_in() {
    let mut p = Peer::new(ConnKind::Primary, OfVersion::V13);
    let packet = [&[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x12, 0x34][..], &[0; 46]].concat();
    let mut po = PacketOut {
        buffer_id: None,
        metadata: ethernet_from(OfPort::CONTROLLER),
        actions: vec![
            Action::SetEthSrc([9; 6]),
            Action::Output { port: OfPort::FLOOD, max_len: 0 },
        ],
        packet: packet.clone(),
    };
    assert!(p.send(&Message::PacketOut(po.clone())).is_empty());
    assert_eq!(*p.datapath.0.lock().unwrap(), ["set(eth(src=09:09:09:09:09:09)),1,2,3,4"]);
    po.buffer_id = Some(5);
    assert_eq!(p.error(&Message::PacketOut(po)), OfpError::OFPBRC_BUFFER_UNKNOWN);
    let to_controller = Action::Output { port: OfPort::CONTROLLER, max_len: 100 };
    p.send(&Message::FlowMod(FlowMod { actions: vec![to_controller], ..FlowMod::default() }));
    let mut key = Flow::ZERO;
    key.in_port = 3.into();
    key.dl_type = 0x1234.into();
    let guard = weir_rcu::pin();
    let o = p.switch.translate_key(&guard, &key, Start::Ingress, 0, true, Tracing::Off);
    drop(guard);
    let [weir_flow::Action::Userspace(weir_flow::action::Userspace::Controller(c))] =
        &o.actions[..]
    else {
        panic!("{:?}", o.actions)
    };
    p.switch.packet_in(c, &key, &packet).unwrap();
    p.switch.deliver_packet_ins();
    let replies = p.replies();
    let [(_, Message::PacketIn(m))] = replies.as_slice() else { panic!("{replies:?}") };
    assert_eq!(m.packet, packet);
    assert_eq!((m.reason, m.table_id, m.metadata.flow.in_port.get()), (1, 0, 3));
    // Before OpenFlow 1.4, who asks for packets of actions asks for those of action sets.
    let mut asked = AsyncMsg { replaces: true, ..AsyncMsg::default() };
    asked.masks[0].0 = Some(0b10);
    p.send(&Message::SetAsyncConfig(asked));
    let set = Arc::new(ControllerCookie { reason: 3, state: c.state.clone(), ..**c });
    p.switch.packet_in(&set, &key, &packet).unwrap();
    p.switch.deliver_packet_ins();
    let replies = p.replies();
    assert!(matches!(&replies[..], [(_, Message::PacketIn(m))] if m.reason == 1), "{replies:?}");
}

#[test]
fn there_is_one_primary_and_old_elections_do_not_count() {
    let mut first = Peer::new(ConnKind::Primary, OfVersion::V13);
    let ask = |role, generation_id| Message::RoleRequest(RoleMsg { role, generation_id });
    let replies = first.send(&ask(Role::Primary, Some(5)));
    assert!(matches!(&replies[..], [(_, Message::RoleReply(r))] if r.role == Role::Primary));
    let switch = std::mem::take(&mut first.switch);
    let first_id = first.id;
    let mut second = Peer::join(switch, ConnKind::Primary, OfVersion::V13);
    assert_eq!(second.error(&ask(Role::Primary, Some(4))), OfpError::OFPRRFC_STALE);
    second.send(&ask(Role::Primary, Some(6)));
    second.id = first_id;
    assert_eq!(second.error(&Message::FlowMod(flow(1))), OfpError::OFPBRC_IS_SECONDARY);
}

#[test]
fn a_standalone_bridge_is_a_switch_until_it_has_controllers() {
    use crate::config::FailMode;
    let switch = two_bridges();
    let bridge = switch.bridge("br0").unwrap();
    bridge.lock().config.fail_mode = FailMode::Standalone;
    let n = || bridge.lock().flows.set().get(0).map_or(0, Classifier::len);
    switch.set_controllers(&bridge, false, 0);
    assert_eq!(n(), 1);
    switch.set_controllers(&bridge, true, 0);
    assert_eq!(n(), 0);
    switch.set_fail_open(&bridge, true, 0);
    assert_eq!(n(), 1);
    let mut p = Peer::join(switch, ConnKind::Service, OfVersion::V10);
    let delete = FlowMod { command: FlowModCommand::Delete, ..FlowMod::default() };
    p.send(&Message::FlowMod(delete));
    assert_eq!(n(), 1, "not the controller's to delete");
    p.switch.set_fail_open(&bridge, false, 0);
    assert_eq!(n(), 0);
}

proptest::proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200), kind in 0u8..40) {
        let mut p = Peer::new(ConnKind::Primary, OfVersion::V13);
        let mut m = vec![4, kind, 0, 0, 0, 0, 0, 1];
        m.extend(&bytes);
        let len = (m.len() as u16).to_be_bytes();
        m[2..4].copy_from_slice(&len);
        p.send_bytes(&m);
        p.send_bytes(&bytes);
    }
}
