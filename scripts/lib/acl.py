#!/usr/bin/env python3
"""acl.py RULES PACKETS SEED PREFIX: an access control list with random prefixes and ports in PREFIX.flows (as ovs-ofctl
add-flows takes it; allowed packets go to port 2), and random UDP packets for it in PREFIX.pcap."""
import ipaddress, random, struct, sys

rules, packets, seed, prefix = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
r = random.Random(seed)


def network(first):
    length = r.randint(8, 32)
    address = (first << 24 | r.getrandbits(24)) & (0xFFFFFFFF << (32 - length)) & 0xFFFFFFFF
    return f"{ipaddress.ip_address(address)}/{length}"


def checksum(header):
    total = sum(struct.unpack(">10H", header))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


with open(prefix + ".flows", "w") as f:
    f.write("priority=0,actions=output:2\n")
    for n in range(rules):
        match = f"{r.choice(['tcp', 'udp'])},nw_src={network(10)},nw_dst={network(11)}"
        if r.random() < 0.5:
            match += f",tp_dst={r.randrange(1024)}"
        f.write(f"priority={n + 1},{match},actions={r.choice(['output:2', 'drop'])}\n")

with open(prefix + ".pcap", "wb") as f:
    f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
    for _ in range(packets):
        source, destination = 10 << 24 | r.getrandbits(24), 11 << 24 | r.getrandbits(24)
        ip = bytearray(struct.pack(">BBHHHBBHII", 0x45, 0, 46, 0, 0, 64, 17, 0, source, destination))
        ip[10:12] = struct.pack(">H", checksum(bytes(ip)))
        udp = struct.pack(">HHHH", r.getrandbits(16), r.randrange(2048), 26, 0)
        frame = bytes.fromhex("0200000000020200000000010800") + bytes(ip) + udp + bytes(18)
        f.write(struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame)
