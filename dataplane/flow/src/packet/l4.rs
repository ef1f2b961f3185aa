//! Transport headers: TCP (RFC 9293), UDP (RFC 768), SCTP (RFC 9260), ICMP (RFC 792), IGMP, ICMPv6
//! (RFC 4443).

use super::cursor::Cursor;
use super::nd;
use crate::flow::{Flow, ip_proto};

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
            set_ports(flow, h);
        }
        ip_proto::UDP => set_ports(flow, c.peek::<UDP_LEN>()?),
        ip_proto::SCTP => set_ports(flow, c.peek::<SCTP_LEN>()?),
        ip_proto::ICMP | ip_proto::IGMP => {
            let &[kind, code, ..] = c.peek::<ICMP_LEN>()?;
            set_type_code(flow, kind, code);
        }
        ip_proto::ICMPV6 => {
            let &[kind, code, _, _, reserved @ ..] = c.take::<ICMP_LEN>()?;
            set_type_code(flow, kind, code);
            if matches!(kind, nd::SOLICIT | nd::ADVERT) && code == 0 {
                nd::parse(c, reserved, flow);
            }
        }
        _ => {}
    }
    Some(())
}

fn set_ports<const N: usize>(flow: &mut Flow, header: &[u8; N]) {
    if let Some(&[s0, s1, d0, d1]) = header.first_chunk() {
        flow.tp_src = [s0, s1].into();
        flow.tp_dst = [d0, d1].into();
    }
}

fn set_type_code(flow: &mut Flow, kind: u8, code: u8) {
    flow.tp_src = u16::from(kind).into();
    flow.tp_dst = u16::from(code).into();
}
