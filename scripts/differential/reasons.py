"""Differences that are as they should be, each with its reason."""

import struct

VLAN_TYPES = (0x8100, 0x88a8)
MPLS_TYPES = (0x8847, 0x8848)
CHECKSUM_AT = {6: 16, 17: 6, 58: 2}


def without_known_differences(packet: bytes) -> bytes:
    """Blanks what differs for a reason."""
    ip = network_header(packet)
    if ip is None or len(packet) < ip + 20:
        return packet
    at = None
    if packet[ip] >> 4 == 4:
        (fragment,) = struct.unpack_from("!H", packet, ip + 6)
        # Open vSwitch 3.1 takes the bytes of a later fragment for a transport header, and corrects the
        # checksum in it when it changes an address.
        if fragment & 0x1fff and packet[ip + 9] in (6, 17):
            at = ip + (packet[ip] & 15) * 4 + CHECKSUM_AT[packet[ip + 9]]
    else:
        at = checksum_behind_routing(packet, ip)
    if at is not None and ip + 20 < at <= len(packet) - 2:
        packet = packet[:at] + bytes(2) + packet[at + 2:]
    return packet


def checksum_behind_routing(packet: bytes, ip: int) -> int | None:
    """Open vSwitch 3.1 leaves the transport checksum as it is when it changes a source address in front
    of a routing header with segments left; only the destination is not part of the sum there. Gives
    where the checksum of such a packet is."""
    if len(packet) < ip + 40 or packet[ip] >> 4 != 6:
        return None
    kind, at, routed = packet[ip + 6], ip + 40, False
    while kind in (0, 43, 44, 51, 60) and len(packet) >= at + 8:
        routed |= kind == 43 and packet[at + 3] > 0
        length = 8 if kind == 44 else (packet[at + 1] + 2) * 4 if kind == 51 else (packet[at + 1] + 1) * 8
        kind, at = packet[at], at + length
    return at + CHECKSUM_AT[kind] if routed and kind in CHECKSUM_AT else None


def network_header(packet: bytes) -> int | None:
    """Where the IP header of a packet is, behind tags and labels."""
    at = ethertype(packet)
    if len(packet) < at + 2:
        return None
    (kind,) = struct.unpack_from("!H", packet, at)
    at += 2
    if kind in MPLS_TYPES:
        while len(packet) >= at + 4 and not packet[at + 2] & 1:
            at += 4
        at += 4
    elif kind not in (0x800, 0x86dd):
        return None
    return at if len(packet) > at and packet[at] >> 4 in (4, 6) else None


def ethertype(packet: bytes) -> int:
    """Where the Ethernet type is, behind tags."""
    at = 12
    while len(packet) >= at + 4 and struct.unpack_from("!H", packet, at)[0] in VLAN_TYPES:
        at += 4
    return at


def counted(packet: bytes) -> bool:
    """Open vSwitch 3.1 forwards frames that end with their Ethernet header or tags, and does not always
    count them."""
    return len(packet) > ethertype(packet) + 2
