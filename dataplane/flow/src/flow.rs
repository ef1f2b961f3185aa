//! [`Flow`]: everything the switch knows about one packet, in one flat, word-addressable record.
//!
//! Every member holds the bytes as they stand on the wire (big endian), so a field is a bit range
//! of the record and a mask is a record of the same shape. The record has three parts:
//!
//! | words | part | who fills it |
//! | --- | --- | --- |
//! | `0..PACKET_WORDS` | packet headers, ports, conntrack, NSH | the packet parser |
//! | `PACKET_WORDS..KEY_WORDS` | tunnel | tunnel decapsulation |
//! | `KEY_WORDS..WORDS` | registers, metadata: the OpenFlow pipeline only | translation |
//!
//! The first `HOT_WORDS` words describe any IPv4 packet without MPLS completely: the packet path
//! touches no more than these for it. A datapath key (megaflow) never has a bit set at or after
//! [`KEY_WORDS`].

use std::fmt;

use crate::field::Field;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Network-order integers, as they stand in the record.
pub use zerocopy::byteorder::network_endian::{U16, U32, U64};

/// Most VLAN tags that are parsed (802.1Q, 802.1ad).
pub const MAX_VLANS: usize = 2;
/// Most MPLS label stack entries that are parsed.
pub const MAX_MPLS_LABELS: usize = 3;
/// Bytes of tunnel metadata (Geneve options) a flow can carry.
pub const TUN_METADATA_BYTES: usize = 256;
/// Number of 32-bit registers.
pub const N_REGS: usize = 32;

/// `nw_frag`: the packet is a fragment.
pub const FRAG_ANY: u8 = 1;
/// `nw_frag`: the packet is a fragment with nonzero offset.
pub const FRAG_LATER: u8 = 2;

/// Bit of a VLAN TCI that says "a tag is present" (the CFI/DEI bit's place, as OpenFlow uses it).
pub const VLAN_CFI: u16 = 0x1000;
/// VLAN identifier bits of a TCI.
pub const VLAN_VID_MASK: u16 = 0x0fff;
/// Priority bits of a TCI.
pub const VLAN_PCP_MASK: u16 = 0xe000;

/// One VLAN tag; all zero when there is none. `tci` has [`VLAN_CFI`] set when present.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, FromBytes, IntoBytes, KnownLayout, Immutable,
)]
#[repr(C)]
pub struct Vlan {
    /// Tag protocol identifier, 0x8100 or 0x88a8.
    pub tpid: U16,
    /// Priority, presence bit and VLAN identifier.
    pub tci: U16,
}

/// See the [module documentation](self). All zero is the empty flow.
#[derive(Clone, Copy, PartialEq, Eq, Hash, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C, align(8))]
#[expect(missing_docs, reason = "members carry the names of ovs-fields(7); see field.rs for each")]
pub struct Flow {
    // w0
    /// Ingress port. A datapath port number in a datapath key, an OpenFlow port number during
    /// translation.
    pub in_port: U32,
    pub recirc_id: U32,
    // w1, w2
    pub dl_dst: [u8; 6],
    pub dl_src: [u8; 6],
    /// Innermost Ethernet type; values below 0x600 never appear (0x05ff marks "no type").
    pub dl_type: U16,
    pub nw_frag: u8,
    /// IP protocol, or the low 8 bits of the ARP opcode.
    pub nw_proto: u8,
    // w3
    pub vlans: [Vlan; MAX_VLANS],
    // w4
    /// IPv4 source, or ARP SPA.
    pub nw_src: U32,
    /// IPv4 destination, or ARP TPA.
    pub nw_dst: U32,
    // w5
    /// DSCP and ECN (IPv4 TOS octet, IPv6 traffic class).
    pub nw_tos: u8,
    pub nw_ttl: u8,
    pub tcp_flags: U16,
    /// TCP/UDP/SCTP source port, or ICMP type.
    pub tp_src: U16,
    /// TCP/UDP/SCTP destination port, or ICMP code.
    pub tp_dst: U16,
    // w6..w9
    pub ipv6_src: [u8; 16],
    pub ipv6_dst: [u8; 16],
    // w10, w11
    pub ipv6_label: U32,
    pub mpls_lse: [U32; MAX_MPLS_LABELS],
    // w12..w15
    pub nd_target: [u8; 16],
    /// ARP SHA or ND source link layer address.
    pub arp_sha: [u8; 6],
    /// ARP THA or ND target link layer address.
    pub arp_tha: [u8; 6],
    pub nd_reserved: U32,
    // w16
    pub packet_type: U32,
    pub dp_hash: U32,
    // w17
    pub skb_priority: U32,
    pub pkt_mark: U32,
    // w18
    pub ct_state: U32,
    pub ct_mark: U32,
    // w19
    pub ct_zone: U16,
    pub ct_nw_proto: u8,
    pub nd_options_type: u8,
    pub ct_tp_src: U16,
    pub ct_tp_dst: U16,
    // w20
    pub ct_nw_src: U32,
    pub ct_nw_dst: U32,
    // w21..w26
    pub ct_label: [u8; 16],
    pub ct_ipv6_src: [u8; 16],
    pub ct_ipv6_dst: [u8; 16],
    // w27..w29
    pub nsh_flags: u8,
    pub nsh_ttl: u8,
    pub nsh_mdtype: u8,
    pub nsh_np: u8,
    /// Service path identifier (24 bits) and service index (8 bits).
    pub nsh_path_hdr: U32,
    pub nsh_context: [U32; 4],
    // w30..w38: tunnel
    pub tun_id: U64,
    pub tun_src: U32,
    pub tun_dst: U32,
    pub tun_ipv6_src: [u8; 16],
    pub tun_ipv6_dst: [u8; 16],
    pub tun_flags: U16,
    pub tun_ttl: u8,
    pub tun_tos: u8,
    pub tun_gbp_id: U16,
    pub tun_gbp_flags: u8,
    pub tun_gtpu_flags: u8,
    pub tun_gtpu_msgtype: u8,
    pub tun_erspan_ver: u8,
    pub tun_erspan_dir: u8,
    pub tun_erspan_hwid: u8,
    pub tun_erspan_idx: U32,
    pub tun_tp_src: U16,
    pub tun_tp_dst: U16,
    pub tun_pad: U32,
    // w39..w71: which tun_metadata bytes are valid is the TLV map's business; bit N of `present`
    // says that tun_metadataN was in the packet.
    pub tun_metadata_present: U64,
    pub tun_metadata: [u8; TUN_METADATA_BYTES],
    // w72..w87: the OpenFlow pipeline's own state
    pub regs: [U32; N_REGS],
    // w88, w89
    pub metadata: U64,
    pub conj_id: U32,
    pub actset_output: U32,
}

