//! [`TxLane`]: one transmit queue of a port. Threads that have a queue to themselves take its lock
//! without ever meeting anybody; threads that share one spin, never sleep.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, TryLockError};

use weir_dpdk::Batch;
use weir_flow::DropReason;

use crate::counters::{Counter, DropCounters};
use crate::offload;
use crate::port::tx::Tx;

/// Counters of one transmit queue; written by whoever holds its lock.
#[derive(Debug, Default)]
pub(crate) struct LaneCounters {
    pub(crate) packets: Counter,
    pub(crate) bytes: Counter,
    /// Packets the device did not take, or that must not leave by this port.
    pub(crate) drops: DropCounters,
}

/// See the [module documentation](self).
#[derive(Debug)]
pub(crate) struct TxLane {
    /// Nothing while the device is stopped.
    tx: Mutex<Option<Tx>>,
    /// What the device does by itself, `weir_dpdk::offload::tx` flags.
    offloads: AtomicU64,
    /// Longest frame in bytes, VLAN tags not counted; 0 while the port is down.
    max_frame: AtomicU32,
    pub(crate) counters: LaneCounters,
}

fn spin(lock: &Mutex<Option<Tx>>) -> MutexGuard<'_, Option<Tx>> {
    let mut turns = 0u32;
    loop {
        match lock.try_lock() {
            Ok(guard) => return guard,
            Err(TryLockError::Poisoned(poisoned)) => return poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {}
        }
        turns += 1;
        if turns < 10_000 {
            std::hint::spin_loop();
        } else {
            // Only when the holder lost its CPU.
            std::thread::yield_now();
        }
    }
}

impl TxLane {
    pub(crate) fn new(tx: Tx, max_frame: u32) -> Self {
        Self {
            offloads: AtomicU64::new(tx.offloads()),
            tx: Mutex::new(Some(tx)),
            max_frame: AtomicU32::new(max_frame),
            counters: LaneCounters::default(),
        }
    }

    /// Changes the longest frame; 0 takes the port down.
    pub(crate) fn set_max_frame(&self, bytes: u32) {
        self.max_frame.store(bytes, Ordering::Relaxed);
    }

    /// Takes the device's end of the queue away: it can be stopped. What is sent until
    /// [`Self::open`] is dropped.
    pub(crate) fn close(&self) {
        let tx = spin(&self.tx).take();
        drop(tx);
    }

    /// Gives a closed lane a queue again. Counters go on.
    pub(crate) fn open(&self, tx: Tx) {
        self.offloads.store(tx.offloads(), Ordering::Relaxed);
        *spin(&self.tx) = Some(tx);
    }

    /// Sends the packets, in order. What cannot be sent is dropped and counted. Answers how many
    /// were sent.
    pub(crate) fn send(&self, batch: &mut Batch, offload: &offload::Context) -> u64 {
        let max_frame = self.max_frame.load(Ordering::Relaxed);
        let mut flags = 0;
        let mut longest = 0;
        let mut bytes = 0;
        for packet in batch.iter() {
            flags |= packet.ol_flags();
            longest = longest.max(packet.len());
            bytes += u64::from(packet.len());
        }
        let mut tx = spin(&self.tx);
        let Some(tx) = &mut *tx else {
            return self.refuse(batch);
        };
        if longest > max_frame || flags & offload::WANTED != 0 {
            return self.send_uneven(tx, batch, max_frame, offload);
        }
        let wanted = batch.len();
        let sent = self.hand_over(tx, batch, bytes);
        debug_assert!(sent as usize <= wanted);
        sent
    }

    /// Gives a batch of packets, all fit to be sent, to the device.
    #[inline]
    fn hand_over(&self, tx: &mut Tx, batch: &mut Batch, bytes: u64) -> u64 {
        let wanted = batch.len() as u64;
        tx.send(batch);
        let left = batch.len() as u64;
        let mut left_bytes = 0;
        if left != 0 {
            left_bytes = batch.iter().map(|p| u64::from(p.len())).sum();
            self.counters.drops.add(DropReason::TxQueueFull, left);
            batch.clear();
        }
        self.counters.packets.add(wanted - left);
        self.counters.bytes.add(bytes - left_bytes);
        wanted - left
    }

    /// The same for batches with packets that are too long or want something done.
    #[cold]
    fn send_uneven(
        &self,
        tx: &mut Tx,
        batch: &mut Batch,
        max_frame: u32,
        offload: &offload::Context,
    ) -> u64 {
        if max_frame == 0 {
            return self.refuse(batch);
        }
        let drops = &self.counters.drops;
        let offloads = self.offloads.load(Ordering::Relaxed);
        let mut sent = 0;
        let mut fit = Batch::new();
        let mut flush = |fit: &mut Batch| {
            let bytes = fit.iter().map(|p| u64::from(p.len())).sum();
            sent += self.hand_over(tx, fit, bytes);
        };
        for packet in batch.drain() {
            let outcome = offload.resolve(packet, offloads, max_frame, &mut |piece| {
                if fit.is_full() {
                    flush(&mut fit);
                }
                // There is room now.
                let _ = fit.push(piece);
            });
            if let Err(reason) = outcome {
                drops.add(reason, 1);
            }
        }
        flush(&mut fit);
        sent
    }

    /// Drops everything: the port is down.
    #[cold]
    fn refuse(&self, batch: &mut Batch) -> u64 {
        self.counters.drops.add(DropReason::TxPortDown, batch.len() as u64);
        batch.clear();
        0
    }
}
