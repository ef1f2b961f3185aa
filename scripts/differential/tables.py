"""Random OpenFlow tables, in the text of ovs-ofctl(8).

Values come from small pools that packets.py shares, so that packets hit rules.
"""

import random

MACS = ["50:54:00:00:00:01", "50:54:00:00:00:02", "50:54:00:00:00:f3", "01:00:5e:00:00:01"]
IPS = ["10.0.0.1", "10.0.0.2", "10.0.1.1", "192.168.255.254"]
IP6S = ["fe80::1", "fe80::2", "2001:db8::1:2", "ff02::1"]
PORTS = [1, 53, 80, 81, 1024, 65535]
VLANS = [1, 5, 7, 4095]
LABELS = [0, 16, 1000, 1048575]
N_TABLES = 4


class Rules:
    """Makes rules from a random generator."""

    def __init__(self, rng: random.Random):
        self.rng = rng

    def maybe(self, chance=0.3):
        return self.rng.random() < chance

    def masked(self, value: int, bits: int) -> str:
        """A number, sometimes under a mask."""
        if self.maybe(0.5):
            return str(value)
        mask = self.rng.choice([(1 << bits) - 1 << self.rng.randrange(bits) & (1 << bits) - 1,
                                self.rng.getrandbits(bits)])
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
            m.append(r.choice([f"dl_vlan={r.choice(VLANS)}", "vlan_tci=0x1000/0x1000", "vlan_tci=0",
                               f"dl_vlan_pcp={r.randrange(8)}", f"dl_vlan={r.choice(VLANS)},dl_vlan_pcp=3"]))
        if self.maybe(0.2):
            m.append(f"reg{r.randrange(3)}={self.masked(r.randrange(4), 32)}")
        if self.maybe(0.1):
            m.append(f"metadata={self.masked(r.randrange(4), 64)}")
        if self.maybe(0.25):
            return m, ""
        kind = r.choice(["ip4", "tcp4", "tcp4", "udp4", "icmp4", "sctp4", "ip6", "tcp6", "udp6", "icmp6",
                         "nd6", "arp", "mpls", "other"])
        protos = {"tcp4": "tcp", "udp4": "udp", "icmp4": "icmp", "sctp4": "sctp", "tcp6": "tcp6",
                  "udp6": "udp6", "icmp6": "icmp6", "nd6": "icmp6", "ip4": "ip", "ip6": "ipv6", "arp": "arp",
                  "mpls": "mpls", "other": f"dl_type={r.choice(['0x88cc', '0x1234', '0x05ff', '0x8035'])}"}
        m.append(protos[kind])
        if kind.endswith("4"):
            m += [f"nw_src={self.ip()}"] * self.maybe() + [f"nw_dst={self.ip()}"] * self.maybe()
        if kind.endswith("6"):
            m += [f"ipv6_src={self.ip6()}"] * self.maybe() + [f"ipv6_dst={self.ip6()}"] * self.maybe()
            m += [f"ipv6_label={self.masked(r.choice([0, 5, 0xfffff]), 20)}"] * self.maybe(0.1)
        if kind[-1] in "46":
            m += [f"nw_tos={r.choice([0, 32, 184])}"] * self.maybe(0.1)
            m += [f"nw_ecn={r.randrange(4)}"] * self.maybe(0.1)
            m += [f"nw_ttl={r.choice([0, 1, 2, 64])}"] * self.maybe(0.1)
            m += [f"ip_frag={r.choice(['no', 'yes', 'first', 'later', 'not_later'])}"] * self.maybe(0.15)
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
        if kind == "mpls":
            m += [f"mpls_label={r.choice(LABELS)}"] * self.maybe() + [f"mpls_bos={r.randrange(2)}"] * self.maybe()
            m += [f"mpls_tc={r.randrange(8)}"] * self.maybe(0.1) + [f"mpls_ttl={r.choice([0, 1, 64])}"] * self.maybe(0.1)
        return m, kind

    def action(self, kind: str, table: int, depth=0) -> str:
        """One action that a packet of this kind allows."""
        r = self.rng
        choices = [f"output:{r.randint(1, 4)}"] * 6 + ["in_port"]
        choices += [f"load:{r.randrange(4)}->NXM_NX_REG{r.randrange(3)}[]", f"set_field:{r.choice(MACS)}->eth_src",
                    f"mod_dl_dst:{r.choice(MACS)}", "move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[]",
                    "move:NXM_NX_REG0[0..15]->NXM_NX_REG1[16..31]", f"output(port={r.randint(1, 4)},max_len={r.choice([14, 40, 60])})",
                    "push:NXM_NX_REG0[],pop:NXM_NX_REG2[]", f"set_field:{r.randrange(4)}->metadata"]
        if table < N_TABLES - 1:
            choices += [f"resubmit(,{r.randint(table + 1, N_TABLES - 1)})"] * 5
        if depth < 2:
            choices.append(f"clone({self.actions(kind, table, depth + 1)})")
        if kind != "mpls":
            choices += [f"mod_vlan_vid:{r.choice(VLANS)}", f"mod_vlan_pcp:{r.randrange(8)}", "strip_vlan"]
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
        if kind == "nd6":
            choices += [f"set_field:{r.choice(IP6S)}->nd_target"]
        if kind == "arp":
            choices += ["move:NXM_OF_ARP_SPA[]->NXM_OF_ARP_TPA[]", f"set_field:{r.choice(MACS)}->arp_sha",
                        f"set_field:{r.choice([1, 2])}->arp_op", "move:NXM_OF_ETH_SRC[]->NXM_NX_ARP_THA[]"]
        if kind == "mpls":
            choices += [f"set_mpls_label({r.choice(LABELS)})", f"set_mpls_tc({r.randrange(8)})", "dec_mpls_ttl"]
        return r.choice(choices)

    def actions(self, kind: str, table: int, depth=0) -> str:
        return ",".join(self.action(kind, table, depth) for _ in range(self.rng.randint(1, 4)))

    def rule(self, table: int) -> str:
        r = self.rng
        fields, kind = self.match()
        head = [f"table={table}", f"priority={r.randrange(1, 20)}"] + fields
        if self.maybe(0.12):
            return ",".join(head + ["actions=drop"])
        actions = self.actions(kind, table)
        # Header changes that change the kind come last, before an output.
        if self.maybe(0.06):
            tail = {"mpls": f"pop_mpls:{r.choice(['0x0800', '0x8847', '0x86dd'])}"}.get(
                kind, "push_mpls:0x8847" if kind in ("ip4", "ip6", "tcp4", "tcp6") else "push_vlan:0x8100")
            actions += f",{tail},output:{r.randint(1, 4)}"
        elif table < N_TABLES - 1 and self.maybe(0.1):
            actions += f",goto_table:{r.randint(table + 1, N_TABLES - 1)}"
        elif self.maybe(0.1):
            actions += f",write_actions({self.rng.choice(['output:1', 'output:2', 'output:4'])})"
        return ",".join(head + ["actions=" + actions])

    def table(self) -> list[str]:
        n = self.rng.choice([3, 10, 30, 60])
        rules = [self.rule(self.rng.choice([0, 0, 1, 2, 3])) for _ in range(n)]
        if self.maybe(0.7):
            rules.append(f"table=0,priority=0,actions=resubmit(,1),resubmit(,2),output:{self.rng.randint(1, 4)}")
        return rules
