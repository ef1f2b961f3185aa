//! The security boundary over every field and action: whatever agrees with a packet under its
//! megaflow's mask is treated exactly as that packet was, and teaches and tells the same.

use std::fmt::Write;
use std::sync::Arc;

use proptest::prelude::*;
use weir_flow::action::{Action as DpAction, Userspace};
use weir_flow::field::{Place, Prereq, family, id};
use weir_flow::flow::{FRAG_ANY, FRAG_LATER, MAX_VLANS, VLAN_CFI, Vlan, eth_type, ip_proto};
use weir_flow::{Field, Flow, Mask};
use weir_openflow::actions::action::{
    BundleAction, BundleAlgorithm, ControllerAction, HashFields, LearnAction, LearnDestination,
    LearnSource, LearnSpec, MultipathAction, MultipathAlgorithm, ResubmitForm, SetFieldAction,
    SetFieldForm, SetL4Port, SetVlan,
};
use weir_openflow::matching::{FieldValue, Subfield, field_access};
use weir_openflow::messages::group::{
    Bucket, GroupCommand, GroupMod, GroupProps, GroupType, bucket_id, group_id,
};
use weir_openflow::{Action, FlowMod, Match, OfPort};

use super::credit::CreditEntry;
use super::tests::{add, add_group, bridges, text, translate};
use super::{Outcome, fields, mpls, vlan};
use crate::config::{PriorityTags, VlanConfig, VlanMode};
use crate::xlate::output::PacketInState;

/// Random choices from a seed.
struct Choice(u64);

impl Choice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % n
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len() as u64) as usize]
    }

    /// A value with few bits set, so that values meet.
    fn value(&mut self, bits: u16) -> u128 {
        let v = u128::from(self.below(4)) << self.below(u64::from(bits));
        if self.one_in(12) { u128::MAX } else { v }
    }
}

/// Fields that lie in a flow and that OpenFlow knows.
fn all_fields() -> Vec<&'static Field> {
    let usable = |f: &&Field| matches!(f.place, Place::Bits { .. }) && !f.oxm.is_empty();
    Field::all().iter().filter(usable).collect()
}

/// A packet as a parser could have made it.
fn packet(c: &mut Choice) -> Flow {
    let mut f = Flow::ZERO;
    for field in all_fields() {
        if !c.one_in(3) {
            field.set(&mut f, c.value(field.bits) & field.all_ones());
        }
    }
    f.in_port = (*c.of(&[1u32, 1, 2, 3, 4, 11])).into();
    f.recirc_id = 0.into();
    let types = [eth_type::IPV4, eth_type::IPV4, eth_type::IPV6, eth_type::IPV6, eth_type::ARP];
    let others = [eth_type::RARP, eth_type::MPLS, 0x8848, 0x1234, 0x05ff];
    f.dl_type = (*c.of(&[types, others].concat())).into();
    f.nw_proto = *c.of(&[6, 17, 132, 1, 58, 58, 0, 2]);
    f.nw_frag = *c.of(&[0, 0, 0, FRAG_ANY, FRAG_ANY | FRAG_LATER]);
    if c.one_in(2) {
        (f.tp_src, f.tp_dst) = ((*c.of(&[135, 136])).into(), 0.into());
    }
    let n = c.below(4);
    for (i, v) in f.vlans.iter_mut().enumerate() {
        let tci = (*c.of(&[0u16, 5, 6, 0x2005, 0x4000])) | VLAN_CFI;
        *v =
            if (i as u64) < n { vlan::tag(*c.of(&[0x8100, 0x88a8]), tci) } else { Vlan::default() };
    }
    canonical(&f)
}

