//! The rows of the field table, in the order and with the numbers of ovs-fields(7).

use core::mem::offset_of;

use super::{Field, FieldId, Format, Oxm, Place, Prereq};
use crate::flow::{Flow, Vlan};

const NXM_OF: u16 = 0x0000;
const NXM_NX: u16 = 0x0001;
const OXM_OF: u16 = 0x8000;
const PKT_REG: u16 = 0x8001;
const ERICSSON: u16 = 0x1000;
const EXPERIMENTER: u16 = 0xffff;
const VENDOR_NICIRA: u32 = 0x0000_2320;
const VENDOR_NSH: u32 = 0x005a_d650;
const VENDOR_ONF: u32 = 0x4f4e_4600;

/// One line of the table: a field, or a family of `count` fields that lie `stride` bytes apart.
pub(super) struct Row {
    name: &'static str,
    alias: &'static str,
    first: u8,
    count: u8,
    stride: u16,
    bytes: u8,
    bits: u16,
    access: Access,
    prereq: Prereq,
    format: Format,
    place: Place,
    oxm: &'static [Oxm],
}

/// Maskable or exact, read-write or read-only.
#[derive(Clone, Copy)]
struct Access {
    maskable: bool,
    writable: bool,
}
const MRW: Access = Access { maskable: true, writable: true };
const MRO: Access = Access { maskable: true, writable: false };
const XRW: Access = Access { maskable: false, writable: true };
const XRO: Access = Access { maskable: false, writable: false };

const fn nxm_of(number: u8, name: &'static str) -> Oxm {
    Oxm { vendor: 0, class: NXM_OF, number, name, since: 1 }
}
const fn nxm_nx(number: u8, name: &'static str) -> Oxm {
    Oxm { vendor: 0, class: NXM_NX, number, name, since: 1 }
}
const fn oxm(number: u8, name: &'static str, since: u8) -> Oxm {
    Oxm { vendor: 0, class: OXM_OF, number, name, since }
}
const fn pkt_reg(number: u8, name: &'static str) -> Oxm {
    Oxm { vendor: 0, class: PKT_REG, number, name, since: 4 }
}
const fn ericsson(number: u8, name: &'static str) -> Oxm {
    Oxm { vendor: 0, class: ERICSSON, number, name, since: 1 }
}
const fn nicira_et(number: u8, name: &'static str) -> Oxm {
    Oxm { vendor: VENDOR_NICIRA, class: EXPERIMENTER, number, name, since: 1 }
}
const fn nsh(number: u8, name: &'static str) -> Oxm {
    Oxm { vendor: VENDOR_NSH, class: EXPERIMENTER, number, name, since: 1 }
}
const fn onf_et(number: u8, name: &'static str) -> Oxm {
    Oxm { vendor: VENDOR_ONF, class: EXPERIMENTER, number, name, since: 4 }
}

const fn at(offset: usize, bytes: u8, shift: u8) -> Place {
    Place::Bits { offset: offset as u16, bytes, shift }
}

const TCI: usize = offset_of!(Flow, vlans) + offset_of!(Vlan, tci);

macro_rules! place {
    (tun_metadata) => {
        Place::TunMetadata
    };
    (tci, $b:expr, $s:expr) => {
        at(TCI, 2, $s)
    };
    // ARP opcodes above 255 do not exist in a flow: the key keeps the low byte, as OVS does.
    (arp_op) => {
        at(offset_of!(Flow, nw_proto), 1, 0)
    };
    // Further into an array: bytes past the member's start.
    (elem $m:ident + $n:literal, $b:expr, $s:expr) => {
        at(offset_of!(Flow, $m) + $n, $b, $s)
    };
    // The low byte of a 16-bit member.
    (low $m:ident, $b:expr, $s:expr) => {
        at(offset_of!(Flow, $m) + 1, 1, $s)
    };
    // The low half of a 32-bit member.
    (half $m:ident, $b:expr, $s:expr) => {
        at(offset_of!(Flow, $m) + 2, 2, $s)
    };
    ($m:ident, $b:expr, $s:expr) => {
        at(offset_of!(Flow, $m), $b, $s)
    };
}

