//! Ports of type `system` (also the empty type): the wire of a device that the kernel has already.

use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use netdev_linux::{PacketSocket, RecvFrame, SendFrame};
use smallvec::SmallVec;
use weir_dpdk::offload::tx;
use weir_dpdk::{Batch, Mbuf, Mempool};

use crate::port::received::Received;
use crate::port::tap::{MAX_FRAME, assemble};
use crate::port::vnet;

/// Frames asked of the kernel at once.
const FRAMES: usize = weir_dpdk::MAX_BURST;
/// Bytes the kernel may keep for the switch.
const RECEIVE_BUFFER: u32 = 4 << 20;

/// Opens the sockets of a device: one to receive by and one to send by, which different threads use.
pub(crate) fn open(
    name: &str,
    pool: &Mempool,
    received: &Arc<Received>,
) -> Result<(SystemRx, SystemTx), netdev_linux::NetdevError> {
    let mut rx = PacketSocket::open(name)?;
    rx.set_receive_buffer(RECEIVE_BUFFER)?;
    let mut tx = PacketSocket::open(name)?;
    // Nobody reads what it receives.
    tx.set_receive_buffer(0)?;
    tx.set_promiscuous(false)?;
    Ok((SystemRx::new(rx, pool.clone(), Arc::clone(received)), SystemTx { socket: tx }))
}

/// The receive side.
#[derive(Debug)]
pub(crate) struct SystemRx {
    socket: PacketSocket,
    pool: Mempool,
    /// Received into next.
    next: Batch,
    /// For each frame, what does not fit into one buffer.
    rest: Box<[u8]>,
    received: Arc<Received>,
}

impl SystemRx {
    fn new(socket: PacketSocket, pool: Mempool, received: Arc<Received>) -> Self {
        let rest = vec![0; MAX_FRAME * FRAMES].into_boxed_slice();
        Self { socket, pool, next: Batch::new(), rest, received }
    }

    /// Takes what the kernel has, at most as many frames as the batch has room for.
    pub(crate) fn receive(&mut self, batch: &mut Batch) -> usize {
        let wanted = batch.room().min(FRAMES);
        while self.next.len() < wanted {
            match self.pool.alloc() {
                // There is room.
                Some(packet) => drop(self.next.push(packet)),
                None => break,
            }
        }
        let mut lengths: SmallVec<[Frame; FRAMES]> = SmallVec::new();
        {
            let rests = self.rest.chunks_exact_mut(MAX_FRAME);
            let mut buffers: SmallVec<[[IoSliceMut<'_>; 2]; FRAMES]> = (self.next.iter_mut())
                .take(wanted)
                .zip(rests)
                .map(|(packet, rest)| [IoSliceMut::new(packet.spare_mut()), IoSliceMut::new(rest)])
                .collect();
            let mut frames: SmallVec<[RecvFrame<'_, '_>; FRAMES]> =
                buffers.iter_mut().map(|pair| RecvFrame::new(pair)).collect();
            let n = match self.socket.recv_batch(&mut frames) {
                Ok(n) => n,
                Err(error) => {
                    // One that is only down may come up again.
                    if error.is_gone() || !self.socket.exists() {
                        self.received.set_gone();
                    }
                    return 0;
                }
            };
            lengths.extend(frames.iter().take(n).map(|frame| Frame {
                len: frame.len,
                vnet: frame.vnet.ok().filter(|_| !frame.truncated),
                vlan: frame.vlan.map(netdev_linux::VlanTag::to_bytes),
            }));
        }
        if lengths.is_empty() {
            return 0;
        }
        let before = batch.len();
        let mut received = self.next.drain();
        for (frame, rest) in lengths.iter().zip(self.rest.chunks_exact(MAX_FRAME)) {
            let Some(packet) = received.next() else {
                break;
            };
            match frame.finish(packet, rest, &self.pool) {
                Some(packet) => {
                    self.received.count(1, u64::from(packet.len()));
                    // There is room.
                    let _ = batch.push(packet);
                }
                None => self.received.drop_one(),
            }
        }
        let mut unused = Batch::new();
        for packet in received {
            // As large as the batch it came from.
            let _ = unused.push(packet);
        }
        self.next = unused;
        batch.len() - before
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// What came in with a frame.
struct Frame {
    len: usize,
    vnet: Option<netdev_linux::VnetHeader>,
    vlan: Option<[u8; 4]>,
}

impl Frame {
    /// The packet, with its VLAN tag where it was on the wire; `None` if it makes no sense.
    fn finish(&self, mut packet: Mbuf, rest: &[u8], pool: &Mempool) -> Option<Mbuf> {
        let mut vnet = self.vnet?;
        assemble(&mut packet, self.len, rest, pool)?;
        if let Some(tag) = self.vlan {
            let addresses = *packet.data().first_chunk::<12>()?;
            packet.prepend(4)?;
            let data = packet.data_mut()?;
            data.first_chunk_mut::<12>()?.copy_from_slice(&addresses);
            data.get_mut(12..16)?.copy_from_slice(&tag);
            vnet = vnet.moved(4);
        }
        vnet::adopt(&mut packet, &vnet).then_some(packet)
    }
}

/// The transmit side.
#[derive(Debug)]
pub(crate) struct SystemTx {
    socket: PacketSocket,
}

impl SystemTx {
    /// What the kernel does on the way to the device.
    pub(crate) const fn offloads() -> u64 {
        tx::TCP_CKSUM | tx::UDP_CKSUM | tx::TCP_SEG
    }

    /// Sends packets from the front. Those the device refuses stay in the batch.
    pub(crate) fn send(&mut self, batch: &mut Batch) {
        let mut done = [false; FRAMES];
        {
            let parts: SmallVec<[SmallVec<[IoSlice<'_>; 2]>; FRAMES]> =
                batch.iter().map(|p| p.segments().map(IoSlice::new).collect()).collect();
            let frames: SmallVec<[SendFrame<'_, '_>; FRAMES]> = batch
                .iter()
                .zip(&parts)
                .map(|(p, buffers)| SendFrame { buffers, vnet: vnet::describe(p) })
                .collect();
            let mut at = 0;
            while let Some(rest) = frames.get(at..).filter(|rest| !rest.is_empty()) {
                match self.socket.send_batch(rest) {
                    Ok(0) => break,
                    Ok(n) => {
                        done.iter_mut().skip(at).take(n).for_each(|d| *d = true);
                        at += n;
                    }
                    Err(error) if error.is_gone() || error.is_down() => break,
                    // This one is not to the kernel's liking.
                    Err(_) => at += 1,
                }
            }
        }
        let mut refused = Batch::new();
        for (packet, done) in batch.drain().zip(done) {
            if !done {
                // As large as the batch it came from.
                let _ = refused.push(packet);
            }
        }
        batch.append(&mut refused);
    }
}
