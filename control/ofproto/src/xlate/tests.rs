//! Translation over random tables and packets: the mask is sound, and nothing panics.

use proptest::prelude::*;
use weir_flow::field::{family, id};
use weir_flow::flow::{VLAN_CFI, eth_type};
use weir_flow::odp::{Style, format_actions};
use weir_flow::{Flow, Mask, PortNo};
use weir_openflow::actions::action::{
    ControllerAction, HashFields, MultipathAction, MultipathAlgorithm, ResubmitForm,
    SetFieldAction, SetFieldForm, SetL4Port, SetVlan,
};
use weir_openflow::matching::{FieldValue, Subfield};
use weir_openflow::messages::group::GroupMod;
use weir_openflow::{Action, FlowMod, OfPort};

use crate::Switch;
use crate::config::{
    Behind, BridgeConfig, BundleConfig, FailMode, PortConfig, PortFeatures, VlanConfig, VlanMode,
};
use crate::xlate::ctx::Tracing;
use crate::xlate::ctx::XlateError;
use crate::xlate::{Outcome, Start};

/// A bridge with ports 1 to 4 (datapath ports 1 to 4), port 4 a VLAN 5 access port, and a patch to
/// a second bridge whose port 1 is datapath port 11.
pub(crate) fn two_bridges() -> Switch {
    let access = VlanConfig { mode: VlanMode::Access, tag: 5, ..VlanConfig::default() };
    let trunk = VlanConfig::default();
    bridges(&[trunk.clone(), trunk.clone(), trunk, access], 1)
}

/// The same with ports 1 to 4 treating VLANs in these ways, and with so many tags looked at.
pub(super) fn bridges(vlans: &[VlanConfig; 4], vlan_limit: u32) -> Switch {
    let port = |name: &str, n: u16, behind| PortConfig {
        name: name.to_owned(),
        ofport: OfPort(n),
        kind: "dummy".to_owned(),
        behind,
        mac: [2, 0, 0, 0, 0, n as u8],
        link_up: true,
        admin_up: true,
        features: PortFeatures::default(),
        mtu: 1500,
    };
    let dp = |n| Behind::Datapath(PortNo(n));
    let patch = |peer: &str| Behind::Patch { peer: peer.to_owned() };
    let bundle = |p: &PortConfig, vlan| BundleConfig {
        name: p.name.clone(),
        members: vec![p.ofport],
        vlan,
        protected: false,
    };
    let mut br0 = BridgeConfig { fail_mode: FailMode::Secure, ..BridgeConfig::new("br0") };
    br0.ports = (1..5u16).map(|n| port(&format!("p{n}"), n, dp(u32::from(n)))).collect();
    br0.ports.push(port("to1", 10, patch("to0")));
    br0.bundles = br0
        .ports
        .iter()
        .enumerate()
        .map(|(n, p)| bundle(p, vlans.get(n).cloned().unwrap_or_default()))
        .collect();
    let mut br1 = BridgeConfig { fail_mode: FailMode::Secure, ..BridgeConfig::new("br1") };
    br1.ports = vec![port("q1", 1, dp(11)), port("to0", 10, patch("to1"))];
    br1.bundles = br1.ports.iter().map(|p| bundle(p, VlanConfig::default())).collect();
    let switch = Switch::new();
    switch.set_vlan_limit(vlan_limit);
    switch.apply(&[br0, br1], 0);
    switch
}

pub(crate) fn add(switch: &Switch, bridge: &str, fm: &FlowMod) {
    let bridge = switch.bridge(bridge).unwrap();
    let mut state = bridge.lock();
    let _ = state.flows.flow_mod(fm, 0);
    state.flows.publish(&bridge.shared);
}

pub(super) fn add_group(switch: &Switch, bridge: &str, gm: &GroupMod) {
    let bridge = switch.bridge(bridge).unwrap();
    let mut state = bridge.lock();
    let _ = state.flows.group_mod(gm, 0);
    state.flows.publish(&bridge.shared);
}

pub(super) fn translate(switch: &Switch, key: &Flow, side_effects: bool) -> Outcome {
    let guard = weir_rcu::pin();
    switch.translate_key(&guard, key, Start::Ingress, 0, side_effects, Tracing::Off)
}

