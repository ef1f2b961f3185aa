//! Texts observed from Open vSwitch 3.1 with a dummy datapath.

use proptest::prelude::*;

use super::*;
use crate::field::Field;
use crate::flow::{eth_type, ip_proto};
use crate::mask::Mask;
use crate::packet::{Metadata, parse, plausible};

fn round(text: &str, verbose: bool) -> String {
    let key = parse_key(text, None).unwrap();
    format_key(&key.flow, Some(&key.mask), &Style { verbose, names: None })
}

/// Megaflows as `dpctl/dump-flows` printed them.
const FLOWS: &[&str] = &[
    "recirc_id(0),in_port(1),packet_type(ns=0,id=0),eth_type(0x8847),mpls(label=100/0x0,tc=0/0,ttl=64/0x0,bos=1/1)",
    "recirc_id(0),in_port(1),packet_type(ns=0,id=0),eth_type(0x0800),ipv4(src=10.0.1.1,proto=6,ttl=64,frag=no),tcp(src=18/0xfff0,dst=80),tcp_flags(+syn-ack)",
    "recirc_id(0x1),in_port(1),packet_type(ns=0,id=0),eth_type(0x0800),ipv4(proto=0,ttl=0,frag=no)",
    "skb_mark(0),recirc_id(0),in_port(1),packet_type(ns=0,id=0),eth(src=50:54:00:00:00:05),eth_type(0x0800),ipv4(src=10.0.9.1/255.255.248.0,proto=132,frag=no),sctp(src=18)",
    "recirc_id(0),in_port(1),packet_type(ns=0,id=0),eth_type(0x0800),ipv4(src=10.0.0.1/255.255.255.0,proto=6,tos=0x10/0xfc,frag=no),tcp(src=8/0xfff0),tcp_flags(-syn+ack)",
    "recirc_id(0),in_port(1),packet_type(ns=0,id=0),eth_type(0x86dd),ipv6(src=fe80::1/ffff::,dst=fe80::2,label=0,proto=17,frag=no)",
    "recirc_id(0),in_port(1),packet_type(ns=0,id=0),eth_type(0x86dd),ipv6(proto=58,frag=no),icmpv6(type=135,code=0),nd(target=fe80::9,sll=50:54:00:00:00:05)",
    "recirc_id(0),in_port(1),packet_type(ns=0,id=0),eth_type(0x0800),ipv4(src=10.0.9.1/255.255.248.0,proto=1,frag=no),icmp(type=8,code=0)",
    "recirc_id(0),in_port(1),packet_type(ns=0,id=0),eth_type(0x8100),vlan(vid=5,pcp=3/0x0),encap(eth_type(0x0800),ipv4(src=10.0.1.1,proto=6,ttl=64,frag=no),tcp(src=18/0xfff0,dst=80),tcp_flags(+syn-ack))",
    "recirc_id(0),in_port(1),packet_type(ns=0,id=0),eth_type(0x0806),arp(op=1,sha=50:54:00:00:00:05,tha=00:00:00:00:00:00)",
    "recirc_id(0),in_port(1),packet_type(ns=0,id=0),eth(src=50:54:00:00:00:05,dst=50:54:00:00:00:07),eth_type(0x88a8),vlan(vid=5,pcp=3),encap(eth_type(0x8100),vlan(vid=7,pcp=0),encap(eth_type(0x1234)))",
    "recirc_id(0),in_port(2),packet_type(ns=0,id=0),eth(src=50:54:00:00:00:05,dst=50:54:00:00:00:07),eth_type(0x0800),ipv4(proto=17/0xf0,tos=0x4/0xfc,ttl=5/0xf,frag=later)",
    "skb_mark(0x5),ct_state(+new-est+rel-rpl-inv+trk-snat-dnat),ct_zone(0x5/0xf),ct_mark(0x1),ct_label(0x123456789abcdef0123456789),recirc_id(0),in_port(2),packet_type(ns=0,id=0),eth(src=50:54:00:00:00:05,dst=50:54:00:00:00:07),eth_type(0x0800),ipv4(frag=no)",
    "skb_priority(0x3),skb_mark(0x5/0xf),ct_state(-new+est+trk),ct_zone(0x5),ct_mark(0x1/0x1),ct_label(0x5/0xff),recirc_id(0x7),dp_hash(0x3/0xf),in_port(2),eth_type(0x0800),ipv4(frag=no)",
    "ct_tuple4(src=1.1.1.0/255.255.255.0,dst=2.2.2.2,proto=6,tp_src=1/0xf,tp_dst=2),recirc_id(0),in_port(2),packet_type(ns=0,id=0),eth(src=50:54:00:00:00:05,dst=50:54:00:00:00:07),eth_type(0x0800),ipv4(frag=no)",
    "ct_tuple6(src=::1,dst=::2,proto=6,src_port=1,dst_port=2),recirc_id(0),in_port(2),packet_type(ns=0,id=0),eth(src=50:54:00:00:00:05,dst=50:54:00:00:00:07),eth_type(0x86dd),ipv6(frag=no)",
    "recirc_id(0),in_port(2),packet_type(ns=0,id=0),eth(src=50:54:00:00:00:05,dst=50:54:00:00:00:07),eth_type(0x0800),ipv4(proto=6,frag=no),tcp(src=5/0xff),tcp_flags(syn|ack)",
    "recirc_id(0),in_port(2),packet_type(ns=0,id=0),eth(src=50:54:00:00:00:05,dst=50:54:00:00:00:07),eth_type(0x0800),ipv4(proto=6,frag=no),tcp(src=5),tcp_flags(0)",
    "recirc_id(0),in_port(2),packet_type(ns=0,id=0),eth(src=50:54:00:00:00:05,dst=50:54:00:00:00:07),eth_type(0x0800),ipv4(proto=6,frag=no),tcp(src=5),tcp_flags(-[400]+[800])",
    "recirc_id(0),in_port(2),packet_type(ns=0,id=0),eth(src=50:54:00:00:00:05,dst=50:54:00:00:00:07),eth_type(0x8847),mpls(label=10/0xff,tc=3/7,ttl=64/0xff,bos=1/1)",
    "recirc_id(0),in_port(1),eth_type(0x8847),mpls(label=10,tc=3,ttl=64,bos=1)",
    "recirc_id(0),in_port(1),packet_type(ns=0,id=0),eth_type(0x8847),mpls(label=257/0x0,tc=0/0,ttl=64/0x0,bos=0/1,label=258/0x0,tc=0/0,ttl=80/0x0,bos=1/0)",
    "recirc_id(0),in_port(2),packet_type(ns=0,id=0),eth(src=50:54:00:00:00:05,dst=50:54:00:00:00:07),eth_type(0x86dd),ipv6(proto=58,frag=no),icmpv6(type=136,code=0),nd(target=fe80::/ffff::,tll=00:00:00:00:00:01/00:00:00:00:00:ff)",
    "recirc_id(0),in_port(2),packet_type(ns=0,id=0),eth(src=50:54:00:00:00:05,dst=50:54:00:00:00:07),eth_type(0x8035),arp(op=3)",
    "recirc_id(0),in_port(2),eth_type(0/0xffff)",
];

