//! The text of a match, as `ovs-ofctl dump-flows` prints it.
//!
//! The order of the fields, the shorthands (`tcp`, `dl_vlan=10`) and the way of writing a mask are
//! Open vSwitch's; programs parse them.

use std::fmt::{self, Write as _};

use weir_flow::field::{Field, id};
use weir_flow::flow::{
    FRAG_ANY, FRAG_LATER, N_REGS, VLAN_CFI, VLAN_PCP_MASK, VLAN_VID_MASK, eth_type, ip_proto,
};

use super::Match;
use crate::ofp_port::{NameMap, OfPort};
use crate::value_text::address::{format_ipv4_masked, format_ipv6_masked, format_mac_masked};
use crate::value_text::field::{format_packet_type, wide_hex};
use crate::value_text::flags::{CT_STATE, TCP_FLAGS, TUN_FLAGS};
use crate::value_text::number::alt_hex;

/// The priority that is not written.
pub const DEFAULT_PRIORITY: u16 = 0x8000;

/// Shorthands of an Ethernet type with an IP protocol, then of one alone.
static SHORTHANDS: [(u16, Option<u8>, &str); 14] = [
    (eth_type::IPV4, Some(ip_proto::ICMP), "icmp"),
    (eth_type::IPV4, Some(ip_proto::TCP), "tcp"),
    (eth_type::IPV4, Some(ip_proto::UDP), "udp"),
    (eth_type::IPV4, Some(ip_proto::SCTP), "sctp"),
    (eth_type::IPV6, Some(ip_proto::ICMPV6), "icmp6"),
    (eth_type::IPV6, Some(ip_proto::TCP), "tcp6"),
    (eth_type::IPV6, Some(ip_proto::UDP), "udp6"),
    (eth_type::IPV6, Some(ip_proto::SCTP), "sctp6"),
    (eth_type::IPV4, None, "ip"),
    (eth_type::IPV6, None, "ipv6"),
    (eth_type::ARP, None, "arp"),
    (eth_type::RARP, None, "rarp"),
    (eth_type::MPLS, None, "mpls"),
    (eth_type::MPLS_MCAST, None, "mplsm"),
];

impl Match {
    /// The match as text; the priority comes first unless it is the default one.
    #[must_use]
    pub fn display<'a>(&'a self, priority: u16, ports: Option<&'a NameMap>) -> MatchText<'a> {
        MatchText { matched: self, priority, ports }
    }
}

/// The match alone, without names of ports.
impl fmt::Display for Match {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.display(DEFAULT_PRIORITY, None).fmt(f)
    }
}

/// See [`Match::display`].
#[derive(Debug)]
pub struct MatchText<'a> {
    matched: &'a Match,
    priority: u16,
    ports: Option<&'a NameMap>,
}

impl fmt::Display for MatchText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut w = Writer { out: String::new(), matched: self.matched, ports: self.ports };
        if self.priority != DEFAULT_PRIORITY {
            w.put("priority", &self.priority.to_string());
        }
        w.all();
        f.write_str(w.out.strip_suffix(',').unwrap_or(&w.out))
    }
}

struct Writer<'a> {
    out: String,
    matched: &'a Match,
    ports: Option<&'a NameMap>,
}

fn low32(n: u128) -> u32 {
    u32::try_from(n & u128::from(u32::MAX)).unwrap_or(0)
}

fn mac(n: u128) -> [u8; 6] {
    let [.., a, b, c, d, e, f] = n.to_be_bytes();
    [a, b, c, d, e, f]
}

