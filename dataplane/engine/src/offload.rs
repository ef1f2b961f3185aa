//! Checksums and segmentation that a packet still wants, kept in its mbuf from wherever it came and
//! resolved once, at the port it leaves by.
//!
//! While a packet is inside the switch its offload flags are those of *transmission*:
//! - `TCP_CKSUM`, `UDP_CKSUM`, `SCTP_CKSUM`: the transport checksum is *partial*, its field holds the
//!   folded sum of the pseudo header;
//! - `TCP_SEG`, `UDP_SEG`: a super-packet, to be cut into pieces with `tso_segsz` bytes of payload.
//!
//! Header lengths in the mbuf are filled in only at the end, from the bytes as they are then.

mod gso;
mod software;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use weir_dpdk::offload::{rx, tx};
use weir_dpdk::{Mbuf, MbufRef, Mempool, TxLengths};
use weir_flow::DropReason;
use weir_flow::flow::{HOT_WORDS, eth_type, ip_proto};
use weir_flow::packet::{self, L4Checksum, Layout, Metadata, Shape};

/// Flags that say a packet wants something done before it leaves.
pub(crate) const WANTED: u64 = tx::L4_MASK | tx::TCP_SEG | tx::UDP_SEG | tx::IP_CKSUM;

/// Flags that say a packet is to be cut into pieces.
pub(crate) const SEGMENTATION: u64 = tx::TCP_SEG | tx::UDP_SEG;

/// How rewriting must treat a packet's transport checksum.
#[inline(always)]
pub(crate) fn l4_checksum(packet: &MbufRef) -> L4Checksum {
    if packet.ol_flags() & (tx::L4_MASK | SEGMENTATION) != 0 {
        L4Checksum::Partial
    } else {
        L4Checksum::Complete
    }
}

/// Turns what a virtual device says of a received packet (checksum not there, super-packet) into what
/// the packet wants on transmission, and forgets the rest.
#[inline(always)]
pub(crate) fn adopt_received(packet: &mut MbufRef) {
    const SPECIAL: u64 = rx::LRO | rx::L4_CKSUM_MASK;
    let flags = packet.ol_flags();
    if flags & rx::LRO != 0 || flags & SPECIAL == rx::L4_CKSUM_NONE {
        adopt_unfinished(packet);
    }
}

#[cold]
fn adopt_unfinished(packet: &mut MbufRef) {
    let flags = packet.ol_flags();
    let segsz = packet.tso_segsz();
    let layout = layout_of(packet);
    let want = match layout.ip_proto {
        ip_proto::TCP if flags & rx::LRO != 0 && segsz != 0 => tx::TCP_SEG | tx::TCP_CKSUM,
        ip_proto::UDP if flags & rx::LRO != 0 && segsz != 0 => tx::UDP_SEG | tx::UDP_CKSUM,
        ip_proto::TCP => tx::TCP_CKSUM,
        ip_proto::UDP => tx::UDP_CKSUM,
        ip_proto::SCTP => tx::SCTP_CKSUM,
        _ => 0,
    };
    let family = match layout.eth_type {
        eth_type::IPV4 => tx::IPV4,
        eth_type::IPV6 => tx::IPV6,
        _ => 0,
    };
    let want = if layout.l4().is_some() && family != 0 { want | family } else { 0 };
    packet.set_ol_flags(flags & rx::RSS_HASH | want);
    let tso_segsz = if want & SEGMENTATION != 0 { segsz } else { 0 };
    packet.set_tx_lengths(TxLengths { tso_segsz, ..TxLengths::default() });
}

/// Where the packet's headers are.
#[inline]
pub(crate) fn layout_of(packet: &MbufRef) -> Layout {
    let mut words = [0; HOT_WORDS];
    let len = packet.len() as usize;
    match packet::parse_hot_segmented(packet.data(), len, 0, &mut words) {
        Shape::Hot(layout) => layout,
        Shape::Full => full_layout_of(packet),
    }
}