#[test]
fn terse_flows_read_and_write() {
    for text in FLOWS {
        assert_eq!(round(text, false), *text);
    }
    let tag = "in_port(2),eth_type(0x8100),vlan(vid=0/0,pcp=0/0,cfi=1/1),encap(eth_type(0x1234))";
    let written = "in_port(2),eth_type(0x8100),vlan(),encap(eth_type(0x1234))";
    assert_eq!(round(tag, false), written);
}

#[test]
fn verbose_flows_tell_what_is_wildcarded() {
    let terse = "recirc_id(0),in_port(1),packet_type(ns=0,id=0),eth(src=50:54:00:00:00:05/00:00:00:00:00:00,dst=50:54:00:00:00:07/00:00:00:00:00:00),eth_type(0x86dd),ipv6(src=fe80::1/::,dst=fe80::2/::,label=0/0,proto=58,tclass=0/0,hlimit=64/0,frag=no),icmpv6(type=135,code=0),nd(target=fe80::9,sll=50:54:00:00:00:05,tll=00:00:00:00:00:00/00:00:00:00:00:00)";
    let all = "skb_priority(0/0),skb_mark(0/0),ct_state(0/0),ct_zone(0/0),ct_mark(0/0),ct_label(0/0),recirc_id(0),dp_hash(0/0),";
    assert_eq!(round(terse, true), terse.replace("recirc_id(0),", all));
    let vlan = "packet_type(ns=0,id=0),eth(src=22:22:22:22:22:22/00:00:00:00:00:00,dst=11:11:11:11:11:11/00:00:00:00:00:00),eth_type(0x8100),vlan(vid=5,pcp=1/0x0),encap(eth_type(0x8100),vlan(vid=6/0x0,pcp=1/0x0),encap(eth_type(0x8100)))";
    assert!(round(vlan, true).ends_with(vlan));
    assert!(round("eth_type(0x0800),ipv4(frag=no)", true).contains("packet_type(ns=1/0,id=0x800/0),eth_type(0x0800),ipv4(src=0.0.0.0/0.0.0.0,dst=0.0.0.0/0.0.0.0,proto=0/0,tos=0/0,ttl=0/0,frag=no)"));
    assert!(round("ct_state(0x22/0x23),eth_type(0x1234)", true).contains("ct_state(0x22/0x23),"));
}

