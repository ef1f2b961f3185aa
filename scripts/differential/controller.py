"""Controllers that listen to a switch's packet-ins and flow-removed messages, one for each version."""

import socket
import struct

from reasons import without_known_differences

HELLO, ECHO_REQUEST, ECHO_REPLY, VENDOR, SET_CONFIG, PACKET_IN, FLOW_REMOVED = 0, 2, 3, 4, 9, 10, 11
NICIRA = 0x2320
NXT_SET_PACKET_IN_FORMAT, NXT_SET_ASYNC_CONFIG, NXT_SET_CONTROLLER_ID, NXT_PACKET_IN2 = 16, 19, 20, 30
# The durations that OpenFlow 1.5 has among a flow's statistics.
DURATION_1_5 = bytes.fromhex("80020008")


class Controller:
    """A connection of one OpenFlow version, by the bridge's own socket."""

    def __init__(self, path: str, version: int, controller_id: int):
        self.version, self.buffer, self.echoes = version, b"", 0
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(path)
        self.send(HELLO, b"")
        self.send(SET_CONFIG, struct.pack("!HH", 0, 200))
        self.send_nicira(NXT_SET_CONTROLLER_ID, bytes(6) + struct.pack("!H", controller_id))
        # All packet-ins, no port status, all removed flows.
        self.send_nicira(NXT_SET_ASYNC_CONFIG, struct.pack("!6I", 0x3f, 0x3f, 0, 0, 0xf, 0xf))
        if version == 6:
            self.send_nicira(NXT_SET_PACKET_IN_FORMAT, struct.pack("!I", 2))

    def send(self, kind: int, body: bytes):
        self.socket.sendall(struct.pack("!BBHI", self.version, kind, 8 + len(body), 7) + body)

    def send_nicira(self, subtype: int, body: bytes):
        self.send(VENDOR, struct.pack("!II", NICIRA, subtype) + body)

    def message(self) -> bytes:
        """The next message."""
        while len(self.buffer) < 8 or len(self.buffer) < struct.unpack_from("!H", self.buffer, 2)[0]:
            data = self.socket.recv(1 << 20)
            if not data:
                raise ConnectionError("the switch closed an OpenFlow connection")
            self.buffer += data
        (length,) = struct.unpack_from("!H", self.buffer, 2)
        message, self.buffer = self.buffer[:length], self.buffer[length:]
        return message

    def heard(self) -> list[bytes]:
        """What the switch told since the last call, without what differs by time."""
        told = []
        # The switch looks at what packets left for it at least once between two echoes.
        for _ in range(2):
            self.echoes += 1
            mark = struct.pack("!I", self.echoes)
            self.send(ECHO_REQUEST, mark)
            while (message := self.message())[1] != ECHO_REPLY or message[8:] != mark:
                kind = message[1]
                if kind == FLOW_REMOVED:
                    told.append(self.without_duration(message))
                elif kind == PACKET_IN or (kind == VENDOR and message[8:16] == struct.pack("!II", NICIRA, NXT_PACKET_IN2)):
                    at, n = self.packet_in(message)
                    packet = without_known_differences(message[at:at + n])
                    told.append(message[:at] + packet + message[at + n:])
        return told

    def packet_in(self, message: bytes) -> tuple[int, int]:
        """Where the packet of a packet-in begins, and how long it is."""
        if self.version == 1:
            return 18, len(message) - 18
        if self.version == 4:
            (match,) = struct.unpack_from("!H", message, 26)
            at = 24 + (match + 7) // 8 * 8 + 2
            return at, len(message) - at
        at = 16
        while len(message) >= at + 4:
            kind, n = struct.unpack_from("!HH", message, at)
            if kind == 0:
                return at + 4, n - 4
            at += max(8, (n + 7) // 8 * 8)
        return len(message), 0

    def without_duration(self, message: bytes) -> bytes:
        at = {1: 60, 4: 20}.get(self.version) or message.find(DURATION_1_5) + 4
        return message[:at] + bytes(8) + message[at + 8:]
