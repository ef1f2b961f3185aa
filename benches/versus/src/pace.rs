//! Things done by the clock.

use std::time::{Duration, Instant};

/// How long to sleep between two looks at the clock.
pub(crate) const TICK: Duration = Duration::from_millis(1);

/// What has been done since the beginning, at so many a second.
#[derive(Debug)]
pub(crate) struct Pace {
    since: Instant,
    rate: u64,
    done: u64,
    /// What was not done because the thread came too late for it.
    given_up: u64,
}

/// What was really done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Made {
    pub(crate) count: u64,
    pub(crate) seconds: f64,
}

impl Made {
    /// A second.
    pub(crate) fn rate(self) -> f64 {
        self.count as f64 / self.seconds
    }
}

impl Pace {
    /// Begins now.
    pub(crate) fn new(rate: u64) -> Self {
        Self { since: Instant::now(), rate, done: 0, given_up: 0 }
    }

    /// How many are due, at most `most`: what is beyond that is given up, not done in a burst.
    pub(crate) fn due(&mut self, most: u64) -> u64 {
        let all = (self.since.elapsed().as_secs_f64() * self.rate as f64) as u64;
        let late = all.saturating_sub(self.done + self.given_up);
        self.given_up += late.saturating_sub(most);
        late.min(most)
    }

    /// So many of those have been done.
    pub(crate) fn done(&mut self, count: u64) {
        self.done += count;
    }

    /// How many there were before.
    pub(crate) fn count(&self) -> u64 {
        self.done
    }

    /// Until now.
    pub(crate) fn made(&self) -> Made {
        Made { count: self.done, seconds: self.since.elapsed().as_secs_f64() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_comes_by_the_clock_and_never_as_a_burst() {
        let since = Instant::now() - Duration::from_secs(2);
        let mut pace = Pace { since, ..Pace::new(1_000) };
        assert_eq!(pace.due(500), 500);
        pace.done(500);
        assert!(pace.due(500) < 100, "1,500 were given up");
        let rate = pace.made().rate();
        assert!((200.0..251.0).contains(&rate), "{rate}");
    }
}
