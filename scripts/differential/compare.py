"""Sends the same random packets through the same random tables of two switches, and compares."""

import argparse
import json
import random
import re
import socket
import struct
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from controller import Controller
from packets import Packets
from reasons import counted, without_known_differences
from tables import Rules

# Devices by OpenFlow port.
PORTS = {1: "p1", 2: "p2", 3: "p3", 4: "p4", 65534: "br0"}
INPUTS = (1, 2, 3, 4)
# A packet of this type goes to every port, behind all others that came in by its port.
MARK = 0x88b5
MARK_RULES = ["cookie=0xffff,table=0,priority=65535,dl_type=0x88b5,actions=1,2,3,4,local,in_port"]
PCAP_HEADER = 24


class Switch:
    """A running switch with the ports p1 to p4, whose files are in one directory."""

    def __init__(self, directory: str):
        self.dir = Path(directory)
        self.name = self.dir.name
        self.control = socket.socket(socket.AF_UNIX)
        self.control.settimeout(60)
        self.control.connect(str(self.dir / "switch.ctl"))
        self.read_to = dict.fromkeys(PORTS, PCAP_HEADER)
        self.marks = 0
        self.controllers = [Controller(str(self.dir / "br0.mgmt"), version, n) for n, version in enumerate((1, 4, 6))]

    def heard(self) -> list[Counter]:
        """What each controller was told since the last call."""
        return [Counter(c.heard()) for c in self.controllers]

    def call(self, method: str, *params: str) -> str:
        return self.calls([(method, *params)])[0]

    def calls(self, requests: list[tuple[str, ...]]) -> list[str]:
        """Sends all requests, then reads all answers."""
        self.control.sendall(b"".join(json.dumps({"id": n, "method": r[0], "params": r[1:]}).encode()
                                      for n, r in enumerate(requests)))
        reply, decoder, answers = "", json.JSONDecoder(), []
        while len(answers) < len(requests):
            data = self.control.recv(1 << 20)
            if not data:
                sys.exit(f"{self.name}: the switch is gone")
            reply += data.decode()
            try:
                while reply:
                    answer, end = decoder.raw_decode(reply)
                    reply = reply[end:].lstrip()
                    error = answer.get("error")
                    answers.append(f"error: {error}".strip() if error else answer["result"])
            except ValueError:
                continue
        return answers

    def ofctl(self, command: str, *args: str, text: str = "") -> subprocess.CompletedProcess:
        return subprocess.run(["ovs-ofctl", "-O", "OpenFlow15", command] + [f"unix:{self.dir}/br0.mgmt"] * (command != "parse-flow") + [*args],
                              input=text, capture_output=True, text=True, timeout=60)

    def configure(self, ports: list[list[str]]):
        """Sets how the ports p1 and so on treat VLANs."""
        args = ["ovs-vsctl", f"--db=unix:{self.dir}/db.sock", "--timeout=20"]
        for n, columns in enumerate(ports, 1):
            args += ["--", "clear", "port", f"p{n}", "tag", "trunks", "vlan_mode", "other_config"]
            args += ["--", "set", "port", f"p{n}", *columns] * bool(columns)
        subprocess.run(args, check=True, timeout=60)

    def flows(self) -> dict[int, str]:
        """What the tables hold, without what differs by time, by cookie; what was learned is under 0."""
        flows, learned = {}, []
        for line in self.ofctl("dump-flows", "--no-names").stdout.splitlines():
            if found := re.match(r" cookie=(0x[0-9a-f]+), duration=[0-9.]+s, (.*)", line):
                if cookie := int(found[1], 0):
                    flows[cookie] = re.sub("idle_age=[0-9]+, ", "", found[2])
                else:
                    learned.append(re.sub("idle_age=[0-9]+, ", "", found[2]))
        flows[0] = "\n".join(sorted(learned))
        flows.pop(0xffff, None)
        return flows

    def new_packets(self, port: int) -> list[bytes]:
        """What left by a port since the last call."""
        with open(self.dir / f"{PORTS[port]}.pcap", "rb") as file:
            file.seek(self.read_to[port])
            data = file.read()
        packets, at = [], 0
        while len(data) >= at + 16:
            (n,) = struct.unpack_from("<I", data, at + 8)
            if len(data) < at + 16 + n:
                break
            packets.append(data[at + 16:at + 16 + n])
            at += 16 + n
        self.read_to[port] += at
        return packets

    def exchange(self, packets: list[tuple[int, bytes]]) -> dict[int, list[bytes]]:
        """Sends packets (port, bytes), and gives what left by each port. The order is that of the
        packets that came in by one port."""
        self.marks += 1
        mark = bytes(12) + struct.pack("!HI", MARK, self.marks) + bytes(42)
        requests = [("netdev-dummy/receive", f"p{port}", packet.hex()) for port, packet in packets]
        requests += [("netdev-dummy/receive", f"p{port}", mark.hex()) for port in INPUTS]
        # A device keeps no more than 100 packets that wait.
        for at in range(0, len(requests), 40):
            for error in filter(None, self.calls(requests[at:at + 40])):
                sys.exit(f"{self.name}: netdev-dummy/receive: {error}")
        out, seen, start, again = {port: [] for port in PORTS}, dict.fromkeys(PORTS, 0), time.time(), 2
        while any(n < len(INPUTS) for n in seen.values()):
            for port in PORTS:
                for packet in self.new_packets(port):
                    if packet == mark:
                        seen[port] += 1
                    else:
                        out[port].append(packet)
            if time.time() > start + again:
                print(f"{self.name}: packets do not come out: {seen}")
                if again > 10:
                    sys.exit(1)
                again += 2
                self.calls(requests[-len(INPUTS):])
            time.sleep(0.001)
        return out


