//! Normalization: a match keeps only the fields that its packet type, Ethernet type and IP protocol
//! give a meaning (OpenFlow 1.0 section 3.4, figure 4).

use weir_flow::field::id;
use weir_flow::flow::{eth_type, ip_proto};
use weir_flow::{FieldId, Mask};

use super::Match;
use super::prerequisites::{ND_NEIGHBOR_ADVERT, ND_NEIGHBOR_SOLICIT, is_mpls};

/// What normalization changed, for the log: three lines of the module `ofp_match`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Normalized {
    /// The match as it was.
    pub before: String,
    /// The match as it is.
    pub after: String,
}

impl Normalized {
    /// The three lines Open vSwitch logs, at level INFO.
    #[must_use]
    pub fn log_lines(&self) -> [String; 3] {
        [
            "normalization changed ofp_match, details:".to_owned(),
            format!(" pre: {}", self.before),
            format!("post: {}", self.after),
        ]
    }
}

const ETHERNET: [FieldId; 2] = [id::DL_SRC, id::DL_DST];
const TRANSPORT: [FieldId; 2] = [id::TCP_SRC, id::TCP_DST];
const NW_ADDRESS: [FieldId; 2] = [id::NW_SRC, id::NW_DST];
const IP_ANY: [FieldId; 3] = [id::NW_TOS, id::NW_ECN, id::NW_TTL];
const IPV6: [FieldId; 3] = [id::IPV6_SRC, id::IPV6_DST, id::IPV6_LABEL];

impl Match {
    /// Stops matching what has no meaning. Answers what changed, if anything.
    pub fn normalize(&mut self) -> Option<Normalized> {
        let old = self.clone();
        let packet_type = self.mask.0.packet_type.get();
        let (ethernet, dl_type) = if packet_type == 0 || self.has_default_packet_type() {
            (true, self.flow.dl_type.get())
        } else if packet_type == u32::MAX && self.flow.packet_type.get() >> 16 == 1 {
            let low = self.flow.packet_type.get() & 0xffff;
            (false, u16::try_from(low).unwrap_or(0))
        } else {
            (false, 0)
        };
        let ipv4 = dl_type == eth_type::IPV4;
        let ipv6 = dl_type == eth_type::IPV6;
        let arp = matches!(dl_type, eth_type::ARP | eth_type::RARP);
        let proto = self.flow.nw_proto;
        let icmpv6 = ipv6 && proto == ip_proto::ICMPV6;
        let nd_type = self.flow.tp_src.get();
        let solicit = icmpv6 && nd_type == ND_NEIGHBOR_SOLICIT;
        let advert = icmpv6 && nd_type == ND_NEIGHBOR_ADVERT;
        let ports = matches!(proto, ip_proto::TCP | ip_proto::UDP | ip_proto::SCTP);
        let transport = ((ipv4 || ipv6) && ports) || (ipv4 && proto == ip_proto::ICMP) || icmpv6;

        self.keep(ethernet, &ETHERNET);
        self.keep(ipv4 || arp, &NW_ADDRESS);
        self.keep(transport, &TRANSPORT);
        self.keep(ipv4 || ipv6 || arp, &[id::NW_PROTO]);
        self.keep(ipv4 || ipv6, &IP_ANY);
        self.keep(arp || solicit, &[id::ARP_SHA]);
        self.keep(arp || advert, &[id::ARP_THA]);
        self.keep(ipv6, &IPV6);
        self.keep(solicit || advert, &[id::ND_TARGET, id::ND_RESERVED, id::ND_OPTIONS_TYPE]);
        if !is_mpls(dl_type) {
            self.mask.0.mpls_lse = Default::default();
        }
        self.zero_wildcarded();
        if self.mask == old.mask {
            return None;
        }
        Some(Normalized { before: old.to_string(), after: self.to_string() })
    }

    fn keep(&mut self, keep: bool, fields: &[FieldId]) {
        if !keep {
            for field in fields {
                field.field().set(&mut self.mask.0, 0);
            }
        }
    }

    /// Replaces the mask and zeroes what it leaves out.
    pub fn set_mask(&mut self, mask: Mask) {
        self.mask = mask;
        self.zero_wildcarded();
    }
}
