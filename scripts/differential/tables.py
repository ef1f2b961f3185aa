"""Random OpenFlow tables, in the text of ovs-ofctl(8).

Values come from small pools that packets.py shares, so that packets hit rules.
"""

import random
import re

MACS = ["50:54:00:00:00:01", "50:54:00:00:00:02", "50:54:00:00:00:f3", "01:00:5e:00:00:01"]
IPS = ["10.0.0.1", "10.0.0.2", "10.0.1.1", "192.168.255.254"]
IP6S = ["fe80::1", "fe80::2", "2001:db8::1:2", "ff02::1"]
PORTS = [1, 53, 80, 81, 1024, 65535]
VLANS = [1, 5, 7, 4095]
LABELS = [0, 16, 1000, 1048575]
N_TABLES = 4
HASHED = ["eth_src", "symmetric_l4", "symmetric_l3l4", "symmetric_l3l4+udp", "nw_src", "nw_dst"]


class Rules:
    """Makes rules from a random generator."""

    def __init__(self, rng: random.Random, stateful=False):
        self.rng = rng
        # May packets change what the table does (MAC learning, the learn action)?
        self.stateful = stateful

    def maybe(self, chance=0.3):
        return self.rng.random() < chance

    def masked(self, value: int, bits: int, always: int = 0) -> str:
        """A number, sometimes under a mask, which has the bits `always`."""
        if self.maybe(0.5):
            return str(value)
        mask = self.rng.choice([(1 << bits) - 1 << self.rng.randrange(bits) & (1 << bits) - 1,
                                self.rng.getrandbits(bits)]) | always
        return f"{value & mask:#x}/{mask:#x}" if mask else str(value)

    def ip(self) -> str:
        ip = self.rng.choice(IPS)
        return ip if self.maybe(0.5) else f"{ip}/{self.rng.choice([8, 16, 20, 24, 31, '255.0.255.0', '0.0.0.3'])}"

    def ip6(self) -> str:
        ip = self.rng.choice(IP6S)
        return ip if self.maybe(0.5) else f"{ip}/{self.rng.choice([10, 16, 64, 120, 127, 'ffff::ffff'])}"

    def mac(self) -> str:
        mac = self.rng.choice(MACS)
        masks = ["01:00:00:00:00:00", "ff:ff:ff:ff:ff:00", "00:00:00:00:00:0f"]
        return mac if self.maybe(0.6) else f"{mac}/{self.rng.choice(masks)}"

    def match(self) -> tuple[list[str], str]:
        """Fields, and the kind of packets: '', ip4, ip6, tcp4, ..., arp, mpls."""
        r, m = self.rng, []
        if self.maybe():
            m.append(f"in_port={r.randint(1, 4)}")
        if self.maybe(0.2):
            m.append(f"dl_src={self.mac()}")
        if self.maybe(0.2):
            m.append(f"dl_dst={self.mac()}")
        if self.maybe(0.25):
            # The peer's ovs-ofctl sends bits of a VID and of a priority without the presence bit in an OXM that its
            # own switch refuses; Weir's does not.
            m.append(r.choice([f"dl_vlan={r.choice(VLANS)}", "vlan_tci=0x1000/0x1000", "vlan_tci=0",
                               f"dl_vlan_pcp={r.randrange(8)}", f"dl_vlan={r.choice(VLANS)},dl_vlan_pcp=3",
                               f"vlan_vid={0x1000 | r.choice(VLANS):#x}/{r.choice([0x1001, 0x1007, 0x1fff]):#x}",
                               f"vlan_tci={self.masked(0x1000 | r.choice(VLANS) | r.randrange(8) << 13, 16, 0x1000)}"]))
        if self.maybe(0.2):
            m.append(f"reg{r.randrange(3)}={self.masked(r.randrange(4), 32)}")
        if self.maybe(0.1):
            m.append(f"metadata={self.masked(r.randrange(4), 64)}")
        if self.maybe(0.06):
            m.append(r.choice([f"xreg0={self.masked(r.randrange(4), 64)}", f"xxreg0={self.masked(r.randrange(4), 128)}",
                               f"pkt_mark={self.masked(r.randrange(4), 32)}", "tun_id=0", "in_port=LOCAL",
                               f"actset_output={r.randint(1, 4)}", "recirc_id=0", "eth()"]))
        if self.maybe(0.25):
            return m, ""
        kind = r.choice(["ip4", "tcp4", "tcp4", "udp4", "icmp4", "sctp4", "ip6", "tcp6", "udp6", "icmp6",
                         "nd6", "arp", "mpls", "other"])
        protos = {"tcp4": "tcp", "udp4": "udp", "icmp4": "icmp", "sctp4": "sctp", "tcp6": "tcp6",
                  "udp6": "udp6", "icmp6": "icmp6", "nd6": "icmp6", "ip4": "ip", "ip6": "ipv6", "arp": "arp",
                  "mpls": "mpls", "other": f"dl_type={r.choice(['0x88cc', '0x1234', '0x05ff', '0x8035', '0x8848', '0x88a8', '0x8100'])}"}
        m.append(protos[kind])
        if kind.endswith("4"):
            m += [f"nw_src={self.ip()}"] * self.maybe() + [f"nw_dst={self.ip()}"] * self.maybe()
        if kind.endswith("6"):
            m += [f"ipv6_src={self.ip6()}"] * self.maybe() + [f"ipv6_dst={self.ip6()}"] * self.maybe()
            m += [f"ipv6_label={self.masked(r.choice([0, 5, 0xfffff]), 20)}"] * self.maybe(0.1)
        if kind[-1] in "46":
            m += [r.choice([f"nw_tos={r.choice([0, 32, 184])}", f"ip_dscp={r.randrange(64)}"])] * self.maybe(0.1)
            m += [f"nw_ecn={r.randrange(4)}"] * self.maybe(0.1)
            m += [f"nw_ttl={r.choice([0, 1, 2, 64])}"] * self.maybe(0.1)
            m += [f"ip_frag={r.choice(['no', 'first', 'not_later'] + ['yes', 'later'] * (kind[:2] == 'ip'))}"] * self.maybe(0.15)
        if kind in ("ip4", "ip6"):
            m += [f"nw_proto={r.choice([0, 2, 47, 50, 59])}"] * self.maybe(0.2)
        if kind[:3] in ("tcp", "udp", "sct"):
            name = kind[:-1]
            m += [f"{name}_src={self.masked(r.choice(PORTS), 16)}"] * self.maybe()
            m += [f"{name}_dst={self.masked(r.choice(PORTS), 16)}"] * self.maybe()
        if kind[:3] == "tcp":
            m += [f"tcp_flags={r.choice(['+syn', '+syn-ack', '-syn', '+ack', '0x012', '+fin+rst'])}"] * self.maybe(0.2)
        if kind == "icmp4":
            m += [f"icmp_type={r.choice([0, 3, 8])}"] * self.maybe() + [f"icmp_code={r.choice([0, 1])}"] * self.maybe()
        if kind == "icmp6":
            m += [f"icmpv6_type={r.choice([128, 129, 135])}"] * self.maybe()
        if kind == "nd6":
            solicit = self.maybe(0.5)
            m += [f"icmpv6_type={135 if solicit else 136},icmpv6_code=0"]
            m += [f"nd_target={self.ip6()}"] * self.maybe()
            m += [f"{'nd_sll' if solicit else 'nd_tll'}={self.mac()}"] * self.maybe()
        if kind == "arp":
            m += [f"arp_op={r.choice([1, 2, 3])}"] * self.maybe() + [f"arp_spa={self.ip()}"] * self.maybe()
            m += [f"arp_tpa={self.ip()}"] * self.maybe() + [f"arp_sha={self.mac()}"] * self.maybe()
            m += [f"arp_tha={self.mac()}"] * self.maybe(0.2)
        if kind == "mpls":
            m += [f"mpls_label={r.choice(LABELS)}"] * self.maybe() + [f"mpls_bos={r.randrange(2)}"] * self.maybe()
            m += [f"mpls_tc={r.randrange(8)}"] * self.maybe(0.1) + [f"mpls_ttl={r.choice([0, 1, 64])}"] * self.maybe(0.1)
        return m, kind

    def action(self, kind: str, table: int, depth=0) -> str:
        """One action that a packet of this kind allows."""
        r = self.rng
        # What is cut must stay a frame when tags and labels are popped behind the cut: the peer's dummy
        # devices forget the rest of a batch behind one that is not.
        choices = [f"output:{r.randint(1, 4)}"] * 8 + ["in_port", "in_port", "flood", "all", "local", "controller",
                   f"enqueue:{r.randint(1, 4)}:0", "note:00.11.22", "exit", f"output:NXM_NX_REG{r.randrange(3)}[0..15]",
                   f"controller(max_len={r.choice([0, 20, 65535])},id={r.randrange(3)},reason=action)",
                   "sample(probability=65535,collector_set_id=1,obs_domain_id=2,obs_point_id=3)",
                   f"set_queue:{r.randrange(3)}", "pop_queue", f"set_field:{r.randrange(4)}->pkt_mark",
                   # Each switch has hashes of its own, so there is one link to choose from.
                   f"multipath({r.choice(HASHED)},{r.randrange(100)},{r.choice(['modulo_n', 'hash_threshold', 'hrw', 'iter_hash'])},"
                   "1,0,NXM_NX_REG2[0..7])", f"bundle({r.choice(HASHED)},{r.randrange(99)},hrw,ofport,members:{r.randint(1, 4)})",
                   f"bundle(eth_src,0,active_backup,ofport,members:{r.choice(['1,2,3', '3,2', '77,4'])})",
                   "bundle_load(eth_src,0,hrw,ofport,NXM_NX_REG1[0..15],members:4)",
                   f"load:{r.randrange(256):#x}->NXM_OF_ETH_DST[{(b := r.randrange(41))}..{b + 7}]",
                   f"set_field:{r.choice(['01:00:00:00:00:00/01:00:00:00:00:00', '00:00:00:00:00:f3/00:00:00:00:00:ff', '00:54:55:00:00:00/00:ff:ff:00:00:00'])}->eth_{r.choice(['src', 'dst'])}",
                   f"push:OXM_OF_METADATA[0..{(b := r.randrange(32))}],pop:NXM_NX_REG1[0..{b}]", "push:NXM_OF_ETH_SRC[]", "pop:NXM_NX_REG1[]",
                   "push:NXM_OF_IN_PORT[],pop:NXM_NX_REG0[0..15]", f"load:{r.randint(1, 4)}->NXM_OF_IN_PORT[]",
                   "move:NXM_OF_IN_PORT[]->NXM_NX_REG1[0..15]", f"set_field:{r.getrandbits(64):#x}->xreg0", f"set_field:{r.randrange(4)}->xxreg0",
                   "move:NXM_OF_ETH_TYPE[]->NXM_NX_REG2[0..15]", f"output(port={r.randint(1, 4)},max_len={r.choice([30, 64, 200])})"]
        if depth == 0 and self.stateful:
            choices += ["normal"] * 6 + [self.learn(kind)] * 4
        if kind != "mpls":
            choices += ["move:NXM_OF_VLAN_TCI[]->NXM_NX_REG0[0..15]", f"load:{r.choice([0, 5, 0x1005, 0x3007])}->NXM_OF_VLAN_TCI[]",
                        f"push_vlan:{r.choice(['0x8100', '0x8100', '0x88a8'])},set_field:{0x1000 | r.choice(VLANS)}->vlan_vid",
                        "push_vlan:0x8100,set_field:5->vlan_pcp", "push_vlan:0x88a8,pop_vlan", f"mod_vlan_vid:{r.choice(VLANS)},pop_vlan"]
        choices += [f"load:{r.randrange(4)}->NXM_NX_REG{r.randrange(3)}[]", f"set_field:{r.choice(MACS)}->eth_src",
                    f"mod_dl_dst:{r.choice(MACS)}", "move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[]",
                    "move:NXM_NX_REG0[0..15]->NXM_NX_REG1[16..31]", f"output(port={r.randint(1, 4)},max_len={r.choice([30, 40, 60])})",
                    "push:NXM_NX_REG0[],pop:NXM_NX_REG2[]", f"set_field:{r.randrange(4)}->metadata"]
        if table < N_TABLES - 1:
            choices += [f"resubmit(,{r.randint(table + 1, N_TABLES - 1)})"] * 5
        if depth < 2:
            choices.append(f"clone({self.actions(kind, table, depth + 1)})")
        if kind != "mpls":
            choices += [f"mod_vlan_vid:{r.choice(VLANS)}", f"mod_vlan_pcp:{r.randrange(8)}"]
        if kind.endswith("4"):
            choices += [f"mod_nw_src:{r.choice(IPS)}", f"mod_nw_dst:{r.choice(IPS)}", f"mod_nw_ttl:{r.choice([0, 1, 64])}",
                        "move:NXM_OF_IP_SRC[]->NXM_OF_IP_DST[]", "load:0x7->NXM_OF_IP_DST[0..7]"]
        if kind.endswith("6") :
            choices += [f"set_field:{r.choice(IP6S)}->ipv6_src", f"set_field:{r.choice(IP6S)}->ipv6_dst",
                        f"set_field:{r.choice(['0', '7', '0xfffff'])}->ipv6_label"]
        if kind[-1:] in ("4", "6"):
            choices += [f"mod_nw_tos:{r.choice([0, 32, 184])}", "dec_ttl", "dec_ttl", f"mod_nw_ecn:{r.randrange(4)}"]
        if kind[:3] in ("tcp", "udp", "sct"):
            choices += [f"mod_tp_src:{r.choice(PORTS)}", f"mod_tp_dst:{r.choice(PORTS)}"]
        if kind[-1:] == "4":
            choices += [f"set_field:{r.choice(['10.0.0.0/255.0.0.0', '0.0.0.2/0.0.0.255', '0.168.1.0/0.255.255.0'])}->ip_{r.choice(['src', 'dst'])}",
                        f"load:{r.randrange(64)}->NXM_OF_IP_SRC[{(b := r.randrange(26))}..{b + 5}]", "move:NXM_OF_IP_TOS[]->NXM_NX_REG0[0..7]",
                        f"move:NXM_NX_REG0[]->NXM_OF_IP_{r.choice(['SRC', 'DST'])}[]", "move:NXM_OF_IP_PROTO[]->NXM_NX_REG1[8..15]",
                        f"set_field:{r.randrange(64)}->ip_dscp", "push:NXM_OF_IP_SRC[],push:NXM_OF_IP_DST[],pop:NXM_OF_IP_SRC[],pop:NXM_OF_IP_DST[]"]
        if kind[-1:] == "6":
            choices += ["move:NXM_NX_IPV6_SRC[]->NXM_NX_IPV6_DST[]", "move:NXM_NX_IPV6_SRC[0..63]->NXM_NX_XXREG0[64..127]",
                        f"set_field:{r.choice(['fe80::/ffff::', '::2/::ffff', '2001:db8::2/ffff:ffff::ff'])}->ipv6_{r.choice(['src', 'dst'])}",
                        f"set_field:{r.randrange(64)}->ip_dscp", f"set_field:{r.choice([0, 1, 64])}->nw_ttl"]
        if kind[:3] in ("tcp", "udp", "sct"):
            o = {"tcp": "TCP", "udp": "UDP", "sct": "SCTP"}[kind[:3]]
            if o != "SCTP":
                choices += [f"move:NXM_OF_{o}_SRC[]->NXM_OF_{o}_DST[]", f"move:NXM_NX_REG0[0..15]->NXM_OF_{o}_SRC[]",
                            f"load:{r.randrange(256)}->NXM_OF_{o}_DST[{(b := r.randrange(9))}..{b + 7}]"]
            else:
                choices += [f"set_field:{r.randrange(256)}/0xff->sctp_src", "move:OXM_OF_SCTP_SRC[]->OXM_OF_SCTP_DST[]"]
        if kind == "icmp4":
            choices += [f"set_field:{r.choice([0, 3, 8])}->icmp_type", f"set_field:{r.randrange(4)}->icmp_code"]
        if kind == "icmp6":
            choices += [f"set_field:{r.choice([128, 129, 135])}->icmpv6_type"]
        if kind == "nd6":
            choices += [f"set_field:{r.choice(IP6S)}->nd_target"]
        if kind == "arp":
            choices += [f"set_field:{r.choice(IPS)}->arp_{r.choice(['spa', 'tpa'])}", f"set_field:{r.choice(MACS)}->arp_tha",
                        "load:0x7->NXM_OF_ARP_SPA[0..7]", "move:NXM_OF_ARP_OP[]->NXM_NX_REG0[0..15]"]
            choices += ["move:NXM_OF_ARP_SPA[]->NXM_OF_ARP_TPA[]", f"set_field:{r.choice(MACS)}->arp_sha",
                        f"set_field:{r.choice([1, 2])}->arp_op", "move:NXM_OF_ETH_SRC[]->NXM_NX_ARP_THA[]"]
        if kind == "mpls":
            choices += [f"set_mpls_label({r.choice(LABELS)})", f"set_mpls_tc({r.randrange(8)})", "dec_mpls_ttl", "dec_mpls_ttl",
                        f"set_mpls_ttl({r.choice([0, 1, 64])})", f"set_field:{r.choice(LABELS)}->mpls_label", "push_mpls:0x8847",
                        "push_mpls:0x8848", "move:OXM_OF_MPLS_LABEL[]->NXM_NX_REG0[0..19]"]
        return r.choice(choices)

    def learn(self, kind="") -> str:
        r = self.rng
        ip = ["eth_type=0x800,NXM_OF_IP_DST[]=NXM_OF_IP_SRC[]"] * (kind[-1:] == "4")
        return (f"learn(table={r.randint(1, N_TABLES - 1)},priority={r.randrange(1, 25)},"
                + r.choice(["NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[]", "NXM_OF_VLAN_TCI[0..11],NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[]",
                            "NXM_NX_REG0[]", "eth_dst=50:54:00:00:00:01"] + ip)
                + r.choice([",output:NXM_OF_IN_PORT[]", ",load:NXM_OF_IN_PORT[]->NXM_NX_REG0[0..15]", ",load:2->NXM_NX_REG1[],output:NXM_OF_IN_PORT[]"])
                + r.choice(["", "", ",limit=2", ",limit=1,result_dst=NXM_NX_REG2[3]"]) + ")")

    def write_actions(self, kind: str, tagged: bool) -> str:
        """An action set."""
        r = self.rng
        acts = [r.choice(["output:1", "output:2", "output:4", "in_port", "controller", "flood", "output:3"])] * self.maybe(0.8)
        acts += [f"set_field:{r.choice(MACS)}->eth_src"] * self.maybe() + [f"set_field:{r.randrange(4)}->reg0"] * self.maybe(0.1)
        if kind != "mpls":
            acts += ["push_vlan:0x8100"] * self.maybe(0.2) + [f"set_field:{0x1000 | r.choice(VLANS)}->vlan_vid"] * (
                "push_vlan:0x8100" in acts)
            acts += ["pop_vlan"] * (tagged and self.maybe(0.3))
        if kind[-1:] in ("4", "6"):
            acts += ["dec_ttl"] * self.maybe(0.2)
        if kind[-1:] == "4":
            acts += [f"set_field:{r.choice(IPS)}->ip_dst"] * self.maybe(0.2)
        if kind[:3] in ("tcp", "udp"):
            acts += [f"set_field:{r.choice(PORTS)}->{kind[:3]}_dst"] * self.maybe(0.2)
        return f"write_actions({','.join(acts or ['output:2'])})"

    def actions(self, kind: str, table: int, depth=0) -> str:
        return ",".join(self.action(kind, table, depth) for _ in range(self.rng.randint(1, 4)))

    def rule(self, table: int) -> str:
        r = self.rng
        fields, kind = self.match()
        head = [f"table={table}", f"priority={r.randrange(1, 20)}"] + fields
        head += ["send_flow_rem"] * self.maybe(0.3) + ["check_overlap"] * self.maybe(0.04)
        if self.maybe(0.12):
            return ",".join(head + ["actions=drop"])
        tagged = any(f.startswith("dl_vlan=") or f == "vlan_tci=0x1000/0x1000" for f in fields) and kind != "mpls"
        actions = "pop_vlan," * (tagged and self.maybe(0.4)) + self.actions(kind, table)
        tagged &= "pop_vlan" not in actions
        # Header changes that change the kind come last, before an output.
        if self.maybe(0.1):
            tail = {"mpls": f"pop_mpls:{r.choice(['0x0800', '0x8847', '0x86dd'])}"}.get(
                kind, f"push_mpls:0x884{r.choice('778')}" if kind in ("ip4", "ip6", "tcp4", "tcp6") else "push_vlan:0x8100")
            if tail.startswith("push_mpls") and self.maybe(0.5):
                tail += f",set_mpls_label({r.choice(LABELS)}),set_mpls_ttl({r.choice([1, 2, 64])})" + ",dec_mpls_ttl" * self.maybe()
            actions += f",{tail},output:{r.randint(1, 4)}"
        else:
            if self.maybe(0.04):
                actions += ",clear_actions"
            if self.maybe(0.15):
                actions += "," + self.write_actions(kind, tagged)
            if self.maybe(0.1):
                actions += f",write_metadata:{self.masked(r.randrange(4), 64)}"
            if table < N_TABLES - 1 and self.maybe(0.2):
                actions += f",goto_table:{r.randint(table + 1, N_TABLES - 1)}"
        return ",".join(head + ["actions=" + actions])

    def conjunctions(self) -> list[str]:
        """Rules that match one of a set of sources and one of a set of others."""
        r, table = self.rng, self.rng.randrange(N_TABLES)
        n = r.randint(2, 3)
        sets = [[f"ip,nw_src={self.ip()}" for _ in range(3)], [f"ip,nw_dst={self.ip()}" for _ in range(3)],
                [f"tcp,tcp_dst={self.masked(r.choice(PORTS), 16)}" for _ in range(2)] + ["udp"]]
        prio, cid = r.randrange(1, 25), r.randrange(1, 3)
        rules = [f"table={table},priority={prio},{match},actions=conjunction({cid},{k + 1}/{n})"
                 for k in range(n) for match in sets[k]]
        return rules + [f"table={table},priority={prio},conj_id={cid},ip,actions={self.actions('ip4', table)}"]

    def packet_out(self) -> str:
        """The actions of a packet-out."""
        extra = ["table", "resubmit(,0)", "resubmit(2,1)", "output:table,output:2"]
        # See compare.py for why there is no limit.
        actions = re.sub(",limit=[0-9]+", "", self.actions("", 0))
        return f"{actions},{self.rng.choice(extra + ['output:3'])}"

    def port_vlans(self) -> list[list[str]]:
        """How the ports treat VLANs, each port as columns for ovs-vsctl(8)."""
        r = self.rng
        return [r.choice([[], [], [f"tag={r.choice(VLANS)}"], [f"trunks={r.choice(['5', '1,7', '0,4095'])}"],
                          [f"tag={r.choice(VLANS)}", f"vlan_mode={r.choice(['native-tagged', 'native-untagged'])}"],
                          [f"tag={r.choice(VLANS)}", "vlan_mode=native-untagged", "trunks=5,7"],
                          [f"tag={r.choice(VLANS)}", "vlan_mode=dot1q-tunnel"],
                          ["other_config:priority-tags=if-nonzero"] + [f"tag={r.choice(VLANS)}"] * self.maybe(0.6)])
                for _ in range(4)]

    def table(self) -> list[str]:
        n = self.rng.choice([3, 10, 30, 60])
        rules = [self.rule(self.rng.choice([0, 0, 1, 2, 3])) for _ in range(n)]
        if self.maybe(0.2):
            rules += self.conjunctions()
        if self.maybe(0.7):
            rules.append(f"table=0,priority=0,actions=resubmit(,1),resubmit(,2),output:{self.rng.randint(1, 4)}")
        if self.stateful and self.maybe(0.7):
            rules.append("table=0,priority=0,actions=" + self.rng.choice(["normal", "resubmit(,1),normal", f"{self.learn()},resubmit(,1),flood"]))
        return rules