#[cold]
fn full_layout_of(packet: &MbufRef) -> Layout {
    let md = Metadata { total_len: packet.len() as usize, ..Metadata::default() };
    packet::parse(packet.data(), &md).layout
}

/// The whole packet as plain bytes, with its transport checksum complete, for readers outside of the
/// packet path.
pub(crate) fn finished_bytes(packet: &MbufRef) -> Cow<'_, [u8]> {
    let partial = packet.ol_flags() & WANTED != 0;
    if packet.is_contiguous() && !partial {
        return Cow::Borrowed(packet.data());
    }
    let mut bytes = packet.segments().collect::<Vec<_>>().concat();
    if partial {
        let layout = layout_of(packet);
        software::finish_checksum_of(&mut bytes, &layout);
    }
    Cow::Owned(bytes)
}

/// What software needs to do a device's work.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    /// Where pieces and copies come from.
    pub(crate) pool: Mempool,
}

impl Context {
    /// Makes a packet fit for a device that can do `offloads` and sends frames of at most
    /// `max_frame` bytes (VLAN tags not counted): passes on the packet, or the pieces it was cut into.
    ///
    /// # Errors
    /// Why the packet (or the rest of its pieces) cannot be sent.
    pub(crate) fn resolve(
        &self,
        mut packet: Mbuf,
        offloads: u64,
        max_frame: u32,
        out: &mut dyn FnMut(Mbuf),
    ) -> Result<(), DropReason> {
        let flags = packet.ol_flags();
        let wanted = flags & WANTED;
        let layout = layout_of(&packet);
        if wanted & SEGMENTATION == 0 && packet.len() > max_frame + tag_bytes(&packet, &layout) {
            return Err(DropReason::TxMtuExceeded);
        }
        if wanted == 0 {
            out(packet);
            return Ok(());
        }
        if wanted & !offloads == 0 {
            set_lengths(&mut packet, &layout, wanted);
            out(packet);
            return Ok(());
        }
        if wanted & SEGMENTATION != 0 {
            return gso::segment(&packet, &layout, &self.pool, out);
        }
        let mut packet = self.private(packet)?;
        software::finish_checksum(&mut packet, &layout);
        out(packet);
        Ok(())
    }

    /// The packet in one piece of memory that nobody else reads.
    fn private(&self, mut packet: Mbuf) -> Result<Mbuf, DropReason> {
        if !packet.is_shared() && packet.linearize() {
            return Ok(packet);
        }
        packet = packet.copy(&self.pool).ok_or(DropReason::NoBuffer)?;
        if packet.is_contiguous() { Ok(packet) } else { Err(DropReason::NoBuffer) }
    }
}

/// Bytes of VLAN tags.
fn tag_bytes(packet: &MbufRef, layout: &Layout) -> u32 {
    match packet.data().get(12..14).and_then(|b| b.first_chunk()).map(|b| u16::from_be_bytes(*b)) {
        Some(eth_type::VLAN_8021Q | eth_type::VLAN_8021AD) => {
            // Without a network header there may be a second tag all the same.
            layout.l3().map_or(8, |l3| (l3 as u32).saturating_sub(14)).min(8)
        }
        _ => 0,
    }
}

/// Fills in header lengths for the device.
fn set_lengths(packet: &mut MbufRef, layout: &Layout, wanted: u64) {
    let (Some(l3), Some(l4)) = (layout.l3(), layout.l4()) else {
        return;
    };
    let l4_len = match layout.ip_proto {
        ip_proto::TCP => packet.data().get(l4 + 12).map_or(20, |b| (b >> 4) * 4),
        _ => 8,
    };
    let tso_segsz = if wanted & SEGMENTATION != 0 { packet.tso_segsz() } else { 0 };
    packet.set_tx_lengths(TxLengths {
        l2: u8::try_from(l3).unwrap_or(u8::MAX),
        l3: u16::try_from(l4 - l3.min(l4)).unwrap_or(u16::MAX),
        l4: l4_len,
        tso_segsz,
        ..TxLengths::default()
    });
}
