//! Random flows: every field and every action of the flow syntax.

/// A small generator of random numbers (xorshift), so that a failure can be repeated.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n as u64).unwrap()
    }

    pub(crate) fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

#[rustfmt::skip]
const METADATA: &[&str] = &[
    "in_port=1", "in_port=LOCAL", "reg0=0x5", "reg1=5/7", "reg15=0xffffffff", "reg3[4..7]=5",
    "xreg2=0x123456789abcdef", "xreg1=0x5/0xff00000000", "xxreg1=0x1/0xf0000000000000000",
    "metadata=0x1234", "metadata=5/0xf", "tun_id=7", "tun_id=0x5/0xff", "tun_src=1.2.3.4",
    "tun_dst=10.0.0.0/8", "tun_ipv6_dst=2001:db8::1", "tun_ipv6_src=fe80::/10", "tun_flags=+oam",
    "tun_gbp_id=5", "tun_metadata0=0x1234", "tun_metadata3=0x5/0xff", "pkt_mark=3", "pkt_mark=1/3",
    "conj_id=9", "ct_state=+trk+new-inv", "ct_state=-trk", "ct_zone=4", "ct_mark=3/0xf",
    "ct_label=0x12345678901234567890", "actset_output=4", "dp_hash=1/0xf", "recirc_id=3",
];
#[rustfmt::skip]
const ETHERNET: &[&str] = &[
    "dl_src=00:11:22:33:44:55", "dl_dst=01:00:00:00:00:00/01:00:00:00:00:00",
    "eth_dst=ff:ff:ff:ff:ff:ff", "dl_vlan=10", "dl_vlan=0xffff", "dl_vlan=3,dl_vlan_pcp=2",
    "dl_vlan_pcp=4", "vlan_tci=0x0", "vlan_tci=0x1123/0x1fff", "vlan_tci=0/0x1fff",
    "vlan_vid=0x1005", "vlan_vid=0x1000/0x1000", "vlan_tci=0xf123", "vlan_vid=0x1003,vlan_pcp=5",
];
#[rustfmt::skip]
const L3: &[&str] = &[
    "ip", "ip,nw_src=10.0.0.1", "ip,nw_dst=10.0.0.0/255.0.255.0", "ip,nw_tos=0x28", "ip,nw_ecn=2",
    "ip,nw_ttl=64", "ip,ip_frag=no", "ip,ip_frag=later", "ip,ip_frag=not_later", "ip,nw_proto=89",
    "tcp,tp_src=80", "tcp,tcp_dst=0x50/0xf0", "tcp,tcp_flags=+syn-ack", "tcp,tcp_flags=syn|ack",
    "udp,udp_src=53", "sctp,sctp_dst=7", "icmp,icmp_type=8,icmp_code=0", "ip,nw_proto=2",
    "ipv6", "ipv6,ipv6_src=2001:db8::1", "ipv6,ipv6_dst=fe80::/64", "ipv6,ipv6_label=0x12345",
    "ipv6,ipv6_dst=::1.2.3.4/ffff::ffff:ff00", "tcp6,tp_dst=22", "udp6,nw_ecn=1", "sctp6",
    "icmp6,icmp_type=135,icmp_code=0,nd_target=2001:db8::5,nd_sll=00:00:00:00:00:07",
    "icmp6,icmpv6_type=136,icmpv6_code=0,nd_target=::1/127,nd_tll=00:00:00:00:00:07",
    "arp", "arp,arp_op=2,arp_spa=10.1.1.1,arp_tpa=10.2.0.0/16", "arp,arp_sha=00:00:00:00:00:01",
    "arp,arp_tha=00:00:00:00:00:01/00:00:00:ff:ff:ff", "rarp,arp_op=3", "dl_type=0x1234",
    "mpls,mpls_label=1000,mpls_tc=3,mpls_bos=1", "mplsm,mpls_ttl=9", "dl_type=0x88cc",
    "dl_type=0x894f,nsh_flags=1,nsh_spi=0x123,nsh_si=5,nsh_c2=0x5/0xff,nsh_mdtype=1",
    "ct_state=+trk+est,ip,ct_nw_src=10.0.0.0/8,ct_nw_proto=6,ct_tp_src=80",
    "ct_state=+trk+est,tcp6,ct_ipv6_dst=::1,ct_nw_proto=17,ct_tp_dst=1/1",
    "packet_type=(1,0x800),nw_src=1.2.3.4",
];
#[rustfmt::skip]
const ACTIONS: &[&str] = &[
    "output:1", "2", "LOCAL", "IN_PORT", "NORMAL", "FLOOD", "ALL", "CONTROLLER:128", "controller",
    "controller(reason=no_match,max_len=64,id=3)", "controller(userdata=01.02.03,pause)",
    "controller(meter_id=3,userdata=00)", "output:NXM_NX_REG0[0..15]", "output:reg1[]",
    "output(port=3,max_len=100)", "enqueue(1,2)", "enqueue:1:7", "group:5", "set_queue:3",
    "pop_queue", "set_tunnel:0x5", "set_tunnel64:0x5", "set_tunnel:0x123456789a",
    "resubmit:1", "resubmit(,2)", "resubmit(3,4)", "move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[]",
    "move:reg0[0..15]->reg1[16..31]", "load:0x5->NXM_NX_REG0[]", "load:1->NXM_NX_REG1[4]",
    "load:0x123456789abcdef->xreg3[]", "load:5->OXM_OF_METADATA[0..7]",
    "set_field:0x5->reg0", "set_field:0x5/0xff->reg1", "set_field:0x1/0x3->metadata",
    "set_field:00:11:22:33:44:55->eth_src", "set_field:5->tun_id", "set_field:1.2.3.4->tun_dst",
    "set_field:0x123456789abcdef0123456789abcdef->xxreg1", "set_field:0x12/0xff->tun_metadata1",
    "set_field:0x1234->tun_metadata0", "push:NXM_NX_REG2[]", "pop:NXM_NX_REG2[0..7]",
    "mod_dl_src:00:00:00:00:00:01", "mod_dl_dst:00:00:00:00:00:02", "mod_vlan_vid:5",
    "mod_vlan_pcp:3", "note:01.02", "note:00.11.22.33.44.55.66", "exit", "ct_clear",
    "sample(probability=12,collector_set_id=3,obs_domain_id=4,obs_point_id=5)",
    "sample(probability=12,collector_set_id=3,sampling_port=4,egress)",
    "clone(output:1,set_field:5->reg0,output:2)", "check_pkt_larger(1500)->NXM_NX_REG0[3]",
    "multipath(eth_src,50,modulo_n,1,0,NXM_NX_REG0[])",
    "multipath(symmetric_l3l4+udp,50,hrw,16,7,reg5[0..7])",
    "bundle(eth_src,50,active_backup,ofport,members:1,2,3)",
    "bundle_load(symmetric_l4,60,hrw,ofport,NXM_NX_REG0[],members:4,LOCAL)",
    "learn(table=1,idle_timeout=60,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[])",
    "learn(table=2,priority=5,send_flow_rem,delete_learned,cookie=0x5,eth_type=0x800,nw_proto=6,\
     NXM_OF_IP_SRC[]=NXM_OF_IP_DST[],load:NXM_OF_IN_PORT[]->NXM_NX_REG0[0..15],load:5->NXM_NX_REG1[])",
    "learn(table=3,limit=7,result_dst=reg0[8],NXM_OF_VLAN_TCI[0..11],fin_idle_timeout=3)",
    "delete_field:tun_metadata2", "encap(ethernet)", "encap(nsh(md_type=2,tlv(0x1000,10,0x123456)))",
    "encap(nsh(md_type=1))", "encap(mpls)", "decap", "decap(packet_type(ns=1,type=0x894f))",
    "push_vlan:0x8100", "set_field:2001:db8::1->tun_ipv6_dst", "set_field:1->pkt_mark",
    "set_field:0x123456789->xreg1", "load:0xffff->NXM_NX_PKT_MARK[0..15]",
];
const IP_ACTIONS: &[&str] = &[
    "dec_ttl",
    "dec_ttl(1,2)",
    "mod_nw_tos:32",
    "mod_nw_ecn:2",
    "mod_nw_ttl:64",
    "ct(commit)",
    "ct(commit,zone=5,table=3,nat(src=10.0.0.1-10.0.0.5:1000-2000,random))",
    "ct(table=1,nat)",
    "ct(commit,zone=NXM_NX_REG0[0..15],exec(set_field:0x5->ct_mark,load:1->NXM_NX_CT_LABEL[0]))",
    "ct(commit,force,nat(dst=10.0.0.1,persistent,hash))",
    "set_field:5->nw_ttl",
    "set_field:12->ip_dscp",
    "load:1->NXM_NX_IP_ECN[]",
    "pop_vlan",
    "strip_vlan",
    "pop_mpls:0x800",
    "push_mpls:0x8847",
    "set_mpls_label:5",
    "set_mpls_tc:3",
    "set_mpls_ttl:9",
    "dec_mpls_ttl",
    "dec_nsh_ttl",
    "mod_tp_src:80",
    "mod_tp_dst:443",
    "mod_nw_src:1.2.3.4",
    "mod_nw_dst:5.6.7.8",
    "set_field:80->tcp_dst",
    "set_field:53->udp_src",
    "set_field:1.2.3.4->ip_dst",
    "set_field:2001:db8::1->ipv6_src",
    "set_field:0x1005->vlan_vid",
    "set_field:3->vlan_pcp",
    "set_field:9->mpls_label",
    "set_field:1->arp_op",
    "set_field:10.0.0.1->arp_tpa",
    "set_field:00:00:00:00:00:01->nd_sll",
    "load:0x1005->OXM_OF_VLAN_VID[]",
    "set_vlan_vid:7",
    "load:0x1005->NXM_OF_VLAN_TCI[]",
    "set_field:0x1005->vlan_tci",
    "set_field:0->vlan_tci",
    "ct(commit,nat(src=[2001:db8::1]-[2001:db8::9]:5-6,hash))",
    "ct(commit,alg=ftp)",
    "fin_timeout(idle_timeout=3,hard_timeout=4)",
    "move:NXM_OF_IP_SRC[]->NXM_NX_REG0[]",
    "set_vlan_pcp:2",
    "resubmit(,3,ct)",
    "output:NXM_OF_VLAN_TCI[0..11]",
];

