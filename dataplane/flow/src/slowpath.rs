//! The seam between the packet engine and the OpenFlow tables. The engine knows only this trait;
//! the tables know nothing of the engine.

use std::sync::Arc;

use weir_rcu::Guard;

use crate::action::{Actions, ControllerCookie, PortNo, SampleCookie, SlowReasons};
use crate::drop_reason::DropReason;
use crate::flow::Flow;
use crate::mask::Mask;

/// A packet that no megaflow matched.
#[derive(Debug)]
pub struct Miss<'a> {
    /// The packet's flow: as parsed, after earlier actions if it was recirculated.
    pub key: &'a Flow,
    /// The packet's bytes as they are now.
    pub packet: &'a [u8],
    /// Monotonic milliseconds.
    pub now_ms: u64,
}

/// What translation decided about a packet and everything that agrees with it under `mask`.
#[derive(Debug)]
pub struct Translation {
    /// Every bit the decision depended on. Bits beyond [`crate::flow::KEY_WORDS`] are ignored.
    pub mask: Mask,
    /// What to do; empty is drop.
    pub actions: Actions,
    /// Why an empty list is empty. [`DropReason::UpcallLimit`] says that the packet was not looked at:
    /// nothing is remembered, and the next packet asks again.
    pub drop_reason: Option<DropReason>,
    /// Not empty: translate each packet anew. The megaflow sends it to the slow path.
    pub slow: SlowReasons,
    /// Who is told about the packets that hit the megaflow.
    pub credit: Arc<dyn Credit>,
}

/// Receives the statistics of a megaflow: the OpenFlow flows, ports and tables it stands for.
pub trait Credit: Send + Sync + std::fmt::Debug {
    /// Adds packets and bytes seen since the last call. `used_ms` is when the last one came,
    /// `tcp_flags` the union of their TCP flags.
    fn credit(&self, packets: u64, bytes: u64, used_ms: u64, tcp_flags: u16);

    /// A number that tells sets of receivers apart.
    fn receivers(&self) -> u64;
}

/// Translation of packets, called by PMD threads on a miss. Implementations may allocate and take
/// short uncontended locks, and must not wait, log without limit, or call back into the engine.
pub trait SlowPath: Send + Sync {
    /// Translates a packet. Side effects that a single packet has (MAC learning, `learn`) happen
    /// here; its statistics arrive by [`Credit`].
    fn translate(&self, guard: &Guard, miss: &Miss<'_>) -> Translation;

    /// Takes a copy of a packet for the controllers. The implementation queues it (bounded) for
    /// the OpenFlow thread.
    ///
    /// # Errors
    /// The queue was full; the engine counts the packet as [`DropReason::UserspaceAction`].
    fn packet_in(
        &self,
        cookie: &Arc<ControllerCookie>,
        key: &Flow,
        packet: &[u8],
    ) -> Result<(), QueueFull>;

    /// Takes a sample. See [`SlowPath::packet_in`].
    ///
    /// # Errors
    /// The queue was full.
    fn sample(
        &self,
        cookie: &Arc<SampleCookie>,
        key: &Flow,
        packet: &[u8],
    ) -> Result<(), QueueFull>;
}

/// A bounded queue had no room.
#[derive(Debug, thiserror::Error)]
#[error("queue is full")]
pub struct QueueFull;

/// Counters of a megaflow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlowStats {
    /// Packets that hit it.
    pub packets: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Monotonic milliseconds of the last one, 0 if none.
    pub used_ms: u64,
    /// Union of their TCP flags.
    pub tcp_flags: u16,
}

/// A megaflow as the revalidator and `dump-flows` see it.
#[derive(Debug)]
pub struct MegaflowView<'a> {
    /// Unique flow identifier.
    pub ufid: u128,
    /// Core of the PMD thread it lives on; `None` for the thread that serves injected packets.
    pub core: Option<u32>,
    /// The packet's flow that caused it, unmasked.
    pub key: &'a Flow,
    /// What it compares.
    pub mask: &'a Mask,
    /// What it does.
    pub actions: &'a Actions,
    /// Why it is in the slow path, if it is.
    pub slow: SlowReasons,
    /// Counters so far.
    pub stats: FlowStats,
    /// Monotonic milliseconds of its creation.
    pub created_ms: u64,
    /// Counters already passed on by [`Credit::credit`]; the visitor advances them.
    pub credited: FlowStats,
    /// Who gets the difference.
    pub credit: &'a Arc<dyn Credit>,
}

/// Counters of a port; `None` is one that its device does not keep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the OpenFlow structure")]
pub struct PortCounters {
    pub rx_packets: u64,
    pub tx_packets: u64,
    pub rx_bytes: u64,
    pub tx_bytes: u64,
    pub rx_dropped: Option<u64>,
    pub tx_dropped: Option<u64>,
    pub rx_errors: Option<u64>,
    pub tx_errors: Option<u64>,
    pub rx_frame_err: Option<u64>,
    pub rx_over_err: Option<u64>,
    pub rx_crc_err: Option<u64>,
    pub collisions: Option<u64>,
}

/// What becomes of a visited megaflow.
#[derive(Debug)]
pub enum Revalidation {
    /// It stays; `credited` is remembered.
    Keep {
        /// Counters passed on so far.
        credited: FlowStats,
    },
    /// It goes. The engine credits packets that hit it until it is gone.
    Delete,
    /// Same mask, new actions and credit.
    Replace(Box<Translation>),
}

/// What the control side can ask of the packet engine.
pub trait Datapath: Send + Sync {
    /// Visits every megaflow. Packets go on meanwhile.
    fn visit(&self, visitor: &mut dyn FnMut(&MegaflowView<'_>) -> Revalidation);
    /// How many megaflows there are.
    fn n_flows(&self) -> usize;
    /// Sends `packet` through `actions` as if it had come in with `key` (packet-out).
    fn execute(&self, packet: &[u8], key: &Flow, actions: &Actions);
    /// Brings a port up or down.
    fn set_port_up(&self, port: PortNo, up: bool);
    /// Is the port there and up?
    fn port_is_up(&self, port: PortNo) -> bool;
    /// What a port has counted, as of now; `None` when there is no such port.
    fn port_counters(&self, port: PortNo) -> Option<PortCounters>;
}