pub(super) fn text(o: &Outcome) -> String {
    format_actions(&o.actions, &Style::default())
}

pub(super) fn out(n: u16) -> Action {
    Action::Output { port: OfPort(n), max_len: u16::MAX }
}

pub(super) fn key(in_port: u32, dl_type: u16) -> Flow {
    let mut f = Flow::ZERO;
    f.in_port = in_port.into();
    f.dl_src = [2, 0, 0, 0, 0, 1];
    f.dl_dst = [2, 0, 0, 0, 0, 2];
    f.dl_type = dl_type.into();
    f
}

#[test]
fn the_normal_pipeline_learns_and_tags() {
    let switch = two_bridges();
    add(&switch, "br0", &FlowMod { actions: vec![out(OfPort::NORMAL.0)], ..FlowMod::default() });
    let flood = translate(&switch, &key(1, 0x1234), true);
    // The VLAN 5 access port is not part of VLAN 0.
    assert_eq!(text(&flood), "2,3");
    let mut back = key(2, 0x1234);
    (back.dl_src, back.dl_dst) = (back.dl_dst, back.dl_src);
    assert_eq!(text(&translate(&switch, &back, true)), "1");
    assert_eq!(text(&translate(&switch, &key(1, 0x1234), true)), "2");
    assert_eq!(text(&translate(&switch, &key(4, 0x1234), true)), "push_vlan(vid=5,pcp=0),1,2,3");
    let mut tagged = key(4, 0x1234);
    tagged.vlans[0] = super::vlan::tag(0x8100, VLAN_CFI | 5);
    assert_eq!(text(&translate(&switch, &tagged, true)), "drop");
    let mut trunk = key(1, 0x1234);
    trunk.dl_src = [2, 0, 0, 0, 0, 9];
    trunk.dl_dst = [0xff; 6];
    trunk.vlans[0] = super::vlan::tag(0x8100, VLAN_CFI | 5);
    assert_eq!(text(&translate(&switch, &trunk, true)), "2,3,pop_vlan,4");
    let mut bpdu = key(1, 0x1234);
    bpdu.dl_dst = super::normal::STP_ADDRESS;
    assert_eq!(text(&translate(&switch, &bpdu, true)), "drop");
}

#[test]
fn patch_ports_lead_through_the_other_bridge_and_back() {
    let switch = two_bridges();
    let to_br1 = vec![Action::SetEthSrc([9; 6]), out(10), out(2)];
    add(&switch, "br0", &FlowMod { actions: to_br1, ..FlowMod::default() });
    let in_br1 = vec![Action::SetEthDst([8; 6]), out(1)];
    add(&switch, "br1", &FlowMod { actions: in_br1, ..FlowMod::default() });
    let o = translate(&switch, &key(1, 0x1234), false);
    assert_eq!(
        text(&o),
        "set(eth(src=09:09:09:09:09:09,dst=08:08:08:08:08:08)),11,set(eth(dst=02:00:00:00:00:02)),2"
    );
    let credited = |o: &Outcome| {
        use weir_flow::slowpath::Credit;
        o.credits.credit(3, 300, 7, 0);
    };
    credited(&o);
    let br0 = switch.bridge("br0").unwrap();
    let state = br0.lock();
    let patch = state.ports[&OfPort(10)].counters();
    assert_eq!((patch.tx_packets, patch.tx_bytes, patch.rx_packets), (3, 300, 0));
}

