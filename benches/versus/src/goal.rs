//! What the rows have to reach.

use std::fmt;

/// A goal of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Goal {
    /// So many times the peer's rate, in its best configuration.
    Peer(f64),
    /// Such a share of testpmd's rate.
    Io(f64),
    /// So many packets in every second that the row was held.
    Rate(f64),
    /// Such a share of the rate that the same run had before it was disturbed.
    Kept(f64),
}

/// What a row reached; NaN where a side did not run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reached {
    pub(crate) rate: f64,
    pub(crate) peer: f64,
    pub(crate) io: f64,
    pub(crate) kept: f64,
    /// Packets in the worst second.
    pub(crate) worst: f64,
}

impl Goal {
    /// Is it met? Nothing, if that was not measured.
    pub(crate) fn met(self, r: Reached) -> Option<bool> {
        let (got, wanted) = match self {
            Self::Peer(x) => (r.rate / r.peer, x),
            Self::Io(x) => (r.rate / r.io, x),
            Self::Rate(x) => (r.worst, x),
            Self::Kept(x) => (r.kept, x),
        };
        (!got.is_nan()).then_some(got >= wanted)
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Peer(x) => write!(f, "{x} x OVS"),
            Self::Io(x) => write!(f, "{x} of testpmd"),
            Self::Rate(x) => write!(f, "{x} packets in every second"),
            Self::Kept(x) => write!(f, "keeps {x}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_met_missed_or_unknown() {
        let r = Reached { rate: 3e6, peer: 2e6, io: f64::NAN, kept: 0.7, worst: 299_999.0 };
        assert_eq!(Goal::Peer(1.5).met(r), Some(true));
        assert_eq!(Goal::Peer(1.6).met(r), Some(false));
        assert_eq!(Goal::Io(0.5).met(r), None);
        assert_eq!(Goal::Rate(300_000.0).met(r), Some(false));
        assert_eq!(Goal::Kept(0.8).met(r), Some(false));
    }
}