#[test]
fn a_cut_short_tag_is_told() {
    let packet = [[0x11; 6], [0x22; 6]].concat();
    let packet = [&packet[..], &[0x81, 0, 0x20, 5]].concat();
    let flow = parse(&packet, &Metadata::from_port(1)).flow;
    let mut mask = Mask::CATCHALL;
    for name in ["recirc_id", "in_port_oxm", "packet_type", "eth_type", "dl_vlan"] {
        let field = Field::by_name(name).unwrap();
        field.set(&mut mask.0, field.all_ones());
    }
    let text = format_key(&flow, Some(&mask), &Style::default());
    assert_eq!(
        text,
        "recirc_id(0),in_port(1),packet_type(ns=0,id=0),eth_type(0x8100),vlan(vid=0,cfi=0),encap()"
    );
    assert_eq!(parse_key(&text, None).unwrap().flow.dl_type.get(), 0x8100);
}

#[test]
fn port_names() {
    let names = |port: PortNo| (port.0 < 10).then(|| format!("p{}", port.0));
    let by_name = |name: &str| name.strip_prefix('p')?.parse().ok().map(PortNo);
    let style = Style { verbose: false, names: Some(&names) };
    let key = parse_key("in_port(p1),eth_type(0x1234)", Some(&by_name)).unwrap();
    assert_eq!(format_key(&key.flow, Some(&key.mask), &style), "in_port(p1),eth_type(0x1234)");
    let actions =
        parse_actions("p2,check_pkt_len(size=100,gt(p3),le(10))", Some(&by_name)).unwrap();
    assert_eq!(format_actions(&actions, &style), "p2,check_pkt_len(size=100,gt(p3),le(10))");
    assert!(parse_actions("p2", None).is_err());
}

#[test]
fn errors_name_the_place() {
    for (text, place) in [
        ("zz", "zz"),
        ("eth(src=50:54:00:00:00:05),foo(1)", "foo(1)"),
        ("in_port(nope),eth_type(0x1234)", "in_port(nope),eth_type(0x1234)"),
        ("tcp,nw_src=1.2.3.4", "tcp,nw_src=1.2.3.4"),
        ("in_port(2),ipv4(proto=17,frag=3/1)", "ipv4(proto=17,frag=3/1)"),
        (
            "eth_type(0x8100),encap(eth_type(0x0800),ipv4(src=1.2)),",
            "encap(eth_type(0x0800),ipv4(src=1.2)),",
        ),
        ("ipv6(src=::/0)", "ipv6(src=::/0)"),
        ("skb_mark(0x100000000)", "skb_mark(0x100000000)"),
    ] {
        let error = parse_key(text, None).unwrap_err();
        assert_eq!(error.to_string(), format!("syntax error at {place}"));
    }
    let nested = "eth_type(0x8100),".to_owned() + &"encap(".repeat(100_000);
    assert!(parse_key(&nested, None).is_err());
    assert!(parse_actions(&"clone(".repeat(100_000), None).is_err());
}

