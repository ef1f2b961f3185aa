//! The virtqueues of a vhost-user socket, and the meeting of those who poll with DPDK's thread that
//! ends devices.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use crate::batch::Batch;
use crate::mempool::Mempool;
use crate::vhost::Shared;

/// Which way packets go, from the switch's side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the guest to the switch (odd virtqueues).
    Receive,
    /// From the switch to the guest (even virtqueues).
    Transmit,
}

impl Direction {
    /// Direction and queue pair of a virtqueue (Virtual I/O Device 1.1, 5.1.2).
    pub(crate) const fn of_vring(vring: u16) -> (Self, u16) {
        (if vring.is_multiple_of(2) { Self::Transmit } else { Self::Receive }, vring / 2)
    }

    const fn vring(self, queue: u16) -> u16 {
        queue * 2
            + match self {
                Self::Transmit => 0,
                Self::Receive => 1,
            }
    }
}

/// No device.
const NONE: i32 = -1;

/// The device behind a socket and its virtqueues.
pub(crate) struct Rings {
    /// DPDK's number of the device, or [`NONE`].
    vid: AtomicI32,
    rings: Box<[Ring]>,
    /// For the control thread's questions, which have no ring.
    control: Ring,
}

/// One virtqueue, on a cache line of its own.
#[derive(Default)]
#[repr(align(64))]
struct Ring {
    /// A burst (or question) is going on.
    busy: AtomicBool,
    /// The guest lets packets pass.
    enabled: AtomicBool,
    /// The queue's handle is out.
    taken: AtomicBool,
}

impl std::fmt::Debug for Rings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let enabled = self.rings.iter().filter(|ring| ring.enabled.load(Ordering::Relaxed)).count();
        f.debug_struct("Rings").field("vid", &self.vid()).field("enabled", &enabled).finish()
    }
}

impl Rings {
    pub(crate) fn new(queue_pairs: u16) -> Self {
        let rings = (0..2 * queue_pairs).map(|_| Ring::default()).collect();
        Self { vid: AtomicI32::new(NONE), rings, control: Ring::default() }
    }

    /// The device, for display: it may be gone already.
    pub(crate) fn vid(&self) -> Option<i32> {
        let vid = self.vid.load(Ordering::Acquire);
        (vid != NONE).then_some(vid)
    }

    pub(crate) fn device_up(&self, vid: i32) {
        self.vid.store(vid, Ordering::SeqCst);
    }

    /// From here on no burst sees the device, and none that did is left.
    ///
    /// `busy` and `vid` are accessed in one total order: a burst sets its flag and then looks at the
    /// device, this clears the device and then looks at the flags; one must see the other.
    pub(crate) fn device_down(&self) {
        self.vid.store(NONE, Ordering::SeqCst);
        for ring in self.rings.iter().chain([&self.control]) {
            while ring.busy.load(Ordering::SeqCst) {
                std::thread::yield_now();
            }
        }
    }

    /// Whether there is such a virtqueue and this changed it.
    pub(crate) fn set_enabled(&self, vring: u16, enabled: bool) -> bool {
        self.rings
            .get(usize::from(vring))
            .is_some_and(|ring| ring.enabled.swap(enabled, Ordering::Relaxed) != enabled)
    }

    pub(crate) fn is_enabled(&self, direction: Direction, queue: u16) -> bool {
        let vring = usize::from(direction.vring(queue));
        self.rings.get(vring).is_some_and(|ring| ring.enabled.load(Ordering::Relaxed))
    }

    pub(crate) fn disable_all(&self) {
        for ring in &self.rings {
            ring.enabled.store(false, Ordering::Relaxed);
        }
    }

    /// Asks `question` about the device while it cannot end; `None` without one. One caller at a
    /// time: others wait.
    pub(crate) fn with_device<R>(&self, question: impl FnOnce(i32) -> R) -> Option<R> {
        while self.control.taken.swap(true, Ordering::Acquire) {
            std::thread::yield_now();
        }
        let result = self.visit(&self.control, question);
        self.control.taken.store(false, Ordering::Release);
        result
    }

    /// The calling thread must be the only one to visit `ring`.
    #[inline(always)]
    fn visit<R>(&self, ring: &Ring, burst: impl FnOnce(i32) -> R) -> Option<R> {
        // Looks for the common case of no guest without a locked instruction.
        if self.vid.load(Ordering::Relaxed) == NONE {
            return None;
        }
        ring.busy.swap(true, Ordering::SeqCst);
        let guard = Visit(ring);
        let vid = self.vid.load(Ordering::SeqCst);
        let result = (vid != NONE).then(|| burst(vid));
        drop(guard);
        result
    }
}

/// Ends a visit, also when the burst panics.
struct Visit<'a>(&'a Ring);

impl Drop for Visit<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        self.0.busy.store(false, Ordering::Release);
    }
}

/// A claim on one virtqueue; there is one at a time.
#[derive(Debug)]
struct Handle {
    shared: Arc<Shared>,
    vring: u16,
}

