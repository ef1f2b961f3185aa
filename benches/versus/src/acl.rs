//! Access control lists of random rules, and packets that a rule means.

use std::fmt;
use std::net::Ipv4Addr;

use crate::packet::{Addresses, Packet, TCP, UDP};
use crate::random::Random;

/// What the rules look at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Prefixes of any length on both addresses, often a protocol, often ports or ranges of them.
    #[default]
    Mixed,
    /// Only prefixes, on both addresses.
    Prefixes,
    /// Only protocols and ports, exact and ranges.
    Ports,
    /// A host and a port of its own each: many rules, two masks.
    Hosts,
}

/// The names of the shapes on the command line.
pub(crate) static SHAPES: &[(&str, Shape)] = &[
    ("mixed", Shape::Mixed),
    ("prefixes", Shape::Prefixes),
    ("ports", Shape::Ports),
    ("hosts", Shape::Hosts),
];

/// A value and the bits of it that count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Masked<T> {
    value: T,
    mask: T,
}

/// One rule; a port that counts needs a protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    proto: Option<u8>,
    src: Masked<u32>,
    dst: Masked<u32>,
    tp_src: Masked<u16>,
    tp_dst: Masked<u16>,
    allow: bool,
}

fn prefix(r: &mut Random, shortest: u32) -> Masked<u32> {
    let length = shortest + r.below(33 - shortest);
    let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
    Masked { value: r.word() & mask, mask }
}

/// Nothing, one port, or an aligned range, a third each.
fn port(r: &mut Random) -> Masked<u16> {
    let mask = match r.below(3) {
        0 => 0,
        1 => u16::MAX,
        _ => u16::MAX << (1 + r.below(10)),
    };
    Masked { value: r.word() as u16 & mask, mask }
}

impl Rule {
    fn random(r: &mut Random, shape: Shape) -> Self {
        let some = |r: &mut Random| Some(if r.below(2) == 0 { TCP } else { UDP });
        // One rule in ten drops: random traffic rarely meets one, and drops have to be accounted for.
        let allow = r.below(10) != 0;
        let any = Masked::default();
        let free = Self {
            proto: None,
            src: Masked::default(),
            dst: Masked::default(),
            tp_src: any,
            tp_dst: any,
            allow,
        };
        match shape {
            Shape::Mixed => {
                let proto = if r.below(5) == 0 { None } else { some(r) };
                let (src, dst) = (prefix(r, 8), prefix(r, 8));
                let (tp_src, tp_dst) =
                    if proto.is_some() { (port(r), port(r)) } else { (any, any) };
                Self { proto, src, dst, tp_src, tp_dst, ..free }
            }
            Shape::Prefixes => Self { src: prefix(r, 4), dst: prefix(r, 8), ..free },
            Shape::Ports => Self { proto: some(r), tp_src: port(r), tp_dst: port(r), ..free },
            Shape::Hosts => {
                let dst = Masked { value: r.word(), mask: u32::MAX };
                let tp_dst = Masked { value: r.word() as u16, mask: u16::MAX };
                Self { proto: some(r), dst, tp_dst, ..free }
            }
        }
    }

    /// A packet that the rule matches; what it does not look at is random.
    fn packet(&self, r: &mut Random) -> Packet {
        let word = |m: Masked<u32>, r: &mut Random| m.value | (r.word() & !m.mask);
        let half = |m: Masked<u16>, r: &mut Random| m.value | (r.word() as u16 & !m.mask);
        Packet {
            addresses: Addresses::V4(word(self.src, r), word(self.dst, r)),
            proto: self.proto.unwrap_or(UDP),
            tp_src: half(self.tp_src, r),
            tp_dst: half(self.tp_dst, r),
            ..Packet::default()
        }
    }
}

impl fmt::Display for Rule {
    /// The match, as `ovs-ofctl` reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.proto {
            Some(TCP) => "tcp",
            Some(_) => "udp",
            None => "ip",
        })?;
        for (name, m) in [("nw_src", self.src), ("nw_dst", self.dst)] {
            if m.mask != 0 {
                write!(f, ",{name}={}/{}", Ipv4Addr::from(m.value), m.mask.count_ones())?;
            }
        }
        for (name, m) in [("tp_src", self.tp_src), ("tp_dst", self.tp_dst)] {
            if m.mask != 0 {
                write!(f, ",{name}={:#x}/{:#x}", m.value, m.mask)?;
            }
        }
        Ok(())
    }
}

/// A list of rules, each with a priority of its own; what none matches is allowed.
#[derive(Clone, Debug)]
pub(crate) struct Acl(Vec<Rule>);

impl Acl {
    pub(crate) fn random(seed: u64, shape: Shape, rules: u32) -> Self {
        let mut r = Random::new(seed ^ 0xac1);
        Self((0..rules).map(|_| Rule::random(&mut r, shape)).collect())
    }

    /// The flows; allowed packets leave by `port`.
    pub(crate) fn flows(&self, port: u32) -> String {
        let mut text = format!("priority=1,actions=output:{port}\n");
        for (i, rule) in self.0.iter().enumerate() {
            let to = if rule.allow { format!("output:{port}") } else { "drop".to_owned() };
            text += &format!("priority={},{rule},actions={to}\n", 2 + i);
        }
        text
    }

    /// A packet for a random rule.
    pub(crate) fn matching(&self, r: &mut Random) -> Packet {
        let n = r.below(self.0.len() as u32) as usize;
        self.0.get(n).map_or_else(Packet::default, |rule| rule.packet(r))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_makes_the_rules_asked_for_and_repeats_them() {
        for (_, shape) in SHAPES {
            let flows = Acl::random(1, *shape, 50).flows(2);
            assert_eq!(flows.lines().count(), 51);
            assert_eq!(flows, Acl::random(1, *shape, 50).flows(2));
            assert_ne!(flows, Acl::random(2, *shape, 50).flows(2));
        }
    }

    #[test]
    fn a_rules_packet_has_the_bits_that_the_rule_wants() {
        let mut r = Random::new(3);
        for _ in 0..1_000 {
            let rule = Rule::random(&mut r, Shape::Mixed);
            let p = rule.packet(&mut r);
            let Addresses::V4(src, dst) = p.addresses else { panic!("an IPv4 rule") };
            assert_eq!(src & rule.src.mask, rule.src.value);
            assert_eq!(dst & rule.dst.mask, rule.dst.value);
            assert_eq!(p.tp_src & rule.tp_src.mask, rule.tp_src.value);
            assert_eq!(p.tp_dst & rule.tp_dst.mask, rule.tp_dst.value);
            assert!(rule.proto.is_none_or(|proto| proto == p.proto));
        }
    }

    #[test]
    fn rules_are_written_as_ofctl_reads_them() {
        let rule = Rule {
            proto: Some(TCP),
            src: Masked { value: 0x0a00_0000, mask: 0xff00_0000 },
            dst: Masked::default(),
            tp_src: Masked::default(),
            tp_dst: Masked { value: 0x50, mask: 0xffff },
            allow: true,
        };
        assert_eq!(rule.to_string(), "tcp,nw_src=10.0.0.0/8,tp_dst=0x50/0xffff");
    }
}
