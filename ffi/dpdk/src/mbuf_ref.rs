//! The view of one packet that the packet path works on.
//!
//! An mbuf is a descriptor (lengths, offload flags) and a data buffer. [`MbufRef::clone_shared`] makes a
//! second descriptor over the *same* buffer, so a packet can go to several ports without a copy. The
//! rule that keeps this right is **copy on write**: while a buffer is shared nobody may change its
//! bytes. [`MbufRef::data_mut`], [`prepend`](MbufRef::prepend), [`append`](MbufRef::append) answer
//! `None` then, and the caller goes on with [`MbufRef::copy`]. Dropping bytes at either end
//! ([`adj`](MbufRef::adj), [`trim`](MbufRef::trim)), flags and lengths belong to the descriptor and
//! may always be changed.
//!
//! Everything here is inlined field access; the few calls into DPDK are marked *slow*.

use std::cell::UnsafeCell;
use std::marker::{PhantomData, PhantomPinned};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU16, Ordering};

use dpdk_sys::{rte_mbuf, weir_mbuf_offset as offset};

use crate::mbuf::Mbuf;
use crate::mempool::Mempool;
use crate::offload;
use crate::tx_lengths::TxLengths;

/// A packet somebody owns (an [`Mbuf`] or a [`Batch`](crate::Batch)). Never by value.
///
/// Descriptor fields are in host byte order. "Data" is the first segment, the only one unless a
/// device was configured for scattered reception or a port chained several.
#[repr(C)]
pub struct MbufRef {
    // No size of its own, so that a swap of two `&mut MbufRef` moves nothing.
    _descriptor: UnsafeCell<[u8; 0]>,
    _not_auto: PhantomData<(*mut u8, PhantomPinned)>,
}

