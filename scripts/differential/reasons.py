"""Differences that are as they should be, each with its reason."""

import struct

VLAN_TYPES = (0x8100, 0x88a8)


def without_known_differences(packet: bytes) -> bytes:
    """Blanks what differs for a reason."""
    at = 12
    while len(packet) >= at + 4 and struct.unpack_from("!H", packet, at)[0] in VLAN_TYPES:
        at += 4
    if len(packet) < at + 22 or struct.unpack_from("!H", packet, at)[0] != 0x800:
        return packet
    ip = at + 2
    (fragment,) = struct.unpack_from("!H", packet, ip + 6)
    checksum_at = ip + (packet[ip] & 15) * 4 + {6: 16, 17: 6}.get(packet[ip + 9], 0)
    # Open vSwitch 3.1 takes the bytes of a later fragment for a transport header, and corrects the
    # checksum in it when it changes an address.
    if fragment & 0x1fff and checksum_at > ip + 20 and checksum_at + 2 <= len(packet):
        packet = packet[:checksum_at] + bytes(2) + packet[checksum_at + 2:]
    return packet


def counted(packet: bytes) -> bool:
    """Open vSwitch 3.1 forwards frames that end with their Ethernet header or tags, and does not always count them."""
    return len(packet) > 25
