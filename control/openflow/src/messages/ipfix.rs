//! IPFIX exporter statistics: `NXST_IPFIX_BRIDGE` and `NXST_IPFIX_FLOW` replies.

use crate::ofp_errors::OfpError;
use crate::wire::{Put, Reader};

/// One exporter's counters, in the order of the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "names of nx_ipfix_stats_reply")]
pub struct IpfixStats {
    pub total_flows: u64,
    pub current_flows: u64,
    pub pkts: u64,
    pub ipv4_pkts: u64,
    pub ipv6_pkts: u64,
    pub error_pkts: u64,
    pub ipv4_error_pkts: u64,
    pub ipv6_error_pkts: u64,
    pub tx_pkts: u64,
    pub tx_errors: u64,
    /// Which `Flow_Sample_Collector_Set`; 0 for a bridge's exporter.
    pub collector_set_id: u32,
}

impl IpfixStats {
    pub(crate) fn pull(r: &mut Reader<'_>) -> Result<Self, OfpError> {
        let s = Self {
            total_flows: r.u64()?,
            current_flows: r.u64()?,
            pkts: r.u64()?,
            ipv4_pkts: r.u64()?,
            ipv6_pkts: r.u64()?,
            error_pkts: r.u64()?,
            ipv4_error_pkts: r.u64()?,
            ipv6_error_pkts: r.u64()?,
            tx_pkts: r.u64()?,
            tx_errors: r.u64()?,
            collector_set_id: r.u32()?,
        };
        r.skip(4)?;
        Ok(s)
    }

    /// Appends the statistics as an entry of a reply.
    pub fn put(&self, out: &mut Vec<u8>) {
        for counter in [
            self.total_flows,
            self.current_flows,
            self.pkts,
            self.ipv4_pkts,
            self.ipv6_pkts,
            self.error_pkts,
            self.ipv4_error_pkts,
            self.ipv6_error_pkts,
            self.tx_pkts,
            self.tx_errors,
        ] {
            out.put_u64(counter);
        }
        out.put_u32(self.collector_set_id);
        out.put_zeros(4);
    }
}
