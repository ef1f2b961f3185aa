//! Dummy ports (types `dummy`, `dummy-internal`, `dummy-pmd`): packets come from a control command,
//! and leave into a capture file or nowhere.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crossbeam::queue::ArrayQueue;
use weir_dpdk::{Batch, Mbuf, Mempool};

use crate::capture::Capture;
use crate::offload;
use crate::port::ETHERNET_LEN;

/// Packets that may wait to be received, OVS's number.
const QUEUE_LEN: usize = 100;

/// Where a dummy port's packets are recorded; one file may serve both ways.
#[derive(Debug, Default)]
pub(crate) struct Captures {
    pub(crate) rx: Option<Arc<Mutex<Capture>>>,
    pub(crate) tx: Option<Arc<Mutex<Capture>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A dummy port: what its queues and its owner share.
#[derive(Debug)]
pub(crate) struct Dummy {
    waiting: ArrayQueue<Mbuf>,
    submitted: AtomicU64,
    processed: AtomicU64,
    rx_packets: AtomicU64,
    rx_bytes: AtomicU64,
    captures: Mutex<Captures>,
}

/// Why a packet was not taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InjectError {
    /// Its queue is full.
    #[error("the port's queue is full")]
    QueueFull,
    /// No packet buffer is left.
    #[error("no packet buffer is left")]
    NoBuffer,
    /// It was queued, and not processed in time.
    #[error("the packet was not processed in time")]
    Timeout,
    /// The port does not exist or is not a dummy port.
    #[error("no such dummy port")]
    NoPort,
}

impl Dummy {
    pub(crate) fn new(captures: Captures) -> Arc<Self> {
        Arc::new(Self {
            waiting: ArrayQueue::new(QUEUE_LEN),
            submitted: AtomicU64::new(0),
            processed: AtomicU64::new(0),
            rx_packets: AtomicU64::new(0),
            rx_bytes: AtomicU64::new(0),
            captures: Mutex::new(captures),
        })
    }

    pub(crate) fn set_captures(&self, captures: Captures) {
        *lock(&self.captures) = captures;
    }

    /// Lets a packet come in; answers the number to [`wait`](Self::wait) for.
    pub(crate) fn inject(&self, pool: &Mempool, bytes: &[u8]) -> Result<u64, InjectError> {
        let packet = Mbuf::from_bytes(pool, bytes).ok_or(InjectError::NoBuffer)?;
        // Counted first, so that `processed` never overtakes it.
        let number = self.submitted.fetch_add(1, Ordering::AcqRel) + 1;
        if self.waiting.push(packet).is_err() {
            self.submitted.fetch_sub(1, Ordering::AcqRel);
            return Err(InjectError::QueueFull);
        }
        self.rx_packets.fetch_add(1, Ordering::Relaxed);
        self.rx_bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        let rx = lock(&self.captures).rx.clone();
        if let Some(capture) = rx {
            let mut capture = lock(&capture);
            capture.packet(bytes);
            capture.flush();
        }
        Ok(number)
    }

    /// Waits until the packet with this number, and all before it, went through the switch.
    pub(crate) fn wait(&self, number: u64) -> Result<(), InjectError> {
        for _ in 0..50_000 {
            if self.processed.load(Ordering::Acquire) >= number {
                return Ok(());
            }
            std::thread::sleep(Duration::from_micros(20));
        }
        Err(InjectError::Timeout)
    }

    /// Packets and bytes received.
    pub(crate) fn received(&self) -> (u64, u64) {
        (self.rx_packets.load(Ordering::Relaxed), self.rx_bytes.load(Ordering::Relaxed))
    }
}

/// The receive side.
#[derive(Debug)]
pub(crate) struct DummyRx {
    port: Arc<Dummy>,
    taken: u64,
}

impl DummyRx {
    pub(crate) fn new(port: Arc<Dummy>) -> Self {
        Self { port, taken: 0 }
    }

    pub(crate) fn receive(&mut self, batch: &mut Batch) -> usize {
        let mut n = 0;
        while !batch.is_full()
            && let Some(packet) = self.port.waiting.pop()
        {
            // There is room.
            let _ = batch.push(packet);
            n += 1;
        }
        self.taken += n as u64;
        n
    }

    pub(crate) fn processed(&mut self) {
        if self.taken != 0 {
            self.port.processed.fetch_add(self.taken, Ordering::AcqRel);
            self.taken = 0;
        }
    }
}

/// The transmit side: records and forgets.
#[derive(Debug)]
pub(crate) struct DummyTx {
    port: Arc<Dummy>,
}

impl DummyTx {
    pub(crate) fn new(port: Arc<Dummy>) -> Self {
        Self { port }
    }

    pub(crate) fn send(&mut self, batch: &mut Batch) {
        // What was cut to less than an Ethernet header is no frame, as for OVS's dummies.
        batch.retain(|packet| packet.len() >= ETHERNET_LEN);
        let tx = lock(&self.port.captures).tx.clone();
        if let Some(capture) = tx {
            let mut capture = lock(&capture);
            for packet in batch.iter() {
                capture.packet(&offload::finished_bytes(packet));
            }
            capture.flush();
        }
        batch.clear();
    }
}
