//! virtio-net headers of kernel devices, to and from what an mbuf says a packet still wants.

use netdev_linux::{Checksum, Gso, GsoKind, VnetHeader};
use weir_dpdk::offload::tx;
use weir_dpdk::{MbufRef, TxLengths};
use weir_flow::flow::{eth_type, ip_proto};
use weir_flow::packet::checksum;

use crate::offload;

const TCP_CWR: u8 = 0x80;

/// Notes in the packet what its sender left undone. False when that cannot be done and the packet
/// must be dropped.
#[must_use]
pub(crate) fn adopt(packet: &mut MbufRef, vnet: &VnetHeader) -> bool {
    if vnet.is_plain() {
        return true;
    }
    let Checksum::Partial { start, offset } = vnet.checksum else {
        // Pieces of a packet without a place for their checksum: nobody sends that.
        return false;
    };
    let layout = offload::layout_of(packet);
    let family = match layout.eth_type {
        eth_type::IPV4 => tx::IPV4,
        eth_type::IPV6 => tx::IPV6,
        _ => 0,
    };
    let (checksum, place) = match layout.ip_proto {
        ip_proto::TCP => (tx::TCP_CKSUM, 16),
        ip_proto::UDP => (tx::UDP_CKSUM, 6),
        _ => (0, 0),
    };
    let outer = layout.l4() == Some(usize::from(start)) && offset == place;
    if !outer || family == 0 || checksum == 0 {
        // A checksum further in (a tunnel's payload): there is no telling later where it was.
        return vnet.gso.is_none() && finish(packet, start.into(), offset.into());
    }
    let (flags, tso_segsz) = match vnet.gso {
        None => (checksum, 0),
        Some(Gso { kind: GsoKind::TcpV4 | GsoKind::TcpV6, size, .. }) => {
            (checksum | tx::TCP_SEG, size)
        }
        Some(Gso { kind: GsoKind::UdpDatagrams, size, .. }) => (checksum | tx::UDP_SEG, size),
        Some(Gso { kind: GsoKind::UdpFragments, .. }) => return false,
    };
    packet.set_ol_flags(flags | family);
    packet.set_tx_lengths(TxLengths { tso_segsz, ..TxLengths::default() });
    true
}

/// Fills in the checksum from `start` to the end, whose field is `offset` further.
fn finish(packet: &mut MbufRef, start: usize, offset: usize) -> bool {
    if !packet.linearize() {
        return false;
    }
    let Some(bytes) = packet.data_mut().and_then(|data| data.get_mut(start..)) else {
        return false;
    };
    let sum = !checksum::fold(checksum::add(0, bytes));
    let sum = if sum == 0 { 0xffff } else { sum };
    match bytes.get_mut(offset..offset + 2) {
        Some(field) => {
            field.copy_from_slice(&sum.to_be_bytes());
            true
        }
        None => false,
    }
}

/// What the packet wants, for the kernel to do. Header lengths must be set.
pub(crate) fn describe(packet: &MbufRef) -> VnetHeader {
    let flags = packet.ol_flags();
    if flags & offload::WANTED == 0 {
        return VnetHeader::NONE;
    }
    let lengths = packet.tx_lengths();
    let start = u16::from(lengths.l2) + lengths.l3;
    let tcp = flags & tx::L4_MASK == tx::TCP_CKSUM;
    let v6 = flags & tx::IPV6 != 0;
    let gso = (flags & offload::SEGMENTATION != 0).then(|| Gso {
        kind: match (tcp, v6) {
            (true, false) => GsoKind::TcpV4,
            (true, true) => GsoKind::TcpV6,
            (false, _) => GsoKind::UdpDatagrams,
        },
        ecn: tcp
            && packet.data().get(usize::from(start) + 13).is_some_and(|flags| flags & TCP_CWR != 0),
        size: lengths.tso_segsz,
    });
    VnetHeader {
        checksum: Checksum::Partial { start, offset: if tcp { 16 } else { 6 } },
        gso,
        hdr_len: start + u16::from(lengths.l4),
    }
}
