"""Random packets, most of them sound, with the values of tables.py."""

import ipaddress
import random
import struct

from tables import IP6S, IPS, LABELS, MACS, PORTS, VLANS


def mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def checksum(data: bytes) -> int:
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


class Packets:
    """Makes packets from a random generator."""

    def __init__(self, rng: random.Random):
        self.rng = rng
        # What is left of a packet that is cut short, at least.
        self.shortest = rng.choice([14, 26, 26, 26])

    def transport(self, proto: int, pseudo: bytes) -> bytes:
        r = self.rng
        data = bytes(r.getrandbits(8) for _ in range(r.choice([0, 0, 1, 6, 20, 100])))
        ports = struct.pack("!HH", r.choice(PORTS), r.choice(PORTS))
        if proto == 6:
            flags = r.choice([0x02, 0x12, 0x10, 0x18, 0x11, 0x04, 0x1ff])
            options = bytes([1] * r.choice([0, 0, 0, 4, 12]))
            offset = 5 + len(options) // 4 if r.random() < 0.97 else r.randrange(16)
            t = ports + struct.pack("!IIHHHH", r.getrandbits(32), r.getrandbits(32), offset << 12 | flags, 8192, 0, 0)
            t, at = t + options, 16
        elif proto == 17:
            lie = r.choice([-8, -1, 1, 9]) if r.random() < 0.05 else 0
            t, at = ports + struct.pack("!HH", max(0, 8 + len(data) + lie), 0), 6
        elif proto == 132:
            return ports + bytes(r.getrandbits(8) for _ in range(8)) + data
        elif proto == 1:
            t, at = bytes([r.choice([0, 3, 8]), r.choice([0, 1]), 0, 0, 0, 1, 0, 2]), 2
        elif proto == 58:
            kind = r.choice([128, 129, 135, 136, 136])
            t, at = bytes([kind, r.choice([0, 0, 0, 1]), 0, 0]) + r.choice([b"\0" * 4, b"\xa0\0\0\0"]), 2
            if kind >= 135:
                t += ipaddress.ip_address(r.choice(IP6S)).packed
                for _ in range(r.choice([0, 1, 1, 2])):
                    units = 1 if r.random() < 0.9 else r.choice([0, 2, 255])
                    t += bytes([r.choice([1, 2, 2, 14]), units]) + mac(r.choice(MACS)) + b"\0" * 8 * (units == 2)
                data = b""
        else:
            return data
        if proto == 17 and r.random() < 0.1:
            return t + data
        covered = t + data
        if proto != 1:
            covered = pseudo + struct.pack("!II", len(covered), proto) + covered
        right = checksum(covered) or (0xffff if proto == 17 else 0)
        wrong = r.choice([0, 0xffff, right ^ 1]) if r.random() < 0.08 else right
        return t[:at] + struct.pack("!H", wrong) + t[at + 2:] + data

    def ip4(self) -> bytes:
        r = self.rng
        proto = r.choice([6, 6, 6, 17, 17, 1, 132, 2, 47])
        src, dst = (ipaddress.ip_address(r.choice(IPS)).packed for _ in range(2))
        frag = r.choice([0] * 8 + [0x4000, 0x4000, 0x2000, 0x2010, 0x0010])
        options = b"\x94\x04\0\0" * r.choice([1, 1, 2, 10]) if r.random() < 0.1 else b""
        lie = r.choice([-21, -1, 1, 40]) if r.random() < 0.05 else 0
        ihl = 5 + len(options) // 4 if r.random() < 0.97 else r.randrange(16)
        t = self.transport(proto, src + dst)
        head = struct.pack("!BBHHHBBH", 0x40 | ihl, r.choice([0, 32, 184, 3, 33]),
                           max(0, 20 + len(options) + len(t) + lie),
                           r.getrandbits(16), frag, r.choice([0, 1, 2, 64, 255]), proto, 0) + src + dst + options
        right = checksum(head) if r.random() < 0.95 else r.getrandbits(16)
        return head[:10] + struct.pack("!H", right) + head[12:] + t

    def ip6(self) -> bytes:
        r = self.rng
        proto = r.choice([6, 6, 17, 58, 58, 132, 59, 50])
        src, dst = (ipaddress.ip_address(r.choice(IP6S)).packed for _ in range(2))
        t, first = self.transport(proto, src + dst), proto
        for _ in range(r.choice([0, 0, 0, 0, 0, 0, 1, 1, 2, 3])):
            kind = r.choice([0, 43, 51, 60, 44, 44])
            if kind == 44:
                middle = bytes([first, 0]) + struct.pack("!HI", r.choice([0, 1, 1, 0x51, 0x50]), 7)
            elif kind == 51:
                middle = bytes([first, 4]) + bytes(22)
            else:
                units = r.choice([0, 0, 1])
                middle = bytes([first, units, 4, r.choice([0, 1])]) + bytes(4 + 8 * units)
            t, first = middle + t, kind
        lie = r.choice([-21, -1, 1, 40]) if r.random() < 0.05 else 0
        word = 6 << 28 | r.choice([0, 32, 184, 3]) << 20 | r.choice([0, 5, 0xfffff])
        return struct.pack("!IHBB", word, max(0, len(t) + lie), first, r.choice([0, 1, 2, 64])) + src + dst + t

    def arp(self) -> bytes:
        r = self.rng
        ips = [ipaddress.ip_address(r.choice(IPS)).packed for _ in range(2)]
        odd = r.choice([(1, 0x86dd, 6, 4), (6, 0x800, 6, 4), (1, 0x800, 8, 4)]) if r.random() < 0.05 else (1, 0x800, 6, 4)
        return struct.pack("!HHBBH", *odd, r.choice([1, 2, 2, 3, 0x101])) + mac(r.choice(MACS)) + ips[0] + \
            mac(r.choice(MACS)) + ips[1]

    def mpls(self) -> bytes:
        r, n = self.rng, self.rng.choice([1, 1, 2, 3, 4])
        # A label that is all zero, with more than two behind it, ends Open vSwitch 3.1 when it is rewritten.
        labels = LABELS if n < 4 else LABELS[1:]
        stack = b"".join(struct.pack("!I", r.choice(labels) << 12 | r.randrange(8) << 9 | (i == n - 1) << 8 |
                                     r.choice([0, 1, 64])) for i in range(n))
        return stack + r.choice([self.ip4, self.ip6, lambda: b"\0" * 10])()

    def packet(self) -> bytes:
        r = self.rng
        p = mac(r.choice(MACS)) + mac(r.choice(MACS))
        for _ in range(r.choice([0, 0, 0, 1, 1, 2, 3])):
            p += struct.pack("!HH", r.choice([0x8100, 0x8100, 0x88a8]), r.choice([0, *VLANS]) | r.randrange(8) << 13)
        kind = r.random()
        if kind < 0.5:
            p += b"\x08\0" + self.ip4()
        elif kind < 0.75:
            p += b"\x86\xdd" + self.ip6()
        elif kind < 0.85:
            p += r.choice([b"\x08\x06", b"\x08\x06", b"\x80\x35"]) + self.arp()
        elif kind < 0.93:
            p += r.choice([b"\x88\x47", b"\x88\x47", b"\x88\x48"]) + self.mpls()
        else:
            p += r.choice([b"\x88\xcc", b"\x12\x34", b"\0\x20\xaa\xaa\x03\0\0\0\x08\0", b"\0\x10\x42\x42\x03"]) + b"\0" * 20
        if r.random() < 0.08:
            p = p[:max(self.shortest, r.randrange(len(p) + 1))]
        elif r.random() < 0.3:
            p += b"\0" * r.choice([1, 6, 18])
        return p
