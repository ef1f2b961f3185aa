//! IPv6 header and its extension headers (RFC 8200).

use super::cursor::Cursor;
use super::l4;
use super::layout::Layout;
use super::rewrite::{L4Checksum, blend, field};
use crate::flow::{FRAG_ANY, FRAG_LATER, Flow, eth_type};

/// Length of an IPv6 header without extensions.
pub(super) const IPV6_LEN: usize = 40;

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
pub(super) const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const DESTINATION: u8 = 60;

/// Why an IPv6 header was not taken whole.
pub(super) enum Stop {
    /// The header is cut short or claims more bytes than there are: no IP field is set.
    Header,
    /// An extension header is cut short: the flow has the addresses only.
    Extension,
}

/// Reads an IPv6 header and its extension headers, and stands behind them. A payload length of 0
/// means that nothing follows: jumbograms (RFC 2675) are not parsed beyond the header.
pub(super) fn parse(c: &mut Cursor<'_>, flow: &mut Flow, layout: &mut Layout) -> Result<(), Stop> {
    let h: &[u8; IPV6_LEN] = c.peek().ok_or(Stop::Header)?;
    let payload_len = usize::from(u16::from_be_bytes([h[4], h[5]]));
    if payload_len + IPV6_LEN > c.left() {
        return Err(Stop::Header);
    }
    c.trim(IPV6_LEN + payload_len);
    let [f0, f1, f2, f3, _, _, next, hlim, addresses @ ..] = h;
    let (src, dst) = addresses.split_first_chunk::<16>().ok_or(Stop::Header)?;
    c.skip(IPV6_LEN).ok_or(Stop::Header)?;
    flow.ipv6_src = *src;
    flow.ipv6_dst = *dst.first_chunk().ok_or(Stop::Header)?;

    let (proto, frag) = extensions(c, *next, layout).ok_or(Stop::Extension)?;
    let first = u32::from_be_bytes([*f0, *f1, *f2, *f3]);
    flow.ipv6_label = (first & 0x000f_ffff).into();
    flow.nw_tos = (first >> 20) as u8;
    flow.nw_ttl = *hlim;
    flow.nw_proto = proto;
    flow.nw_frag = frag;
    layout.ip_proto = proto;
    layout.frag = frag;
    Ok(())
}

/// Walks the extension headers. Gives the protocol they end in and `nw_frag`. The walk ends at a
/// later fragment, whose protocol is that of the fragment header itself: what it carries is not a
/// header.
fn extensions(c: &mut Cursor<'_>, mut proto: u8, layout: &mut Layout) -> Option<(u8, u8)> {
    let mut frag = 0;
    loop {
        if !matches!(proto, HOP_BY_HOP | ROUTING | DESTINATION | AUTHENTICATION | FRAGMENT) {
            return Some((proto, frag));
        }
        // Every extension header has at least these.
        let &[next, len, o0, o1, ..] = c.peek::<8>()?;
        let len = usize::from(len);
        match proto {
            FRAGMENT => {
                c.skip(8)?;
                let offset = u16::from_be_bytes([o0, o1]);
                if offset & 0xfff8 != 0 {
                    return Some((FRAGMENT, FRAG_ANY | FRAG_LATER));
                }
                if offset != 0 {
                    frag = FRAG_ANY;
                }
            }
            AUTHENTICATION => c.skip((len + 2) * 4)?,
            _ => {
                // o1 is the number of segments left.
                if proto == ROUTING && o1 != 0 {
                    layout.routing = u16::try_from(c.at()).unwrap_or(0);
                }
                c.skip((len + 1) * 8)?;
            }
        }
        proto = next;
    }
}

/// Rewrites addresses, traffic class, flow label and hop limit, with, for the addresses, the
/// transport checksum.
#[inline]
pub(super) fn set(
    packet: &mut [u8],
    layout: &Layout,
    value: &Flow,
    mask: &Flow,
    l4: L4Checksum,
) -> Option<()> {
    if layout.eth_type != eth_type::IPV6 || layout.l4().is_none() {
        return None;
    }
    let header: &mut [u8; IPV6_LEN] = field(packet, layout.l3()?, layout.end as usize)?;
    let (front, rest) = header.split_first_chunk_mut::<8>()?;
    let (src, rest) = rest.split_first_chunk_mut::<16>()?;
    let dst = rest.first_chunk_mut::<16>()?;
    let first =
        |f: &Flow| (u32::from(f.nw_tos) << 20 | f.ipv6_label.get() & 0x000f_ffff).to_be_bytes();
    blend(front.first_chunk_mut::<4>()?, first(value), first(mask));
    blend(front.last_chunk_mut::<1>()?, [value.nw_ttl], [mask.nw_ttl]);
    let (old_src, old_dst) = (*src, *dst);
    blend(src, value.ipv6_src, mask.ipv6_src);
    blend(dst, value.ipv6_dst, mask.ipv6_dst);
    let (new_src, new_dst) = (*src, *dst);
    if new_src != old_src {
        l4::pseudo_header_changed(packet, layout, &old_src, &new_src, l4);
    }
    if new_dst != old_dst && layout.routing == 0 {
        l4::pseudo_header_changed(packet, layout, &old_dst, &new_dst, l4);
    }
    Some(())
}
