//! Packet memory: pools of mbufs of one size.
//!
//! A pool is freed when its last handle is gone *and* every mbuf is back, whoever still holds some (a
//! device's transmit ring, a batch on another thread): until then it waits in a list that
//! [`sweep`] looks through.

use std::sync::{Arc, Mutex, PoisonError};

use dpdk_sys::{rte_mempool, rte_pktmbuf_pool_create};

use crate::batch::Batch;
use crate::eal::Eal;
use crate::error::{DpdkError, Errno, c_string};
use crate::mbuf::Mbuf;

/// Mbufs that a registered thread keeps for itself to allocate and free without contention.
pub const DEFAULT_CACHE: u32 = dpdk_sys::RTE_MEMPOOL_CACHE_MAX_SIZE;

/// Bytes before the data of a fresh packet, for headers to be pushed.
pub const HEADROOM: u16 = dpdk_sys::RTE_PKTMBUF_HEADROOM as u16;

/// Any NUMA node (`SOCKET_ID_ANY`).
pub const ANY_SOCKET: i32 = -1;

/// Smallest and largest pool that OVS makes when it shares one between ports of the same MTU.
pub const MIN_MBUFS: u32 = 4096 * 4;
/// See [`MIN_MBUFS`].
pub const MAX_MBUFS: u32 = 4096 * 64;

/// A pool of mbufs; clones are handles of the same pool.
#[derive(Clone)]
pub struct Mempool(Arc<Owner>);

struct Owner {
    raw: Raw,
    name: String,
    size: u32,
    data_room: u16,
    socket: i32,
}

#[derive(Clone, Copy)]
struct Raw(*mut rte_mempool);

// SAFETY: DPDK's pools are made for use from any thread; the ring behind is multi-producer,
// multi-consumer, and caches are per registered thread.
unsafe impl Send for Raw {}
// SAFETY: as above.
unsafe impl Sync for Raw {}

/// Pools whose owner is gone and that still wait for mbufs.
static WAITING: Mutex<Vec<Raw>> = Mutex::new(Vec::new());

impl Mempool {
    /// Makes a pool of `n_mbufs` packets of `data_room` bytes each (headroom included), with `cache`
    /// mbufs kept per registered thread, on NUMA node `socket` (or [`ANY_SOCKET`]).
    ///
    /// `name` must be new in this process and at most 25 bytes.
    ///
    /// # Errors
    /// Without an EAL, without memory, or when the name is taken.
    pub fn create(
        name: &str,
        n_mbufs: u32,
        data_room: u16,
        cache: u32,
        socket: i32,
    ) -> Result<Self, DpdkError> {
        Eal::get().ok_or(DpdkError::NotInitialised)?;
        sweep();
        let c_name = c_string(name)?;
        let cache = cache.min(DEFAULT_CACHE).min(n_mbufs * 2 / 3);
        // SAFETY: plain values and a string that outlives the call.
        let raw = unsafe {
            rte_pktmbuf_pool_create(c_name.as_ptr(), n_mbufs, cache, 0, data_room, socket)
        };
        if raw.is_null() {
            let cause = Errno::last();
            return Err(DpdkError::Mempool { name: name.to_owned(), n_mbufs, data_room, cause });
        }
        let name = name.to_owned();
        Ok(Self(Arc::new(Owner { raw: Raw(raw), name, size: n_mbufs, data_room, socket })))
    }

    /// As [`Self::create`], halving `n_mbufs` while memory does not suffice, down to [`MIN_MBUFS`]
    /// (or to `n_mbufs` if that is less). This is how OVS makes its pools.
    ///
    /// # Errors
    /// As [`Self::create`], for the smallest size tried.
    pub fn create_shrinking(
        name: &str,
        n_mbufs: u32,
        data_room: u16,
        cache: u32,
        socket: i32,
    ) -> Result<Self, DpdkError> {
        let mut n = n_mbufs;
        loop {
            match Self::create(name, n, data_room, cache, socket) {
                Err(DpdkError::Mempool { cause: Errno(libc::ENOMEM), .. })
                    if n / 2 >= MIN_MBUFS =>
                {
                    n /= 2;
                    log::warn!(target: "dpdk", "mempool {name}: out of memory, trying {n} mbufs");
                }
                result => return result,
            }
        }
    }

    #[inline(always)]
    pub(crate) fn as_ptr(&self) -> *mut rte_mempool {
        self.0.raw.0
    }

    /// An empty packet: headroom of [`HEADROOM`], no data, no flags. `None` when exhausted.
    #[inline]
    #[must_use]
    pub fn alloc(&self) -> Option<Mbuf> {
        // SAFETY: the pool is alive.
        let raw = unsafe { dpdk_sys::weir_pktmbuf_alloc(self.as_ptr()) };
        // SAFETY: freshly allocated for us.
        std::ptr::NonNull::new(raw).map(|raw| unsafe { Mbuf::from_raw(raw) })
    }

