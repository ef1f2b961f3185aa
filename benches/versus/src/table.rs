//! The rows' OpenFlow tables, in `ovs-ofctl add-flows` form.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::acl::Acl;
use crate::explosion::Attack;
use crate::{masks, pipeline};

/// Where the networks of prefix rules begin.
pub(crate) const NETWORK: u32 = 0x0b00_0000;
/// The same of IPv6: network `i` is `NETWORK6 + (i << 64)`.
pub(crate) const NETWORK6: u128 = 0x2001_0db8_0000_0000 << 64;

/// A table; each sends what it allows to port 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Table {
    /// One rule on the ingress port.
    Forward,
    /// So many rules on /24 destinations.
    Prefixes(u32),
    /// So many rules on IPv6 /64 destinations.
    Prefixes6(u32),
    /// The access control list of the run.
    Acl,
    /// Rules that give so many megaflow masks.
    Masks(u32),
    /// Push a tag, set both MACs, decrement the TTL.
    Rewrite,
    /// Eight tables.
    Pipeline,
    /// MAC learning.
    Normal,
    /// A tenant's own list beside legitimate traffic.
    Tenant,
}

impl Table {
    /// The flows.
    pub(crate) fn flows(self, acl: &Acl, attack: Attack) -> String {
        match self {
            Self::Forward => "in_port=1,actions=output:2\n".into(),
            Self::Prefixes(n) => (0..n)
                .map(|i| {
                    let network = Ipv4Addr::from(NETWORK + (i << 8));
                    format!("ip,nw_dst={network}/24,actions=output:2\n")
                })
                .collect(),
            Self::Prefixes6(n) => (0..n)
                .map(|i| {
                    let network = Ipv6Addr::from(NETWORK6 + (u128::from(i) << 64));
                    format!("ipv6,ipv6_dst={network}/64,actions=output:2\n")
                })
                .collect(),
            Self::Acl => acl.flows(2),
            Self::Masks(n) => masks::flows(n),
            Self::Rewrite => "ip,in_port=1,actions=push_vlan:0x8100,set_field:4196->vlan_vid,\
                 set_field:02:00:00:00:00:aa->eth_src,set_field:02:00:00:00:00:bb->eth_dst,\
                 dec_ttl,output:2\n"
                .into(),
            Self::Pipeline => pipeline::flows(),
            Self::Normal => "actions=normal\n".into(),
            Self::Tenant => attack.flows(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acl::Shape;

    #[test]
    fn prefix_rules_are_as_many_as_asked_for() {
        let acl = Acl::random(1, Shape::Mixed, 3);
        let lines = |t: Table| t.flows(&acl, Attack::All).lines().count();
        assert_eq!(lines(Table::Prefixes(512)), 512);
        assert_eq!(lines(Table::Prefixes6(512)), 512);
        assert_eq!(lines(Table::Acl), 4);
        let text = Table::Prefixes6(2).flows(&acl, Attack::All);
        assert!(text.contains("ipv6_dst=2001:db8:0:1::/64"));
    }
}