macro_rules! table {
    ($( $id:ident = $name:literal $(/ $alias:literal)? $([$first:literal; $count:literal; $stride:literal])?
        $bytes:literal b $bits:literal $access:ident $prereq:ident $format:ident
        ($($place:tt)+) [$($oxm:expr),*]; )+) => {
        #[derive(Clone, Copy)]
        #[expect(non_camel_case_types, clippy::upper_case_acronyms, reason = "the constants' names")]
        enum RowIndex { $($id),+ }

        static ROWS: &[Row] = &[$(
            Row {
                name: $name,
                alias: concat!($($alias)?),
                first: 0 $(+ $first)?,
                count: table!(@count $($count)?),
                stride: 0 $(+ $stride)?,
                bytes: $bytes,
                bits: $bits,
                access: $access,
                prereq: Prereq::$prereq,
                format: Format::$format,
                place: place!($($place)+),
                oxm: &[$($oxm),*],
            }
        ),+];

        /// Identifiers of the fields; for a family, of its first field.
        #[expect(missing_docs, reason = "the field's own name")]
        pub mod id {
            use super::{FieldId, RowIndex, start};
            $(pub const $id: FieldId = FieldId(start(RowIndex::$id as usize));)+
        }
        const COUNTS: &[u8] = &[$(table!(@count $($count)?)),+];
    };
    (@count) => { 1 };
    (@count $n:literal) => { $n };
}

const fn start(row: usize) -> u16 {
    let mut n = 0;
    let mut i = 0;
    while i < row {
        n += COUNTS[i] as u16;
        i += 1;
    }
    n
}

/// Members of the numbered families.
pub mod family {
    use super::{FieldId, id};

    const fn nth(first: FieldId, n: usize, count: usize) -> Option<FieldId> {
        if n < count { Some(FieldId(first.0 + n as u16)) } else { None }
    }
    /// `regN`, N in 0..32.
    #[must_use]
    pub const fn reg(n: usize) -> Option<FieldId> {
        if n < 16 { nth(id::REG0, n, 16) } else { nth(id::REG16, n - 16, 16) }
    }
    /// `xregN`, N in 0..16.
    #[must_use]
    pub const fn xreg(n: usize) -> Option<FieldId> {
        nth(id::XREG0, n, 16)
    }
    /// `xxregN`, N in 0..8.
    #[must_use]
    pub const fn xxreg(n: usize) -> Option<FieldId> {
        if n < 4 { nth(id::XXREG0, n, 4) } else { nth(id::XXREG4, n - 4, 4) }
    }
    /// `tun_metadataN`, N in 0..64.
    #[must_use]
    pub const fn tun_metadata(n: usize) -> Option<FieldId> {
        nth(id::TUN_METADATA0, n, 64)
    }
}

