//! Writing a match as NXM or OXM entries, prerequisites first.

use weir_flow::FieldId;
use weir_flow::field::{Field, family, id};
use weir_flow::flow::{N_REGS, VLAN_CFI, VLAN_PCP_MASK, VLAN_VID_MASK, eth_type, ip_proto};

use super::entry::{put_entry, put_raw_header};
use super::header::Header;
use crate::matching::prerequisites::{ND_NEIGHBOR_ADVERT, ND_NEIGHBOR_SOLICIT, dl_type, is_mpls};
use crate::matching::{FieldValue, Match};
use crate::version::OfVersion;
use crate::wire::Put;

/// Writes the entries of a match, without header and padding: NXM when `version` is `None`, else the
/// OXM of that version. `cookie` is value and mask of the cookie's pseudo-field.
pub fn encode_match(
    m: &Match,
    version: Option<OfVersion>,
    cookie: Option<(u64, u64)>,
    out: &mut Vec<u8>,
) {
    let mut w = Encoder { m, version, out, implied_ethernet: false };
    let start = w.out.len();
    w.all();
    let implied = w.implied_ethernet;
    if m.has_default_packet_type() && !implied {
        // Nothing else says that only Ethernet packets match.
        let mut entry = Vec::new();
        let field = id::PACKET_TYPE.field();
        put_entry(field, version, &FieldValue::zero(4), &FieldValue::ones(4), &mut entry);
        out.splice(start..start, entry);
    }
    if let Some((value, mask)) = cookie.filter(|c| c.1 != 0) {
        let has_mask = mask != u64::MAX;
        let length = if has_mask { 16 } else { 8 };
        put_raw_header(Header { has_mask, length, ..Header::COOKIE }, out);
        out.put_u64(value & mask);
        if has_mask {
            out.put_u64(mask);
        }
    }
}

struct Encoder<'a> {
    m: &'a Match,
    version: Option<OfVersion>,
    out: &'a mut Vec<u8>,
    implied_ethernet: bool,
}