impl Handle {
    fn take(shared: &Arc<Shared>, direction: Direction, queue: u16) -> Option<Self> {
        if queue >= crate::vhost::MAX_QUEUE_PAIRS {
            return None;
        }
        let vring = direction.vring(queue);
        let ring = shared.rings.rings.get(usize::from(vring))?;
        let was_free = !ring.taken.swap(true, Ordering::Acquire);
        was_free.then(|| Self { shared: Arc::clone(shared), vring })
    }

    #[inline(always)]
    fn ring(&self) -> &Ring {
        // `take` has looked.
        self.shared.rings.rings.get(usize::from(self.vring)).unwrap_or(&self.shared.rings.control)
    }

    #[inline(always)]
    fn visit<R>(&mut self, burst: impl FnOnce(i32) -> R) -> Option<R> {
        let ring = self.ring();
        if !ring.enabled.load(Ordering::Relaxed) {
            return None;
        }
        self.shared.rings.visit(ring, burst)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.ring().taken.store(false, Ordering::Release);
    }
}

/// A receive queue of a vhost-user socket: the guest's transmit ring. Usable from any thread.
#[derive(Debug)]
pub struct VhostRxQueue(Handle);

impl VhostRxQueue {
    pub(crate) fn take(shared: &Arc<Shared>, queue: u16) -> Option<Self> {
        Handle::take(shared, Direction::Receive, queue).map(Self)
    }

    /// Adds packets that the guest has sent to `batch`, copied into mbufs of `pool`; answers how many.
    #[inline(always)]
    pub fn rx_burst<const N: usize>(&mut self, pool: &Mempool, batch: &mut Batch<N>) -> usize {
        let vring = self.0.vring;
        let dequeue = |vid| {
            // SAFETY: the device cannot end during the visit; room for n mbufs; the pool is alive.
            let source = |slots, n| unsafe {
                dpdk_sys::rte_vhost_dequeue_burst(vid, vring, pool.as_ptr(), slots, n)
            };
            // SAFETY: writes as many mbufs as it answers and gives them away.
            unsafe { batch.fill(source) }
        };
        self.0.visit(dequeue).unwrap_or(0)
    }

    /// Packets that the guest has sent and that were not received yet.
    pub fn waiting(&mut self) -> u32 {
        let vring = self.0.vring;
        // SAFETY: the device cannot end during the visit.
        let count = |vid| unsafe { dpdk_sys::rte_vhost_rx_queue_count(vid, vring) };
        self.0.visit(count).unwrap_or(0)
    }

    /// Whether the guest lets packets pass.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.0.ring().enabled.load(Ordering::Relaxed)
    }
}

/// A transmit queue of a vhost-user socket: the guest's receive ring. Usable from any thread.
#[derive(Debug)]
pub struct VhostTxQueue(Handle);

impl VhostTxQueue {
    pub(crate) fn take(shared: &Arc<Shared>, queue: u16) -> Option<Self> {
        Handle::take(shared, Direction::Transmit, queue).map(Self)
    }

    /// Copies packets from the front of `batch` to the guest and frees them; answers how many. The
    /// others stay in the batch (the guest's ring is full, or there is no guest).
    #[inline(always)]
    pub fn tx_burst<const N: usize>(&mut self, batch: &mut Batch<N>) -> usize {
        let vring = self.0.vring;
        let n = batch.len();
        let slots = batch.raw_mut();
        let enqueue = |vid| {
            // SAFETY: the device cannot end during the visit; the first n slots are owned mbufs,
            // which are only read.
            unsafe { dpdk_sys::rte_vhost_enqueue_burst(vid, vring, slots, n as u16) }
        };
        let sent = self.0.visit(enqueue).map_or(0, usize::from).min(n);
        batch.free_front(sent);
        sent
    }

    /// Whether the guest lets packets pass.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.0.ring().enabled.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn virtqueues() {
        for vring in 0..256 {
            let (direction, queue) = Direction::of_vring(vring);
            assert_eq!(direction.vring(queue), vring);
        }
        assert_eq!(Direction::of_vring(3), (Direction::Receive, 1));
    }

    #[test]
    fn device_ends_only_between_bursts() {
        let rings = Rings::new(1);
        let live = AtomicBool::new(false);
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for ring in &rings.rings[..2] {
                let (rings, live, stop) = (&rings, &live, &stop);
                scope.spawn(move || {
                    while !stop.load(Ordering::Relaxed) {
                        rings.visit(ring, |vid| {
                            assert_eq!(vid, 5);
                            assert!(live.load(Ordering::SeqCst), "device is gone");
                            std::hint::spin_loop();
                            assert!(live.load(Ordering::SeqCst), "device went away");
                        });
                    }
                });
            }
            for _ in 0..2000 {
                live.store(true, Ordering::SeqCst);
                rings.device_up(5);
                rings.with_device(|vid| assert_eq!(vid, 5)).unwrap();
                rings.device_down();
                live.store(false, Ordering::SeqCst);
            }
            stop.store(true, Ordering::Relaxed);
        });
        assert!(rings.with_device(|_| ()).is_none());
    }
}
