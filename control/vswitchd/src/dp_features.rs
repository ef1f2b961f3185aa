//! What the datapath can do, in the words that clients look for: `dpif/show-dp-features` and
//! `Datapath.capabilities`.

use std::collections::BTreeMap;

use weir_flow::flow::MAX_VLANS;

/// How much of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ability {
    Flag(bool),
    Number(usize),
    /// A number, of which the database is only told whether it is 0.
    Depth(usize),
    /// As many VLAN tags as are looked at.
    Vlans,
}

use Ability::{Depth, Flag, Number, Vlans};

/// Key in the database, title, ability; in the order of `dpif/show-dp-features`.
const FEATURES: &[(&str, &str, Ability)] = &[
    ("masked_set_action", "Masked set action", Flag(true)),
    ("tnl_push_pop", "Tunnel push pop", Flag(false)),
    ("ufid", "Ufid", Flag(true)),
    ("trunc", "Truncate action", Flag(true)),
    ("clone", "Clone action", Flag(true)),
    ("sample_nesting", "Sample nesting", Depth(10)),
    ("ct_eventmask", "Conntrack eventmask", Flag(false)),
    ("ct_clear", "Conntrack clear", Flag(false)),
    ("max_hash_alg", "Max dp_hash algorithm", Number(1)),
    ("check_pkt_len", "Check pkt length action", Flag(true)),
    ("ct_timeout", "Conntrack timeout policy", Flag(false)),
    ("explicit_drop_action", "Explicit Drop action", Flag(true)),
    ("lb_output_action", "Optimized Balance TCP mode", Flag(false)),
    ("ct_zero_snat", "Conntrack all-zero IP SNAT", Flag(false)),
    ("add_mpls", "MPLS Label add", Flag(false)),
    ("max_vlan_headers", "Max VLAN headers", Vlans),
    ("max_mpls_depth", "Max MPLS depth", Number(3)),
    ("recirc", "Recirc", Flag(true)),
    ("ct_state", "CT state", Flag(false)),
    ("ct_zone", "CT zone", Flag(false)),
    ("ct_mark", "CT mark", Flag(false)),
    ("ct_label", "CT label", Flag(false)),
    ("ct_state_nat", "CT state NAT", Flag(false)),
    ("ct_orig_tuple", "CT orig tuple", Flag(false)),
    ("ct_orig_tuple6", "CT orig tuple for IPv6", Flag(false)),
    ("nd_ext", "IPv6 ND Extension", Flag(false)),
];

/// Tags that are looked at under a `vlan-limit`, of which 0 is no limit.
fn vlans(limit: u32) -> usize {
    let limit = usize::try_from(limit).unwrap_or(MAX_VLANS);
    if limit == 0 { MAX_VLANS } else { limit.min(MAX_VLANS) }
}

/// The lines of `dpif/show-dp-features`.
#[must_use]
pub fn lines(vlan_limit: u32) -> String {
    let line = |(_, title, ability): &(&str, &str, Ability)| match ability {
        Flag(yes) => format!("{title}: {}\n", if *yes { "Yes" } else { "No" }),
        Number(n) | Depth(n) => format!("{title}: {n}\n"),
        Vlans => format!("{title}: {}\n", vlans(vlan_limit)),
    };
    FEATURES.iter().map(line).collect()
}

/// `Datapath.capabilities`.
#[must_use]
pub fn capabilities(vlan_limit: u32) -> BTreeMap<String, String> {
    let pair = |(key, _, ability): &(&str, &str, Ability)| {
        let value = match ability {
            Flag(yes) => yes.to_string(),
            Depth(n) => (*n > 0).to_string(),
            Number(n) => n.to_string(),
            Vlans => vlans(vlan_limit).to_string(),
        };
        ((*key).to_owned(), value)
    };
    FEATURES.iter().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vlan_limit_is_an_ability() {
        assert!(lines(1).contains("Max VLAN headers: 1\n"));
        assert!(lines(0).contains("Max VLAN headers: 2\n"));
        let all = capabilities(7);
        assert_eq!(all["max_vlan_headers"], "2");
        assert_eq!((all["sample_nesting"].as_str(), all["recirc"].as_str()), ("true", "true"));
    }
}
