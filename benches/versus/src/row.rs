//! The rows of the contest: traffic and tables, as data.

use crate::goal::Goal;
use crate::table::Table;
use crate::traffic::{Flows, Lengths, Order, Traffic};

/// Which ports a row has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ports {
    /// Source 1, sink 2.
    OneWay,
    /// Source 1, sink 2, an attacker's source 4 and sink 3.
    Attacked,
    /// Source 1, sink 2, and a guest behind vhost-user on 3 that sends back what it gets.
    Guest,
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

/// What happens in the second half of a run; the first is measured without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disturbance {
    /// Nothing.
    None,
    /// So many packets of the attack a second, on a port of their own.
    Attack(u64),
    /// 1,000 flows a second change in this table.
    FlowMods(u8),
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
    pub(crate) disturbance: Disturbance,
    /// Is Weir's last round measured longer, second by second?
    pub(crate) held: bool,
    pub(crate) goals: &'static [Goal],
}

impl Row {
    pub(crate) const fn new(
        name: &'static str,
        title: &'static str,
        traffic: Traffic,
        table: Table,
    ) -> Self {
        let (ports, source) = (Ports::OneWay, Source::Ring);
        let disturbance = Disturbance::None;
        Self { name, title, traffic, table, ports, source, disturbance, held: false, goals: &[] }
    }

    const fn ports(self, ports: Ports) -> Self {
        Self { ports, ..self }
    }

    pub(crate) const fn piped(self) -> Self {
        Self { source: Source::Pipe, ..self }
    }

    const fn disturbed(self, disturbance: Disturbance) -> Self {
        Self { disturbance, ..self }
    }

    const fn held(self) -> Self {
        Self { held: true, ..self }
    }

    const fn goals(self, goals: &'static [Goal]) -> Self {
        Self { goals, ..self }
    }

    /// Does it forward from port to port without a look at the packets? Of other rows testpmd says
    /// nothing.
    pub(crate) fn plain(&self) -> bool {
        self.table == Table::Forward
            && self.ports == Ports::OneWay
            && self.disturbance == Disturbance::None
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
    Row::new("R1", "1 flow, 1 rule", sequential(1), Table::Forward)
        .goals(&[Goal::Peer(1.5), Goal::Io(0.7)]),
    Row::new("R2", "1,000 flows, 1 rule", sequential(1_000), Table::Forward)
        .goals(&[Goal::Peer(1.5)]),
    Row::new("R3", "100,000 flows, 1 rule", sequential(100_000), Table::Forward)
        .goals(&[Goal::Peer(2.8), Goal::Io(0.85)]),
    Row::new(
        "R4",
        "100,000 flows, 512 rules on /24",
        Traffic::of(Flows::Prefixes(512), 100_000),
        Table::Prefixes(512),
    )
    .goals(&[Goal::Peer(2.5)]),
    Row::new("R5", "8,000 random flows, ACL", Traffic::of(Flows::Random, 8_000), Table::Acl)
        .goals(&[Goal::Peer(2.5)]),
    Row::new("R6", "100,000 random flows, ACL", Traffic::of(Flows::Random, 100_000), Table::Acl)
        .goals(&[Goal::Peer(500.0)]),
    Row::new(
        "R7",
        "storm: every packet a new flow, ACL",
        Traffic::of(Flows::Random, 1).order(Order::New(1_000)),
        Table::Acl,
    )
    .piped()
    .held()
    .goals(&[Goal::Peer(50.0), Goal::Rate(300_000.0)]),
    Row::new(
        "R8a",
        "1,000 flows beside an explosion of 1,000 packets/s",
        sequential(1_000),
        Table::Tenant,
    )
    .ports(Ports::Attacked)
    .disturbed(Disturbance::Attack(1_000))
    .goals(&[Goal::Kept(0.8)]),
    Row::new(
        "R8b",
        "1,000 flows beside an explosion of 100,000 packets/s",
        sequential(1_000),
        Table::Tenant,
    )
    .ports(Ports::Attacked)
    .disturbed(Disturbance::Attack(100_000))
    .goals(&[Goal::Kept(0.8)]),
    Row::new("R9a", "NORMAL, 1,000 MACs", Traffic::of(Flows::Macs, 1_000), Table::Normal)
        .ports(Ports::BothWays)
        .goals(&[Goal::Peer(4.0)]),
    Row::new("R9b", "NORMAL, 50,000 MACs", Traffic::of(Flows::Macs, 50_000), Table::Normal)
        .ports(Ports::BothWays)
        .goals(&[Goal::Peer(4.0)]),
    Row::new("R10", "tag, MACs, TTL; 4,000 flows", sequential(4_000), Table::Rewrite)
        .goals(&[Goal::Peer(1.5)]),
    Row::new(
        "R11a",
        "300 masks, 40,000 flows",
        Traffic::of(Flows::Masks(300), 40_000),
        Table::Masks(300),
    )
    .goals(&[Goal::Peer(1.8)]),
    Row::new(
        "R11b",
        "300 masks, 1,000,000 flows",
        Traffic::of(Flows::Masks(300), 1_000_000),
        Table::Masks(300),
    )
    .piped()
    .goals(&[Goal::Peer(8.0)]),
    Row::new(
        "R12",
        "IPv6: 100,000 flows, 512 rules on /64",
        Traffic::of(Flows::Prefixes6(512), 100_000),
        Table::Prefixes6(512),
    )
    .goals(&[Goal::Peer(2.5)]),
    Row::new("R13a", "IMIX, 1,000 flows", sequential(1_000).long(Lengths::Imix), Table::Forward)
        .goals(&[Goal::Peer(1.1)]),
    Row::new(
        "R13b",
        "1,500 bytes, 1,000 flows",
        sequential(1_000).long(Lengths::Of(1_500)),
        Table::Forward,
    )
    .goals(&[Goal::Peer(1.1)]),
    Row::new(
        "R14",
        "8 tables, 100,000 flows",
        Traffic::of(Flows::Routed, 100_000),
        Table::Pipeline,
    )
    .goals(&[Goal::Peer(2.5)]),
    Row::new(
        "R15a",
        "100,000 flows while 1,000 flows/s of another table change",
        sequential(100_000),
        Table::Forward,
    )
    .disturbed(Disturbance::FlowMods(5))
    .goals(&[Goal::Kept(0.95)]),
    Row::new(
        "R15b",
        "100,000 flows while 1,000 flows/s of their table change",
        sequential(100_000),
        Table::Forward,
    )
    .disturbed(Disturbance::FlowMods(0))
    .goals(&[Goal::Kept(0.8)]),
    Row::new("R16a", "vhost-user loop, 1,000 flows", sequential(1_000), Table::Guest)
        .ports(Ports::Guest)
        .goals(&[Goal::Peer(1.2)]),
    Row::new("R16b", "vhost-user loop, 100,000 flows", sequential(100_000), Table::Guest)
        .ports(Ports::Guest)
        .goals(&[Goal::Peer(2.0)]),
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
        let plain = ROWS.iter().filter(|r| r.plain()).map(|r| r.name).collect::<Vec<_>>();
        assert_eq!(plain, ["R1", "R2", "R3", "R13a", "R13b"]);
    }
}
