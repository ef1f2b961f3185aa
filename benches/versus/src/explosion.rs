//! Tuple space explosion: the rules that a tenant may install for its own address, and the packets
//! that make a cache of masked flows hold as many masks as the rules have bits.
//!
//! A packet that fails a rule by its `n`th bit lets a cache ignore the bits after it; packets that
//! fail every rule by every combination of bits make one mask a combination.

use std::net::Ipv4Addr;

use crate::packet::{Addresses, Packet, TCP};
use crate::random::Random;

/// The attacker's own machine.
const TENANT: u32 = 0x0a63_0001;
/// The values that its rules allow.
const SRC: u32 = 0x0a00_0001;
const TP_SRC: u16 = 12_345;
const TP_DST: u16 = 80;

/// Which fields the tenant's rules look at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Attack {
    /// Destination port, source address, source port: 16 * 32 * 16 masks.
    #[default]
    All,
    /// Source address and destination port: 32 * 16.
    Address,
    /// The ports: 16 * 16.
    Ports,
    /// No bit in particular: random values for all fields.
    Random,
}

/// The names of the attacks on the command line.
pub(crate) static ATTACKS: &[(&str, Attack)] = &[
    ("all", Attack::All),
    ("address", Attack::Address),
    ("ports", Attack::Ports),
    ("random", Attack::Random),
];

impl Attack {
    fn uses_address(self) -> bool {
        self != Self::Ports
    }

    fn uses_source_port(self) -> bool {
        self != Self::Address
    }

    /// How many masks the trace means to make.
    #[cfg(test)]
    fn masks(self) -> u64 {
        let address = if self.uses_address() { 32 } else { 1 };
        let source_port = if self.uses_source_port() { 16 } else { 1 };
        16 * address * source_port
    }

    /// The flows: a legitimate network behind port 2, and the tenant behind port 3 with its list, which
    /// what comes from port 4 is for.
    pub(crate) fn flows(self) -> String {
        let mut text = format!(
            "priority=10,in_port=1,ip,nw_dst=11.0.0.0/8,actions=output:2\n\
             priority=10,in_port=4,ip,nw_dst={},actions=resubmit(,1)\n\
             table=1,priority=40,tcp,tp_dst={TP_DST},actions=output:3\n",
            Ipv4Addr::from(TENANT),
        );
        if self.uses_address() {
            text += &format!(
                "table=1,priority=30,ip,nw_src={},actions=output:3\n",
                Ipv4Addr::from(SRC)
            );
        }
        if self.uses_source_port() {
            text += &format!("table=1,priority=20,tcp,tp_src={TP_SRC},actions=output:3\n");
        }
        text + "table=1,priority=1,actions=drop\n"
    }

    /// The `n`th packet of the trace; after that many packets the combinations come again,
    /// with other bits where nobody looks.
    pub(crate) fn packet(self, seed: u64, n: u64) -> Packet {
        let mut r = Random::nth(seed ^ 0x75e, n);
        let (src, sport, dport) = if self == Self::Random {
            (r.word(), r.word() as u16, r.word() as u16)
        } else {
            let (d, rest) = (n % 16, n / 16);
            let (s, rest) =
                if self.uses_source_port() { (rest % 16, rest / 16) } else { (0, rest) };
            let a = rest % 32;
            (
                fail_at(SRC, 31 - a as u32, r.word()),
                fail_at(u32::from(TP_SRC), 15 - s as u32, r.word()) as u16,
                fail_at(u32::from(TP_DST), 15 - d as u32, r.word()) as u16,
            )
        };
        Packet {
            addresses: Addresses::V4(src, TENANT),
            proto: TCP,
            tp_src: sport,
            tp_dst: dport,
            ..Packet::default()
        }
    }
}

/// Like `value` above `bit`, unlike it there, `rest` below.
fn fail_at(value: u32, bit: u32, rest: u32) -> u32 {
    let below = (1u32 << bit) - 1;
    (value ^ (1 << bit)) & !below | rest & below
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_value_fails_by_the_bit_asked_for() {
        for bit in 0..32 {
            let v = fail_at(SRC, bit, 0xdead_beef);
            assert_eq!((v ^ SRC).leading_zeros(), 31 - bit);
        }
    }

    #[test]
    fn a_trace_has_every_combination_of_first_bits() {
        for attack in [Attack::All, Attack::Address, Attack::Ports] {
            let first = |n| {
                let p = attack.packet(1, n);
                let Addresses::V4(src, _) = p.addresses else { panic!("an IPv4 trace") };
                let address = if attack.uses_address() { (src ^ SRC).leading_zeros() } else { 0 };
                let sport =
                    if attack.uses_source_port() { (p.tp_src ^ TP_SRC).leading_zeros() } else { 0 };
                (address, sport, (p.tp_dst ^ TP_DST).leading_zeros())
            };
            let combinations: HashSet<_> = (0..attack.masks()).map(first).collect();
            assert_eq!(combinations.len() as u64, attack.masks());
        }
    }
}
