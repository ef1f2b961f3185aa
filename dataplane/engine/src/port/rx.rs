//! [`Rx`]: one receive queue of whatever kind of port. Dispatch is a `match`, once a burst.

use std::os::fd::BorrowedFd;

use weir_dpdk::{Batch, RxQueue};

use crate::offload;
use crate::port::dummy::DummyRx;
use crate::port::system::SystemRx;
use crate::port::tap::TapRx;
use crate::port::vhost::VhostRx;

/// How a queue wants to be looked after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Pace {
    /// Who adds a packet wakes the thread.
    Woken,
    /// Each look is a system call; a packet may wait a little.
    Kernel,
    /// To be polled all the time.
    Poll,
}

/// See the [module documentation](self).
#[derive(Debug)]
pub(crate) enum Rx {
    /// A DPDK device, and whether it says of packets what is left undone in them.
    Dpdk(RxQueue, bool),
    /// A guest.
    Vhost(VhostRx),
    /// A tap device.
    Tap(TapRx),
    /// A kernel device.
    System(Box<SystemRx>),
    /// A dummy device.
    Dummy(DummyRx),
}

impl Rx {
    /// Adds what has come in to an empty batch; answers how many.
    #[inline]
    pub(crate) fn receive(&mut self, batch: &mut Batch) -> usize {
        match self {
            Self::Dpdk(queue, tells) => {
                let n = queue.rx_burst(batch);
                if *tells {
                    batch.iter_mut().for_each(offload::adopt_received);
                }
                n
            }
            Self::Vhost(vhost) => vhost.receive(batch),
            Self::Tap(tap) => tap.receive(batch),
            Self::System(system) => system.receive(batch),
            Self::Dummy(dummy) => dummy.receive(batch),
        }
    }

    /// Packets of a guest that wait to be received; of other devices nobody knows.
    pub(crate) fn waiting(&mut self) -> Option<u32> {
        match self {
            Self::Vhost(vhost) => Some(vhost.waiting()),
            Self::Dpdk(..) | Self::Tap(_) | Self::System(_) | Self::Dummy(_) => None,
        }
    }

    /// How it wants to be looked after.
    pub(crate) fn pace(&self) -> Pace {
        match self {
            Self::Dpdk(..) | Self::Vhost(_) => Pace::Poll,
            Self::Tap(_) | Self::System(_) => Pace::Kernel,
            Self::Dummy(_) => Pace::Woken,
        }
    }

    /// What becomes readable when there are packets.
    pub(crate) fn fd(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Self::Tap(tap) => Some(tap.fd()),
            Self::System(system) => Some(system.fd()),
            Self::Dpdk(..) | Self::Vhost(_) | Self::Dummy(_) => None,
        }
    }

    /// Does each look cost a system call?
    #[inline]
    pub(crate) fn is_kernel(&self) -> bool {
        self.pace() == Pace::Kernel
    }

    /// Takes note that all packets received so far went through the switch.
    #[inline]
    pub(crate) fn processed(&mut self) {
        if let Self::Dummy(dummy) = self {
            dummy.processed();
        }
    }
}
