//! The checksums a device would have written.

use weir_dpdk::MbufRef;
use weir_flow::flow::{FRAG_LATER, ip_proto};
use weir_flow::packet::{Layout, checksum, crc32c};

/// Completes the transport checksum of a packet in one piece, whose field holds the sum of the pseudo
/// header, and drops the wish for it. Nothing happens to packets without the header.
pub(crate) fn finish_checksum(packet: &mut MbufRef, layout: &Layout) {
    if let Some(data) = packet.data_mut() {
        finish_checksum_of(data, layout);
    }
    packet.clear_offloads();
}

/// [`finish_checksum`] for bytes.
pub(crate) fn finish_checksum_of(data: &mut [u8], layout: &Layout) {
    let end = (layout.end as usize).min(data.len());
    if let Some(segment) = layout.l4().and_then(|l4| data.get_mut(l4..end))
        && layout.frag & FRAG_LATER == 0
    {
        finish(segment, layout.ip_proto);
    }
}

/// Completes the checksum of a transport segment (header and payload).
fn finish(segment: &mut [u8], proto: u8) {
    let at = match proto {
        ip_proto::TCP => 16,
        ip_proto::UDP => 6,
        ip_proto::SCTP => {
            if let Some(field) = segment.get_mut(8..12) {
                field.fill(0);
                let crc = crc32c::crc32c(segment).to_le_bytes();
                if let Some(field) = segment.get_mut(8..12) {
                    field.copy_from_slice(&crc);
                }
            }
            return;
        }
        _ => return,
    };
    if segment.len() < at + 2 {
        return;
    }
    // The field's own content, the pseudo header, is part of the sum.
    let mut sum = !checksum::fold(checksum::add(0, segment));
    if sum == 0 && proto == ip_proto::UDP {
        sum = 0xffff;
    }
    if let Some(field) = segment.get_mut(at..at + 2) {
        field.copy_from_slice(&sum.to_be_bytes());
    }
}