class Pair:
    """Weir and its peer, with the same tables."""

    def __init__(self, weir: Switch, peer: Switch, flush: bool):
        self.weir, self.peer, self.flush = weir, peer, flush
        self.rules: list[str] = []
        self.told = 0
        # Ports and fragments as they are set now.
        self.ports: list[list[str]] = [[]] * 4
        self.fragments = "normal"

    def configure(self, ports: list[list[str]], fragments: str):
        """Sets how ports treat VLANs, and how the bridge treats fragments."""
        for switch in (self.weir, self.peer):
            if ports != self.ports:
                switch.configure(ports)
            if fragments != self.fragments:
                switch.ofctl("set-frags", fragments)
        self.ports, self.fragments = ports, fragments

    def packet_out(self, port: int, packet: bytes, actions: str) -> list[str]:
        """Lets both switches send a packet as a controller would; tells how what comes out differs."""
        text = f"in_port={port},packet={packet.hex()},actions={actions}"
        ours, theirs = (re.sub(r"unix:\S+|xid=\w+", "", s.ofctl("packet-out", text).stderr) for s in (self.weir, self.peer))
        lines = [] if ours == theirs else [f"packet-out {text}\n  weir: {ours}\n  peer: {theirs}"]
        return lines + [f"packet-out {text}\n{line}" for line in self.exchange([], False)]

    def heard(self) -> list[str]:
        """Tells how what the controllers were told since the last call differs."""
        lines, deadline = [], time.time() + 2
        ours, theirs = self.weir.heard(), self.peer.heard()
        # The peer tells of removed flows when all its threads have let go of them.
        while ours != theirs and time.time() < deadline:
            time.sleep(0.01)
            for switch, told in ((self.weir, ours), (self.peer, theirs)):
                for counter, more in zip(told, switch.heard()):
                    counter.update(more)
        for n, (a, b) in enumerate(zip(ours, theirs)):
            self.told += b.total()
            for name, more in (("weir", a - b), ("peer", b - a)):
                lines += [f"  only {name} told controller {n}, {times} times: {message.hex()}" for message, times in more.items()]
        return lines

    def install(self, rules: list[str]) -> list[str]:
        """Gives both switches the rules that the peer accepts, in place of those before. Tells what Weir
        says otherwise."""
        numbered = [f"cookie={n},{rule}" for n, rule in enumerate(rules, 1)]
        # What packets of the table before are not counted yet is not the new table's.
        self.purge()
        for switch in (self.weir, self.peer):
            switch.ofctl("del-flows")
            run = switch.ofctl("add-flows", "-", text="\n".join(MARK_RULES + numbered))
            if run.stderr.startswith("ovs-ofctl:"):
                # One that ovs-ofctl refuses makes it refuse them all.
                fine = [rule for rule in rules if switch.ofctl("parse-flow", rule).returncode == 0]
                if len(fine) == len(rules):
                    sys.exit(f"{switch.name}: {run.stderr}")
                return self.install(fine)
            # The peer forwards by old rules until its revalidator has come around; Weir must not.
            if switch is self.peer or self.flush:
                switch.call("revalidator/purge")
            switch.call("fdb/flush")
        ours, theirs = self.weir.flows(), self.peer.flows()
        self.rules = [rule for n, rule in enumerate(rules, 1) if n in theirs]
        return [f"only {name} took the rule: {rules[n - 1]}" for name, n in
                [("weir", n) for n in ours.keys() - theirs.keys()] + [("peer", n) for n in theirs.keys() - ours.keys()]
                ] + [f"the rule {rules[n - 1]}\n  weir: {ours[n]}\n  peer: {theirs[n]}" for n in sorted(ours.keys() & theirs.keys())
                     if n and ours[n] != theirs[n]]

    def exchange(self, packets: list[tuple[int, bytes]], ordered: bool) -> list[str]:
        """Sends packets through both; tells how what comes out differs."""
        ours, theirs = self.weir.exchange(packets), self.peer.exchange(packets)
        self.came_out = sum(map(len, theirs.values()))
        lines, self.last = [], {"weir": [], "peer": []}
        for port in PORTS:
            ours[port], theirs[port] = ([without_known_differences(p) for p in out[port]] for out in (ours, theirs))
            a, b = Counter(ours[port]), Counter(theirs[port])
            self.last["weir"].append(a)
            self.last["peer"].append(b)
            for name, more in (("weir", a - b), ("peer", b - a)):
                lines += [f"  only {name}, port {port}, {n} times: {packet.hex()}" for packet, n in more.items()]
            if a == b and ordered and ours[port] != theirs[port]:
                lines.append(f"  port {port}: the order differs")
        return lines

    def purge(self):
        for switch in (self.weir, self.peer):
            switch.call("revalidator/purge")

    def counts(self) -> list[str]:
        """Compares the counters of the rules, and what was learned."""
        self.purge()
        ours, theirs = self.weir.flows(), self.peer.flows()
        return [f"counts of rule {n}:\n  weir: {ours.get(n)}\n  peer: {theirs.get(n)}"
                for n in sorted(ours.keys() | theirs.keys()) if ours.get(n) != theirs.get(n)]

    def trace(self, port: int, packet: bytes) -> tuple[str, str]:
        """What each switch says of a packet."""
        ours, theirs = (s.call("ofproto/trace", "br0", f"in_port={port}", packet.hex()) for s in (self.weir, self.peer))
        return ours, theirs