    /// Adds `n` empty packets to `batch`, or none: false when there is no room or the pool is
    /// exhausted.
    #[inline]
    #[must_use]
    pub fn alloc_bulk<const N: usize>(&self, batch: &mut Batch<N>, n: usize) -> bool {
        if n > batch.room() {
            return false;
        }
        let fill = |slots, _| {
            let n = n as u16;
            // SAFETY: the batch lends room for n slots; the pool is alive.
            let error =
                unsafe { dpdk_sys::weir_pktmbuf_alloc_bulk(self.as_ptr(), slots, u32::from(n)) };
            if error == 0 { n } else { 0 }
        };
        // SAFETY: DPDK writes all n mbufs or none.
        n == 0 || unsafe { batch.fill(fill) } == n
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Mbufs it was made with.
    #[must_use]
    pub fn size(&self) -> u32 {
        self.0.size
    }

    /// Bytes of each packet buffer, headroom included.
    #[must_use]
    pub fn data_room(&self) -> u16 {
        self.0.data_room
    }

    /// The NUMA node asked for.
    #[must_use]
    pub fn socket(&self) -> i32 {
        self.0.socket
    }

    /// Mbufs not in use, those in thread caches included. Walks all caches: not for the packet path.
    #[must_use]
    pub fn available(&self) -> u32 {
        // SAFETY: the pool is alive.
        unsafe { dpdk_sys::rte_mempool_avail_count(self.as_ptr()) }
    }

    /// Mbufs in use.
    #[must_use]
    pub fn in_use(&self) -> u32 {
        self.0.size.saturating_sub(self.available())
    }

    /// Whether both are handles of one pool.
    #[must_use]
    pub fn same_as(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// DPDK's own description, as `netdev-dpdk/get-mempool-info` prints it.
    #[must_use]
    pub fn dump(&self) -> String {
        // SAFETY: the pool is alive; the stream is lent for the call.
        crate::dump::to_string(|stream| unsafe {
            dpdk_sys::rte_mempool_dump(stream, self.as_ptr());
        })
    }
}

impl std::fmt::Debug for Mempool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mempool")
            .field("name", &self.0.name)
            .field("size", &self.0.size)
            .field("data_room", &self.0.data_room)
            .field("in_use", &self.in_use())
            .finish()
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        WAITING.lock().unwrap_or_else(PoisonError::into_inner).push(self.raw);
        sweep();
    }
}

/// Frees the pools whose handles are gone and whose mbufs are all back; answers how many still wait.
///
/// Runs with every creation and with the end of every pool, so calling it is never needed, only
/// tidy (after ports were removed, say).
pub fn sweep() -> usize {
    let mut waiting = WAITING.lock().unwrap_or_else(PoisonError::into_inner);
    waiting.retain(|pool| {
        // SAFETY: in the list, so alive; nobody can allocate from it any more, so a count of zero
        // is final.
        let in_use = unsafe { dpdk_sys::rte_mempool_in_use_count(pool.0) };
        if in_use == 0 {
            // SAFETY: no handle and no mbuf of it is left.
            unsafe { dpdk_sys::rte_mempool_free(pool.0) };
        }
        in_use != 0
    });
    waiting.len()
}

/// The list of every pool, as `netdev-dpdk/get-mempool-info` without a name prints it.
#[must_use]
pub fn dump_all() -> String {
    // SAFETY: the stream is lent for the call.
    crate::dump::to_string(|stream| unsafe { dpdk_sys::rte_mempool_list_dump(stream) })
}

/// What the size of a pool follows from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolDemand {
    /// Receive queues, and descriptors of each.
    pub n_rxq: u32,
    /// See `n_rxq`.
    pub rxq_size: u32,
    /// Transmit queues, and descriptors of each.
    pub n_txq: u32,
    /// See `n_txq`.
    pub txq_size: u32,
}

/// Mbufs for the pool of one port alone (`other_config:per-port-memory=true`): every descriptor of
/// every ring full, a burst in the hands of each polling thread, and [`MIN_MBUFS`] more.
#[must_use]
pub fn mbufs_per_port(demand: PoolDemand) -> u32 {
    let threads = demand.n_rxq.min(dpdk_sys::RTE_MAX_LCORE);
    let burst = crate::MAX_BURST as u32;
    (demand.n_rxq.saturating_mul(demand.rxq_size))
        .saturating_add(demand.n_txq.saturating_mul(demand.txq_size))
        .saturating_add(threads * burst)
        .saturating_add(MIN_MBUFS)
}

/// Mbufs for a pool that all ports of one MTU and NUMA node share (OVS's default): [`MAX_MBUFS`] up to
/// the standard MTU, [`MIN_MBUFS`] for larger frames.
#[must_use]
pub const fn mbufs_shared(mtu: u32) -> u32 {
    if mtu <= 1500 { MAX_MBUFS } else { MIN_MBUFS }
}

/// Bytes of a packet buffer for frames of this MTU: Ethernet header, two VLAN tags and CRC, rounded up
/// to 1,024, plus headroom. Capped at what an mbuf can have.
#[must_use]
pub const fn data_room_for_mtu(mtu: u32) -> u16 {
    let frame = mtu.saturating_add(14 + 2 * 4 + 4);
    let room = (frame.saturating_add(1023) / 1024).saturating_mul(1024);
    let room = room.saturating_add(HEADROOM as u32);
    if room > u16::MAX as u32 { u16::MAX } else { room as u16 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_follow_ovs() {
        assert_eq!(data_room_for_mtu(1500), 2048 + HEADROOM);
        assert_eq!(data_room_for_mtu(9000), 9216 + HEADROOM);
        assert_eq!(data_room_for_mtu(70_000), u16::MAX);
        let demand = PoolDemand { n_rxq: 2, rxq_size: 2048, n_txq: 3, txq_size: 2048 };
        assert_eq!(mbufs_per_port(demand), 5 * 2048 + 2 * 32 + 16384);
        assert_eq!((mbufs_shared(1500), mbufs_shared(1501)), (262_144, 16_384));
    }
}
