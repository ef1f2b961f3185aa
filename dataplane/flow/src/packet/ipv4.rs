//! IPv4 header (RFC 791).

use super::cursor::Cursor;
use super::layout::Layout;
use super::rewrite::{L4Checksum, field};
use super::{checksum, l4};
use crate::flow::{FRAG_ANY, FRAG_LATER, Flow, eth_type};

/// Length of an IPv4 header without options.
pub(super) const IPV4_LEN: usize = 20;
/// "More fragments", in the fragment offset field.
pub(super) const MORE_FRAGMENTS: u16 = 0x2000;
/// The fragment offset, in units of 8 bytes.
pub(super) const OFFSET_MASK: u16 = 0x1fff;

/// Reads an IPv4 header and stands behind it and its options, at the end of the packet's padding.
/// `None` if the header or a length in it is not sound; the flow then has no IP fields.
pub(super) fn parse(c: &mut Cursor<'_>, flow: &mut Flow, layout: &mut Layout) -> Option<()> {
    let h: &[u8; IPV4_LEN] = c.peek()?;
    let header_len = usize::from(h[0] & 0x0f) * 4;
    let total_len = usize::from(u16::from_be_bytes([h[2], h[3]]));
    if header_len < IPV4_LEN || total_len < header_len || total_len > c.left() {
        return None;
    }
    c.trim(total_len);
    c.skip(header_len)?;
    flow.nw_tos = h[1];
    flow.nw_ttl = h[8];
    flow.nw_proto = h[9];
    flow.nw_frag = frag(u16::from_be_bytes([h[6], h[7]]));
    flow.nw_src = [h[12], h[13], h[14], h[15]].into();
    flow.nw_dst = [h[16], h[17], h[18], h[19]].into();
    layout.frag = flow.nw_frag;
    layout.ip_proto = h[9];
    Some(())
}

/// `nw_frag` of a packet with this flags and offset field.
const fn frag(flags_offset: u16) -> u8 {
    if flags_offset & (MORE_FRAGMENTS | OFFSET_MASK) == 0 {
        0
    } else if flags_offset & OFFSET_MASK == 0 {
        FRAG_ANY
    } else {
        FRAG_ANY | FRAG_LATER
    }
}

/// Rewrites addresses, TOS and TTL, with the header's checksum and, for the addresses, that of the
/// transport header.
#[inline]
pub(super) fn set(
    packet: &mut [u8],
    layout: &Layout,
    value: &Flow,
    mask: &Flow,
    l4: L4Checksum,
) -> Option<()> {
    if layout.eth_type != eth_type::IPV4 || layout.l4().is_none() {
        return None;
    }
    let header: &mut [u8; IPV4_LEN] = field(packet, layout.l3()?, layout.end as usize)?;
    let old = *header;
    let at = |n: usize| u32::from_be_bytes([old[n], old[n + 1], old[n + 2], old[n + 3]]);
    let mut sum = u64::from(!u16::from_be_bytes([old[10], old[11]]));
    let mut changed = [0; 2];
    // The words with TOS, TTL and the addresses.
    for (n, value, mask) in [
        (0, u32::from(value.nw_tos) << 16, u32::from(mask.nw_tos) << 16),
        (8, u32::from(value.nw_ttl) << 24, u32::from(mask.nw_ttl) << 24),
        (12, value.nw_src.get(), mask.nw_src.get()),
        (16, value.nw_dst.get(), mask.nw_dst.get()),
    ] {
        let word = at(n);
        let new = word & !mask | value & mask;
        header[n..n + 4].copy_from_slice(&new.to_be_bytes());
        // RFC 1624, equation 3. The checksum field itself is in both and cancels out.
        sum += u64::from(!word) + u64::from(new);
        changed[n / 12] |= word ^ new;
    }
    if changed == [0; 2] {
        return Some(());
    }
    let sum = !checksum::fold_wide(sum);
    header[10..12].copy_from_slice(&sum.to_be_bytes());
    if changed[1] != 0 {
        let new = *header;
        l4::pseudo_header_changed(packet, layout, &old[12..], &new[12..], l4);
    }
    Some(())
}
