//! Random numbers that a failed run can repeat: `WEIR_CRASH_SEED`.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A xorshift64* generator.
pub(crate) struct Random {
    seed: u64,
    state: u64,
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WEIR_CRASH_SEED={}", self.seed)
    }
}

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, state: seed | 1 }
    }

    /// The seed of the environment, else of the clock.
    pub(crate) fn from_env() -> Self {
        let given = std::env::var("WEIR_CRASH_SEED").ok().and_then(|seed| seed.parse().ok());
        let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
        Self::new(given.unwrap_or_else(|| now() as u64))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16
    }

    /// True once in `n` times.
    pub(crate) fn chance(&mut self, n: u64) -> bool {
        self.next().is_multiple_of(n)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    pub(crate) fn between(&mut self, low: Duration, high: Duration) -> Duration {
        let span = high.saturating_sub(low).as_micros();
        low + Duration::from_micros(self.below(span as u64 + 1))
    }
}
