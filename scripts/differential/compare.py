"""Sends the same random packets through the same random tables of two switches, and compares."""

import argparse
import json
import random
import socket
import struct
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from packets import Packets
from tables import Rules

PORTS = (1, 2, 3, 4)
# A packet of this type goes to every port, behind all others that came in by its port.
MARK = 0x88b5
MARK_RULES = ["table=0,priority=65535,dl_type=0x88b5,actions=1,2,3,4,in_port"]
PCAP_HEADER = 24


class Switch:
    """A running switch with the ports p1 to p4, whose files are in one directory."""

    def __init__(self, directory: str):
        self.dir = Path(directory)
        self.name = self.dir.name
        self.control = socket.socket(socket.AF_UNIX)
        self.control.connect(str(self.dir / "switch.ctl"))
        self.read_to = dict.fromkeys(PORTS, PCAP_HEADER)
        self.marks = 0

    def call(self, method: str, *params: str) -> str:
        self.control.sendall(json.dumps({"id": 0, "method": method, "params": params}).encode())
        reply, decoder = "", json.JSONDecoder()
        while True:
            data = self.control.recv(65536)
            if not data:
                sys.exit(f"{self.name}: the switch is gone")
            reply += data.decode()
            try:
                answer, _ = decoder.raw_decode(reply)
            except ValueError:
                continue
            if answer.get("error"):
                return "error: " + str(answer["error"]).strip()
            return answer["result"]

    def ofctl(self, command: str, *args: str, text: str = "") -> tuple[int, str]:
        run = subprocess.run(["ovs-ofctl", "-O", "OpenFlow15", command, f"unix:{self.dir}/br0.mgmt", *args],
                             input=text, capture_output=True, text=True, timeout=60)
        return run.returncode, run.stderr.strip()

    def new_packets(self, port: int) -> list[bytes]:
        """What left by a port since the last call."""
        with open(self.dir / f"p{port}.pcap", "rb") as file:
            file.seek(self.read_to[port])
            data = file.read()
        packets = []
        while len(data) >= 16:
            (n,) = struct.unpack_from("<I", data, 8)
            if len(data) < 16 + n:
                break
            packets.append(data[16:16 + n])
            data = data[16 + n:]
            self.read_to[port] += 16 + n
        return packets

    def exchange(self, packets: list[tuple[int, bytes]]) -> dict[int, Counter]:
        """Sends packets (port, bytes), and gives what left by each port."""
        for port, packet in packets:
            error = self.call("netdev-dummy/receive", f"p{port}", packet.hex())
            if error:
                sys.exit(f"{self.name}: netdev-dummy/receive: {error}")
        self.marks += 1
        mark = bytes(12) + struct.pack("!HI", MARK, self.marks) + bytes(42)
        for port in PORTS:
            self.call("netdev-dummy/receive", f"p{port}", mark.hex())
        out, seen, deadline = {port: Counter() for port in PORTS}, dict.fromkeys(PORTS, 0), time.time() + 20
        while any(n < len(PORTS) for n in seen.values()):
            for port in PORTS:
                for packet in self.new_packets(port):
                    if packet == mark:
                        seen[port] += 1
                    else:
                        out[port][packet] += 1
            if time.time() > deadline:
                sys.exit(f"{self.name}: packets do not come out: {seen}")
            time.sleep(0.002)
        return out


def install(weir: Switch, peer: Switch, rules: list[str], flush: bool) -> list[str]:
    """Gives both switches the rules that the peer accepts. Tells what the other says of them."""
    for switch in (weir, peer):
        switch.ofctl("del-flows")
        status, error = switch.ofctl("add-flows", "-", text="\n".join(MARK_RULES))
        if status:
            sys.exit(f"{switch.name}: {error}")
    if peer.ofctl("add-flows", "-", text="\n".join(rules))[0]:
        peer.ofctl("del-flows")
        peer.ofctl("add-flows", "-", text="\n".join(MARK_RULES))
        rules = [rule for rule in rules if peer.ofctl("add-flow", rule)[0] == 0]
    status, error = weir.ofctl("add-flows", "-", text="\n".join(rules))
    if status:
        refused = [(rule, weir.ofctl("add-flow", rule)) for rule in rules]
        for rule, (status, error) in refused:
            if status:
                print(f"refused by {weir.name} only: {rule}\n  {error}")
        sys.exit(1)
    # The peer forwards by old rules until its revalidator has come around; Weir must not.
    peer.call("revalidator/purge")
    if flush:
        weir.call("dpctl/del-flows")
    return rules


def difference(a: dict[int, Counter], b: dict[int, Counter]) -> list[str]:
    lines = []
    for port in PORTS:
        for name, more in (("weir", a[port] - b[port]), ("peer", b[port] - a[port])):
            lines += [f"  only {name}, port {port}, {n} times: {packet.hex()}" for packet, n in more.items()]
    return lines


def explain(weir: Switch, peer: Switch, rules: list[str], packets: list[tuple[int, bytes]], lines: list[str]):
    """Tells a difference; looks for the packet by sending each alone."""
    print("\n".join(["rules:"] + ["  " + rule for rule in rules] + lines[:20]))
    for port, packet in packets:
        again = difference(weir.exchange([(port, packet)]), peer.exchange([(port, packet)]))
        if again:
            print(f"packet in by port {port}: {packet.hex()}\n" + "\n".join(again))
            for switch in (weir, peer):
                print(f"{switch.name}:\n{switch.call('ofproto/trace', 'br0', f'in_port={port}', packet.hex())}")
            return
    print("each packet alone comes out the same: the difference is in the caches")
    for switch in (weir, peer):
        print(f"{switch.name}:\n{switch.call('dpctl/dump-flows')}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weir")
    parser.add_argument("peer")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--packets", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--keep-going", action="store_true", help="count the rounds that differ")
    parser.add_argument("--flush", action="store_true", help="do not depend on Weir's revalidation")
    args = parser.parse_args()
    weir, peer = Switch(args.weir), Switch(args.peer)
    start, came_out, different = time.time(), 0, 0
    for n in range(args.rounds):
        rng = random.Random(args.seed + n)
        rules = install(weir, peer, Rules(rng).table(), args.flush)
        maker = Packets(rng)
        distinct = [(rng.choice(PORTS), maker.packet()) for _ in range(max(1, args.packets // 2))]
        packets = [rng.choice(distinct) for _ in range(args.packets)]
        ours, theirs = weir.exchange(packets), peer.exchange(packets)
        lines = difference(ours, theirs)
        came_out += sum(c.total() for c in theirs.values())
        if lines:
            different += 1
            print(f"round {n} differs; repeat with --rounds 1 --packets {args.packets} --seed {args.seed + n}")
            explain(weir, peer, rules, packets, lines)
            if not args.keep_going:
                sys.exit(1)
    total = args.rounds * args.packets
    print(f"{total} packets through {args.rounds} tables in {time.time() - start:.0f} s (seed {args.seed}): "
          f"{came_out} came out, {different} rounds differ")
    sys.exit(1 if different else 0)


main()