/// The flow without what a parser leaves out.
fn canonical(f: &Flow) -> Flow {
    let mut out = Flow { dl_src: f.dl_src, dl_dst: f.dl_dst, dl_type: f.dl_type, ..Flow::ZERO };
    (out.in_port, out.skb_priority, out.pkt_mark) = (f.in_port, f.skb_priority, f.pkt_mark);
    if f.recirc_id.get() != 0 {
        (out.recirc_id, out.dp_hash) = (f.recirc_id, f.dp_hash);
    }
    for i in 0..MAX_VLANS {
        if f.vlans[i].tci.get() & VLAN_CFI == 0 {
            break;
        }
        out.vlans[i] = f.vlans[i];
    }
    let dl_type = f.dl_type.get();
    if mpls::is_mpls(dl_type) {
        for (to, from) in out.mpls_lse.iter_mut().zip(&f.mpls_lse) {
            *to = *from;
            if from.get() & 0x100 != 0 {
                break;
            }
        }
    }
    if matches!(dl_type, eth_type::ARP | eth_type::RARP) {
        (out.nw_proto, out.nw_src, out.nw_dst) = (f.nw_proto, f.nw_src, f.nw_dst);
        (out.arp_sha, out.arp_tha) = (f.arp_sha, f.arp_tha);
    }
    if !f.is_ip_any() {
        return out;
    }
    (out.nw_proto, out.nw_tos, out.nw_ttl, out.nw_frag) =
        (f.nw_proto, f.nw_tos, f.nw_ttl, f.nw_frag);
    let is_v6 = dl_type == eth_type::IPV6;
    if is_v6 {
        (out.ipv6_src, out.ipv6_dst, out.ipv6_label) = (f.ipv6_src, f.ipv6_dst, f.ipv6_label);
    } else {
        (out.nw_src, out.nw_dst) = (f.nw_src, f.nw_dst);
    }
    if f.nw_frag & FRAG_LATER != 0 {
        return out;
    }
    match f.nw_proto {
        ip_proto::TCP | ip_proto::UDP | ip_proto::SCTP => {
            (out.tp_src, out.tp_dst) = (f.tp_src, f.tp_dst);
            if f.nw_proto == ip_proto::TCP {
                out.tcp_flags = (f.tcp_flags.get() & 0xfff).into();
            }
        }
        ip_proto::ICMP if !is_v6 => {
            out.tp_src = (f.tp_src.get() & 0xff).into();
            out.tp_dst = (f.tp_dst.get() & 0xff).into();
        }
        ip_proto::ICMPV6 if is_v6 => {
            out.tp_src = (f.tp_src.get() & 0xff).into();
            out.tp_dst = (f.tp_dst.get() & 0xff).into();
            if matches!(out.tp_src.get(), 135 | 136) && out.tp_dst.get() == 0 {
                out.nd_target = f.nd_target;
                (out.arp_sha, out.arp_tha) = (f.arp_sha, f.arp_tha);
            }
        }
        _ => {}
    }
    out
}

/// The packet `a` with the bits of `b` where the mask does not look, if there is such a packet.
fn mixed(a: &Flow, b: &Flow, mask: &Mask) -> Option<Flow> {
    let mut m = *b;
    for (m, (w, bits)) in m.words_mut().iter_mut().zip(a.words().iter().zip(mask.0.words())) {
        *m = *m & !bits | w & bits;
    }
    let m = canonical(&m);
    (mask.apply(&m) == mask.apply(a)).then_some(m)
}

/// What a packet of this kind has.
fn has(packet: &Flow, field: &Field) -> bool {
    fields::prerequisites(field, packet, &mut Mask::default())
}