impl Writer<'_> {
    fn put(&mut self, name: &str, value: &str) {
        // A String takes every write.
        let _ = write!(self.out, "{name}={value},");
    }

    /// Value and mask of a field when any bit of it is matched. The mask is that of the field's own
    /// bits; `None` stands for all of them.
    fn field(&self, id: weir_flow::FieldId) -> Option<(u128, Option<u128>)> {
        let field = id.field();
        if self.matched.is_all_wild(field) {
            return None;
        }
        let (value, mask) = self.matched.get(field);
        Some((value.as_u128(), (!mask.is_all_ones()).then(|| mask.as_u128())))
    }

    fn with(
        &mut self,
        id: weir_flow::FieldId,
        name: &str,
        text: impl Fn(u128, Option<u128>) -> String,
    ) {
        if let Some((value, mask)) = self.field(id) {
            self.put(name, &text(value, mask));
        }
    }

    /// `name=0x5`, `name=0x5/0x7`
    fn hex(&mut self, id: weir_flow::FieldId, name: &str) {
        self.with(id, name, |v, m| match m {
            None => alt_hex(v),
            Some(m) => format!("{}/{}", alt_hex(v), alt_hex(m)),
        });
    }

    /// `name=5`, `name=0x5/0x7`
    fn decimal(&mut self, id: weir_flow::FieldId, name: &str) {
        self.with(id, name, |v, m| match m {
            None => v.to_string(),
            Some(m) => format!("{v:#x}/{m:#x}"),
        });
    }

    fn ipv4(&mut self, id: weir_flow::FieldId, name: &str) {
        self.with(id, name, |v, m| format_ipv4_masked(low32(v), m.map_or(u32::MAX, low32)));
    }

    fn ipv6(&mut self, id: weir_flow::FieldId, name: &str) {
        self.with(id, name, |v, m| format_ipv6_masked(v, m.unwrap_or(u128::MAX)));
    }

    fn mac(&mut self, id: weir_flow::FieldId, name: &str) {
        self.with(id, name, |v, m| format_mac_masked(mac(v), m.map_or([0xff; 6], mac)));
    }

    fn port(&mut self, id: weir_flow::FieldId, name: &str, port: u32) {
        if self.field(id).is_some() {
            let port = OfPort(u16::try_from(port & 0xffff).unwrap_or(0));
            let text = port.display(self.ports).to_string();
            self.put(name, &text);
        }
    }

    fn all(&mut self) {
        let flow = &self.matched.flow;
        let mask = &self.matched.mask.0;
        let dl_type = super::prerequisites::dl_type(flow);
        self.metadata_before_type();
        let (skip_type, skip_proto) = self.shorthand();
        self.registers();
        self.tunnel();
        self.hex(id::METADATA, "metadata");
        self.port(id::IN_PORT, "in_port", flow.in_port.get());
        self.vlans();
        self.mac(id::DL_SRC, "dl_src");
        self.mac(id::DL_DST, "dl_dst");
        if !skip_type && mask.dl_type.get() != 0 {
            self.put("dl_type", &format!("0x{:04x}", flow.dl_type.get()));
        }
        let is_arp = matches!(dl_type, eth_type::ARP | eth_type::RARP);
        if dl_type == eth_type::IPV6 {
            self.ipv6(id::IPV6_SRC, "ipv6_src");
            self.ipv6(id::IPV6_DST, "ipv6_dst");
            self.with(id::IPV6_LABEL, "ipv6_label", |v, m| match m {
                None => format!("0x{v:05x}"),
                Some(m) => format!("0x{v:05x}/0x{m:05x}"),
            });
        } else if is_arp {
            self.ipv4(id::ARP_SPA, "arp_spa");
            self.ipv4(id::ARP_TPA, "arp_tpa");
        } else if dl_type == eth_type::NSH {
            self.nsh();
        } else {
            self.ipv4(id::NW_SRC, "nw_src");
            self.ipv4(id::NW_DST, "nw_dst");
        }
        if !skip_proto && mask.nw_proto != 0 {
            let name = if is_arp { "arp_op" } else { "nw_proto" };
            self.put(name, &flow.nw_proto.to_string());
        }
        if is_arp {
            self.mac(id::ARP_SHA, "arp_sha");
            self.mac(id::ARP_THA, "arp_tha");
        }
        self.ip(dl_type);
    }

    fn metadata_before_type(&mut self) {
        self.hex(id::PKT_MARK, "pkt_mark");
        self.hex(id::RECIRC_ID, "recirc_id");
        self.hex(id::DP_HASH, "dp_hash");
        self.decimal(id::CONJ_ID, "conj_id");
        self.hex(id::SKB_PRIORITY, "skb_priority");
        let actset_output = self.matched.flow.actset_output.get();
        self.port(id::ACTSET_OUTPUT, "actset_output", actset_output);
        self.with(id::CT_STATE, "ct_state", |v, m| {
            CT_STATE.format_masked(low32(v), m.map_or(u32::MAX, low32))
        });
        self.decimal(id::CT_ZONE, "ct_zone");
        self.hex(id::CT_MARK, "ct_mark");
        self.hex(id::CT_LABEL, "ct_label");
        self.ipv4(id::CT_NW_SRC, "ct_nw_src");
        self.ipv6(id::CT_IPV6_SRC, "ct_ipv6_src");
        self.ipv4(id::CT_NW_DST, "ct_nw_dst");
        self.ipv6(id::CT_IPV6_DST, "ct_ipv6_dst");
        self.decimal(id::CT_NW_PROTO, "ct_nw_proto");
        self.decimal(id::CT_TP_SRC, "ct_tp_src");
        self.decimal(id::CT_TP_DST, "ct_tp_dst");
        if !self.matched.has_default_packet_type() {
            self.with(id::PACKET_TYPE, "packet_type", |v, m| match m {
                None => format_packet_type(low32(v)),
                Some(m) => format!("{}/{:#010x}", format_packet_type(low32(v)), low32(m)),
            });
        } else if self.field(id::RECIRC_ID).is_some() {
            // Only megaflows match it; they tell every field.
            self.out.push_str("eth,");
        }
    }

    /// Writes the shorthand of the Ethernet type (and IP protocol) and says which of the two need
    /// no writing any more.
    fn shorthand(&mut self) -> (bool, bool) {
        let (flow, mask) = (&self.matched.flow, &self.matched.mask.0);
        if mask.dl_type.get() == 0 {
            return (false, false);
        }
        let found = SHORTHANDS.iter().find(|(dl_type, proto, _)| {
            *dl_type == flow.dl_type.get()
                && proto.is_none_or(|p| mask.nw_proto != 0 && flow.nw_proto == p)
        });
        match found {
            Some((_, proto, name)) => {
                let _ = write!(self.out, "{name},");
                (true, proto.is_some())
            }
            None => (false, false),
        }
    }

    fn registers(&mut self) {
        for n in 0..N_REGS {
            if let Some(reg) = weir_flow::field::family::reg(n) {
                self.hex(reg, &reg.field().name);
            }
        }
    }

    fn tunnel(&mut self) {
        self.hex(id::TUN_ID, "tun_id");
        self.ipv4(id::TUN_SRC, "tun_src");
        self.ipv4(id::TUN_DST, "tun_dst");
        self.ipv6(id::TUN_IPV6_SRC, "tun_ipv6_src");
        self.ipv6(id::TUN_IPV6_DST, "tun_ipv6_dst");
        self.decimal(id::TUN_GBP_ID, "tun_gbp_id");
        // These are written without their masks.
        self.with(id::TUN_GBP_FLAGS, "tun_gbp_flags", |v, _| alt_hex(v));
        self.with(id::TUN_TOS, "tun_tos", |v, _| format!("{v:x}"));
        self.with(id::TUN_TTL, "tun_ttl", |v, _| v.to_string());
        let version = self.field(id::TUN_ERSPAN_VER).map_or(0, |(v, _)| v);
        self.with(id::TUN_ERSPAN_VER, "tun_erspan_ver", |v, _| v.to_string());
        if version == 1 {
            self.with(id::TUN_ERSPAN_IDX, "tun_erspan_idx", |v, _| alt_hex(v));
        }
        if version == 2 {
            self.with(id::TUN_ERSPAN_DIR, "tun_erspan_dir", |v, _| v.to_string());
            self.with(id::TUN_ERSPAN_HWID, "tun_erspan_hwid", |v, _| alt_hex(v));
        }
        self.with(id::TUN_GTPU_FLAGS, "gtpu_flags", |v, _| alt_hex(v));
        self.with(id::TUN_GTPU_MSGTYPE, "gtpu_msgtype", |v, _| v.to_string());
        self.with(id::TUN_FLAGS, "tun_flags", |v, _| {
            TUN_FLAGS.format_masked(low32(v), TUN_FLAGS.all)
        });
        for (n, t) in &self.matched.tun_metadata {
            let _ = write!(self.out, "tun_metadata{n}");
            if !t.mask.is_zero() {
                let _ = write!(self.out, "={}", wide_hex(&t.value));
                if !t.mask.is_all_ones() {
                    let _ = write!(self.out, "/{}", wide_hex(&t.mask));
                }
            }
            self.out.push(',');
        }
    }

    fn vlans(&mut self) {
        for i in 0..self.matched.flow.vlans.len() {
            let tci = self.matched.flow.vlans[i].tci.get();
            let mask = self.matched.mask.0.vlans[i].tci.get();
            if mask == 0 {
                break;
            }
            let n = if i == 0 { String::new() } else { i.to_string() };
            let (vid, pcp) = (mask & VLAN_VID_MASK, mask & VLAN_PCP_MASK);
            let whole = matches!(vid, 0 | VLAN_VID_MASK) && matches!(pcp, 0 | VLAN_PCP_MASK);
            if mask & tci & VLAN_CFI != 0 && whole && vid | pcp != 0 {
                if vid != 0 {
                    self.put(&format!("dl_vlan{n}"), &(tci & VLAN_VID_MASK).to_string());
                }
                if pcp != 0 {
                    self.put(&format!("dl_vlan_pcp{n}"), &(tci >> 13).to_string());
                }
            } else if mask == u16::MAX {
                self.put(&format!("vlan_tci{n}"), &format!("0x{tci:04x}"));
            } else {
                self.put(&format!("vlan_tci{n}"), &format!("0x{tci:04x}/0x{mask:04x}"));
            }
        }
    }

    fn nsh(&mut self) {
        self.decimal(id::NSH_FLAGS, "nsh_flags");
        self.decimal(id::NSH_TTL, "nsh_ttl");
        self.decimal(id::NSH_MDTYPE, "nsh_mdtype");
        self.decimal(id::NSH_NP, "nsh_np");
        self.hex(id::NSH_SPI, "nsh_spi");
        self.decimal(id::NSH_SI, "nsh_si");
        for n in 1..=4 {
            if let Some(field) = Field::by_name(&format!("nsh_c{n}")) {
                self.hex(field.id, &field.name);
            }
        }
    }

    fn ip(&mut self, dl_type: u16) {
        let (flow, mask) = (&self.matched.flow, &self.matched.mask.0);
        if mask.nw_tos & 0xfc != 0 {
            self.put("nw_tos", &(flow.nw_tos & 0xfc).to_string());
        }
        if mask.nw_tos & 3 != 0 {
            self.put("nw_ecn", &(flow.nw_tos & 3).to_string());
        }
        self.decimal(id::NW_TTL, "nw_ttl");
        self.decimal(id::MPLS_LABEL, "mpls_label");
        self.decimal(id::MPLS_TC, "mpls_tc");
        self.decimal(id::MPLS_TTL, "mpls_ttl");
        self.decimal(id::MPLS_BOS, "mpls_bos");
        for i in 1..flow.mpls_lse.len() {
            let (lse, m) = (flow.mpls_lse[i].get(), mask.mpls_lse[i].get());
            match m {
                0 => {}
                u32::MAX => self.put(&format!("mpls_lse{i}"), &lse.to_string()),
                m => self.put(&format!("mpls_lse{i}"), &format!("{lse:#x}/{m:#x}")),
            }
        }
        let frag = |bit| flow.nw_frag & bit != 0;
        let name = match mask.nw_frag & (FRAG_ANY | FRAG_LATER) {
            0 => None,
            FRAG_ANY => Some(if frag(FRAG_ANY) { "yes" } else { "no" }),
            FRAG_LATER => Some(if frag(FRAG_LATER) { "later" } else { "not_later" }),
            _ => Some(match (frag(FRAG_ANY), frag(FRAG_LATER)) {
                (true, true) => "later",
                (true, false) => "first",
                (false, true) => "<error>",
                (false, false) => "no",
            }),
        };
        if let Some(name) = name {
            self.put("nw_frag", name);
        }
        let names = match (dl_type, flow.nw_proto) {
            (eth_type::IPV4, ip_proto::ICMP) | (eth_type::IPV6, ip_proto::ICMPV6) => {
                ("icmp_type", "icmp_code")
            }
            _ => ("tp_src", "tp_dst"),
        };
        self.decimal(id::TCP_SRC, names.0);
        self.decimal(id::TCP_DST, names.1);
        if (dl_type, flow.nw_proto) == (eth_type::IPV6, ip_proto::ICMPV6) {
            self.ipv6(id::ND_TARGET, "nd_target");
            self.mac(id::ND_SLL, "nd_sll");
            self.mac(id::ND_TLL, "nd_tll");
            self.decimal(id::ND_RESERVED, "nd_reserved");
            self.decimal(id::ND_OPTIONS_TYPE, "nd_options_type");
        }
        let is_ip = matches!(dl_type, eth_type::IPV4 | eth_type::IPV6);
        if is_ip && flow.nw_proto == ip_proto::TCP {
            self.with(id::TCP_FLAGS, "tcp_flags", |v, m| {
                TCP_FLAGS.format_masked(low32(v), m.map_or(u32::MAX, low32))
            });
        }
    }
}
