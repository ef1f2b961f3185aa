//! A chain of eight tables, as a small OVN makes: port security, an ingress list, routing with
//! registers for the next hop, its MAC, an egress list, delivery.

use std::net::Ipv4Addr;

/// Routed networks of /24.
pub(crate) const NETWORKS: u32 = 256;
/// Where they begin: network `i` is `NETWORK + (i << 8)`.
pub(crate) const NETWORK: u32 = 0x0b00_0000;

/// Next hops, shared by the networks.
const HOPS: u32 = 16;

/// Protocols and destination ports that the egress list looks at.
const EGRESS: &[&str] = &["tcp,tp_dst=22", "tcp,tp_dst=0x1f00/0xff00", "udp,tp_dst=53"];

/// The flows.
pub(crate) fn flows() -> String {
    let mut text = String::from(
        "table=0,in_port=1,actions=load:1->NXM_NX_REG14[],load:0x5->OXM_OF_METADATA[],resubmit(,1)\n\
         table=1,priority=50,reg14=0x1,metadata=0x5,dl_src=02:00:00:00:00:01,actions=resubmit(,2)\n\
         table=1,priority=1,actions=drop\n\
         table=2,priority=50,udp,metadata=0x5,actions=load:1->NXM_NX_REG10[0],resubmit(,3)\n\
         table=2,priority=40,tcp,metadata=0x5,actions=load:0->NXM_NX_REG10[0],resubmit(,3)\n\
         table=2,priority=1,actions=drop\n\
         table=3,ip,metadata=0x5,actions=move:NXM_NX_REG14[]->NXM_NX_REG1[],resubmit(,4)\n\
         table=7,reg15=0x2,actions=output:2\n",
    );
    for i in 0..NETWORKS {
        let network = Ipv4Addr::from(NETWORK + (i << 8));
        text += &format!(
            "table=4,priority=24,ip,metadata=0x5,nw_dst={network}/24,actions=dec_ttl,\
             load:{:#x}->NXM_NX_REG0[],load:2->NXM_NX_REG15[],resubmit(,5)\n",
            0x0aff_0000 + i % HOPS,
        );
    }
    for hop in 0..HOPS {
        text += &format!(
            "table=5,priority=50,ip,reg0={:#x},reg15=0x2,actions=set_field:02:00:00:00:02:{hop:02x}->eth_dst,\
             set_field:02:00:00:00:00:aa->eth_src,resubmit(,6)\n",
            0x0aff_0000 + hop,
        );
    }
    for (i, what) in EGRESS.iter().enumerate() {
        text += &format!("table=6,priority={},{what},metadata=0x5,actions=drop\n", 50 - i);
    }
    text + "table=6,priority=1,metadata=0x5,actions=move:NXM_NX_REG15[]->NXM_NX_REG2[],resubmit(,7)\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_of_the_chain_has_flows() {
        let text = flows();
        for table in 0..8 {
            assert!(text.contains(&format!("table={table},")), "table {table}");
        }
        assert!(text.lines().all(|l| l.contains("actions=")));
    }
}