fn matching(c: &mut Choice, p: &Flow) -> Match {
    let mut m = Match::catchall();
    let mut set = |field: &Field, mask: u128| {
        let bytes = usize::from(field.bytes);
        let (_, old) = m.get(field);
        let mask = (old.as_u128() | mask) & field_access::valid_bits(field);
        let value = FieldValue::from_u128(field_access::get(field, p) & mask, bytes);
        m.set(field, &value, &FieldValue::from_u128(mask, bytes));
    };
    if c.one_in(3) {
        set(id::IN_PORT.field(), u128::MAX);
    }
    let several = c.below(4);
    for field in all_fields() {
        let special =
            matches!(field.id, id::IN_PORT | id::IN_PORT_OXM | id::RECIRC_ID | id::PACKET_TYPE);
        if special || !has(p, field) || c.below(24) >= several {
            continue;
        }
        if field.prereq != Prereq::None && field.prereq != Prereq::Ethernet {
            set(id::DL_TYPE.field(), u128::MAX);
        }
        if !matches!(
            field.prereq,
            Prereq::None
                | Prereq::Ethernet
                | Prereq::VlanVid
                | Prereq::Arp
                | Prereq::Mpls
                | Prereq::Ipv4
                | Prereq::Ipv6
                | Prereq::IpAny
        ) {
            set(id::NW_PROTO.field(), u128::MAX);
        }
        if matches!(field.prereq, Prereq::Nd | Prereq::NdSolicit | Prereq::NdAdvert) {
            set(id::ICMPV6_TYPE.field(), u128::MAX);
            set(id::ICMPV6_CODE.field(), u128::MAX);
        }
        let mask = match c.below(3) {
            _ if !field.maskable => u128::MAX,
            0 => u128::MAX,
            1 => field.all_ones() << c.below(u64::from(field.bits)) & field.all_ones(),
            _ => c.value(field.bits),
        };
        set(field, mask);
    }
    m
}

/// A part of a field that a packet of this kind has.
fn part(c: &mut Choice, p: &Flow, writable: bool) -> Subfield {
    loop {
        let field = *c.of(&all_fields());
        if has(p, field) && (!writable || field.writable) {
            let ofs = c.below(u64::from(field.bits)) as u16;
            let n_bits = 1 + c.below(u64::from(field.bits - ofs)) as u16;
            return if field.maskable {
                Subfield { field: field.id, ofs, n_bits }
            } else {
                Subfield::whole(field)
            };
        }
    }
}

const HASHES: [HashFields; 7] = [
    HashFields::EthSrc,
    HashFields::SymmetricL4,
    HashFields::SymmetricL3L4,
    HashFields::SymmetricL3L4Udp,
    HashFields::NwSrc,
    HashFields::NwDst,
    HashFields::SymmetricL3,
];

fn learn(c: &mut Choice, p: &Flow) -> Action {
    let spec = |c: &mut Choice| {
        let src = part(c, p, false);
        let reg = Subfield { field: family::reg(1).unwrap(), ofs: 0, n_bits: src.n_bits.min(32) };
        let dst = match c.below(3) {
            0 => LearnDestination::Output,
            1 => LearnDestination::Load(reg),
            _ => LearnDestination::Match(reg),
        };
        let n_bits = src.n_bits.min(if dst == LearnDestination::Output { 16 } else { 32 });
        LearnSpec { n_bits, src: LearnSource::Field(Subfield { n_bits, ..src }), dst }
    };
    Action::Learn(Box::new(LearnAction {
        idle_timeout: 0,
        hard_timeout: 0,
        fin_idle_timeout: 0,
        fin_hard_timeout: 0,
        priority: 1,
        table_id: 3,
        flags: 0,
        cookie: 0,
        limit: 0,
        result_dst: None,
        specs: (0..2).map(|_| spec(c)).collect(),
    }))
}