table! {
    // Metadata
    DP_HASH = "dp_hash" 4 b 32 MRO None Hexadecimal (dp_hash, 4, 0)
        [nxm_nx(35, "NXM_NX_DP_HASH"), nicira_et(0, "NXOXM_ET_DP_HASH")];
    RECIRC_ID = "recirc_id" 4 b 32 XRO None Decimal (recirc_id, 4, 0) [nxm_nx(36, "NXM_NX_RECIRC_ID")];
    PACKET_TYPE = "packet_type" 4 b 32 XRO None PacketType (packet_type, 4, 0)
        [oxm(44, "OXM_OF_PACKET_TYPE", 6)];
    CONJ_ID = "conj_id" 4 b 32 XRO None Decimal (conj_id, 4, 0) [nxm_nx(37, "NXM_NX_CONJ_ID")];

    // Tunnel
    TUN_ID = "tun_id" / "tunnel_id" 8 b 64 MRW None Hexadecimal (tun_id, 8, 0)
        [nxm_nx(16, "NXM_NX_TUN_ID"), oxm(38, "OXM_OF_TUNNEL_ID", 4)];
    TUN_SRC = "tun_src" 4 b 32 MRW None Ipv4 (tun_src, 4, 0) [nxm_nx(31, "NXM_NX_TUN_IPV4_SRC")];
    TUN_DST = "tun_dst" 4 b 32 MRW None Ipv4 (tun_dst, 4, 0) [nxm_nx(32, "NXM_NX_TUN_IPV4_DST")];
    TUN_IPV6_SRC = "tun_ipv6_src" 16 b 128 MRW None Ipv6 (tun_ipv6_src, 16, 0)
        [nxm_nx(109, "NXM_NX_TUN_IPV6_SRC")];
    TUN_IPV6_DST = "tun_ipv6_dst" 16 b 128 MRW None Ipv6 (tun_ipv6_dst, 16, 0)
        [nxm_nx(110, "NXM_NX_TUN_IPV6_DST")];
    TUN_FLAGS = "tun_flags" 2 b 1 MRW None TunnelFlags (tun_flags, 2, 0) [nxm_nx(104, "NXM_NX_TUN_FLAGS")];
    TUN_TTL = "tun_ttl" 1 b 8 XRO None Decimal (tun_ttl, 1, 0) [];
    TUN_TOS = "tun_tos" 1 b 8 XRO None Decimal (tun_tos, 1, 0) [];
    TUN_GBP_ID = "tun_gbp_id" 2 b 16 MRW None Decimal (tun_gbp_id, 2, 0) [nxm_nx(38, "NXM_NX_TUN_GBP_ID")];
    TUN_GBP_FLAGS = "tun_gbp_flags" 1 b 8 MRW None Hexadecimal (tun_gbp_flags, 1, 0)
        [nxm_nx(39, "NXM_NX_TUN_GBP_FLAGS")];
    TUN_ERSPAN_IDX = "tun_erspan_idx" 4 b 20 MRW None Hexadecimal (tun_erspan_idx, 4, 0)
        [nicira_et(11, "NXOXM_ET_ERSPAN_IDX")];
    TUN_ERSPAN_VER = "tun_erspan_ver" 1 b 4 MRW None Decimal (tun_erspan_ver, 1, 0)
        [nicira_et(12, "NXOXM_ET_ERSPAN_VER")];
    TUN_ERSPAN_DIR = "tun_erspan_dir" 1 b 1 MRW None Decimal (tun_erspan_dir, 1, 0)
        [nicira_et(13, "NXOXM_ET_ERSPAN_DIR")];
    TUN_ERSPAN_HWID = "tun_erspan_hwid" 1 b 6 MRW None Hexadecimal (tun_erspan_hwid, 1, 0)
        [nicira_et(14, "NXOXM_ET_ERSPAN_HWID")];
    TUN_GTPU_FLAGS = "tun_gtpu_flags" 1 b 8 MRO None Hexadecimal (tun_gtpu_flags, 1, 0)
        [nicira_et(15, "NXOXM_ET_GTPU_FLAGS")];
    TUN_GTPU_MSGTYPE = "tun_gtpu_msgtype" 1 b 8 MRO None Decimal (tun_gtpu_msgtype, 1, 0)
        [nicira_et(16, "NXOXM_ET_GTPU_MSGTYPE")];
    TUN_METADATA0 = "tun_metadata" [0; 64; 0] 124 b 992 MRW None Hexadecimal (tun_metadata)
        [nxm_nx(40, "NXM_NX_TUN_METADATA")];

    // Ports and marks
    METADATA = "metadata" 8 b 64 MRW None Hexadecimal (metadata, 8, 0) [oxm(2, "OXM_OF_METADATA", 3)];
    IN_PORT = "in_port" 2 b 16 XRW None OfPort10 (half in_port, 2, 0) [nxm_of(0, "NXM_OF_IN_PORT")];
    IN_PORT_OXM = "in_port_oxm" 4 b 32 XRW None OfPort (in_port, 4, 0) [oxm(0, "OXM_OF_IN_PORT", 3)];
    ACTSET_OUTPUT = "actset_output" 4 b 32 XRO None OfPort (actset_output, 4, 0)
        [onf_et(43, "ONFOXM_ET_ACTSET_OUTPUT"), oxm(43, "OXM_OF_ACTSET_OUTPUT", 6)];
    SKB_PRIORITY = "skb_priority" 4 b 32 XRO None Hexadecimal (skb_priority, 4, 0) [];
    PKT_MARK = "pkt_mark" 4 b 32 MRW None Hexadecimal (pkt_mark, 4, 0) [nxm_nx(33, "NXM_NX_PKT_MARK")];

    // Conntrack
    CT_STATE = "ct_state" 4 b 32 MRO None CtState (ct_state, 4, 0) [nxm_nx(105, "NXM_NX_CT_STATE")];
    CT_ZONE = "ct_zone" 2 b 16 XRO None Hexadecimal (ct_zone, 2, 0) [nxm_nx(106, "NXM_NX_CT_ZONE")];
    CT_MARK = "ct_mark" 4 b 32 MRW None Hexadecimal (ct_mark, 4, 0) [nxm_nx(107, "NXM_NX_CT_MARK")];
    CT_LABEL = "ct_label" 16 b 128 MRW None Hexadecimal (ct_label, 16, 0) [nxm_nx(108, "NXM_NX_CT_LABEL")];
    CT_NW_PROTO = "ct_nw_proto" 1 b 8 XRO Ct Decimal (ct_nw_proto, 1, 0) [nxm_nx(119, "NXM_NX_CT_NW_PROTO")];
    CT_NW_SRC = "ct_nw_src" 4 b 32 MRO Ct Ipv4 (ct_nw_src, 4, 0) [nxm_nx(120, "NXM_NX_CT_NW_SRC")];
    CT_NW_DST = "ct_nw_dst" 4 b 32 MRO Ct Ipv4 (ct_nw_dst, 4, 0) [nxm_nx(121, "NXM_NX_CT_NW_DST")];
    CT_IPV6_SRC = "ct_ipv6_src" 16 b 128 MRO Ct Ipv6 (ct_ipv6_src, 16, 0) [nxm_nx(122, "NXM_NX_CT_IPV6_SRC")];
    CT_IPV6_DST = "ct_ipv6_dst" 16 b 128 MRO Ct Ipv6 (ct_ipv6_dst, 16, 0) [nxm_nx(123, "NXM_NX_CT_IPV6_DST")];
    CT_TP_SRC = "ct_tp_src" 2 b 16 MRO Ct Decimal (ct_tp_src, 2, 0) [nxm_nx(124, "NXM_NX_CT_TP_SRC")];
    CT_TP_DST = "ct_tp_dst" 2 b 16 MRO Ct Decimal (ct_tp_dst, 2, 0) [nxm_nx(125, "NXM_NX_CT_TP_DST")];

    // Registers
    REG0 = "reg" [0; 16; 4] 4 b 32 MRW None Hexadecimal (regs, 4, 0) [nxm_nx(0, "NXM_NX_REG")];
    REG16 = "reg" [16; 16; 4] 4 b 32 MRW None Hexadecimal (elem regs + 64, 4, 0) [nicira_et(17, "NXOXM_ET_REG")];
    XREG0 = "xreg" [0; 16; 8] 8 b 64 MRW None Hexadecimal (regs, 8, 0) [pkt_reg(0, "OXM_OF_PKT_REG")];
    XXREG0 = "xxreg" [0; 4; 16] 16 b 128 MRW None Hexadecimal (regs, 16, 0) [nxm_nx(111, "NXM_NX_XXREG")];
    XXREG4 = "xxreg" [4; 4; 16] 16 b 128 MRW None Hexadecimal (elem regs + 64, 16, 0) [nicira_et(33, "NXOXM_ET_XXREG")];

    // Ethernet, VLAN, MPLS
    DL_SRC = "eth_src" / "dl_src" 6 b 48 MRW Ethernet Ethernet (dl_src, 6, 0)
        [nxm_of(2, "NXM_OF_ETH_SRC"), oxm(4, "OXM_OF_ETH_SRC", 3)];
    DL_DST = "eth_dst" / "dl_dst" 6 b 48 MRW Ethernet Ethernet (dl_dst, 6, 0)
        [nxm_of(1, "NXM_OF_ETH_DST"), oxm(3, "OXM_OF_ETH_DST", 3)];
    DL_TYPE = "eth_type" / "dl_type" 2 b 16 XRO Ethernet Hexadecimal (dl_type, 2, 0)
        [nxm_of(3, "NXM_OF_ETH_TYPE"), oxm(5, "OXM_OF_ETH_TYPE", 3)];
    VLAN_TCI = "vlan_tci" 2 b 16 MRW Ethernet Hexadecimal (tci, 2, 0) [nxm_of(4, "NXM_OF_VLAN_TCI")];
    DL_VLAN = "dl_vlan" 2 b 12 XRW Ethernet Decimal (tci, 2, 0) [];
    // OXM's value has the presence bit at 0x1000, as the TCI has here.
    VLAN_VID = "vlan_vid" 2 b 12 MRW Ethernet Decimal (tci, 2, 0) [oxm(6, "OXM_OF_VLAN_VID", 3)];
    DL_VLAN_PCP = "dl_vlan_pcp" 1 b 3 XRW Ethernet Decimal (tci, 2, 13) [];
    VLAN_PCP = "vlan_pcp" 1 b 3 XRW VlanVid Decimal (tci, 2, 13) [oxm(7, "OXM_OF_VLAN_PCP", 3)];
    MPLS_LABEL = "mpls_label" 4 b 20 XRW Mpls Decimal (mpls_lse, 4, 12) [oxm(34, "OXM_OF_MPLS_LABEL", 3)];
    MPLS_TC = "mpls_tc" 1 b 3 XRW Mpls Decimal (mpls_lse, 4, 9) [oxm(35, "OXM_OF_MPLS_TC", 3)];
    MPLS_BOS = "mpls_bos" 1 b 1 XRO Mpls Decimal (mpls_lse, 4, 8) [oxm(36, "OXM_OF_MPLS_BOS", 4)];
    MPLS_TTL = "mpls_ttl" 1 b 8 XRW Mpls Decimal (mpls_lse, 4, 0) [nxm_nx(30, "NXM_NX_MPLS_TTL")];

    // IP
    NW_SRC = "nw_src" / "ip_src" 4 b 32 MRW Ipv4 Ipv4 (nw_src, 4, 0)
        [nxm_of(7, "NXM_OF_IP_SRC"), oxm(11, "OXM_OF_IPV4_SRC", 3)];
    NW_DST = "nw_dst" / "ip_dst" 4 b 32 MRW Ipv4 Ipv4 (nw_dst, 4, 0)
        [nxm_of(8, "NXM_OF_IP_DST"), oxm(12, "OXM_OF_IPV4_DST", 3)];
    IPV6_SRC = "ipv6_src" 16 b 128 MRW Ipv6 Ipv6 (ipv6_src, 16, 0)
        [nxm_nx(19, "NXM_NX_IPV6_SRC"), oxm(26, "OXM_OF_IPV6_SRC", 3)];
    IPV6_DST = "ipv6_dst" 16 b 128 MRW Ipv6 Ipv6 (ipv6_dst, 16, 0)
        [nxm_nx(20, "NXM_NX_IPV6_DST"), oxm(27, "OXM_OF_IPV6_DST", 3)];
    IPV6_LABEL = "ipv6_label" 4 b 20 MRW Ipv6 Hexadecimal (ipv6_label, 4, 0)
        [nxm_nx(27, "NXM_NX_IPV6_LABEL"), oxm(28, "OXM_OF_IPV6_FLABEL", 3)];
    NW_PROTO = "nw_proto" / "ip_proto" 1 b 8 XRO IpAny Decimal (nw_proto, 1, 0)
        [nxm_of(6, "NXM_OF_IP_PROTO"), oxm(10, "OXM_OF_IP_PROTO", 3)];
    NW_TOS = "nw_tos" 1 b 8 XRW IpAny Decimal (nw_tos, 1, 0) [nxm_of(5, "NXM_OF_IP_TOS")];
    IP_DSCP = "ip_dscp" 1 b 6 XRW IpAny Decimal (nw_tos, 1, 2) [oxm(8, "OXM_OF_IP_DSCP", 3)];
    NW_ECN = "nw_ecn" / "ip_ecn" 1 b 2 XRW IpAny Decimal (nw_tos, 1, 0)
        [nxm_nx(28, "NXM_NX_IP_ECN"), oxm(9, "OXM_OF_IP_ECN", 3)];
    NW_TTL = "nw_ttl" 1 b 8 XRW IpAny Decimal (nw_ttl, 1, 0) [nxm_nx(29, "NXM_NX_IP_TTL")];
    NW_FRAG = "ip_frag" / "nw_frag" 1 b 2 MRO IpAny Frag (nw_frag, 1, 0) [nxm_nx(26, "NXM_NX_IP_FRAG")];

    // ARP
    ARP_OP = "arp_op" 2 b 16 XRW Arp Decimal (arp_op) [nxm_of(15, "NXM_OF_ARP_OP"), oxm(21, "OXM_OF_ARP_OP", 3)];
    ARP_SPA = "arp_spa" 4 b 32 MRW Arp Ipv4 (nw_src, 4, 0)
        [nxm_of(16, "NXM_OF_ARP_SPA"), oxm(22, "OXM_OF_ARP_SPA", 3)];
    ARP_TPA = "arp_tpa" 4 b 32 MRW Arp Ipv4 (nw_dst, 4, 0)
        [nxm_of(17, "NXM_OF_ARP_TPA"), oxm(23, "OXM_OF_ARP_TPA", 3)];
    ARP_SHA = "arp_sha" 6 b 48 MRW Arp Ethernet (arp_sha, 6, 0)
        [nxm_nx(17, "NXM_NX_ARP_SHA"), oxm(24, "OXM_OF_ARP_SHA", 3)];
    ARP_THA = "arp_tha" 6 b 48 MRW Arp Ethernet (arp_tha, 6, 0)
        [nxm_nx(18, "NXM_NX_ARP_THA"), oxm(25, "OXM_OF_ARP_THA", 3)];

    // Transport
    TCP_SRC = "tcp_src" / "tp_src" 2 b 16 MRW Tcp Decimal (tp_src, 2, 0)
        [nxm_of(9, "NXM_OF_TCP_SRC"), oxm(13, "OXM_OF_TCP_SRC", 3)];
    TCP_DST = "tcp_dst" / "tp_dst" 2 b 16 MRW Tcp Decimal (tp_dst, 2, 0)
        [nxm_of(10, "NXM_OF_TCP_DST"), oxm(14, "OXM_OF_TCP_DST", 3)];
    TCP_FLAGS = "tcp_flags" 2 b 12 MRO Tcp TcpFlags (tcp_flags, 2, 0)
        [nxm_nx(34, "NXM_NX_TCP_FLAGS"), onf_et(42, "ONFOXM_ET_TCP_FLAGS"), oxm(42, "OXM_OF_TCP_FLAGS", 6)];
    UDP_SRC = "udp_src" 2 b 16 MRW Udp Decimal (tp_src, 2, 0)
        [nxm_of(11, "NXM_OF_UDP_SRC"), oxm(15, "OXM_OF_UDP_SRC", 3)];
    UDP_DST = "udp_dst" 2 b 16 MRW Udp Decimal (tp_dst, 2, 0)
        [nxm_of(12, "NXM_OF_UDP_DST"), oxm(16, "OXM_OF_UDP_DST", 3)];
    SCTP_SRC = "sctp_src" 2 b 16 MRW Sctp Decimal (tp_src, 2, 0) [oxm(17, "OXM_OF_SCTP_SRC", 3)];
    SCTP_DST = "sctp_dst" 2 b 16 MRW Sctp Decimal (tp_dst, 2, 0) [oxm(18, "OXM_OF_SCTP_DST", 3)];
    ICMP_TYPE = "icmp_type" 1 b 8 XRW Icmpv4 Decimal (low tp_src, 1, 0)
        [nxm_of(13, "NXM_OF_ICMP_TYPE"), oxm(19, "OXM_OF_ICMPV4_TYPE", 3)];
    ICMP_CODE = "icmp_code" 1 b 8 XRW Icmpv4 Decimal (low tp_dst, 1, 0)
        [nxm_of(14, "NXM_OF_ICMP_CODE"), oxm(20, "OXM_OF_ICMPV4_CODE", 3)];
    ICMPV6_TYPE = "icmpv6_type" 1 b 8 XRW Icmpv6 Decimal (low tp_src, 1, 0)
        [nxm_nx(21, "NXM_NX_ICMPV6_TYPE"), oxm(29, "OXM_OF_ICMPV6_TYPE", 3)];
    ICMPV6_CODE = "icmpv6_code" 1 b 8 XRW Icmpv6 Decimal (low tp_dst, 1, 0)
        [nxm_nx(22, "NXM_NX_ICMPV6_CODE"), oxm(30, "OXM_OF_ICMPV6_CODE", 3)];
    ND_TARGET = "nd_target" 16 b 128 MRW Nd Ipv6 (nd_target, 16, 0)
        [nxm_nx(23, "NXM_NX_ND_TARGET"), oxm(31, "OXM_OF_IPV6_ND_TARGET", 3)];
    ND_SLL = "nd_sll" 6 b 48 MRW NdSolicit Ethernet (arp_sha, 6, 0)
        [nxm_nx(24, "NXM_NX_ND_SLL"), oxm(32, "OXM_OF_IPV6_ND_SLL", 3)];
    ND_TLL = "nd_tll" 6 b 48 MRW NdAdvert Ethernet (arp_tha, 6, 0)
        [nxm_nx(25, "NXM_NX_ND_TLL"), oxm(33, "OXM_OF_IPV6_ND_TLL", 3)];
    ND_RESERVED = "nd_reserved" 4 b 32 XRW Nd Decimal (nd_reserved, 4, 0)
        [ericsson(1, "ERICOXM_OF_ICMPV6_ND_RESERVED")];
    ND_OPTIONS_TYPE = "nd_options_type" 1 b 8 XRW Nd Decimal (nd_options_type, 1, 0)
        [ericsson(2, "ERICOXM_OF_ICMPV6_ND_OPTIONS_TYPE")];

    // NSH
    NSH_FLAGS = "nsh_flags" 1 b 8 MRW Nsh Decimal (nsh_flags, 1, 0) [nsh(1, "NXOXM_NSH_FLAGS")];
    NSH_MDTYPE = "nsh_mdtype" 1 b 8 XRO Nsh Decimal (nsh_mdtype, 1, 0) [nsh(2, "NXOXM_NSH_MDTYPE")];
    NSH_NP = "nsh_np" 1 b 8 XRO Nsh Decimal (nsh_np, 1, 0) [nsh(3, "NXOXM_NSH_NP")];
    NSH_SPI = "nsh_spi" / "nsp" 4 b 24 XRW Nsh Hexadecimal (nsh_path_hdr, 4, 8) [nsh(4, "NXOXM_NSH_SPI")];
    NSH_SI = "nsh_si" / "nsi" 1 b 8 XRW Nsh Decimal (nsh_path_hdr, 4, 0) [nsh(5, "NXOXM_NSH_SI")];
    NSH_C1 = "nsh_c" / "nshc" [1; 4; 4] 4 b 32 MRW Nsh Hexadecimal (nsh_context, 4, 0) [nsh(6, "NXOXM_NSH_C")];
    NSH_TTL = "nsh_ttl" 1 b 8 XRW Nsh Decimal (nsh_ttl, 1, 0) [nsh(10, "NXOXM_NSH_TTL")];
}

/// Makes the table of fields from the rows: a family becomes one field a member.
pub(super) fn expand() -> Vec<Field> {
    let mut fields = Vec::new();
    for row in ROWS {
        for n in 0..row.count {
            let index = row.first + n;
            let numbered = |s: &str| match (s.is_empty(), row.count) {
                (true, _) | (_, 1) => s.to_owned(),
                _ => format!("{s}{index}"),
            };
            let place = match row.place {
                Place::Bits { offset, bytes, shift } => {
                    Place::Bits { offset: offset + u16::from(n) * row.stride, bytes, shift }
                }
                p @ Place::TunMetadata => p,
            };
            let oxm =
                row.oxm.iter().map(|o| (Oxm { number: o.number + n, ..*o }, numbered(o.name)));
            fields.push(Field {
                id: FieldId(fields.len() as u16),
                name: numbered(row.name),
                alias: numbered(row.alias),
                bytes: row.bytes,
                bits: row.bits,
                maskable: row.access.maskable,
                writable: row.access.writable,
                prereq: row.prereq,
                format: row.format,
                place,
                index,
                oxm: oxm.collect(),
            });
        }
    }
    fields
}