#[test]
fn recirculation_goes_on_where_it_stopped() {
    let switch = two_bridges();
    let mut pop = FlowMod {
        actions: vec![
            Action::PopMpls { ethertype: eth_type::IPV4 },
            Action::Resubmit { in_port: OfPort::IN_PORT, table_id: 1, form: ResubmitForm::Table },
            out(3),
        ],
        ..FlowMod::default()
    };
    pop.matched.mask.0.dl_type = u16::MAX.into();
    pop.matched.flow.dl_type = eth_type::MPLS.into();
    add(&switch, "br0", &pop);
    let mut tcp = FlowMod { table_id: 1, actions: vec![out(2)], ..FlowMod::default() };
    tcp.matched.mask.0.nw_proto = 0xff;
    tcp.matched.flow.nw_proto = 6;
    add(&switch, "br0", &tcp);
    let mut k = key(1, eth_type::MPLS);
    k.mpls_lse[0] = 0x5140.into();
    let first = translate(&switch, &k, false);
    assert_eq!(text(&first), "pop_mpls(eth_type=0x800),recirc(0x1)");
    let mut again = key(1, eth_type::IPV4);
    again.recirc_id = 1.into();
    again.nw_proto = 6;
    assert_eq!(text(&translate(&switch, &again, false)), "2,3");
    again.nw_proto = 17;
    assert_eq!(text(&translate(&switch, &again, false)), "3");
    drop(first);
    switch.run(0);
    assert_eq!(translate(&switch, &again, false).error, Some(XlateError::NoRecirculationContext));
}

#[test]
fn endless_resubmits_end() {
    let switch = two_bridges();
    let again =
        Action::Resubmit { in_port: OfPort::IN_PORT, table_id: 0, form: ResubmitForm::Table };
    let fm = FlowMod { actions: vec![out(2), again.clone(), again], ..FlowMod::default() };
    add(&switch, "br0", &fm);
    let o = translate(&switch, &key(1, 0x1234), false);
    assert_eq!((o.error, text(&o)), (Some(XlateError::RecursionTooDeep), "drop".to_owned()));
}

/// Packets of a few kinds, with fields from small sets.
fn packet() -> impl Strategy<Value = Flow> {
    (0u8..6, 0u32..4, (0u8..3, 0u8..3), (0u32..4, 0u32..4), (0u16..3, 0u16..3), 0u8..4, 0u16..4)
        .prop_map(|(kind, port, (src, dst), (nw_src, nw_dst), (tp_src, tp_dst), misc, tag)| {
            let mut f = key(port + 1, 0x1234);
            f.dl_src[5] = src;
            f.dl_dst[5] = dst;
            if misc == 3 {
                f.dl_dst = [0xff; 6];
            }
            if tag > 1 {
                f.vlans[0] = super::vlan::tag(0x8100, VLAN_CFI | (tag - 2) << 13 | (tag + 2));
            }
            f.dl_type = match kind {
                0 => 0x1234,
                1 => eth_type::ARP,
                2 => eth_type::IPV6,
                3 => eth_type::MPLS,
                _ => eth_type::IPV4,
            }
            .into();
            match kind {
                0 => {}
                1 => {
                    f.nw_proto = 1 + misc % 2;
                    f.nw_src = nw_src.into();
                    f.nw_dst = nw_dst.into();
                }
                3 => f.mpls_lse[0] = (nw_src << 12 | 0x100 | nw_dst).into(),
                _ => {
                    f.nw_proto = [6, 17, if kind == 2 { 58 } else { 1 }, 0][usize::from(misc)];
                    f.nw_ttl = nw_src as u8;
                    f.nw_tos = (nw_dst as u8) << 3;
                    f.tp_src = if misc == 2 && kind == 2 { 135 } else { tp_src }.into();
                    f.tp_dst = if misc == 3 { 0 } else { tp_dst }.into();
                    if kind == 2 {
                        f.ipv6_src[15] = nw_src as u8;
                        f.ipv6_dst[0] = (nw_dst as u8) << 6;
                    } else {
                        f.nw_src = (nw_src << 30 | nw_dst).into();
                        f.nw_dst = (nw_dst << 24).into();
                    }
                }
            }
            f
        })
}

