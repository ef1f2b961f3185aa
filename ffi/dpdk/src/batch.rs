//! A burst of packets that is owned, moved and freed as one.

use std::mem::MaybeUninit;
use std::ptr::NonNull;

use dpdk_sys::rte_mbuf;

use crate::mbuf::Mbuf;
use crate::mbuf_ref::MbufRef;

/// Packets in one burst from a device (OVS's `NETDEV_MAX_BURST`).
pub const MAX_BURST: usize = 32;

/// Up to `N` packets in order. Whatever is still in it when it is dropped or cleared goes back to its
/// mempool in one call.
pub struct Batch<const N: usize = MAX_BURST> {
    // The first `len` are owned mbufs.
    slots: [MaybeUninit<NonNull<rte_mbuf>>; N],
    len: usize,
}

// SAFETY: owns its mbufs as `Mbuf` does.
unsafe impl<const N: usize> Send for Batch<N> {}

impl Batch {
    /// An empty batch for [`MAX_BURST`] packets.
    #[inline(always)]
    #[must_use]
    pub const fn new() -> Self {
        Self::empty()
    }
}

impl<const N: usize> Default for Batch<N> {
    #[inline(always)]
    fn default() -> Self {
        Self::empty()
    }
}

impl<const N: usize> Batch<N> {
    /// An empty batch for `N` packets.
    #[inline(always)]
    #[must_use]
    pub const fn empty() -> Self {
        Self { slots: [const { MaybeUninit::uninit() }; N], len: 0 }
    }

    /// Packets in it.
    #[inline(always)]
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    #[inline(always)]
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether there is room for none.
    #[inline(always)]
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.len == N
    }

    /// How many more it can take.
    #[inline(always)]
    #[must_use]
    pub const fn room(&self) -> usize {
        N - self.len
    }

    /// The owned mbufs for C.
    #[inline(always)]
    pub(crate) fn raw(&self) -> &[NonNull<rte_mbuf>] {
        // SAFETY: the first `len` (never above N) slots are initialised; same layout.
        unsafe { std::slice::from_raw_parts(self.slots.as_ptr().cast(), self.len) }
    }

    #[inline(always)]
    pub(crate) fn raw_mut(&mut self) -> *mut *mut rte_mbuf {
        self.slots.as_mut_ptr().cast()
    }

    /// Lets `source(slots, n)` write up to `n` owned mbufs behind the present ones and say how many;
    /// answers that.
    ///
    /// # Safety
    /// `source` must have written as many live mbufs as it answers, at most `n`, and given them away.
    #[inline(always)]
    pub(crate) unsafe fn fill(
        &mut self,
        source: impl FnOnce(*mut *mut rte_mbuf, u16) -> u16,
    ) -> usize {
        let room = self.room().min(u16::MAX as usize) as u16;
        let tail = self.raw_mut().wrapping_add(self.len);
        let n = usize::from(source(tail, room).min(room));
        self.len += n;
        n
    }

    /// Takes note that the first `n` mbufs were given away; moves the others to the front.
    ///
    /// # Safety
    /// They must have been, and `n` be at most `len`.
    #[inline(always)]
    pub(crate) unsafe fn forget_front(&mut self, n: usize) {
        if n != self.len {
            self.slots.copy_within(n..self.len, 0);
        }
        self.len -= n;
    }

    /// Adds a packet at the end.
    ///
    /// # Errors
    /// The packet itself when the batch is full.
    #[inline(always)]
    pub fn push(&mut self, packet: Mbuf) -> Result<(), Mbuf> {
        match self.slots.get_mut(self.len) {
            Some(slot) => {
                slot.write(packet.into_raw());
                self.len += 1;
                Ok(())
            }
            None => Err(packet),
        }
    }

    /// Takes the last packet out.
    #[inline(always)]
    pub fn pop(&mut self) -> Option<Mbuf> {
        let raw = *self.raw().last()?;
        self.len -= 1;
        // SAFETY: it was the batch's, and is no more.
        Some(unsafe { Mbuf::from_raw(raw) })
    }

    /// Takes packet `index` out and puts the last one in its place.
    #[inline(always)]
    pub fn swap_remove(&mut self, index: usize) -> Option<Mbuf> {
        let raw = *self.raw().get(index)?;
        self.len -= 1;
        self.slots[index] = self.slots[self.len];
        // SAFETY: it was the batch's, and is no more.
        Some(unsafe { Mbuf::from_raw(raw) })
    }

    /// All packets, leaving this batch empty.
    #[inline(always)]
    #[must_use]
    pub fn take(&mut self) -> Self {
        std::mem::take(self)
    }

    /// Packet `index`.
    #[inline(always)]
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&MbufRef> {
        let raw = self.raw().get(index)?;
        // SAFETY: owned and borrowed with the batch.
        Some(unsafe { MbufRef::from_raw(raw.as_ptr()) })
    }

    /// Packet `index`, to change.
    #[inline(always)]
    #[must_use]
    pub fn get_mut(&mut self, index: usize) -> Option<&mut MbufRef> {
        let raw = self.raw().get(index)?;
        // SAFETY: owned and borrowed uniquely with the batch.
        Some(unsafe { MbufRef::from_raw_mut(raw.as_ptr()) })
    }

    /// The packets in order.
    #[inline(always)]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &MbufRef> + DoubleEndedIterator {
        // SAFETY: each owned and borrowed with the batch.
        self.raw().iter().map(|raw| unsafe { MbufRef::from_raw(raw.as_ptr()) })
    }

    /// The packets in order, to change.
    #[inline(always)]
    pub fn iter_mut(
        &mut self,
    ) -> impl ExactSizeIterator<Item = &mut MbufRef> + DoubleEndedIterator {
        // SAFETY: each is owned once, distinct, and borrowed uniquely with the batch.
        self.raw().iter().map(|raw| unsafe { MbufRef::from_raw_mut(raw.as_ptr()) })
    }

    /// Takes every packet out, in order. What the iterator does not give is freed.
    #[inline(always)]
    pub fn drain(&mut self) -> Drain<N> {
        Drain { batch: self.take(), next: 0 }
    }

    /// Moves as many packets as fit from the front of `other` to the end of this one; answers how many.
    #[inline]
    pub fn append<const M: usize>(&mut self, other: &mut Batch<M>) -> usize {
        let n = self.room().min(other.len);
        let end = self.len + n;
        self.slots[self.len..end].copy_from_slice(&other.slots[..n]);
        self.len = end;
        // SAFETY: the first n now belong to this batch; n <= other.len.
        unsafe { other.forget_front(n) };
        n
    }

    /// Frees the packets that `keep` declines, in one call; the others keep their order.
    #[inline]
    pub fn retain(&mut self, mut keep: impl FnMut(&mut MbufRef) -> bool) {
        let mut dropped = Self::empty();
        let all = self.take();
        for packet in all.into_iter() {
            let mut packet = packet;
            let into = if keep(&mut packet) { &mut *self } else { &mut dropped };
            // Neither can overflow: together they hold what one batch held.
            let _ = into.push(packet);
        }
    }

    /// Frees the first `n` packets (all when there are fewer), in one call.
    #[inline]
    pub fn free_front(&mut self, n: usize) {
        let n = n.min(self.len);
        if n != 0 {
            // SAFETY: the first n slots are owned mbufs, and forgotten below.
            unsafe { dpdk_sys::rte_pktmbuf_free_bulk(self.raw_mut(), n as u32) };
            // SAFETY: just given away.
            unsafe { self.forget_front(n) };
        }
    }

    /// Frees every packet.
    #[inline]
    pub fn clear(&mut self) {
        self.free_front(self.len);
    }

    /// Asks the CPU to fetch the data of packet `index`; no effect when there is none.
    #[inline(always)]
    pub fn prefetch_data(&self, index: usize) {
        if let Some(packet) = self.get(index) {
            packet.prefetch_data();
        }
    }
}

