//! The owner of one packet.

use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

use dpdk_sys::rte_mbuf;

use crate::mbuf_ref::MbufRef;
use crate::mempool::Mempool;

/// One packet owned; freed when dropped. The packet path moves packets by [`Batch`](crate::Batch),
/// which frees in bulk.
#[repr(transparent)]
pub struct Mbuf(NonNull<rte_mbuf>);

// SAFETY: the descriptor is this owner's alone; a buffer shared with other owners is only read, and
// its counter is atomic (`MbufRef::is_shared`); pools free from any thread.
unsafe impl Send for Mbuf {}

impl Mbuf {
    /// # Safety
    /// `raw` must be a live mbuf (chain) that the caller owns and gives away.
    #[inline(always)]
    pub(crate) const unsafe fn from_raw(raw: NonNull<rte_mbuf>) -> Self {
        Self(raw)
    }

    /// The mbuf, without freeing it.
    #[inline(always)]
    pub(crate) const fn into_raw(self) -> NonNull<rte_mbuf> {
        let raw = self.0;
        std::mem::forget(self);
        raw
    }

    /// *Slow.* A packet of these bytes. `None` when the pool is exhausted or `bytes` exceed what
    /// 65,535 segments or a packet can hold; chained when one buffer is too small.
    #[must_use]
    pub fn from_bytes(pool: &Mempool, bytes: &[u8]) -> Option<Self> {
        let mut packet = pool.alloc()?;
        let (first, mut rest) = bytes.split_at(bytes.len().min(packet.tailroom()));
        packet.append(first.len())?.copy_from_slice(first);
        while !rest.is_empty() {
            let mut segment = pool.alloc()?;
            let (part, more) = rest.split_at(rest.len().min(segment.tailroom()));
            if part.is_empty() {
                return None;
            }
            segment.append(part.len())?.copy_from_slice(part);
            packet.chain(segment).ok()?;
            rest = more;
        }
        Some(packet)
    }

    /// Adds `tail` behind the last segment; gives it back when there would be too many segments or
    /// bytes.
    ///
    /// # Errors
    /// The tail itself, unchanged.
    pub fn chain(&mut self, tail: Self) -> Result<(), Self> {
        if self.len().checked_add(tail.len()).is_none() {
            return Err(tail);
        }
        // SAFETY: both chains are owned; on success DPDK makes one of them.
        let error = unsafe { dpdk_sys::weir_pktmbuf_chain(self.as_ptr(), tail.as_ptr()) };
        if error == 0 {
            let _ = tail.into_raw();
            Ok(())
        } else {
            Err(tail)
        }
    }
}

impl Drop for Mbuf {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: owned, and never used again.
        unsafe { dpdk_sys::weir_pktmbuf_free(self.0.as_ptr()) }
    }
}

impl Deref for Mbuf {
    type Target = MbufRef;

    #[inline(always)]
    fn deref(&self) -> &MbufRef {
        // SAFETY: owned, hence alive, and borrowed for as long.
        unsafe { MbufRef::from_raw(self.0.as_ptr()) }
    }
}

impl DerefMut for Mbuf {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut MbufRef {
        // SAFETY: owned, hence alive, and borrowed uniquely for as long.
        unsafe { MbufRef::from_raw_mut(self.0.as_ptr()) }
    }
}

impl std::fmt::Debug for Mbuf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_swap_of_views_moves_nothing() {
        assert_eq!(size_of::<MbufRef>(), 0);
        assert_eq!(size_of::<Option<Mbuf>>(), size_of::<usize>());
    }
}
