//! [`TxTable`]: one thread's way out. Packets for a port are collected and leave in one call, at the
//! end of a burst or when 32 have come together; with `tx-flush-interval` they wait longer for others.

use std::sync::Arc;

use weir_dpdk::{Batch, Mbuf};
use weir_flow::PortNo;

use crate::offload;
use crate::port::lane::TxLane;

/// Ports a datapath can have.
pub(crate) const MAX_PORTS: u32 = 1 << 16;

#[derive(Debug)]
struct TxPort {
    lane: Arc<TxLane>,
    buffer: Batch,
    /// [`TxTable::now`] when its first packet came.
    since: u64,
}

/// What left through a [`TxTable`].
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sent {
    pub(crate) packets: u64,
    pub(crate) batches: u64,
}

/// See the [module documentation](self).
#[derive(Debug)]
pub(crate) struct TxTable {
    /// By port number.
    ports: Vec<Option<Box<TxPort>>>,
    /// Ports with packets waiting.
    waiting: Vec<u32>,
    /// TSC of the burst under way; kept only while packets may wait longer than for its end.
    pub(crate) now: u64,
    offload: offload::Context,
    pub(crate) sent: Sent,
}

impl TxPort {
    #[inline]
    fn flush(&mut self, offload: &offload::Context, sent: &mut Sent) {
        sent.packets += self.lane.send(&mut self.buffer, offload);
        sent.batches += 1;
    }
}

impl TxTable {
    pub(crate) fn new(offload: offload::Context) -> Self {
        let waiting = Vec::with_capacity(64);
        Self { ports: Vec::new(), waiting, now: 0, offload, sent: Sent::default() }
    }

    /// Makes a port reachable, or replaces its lane.
    pub(crate) fn attach(&mut self, port: PortNo, lane: Arc<TxLane>) {
        if port.0 >= MAX_PORTS {
            return;
        }
        self.detach(port);
        let index = port.0 as usize;
        if self.ports.len() <= index {
            self.ports.resize_with(index + 1, || None);
        }
        self.ports[index] = Some(Box::new(TxPort { lane, buffer: Batch::new(), since: 0 }));
    }

    /// Sends what waits for a port and forgets it.
    pub(crate) fn detach(&mut self, port: PortNo) {
        self.flush();
        if let Some(place) = self.ports.get_mut(port.0 as usize) {
            *place = None;
        }
    }

    #[inline(always)]
    fn port(&mut self, port: PortNo) -> Option<&mut TxPort> {
        self.ports.get_mut(port.0 as usize)?.as_deref_mut()
    }

    /// Queues one packet; gives it back when there is no such port.
    #[inline(always)]
    pub(crate) fn push(&mut self, port: PortNo, packet: Mbuf) -> Result<(), Mbuf> {
        let Some(Some(tx)) = self.ports.get_mut(port.0 as usize) else {
            return Err(packet);
        };
        if tx.buffer.is_empty() {
            self.waiting.push(port.0);
            tx.since = self.now;
        } else if tx.buffer.is_full() {
            tx.flush(&self.offload, &mut self.sent);
        }
        // There is room now.
        let _ = tx.buffer.push(packet);
        Ok(())
    }

    /// Queues all packets of a batch; false, and the batch untouched, when there is no such port.
    #[inline(always)]
    pub(crate) fn append(&mut self, port: PortNo, batch: &mut Batch) -> bool {
        let Some(Some(tx)) = self.ports.get_mut(port.0 as usize) else {
            return false;
        };
        if tx.buffer.is_empty() {
            self.waiting.push(port.0);
            tx.since = self.now;
        }
        loop {
            tx.buffer.append(batch);
            if batch.is_empty() {
                return true;
            }
            tx.flush(&self.offload, &mut self.sent);
        }
    }

    /// Is there such a port?
    pub(crate) fn has(&mut self, port: PortNo) -> bool {
        self.port(port).is_some()
    }

    /// Sends what has waited this many TSC cycles.
    pub(crate) fn flush_due(&mut self, now: u64, longest: u64) {
        let Self { ports, waiting, offload, sent, .. } = self;
        waiting.retain(|port| {
            let Some(Some(tx)) = ports.get_mut(*port as usize) else {
                return false;
            };
            if now.wrapping_sub(tx.since) < longest {
                return true;
            }
            tx.flush(offload, sent);
            false
        });
    }

    /// Sends everything that waits.
    #[inline]
    pub(crate) fn flush(&mut self) {
        while let Some(port) = self.waiting.pop() {
            if let Some(Some(tx)) = self.ports.get_mut(port as usize)
                && !tx.buffer.is_empty()
            {
                tx.flush(&self.offload, &mut self.sent);
            }
        }
    }
}
