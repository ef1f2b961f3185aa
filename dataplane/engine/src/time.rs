//! Where the engine's milliseconds come from.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

/// A monotonic clock in milliseconds, which a test may stop or warp.
pub trait TimeSource: Send + Sync + fmt::Debug {
    /// Milliseconds since some moment in the past. Never 0, never goes back.
    fn now_ms(&self) -> u64;
}

/// The operating system's monotonic clock.
#[derive(Clone, Copy, Debug)]
pub struct SystemTime(Instant);

impl SystemTime {
    /// A clock that starts now.
    #[must_use]
    pub fn start() -> Arc<dyn TimeSource> {
        Arc::new(Self(Instant::now()))
    }
}

impl TimeSource for SystemTime {
    fn now_ms(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(1)
    }
}