fn field_action() -> impl Strategy<Value = Action> {
    let fields = [
        id::NW_SRC,
        id::NW_DST,
        id::DL_SRC,
        id::DL_DST,
        id::TCP_DST,
        id::UDP_SRC,
        id::VLAN_VID,
        id::VLAN_PCP,
        id::REG0,
        id::METADATA,
        id::IP_DSCP,
        id::NW_TTL,
        id::IPV6_SRC,
        id::ND_TARGET,
        id::ARP_SPA,
        id::ARP_OP,
        id::MPLS_LABEL,
        id::ICMP_TYPE,
        id::PKT_MARK,
        id::XXREG0,
        id::IN_PORT,
        id::NW_ECN,
    ];
    let pick = move || (0..fields.len()).prop_map(move |i| fields[i].field());
    let set = (pick(), 0u128..6, any::<bool>()).prop_map(|(f, v, whole)| {
        let ones = if whole { u128::MAX } else { 3 };
        let valid = weir_openflow::matching::field_access::valid_bits(f);
        let v = if f.id == id::VLAN_VID { v | 0x1000 } else { v };
        Action::SetField(Box::new(SetFieldAction {
            field: f.id,
            value: FieldValue::of(f, v & ones & valid),
            mask: FieldValue::of(f, ones & valid),
            flow_has_vlan: false,
            form: SetFieldForm::SetField,
        }))
    });
    let moved = (pick(), pick()).prop_filter_map("width", |(a, b)| {
        let n_bits = a.bits.min(b.bits).min(8);
        let part = |f: &weir_flow::Field| Subfield { field: f.id, ofs: 0, n_bits };
        (a.id != b.id).then(|| Action::RegMove { src: part(a), dst: part(b), onf: false })
    });
    prop_oneof![set, moved]
}

fn plain_action() -> impl Strategy<Value = Action> {
    let reg = |n| Subfield::whole(family::reg(n).unwrap().field());
    let ports = [1, 2, 3, 4, 10, 77]
        .into_iter()
        .map(OfPort)
        .chain([OfPort::NORMAL, OfPort::FLOOD, OfPort::ALL, OfPort::IN_PORT, OfPort::CONTROLLER])
        .collect::<Vec<_>>();
    let port = (0..ports.len()).prop_map(move |i| ports[i]);
    let vlan = |value| SetVlan { value, push_vlan_if_needed: true, flow_has_vlan: false };
    prop_oneof![
        6 => port.prop_map(|port| Action::Output { port, max_len: 100 }),
        6 => field_action(),
        1 => Just(Action::PushVlan { ethertype: 0x8100 }),
        1 => Just(Action::StripVlan { of11: true }),
        1 => (0u16..9).prop_map(move |v| Action::SetVlanVid(vlan(v))),
        1 => Just(Action::DecTtl { controller_ids: vec![] }),
        1 => Just(Action::PushMpls { ethertype: eth_type::MPLS }),
        1 => Just(Action::PopMpls { ethertype: eth_type::IPV4 }),
        1 => Just(Action::DecMplsTtl),
        1 => Just(Action::SetIpDscp(32)),
        1 => Just(Action::SetL4DstPort(SetL4Port { port: 9, flow_ip_proto: 0 })),
        1 => Just(Action::StackPush(Subfield::whole(id::NW_SRC.field()))),
        1 => Just(Action::StackPop(Subfield::whole(id::REG0.field()))),
        1 => Just(Action::OutputReg { src: reg(0), max_len: 0 }),
        1 => Just(Action::OutputTrunc { port: OfPort(2), max_len: 64 }),
        1 => (0u32..4).prop_map(Action::SetQueue),
        1 => Just(Action::Controller(Box::<ControllerAction>::default())),
        1 => Just(Action::Exit),
        1 => (0u8..4, 1u16..5).prop_map(|(table_id, p)| Action::Resubmit {
            in_port: if p < 3 { OfPort(p) } else { OfPort::IN_PORT }, table_id, form: ResubmitForm::Table,
        }),
        1 => Just(Action::Multipath(Box::new(MultipathAction {
            fields: HashFields::SymmetricL4, basis: 1, algorithm: MultipathAlgorithm::ModuloN,
            max_link: 2, arg: 0, dst: reg(0),
        }))),
    ]
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let plain = prop::collection::vec(plain_action(), 0..5);
    let nested = prop_oneof![
        4 => Just(None),
        1 => prop::collection::vec(plain_action(), 1..4).prop_map(|l| Some(Action::Clone(l))),
        1 => prop::collection::vec(plain_action(), 1..4).prop_map(|l| Some(Action::WriteActions(l))),
    ];
    (plain, nested, prop::option::of(1u8..4)).prop_map(|(mut list, nested, goto)| {
        list.extend(nested);
        list.extend(goto.map(Action::GotoTable));
        list
    })
}

