//! Transport headers: TCP (RFC 9293), UDP (RFC 768), SCTP (RFC 9260), ICMP (RFC 792), IGMP, ICMPv6
//! (RFC 4443).

use super::cursor::Cursor;
use super::layout::Layout;
use super::rewrite::{L4Checksum, blend, field};
use super::{checksum, crc32c, nd};
use crate::action::Header;
use crate::flow::{FRAG_LATER, Flow, eth_type, ip_proto};

/// Length of a TCP header without options.
pub(super) const TCP_LEN: usize = 20;
/// Length of a UDP header.
pub(super) const UDP_LEN: usize = 8;
/// Length of an SCTP common header.
pub(super) const SCTP_LEN: usize = 12;
/// Length of an ICMP, ICMPv6 or IGMP header.
pub(super) const ICMP_LEN: usize = 8;
/// The flags among data offset and flags of a TCP header.
pub(super) const TCP_FLAGS: u16 = 0x0fff;

/// Reads the transport header. `None` if it is cut short or its own length is not sound; the flow
/// then has no transport fields.
pub(super) fn parse(c: &mut Cursor<'_>, proto: u8, flow: &mut Flow) -> Option<()> {
    match proto {
        ip_proto::TCP => {
            let h: &[u8; TCP_LEN] = c.peek()?;
            let header_len = usize::from(h[12] >> 4) * 4;
            if header_len < TCP_LEN || header_len > c.left() {
                return None;
            }
            flow.tcp_flags = (u16::from_be_bytes([h[12], h[13]]) & TCP_FLAGS).into();
            flow_ports(flow, h);
        }
        ip_proto::UDP => flow_ports(flow, c.peek::<UDP_LEN>()?),
        ip_proto::SCTP => flow_ports(flow, c.peek::<SCTP_LEN>()?),
        ip_proto::ICMP | ip_proto::IGMP => {
            let &[kind, code, ..] = c.peek::<ICMP_LEN>()?;
            flow_type_code(flow, kind, code);
        }
        ip_proto::ICMPV6 => {
            let &[kind, code, _, _, reserved @ ..] = c.take::<ICMP_LEN>()?;
            flow_type_code(flow, kind, code);
            if matches!(kind, nd::SOLICIT | nd::ADVERT) && code == 0 {
                nd::parse(c, reserved, flow);
            }
        }
        _ => {}
    }
    Some(())
}

fn flow_ports<const N: usize>(flow: &mut Flow, header: &[u8; N]) {
    if let Some(&[s0, s1, d0, d1]) = header.first_chunk() {
        flow.tp_src = [s0, s1].into();
        flow.tp_dst = [d0, d1].into();
    }
}

fn flow_type_code(flow: &mut Flow, kind: u8, code: u8) {
    flow.tp_src = u16::from(kind).into();
    flow.tp_dst = u16::from(code).into();
}

/// What an IP packet carries, with a transport header at its start, to be rewritten.
pub(super) struct Segment<'a> {
    data: &'a mut [u8],
    /// Length, of which `data` may be only the first part.
    len: usize,
    proto: u8,
    is_ipv6: bool,
}

impl<'a> Segment<'a> {
    /// The packet's transport segment, if it is there and of this protocol. A later fragment has
    /// none.
    #[inline]
    pub(super) fn of(packet: &'a mut [u8], layout: &Layout, proto: u8) -> Option<Self> {
        if layout.ip_proto != proto || layout.frag & FRAG_LATER != 0 {
            return None;
        }
        let at = layout.l4()?;
        let len = (layout.end as usize).checked_sub(at)?;
        let data = packet.get_mut(at..)?;
        let at_hand = data.len().min(len);
        let data = data.get_mut(..at_hand)?;
        Some(Self { data, len, proto, is_ipv6: layout.eth_type == eth_type::IPV6 })
    }

    /// Bytes at hand.
    pub(super) fn field_len(&self) -> usize {
        self.data.len()
    }

    /// The `N` bytes at `at`, if they are at hand.
    pub(super) fn field<const N: usize>(&mut self, at: usize) -> Option<&mut [u8; N]> {
        field(self.data, at, self.data.len())
    }

    /// Writes the masked bits at `at`, an even number as `N` is, and adjusts the checksum.
    #[inline]
    pub(super) fn set<const N: usize>(
        &mut self,
        at: usize,
        value: [u8; N],
        mask: [u8; N],
        l4: L4Checksum,
    ) -> Option<()> {
        let slot = self.field::<N>(at)?;
        let old = *slot;
        blend(slot, value, mask);
        let new = *slot;
        if new != old && l4 == L4Checksum::Complete {
            self.adjust(at, &old, &new);
        }
        Some(())
    }