def comparable(trace: str) -> str:
    """A trace without the numbers that differ and without its megaflow: a narrower one is right too."""
    trace = re.sub(r"recirc\(0x[0-9a-f]+\)|recirc_id\(0x[0-9a-f]+\)|recirc_id=\w+", "recirc", trace)
    trace = re.sub(r", cookie 0x[0-9a-f]+|rule_cookie=0x[0-9a-f]+|controller_id=\d+", "", trace)
    # A flood has no order.
    trace = re.sub(r"\b\d+(,\d+)+\b", lambda ports: ",".join(sorted(ports[0].split(","))), trace)
    return "\n".join(line for line in trace.splitlines() if not line.startswith("Megaflow:"))


def explain(pair: Pair, packets: list[tuple[int, bytes]], lines: list[str]):
    """Tells a difference; looks for the packet by sending each alone, and for the rules it needs."""
    print(f"in {len(pair.rules)} rules and {len(packets)} packets:")
    print("\n".join(lines[:20]))
    for port, packet in packets:
        pair.purge()
        if again := pair.exchange([(port, packet)], False):
            rules = list(pair.rules)
            for rule in list(rules):
                fewer = [r for r in rules if r != rule]
                pair.install(fewer)
                if different := pair.exchange([(port, packet)], False):
                    rules, again = fewer, different
            pair.install(rules)
            ours, theirs = pair.trace(port, packet)
            print("rules:\n  " + "\n  ".join(rules) + f"\npacket in by port {port}: {packet.hex()}\n" + "\n".join(again)
                  + f"\nweir:\n{ours}\npeer:\n{theirs}")
            return
    print("each packet alone comes out the same: the difference is in the caches")
    print("rules:\n  " + "\n  ".join(pair.rules))


def peer_forwards_by_wrong_megaflows(pair: Pair, packets: list[tuple[int, bytes]], together: dict[str, list[Counter]]) -> bool:
    """Is it proved that a difference is the peer's, whose megaflows took packets they were not made
    for? Each packet alone comes out of both switches the same, all together come out of Weir as they
    do alone, and out of the peer they do not."""
    alone = {"weir": [Counter() for _ in PORTS], "peer": [Counter() for _ in PORTS]}
    once = {}
    for port, packet in packets:
        if (port, packet) not in once:
            pair.purge()
            if pair.exchange([(port, packet)], False):
                return False
            once[port, packet] = pair.last
        for name, out in once[port, packet].items():
            for total, counter in zip(alone[name], out):
                total.update(counter)
    return alone["weir"] == together["weir"] and alone["peer"] != together["peer"]


