//! [`Received`]: what a queue of a port without counters of its own has received.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::counters::Counter;

/// Written by the thread that polls the queue.
#[derive(Debug, Default)]
pub(crate) struct Received {
    packets: Counter,
    bytes: Counter,
    /// Packets that could not be taken as they were.
    dropped: Counter,
    /// The device is no more.
    gone: AtomicBool,
}

impl Received {
    #[inline]
    pub(crate) fn count(&self, packets: u64, bytes: u64) {
        self.packets.add(packets);
        self.bytes.add(bytes);
    }

    pub(crate) fn drop_one(&self) {
        self.dropped.add(1);
    }

    pub(crate) fn packets(&self) -> u64 {
        self.packets.get()
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.get()
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.get()
    }

    pub(crate) fn set_gone(&self) {
        self.gone.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Relaxed)
    }
}
