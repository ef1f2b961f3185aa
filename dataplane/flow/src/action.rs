//! Datapath actions: what translation produces and the packet path executes.
//!
//! The set is that of the OVS userspace datapath ("ODP actions"); `odp` writes and reads their text.

mod same;

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use crate::drop_reason::DropReason;
use crate::flow::Flow;

pub use same::{SameUserspace, same_actions};

/// A datapath port number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct PortNo(pub u32);

/// A list of actions, shared between a megaflow, its dump and its revalidation.
pub type Actions = Arc<[Action]>;

/// A value and the bits of it that are to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Masked<T> {
    /// New bits.
    pub value: T,
    /// Which bits to write.
    pub mask: T,
}

/// Which header a [`SetHeader`] rewrites.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "names of the headers")]
pub enum Header {
    Ethernet,
    Ipv4,
    Ipv6,
    Tcp,
    Udp,
    Sctp,
    Icmp,
    Icmpv6,
    Arp,
    Nd,
    Mpls,
    Nsh,
    /// Outer headers of the tunnel the packet will be sent into.
    Tunnel,
    SkbPriority,
    PktMark,
}

/// Rewrites the bits of one header that are set in `mask`. Values and masks stand at the members of
/// the [`Flow`] that hold that header's fields; other members are zero.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SetHeader {
    /// The header.
    pub header: Header,
    /// New bits.
    pub value: Flow,
    /// Which bits to write.
    pub mask: Flow,
}

/// How `hash` computes `dp_hash`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HashAlgorithm {
    /// 5-tuple.
    L4,
    /// 5-tuple, the same for both directions.
    SymL4,
}

/// Why a packet goes to user space, with what the receiver needs.
#[derive(Clone)]
pub enum Userspace {
    /// A controller's copy of the packet.
    Controller(Arc<ControllerCookie>),
    /// The packet needs the slow path each time (LACP, BFD, actions the datapath has not, ...).
    SlowPath(SlowReasons),
    /// Samples for sFlow, IPFIX and the like; the payload belongs to whoever translated it.
    Sample(Arc<SampleCookie>),
}

/// A packet-in, as the `controller` action asked for it.
pub struct ControllerCookie {
    /// OpenFlow packet-in reason.
    pub reason: u8,
    /// Cookie of the flow with the action; all ones when there is none.
    pub rule_cookie: u64,
    /// Table of that flow.
    pub table_id: u8,
    /// Controller connections to send it to.
    pub controller_id: u16,
    /// Most bytes of the packet to send.
    pub max_len: u16,
    /// Statistics only: the packet itself is not sent.
    pub dont_send: bool,
    /// The controller may resume the pipeline (`controller(pause)`).
    pub continuation: bool,
    /// Recirculation identifier under which the pipeline's state is kept.
    pub recirc_id: u32,
    /// Meter that polices it, if any.
    pub meter_id: Option<u32>,
    /// Bridge, pipeline metadata, userdata and whatever else the slow path keeps for itself.
    pub state: Arc<dyn Any + Send + Sync>,
}

/// One kind of sample; see [`Userspace::Sample`].
pub struct SampleCookie {
    /// `sFlow`, `flow_sample` or `ipfix`, as ODP text names it.
    pub kind: &'static str,
    /// The ODP text inside the parentheses.
    pub text: String,
    /// What the collector needs.
    pub state: Arc<dyn Any + Send + Sync>,
}

impl fmt::Debug for Userspace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Controller(c) => write!(f, "Controller({:p})", Arc::as_ptr(c)),
            Self::SlowPath(r) => write!(f, "SlowPath({r:?})"),
            Self::Sample(s) => write!(f, "Sample({}({}))", s.kind, s.text),
        }
    }
}

impl fmt::Debug for ControllerCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ControllerCookie").field("reason", &self.reason).finish_non_exhaustive()
    }
}

impl fmt::Debug for SampleCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SampleCookie").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// Reasons for the slow path, a bit set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct SlowReasons(pub u8);

impl SlowReasons {
    /// Consists of CFM packets.
    pub const CFM: Self = Self(1);
    /// BFD packets.
    pub const BFD: Self = Self(2);
    /// LACP packets.
    pub const LACP: Self = Self(4);
    /// STP packets.
    pub const STP: Self = Self(8);
    /// LLDP packets.
    pub const LLDP: Self = Self(16);
    /// Needs an action that only the slow path has.
    pub const ACTION: Self = Self(32);
    /// Needs a match that the datapath cannot express.
    pub const MATCH: Self = Self(64);
}

/// One datapath action.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields carry the names of the ODP text")]
pub enum Action {
    Output(PortNo),
    Userspace(Userspace),
    Set(Box<SetHeader>),
    /// `tci` has [`crate::flow::VLAN_CFI`] set, as in [`crate::flow::Vlan`].
    PushVlan {
        tpid: u16,
        tci: u16,
    },
    PopVlan,
    PushMpls {
        ethertype: u16,
        lse: u32,
    },
    PopMpls {
        ethertype: u16,
    },
    /// Executes `actions` on a copy with a chance of `probability` / 2^32.
    Sample {
        probability: u32,
        actions: Actions,
    },
    Recirc(u32),
    Hash {
        algorithm: HashAlgorithm,
        basis: u32,
    },
    /// The next output leaves out what is beyond this many bytes now; headers pushed in between are
    /// sent besides.
    Truncate(u32),
    /// Executes on a copy; changes to the packet do not outlive it.
    Clone(Actions),
    CheckPktLen {
        len: u16,
        greater: Actions,
        less_equal: Actions,
    },
    Meter(u32),
    Drop(DropReason),
}