    /// Adjusts a complete checksum after `old`, at `at`, became `new`.
    fn adjust(&mut self, at: usize, old: &[u8], new: &[u8]) {
        if self.proto != ip_proto::SCTP {
            self.update_sum(|sum| checksum::update(sum, old, new));
            return;
        }
        // The checksum field counts as zero, the bytes before and behind the change do not matter.
        let mut diff = [0; 16];
        for (d, (o, n)) in diff.iter_mut().zip(old.iter().zip(new)) {
            *d = o ^ n;
        }
        let Some(behind) = self.len.checked_sub(at + old.len()) else { return };
        let Some(diff) = diff.get(..old.len()) else { return };
        let delta = crc32c::delta(diff, behind);
        if let Some(crc) = self.field::<4>(8) {
            *crc = (u32::from_le_bytes(*crc) ^ delta).to_le_bytes();
        }
    }

    /// Changes the Internet checksum. UDP may have none, which a checksum of zero says.
    fn update_sum(&mut self, change: impl FnOnce(u16) -> u16) {
        let udp = self.proto == ip_proto::UDP;
        let Some(slot) = self.checksum() else { return };
        let old = u16::from_be_bytes(*slot);
        if udp && old == 0 {
            return;
        }
        let new = change(old);
        *slot = if udp && new == 0 { [0xff; 2] } else { new.to_be_bytes() };
    }

    /// The place of the Internet checksum.
    fn checksum(&mut self) -> Option<&mut [u8; 2]> {
        let at = match self.proto {
            ip_proto::TCP => 16,
            ip_proto::UDP => 6,
            ip_proto::ICMP | ip_proto::ICMPV6 => 2,
            _ => return None,
        };
        self.field(at)
    }
}

/// Adjusts the transport checksum after `old` became `new` in the addresses of the IP header.
#[inline]
pub(super) fn pseudo_header_changed(
    packet: &mut [u8],
    layout: &Layout,
    old: &[u8],
    new: &[u8],
    l4: L4Checksum,
) {
    let Some(mut segment) = Segment::of(packet, layout, layout.ip_proto) else { return };
    let covered = match layout.ip_proto {
        ip_proto::TCP | ip_proto::UDP => true,
        ip_proto::ICMPV6 => segment.is_ipv6,
        _ => false,
    };
    if !covered {
        return;
    }
    match l4 {
        L4Checksum::Complete => segment.update_sum(|sum| checksum::update(sum, old, new)),
        L4Checksum::Partial => {
            if let Some(slot) = segment.checksum() {
                let sum = u16::from_be_bytes(*slot);
                *slot = checksum::replace(sum, old, new).to_be_bytes();
            }
        }
    }
}

/// Rewrites the ports of TCP, UDP or SCTP.
#[inline]
pub(super) fn set_ports(
    packet: &mut [u8],
    layout: &Layout,
    header: Header,
    value: &Flow,
    mask: &Flow,
    l4: L4Checksum,
) -> Option<()> {
    let (proto, len) = match header {
        Header::Tcp => (ip_proto::TCP, TCP_LEN),
        Header::Udp => (ip_proto::UDP, UDP_LEN),
        Header::Sctp => (ip_proto::SCTP, SCTP_LEN),
        _ => return None,
    };
    let mut segment = Segment::of(packet, layout, proto)?;
    if segment.field_len() < len {
        // A packet that ends within the header goes on as it is.
        return Some(());
    }
    segment.set(0, ports(value), ports(mask), l4)
}

fn ports(flow: &Flow) -> [u8; 4] {
    let ([s0, s1], [d0, d1]) = (flow.tp_src.to_bytes(), flow.tp_dst.to_bytes());
    [s0, s1, d0, d1]
}

/// Rewrites type and code of ICMP or ICMPv6.
pub(super) fn set_icmp(
    packet: &mut [u8],
    layout: &Layout,
    header: Header,
    value: &Flow,
    mask: &Flow,
    l4: L4Checksum,
) -> Option<()> {
    let proto = if header == Header::Icmp { ip_proto::ICMP } else { ip_proto::ICMPV6 };
    let mut segment = Segment::of(packet, layout, proto)?;
    segment.field::<ICMP_LEN>(0)?;
    let type_code = |f: &Flow| [f.tp_src.get() as u8, f.tp_dst.get() as u8];
    segment.set(0, type_code(value), type_code(mask), l4)
}
