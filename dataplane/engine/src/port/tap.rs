//! Ports of types `tap` and `internal`: a tap device of the port's name, whose wire is the switch.

use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use netdev_linux::{Tap, TapFrame, TapOffloads};
use smallvec::SmallVec;
use weir_dpdk::offload::tx;
use weir_dpdk::{Batch, Mbuf, Mempool};

use crate::port::received::Received;
use crate::port::vnet;

/// Longest frame: 64 kB of IP, Ethernet header, tags.
pub(crate) const MAX_FRAME: usize = 64 * 1024 + 64;

/// Opens the device and asks the kernel to leave to the switch what the switch can leave to others.
pub(crate) fn open(name: &str) -> Result<Tap, netdev_linux::NetdevError> {
    let mut tap = Tap::open(name)?;
    tap.set_offloads(TapOffloads { checksum: true, tso: true, uso: true })?;
    Ok(tap)
}

/// Puts the bytes of a frame, the first of which are in `packet`'s spare room and the others in
/// `rest`, into the packet.
pub(crate) fn assemble(packet: &mut Mbuf, len: usize, rest: &[u8], pool: &Mempool) -> Option<()> {
    let first = packet.tailroom().min(len);
    packet.append(first)?;
    let more = len - first;
    if more != 0 {
        packet.chain(Mbuf::from_bytes(pool, rest.get(..more)?)?).ok()?;
    }
    Some(())
}

/// The receive side.
#[derive(Debug)]
pub(crate) struct TapRx {
    tap: Arc<Tap>,
    pool: Mempool,
    /// Received into next.
    next: Option<Mbuf>,
    /// What does not fit into one buffer.
    rest: Box<[u8]>,
    received: Arc<Received>,
}

impl TapRx {
    pub(crate) fn new(tap: Arc<Tap>, pool: Mempool, received: Arc<Received>) -> Self {
        let rest = vec![0; MAX_FRAME].into_boxed_slice();
        Self { tap, pool, next: None, rest, received }
    }

    /// Reads until the batch is full or nothing is left. Frames that make no sense are lost.
    pub(crate) fn receive(&mut self, batch: &mut Batch) -> usize {
        let before = batch.len();
        while !batch.is_full() {
            let Some(mut packet) = self.next.take().or_else(|| self.pool.alloc()) else {
                break;
            };
            let read = {
                let buffers =
                    &mut [IoSliceMut::new(packet.spare_mut()), IoSliceMut::new(&mut self.rest)];
                self.tap.read(buffers)
            };
            let (len, vnet, filled) = match read {
                Ok(Some(TapFrame { len, vnet, filled })) => (len, vnet, filled),
                other => {
                    self.next = Some(packet);
                    if other.is_err_and(|error| error.is_gone()) {
                        self.received.set_gone();
                    }
                    break;
                }
            };
            let whole = !filled && assemble(&mut packet, len, &self.rest, &self.pool).is_some();
            if whole && vnet.is_ok_and(|vnet| vnet::adopt(&mut packet, &vnet)) {
                self.received.count(1, len as u64);
                // There is room.
                let _ = batch.push(packet);
            } else {
                self.received.drop_one();
            }
        }
        batch.len() - before
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.tap.as_fd()
    }
}

/// The transmit side.
#[derive(Debug)]
pub(crate) struct TapTx {
    tap: Arc<Tap>,
}

impl TapTx {
    pub(crate) fn new(tap: Arc<Tap>) -> Self {
        Self { tap }
    }

    /// What the kernel does when it receives from a tap.
    pub(crate) fn offloads(&self) -> u64 {
        let uso = if self.tap.offloads().uso { tx::UDP_SEG } else { 0 };
        tx::TCP_CKSUM | tx::UDP_CKSUM | tx::TCP_SEG | uso
    }

    /// Writes packets from the front. Those the device refuses stay in the batch.
    pub(crate) fn send(&mut self, batch: &mut Batch) {
        let mut refused = Batch::new();
        for packet in batch.drain() {
            let buffers: SmallVec<[IoSlice<'_>; 4]> = packet.segments().map(IoSlice::new).collect();
            let header = vnet::describe(&packet);
            if !matches!(self.tap.write(&header, &buffers), Ok(true)) {
                drop(buffers);
                // As large as the batch it came from.
                let _ = refused.push(packet);
            }
        }
        batch.append(&mut refused);
    }
}
