//! The rows of the contest: traffic and tables, as data.

use crate::table::Table;
use crate::traffic::{Flows, Lengths, Order, Traffic};

/// Which ports a row has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ports {
    /// Source 1, sink 2.
    OneWay,
    /// Source 1, sinks 2 and 3.
    TwoSinks,
    /// Sources 1 and 2, each also a sink.
    BothWays,
}

/// How packets get into a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// `infinite_rx=1`: a capture that the device replays from its own ring.
    Ring,
    /// A pipe that the contest writes a capture without end to.
    Pipe,
}

/// One row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    /// Short name for the command line; `R11` names `R11a` and `R11b`.
    pub(crate) name: &'static str,
    /// What it is, for the table.
    pub(crate) title: &'static str,
    pub(crate) traffic: Traffic,
    pub(crate) table: Table,
    pub(crate) ports: Ports,
    pub(crate) source: Source,
}

impl Row {
    const fn new(name: &'static str, title: &'static str, traffic: Traffic, table: Table) -> Self {
        Self { name, title, traffic, table, ports: Ports::OneWay, source: Source::Ring }
    }

    const fn ports(self, ports: Ports) -> Self {
        Self { ports, ..self }
    }

    const fn piped(self) -> Self {
        Self { source: Source::Pipe, ..self }
    }

    /// Is it meant by `name` on the command line?
    pub(crate) fn is(&self, name: &str) -> bool {
        let rest = self.name.strip_prefix(name);
        rest.is_some_and(|r| r.is_empty() || r.starts_with(|c: char| c.is_ascii_lowercase()))
    }
}

const fn sequential(count: u32) -> Traffic {
    Traffic::of(Flows::Sequential, count)
}

/// All rows, in order.
pub(crate) static ROWS: &[Row] = &[
    Row::new("R1", "1 flow, 1 rule", sequential(1), Table::Forward),
    Row::new("R2", "1,000 flows, 1 rule", sequential(1_000), Table::Forward),
    Row::new("R3", "100,000 flows, 1 rule", sequential(100_000), Table::Forward),
    Row::new(
        "R4",
        "100,000 flows, 512 rules on /24",
        Traffic::of(Flows::Prefixes(512), 100_000),
        Table::Prefixes(512),
    ),
    Row::new("R5", "8,000 random flows, ACL", Traffic::of(Flows::Random, 8_000), Table::Acl),
    Row::new("R6", "100,000 random flows, ACL", Traffic::of(Flows::Random, 100_000), Table::Acl),
    Row::new(
        "R7",
        "storm: every packet a new flow, ACL",
        Traffic::of(Flows::Random, 1).order(Order::New(1_000)),
        Table::Acl,
    )
    .piped(),
    Row::new(
        "R8a",
        "1,000 flows beside an explosion of 1,000 packets/s",
        sequential(1_000).order(Order::Attack(1_000)),
        Table::Tenant,
    )
    .ports(Ports::TwoSinks)
    .piped(),
    Row::new(
        "R8b",
        "1,000 flows beside an explosion of 100,000 packets/s",
        sequential(1_000).order(Order::Attack(100_000)),
        Table::Tenant,
    )
    .ports(Ports::TwoSinks)
    .piped(),
    Row::new("R9a", "NORMAL, 1,000 MACs", Traffic::of(Flows::Macs, 1_000), Table::Normal)
        .ports(Ports::BothWays),
    Row::new("R9b", "NORMAL, 50,000 MACs", Traffic::of(Flows::Macs, 50_000), Table::Normal)
        .ports(Ports::BothWays),
    Row::new("R10", "tag, MACs, TTL; 4,000 flows", sequential(4_000), Table::Rewrite),
    Row::new(
        "R11a",
        "300 masks, 40,000 flows",
        Traffic::of(Flows::Masks(300), 40_000),
        Table::Masks(300),
    ),
    Row::new(
        "R11b",
        "300 masks, 1,000,000 flows",
        Traffic::of(Flows::Masks(300), 1_000_000),
        Table::Masks(300),
    )
    .piped(),
    Row::new(
        "R12",
        "IPv6: 100,000 flows, 512 rules on /64",
        Traffic::of(Flows::Prefixes6(512), 100_000),
        Table::Prefixes6(512),
    ),
    Row::new("R13a", "IMIX, 1,000 flows", sequential(1_000).long(Lengths::Imix), Table::Forward),
    Row::new(
        "R13b",
        "1,500 bytes, 1,000 flows",
        sequential(1_000).long(Lengths::Of(1_500)),
        Table::Forward,
    ),
    Row::new(
        "R14",
        "8 tables, 100,000 flows",
        Traffic::of(Flows::Routed, 100_000),
        Table::Pipeline,
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_a_number_means_all_its_parts() {
        for (i, row) in ROWS.iter().enumerate() {
            assert!(ROWS[..i].iter().all(|r| r.name != row.name), "{} is there twice", row.name);
        }
        let named = |name| ROWS.iter().filter(|r| r.is(name)).map(|r| r.name).collect::<Vec<_>>();
        assert_eq!(named("R1"), ["R1"]);
        assert_eq!(named("R11"), ["R11a", "R11b"]);
        assert_eq!(named("R8b"), ["R8b"]);
    }
}