fn flow_mod() -> impl Strategy<Value = FlowMod> {
    (packet(), any::<u16>(), 0u32..5, 0u8..4, 0u16..9, actions()).prop_map(
        |(flow, on, prefix, table_id, priority, actions)| {
            let mut m = Mask::CATCHALL;
            let bit = |n: u16| on >> n & 1 == 1;
            if bit(0) && bit(9) {
                m.0.in_port = u32::MAX.into();
            }
            if bit(1) {
                m.0.dl_dst = [0xff; 6];
            }
            if bit(2) {
                m.0.vlans[0].tci = 0x1fff.into();
            }
            if bit(3) {
                m.0.dl_type = u16::MAX.into();
                let is_ip = flow.is_ip_any();
                if flow.dl_type.get() == eth_type::IPV4 {
                    m.0.nw_src = (!u32::MAX.checked_shr(prefix).unwrap_or(0)).into();
                }
                if flow.dl_type.get() == eth_type::IPV6 && bit(4) {
                    m.0.ipv6_dst[0] = 0xf0;
                }
                if is_ip && bit(5) {
                    m.0.nw_proto = 0xff;
                    if bit(6) {
                        m.0.tp_dst = if bit(8) { 0xffff } else { 1 }.into();
                    }
                }
                if flow.dl_type.get() == eth_type::MPLS && bit(4) {
                    m.0.mpls_lse[0] = 0xffff_f000.into();
                }
            }
            if bit(7) {
                m.0.regs[0] = 1.into();
            }
            let matched = weir_openflow::Match::new(&flow, m);
            FlowMod { matched, table_id, priority, actions, ..FlowMod::default() }
        },
    )
}

/// Could a parser have made this flow?
fn is_plausible(f: &Flow) -> bool {
    let icmp = (f.dl_type.get() == eth_type::IPV4 && f.nw_proto == 1)
        || (f.dl_type.get() == eth_type::IPV6 && f.nw_proto == 58);
    let ports = f.tp_src.get() != 0 || f.tp_dst.get() != 0;
    let has_ports = icmp || matches!(f.nw_proto, 6 | 17 | 132);
    let nd = f.dl_type.get() == eth_type::IPV6 && f.nw_proto == 58;
    // Only these have a network layer that is looked into.
    let network = f.is_ip_any() || matches!(f.dl_type.get(), eth_type::ARP | eth_type::RARP);
    (network || f.nw_proto == 0)
        && (!icmp || (f.tp_src.get() < 256 && f.tp_dst.get() < 256))
        && (!ports || has_ports)
        && (nd || f.nd_target == [0; 16])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// The security boundary: whatever agrees with a packet under its megaflow's mask is treated
    /// exactly as that packet was.
    #[test]
    fn agreeing_packets_get_the_same_translation(
        flows in prop::collection::vec(flow_mod(), 1..25),
        packets in prop::collection::vec(packet(), 16),
    ) {
        let switch = two_bridges();
        for (n, fm) in flows.iter().enumerate() {
            add(&switch, if n % 5 == 4 { "br1" } else { "br0" }, fm);
        }
        for a in &packets {
            let mut wanted: Option<Outcome> = None;
            for b in &packets {
                let first = wanted.get_or_insert_with(|| translate(&switch, a, false));
                let mut mixed = *b;
                let it = a.words().iter().zip(first.mask.0.words());
                for (m, (w, bits)) in mixed.words_mut().iter_mut().zip(it) {
                    *m = *m & !bits | w & bits;
                }
                if mixed.n_vlans() == 0 {
                    mixed.vlans = Default::default();
                }
                if !is_plausible(&mixed) {
                    continue;
                }
                let second = translate(&switch, &mixed, false);
                prop_assert_eq!(
                    (text(first), first.error), (text(&second), second.error),
                    "{:?} and {:?} under {:?}", a, mixed, first.mask.0
                );
                prop_assert_eq!(first.mask, second.mask, "{:?} and {:?}", a, mixed);
            }
        }
    }
}
