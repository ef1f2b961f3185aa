//! The one clock of a process. Everything below the main loop takes the time as a parameter; this
//! is where it comes from, and what `time/stop` and `time/warp` move.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use mio::Waker;
use rustix::time::{ClockId, clock_gettime};

/// A time or a span in milliseconds. Times count from an arbitrary start that never moves back.
pub type Msec = i64;

/// Marks a clock that runs.
const RUNNING: i64 = i64::MIN;

/// A shared handle on a clock.
#[derive(Clone)]
pub struct Clock(Arc<Inner>);

struct Inner {
    /// Where the clock was stopped, in microseconds before warping, or [`RUNNING`].
    stopped_at: AtomicI64,
    /// What warping added, in microseconds.
    warped: AtomicI64,
    warp: Mutex<Option<Warp>>,
    /// A main loop takes the steps of a warp; the process's other loops follow.
    driven: AtomicBool,
    /// Loops that must look at their deadlines again when the clock jumps.
    wakers: Mutex<Vec<Arc<Waker>>>,
}

/// A `time/warp` that goes on over several turns of the main loop.
struct Warp {
    left: Msec,
    step: Msec,
    done: Box<dyn FnOnce() + Send>,
}

/// Why the clock cannot be warped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WarpError {
    /// A span is not positive.
    #[error("invalid MSECS")]
    Invalid,
    /// An earlier warp has not ended.
    #[error("time/warp is already in progress")]
    Busy,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read_us(id: ClockId) -> i64 {
    let now = clock_gettime(id);
    now.tv_sec.saturating_mul(1_000_000).saturating_add(now.tv_nsec / 1000)
}

impl Clock {
    fn with(stopped_at: i64) -> Self {
        Self(Arc::new(Inner {
            stopped_at: AtomicI64::new(stopped_at),
            warped: AtomicI64::new(0),
            warp: Mutex::new(None),
            driven: AtomicBool::new(false),
            wakers: Mutex::new(Vec::new()),
        }))
    }

    /// A clock that follows the system's monotonic one.
    pub fn system() -> Self {
        Self::with(RUNNING)
    }

    /// A clock that stands still at `now` and moves only by [`Clock::advance`]: for tests.
    pub fn stopped(now: Msec) -> Self {
        Self::with(now.saturating_mul(1000))
    }

    /// The clock of this process, which the unixctl commands `time/*` act on.
    pub fn process() -> &'static Self {
        static PROCESS: OnceLock<Clock> = OnceLock::new();
        PROCESS.get_or_init(Self::system)
    }

    /// Microseconds on the monotonic clock.
    pub fn now_us(&self) -> i64 {
        let base = match self.0.stopped_at.load(Ordering::Acquire) {
            RUNNING => read_us(ClockId::Monotonic),
            at => at,
        };
        base.saturating_add(self.0.warped.load(Ordering::Acquire))
    }

    /// Milliseconds on the monotonic clock.
    pub fn now(&self) -> Msec {
        self.now_us() / 1000
    }

    /// Milliseconds since 1970 UTC. Neither stopping nor warping moves it.
    pub fn wall(&self) -> Msec {
        read_us(ClockId::Realtime) / 1000
    }

    /// Freezes the clock; from now on only warping moves it.
    pub fn stop(&self) {
        let now = read_us(ClockId::Monotonic);
        let _ =
            self.0.stopped_at.compare_exchange(RUNNING, now, Ordering::AcqRel, Ordering::Acquire);
    }

    /// Whether the clock is frozen.
    pub fn is_stopped(&self) -> bool {
        self.0.stopped_at.load(Ordering::Acquire) != RUNNING
    }

    /// Moves the clock forward at once and wakes every loop that waits on it.
    pub fn advance(&self, span: Msec) {
        self.0.warped.fetch_add(span.max(0).saturating_mul(1000), Ordering::AcqRel);
        for waker in lock(&self.0.wakers).iter() {
            // A loop that cannot be woken is gone or wakes by itself.
            let _ = waker.wake();
        }
    }

    /// Moves the clock forward by `total`, at most `step` a turn of the main loop, so that timers
    /// in between see the time pass; calls `done` after the last step.
    ///
    /// # Errors
    /// A span is not positive, or another warp is under way.
    pub fn warp(
        &self,
        total: Msec,
        step: Msec,
        done: impl FnOnce() + Send + 'static,
    ) -> Result<(), WarpError> {
        if total <= 0 || step <= 0 {
            return Err(WarpError::Invalid);
        }
        let mut warp = lock(&self.0.warp);
        if warp.is_some() {
            return Err(WarpError::Busy);
        }
        *warp = Some(Warp { left: total, step, done: Box::new(done) });
        drop(warp);
        self.advance(0);
        Ok(())
    }

    /// Takes one step of a warp under way; the main loop calls this once a turn. True if the loop
    /// should not sleep, because there is more to come.
    pub fn step_warp(&self) -> bool {
        let mut slot = lock(&self.0.warp);
        let Some(mut warp) = slot.take() else { return false };
        let step = warp.step.min(warp.left);
        warp.left -= step;
        let last = warp.left <= 0;
        let done = if last {
            Some(warp.done)
        } else {
            *slot = Some(warp);
            None
        };
        drop(slot);
        self.advance(step);
        if let Some(done) = done {
            done();
        }
        true
    }

    /// Claims the right to take the steps of warps. True for the first that asks.
    pub(crate) fn drive(&self) -> bool {
        !self.0.driven.swap(true, Ordering::AcqRel)
    }

    /// Gives the right back.
    pub(crate) fn stop_driving(&self) {
        self.0.driven.store(false, Ordering::Release);
    }

    /// Wakes the loop behind `waker` whenever the clock jumps.
    pub fn wake_on_jump(&self, waker: Arc<Waker>) {
        lock(&self.0.wakers).push(waker);
    }

    /// Undoes [`Clock::wake_on_jump`].
    pub fn forget_waker(&self, waker: &Arc<Waker>) {
        lock(&self.0.wakers).retain(|w| !Arc::ptr_eq(w, waker));
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock")
            .field("now", &self.now())
            .field("stopped", &self.is_stopped())
            .finish_non_exhaustive()
    }
}

/// The earlier of two deadlines, where `None` is never.
pub fn earlier(a: Option<Msec>, b: Option<Msec>) -> Option<Msec> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopped_clock_moves_only_by_warping() {
        let clock = Clock::stopped(1000);
        assert_eq!(clock.now(), 1000);
        clock.advance(50);
        assert_eq!(clock.now(), 1050);
        clock.advance(-50);
        assert_eq!(clock.now(), 1050);
    }

    #[test]
    fn a_warp_goes_in_steps() {
        let clock = Clock::stopped(0);
        let done = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&done);
        clock.warp(250, 100, move || flag.store(true, Ordering::Relaxed)).unwrap();
        assert_eq!(clock.warp(1, 1, || ()), Err(WarpError::Busy));
        assert!(clock.step_warp());
        assert_eq!(clock.now(), 100);
        assert!(clock.step_warp());
        assert!(!done.load(Ordering::Relaxed));
        assert!(clock.step_warp());
        assert!(done.load(Ordering::Relaxed));
        assert_eq!(clock.now(), 250);
        assert!(!clock.step_warp());
        assert_eq!(clock.warp(0, 1, || ()), Err(WarpError::Invalid));
    }

    #[test]
    fn a_running_clock_can_be_stopped() {
        let clock = Clock::system();
        let before = clock.now_us();
        assert!(clock.now_us() >= before);
        clock.stop();
        assert_eq!(clock.now_us(), clock.now_us());
        assert!(clock.is_stopped());
    }
}
