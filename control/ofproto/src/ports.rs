//! Ports of a bridge: configuration and state bits, and what controllers are told of them.

/// Configuration bits of a port, as OpenFlow 1.0 `ofp_port_config` numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct PortFlags(pub u32);

impl PortFlags {
    /// Administratively down.
    pub const PORT_DOWN: Self = Self(1 << 0);
    /// Not part of the spanning tree.
    pub const NO_STP: Self = Self(1 << 1);
    /// Drop what comes in, but for spanning tree frames.
    pub const NO_RECV: Self = Self(1 << 2);
    /// Drop spanning tree frames that come in.
    pub const NO_RECV_STP: Self = Self(1 << 3);
    /// Leave it out of flooding.
    pub const NO_FLOOD: Self = Self(1 << 4);
    /// Drop what would go out.
    pub const NO_FWD: Self = Self(1 << 5);
    /// Send no packet-in for it.
    pub const NO_PACKET_IN: Self = Self(1 << 6);

    /// Is one of these bits set?
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// State bits of a port, as OpenFlow 1.1 `ofp_port_state` numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct PortState(pub u32);

impl PortState {
    /// No carrier.
    pub const LINK_DOWN: Self = Self(1 << 0);
    /// Blocked by a link protocol.
    pub const BLOCKED: Self = Self(1 << 1);
    /// Live for fast failover.
    pub const LIVE: Self = Self(1 << 2);
}
