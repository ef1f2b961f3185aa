//! [`Limiter`]: how many packets a second a controller gets
//! (`Controller.controller_rate_limit`).

use std::collections::VecDeque;

use crate::switch::PacketIn;

/// A token bucket. Packets beyond the rate wait for their turn; those for which there is no room are
/// dropped.
#[derive(Debug)]
pub(super) struct Limiter {
    /// Packets a second.
    rate: u64,
    /// Most tokens.
    burst: u64,
    /// Thousandths of tokens.
    tokens: u64,
    filled_ms: u64,
    waiting: VecDeque<PacketIn>,
}

/// Most packets that wait.
const MAX_WAITING: usize = 100;

impl Limiter {
    pub(super) fn new(rate: u32, burst: u32) -> Self {
        let (rate, burst) = (u64::from(rate).max(1), u64::from(burst).max(1));
        Self { rate, burst, tokens: burst * 1_000, filled_ms: 0, waiting: VecDeque::new() }
    }

    /// Is it one of this rate and burst?
    pub(super) fn is(&self, rate: u32, burst: u32) -> bool {
        (self.rate, self.burst) == (u64::from(rate).max(1), u64::from(burst).max(1))
    }

    fn take_token(&mut self, now_ms: u64) -> bool {
        let passed = now_ms.saturating_sub(self.filled_ms);
        self.filled_ms = self.filled_ms.max(now_ms);
        // A token a second is a thousandth a millisecond.
        let filled = self.tokens.saturating_add(passed.saturating_mul(self.rate));
        self.tokens = filled.min(self.burst * 1_000);
        let there = self.tokens >= 1_000;
        if there {
            self.tokens -= 1_000;
        }
        there
    }

    /// Takes a packet in. False if it had to be dropped.
    pub(super) fn push(&mut self, packet: &PacketIn) -> bool {
        let room = self.waiting.len() < MAX_WAITING;
        if room {
            self.waiting.push_back(packet.clone());
        }
        room
    }

    /// The next packet whose turn it is.
    pub(super) fn pop(&mut self, now_ms: u64) -> Option<PacketIn> {
        if self.waiting.is_empty() || !self.take_token(now_ms) {
            return None;
        }
        self.waiting.pop_front()
    }

    /// Does a packet wait?
    pub(super) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_the_rate() {
        let mut limiter = Limiter::new(100, 25);
        let passed = (0..200).filter(|_| limiter.take_token(1_000)).count();
        assert_eq!(passed, 25);
        let passed = (1_000..2_000).filter(|ms| limiter.take_token(*ms)).count();
        assert!((99..=100).contains(&passed), "{passed}");
        assert!(limiter.is(100, 25) && !limiter.is(100, 26));
    }
}