/// A random flow.
pub(crate) fn flow(r: &mut Random) -> String {
    let mut parts = Vec::new();
    if r.below(3) == 0 {
        parts.push(format!("priority={}", r.below(65536)));
    }
    if r.below(4) == 0 {
        parts.push(format!("cookie=0x{:x}", r.next()));
    }
    if r.below(4) == 0 {
        parts.push(format!("idle_timeout={},hard_timeout={}", r.below(9), r.below(9)));
    }
    if r.below(6) == 0 {
        parts.push(r.pick(&["send_flow_rem", "check_overlap"]).to_owned());
    }
    for _ in 0..r.below(3) {
        let item = r.pick(METADATA);
        let name = item.split('=').next().unwrap();
        if !parts.iter().any(|p| p.starts_with(name)) {
            parts.push(item.to_owned());
        }
    }
    if r.below(2) == 0 {
        parts.push(r.pick(ETHERNET).to_owned());
    }
    let l3 = if r.below(4) == 0 { "" } else { r.pick(L3) };
    if !l3.is_empty() {
        parts.push(l3.to_owned());
    }
    let mut actions = Vec::new();
    for _ in 0..r.below(4) {
        let list = if r.below(3) == 0 { IP_ACTIONS } else { ACTIONS };
        actions.push(r.pick(list).to_owned());
    }
    if r.below(10) == 0 {
        actions = vec!["conjunction(5,1/3)".to_owned()];
    } else if r.below(5) == 0 {
        actions.extend([r
            .pick(&["write_metadata:0x5/0xf", "write_metadata:1", "goto_table:9"])
            .to_owned()]);
    } else if r.below(8) == 0 {
        actions.push("clear_actions".to_owned());
        actions.push(format!("write_actions({})", r.pick(&["output:1", "set_queue:1,output:3"])));
    }
    if r.below(12) == 0 {
        actions.insert(0, "meter:7".to_owned());
    }
    if actions.is_empty() {
        actions.push("drop".to_owned());
    }
    parts.push(format!("actions={}", actions.join(",")));
    parts.join(",")
}
