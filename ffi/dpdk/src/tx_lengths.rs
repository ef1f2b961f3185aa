//! Where the headers of a packet are, for devices that fill in checksums and split packets.

use dpdk_sys::weir_tx_offload_layout as layout;

/// Header lengths for transmit offloads (`rte_mbuf.tx_offload`), in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TxLengths {
    /// Ethernet header and tags (with an outer packet: outer L4, tunnel and inner Ethernet). < 128.
    pub l2: u8,
    /// IP header with options or extension headers. < 512.
    pub l3: u16,
    /// TCP, UDP or SCTP header. < 256.
    pub l4: u8,
    /// Payload bytes of each segment that TSO makes; 0 without TSO.
    pub tso_segsz: u16,
    /// Outer Ethernet header and tags of a tunnel packet. < 128.
    pub outer_l2: u8,
    /// Outer IP header of a tunnel packet. < 512.
    pub outer_l3: u16,
}

const fn bits(value: u64, width: u32, shift: u32) -> u64 {
    (value & ((1 << width) - 1)) << shift
}

impl TxLengths {
    /// The packed form DPDK reads. Values too large for their field lose their high bits.
    #[inline(always)]
    #[must_use]
    pub const fn pack(self) -> u64 {
        bits(self.l2 as u64, layout::WEIR_L2_LEN_BITS, layout::WEIR_L2_LEN_SHIFT)
            | bits(self.l3 as u64, layout::WEIR_L3_LEN_BITS, layout::WEIR_L3_LEN_SHIFT)
            | bits(self.l4 as u64, layout::WEIR_L4_LEN_BITS, layout::WEIR_L4_LEN_SHIFT)
            | bits(self.tso_segsz as u64, layout::WEIR_TSO_SEGSZ_BITS, layout::WEIR_TSO_SEGSZ_SHIFT)
            | bits(
                self.outer_l3 as u64,
                layout::WEIR_OUTER_L3_LEN_BITS,
                layout::WEIR_OUTER_L3_LEN_SHIFT,
            )
            | bits(
                self.outer_l2 as u64,
                layout::WEIR_OUTER_L2_LEN_BITS,
                layout::WEIR_OUTER_L2_LEN_SHIFT,
            )
    }

    /// From the packed form.
    #[inline(always)]
    #[must_use]
    pub const fn unpack(packed: u64) -> Self {
        const fn field(packed: u64, width: u32, shift: u32) -> u64 {
            (packed >> shift) & ((1 << width) - 1)
        }
        Self {
            l2: field(packed, layout::WEIR_L2_LEN_BITS, layout::WEIR_L2_LEN_SHIFT) as u8,
            l3: field(packed, layout::WEIR_L3_LEN_BITS, layout::WEIR_L3_LEN_SHIFT) as u16,
            l4: field(packed, layout::WEIR_L4_LEN_BITS, layout::WEIR_L4_LEN_SHIFT) as u8,
            tso_segsz: field(packed, layout::WEIR_TSO_SEGSZ_BITS, layout::WEIR_TSO_SEGSZ_SHIFT)
                as u16,
            outer_l3: field(packed, layout::WEIR_OUTER_L3_LEN_BITS, layout::WEIR_OUTER_L3_LEN_SHIFT)
                as u16,
            outer_l2: field(packed, layout::WEIR_OUTER_L2_LEN_BITS, layout::WEIR_OUTER_L2_LEN_SHIFT)
                as u8,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn lengths_survive_packing(
            l2 in 0..128_u8,
            l3 in 0..512_u16,
            l4: u8,
            tso_segsz: u16,
            outer_l2 in 0..128_u8,
            outer_l3 in 0..512_u16,
        ) {
            let lengths = TxLengths { l2, l3, l4, tso_segsz, outer_l2, outer_l3 };
            proptest::prop_assert_eq!(TxLengths::unpack(lengths.pack()), lengths);
        }
    }
}