class Round:
    """One table and its packets, from one seed."""

    def __init__(self, seed: int, packets: int, stateful: bool):
        rng = random.Random(seed)
        maker = Rules(rng, stateful)
        self.rules = maker.table()
        self.ports = maker.port_vlans() if stateful and rng.random() < 0.8 else [[]] * 4
        self.fragments = rng.choice(["normal"] * 8 + ["nx-match", "nx-match", "drop"])
        self.packet_outs = [(rng.choice(INPUTS), maker.packet_out()) for _ in range(rng.choice([0, 0, 0, 2]))]
        # Open vSwitch 3.1 does not mind a learn action's limit when a controller sent the packet.
        if any("limit=" in rule for rule in self.rules):
            self.packet_outs = []
        self.stateful, self.peers_fault = stateful, False
        maker = Packets(rng)
        distinct = [(rng.choice(INPUTS), maker.packet()) for _ in range(max(1, packets // 2))]
        self.packets = [rng.choice(distinct) for _ in range(packets)]

    def run(self, pair: Pair, traces: int) -> list[str]:
        """Gives what differs; tells it, too."""
        pair.configure(self.ports, self.fragments)
        lines = pair.install(self.rules)
        pair.heard()
        self.came_out = 0
        if self.stateful:
            # What one packet teaches is there for the next one.
            for port, packet in self.packets:
                found = pair.exchange([(port, packet)], True)
                self.came_out += pair.came_out
                pair.purge()
                if found:
                    ours, theirs = pair.trace(port, packet)
                    print("rules:\n  " + "\n  ".join(pair.rules) + f"\npacket in by port {port}: {packet.hex()}\n"
                          + "\n".join(found) + f"\nweir, now:\n{ours}\npeer, now:\n{theirs}")
                    return lines + found
        else:
            found = pair.exchange(self.packets, False)
            self.came_out = pair.came_out
            if found and peer_forwards_by_wrong_megaflows(pair, self.packets, pair.last):
                print(f"the peer forwards by megaflows that are too wide: {len(found)} lines\n" + "\n".join(found[:4]))
                self.peers_fault = True
                return lines
            if found:
                explain(pair, self.packets, lines + found)
                return lines + found
        for port, actions in self.packet_outs:
            lines += pair.packet_out(port, self.packets[0][1], actions)
            self.came_out += pair.came_out
        for port, packet in self.packets[:traces]:
            ours, theirs = pair.trace(port, packet)
            if comparable(ours) != comparable(theirs):
                lines.append(f"trace of {packet.hex()} from port {port}\nweir:\n{ours}\npeer:\n{theirs}")
        lines += pair.heard()
        if all(counted(packet) for _, packet in self.packets):
            lines += pair.counts()
            # What the switches tell of flows that go has the same counts.
            for switch in (pair.weir, pair.peer):
                switch.ofctl("del-flows")
            lines += pair.heard()
        if lines:
            print("\n".join(lines[:6] + [f"... {len(lines)} differences\nrules:"] + ["  " + r for r in pair.rules]
                            + [f"ports: {self.ports}, fragments: {self.fragments}"]))
        return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weir")
    parser.add_argument("peer")
    parser.add_argument("--rounds", type=int, default=100, help="tables")
    parser.add_argument("--packets", type=int, default=110, help="packets for one table")
    parser.add_argument("--traces", type=int, default=4, help="packets of one table that are traced")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--keep-going", action="store_true", help="count the rounds that differ")
    parser.add_argument("--flush", action="store_true", help="do not depend on Weir's revalidation")
    args = parser.parse_args()
    sys.stdout.reconfigure(line_buffering=True)
    pair = Pair(Switch(args.weir), Switch(args.peer), args.flush)
    start, sent, came_out, different, peers = time.time(), 0, 0, 0, 0
    for n in range(args.rounds):
        seed = args.seed + n
        # Every eighth table learns from packets, so they are sent one by one.
        stateful = seed % 8 == 7
        if n % 20 == 19:
            print(f"{n} tables, {sent} packets, {time.time() - start:.0f} s: {different} tables differ")
        one = Round(seed, args.packets // 4 if stateful else args.packets, stateful)
        if one.run(pair, args.traces):
            different += 1
            print(f"round {n} differs; repeat with --rounds 1 --packets {args.packets} --seed {seed}\n", flush=True)
            if not args.keep_going:
                sys.exit(1)
        sent += len(one.packets)
        came_out += one.came_out
        peers += one.peers_fault
    print(f"compared: {sent} packets through {args.rounds} tables in {time.time() - start:.0f} s (seed {args.seed}): "
          f"{came_out} came out, {pair.told} were told to controllers, {different} tables differ; "
          f"in {peers} more the peer's own megaflows are proved too wide")
    sys.exit(1 if different else 0)


main()
