"""Differences that are as they should be, each with its reason."""

import struct

VLAN_TYPES = (0x8100, 0x88a8)
MPLS_TYPES = (0x8847, 0x8848)
CHECKSUM_AT = {6: 16, 17: 6, 58: 2}


def without_known_differences(packet: bytes) -> bytes:
    """Blanks what differs for a reason."""
    packet = without_snap_type(packet)
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
        at = stale_checksum(packet, ip)
    if at is not None and ip + 20 < at <= len(packet) - 2:
        packet = packet[:at] + bytes(2) + packet[at + 2:]
    return packet


def without_snap_type(packet: bytes) -> bytes:
    """Open vSwitch 3.1 writes the Ethernet type of a label pushed on an LLC/SNAP frame over the frame's
    length, Weir over its SNAP type."""
    at = ethertype(packet)
    types = [packet[at:at + 2], packet[at + 8:at + 10]]
    if packet[at + 2:at + 8] == b"\xaa\xaa\x03\0\0\0" and any(t in (b"\x88\x47", b"\x88\x48") for t in types):
        packet = packet[:at] + bytes(2) + packet[at + 2:at + 8] + bytes(2) + packet[at + 10:]
    return packet


def stale_checksum(packet: bytes, ip: int) -> int | None:
    """Where the transport checksum of an IPv6 packet is that Open vSwitch 3.1 does not correct when it
    changes an address: behind a routing header with segments left (whose last address is part of the sum,
    but the source is too), and behind a fragment header of a packet that is whole."""
    if len(packet) < ip + 40 or packet[ip] >> 4 != 6:
        return None
    kind, at, stale = packet[ip + 6], ip + 40, False
    while kind in (0, 43, 44, 51, 60) and len(packet) >= at + 8:
        stale |= kind == 43 and packet[at + 3] > 0
        stale |= kind == 44 and not struct.unpack_from("!H", packet, at + 2)[0] & 0xfff9
        length = 8 if kind == 44 else (packet[at + 1] + 2) * 4 if kind == 51 else (packet[at + 1] + 1) * 8
        kind, at = packet[at], at + length
    return at + CHECKSUM_AT[kind] if stale and kind in CHECKSUM_AT else None


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
    """Open vSwitch 3.1 forwards frames with less than four bytes behind their Ethernet header and tags, and
    does not always count them."""
    return len(packet) >= ethertype(packet) + 6
