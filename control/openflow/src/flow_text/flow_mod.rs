//! [`FlowMod`]: a request to add, change or delete flows, independent of version (OpenFlow 1.0
//! section 5.3.3, 1.4 section 7.3.4.3).

use crate::actions::Actions;
use crate::matching::Match;
use crate::matching::match_format::DEFAULT_PRIORITY;
use crate::ofp_port::OfPort;

/// `OFPFC_*`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[expect(missing_docs, reason = "the specification's names")]
pub enum FlowModCommand {
    Add = 0,
    Modify = 1,
    ModifyStrict = 2,
    Delete = 3,
    DeleteStrict = 4,
}

impl FlowModCommand {
    /// Every command, by wire number.
    pub const ALL: [Self; 5] =
        [Self::Add, Self::Modify, Self::ModifyStrict, Self::Delete, Self::DeleteStrict];

    /// The command with this wire number.
    #[must_use]
    pub fn from_wire(n: u8) -> Option<Self> {
        Self::ALL.get(usize::from(n)).copied()
    }

    /// Its name in a file of flows.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Modify => "modify",
            Self::ModifyStrict => "modify_strict",
            Self::Delete => "delete",
            Self::DeleteStrict => "delete_strict",
        }
    }
}

/// Flags of a flow mod, a bit set whose bits are OpenFlow 1.3's `OFPFF_*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct FlowModFlags(pub u16);

impl FlowModFlags {
    /// `send_flow_rem`: say when the flow goes away.
    pub const SEND_FLOW_REM: Self = Self(1);
    /// `check_overlap`: refuse to add a flow that overlaps one of the same priority.
    pub const CHECK_OVERLAP: Self = Self(1 << 1);
    /// `reset_counts`: a modified flow starts counting anew.
    pub const RESET_COUNTS: Self = Self(1 << 2);
    /// `no_packet_counts`: packets need not be counted.
    pub const NO_PKT_COUNTS: Self = Self(1 << 3);
    /// `no_byte_counts`: bytes need not be counted.
    pub const NO_BYT_COUNTS: Self = Self(1 << 4);

    /// The flags with the words that the flow syntax has for them, in the order they are written.
    pub const NAMES: [(Self, &str); 5] = [
        (Self::SEND_FLOW_REM, "send_flow_rem"),
        (Self::CHECK_OVERLAP, "check_overlap"),
        (Self::RESET_COUNTS, "reset_counts"),
        (Self::NO_PKT_COUNTS, "no_packet_counts"),
        (Self::NO_BYT_COUNTS, "no_byte_counts"),
    ];

    /// Is every flag of `other` set?
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Sets the flags of `other`.
    pub fn insert(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

/// Group number that stands for none.
pub const OFPG_ANY: u32 = 0xffff_ffff;
/// Buffer number that stands for none.
pub const NO_BUFFER: u32 = 0xffff_ffff;
/// Table number that stands for all, or for the switch's choice.
pub const TABLE_ALL: u8 = 0xff;

/// A flow mod; also the argument of flow and aggregate statistics requests, which look at `matched`,
/// `table_id`, `cookie`, `cookie_mask`, `out_port` and `out_group` only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowMod {
    /// What to do.
    pub command: FlowModCommand,
    /// The match.
    pub matched: Match,
    /// Priority of the flow.
    pub priority: u16,
    /// Only flows whose cookie has these bits are meant ...
    pub cookie: u64,
    /// ... where this has ones.
    pub cookie_mask: u64,
    /// The cookie that the flow gets, or `None` to leave it (for modifications).
    pub new_cookie: Option<u64>,
    /// Should a modification change the cookie of flows that are there already?
    pub modify_cookie: bool,
    /// The table; [`TABLE_ALL`] is all, or the switch's choice.
    pub table_id: u8,
    /// Seconds without a packet until the flow goes away; 0 is never.
    pub idle_timeout: u16,
    /// Seconds until the flow goes away; 0 is never.
    pub hard_timeout: u16,
    /// The packet to send through the new flow; [`NO_BUFFER`] is none.
    pub buffer_id: u32,
    /// Only flows with an output to this port are meant; [`OfPort::NONE`] is no restriction.
    pub out_port: OfPort,
    /// Only flows with an output to this group are meant; [`OFPG_ANY`] is no restriction.
    pub out_group: u32,
    /// Flags.
    pub flags: FlowModFlags,
    /// How much the flow matters when a full table evicts one (OpenFlow 1.4).
    pub importance: u16,
    /// What the flow does.
    pub actions: Actions,
}

impl Default for FlowMod {
    fn default() -> Self {
        Self {
            command: FlowModCommand::Add,
            matched: Match::catchall(),
            priority: DEFAULT_PRIORITY,
            cookie: 0,
            cookie_mask: 0,
            new_cookie: Some(0),
            modify_cookie: false,
            table_id: TABLE_ALL,
            idle_timeout: 0,
            hard_timeout: 0,
            buffer_id: NO_BUFFER,
            out_port: OfPort::NONE,
            out_group: OFPG_ANY,
            flags: FlowModFlags::default(),
            importance: 0,
            actions: Actions::new(),
        }
    }
}
