//! [`Tx`]: one transmit queue of whatever kind of port. Dispatch is a `match`, once a burst.

use weir_dpdk::offload::{dev_tx, tx};
use weir_dpdk::{Batch, TxQueue};

use crate::port::dummy::DummyTx;

/// See the [module documentation](self).
#[derive(Debug)]
pub(crate) enum Tx {
    /// A DPDK device, and its `dev_tx` capabilities in use.
    Dpdk(TxQueue, u64),
    /// A dummy device.
    Dummy(DummyTx),
}

impl Tx {
    /// What the device does by itself, as packet flags (`weir_dpdk::offload::tx`).
    pub(crate) fn offloads(&self) -> u64 {
        match self {
            Self::Dpdk(_, capabilities) => packet_flags(*capabilities),
            Self::Dummy(_) => 0,
        }
    }

    /// Hands packets over, from the front; what the device has no room for stays in the batch.
    #[inline]
    pub(crate) fn send(&mut self, batch: &mut Batch) {
        match self {
            Self::Dpdk(queue, capabilities) => {
                if *capabilities & dev_tx::TCP_CKSUM != 0 {
                    // No effect on packets that want nothing.
                    queue.tx_prepare(batch);
                }
                while !batch.is_empty() && queue.tx_burst(batch) != 0 {}
            }
            Self::Dummy(dummy) => dummy.send(batch),
        }
    }
}

/// The packet flags that a device with these capabilities honours.
fn packet_flags(capabilities: u64) -> u64 {
    let checksums = dev_tx::TCP_CKSUM | dev_tx::UDP_CKSUM | dev_tx::IPV4_CKSUM;
    // The values of the L4 checksum flags overlap, so they are offered together or not at all.
    let mut flags = 0;
    if capabilities & checksums == checksums {
        flags |= tx::TCP_CKSUM | tx::UDP_CKSUM | tx::IP_CKSUM;
        if capabilities & dev_tx::SCTP_CKSUM != 0 {
            flags |= tx::SCTP_CKSUM;
        }
        if capabilities & dev_tx::TCP_TSO != 0 {
            flags |= tx::TCP_SEG;
        }
    }
    flags
}
