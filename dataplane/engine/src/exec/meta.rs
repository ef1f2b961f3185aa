//! [`PacketMeta`]: what the switch knows of a packet that is not in its bytes.

use weir_flow::Flow;
use weir_flow::packet::Metadata;

/// Travels with a packet through its actions and recirculations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PacketMeta {
    pub(crate) in_port: u32,
    pub(crate) recirc_id: u32,
    pub(crate) dp_hash: u32,
    pub(crate) skb_priority: u32,
    pub(crate) pkt_mark: u32,
    /// Bytes that the next output leaves out at the end. Headers pushed in between do not count.
    pub(crate) cut: u32,
    /// Recirculations so far.
    pub(crate) passes: u8,
}

impl PacketMeta {
    /// A packet fresh from a port.
    #[inline(always)]
    pub(crate) fn from_port(in_port: u32) -> Self {
        Self { in_port, ..Self::default() }
    }

    /// What an injected packet's flow says.
    pub(crate) fn from_flow(flow: &Flow) -> Self {
        Self {
            in_port: flow.in_port.get(),
            recirc_id: flow.recirc_id.get(),
            dp_hash: flow.dp_hash.get(),
            skb_priority: flow.skb_priority.get(),
            pkt_mark: flow.pkt_mark.get(),
            cut: 0,
            passes: 0,
        }
    }

    /// Writes it into a flow.
    pub(crate) fn fill(&self, flow: &mut Flow) {
        flow.in_port = self.in_port.into();
        flow.recirc_id = self.recirc_id.into();
        flow.dp_hash = self.dp_hash.into();
        flow.skb_priority = self.skb_priority.into();
        flow.pkt_mark = self.pkt_mark.into();
    }

    /// For the parser, of a packet of `total_len` bytes.
    pub(crate) fn metadata(&self, total_len: usize, vlan_limit: usize) -> Metadata {
        Metadata {
            in_port: self.in_port,
            recirc_id: self.recirc_id,
            dp_hash: self.dp_hash,
            skb_priority: self.skb_priority,
            pkt_mark: self.pkt_mark,
            vlan_limit,
            total_len,
            ..Metadata::default()
        }
    }
}
