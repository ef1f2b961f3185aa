//! Flags of `rte_mbuf.ol_flags` and of device capabilities, under the names of DPDK's `RTE_MBUF_F_*`
//! and `RTE_ETH_*_OFFLOAD_*`.

/// Set by a driver on reception; read from [`MbufRef::ol_flags`](crate::MbufRef::ol_flags).
pub mod rx {
    pub use dpdk_sys::{
        WEIR_RX_FDIR as FDIR, WEIR_RX_FDIR_ID as FDIR_ID, WEIR_RX_IP_CKSUM_BAD as IP_CKSUM_BAD,
        WEIR_RX_IP_CKSUM_GOOD as IP_CKSUM_GOOD, WEIR_RX_IP_CKSUM_MASK as IP_CKSUM_MASK,
        WEIR_RX_IP_CKSUM_NONE as IP_CKSUM_NONE, WEIR_RX_IP_CKSUM_UNKNOWN as IP_CKSUM_UNKNOWN,
        WEIR_RX_L4_CKSUM_BAD as L4_CKSUM_BAD, WEIR_RX_L4_CKSUM_GOOD as L4_CKSUM_GOOD,
        WEIR_RX_L4_CKSUM_MASK as L4_CKSUM_MASK, WEIR_RX_L4_CKSUM_NONE as L4_CKSUM_NONE,
        WEIR_RX_L4_CKSUM_UNKNOWN as L4_CKSUM_UNKNOWN, WEIR_RX_LRO as LRO,
        WEIR_RX_RSS_HASH as RSS_HASH, WEIR_RX_VLAN as VLAN, WEIR_RX_VLAN_STRIPPED as VLAN_STRIPPED,
    };
}

/// Asked of a driver on transmission; the lengths in
/// [`MbufRef::tx_lengths`](crate::MbufRef::tx_lengths) say where the headers are.
pub mod tx {
    pub use dpdk_sys::{
        WEIR_TX_IP_CKSUM as IP_CKSUM, WEIR_TX_IPV4 as IPV4, WEIR_TX_IPV6 as IPV6,
        WEIR_TX_L4_MASK as L4_MASK, WEIR_TX_OFFLOAD_MASK as OFFLOAD_MASK,
        WEIR_TX_OUTER_IP_CKSUM as OUTER_IP_CKSUM, WEIR_TX_OUTER_IPV4 as OUTER_IPV4,
        WEIR_TX_OUTER_IPV6 as OUTER_IPV6, WEIR_TX_OUTER_UDP_CKSUM as OUTER_UDP_CKSUM,
        WEIR_TX_SCTP_CKSUM as SCTP_CKSUM, WEIR_TX_TCP_CKSUM as TCP_CKSUM,
        WEIR_TX_TCP_SEG as TCP_SEG, WEIR_TX_TUNNEL_GENEVE as TUNNEL_GENEVE,
        WEIR_TX_TUNNEL_GRE as TUNNEL_GRE, WEIR_TX_TUNNEL_MASK as TUNNEL_MASK,
        WEIR_TX_TUNNEL_VXLAN as TUNNEL_VXLAN, WEIR_TX_UDP_CKSUM as UDP_CKSUM,
        WEIR_TX_UDP_SEG as UDP_SEG, WEIR_TX_VLAN as VLAN,
    };
}

/// What a device can do on reception ([`DevInfo::rx_capa`](crate::DevInfo::rx_capa)).
pub mod dev_rx {
    pub use dpdk_sys::{
        WEIR_DEV_RX_IPV4_CKSUM as IPV4_CKSUM, WEIR_DEV_RX_KEEP_CRC as KEEP_CRC,
        WEIR_DEV_RX_RSS_HASH as RSS_HASH, WEIR_DEV_RX_SCATTER as SCATTER,
        WEIR_DEV_RX_TCP_CKSUM as TCP_CKSUM, WEIR_DEV_RX_TCP_LRO as TCP_LRO,
        WEIR_DEV_RX_UDP_CKSUM as UDP_CKSUM, WEIR_DEV_RX_VLAN_STRIP as VLAN_STRIP,
    };
}

/// What a device can do on transmission ([`DevInfo::tx_capa`](crate::DevInfo::tx_capa)).
pub mod dev_tx {
    pub use dpdk_sys::{
        WEIR_DEV_TX_GENEVE_TSO as GENEVE_TSO, WEIR_DEV_TX_IPV4_CKSUM as IPV4_CKSUM,
        WEIR_DEV_TX_MBUF_FAST_FREE as MBUF_FAST_FREE, WEIR_DEV_TX_MULTI_SEGS as MULTI_SEGS,
        WEIR_DEV_TX_OUTER_IPV4_CKSUM as OUTER_IPV4_CKSUM,
        WEIR_DEV_TX_OUTER_UDP_CKSUM as OUTER_UDP_CKSUM, WEIR_DEV_TX_SCTP_CKSUM as SCTP_CKSUM,
        WEIR_DEV_TX_TCP_CKSUM as TCP_CKSUM, WEIR_DEV_TX_TCP_TSO as TCP_TSO,
        WEIR_DEV_TX_UDP_CKSUM as UDP_CKSUM, WEIR_DEV_TX_VXLAN_TSO as VXLAN_TSO,
    };
}
