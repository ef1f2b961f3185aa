//! Limits how often a call site may log, and says afterwards how much was dropped.
//!
//! ```
//! use weir_runtime::vlog::RateLimit;
//! use weir_runtime::warn_rl;
//!
//! static RL: RateLimit = RateLimit::new(1, 5);
//! warn_rl!(&RL, target: "bridge", "port {} is odd", 7);
//! ```

use std::sync::{Mutex, PoisonError};

use super::Level;
use crate::clock::{Clock, Msec};

/// What one message costs, in tokens. A rate of one message a minute adds one token a millisecond.
const MESSAGE: u64 = 60_000;

/// A token bucket: so many messages a minute, so many at once.
#[derive(Debug)]
pub struct RateLimit {
    per_minute: u64,
    burst: u64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    tokens: u64,
    /// `None` until first used: the bucket starts full.
    filled_at: Option<Msec>,
    dropped: u32,
    first_dropped: Msec,
    last_dropped: Msec,
}

/// Whether a message may be logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No.
    Drop,
    /// Yes.
    Admit,
    /// Yes, and so many were dropped since the last one that was admitted.
    AdmitAfter {
        /// How many messages.
        dropped: u32,
        /// How long ago the first of them was, in seconds.
        first_s: Msec,
        /// How long ago the last of them was, in seconds.
        last_s: Msec,
    },
}

impl RateLimit {
    /// `per_minute` messages a minute, up to `burst` at once.
    pub const fn new(per_minute: u32, burst: u32) -> Self {
        Self {
            per_minute: per_minute as u64,
            burst: burst as u64 * MESSAGE,
            state: Mutex::new(State {
                tokens: 0,
                filled_at: None,
                dropped: 0,
                first_dropped: 0,
                last_dropped: 0,
            }),
        }
    }

    /// Asks for one message at the time `now`.
    pub fn withdraw(&self, now: Msec) -> Verdict {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.tokens = match state.filled_at {
            None => self.burst,
            Some(then) => {
                let elapsed = u64::try_from(now.saturating_sub(then)).unwrap_or(0);
                let fresh = elapsed.saturating_mul(self.per_minute);
                state.tokens.saturating_add(fresh).min(self.burst)
            }
        };
        state.filled_at = Some(now);
        if state.tokens < MESSAGE {
            if state.dropped == 0 {
                state.first_dropped = now;
            }
            state.last_dropped = now;
            state.dropped = state.dropped.saturating_add(1);
            return Verdict::Drop;
        }
        state.tokens -= MESSAGE;
        match std::mem::take(&mut state.dropped) {
            0 => Verdict::Admit,
            dropped => Verdict::AdmitAfter {
                dropped,
                first_s: now / 1000 - state.first_dropped / 1000,
                last_s: now / 1000 - state.last_dropped / 1000,
            },
        }
    }

    /// Whether `module` may log at `level` now. Logs what was dropped before. The macros
    /// `warn_rl!` and its siblings call this.
    pub fn admit(&self, module: &str, level: log::Level) -> bool {
        if level > log::max_level() || !super::is_enabled(module, Level::from(level)) {
            return false;
        }
        if !super::vlog().levels.get(super::module_of(module)).honour_rate_limits {
            return true;
        }
        match self.withdraw(Clock::process().now()) {
            Verdict::Drop => false,
            Verdict::Admit => true,
            Verdict::AdmitAfter { dropped, first_s, last_s } => {
                log::log!(
                    target: module,
                    level,
                    "Dropped {dropped} log messages in last {first_s} seconds (most recently, \
                     {last_s} seconds ago) due to excessive rate"
                );
                true
            }
        }
    }
}

/// Logs at a level unless its [`RateLimit`] is used up:
/// `log_rl!(&RL, log::Level::Warn, target: "module", "text {}", x)`.
#[macro_export]
macro_rules! log_rl {
    ($limit:expr, $level:expr, target: $target:expr, $($arg:tt)+) => {
        if $limit.admit($target, $level) {
            $crate::log::log!(target: $target, $level, $($arg)+);
        }
    };
}

/// [`log_rl!`] for errors.
#[macro_export]
macro_rules! error_rl {
    ($limit:expr, $($arg:tt)+) => { $crate::log_rl!($limit, $crate::log::Level::Error, $($arg)+) };
}

/// [`log_rl!`] for warnings.
#[macro_export]
macro_rules! warn_rl {
    ($limit:expr, $($arg:tt)+) => { $crate::log_rl!($limit, $crate::log::Level::Warn, $($arg)+) };
}

/// [`log_rl!`] for information.
#[macro_export]
macro_rules! info_rl {
    ($limit:expr, $($arg:tt)+) => { $crate::log_rl!($limit, $crate::log::Level::Info, $($arg)+) };
}

/// [`log_rl!`] for debugging.
#[macro_export]
macro_rules! debug_rl {
    ($limit:expr, $($arg:tt)+) => { $crate::log_rl!($limit, $crate::log::Level::Debug, $($arg)+) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_a_rate() {
        let limit = RateLimit::new(60, 2);
        assert_eq!(limit.withdraw(0), Verdict::Admit);
        assert_eq!(limit.withdraw(0), Verdict::Admit);
        assert_eq!(limit.withdraw(500), Verdict::Drop);
        assert_eq!(limit.withdraw(900), Verdict::Drop);
        assert_eq!(limit.withdraw(3100), Verdict::AdmitAfter { dropped: 2, first_s: 3, last_s: 3 });
        assert_eq!(limit.withdraw(3100), Verdict::Admit);
        assert_eq!(limit.withdraw(3100), Verdict::Drop);
    }
}