fn action(c: &mut Choice, p: &Flow, depth: u8) -> Action {
    let ports = [1, 2, 3, 4, 10, 77].map(OfPort);
    let reserved = [
        OfPort::NORMAL,
        OfPort::FLOOD,
        OfPort::ALL,
        OfPort::IN_PORT,
        OfPort::CONTROLLER,
        OfPort::LOCAL,
        OfPort::NONE,
    ];
    let out = |c: &mut Choice| Action::Output { port: *c.of(&ports), max_len: 100 };
    match c.below(36) {
        0..4 => out(c),
        4 => Action::Output { port: OfPort::NORMAL, max_len: 0 },
        5 | 6 => Action::Output { port: *c.of(&reserved), max_len: 100 },
        7..12 => {
            let sub = part(c, p, true);
            let field = sub.field.field();
            let mask = fields::low_bits(sub.n_bits) << sub.ofs & field_access::valid_bits(field);
            let cfi = if field.id == id::VLAN_VID && c.one_in(2) { 0x1000 } else { 0 };
            Action::SetField(Box::new(SetFieldAction {
                field: sub.field,
                value: FieldValue::of(field, (c.value(field.bits) | cfi) & mask),
                mask: FieldValue::of(field, mask),
                flow_has_vlan: false,
                form: SetFieldForm::SetField,
            }))
        }
        12..15 => {
            let (src, dst) = (part(c, p, false), part(c, p, true));
            let n_bits = src.n_bits.min(dst.n_bits);
            Action::RegMove {
                src: Subfield { n_bits, ..src },
                dst: Subfield { n_bits, ..dst },
                onf: false,
            }
        }
        15 => match c.below(5) {
            0 => Action::StripVlan { of11: true },
            1 => Action::PushVlan { ethertype: *c.of(&[0x8100, 0x88a8]) },
            2 => Action::SetVlanVid(SetVlan {
                value: c.below(7) as u16,
                push_vlan_if_needed: c.one_in(2),
                flow_has_vlan: false,
            }),
            3 => Action::SetVlanPcp(SetVlan {
                value: c.below(3) as u8,
                push_vlan_if_needed: c.one_in(2),
                flow_has_vlan: false,
            }),
            _ => Action::PushVlan { ethertype: 0x8100 },
        },
        16 => match c.below(7) {
            0 => Action::PushMpls { ethertype: eth_type::MPLS },
            1 => Action::PopMpls { ethertype: *c.of(&[eth_type::IPV4, eth_type::MPLS]) },
            2 => Action::DecMplsTtl,
            3 => Action::SetMplsLabel(3),
            4 => Action::SetMplsTc(1),
            5 => Action::SetMplsTtl(2),
            _ => Action::PushMpls { ethertype: 0x8848 },
        },
        17 => match c.below(9) {
            0 => Action::DecTtl { controller_ids: vec![] },
            1 => Action::SetIpDscp(32),
            2 => Action::SetIpEcn(1),
            3 => Action::SetIpTtl(2),
            4 => Action::SetIpv4Src(2.into()),
            5 => Action::SetIpv4Dst(2.into()),
            6 => Action::SetL4SrcPort(SetL4Port { port: 2, flow_ip_proto: 0 }),
            7 => Action::SetL4DstPort(SetL4Port { port: 2, flow_ip_proto: 0 }),
            _ => Action::SetEthDst([2, 0, 0, 0, 0, 1]),
        },
        18 => match c.below(5) {
            0 => Action::SetQueue(c.below(3) as u32),
            1 => Action::PopQueue,
            2 => Action::SetTunnel { id: c.below(2) + 1, wide: false },
            3 => Action::Enqueue { port: *c.of(&ports), queue: 1 },
            _ => Action::SetEthSrc([2, 0, 0, 0, 0, 1]),
        },
        19 => Action::StackPush(part(c, p, false)),
        20 => Action::StackPop(part(c, p, true)),
        21 => Action::OutputReg { src: part(c, p, false), max_len: 0 },
        22 => Action::OutputTrunc { port: *c.of(&ports), max_len: 64 },
        23 => Action::Controller(Box::<ControllerAction>::default()),
        24 => Action::Multipath(Box::new(MultipathAction {
            fields: *c.of(&HASHES),
            basis: 1,
            algorithm: MultipathAlgorithm::ModuloN,
            max_link: 3,
            arg: 0,
            dst: Subfield::whole(family::reg(0).unwrap().field()),
        })),
        25 => Action::Bundle(Box::new(BundleAction {
            fields: *c.of(&HASHES),
            basis: 1,
            algorithm: BundleAlgorithm::Hrw,
            dst: None,
            members: ports.to_vec(),
        })),
        26 => learn(c, p),
        27 if depth < 2 => Action::Clone((0..3).map(|_| action(c, p, depth + 1)).collect()),
        28 if c.one_in(2) => Action::Exit,
        28 => Action::FinTimeout { idle: 1, hard: 1 },
        29 | 30 => Action::Resubmit {
            in_port: *c.of(&[OfPort::IN_PORT, OfPort(1), OfPort(2)]),
            table_id: 1 + c.below(3) as u8,
            form: ResubmitForm::Table,
        },
        31 if c.one_in(3) => Action::DebugRecirc,
        32..36 => Action::Group(c.below(N_GROUPS) as u32),
        _ => out(c),
    }
}