#[test]
fn ufid_and_free_order() {
    let key = parse_key(
        "ufid:cdc73dd4-84ee-496b-82e2-cb6bd1620837, eth_type(0x0800) ipv4(frag=no,src=1.2.3.4) eth() in_port(7)",
        None,
    )
    .unwrap();
    assert_eq!(key.ufid, Some(0xcdc73dd4_84ee_496b_82e2_cb6bd1620837));
    assert_eq!((key.flow.in_port.get(), key.flow.packet_type.get()), (7, 0));
    assert_eq!(key.flow.nw_src.get(), 0x0102_0304);
    assert_eq!(parse_key("", None).unwrap().flow.dl_type.get(), 0x5ff);
}

/// Action lists as `dpctl/parse-actions` or `dpctl/dump-flows` printed them.
const ACTIONS: &[&str] = &[
    "1",
    "1,2",
    "drop",
    "push_vlan(vid=5,pcp=0)",
    "push_vlan(tpid=0x88a8,vid=5,pcp=0)",
    "push_vlan(vid=5,pcp=3,cfi=0)",
    "push_vlan(vid=0,pcp=0)",
    "push_vlan(vid=5,pcp=3),pop_vlan",
    "push_mpls(label=10,tc=0,ttl=64,bos=1,eth_type=0x8847),2",
    "pop_mpls(eth_type=0x800),recirc(0x1)",
    "set(eth(src=00:00:00:00:00:01,dst=00:00:00:00:00:02))",
    "set(eth(src=00:00:00:00:00:01/00:00:00:00:00:ff))",
    "set(eth())",
    "set(ipv4(src=10.0.0.1,dst=10.0.0.2,tos=0,ttl=64))",
    "set(ipv4(src=10.0.0.1/255.255.0.0,tos=0x4/0xfc,ttl=63))",
    "set(ipv6(src=::1/ffff::,tclass=0x10/0xfc,hlimit=3))",
    "set(ipv6(dst=fe80::5,label=0x7)),2",
    "set(ipv6(label=0))",
    "set(tcp(src=5,dst=6))",
    "set(tcp())",
    "set(udp(dst=6/0xff))",
    "set(sctp(src=77)),set(skb_mark(0x5)),2",
    "set(icmp(type=0,code=1))",
    "set(icmpv6(type=128,code=1))",
    "set(arp(sip=1.2.3.4,tip=4.5.6.7,op=1,sha=00:00:00:00:00:01,tha=00:00:00:00:00:00))",
    "set(arp(sip=1.2.3.4/255.0.0.0))",
    "set(nd(target=fe80::1,sll=00:00:00:00:00:01,tll=00:00:00:00:00:02))",
    "set(nd_ext(nd_reserved=0x5,nd_options_type=1))",
    "set(mpls(label=10,tc=0,ttl=64,bos=1))",
    "set(mpls(label=10/0xfffff,tc=0/0,ttl=0/0x0,bos=0/0))",
    "set(skb_mark(0x5/0xf))",
    "set(skb_priority(0x3))",
    "userspace(pid=0,slow_path(action))",
    "userspace(pid=0,slow_path(0))",
    "userspace(pid=0,slow_path(cfm,bfd,lacp,stp,lldp,action,match))",
    "userspace(pid=0,controller(reason=1,dont_send=0,continuation=0,recirc_id=6,rule_cookie=0,controller_id=0,max_len=65535)),2",
    "userspace(pid=0,controller(reason=1,dont_send=1,continuation=1,recirc_id=4294967295,rule_cookie=0x123456789abcdef0,controller_id=7,max_len=5))",
    "userspace(pid=0,sFlow(vid=9,pcp=7,output=10))",
    "userspace(pid=0,ipfix(output_port=10))",
    "userspace(pid=0,flow_sample(probability=123,collector_set_id=1234,obs_domain_id=2345,obs_point_id=3456,output_port=10,egress))",
    "trunc(100),2,3",
    "sample(sample=10.0%,actions(1,2))",
    "sample(sample=100.0%,actions(1))",
    "sample(sample=50.0%,actions(drop))",
    "clone(sample(sample=50.0%,actions(2)),3)",
    "clone(drop)",
    "recirc(0xf)",
    "recirc(0)",
    "hash(l4(15)),recirc(0x2)",
    "hash(sym_l4(0))",
    "meter(7)",
    "check_pkt_len(size=100,gt(drop),le(2,3))",
    "check_pkt_len(size=1500,gt(trunc(5),2),le(drop))",
    "set(ipv4(dst=9.9.9.9)),2,set(ipv4(dst=10.0.0.2)),3",
];

