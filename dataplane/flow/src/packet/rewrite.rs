//! Changes to packets: `set`, push and pop of VLAN tags and MPLS labels, with every checksum kept
//! right. The parts of each header are in that header's file.

use super::buf::{NoRoom, PacketBuf};
use super::layout::Layout;
use super::parse::{Metadata, parse};
use super::{arp, ethernet, ipv4, ipv6, l4, mpls, nd, nsh};
use crate::action::{Header, SetHeader};
use crate::drop_reason::DropReason;

/// State of a packet's transport checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum L4Checksum {
    /// The field holds the checksum.
    #[default]
    Complete,
    /// The field holds the folded sum of the pseudo header, not complemented; the egress port adds
    /// the rest.
    Partial,
}

/// Why a packet could not be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RewriteError {
    /// The packet has not the header that the action names, or not all of it.
    #[error("packet lacks the header to rewrite")]
    Mismatch,
    /// See [`NoRoom`].
    #[error(transparent)]
    NoRoom(#[from] NoRoom),
}

impl RewriteError {
    /// How the packet is counted if it is dropped for this.
    #[must_use]
    pub fn drop_reason(self) -> DropReason {
        match self {
            Self::Mismatch => DropReason::ActionMismatch,
            Self::NoRoom(_) => DropReason::NoBuffer,
        }
    }
}

/// Rewrites the masked bits of one header. `packet` is the packet or its first segment, `layout`
/// where its headers are.
///
/// [`Header::Tunnel`], [`Header::SkbPriority`] and [`Header::PktMark`] are not in the packet:
/// nothing happens here (see [`super::effect`]).
///
/// # Errors
/// [`RewriteError::Mismatch`]; the packet is unchanged then.
pub fn set(
    packet: &mut [u8],
    layout: &Layout,
    set: &SetHeader,
    checksum: L4Checksum,
) -> Result<(), RewriteError> {
    let (value, mask) = (&set.value, &set.mask);
    let done = match set.header {
        Header::Ethernet => ethernet::set(packet, value, mask),
        Header::Ipv4 => ipv4::set(packet, layout, value, mask, checksum),
        Header::Ipv6 => ipv6::set(packet, layout, value, mask, checksum),
        Header::Tcp | Header::Udp | Header::Sctp => {
            l4::set_ports(packet, layout, set.header, value, mask, checksum)
        }
        Header::Icmp | Header::Icmpv6 => {
            l4::set_icmp(packet, layout, set.header, value, mask, checksum)
        }
        Header::Arp => arp::set(packet, layout, value, mask),
        Header::Nd => nd::set(packet, layout, value, mask, checksum),
        Header::Mpls => mpls::set(packet, layout, value, mask),
        Header::Nsh => nsh::set(packet, layout, value, mask),
        Header::Tunnel | Header::SkbPriority | Header::PktMark => Some(()),
    };
    done.ok_or(RewriteError::Mismatch)
}

/// Pushes a VLAN tag; the presence bit of `tci` does not go into the packet. `layout` is kept
/// right.
///
/// # Errors
/// The packet has no Ethernet header, or there is no room; it is unchanged then.
pub fn push_vlan(
    buf: &mut impl PacketBuf,
    layout: &mut Layout,
    tpid: u16,
    tci: u16,
) -> Result<(), RewriteError> {
    ethernet::push_vlan(buf, tpid, tci)?;
    layout.shift(ethernet::VLAN_LEN as i32);
    Ok(())
}

/// Pops the outermost VLAN tag; a packet without one stays as it is. `layout` is kept right.
///
/// # Errors
/// The packet has no Ethernet header.
pub fn pop_vlan(buf: &mut impl PacketBuf, layout: &mut Layout) -> Result<(), RewriteError> {
    if ethernet::pop_vlan(buf)? {
        layout.shift(-(ethernet::VLAN_LEN as i32));
    }
    Ok(())
}

/// Pushes a label stack entry in front of the others, or of the network header, and sets the
/// Ethernet type. `layout` is kept right.
///
/// # Errors
/// The packet has no Ethernet header, or there is no room; it is unchanged then.
pub fn push_mpls(
    buf: &mut impl PacketBuf,
    layout: &mut Layout,
    ethertype: u16,
    lse: u32,
) -> Result<(), RewriteError> {
    mpls::push(buf, layout, ethertype, lse)?;
    locate(buf, layout);
    Ok(())
}

/// Pops the first label stack entry and sets the Ethernet type to that of what is behind it.
/// `layout` becomes that of the new packet.
///
/// # Errors
/// The packet has no label; it is unchanged then.
pub fn pop_mpls(
    buf: &mut impl PacketBuf,
    layout: &mut Layout,
    ethertype: u16,
) -> Result<(), RewriteError> {
    mpls::pop(buf, layout, ethertype)?;
    locate(buf, layout);
    Ok(())
}

/// Finds the headers anew.
fn locate(buf: &impl PacketBuf, layout: &mut Layout) {
    let md = Metadata { total_len: buf.total_len(), ..Metadata::default() };
    *layout = parse(buf.data(), &md).layout;
}

/// Writes the masked bits of `value` to `slot`.
pub(super) fn blend<const N: usize>(slot: &mut [u8; N], value: [u8; N], mask: [u8; N]) {
    for i in 0..N {
        slot[i] = slot[i] & !mask[i] | value[i] & mask[i];
    }
}

/// The `N` bytes at `at`, if they are before `end` and at hand.
pub(super) fn field<const N: usize>(
    packet: &mut [u8],
    at: usize,
    end: usize,
) -> Option<&mut [u8; N]> {
    if at + N > end {
        return None;
    }
    packet.get_mut(at..)?.first_chunk_mut()
}

#[cfg(test)]
mod tests;
