//! Receive and transmit queues of a running device: the packet path's side of [`EthDev`](crate::EthDev).

use std::sync::Arc;

use crate::batch::Batch;
use crate::port::Port;

/// A receive queue. There is one handle of each, which may live on any thread; the device cannot be
/// reconfigured or closed while it exists.
#[derive(Debug)]
pub struct RxQueue {
    port: u16,
    queue: u16,
    _lease: Arc<Port>,
}

impl RxQueue {
    pub(crate) const fn new(lease: Arc<Port>, port: u16, queue: u16) -> Self {
        Self { port, queue, _lease: lease }
    }

    /// Adds the packets that have come in to `batch`, as far as there is room; answers how many.
    #[inline(always)]
    pub fn rx_burst<const N: usize>(&mut self, batch: &mut Batch<N>) -> usize {
        let (port, queue) = (self.port, self.queue);
        // SAFETY: the port runs while the lease is held and no other handle of this queue exists.
        let receive = |slots, n| unsafe { dpdk_sys::weir_eth_rx_burst(port, queue, slots, n) };
        // SAFETY: the driver writes as many mbufs as it answers and gives them away.
        unsafe { batch.fill(receive) }
    }

    /// DPDK's port number.
    #[inline(always)]
    #[must_use]
    pub const fn port_id(&self) -> u16 {
        self.port
    }

    /// Its number at the port, from 0.
    #[inline(always)]
    #[must_use]
    pub const fn queue_id(&self) -> u16 {
        self.queue
    }
}

/// A transmit queue. There is one handle of each, which may live on any thread; the device cannot be
/// reconfigured or closed while it exists.
#[derive(Debug)]
pub struct TxQueue {
    port: u16,
    queue: u16,
    _lease: Arc<Port>,
}

impl TxQueue {
    pub(crate) const fn new(lease: Arc<Port>, port: u16, queue: u16) -> Self {
        Self { port, queue, _lease: lease }
    }

    /// Hands packets to the device, from the front; answers how many it took. The others stay in the
    /// batch: retry, or drop them with [`Batch::clear`].
    #[inline(always)]
    pub fn tx_burst<const N: usize>(&mut self, batch: &mut Batch<N>) -> usize {
        let n = batch.len();
        let n16 = n as u16;
        let slots = batch.raw_mut();
        // SAFETY: the port runs while the lease is held and no other handle of this queue exists;
        // the first n slots are owned mbufs.
        let sent = unsafe { dpdk_sys::weir_eth_tx_burst(self.port, self.queue, slots, n16) };
        let sent = usize::from(sent).min(n);
        // SAFETY: the device took exactly the first `sent`.
        unsafe { batch.forget_front(sent) };
        sent
    }

    /// Makes packets with transmit offloads ready for this device (pseudo-header checksums and
    /// limits); call before [`Self::tx_burst`] for batches that hold such packets. Answers how many
    /// from the front are fit to be sent: the next one, if any, cannot be sent by this device.
    #[inline]
    pub fn tx_prepare<const N: usize>(&mut self, batch: &mut Batch<N>) -> usize {
        let n = batch.len() as u16;
        let slots = batch.raw_mut();
        // SAFETY: as in `tx_burst`; packets are changed in place and stay ours.
        usize::from(unsafe { dpdk_sys::weir_eth_tx_prepare(self.port, self.queue, slots, n) })
    }

    /// DPDK's port number.
    #[inline(always)]
    #[must_use]
    pub const fn port_id(&self) -> u16 {
        self.port
    }

    /// Its number at the port, from 0.
    #[inline(always)]
    #[must_use]
    pub const fn queue_id(&self) -> u16 {
        self.queue
    }
}