#[test]
fn actions_read_and_write() {
    for text in ACTIONS {
        let actions = parse_actions(text, None).unwrap();
        assert_eq!(format_actions(&actions, &Style::default()), *text);
    }
    for (text, canonical) in [
        ("", "drop"),
        ("1,", "1"),
        ("1 2", "1,2"),
        ("push_vlan(tpid=0x8100,vid=5,pcp=3,cfi=1)", "push_vlan(vid=5,pcp=3)"),
        ("userspace(pid=0,slow_path(cfm|bfd))", "userspace(pid=0,slow_path(cfm,bfd))"),
        ("userspace(pid=0,slow_path(0x3))", "userspace(pid=0,slow_path(cfm,bfd))"),
        ("set(eth(src=00:00:00:00:00:01/ff:ff:ff:ff:ff:ff))", "set(eth(src=00:00:00:00:00:01))"),
        ("sample(sample=33.3333333%,actions(1))", "sample(sample=33.3%,actions(1))"),
        ("clone()", "clone(drop)"),
        ("set(tcp(src=5/0))", "set(tcp())"),
        ("set(ipv6(hlimit=5,tclass=5))", "set(ipv6(tclass=0x5,hlimit=5))"),
    ] {
        let actions = parse_actions(text, None).unwrap();
        assert_eq!(format_actions(&actions, &Style::default()), canonical);
    }
    for bad in [
        "foo",
        "set(foo(1))",
        "set(eth(src=zz))",
        "set(ipv4(src=10.0.0.1)",
        "1)",
        "p1",
        "sample(sample=100.5%,actions(1))",
        "userspace(pid=0)",
        "4294967296",
    ] {
        assert!(parse_actions(bad, None).is_err(), "{bad}");
    }
}

proptest! {
    #[test]
    fn a_packet_s_exact_key_reads_back(seed in prop::collection::vec(any::<u8>(), 0..300), verbose: bool) {
        let flow = parse(&plausible::packet(&seed), &Metadata::from_port(3)).flow;
        let text = format_key(&flow, None, &Style { verbose, names: None });
        let key = parse_key(&text, None).unwrap();
        let mut expected = flow;
        if expected.dl_type.get() == 0 {
            expected.dl_type = 0x5ff.into();
        }
        // Not in the text: NSH, IGMP, and ICMP of the other address family.
        let untold = match flow.dl_type.get() {
            eth_type::NSH => true,
            eth_type::IPV4 => matches!(flow.nw_proto, ip_proto::IGMP | ip_proto::ICMPV6),
            eth_type::IPV6 => flow.nw_proto == ip_proto::ICMP,
            _ => false,
        };
        if untold {
            return Ok(());
        }
        prop_assert_eq!(key.flow, expected, "{}", text);
    }

    #[test]
    fn any_text_is_read_without_harm(text in "[a-z0-9_(),=/:.|+\\[\\]%-]{0,80}") {
        let _ = parse_key(&text, None);
        let _ = parse_actions(&text, None);
    }

    #[test]
    fn broken_texts_are_read_without_harm(n in 0..ACTIONS.len(), m in 0..FLOWS.len(), cut: prop::sample::Index, c: char) {
        for text in [ACTIONS[n], FLOWS[m]] {
            let cut = cut.index(text.len());
            let broken = format!("{}{c}{}", &text[..cut], &text[cut + 1..]);
            if let Ok(actions) = parse_actions(&broken, None) {
                let written = format_actions(&actions, &Style::default());
                prop_assert!(parse_actions(&written, None).is_ok(), "{} {}", broken, written);
            }
            if let Ok(key) = parse_key(&broken, None) {
                let written = format_key(&key.flow, Some(&key.mask), &Style::default());
                prop_assert!(parse_key(&written, None).is_ok(), "{} {}", broken, written);
            }
        }
    }
}
