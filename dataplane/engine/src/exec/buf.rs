//! mbufs as [`PacketBuf`]: rewriting shared with everything else that changes packets. Copy on write
//! happens here: a packet whose bytes others read is copied before its first change.

use weir_dpdk::{Mbuf, MbufRef, Mempool};
use weir_flow::packet::{NoRoom, PacketBuf};

/// An mbuf that nobody else reads.
#[derive(Debug)]
pub(crate) struct Writable<'a>(&'a mut MbufRef);

impl<'a> Writable<'a> {
    /// The packet, or its copy put in its place. `None` when the pool has no buffer left.
    #[inline(always)]
    pub(crate) fn new(packet: &'a mut Mbuf, pool: &Mempool) -> Option<Self> {
        if packet.is_shared() {
            *packet = packet.copy(pool)?;
        }
        Some(Self(packet))
    }
}

impl PacketBuf for Writable<'_> {
    #[inline(always)]
    fn data(&self) -> &[u8] {
        self.0.data()
    }

    #[inline(always)]
    fn data_mut(&mut self) -> &mut [u8] {
        self.0.data_mut().unwrap_or_default()
    }

    fn total_len(&self) -> usize {
        self.0.len() as usize
    }

    #[inline(always)]
    fn push_front(&mut self, n: usize) -> Result<(), NoRoom> {
        self.0.prepend(n).map(|_| ()).ok_or(NoRoom)
    }

    #[inline(always)]
    fn pull_front(&mut self, n: usize) -> Result<(), NoRoom> {
        if self.0.adj(n) { Ok(()) } else { Err(NoRoom) }
    }
}
