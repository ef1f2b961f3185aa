//! The full parser: any bytes in, a [`Flow`] out.
//!
//! What a truncated or lying header leaves zero is what Open vSwitch leaves zero: a field is set
//! only when everything before it is sound.

use super::cursor::Cursor;
use super::layout::Layout;
use super::{arp, ethernet, ipv4, ipv6, l4, mpls, nsh};
use crate::drop_reason::DropReason;
use crate::flow::{FRAG_LATER, Flow, MAX_VLANS, PT_ETH, eth_type};

/// What is known of a packet besides its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Metadata {
    /// Ingress port, as it shall stand in the flow.
    pub in_port: u32,
    /// Recirculation identifier.
    pub recirc_id: u32,
    /// Hash computed by a `hash` action, or 0.
    pub dp_hash: u32,
    /// `skb_priority`.
    pub skb_priority: u32,
    /// `pkt_mark`.
    pub pkt_mark: u32,
    /// [`PT_ETH`], or (namespace 1, Ethernet type) of a packet that starts with its network
    /// header.
    pub packet_type: u32,
    /// Most VLAN tags to parse (`other_config:vlan-limit`), at most [`MAX_VLANS`].
    pub vlan_limit: usize,
    /// Length of the packet when only its first segment is given; else 0.
    pub total_len: usize,
}

impl Default for Metadata {
    fn default() -> Self {
        Self {
            in_port: 0,
            recirc_id: 0,
            dp_hash: 0,
            skb_priority: 0,
            pkt_mark: 0,
            packet_type: PT_ETH,
            vlan_limit: MAX_VLANS,
            total_len: 0,
        }
    }
}

impl Metadata {
    /// A packet just received from a port.
    #[must_use]
    pub fn from_port(in_port: u32) -> Self {
        Self { in_port, ..Self::default() }
    }
}

/// The header at which parsing stopped because it is cut short or contradicts itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "names of the headers")]
pub enum Malformed {
    Ethernet,
    Arp,
    Nsh,
    Ipv4,
    Ipv6,
    Ipv6Extension,
    Transport,
}

impl Malformed {
    /// Must the packet be dropped? Only without an Ethernet header: tables may well match and
    /// forward what has a broken header further in, by the fields before it.
    #[must_use]
    pub fn drop_reason(self) -> Option<DropReason> {
        (self == Self::Ethernet).then_some(DropReason::InvalidPacket)
    }
}

/// A parsed packet.
#[derive(Clone, Copy, Debug)]
pub struct Parsed {
    /// What the packet says.
    pub flow: Flow,
    /// Where it says it.
    pub layout: Layout,
    /// Where parsing stopped, unless it came to its natural end.
    pub malformed: Option<Malformed>,
}

/// Parses a packet. Never fails; see [`Parsed::malformed`].
#[must_use]
pub fn parse(packet: &[u8], md: &Metadata) -> Parsed {
    let mut flow = Flow::ZERO;
    flow.in_port = md.in_port.into();
    flow.recirc_id = md.recirc_id.into();
    flow.dp_hash = md.dp_hash.into();
    flow.skb_priority = md.skb_priority.into();
    flow.pkt_mark = md.pkt_mark.into();
    flow.packet_type = md.packet_type.into();
    let (layout, malformed) = parse_into(packet, md.total_len, md.vlan_limit, &mut flow);
    Parsed { flow, layout, malformed }
}

/// Parses a packet into `flow`, whose packet headers must be zero; `packet_type`, ports, conntrack
/// and tunnel fields stay as they are. `total_len` and `vlan_limit` as in [`Metadata`].
pub fn parse_into(
    packet: &[u8],
    total_len: usize,
    vlan_limit: usize,
    flow: &mut Flow,
) -> (Layout, Option<Malformed>) {
    let mut cursor = Cursor::new(packet, total_len);
    let c = &mut cursor;
    let mut layout = Layout::default();
    let malformed = layers(c, vlan_limit, flow, &mut layout).err();
    layout.end = u32::try_from(c.end()).unwrap_or(u32::MAX);
    (layout, malformed)
}

fn layers(
    c: &mut Cursor<'_>,
    vlan_limit: usize,
    flow: &mut Flow,
    layout: &mut Layout,
) -> Result<(), Malformed> {
    let ty = match flow.packet_type.get() {
        PT_ETH => ethernet::parse(c, vlan_limit, flow).ok_or(Malformed::Ethernet)?,
        other => {
            // Namespace 1: the low half is the Ethernet type.
            let ty = other as u16;
            flow.dl_type = ty.into();
            ty
        }
    };
    layout.eth_type = ty;
    if matches!(ty, eth_type::MPLS | eth_type::MPLS_MCAST) {
        layout.set_l2_5(c.at());
        mpls::parse(c, flow);
    }
    layout.set_l3(c.at());
    match ty {
        eth_type::IPV4 => ipv4::parse(c, flow, layout).ok_or(Malformed::Ipv4)?,
        eth_type::IPV6 => ipv6::parse(c, flow, layout).map_err(|stop| match stop {
            ipv6::Stop::Header => Malformed::Ipv6,
            ipv6::Stop::Extension => Malformed::Ipv6Extension,
        })?,
        eth_type::ARP | eth_type::RARP => {
            return arp::parse(c, flow).ok_or(Malformed::Arp);
        }
        eth_type::NSH => return nsh::parse(c, flow).ok_or(Malformed::Nsh),
        _ => return Ok(()),
    }
    layout.set_l4(c.at());
    if flow.nw_frag & FRAG_LATER == 0 {
        l4::parse(c, flow.nw_proto, flow).ok_or(Malformed::Transport)?;
    }
    Ok(())
}