/// Getter, and setter when named, of a plain descriptor field.
macro_rules! field {
    ($(#[$doc:meta])* $get:ident $(, $(#[$set_doc:meta])* $set:ident)? : $type:ty = $offset:ident) => {
        $(#[$doc])*
        #[inline(always)]
        #[must_use]
        pub fn $get(&self) -> $type {
            self.read(offset::$offset)
        }
        $(
            $(#[$set_doc])*
            #[inline(always)]
            pub fn $set(&mut self, value: $type) {
                self.write(offset::$offset, value);
            }
        )?
    };
}

impl MbufRef {
    /// # Safety
    /// `raw` must be a live mbuf, owned by whoever lends it for `'a`, and lent once.
    #[inline(always)]
    pub(crate) unsafe fn from_raw_mut<'a>(raw: *mut rte_mbuf) -> &'a mut Self {
        // SAFETY: by contract alive and unique; the pointee has no size and every alignment.
        unsafe { &mut *raw.cast::<Self>() }
    }

    /// # Safety
    /// `raw` must be a live mbuf whose owner does not change it for `'a`.
    #[inline(always)]
    pub(crate) unsafe fn from_raw<'a>(raw: *const rte_mbuf) -> &'a Self {
        // SAFETY: by contract alive; the pointee has no size and every alignment.
        unsafe { &*raw.cast::<Self>() }
    }

    /// The descriptor for C.
    #[inline(always)]
    pub(crate) const fn as_ptr(&self) -> *mut rte_mbuf {
        std::ptr::from_ref(self).cast_mut().cast()
    }

    #[inline(always)]
    fn read<T: Copy>(&self, offset: u32) -> T {
        // SAFETY: offsets and types come from DPDK's own struct, whose fields are initialised at
        // allocation; `self` is alive.
        unsafe { self.as_ptr().wrapping_byte_add(offset as usize).cast::<T>().read() }
    }

    #[inline(always)]
    fn write<T: Copy>(&mut self, offset: u32, value: T) {
        // SAFETY: as in `read`, and `&mut self` is the only user of the descriptor.
        unsafe { self.as_ptr().wrapping_byte_add(offset as usize).cast::<T>().write(value) }
    }

    #[inline(always)]
    fn refcnt_at(base: *mut u8, offset: u32) -> u16 {
        // SAFETY: callers pass a live descriptor or its shared-info block, both of which hold an
        // aligned 16-bit counter at that offset that C only changes atomically.
        let counter = unsafe { AtomicU16::from_ptr(base.wrapping_add(offset as usize).cast()) };
        // Pairs with the release of the other owners, so that their reads are over before our writes.
        counter.load(Ordering::Acquire)
    }

    field! {
        /// Offload flags ([`offload`]), and two bits of DPDK's own that say whose the buffer is.
        ol_flags: u64 = WEIR_MBUF_OL_FLAGS
    }
    field! {
        /// Bytes in the whole packet (all segments).
        len: u32 = WEIR_MBUF_PKT_LEN
    }
    field! {
        /// Bytes in the first segment, the length of [`Self::data`].
        data_len: u16 = WEIR_MBUF_DATA_LEN
    }
    field! {
        /// Number of segments, 1 for contiguous packets.
        nb_segs: u16 = WEIR_MBUF_NB_SEGS
    }
    field! {
        /// DPDK port the packet came in on, or whatever was set.
        port,
        /// Sets the port tag.
        set_port: u16 = WEIR_MBUF_PORT
    }
    field! {
        /// RSS hash; valid with [`offload::rx::RSS_HASH`]. Host byte order.
        rss_hash: u32 = WEIR_MBUF_HASH_RSS
    }
    field! {
        /// Packet type as the driver saw it (`RTE_PTYPE_*`), 0 for unknown.
        packet_type,
        /// Sets the packet type.
        set_packet_type: u32 = WEIR_MBUF_PACKET_TYPE
    }
    field! {
        /// Stripped VLAN tag (host byte order); valid with [`offload::rx::VLAN_STRIPPED`].
        vlan_tci,
        /// Sets the VLAN tag to insert ([`offload::tx::VLAN`]).
        set_vlan_tci: u16 = WEIR_MBUF_VLAN_TCI
    }
    field! {
        /// [`TxLengths`] in packed form.
        tx_offload,
        /// Sets [`TxLengths`] in packed form.
        set_tx_offload: u64 = WEIR_MBUF_TX_OFFLOAD
    }

    /// Whether the packet has no bytes.
    #[inline(always)]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Sets all offload flags; DPDK's ownership bits stay as they are.
    #[inline(always)]
    pub fn set_ol_flags(&mut self, flags: u64) {
        let owned = self.ol_flags() & OWNERSHIP_FLAGS;
        self.write(offset::WEIR_MBUF_OL_FLAGS, (flags & !OWNERSHIP_FLAGS) | owned);
    }

    /// Sets the RSS hash and the flag that it is valid.
    #[inline(always)]
    pub fn set_rss_hash(&mut self, hash: u32) {
        self.write(offset::WEIR_MBUF_HASH_RSS, hash);
        self.set_ol_flags(self.ol_flags() | offload::rx::RSS_HASH);
    }

    /// The RSS hash if the device gave one.
    #[inline(always)]
    #[must_use]
    pub fn valid_rss_hash(&self) -> Option<u32> {
        (self.ol_flags() & offload::rx::RSS_HASH != 0).then(|| self.rss_hash())
    }

    /// Header lengths for transmit offloads.
    #[inline(always)]
    #[must_use]
    pub fn tx_lengths(&self) -> TxLengths {
        TxLengths::unpack(self.tx_offload())
    }

    /// Sets the header lengths for transmit offloads, which must be those of this packet: a driver
    /// believes them.
    #[inline(always)]
    pub fn set_tx_lengths(&mut self, lengths: TxLengths) {
        self.set_tx_offload(lengths.pack());
    }

    /// Payload bytes of each segment that TSO makes; 0 without TSO.
    #[inline(always)]
    #[must_use]
    pub fn tso_segsz(&self) -> u16 {
        self.tx_lengths().tso_segsz
    }

    /// Sets the TSO segment size and leaves the header lengths.
    #[inline(always)]
    pub fn set_tso_segsz(&mut self, bytes: u16) {
        self.set_tx_lengths(TxLengths { tso_segsz: bytes, ..self.tx_lengths() });
    }

    /// Forgets every offload flag, hash and header length: the packet is plain bytes.
    #[inline(always)]
    pub fn clear_offloads(&mut self) {
        self.set_ol_flags(0);
        self.set_tx_offload(0);
    }

    /// References to the descriptor and its buffer: 1 unless there are shared clones.
    #[inline(always)]
    #[must_use]
    pub fn refcnt(&self) -> u16 {
        Self::refcnt_at(self.as_ptr().cast(), offset::WEIR_MBUF_REFCNT)
    }

    /// Whether other descriptors use this first segment's bytes, so that they must not change.
    #[inline(always)]
    #[must_use]
    pub fn is_shared(&self) -> bool {
        let flags = self.ol_flags() & OWNERSHIP_FLAGS;
        if flags == 0 { self.refcnt() != 1 } else { self.is_shared_foreign(flags) }
    }

    #[cold]
    fn is_shared_foreign(&self, flags: u64) -> bool {
        if flags & dpdk_sys::WEIR_MBUF_INDIRECT != 0 {
            return true;
        }
        let shared_info: *mut u8 = self.read(offset::WEIR_MBUF_SHINFO);
        shared_info.is_null() || Self::refcnt_at(shared_info, offset::WEIR_SHINFO_REFCNT) != 1
    }

    #[inline(always)]
    fn buf_addr(&self) -> *mut u8 {
        self.read(offset::WEIR_MBUF_BUF_ADDR)
    }

    #[inline(always)]
    fn data_off(&self) -> u16 {
        self.read(offset::WEIR_MBUF_DATA_OFF)
    }

    #[inline(always)]
    fn buf_len(&self) -> u16 {
        self.read(offset::WEIR_MBUF_BUF_LEN)
    }

    #[inline(always)]
    fn data_ptr(&self) -> *mut u8 {
        self.buf_addr().wrapping_add(usize::from(self.data_off()))
    }

    #[inline(always)]
    fn next(&self) -> *mut rte_mbuf {
        self.read(offset::WEIR_MBUF_NEXT)
    }

    /// Bytes free before the data.
    #[inline(always)]
    #[must_use]
    pub fn headroom(&self) -> usize {
        usize::from(self.data_off())
    }

    /// Bytes free after the data of the first segment.
    #[inline(always)]
    #[must_use]
    pub fn tailroom(&self) -> usize {
        usize::from(self.buf_len())
            .saturating_sub(usize::from(self.data_off()) + usize::from(self.data_len()))
    }

    /// The bytes of the first segment.
    #[inline(always)]
    #[must_use]
    pub fn data(&self) -> &[u8] {
        // SAFETY: drivers and this module keep data_off + data_len within the buffer; pool memory is
        // initialised; bytes of a shared buffer are never written (`writable`).
        unsafe { std::slice::from_raw_parts(self.data_ptr(), usize::from(self.data_len())) }
    }

    /// The bytes of the first segment to change in place; `None` while the buffer is shared: then
    /// [`copy`](Self::copy) it.
    #[inline(always)]
    #[must_use]
    pub fn data_mut(&mut self) -> Option<&mut [u8]> {
        if self.is_shared() {
            return None;
        }
        let len = usize::from(self.data_len());
        // SAFETY: as in `data`; and nobody else has the buffer, `&mut self` being its only owner.
        Some(unsafe { std::slice::from_raw_parts_mut(self.data_ptr(), len) })
    }

    /// Grows the packet at the front by `n` bytes and gives them (with their old content) to fill.
    /// `None`, and nothing changed, without headroom or while the buffer is shared.
    #[inline(always)]
    #[must_use]
    pub fn prepend(&mut self, n: usize) -> Option<&mut [u8]> {
        let headroom = self.data_off();
        let grow = u16::try_from(n).ok().filter(|&n| n <= headroom)?;
        let data_len = self.data_len().checked_add(grow)?;
        let len = self.len().checked_add(u32::from(grow))?;
        if self.is_shared() {
            return None;
        }
        self.write(offset::WEIR_MBUF_DATA_OFF, headroom - grow);
        self.write(offset::WEIR_MBUF_DATA_LEN, data_len);
        self.write(offset::WEIR_MBUF_PKT_LEN, len);
        // SAFETY: the new front lies in the buffer (n <= data_off), which nobody else has.
        Some(unsafe { std::slice::from_raw_parts_mut(self.data_ptr(), n) })
    }

    /// Drops `n` bytes at the front. False, and nothing changed, when the first segment is shorter.
    #[inline(always)]
    #[must_use]
    pub fn adj(&mut self, n: usize) -> bool {
        let Some(n) = u16::try_from(n).ok().filter(|&n| n <= self.data_len()) else {
            return false;
        };
        self.write(offset::WEIR_MBUF_DATA_OFF, self.data_off().wrapping_add(n));
        self.write(offset::WEIR_MBUF_DATA_LEN, self.data_len() - n);
        self.write(offset::WEIR_MBUF_PKT_LEN, self.len().wrapping_sub(u32::from(n)));
        true
    }

    /// Grows a packet of one segment at the back by `n` bytes and gives them (with their old content)
    /// to fill. `None`, and nothing changed, without tailroom, with several segments or while shared.
    #[inline(always)]
    #[must_use]
    pub fn append(&mut self, n: usize) -> Option<&mut [u8]> {
        if n > self.tailroom() || self.nb_segs() != 1 || self.is_shared() {
            return None;
        }
        let grow = u16::try_from(n).ok()?;
        let old = self.data_len();
        self.write(offset::WEIR_MBUF_DATA_LEN, old.checked_add(grow)?);
        self.write(offset::WEIR_MBUF_PKT_LEN, self.len().wrapping_add(u32::from(grow)));
        let tail = self.data_ptr().wrapping_add(usize::from(old));
        // SAFETY: n bytes of tailroom lie there in the buffer, which nobody else has.
        Some(unsafe { std::slice::from_raw_parts_mut(tail, n) })
    }

    /// Shortens the packet to `len` bytes at the back; frees the segments that lose all their bytes,
    /// except the first. No effect when it is not longer.
    pub fn truncate(&mut self, len: u32) {
        if len >= self.len() {
            return;
        }
        self.write(offset::WEIR_MBUF_PKT_LEN, len);
        let mut left = len;
        let mut kept = 0_u16;
        let mut segment: *mut rte_mbuf = self.as_ptr();
        while !segment.is_null() {
            // SAFETY: a segment of the chain that `&mut self` owns; one at a time.
            let this = unsafe { Self::from_raw_mut(segment) };
            let keep = u32::from(this.data_len()).min(left);
            left -= keep;
            kept += 1;
            this.write(offset::WEIR_MBUF_DATA_LEN, keep as u16);
            segment = this.next();
            if left == 0 && !segment.is_null() {
                this.write(offset::WEIR_MBUF_NEXT, std::ptr::null_mut::<rte_mbuf>());
                // SAFETY: the rest of the chain, just cut off; nobody else has it.
                unsafe { dpdk_sys::weir_pktmbuf_free(segment) };
                break;
            }
        }
        self.write(offset::WEIR_MBUF_NB_SEGS, kept);
    }

    /// Drops `n` bytes at the back. False, and nothing changed, when the packet is shorter.
    #[inline]
    #[must_use]
    pub fn trim(&mut self, n: u32) -> bool {
        let Some(len) = self.len().checked_sub(n) else {
            return false;
        };
        self.truncate(len);
        true
    }

    /// The whole tailroom of a packet of one segment, to read into before [`append`](Self::append)
    /// makes it part of the packet. Empty with several segments or while shared.
    #[inline]
    #[must_use]
    pub fn spare_mut(&mut self) -> &mut [u8] {
        let room = if self.nb_segs() != 1 || self.is_shared() { 0 } else { self.tailroom() };
        let tail = self.data_ptr().wrapping_add(usize::from(self.data_len()));
        // SAFETY: the tailroom lies in the buffer, which nobody else has.
        unsafe { std::slice::from_raw_parts_mut(tail, room) }
    }

    /// The bytes of every segment in order.
    #[inline]
    pub fn segments(&self) -> impl Iterator<Item = &[u8]> {
        let mut segment = Some(self);
        std::iter::from_fn(move || {
            let this = segment?;
            let next = this.next();
            // SAFETY: a segment of the chain that `self` is alive with.
            segment = (!next.is_null()).then(|| unsafe { Self::from_raw(next) });
            Some(this.data())
        })
    }

    /// Whether the whole packet is in [`data`](Self::data).
    #[inline(always)]
    #[must_use]
    pub fn is_contiguous(&self) -> bool {
        self.nb_segs() == 1
    }

    /// *Slow.* Moves every segment's bytes into the first. False when they do not fit there or the
    /// buffer is shared: then [`copy`](Self::copy) into a pool with larger buffers.
    #[must_use]
    pub fn linearize(&mut self) -> bool {
        // SAFETY: `&mut self` owns the chain; the first segment's buffer is nobody else's.
        self.is_contiguous()
            || (!self.is_shared()
                && unsafe { dpdk_sys::weir_pktmbuf_linearize(self.as_ptr()) } == 0)
    }

    /// *Slow.* A deep copy with bytes, flags, hash and lengths of its own, contiguous if a buffer of
    /// `pool` can hold it. `None` when the pool is exhausted.
    #[must_use]
    pub fn copy(&self, pool: &Mempool) -> Option<Mbuf> {
        // SAFETY: reads a live chain; the pool is alive.
        let raw = unsafe { dpdk_sys::rte_pktmbuf_copy(self.as_ptr(), pool.as_ptr(), 0, u32::MAX) };
        let raw = NonNull::new(raw)?;
        // SAFETY: freshly allocated for us.
        let mut copy = unsafe { Mbuf::from_raw(raw) };
        copy.set_tx_offload(self.tx_offload());
        Some(copy)
    }

    /// *Slow.* A second descriptor over the same bytes (see the module's copy on write rule), made in
    /// `pool`. `None` when the pool is exhausted.
    ///
    /// From here on both packets' bytes are read-only: until the clone is freed for the original, for
    /// good for the clone.
    #[must_use]
    pub fn clone_shared(&self, pool: &Mempool) -> Option<Mbuf> {
        // SAFETY: raises the counters of a live chain that this thread owns, and allocates from a
        // live pool.
        let raw = unsafe { dpdk_sys::rte_pktmbuf_clone(self.as_ptr(), pool.as_ptr()) };
        let raw = NonNull::new(raw)?;
        // SAFETY: freshly allocated for us.
        Some(unsafe { Mbuf::from_raw(raw) })
    }

    /// Asks the CPU to fetch the descriptor's first cache line.
    #[inline(always)]
    pub fn prefetch(&self) {
        prefetch(self.as_ptr().cast());
    }

    /// Asks the CPU to fetch the first cache line of the data (touches the descriptor).
    #[inline(always)]
    pub fn prefetch_data(&self) {
        prefetch(self.data_ptr());
    }
}

impl std::fmt::Debug for MbufRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mbuf")
            .field("len", &self.len())
            .field("segs", &self.nb_segs())
            .field("port", &self.port())
            .field("ol_flags", &format_args!("{:#x}", self.ol_flags()))
            .field("shared", &self.is_shared())
            .finish()
    }
}

const OWNERSHIP_FLAGS: u64 = dpdk_sys::WEIR_MBUF_INDIRECT | dpdk_sys::WEIR_MBUF_EXTERNAL;

/// Asks the CPU to fetch a cache line for reading soon. Any address will do.
#[inline(always)]
fn prefetch(address: *const u8) {
    #[cfg(target_arch = "x86_64")]
    {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a hint that never faults, on every x86-64 CPU.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast()) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}