impl Encoder<'_> {
    /// Writes a field when any bit of it is matched.
    fn put(&mut self, field: FieldId) {
        let field = field.field();
        if !self.m.is_all_wild(field) {
            let (value, mask) = self.m.get(field);
            self.put_value(field, &value, &mask);
        }
    }

    fn put_value(&mut self, field: &Field, value: &FieldValue, mask: &FieldValue) {
        put_entry(field, self.version, value, mask, self.out);
        if field.prereq != weir_flow::field::Prereq::None {
            self.implied_ethernet = true;
        }
    }

    fn put_all(&mut self, fields: &[FieldId]) {
        for field in fields {
            self.put(*field);
        }
    }

    fn all(&mut self) {
        let oxm = self.version.is_some();
        if !self.m.has_default_packet_type() {
            self.put(id::PACKET_TYPE);
        }
        self.put_all(&[id::DP_HASH, id::RECIRC_ID, id::CONJ_ID]);
        self.put(if oxm { id::IN_PORT_OXM } else { id::IN_PORT });
        self.put_all(&[id::ACTSET_OUTPUT, id::DL_SRC, id::DL_DST, id::DL_TYPE]);
        self.vlan(oxm);
        let dl_type = dl_type(&self.m.flow);
        if is_mpls(dl_type) {
            self.put_all(&[id::MPLS_TC, id::MPLS_BOS, id::MPLS_TTL, id::MPLS_LABEL]);
        }
        match dl_type {
            eth_type::IPV4 | eth_type::IPV6 => self.ip(dl_type, oxm),
            eth_type::ARP | eth_type::RARP => {
                self.put_all(&[id::ARP_OP, id::ARP_SPA, id::ARP_TPA, id::ARP_SHA, id::ARP_THA]);
            }
            _ => {}
        }
        self.tunnel();
        self.nsh();
        self.registers();
        self.put(id::PKT_MARK);
        self.conntrack();
        self.put(id::METADATA);
    }

    fn vlan(&mut self, oxm: bool) {
        if !oxm {
            self.put(id::VLAN_TCI);
            return;
        }
        let tci = self.m.flow.vlans[0].tci.get();
        let mask = self.m.mask.0.vlans[0].tci.get();
        let present = VLAN_CFI | VLAN_VID_MASK;
        if tci & present != 0 && tci & VLAN_CFI == 0 && mask & VLAN_PCP_MASK != 0 {
            // A VID without a tag matches nothing; OXM has no priority for it.
            self.put(id::VLAN_TCI);
            return;
        }
        if mask & present != 0 {
            self.put(id::VLAN_VID);
        }
        if tci & present != 0 && mask & VLAN_PCP_MASK != 0 {
            let pcp = FieldValue::from_u128(u128::from(tci >> 13), 1);
            self.put_value(id::VLAN_PCP.field(), &pcp, &FieldValue::ones(1));
        }
    }

    fn ip(&mut self, dl_type: u16, oxm: bool) {
        let flow = &self.m.flow;
        if dl_type == eth_type::IPV4 {
            self.put_all(&[id::NW_SRC, id::NW_DST]);
        } else {
            self.put_all(&[id::IPV6_SRC, id::IPV6_DST]);
        }
        self.put(id::NW_FRAG);
        self.put(if oxm { id::IP_DSCP } else { id::NW_TOS });
        self.put_all(&[id::NW_ECN, id::NW_TTL, id::IPV6_LABEL]);
        if self.m.is_all_wild(id::NW_PROTO.field()) {
            return;
        }
        self.put(id::NW_PROTO);
        match (flow.nw_proto, dl_type) {
            (ip_proto::TCP, _) => self.put_all(&[id::TCP_SRC, id::TCP_DST, id::TCP_FLAGS]),
            (ip_proto::UDP, _) => self.put_all(&[id::UDP_SRC, id::UDP_DST]),
            (ip_proto::SCTP, _) => self.put_all(&[id::SCTP_SRC, id::SCTP_DST]),
            (ip_proto::ICMP, eth_type::IPV4) => self.put_all(&[id::ICMP_TYPE, id::ICMP_CODE]),
            (ip_proto::ICMPV6, eth_type::IPV6) => {
                self.put_all(&[id::ICMPV6_TYPE, id::ICMPV6_CODE]);
                self.neighbour_discovery();
            }
            _ => {}
        }
    }

    fn neighbour_discovery(&mut self) {
        let flow = &self.m.flow;
        let kind = flow.tp_src.get();
        if flow.tp_dst.get() != 0 || !matches!(kind, ND_NEIGHBOR_SOLICIT | ND_NEIGHBOR_ADVERT) {
            return;
        }
        self.put_all(&[id::ND_RESERVED, id::ND_TARGET, id::ND_OPTIONS_TYPE]);
        self.put(if kind == ND_NEIGHBOR_SOLICIT { id::ND_SLL } else { id::ND_TLL });
    }

    fn tunnel(&mut self) {
        self.put_all(&[
            id::TUN_ID,
            id::TUN_FLAGS,
            id::TUN_SRC,
            id::TUN_DST,
            id::TUN_IPV6_SRC,
            id::TUN_IPV6_DST,
            id::TUN_GBP_ID,
            id::TUN_GBP_FLAGS,
        ]);
        for n in self.m.tun_metadata.keys() {
            if let Some(field) = family::tun_metadata(usize::from(*n)) {
                self.put(field);
            }
        }
        self.put_all(&[
            id::TUN_ERSPAN_IDX,
            id::TUN_ERSPAN_VER,
            id::TUN_ERSPAN_DIR,
            id::TUN_ERSPAN_HWID,
            id::TUN_GTPU_FLAGS,
            id::TUN_GTPU_MSGTYPE,
        ]);
    }

    fn nsh(&mut self) {
        self.put_all(&[
            id::NSH_FLAGS,
            id::NSH_TTL,
            id::NSH_MDTYPE,
            id::NSH_NP,
            id::NSH_SPI,
            id::NSH_SI,
        ]);
        for f in Field::all().iter().filter(|f| f.name.starts_with("nsh_c")) {
            self.put(f.id);
        }
    }

    /// 32-bit registers, or in OpenFlow 1.5 pairs of them.
    fn registers(&mut self) {
        if self.version >= Some(OfVersion::V15) {
            (0..N_REGS / 2).filter_map(family::xreg).for_each(|f| self.put(f));
        } else {
            (0..N_REGS).filter_map(family::reg).for_each(|f| self.put(f));
        }
    }

    fn conntrack(&mut self) {
        self.put_all(&[
            id::CT_STATE,
            id::CT_ZONE,
            id::CT_MARK,
            id::CT_LABEL,
            id::CT_NW_SRC,
            id::CT_IPV6_SRC,
            id::CT_NW_DST,
            id::CT_IPV6_DST,
            id::CT_NW_PROTO,
            id::CT_TP_SRC,
            id::CT_TP_DST,
        ]);
    }
}