impl<const N: usize> Drop for Batch<N> {
    #[inline]
    fn drop(&mut self) {
        self.clear();
    }
}

impl<const N: usize> IntoIterator for Batch<N> {
    type Item = Mbuf;
    type IntoIter = Drain<N>;

    #[inline(always)]
    fn into_iter(self) -> Drain<N> {
        Drain { batch: self, next: 0 }
    }
}

impl<const N: usize> std::fmt::Debug for Batch<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// The packets of a batch, one owned packet at a time.
pub struct Drain<const N: usize> {
    // Slots before `next` were given away; the batch's own `len` still counts them.
    batch: Batch<N>,
    next: usize,
}

impl<const N: usize> Iterator for Drain<N> {
    type Item = Mbuf;

    #[inline(always)]
    fn next(&mut self) -> Option<Mbuf> {
        let raw = *self.batch.raw().get(self.next)?;
        self.next += 1;
        // SAFETY: the batch's own until now, and `next` is past it.
        Some(unsafe { Mbuf::from_raw(raw) })
    }

    #[inline(always)]
    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.batch.len - self.next;
        (left, Some(left))
    }
}

impl<const N: usize> ExactSizeIterator for Drain<N> {}

impl<const N: usize> Drop for Drain<N> {
    #[inline]
    fn drop(&mut self) {
        let given = self.next;
        // SAFETY: exactly the slots before `next` were given away.
        unsafe { self.batch.forget_front(given) };
    }
}

impl<const N: usize> std::fmt::Debug for Drain<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Drain").field("left", &self.len()).finish()
    }
}
