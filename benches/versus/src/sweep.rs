//! What the plots show, as data: a row measured again and again while one number of it grows.

use crate::row::{Row, Source};
use crate::table::Table;
use crate::traffic::{Flows, Order, Traffic};

/// The number that grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grows {
    /// Flows.
    Count(Flows),
    /// Masks that `FLOWS` flows are spread over.
    Masks,
    /// Packets of 1,000 that begin a new flow, beside `KNOWN` known ones.
    Share,
}

/// One plot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sweep {
    /// On the command line, and of the file.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// What grows, with its unit.
    pub(crate) axis: &'static str,
    pub(crate) note: &'static str,
    grows: Grows,
    table: Option<Table>,
    values: &'static [u32],
    /// The slowest of Weir's points is to be at most so many times slower than its fastest.
    pub(crate) cliff: Option<f64>,
}

/// One point.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point {
    /// On the axis.
    pub(crate) x: f64,
    pub(crate) row: Row,
}

/// Flows of the sweep over masks.
const FLOWS: u32 = 100_000;
/// Flows that are not new in the sweep over new ones.
const KNOWN: u32 = 1_000;
/// The most flows that a ring holds: each has a buffer of the switch's pool of 262,144.
const RING: u32 = 200_000;
/// Where the pipe is asked what it gives, in sweeps whose last points need it.
const REFERENCE: u32 = 1_000;
/// Where a logarithmic axis of percents shows nothing at all.
pub(crate) const NOTHING: f64 = 0.01;

const COUNTS: &[u32] = &[1, 10, 100, 1_000, 10_000, 100_000, 1_000_000];
const RINGS: &str = "Thin: packets come through a pipe, which gives fewer than a ring; a ring does not \
     hold 1,000,000 flows.";

/// All of them.
pub(crate) static SWEEPS: &[Sweep] = &[
    Sweep {
        name: "flows-rule",
        title: "Flows under one rule",
        axis: "flows",
        note: RINGS,
        grows: Grows::Count(Flows::Sequential),
        table: Some(Table::Forward),
        values: COUNTS,
        cliff: Some(4.0),
    },
    Sweep {
        name: "flows-acl",
        title: "Random flows, list of 1,000 rules, three seconds after they began",
        axis: "flows",
        note: RINGS,
        grows: Grows::Count(Flows::Random),
        table: Some(Table::Acl),
        values: COUNTS,
        cliff: None,
    },
    Sweep {
        name: "masks",
        title: "100,000 flows, evenly over masks",
        axis: "masks of megaflows",
        note: "",
        grows: Grows::Masks,
        table: None,
        values: &[1, 10, 30, 100, 300, 1_000],
        cliff: Some(4.0),
    },
    Sweep {
        name: "new-flows",
        title: "1,000 known flows and new ones, list of 1,000 rules",
        axis: "packets that begin a new flow, %",
        note: "All packets come through a pipe, which gives 2 to 12 million a second, as its CPU is busy.",
        grows: Grows::Share,
        table: Some(Table::Acl),
        values: &[0, 1, 10, 100, 500, 1_000],
        cliff: None,
    },
];

impl Sweep {
    /// Its points in order; those through a pipe come last where others do not.
    pub(crate) fn points(&self) -> Vec<Point> {
        let mut points: Vec<_> =
            self.values.iter().map(|n| self.point(*n, self.needs_pipe(*n))).collect();
        let mixed = points.iter().any(|p| p.row.source == Source::Ring);
        if mixed && self.values.iter().any(|n| self.needs_pipe(*n)) {
            points.push(self.point(REFERENCE, true));
            points.sort_by(|a, b| {
                let key = |p: &Point| (p.row.source == Source::Pipe, p.x);
                key(a).partial_cmp(&key(b)).unwrap_or(std::cmp::Ordering::Equal)
            });
        }
        points
    }

    fn needs_pipe(&self, n: u32) -> bool {
        match self.grows {
            Grows::Count(_) => n > RING,
            Grows::Masks => false,
            Grows::Share => true,
        }
    }

    fn point(&self, n: u32, piped: bool) -> Point {
        let (x, traffic) = match self.grows {
            Grows::Count(flows) => (f64::from(n), Traffic::of(flows, n)),
            Grows::Masks => (f64::from(n), Traffic::of(Flows::Masks(n), FLOWS)),
            Grows::Share => {
                let traffic = Traffic::of(Flows::Random, KNOWN).order(Order::New(n));
                (f64::from(n) / 10.0, traffic)
            }
        };
        let table = self.table.unwrap_or(Table::Masks(n));
        let row = Row::new(self.name, self.title, traffic, table);
        Point { x: x.max(NOTHING), row: if piped { row.piped() } else { row } }
    }

    /// A number of the axis.
    pub(crate) fn tick(&self, x: f64) -> String {
        match x {
            _ if self.grows == Grows::Share && x <= NOTHING => "0".into(),
            1e6.. => format!("{}M", x / 1e6),
            1e3.. => format!("{}k", x / 1e3),
            _ => format!("{x}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> &'static Sweep {
        SWEEPS.iter().find(|s| s.name == name).unwrap()
    }

    #[test]
    fn what_no_ring_holds_comes_through_a_pipe_with_a_point_to_compare_it_with() {
        let points = named("flows-rule").points();
        let xs = |source| -> Vec<f64> {
            points.iter().filter(|p| p.row.source == source).map(|p| p.x).collect()
        };
        assert_eq!(xs(Source::Ring), [1.0, 1e1, 1e2, 1e3, 1e4, 1e5]);
        assert_eq!(xs(Source::Pipe), [1e3, 1e6]);
        assert!(named("masks").points().iter().all(|p| p.row.source == Source::Ring));
        assert_eq!(named("new-flows").points().len(), 6);
    }

    #[test]
    fn ticks_are_short() {
        let sweep = named("flows-rule");
        assert_eq!([1.0, 1e4, 1e6].map(|x| sweep.tick(x)), ["1", "10k", "1M"]);
        let sweep = named("new-flows");
        assert_eq!([NOTHING, 0.1, 100.0].map(|x| sweep.tick(x)), ["0", "0.1", "100"]);
    }
}
