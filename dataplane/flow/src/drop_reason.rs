//! Every way a packet's journey may end without an output, each with a counter.

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)+) => {
        /// Why a packet was dropped. Each reason is a coverage counter of the same name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum DropReason { $($(#[$doc])* $name),+ }

        impl DropReason {
            /// All reasons, in the order of their numbers.
            pub const ALL: &[Self] = &[$(Self::$name),+];
            /// How many there are.
            pub const COUNT: usize = Self::ALL.len();

            /// The coverage counter's name.
            #[must_use]
            pub const fn counter(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }
        }
    };
}

reasons! {
    /// The flow's action list is empty: the tables say drop.
    OfPipeline = "drop_action_of_pipeline",
    /// A bridge named by the packet's ingress port is gone.
    BridgeNotFound = "drop_action_bridge_not_found",
    /// Too many nested resubmits.
    RecursionTooDeep = "drop_action_recursion_too_deep",
    /// Too many resubmits for one packet.
    TooManyResubmits = "drop_action_too_many_resubmit",
    /// The `push` stack grew beyond 64 kB.
    StackTooDeep = "drop_action_stack_too_deep",
    /// A recirculated packet came back without its state.
    NoRecirculationContext = "drop_action_no_recirculation_context",
    /// A recirculated packet's state belongs to another bridge.
    RecirculationConflict = "drop_action_recirculation_conflict",
    /// More MPLS labels than the datapath can push or pop.
    TooManyMplsLabels = "drop_action_too_many_mpls_labels",
    /// Tunnel metadata does not fit the TLV map.
    InvalidTunnelMetadata = "drop_action_invalid_tunnel_metadata",
    /// An unsupported packet type.
    UnsupportedPacketType = "drop_action_unsupported_packet_type",
    /// Congestion seen in the outer header of a packet that cannot carry it.
    EcnMismatchAtDecap = "drop_action_congestion",
    /// The packet's forwarding was switched off by configuration (port down, no-forward, ...).
    ForwardingDisabled = "drop_action_forwarding_disabled",
    /// The chain of tunnels is too deep.
    TunnelNotFound = "drop_action_tunnel_output_no_ethernet",
    /// Translation failed for another reason.
    UpcallError = "datapath_drop_upcall_error",
    /// The miss could not be queued or translated in time.
    UpcallLimit = "datapath_drop_lock_error",
    /// The misses of the packet's ingress port had their share of the thread's time.
    MissBudget = "datapath_drop_miss_budget",
    /// A `userspace` action found no room in the queue.
    UserspaceAction = "datapath_drop_userspace_action_error",
    /// Recirculated too often.
    RecircError = "datapath_drop_recirc_error",
    /// Output to a port that does not exist.
    InvalidPort = "datapath_drop_invalid_port",
    /// Truncated or malformed beyond parsing, or of zero length.
    InvalidPacket = "datapath_drop_rx_invalid_packet",
    /// A sample action failed.
    SampleError = "datapath_drop_sample_error",
    /// A meter's band dropped it.
    Meter = "datapath_drop_meter",
    /// The packet has not the header that the action rewrites.
    ActionMismatch = "datapath_drop_action_mismatch",
    /// No packet buffer was left for a copy.
    NoBuffer = "datapath_drop_no_buffer",
    /// The egress queue was full.
    TxQueueFull = "datapath_drop_tx_queue_full",
    /// Longer than the egress port's MTU.
    TxMtuExceeded = "datapath_drop_tx_mtu_exceeded",
    /// The egress port is down.
    TxPortDown = "datapath_drop_tx_port_down",
}
