//! [`Pools`]: packet memory, one pool for all ports with buffers of the same size on a NUMA node.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use weir_dpdk::mempool::{DEFAULT_CACHE, data_room_for_mtu, mbufs_shared};
use weir_dpdk::{DpdkError, Eal, Mempool};

/// Packets of a pool on plain memory, which is not abundant.
const PLAIN_MBUFS: u32 = 16 * 1024;

/// Names must be new in the process.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// See the [module documentation](self).
#[derive(Debug)]
pub(crate) struct Pools {
    pools: BTreeMap<(u16, i32), Mempool>,
    /// Number of packets of each pool, instead of what OVS would take.
    mbufs: Option<u32>,
}

impl Pools {
    pub(crate) fn new(mbufs: Option<u32>) -> Self {
        Self { pools: BTreeMap::new(), mbufs }
    }

    /// The pool for frames of this MTU.
    pub(crate) fn for_mtu(&mut self, mtu: u16, numa: i32) -> Result<Mempool, DpdkError> {
        let data_room = data_room_for_mtu(u32::from(mtu));
        if let Some(pool) = self.pools.get(&(data_room, numa)) {
            return Ok(pool.clone());
        }
        let huge = Eal::get().is_some_and(|eal| matches!(eal.memory(), weir_dpdk::Memory::Huge));
        let default = if huge { mbufs_shared(u32::from(mtu)) } else { PLAIN_MBUFS };
        let n = self.mbufs.unwrap_or(default);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("ovs{number:08x}{numa:02}{mtu:05}");
        let pool = Mempool::create_shrinking(&name, n, data_room, DEFAULT_CACHE, numa)?;
        self.pools.insert((data_room, numa), pool.clone());
        Ok(pool)
    }
}