/// Groups there may be.
const N_GROUPS: u64 = 6;

fn group(c: &mut Choice, p: &Flow) -> GroupMod {
    use GroupType::{All, FastFailover, Indirect, Select};
    let kind = *c.of(&[All, Indirect, FastFailover, Select, Select, Select]);
    let bucket = |c: &mut Choice, bucket_id| Bucket {
        bucket_id,
        weight: *c.of(&[1, 1, 2, 0, 200]),
        watch_port: *c.of(&[OfPort::NONE, OfPort::NONE, OfPort(1), OfPort(77)]),
        watch_group: *c.of(&[group_id::ANY, group_id::ANY, 1, 2]),
        actions: (0..1 + c.below(3)).map(|_| action(c, p, 2)).collect(),
    };
    let mut props = GroupProps {
        selection_method: (*c.of(&["", "hash", "hash", "dp_hash"])).to_owned(),
        selection_method_param: *c.of(&[0, 7, 1 << 32]),
        ..GroupProps::default()
    };
    if props.selection_method == "hash" {
        for _ in 0..c.below(4) {
            // Registers are zero here, so mostly fields of the packet.
            let mut sub = part(c, p, false);
            for _ in 0..40 {
                if field_access::get(sub.field.field(), p) != 0 {
                    break;
                }
                sub = part(c, p, false);
            }
            let field = sub.field.field();
            let mask = fields::low_bits(sub.n_bits) << sub.ofs & field_access::valid_bits(field);
            props.fields.insert(sub.field, FieldValue::of(field, mask));
        }
    }
    GroupMod {
        command: GroupCommand::AddOrMod,
        kind,
        group_id: c.below(N_GROUPS) as u32,
        command_bucket_id: bucket_id::ALL,
        buckets: (0..c.below(5) as u32).map(|n| bucket(c, n)).collect(),
        props,
    }
}

/// The identifiers with which packets come back.
fn recirculations(actions: &[DpAction], to: &mut Vec<u32>) {
    for action in actions {
        match action {
            DpAction::Recirc(id) => to.push(*id),
            DpAction::Clone(list) => recirculations(list, to),
            _ => {}
        }
    }
}

/// A rule that packets like this one may hit.
fn rule(c: &mut Choice, p: &Flow) -> FlowMod {
    let table_id = c.below(4) as u8;
    let mut actions: Vec<Action> = (0..c.below(5)).map(|_| action(c, p, 0)).collect();
    match c.below(8) {
        0 => actions.push(Action::WriteActions((0..3).map(|_| action(c, p, 2)).collect())),
        1 => actions.push(Action::ClearActions),
        2 => actions.push(Action::WriteMetadata { metadata: 1, mask: 3 }),
        3 => {
            actions = vec![Action::Conjunction { id: 1, clause: c.below(2) as u8, n_clauses: 2 }];
        }
        _ => {}
    }
    if c.one_in(3) && table_id < 3 && !matches!(actions[..], [Action::Conjunction { .. }]) {
        actions.push(Action::GotoTable(table_id + 1));
    }
    let mut matched = matching(c, p);
    if c.one_in(12) {
        let one = FieldValue::from_u128(1, 4);
        matched.set(id::CONJ_ID.field(), &one, &FieldValue::from_u128(u128::MAX, 4));
    }
    FlowMod { matched, table_id, priority: c.below(6) as u16, actions, ..FlowMod::default() }
}

fn vlan_config(c: &mut Choice) -> VlanConfig {
    use VlanMode::{Access, Dot1qTunnel, NativeTagged, NativeUntagged, Trunk};
    VlanConfig {
        mode: *c.of(&[Trunk, Trunk, Access, NativeTagged, NativeUntagged, Dot1qTunnel]),
        tag: *c.of(&[0, 5, 6]),
        trunks: c.of(&[None, None, Some(vec![0, 5])]).clone(),
        priority_tags: *c.of(&[PriorityTags::Never, PriorityTags::IfNonzero, PriorityTags::Always]),
        ..VlanConfig::default()
    }
}

