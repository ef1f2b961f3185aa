//! [`Tx`]: one transmit queue of whatever kind of port. Dispatch is a `match`, once a burst.

use weir_dpdk::offload::{dev_tx, tx};
use weir_dpdk::{Batch, TxQueue};

use crate::port::dummy::DummyTx;
use crate::port::system::SystemTx;
use crate::port::tap::TapTx;
use crate::port::vhost::VhostTx;

/// See the [module documentation](self).
#[derive(Debug)]
pub(crate) enum Tx {
    /// A DPDK device, and its `dev_tx` capabilities in use.
    Dpdk(TxQueue, u64),
    /// A guest.
    Vhost(VhostTx),
    /// A tap device.
    Tap(TapTx),
    /// A kernel device.
    System(Box<SystemTx>),
    /// A dummy device.
    Dummy(DummyTx),
}

impl Tx {
    /// What the device does by itself, as packet flags (`weir_dpdk::offload::tx`).
    pub(crate) fn offloads(&self) -> u64 {
        match self {
            Self::Dpdk(_, capabilities) => packet_flags(*capabilities),
            // Whether this guest negotiated it, librte_vhost looks after.
            Self::Vhost(_) => VhostTx::offloads(),
            Self::Tap(tap) => tap.offloads(),
            Self::System(_) => SystemTx::offloads(),
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
            Self::Vhost(vhost) => vhost.send(batch),
            Self::Tap(tap) => tap.send(batch),
            Self::System(system) => system.send(batch),
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