/// 64-bit words of a whole [`Flow`].
pub const WORDS: usize = size_of::<Flow>() / 8;
/// Words that describe any IPv4 packet without MPLS.
pub const HOT_WORDS: usize = 6;
/// Words that describe any IP packet without MPLS that is no neighbor discovery.
pub const WIDE_WORDS: usize = 11;
/// Words that describe any packet that did not come through a tunnel.
pub const PACKET_WORDS: usize = core::mem::offset_of!(Flow, tun_id) / 8;
/// Words that a datapath key (megaflow) can match.
pub const KEY_WORDS: usize = core::mem::offset_of!(Flow, regs) / 8;

const _: () = assert!(size_of::<Flow>() == 90 * 8 && PACKET_WORDS == 30 && KEY_WORDS == 72);
const _: () = assert!(core::mem::offset_of!(Flow, ipv6_src) == HOT_WORDS * 8);

impl Flow {
    /// The flow of no packet: every bit zero.
    pub const ZERO: Self = Self::zeroed();

    const fn zeroed() -> Self {
        zerocopy::transmute!([0u8; size_of::<Self>()])
    }

    /// The record as words. A word's value depends on the host's byte order: use words only to
    /// mask, compare and hash.
    #[inline(always)]
    #[must_use]
    pub fn words(&self) -> &[u64; WORDS] {
        zerocopy::transmute_ref!(self)
    }

    /// See [`Flow::words`].
    #[inline(always)]
    pub fn words_mut(&mut self) -> &mut [u64; WORDS] {
        zerocopy::transmute_mut!(self)
    }

    /// The record as bytes, in wire order.
    #[inline(always)]
    #[must_use]
    pub fn bytes(&self) -> &[u8; size_of::<Self>()] {
        zerocopy::transmute_ref!(self)
    }

    /// See [`Flow::bytes`].
    #[inline(always)]
    pub fn bytes_mut(&mut self) -> &mut [u8; size_of::<Self>()] {
        zerocopy::transmute_mut!(self)
    }

    /// Number of VLAN tags present.
    #[must_use]
    pub fn n_vlans(&self) -> usize {
        self.vlans.iter().take_while(|v| v.tci.get() & VLAN_CFI != 0).count()
    }

    /// Is the Ethernet type IPv4 or IPv6?
    #[must_use]
    pub fn is_ip_any(&self) -> bool {
        matches!(self.dl_type.get(), eth_type::IPV4 | eth_type::IPV6)
    }
}

impl Default for Flow {
    fn default() -> Self {
        Self::ZERO
    }
}

/// Lists the fields that are not zero, by name, so that a failed assertion can be read.
impl fmt::Debug for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for field in Field::all() {
            let value = field.get(self);
            if value != 0 {
                map.entry(&format_args!("{}", field.name), &format_args!("{value:#x}"));
            }
        }
        map.finish()
    }
}

/// Ethernet types the switch knows.
#[expect(missing_docs, reason = "IANA names")]
pub mod eth_type {
    pub const IPV4: u16 = 0x0800;
    pub const ARP: u16 = 0x0806;
    pub const TEB: u16 = 0x6558;
    pub const RARP: u16 = 0x8035;
    pub const VLAN_8021Q: u16 = 0x8100;
    pub const IPV6: u16 = 0x86dd;
    pub const LACP: u16 = 0x8809;
    pub const MPLS: u16 = 0x8847;
    pub const MPLS_MCAST: u16 = 0x8848;
    pub const VLAN_8021AD: u16 = 0x88a8;
    pub const NSH: u16 = 0x894f;
    pub const LLDP: u16 = 0x88cc;
    /// What `dl_type` holds for a frame without an Ethernet type (OpenFlow's OFP_DL_TYPE_NOT_ETH_TYPE).
    pub const NONE: u16 = 0x05ff;
}

/// IP protocol numbers the switch knows.
#[expect(missing_docs, reason = "IANA names")]
pub mod ip_proto {
    pub const ICMP: u8 = 1;
    pub const IGMP: u8 = 2;
    pub const TCP: u8 = 6;
    pub const UDP: u8 = 17;
    pub const GRE: u8 = 47;
    pub const ICMPV6: u8 = 58;
    pub const SCTP: u8 = 132;
}

/// `packet_type` of an Ethernet frame: (ns 0, type 0).
pub const PT_ETH: u32 = 0;