/// Everything a translation brings about.
fn effects(o: &Outcome) -> String {
    let mut all = format!("{:?} {}", o.error, text(o));
    states(&o.actions, &mut all);
    for entry in o.credits.entries() {
        match entry {
            CreditEntry::Learn { learned, .. } => write!(all, " {learned:?}").unwrap(),
            CreditEntry::Mac { seen, .. } => write!(all, " {seen:?}").unwrap(),
            CreditEntry::Rule { stats } => write!(all, " {:p}", Arc::as_ptr(stats)).unwrap(),
            CreditEntry::Table { id, found, .. } => write!(all, " {id}{found}").unwrap(),
            CreditEntry::Group { counters } => write!(all, " {:p}", Arc::as_ptr(counters)).unwrap(),
            CreditEntry::Patch { .. } | CreditEntry::FinTimeout { .. } => {}
        }
    }
    all
}

fn states(actions: &[DpAction], to: &mut String) {
    for action in actions {
        match action {
            DpAction::Userspace(Userspace::Controller(c)) => {
                write!(to, " {:?}", c.state.downcast_ref::<PacketInState>()).unwrap();
            }
            DpAction::Clone(list) => states(list, to),
            _ => {}
        }
    }
}

proptest! {
    // PROPTEST_CASES asks for more.
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.max(600)))]

    #[test]
    fn what_a_mask_leaves_out_makes_no_difference(seed in 1u64..) {
        let mut c = Choice(seed);
        let vlans = [(); 4].map(|()| vlan_config(&mut c));
        let switch = bridges(&vlans, *c.of(&[0, 0, 1, 2]));
        let br0 = switch.bridge("br0").unwrap();
        br0.shared.set_fragments(*c.of(&[0, 0, 1, 3]));
        let packets: Vec<Flow> = (0..12).map(|_| packet(&mut c)).collect();
        for _ in 0..8 {
            let p = *c.of(&packets);
            let bridge = if c.one_in(3) { "br1" } else { "br0" };
            add_group(&switch, bridge, &group(&mut c, &p));
        }
        for n in 0..40 {
            let p = *c.of(&packets);
            add(&switch, if n % 7 == 6 { "br1" } else { "br0" }, &rule(&mut c, &p));
        }
        let mut keys = packets.clone();
        // Outcomes keep the identifiers that they name in use.
        let mut kept = Vec::new();
        let mut at = 0;
        while let Some(a) = &keys.get(at).copied() {
            at += 1;
            let first = translate(&switch, a, false);
            let mut ids = Vec::new();
            recirculations(&first.actions, &mut ids);
            if a.recirc_id.get() == 0 {
                for id in ids {
                    for dp_hash in [0, 1, c.below(1 << 32) as u32] {
                        keys.push(Flow { recirc_id: id.into(), dp_hash: dp_hash.into(), ..*a });
                    }
                }
            }
            // A megaflow stays when it is looked at again, which happens with its packet's whole key.
            // (Without the bits it does not compare, another reason may rule the same flows out.)
            prop_assert!(first.mask.covers(&translate(&switch, a, false).mask), "{:?}", a);
            if let Some(key) = mixed(a, &Flow::ZERO, &first.mask) {
                let again = translate(&switch, &key, false);
                prop_assert_eq!(effects(&first), effects(&again), "{:?} and {:?} under {:?}, tags {:x?} {:x?} {:x?}", a, key, first.mask.0, a.vlans, key.vlans, first.mask.0.vlans);
            }
            for b in &packets {
                // Packets of the same kind, too, which differ in one field.
                let mut near = *a;
                let field = *c.of(&all_fields());
                field.set(&mut near, c.value(field.bits) & field.all_ones());
                for b in [*b, canonical(&near)] {
                    let Some(other) = mixed(a, &b, &first.mask) else { continue };
                    let second = translate(&switch, &other, false);
                    prop_assert_eq!(effects(&first), effects(&second), "{:?} and {:?} under {:?}, tags {:x?} {:x?} {:x?}", a, other, first.mask.0, a.vlans, other.vlans, first.mask.0.vlans);
                }
            }
            kept.push(first);
        }
    }
}
