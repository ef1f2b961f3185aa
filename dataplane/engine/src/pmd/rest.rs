//! [`Rest`]: how a PMD thread with nothing to do sleeps until a kernel device has packets or another
//! thread has something for it.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use smallvec::SmallVec;

/// See the [module documentation](self). One thread rests, any may wake it.
#[derive(Debug)]
pub(crate) struct Rest {
    event: OwnedFd,
    /// Somebody called since the last rest began.
    called: AtomicBool,
    resting: AtomicBool,
}

impl Rest {
    pub(crate) fn new() -> std::io::Result<Self> {
        Ok(Self {
            event: eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?,
            called: AtomicBool::new(false),
            resting: AtomicBool::new(false),
        })
    }

    /// Ends a rest, or prevents the next.
    pub(crate) fn wake(&self) {
        // In one total order with `until`: either it sees the call, or this sees it rest.
        self.called.store(true, Ordering::SeqCst);
        if self.resting.load(Ordering::SeqCst) {
            // Fails only when it was rung four billion times already.
            let _ = rustix::io::write(&self.event, &1u64.to_ne_bytes());
        }
    }

    /// Sleeps until one of `readable` is that, somebody wakes the thread, or time is up.
    pub(crate) fn until<'a>(
        &'a self,
        readable: impl Iterator<Item = BorrowedFd<'a>>,
        timeout: Duration,
    ) {
        self.resting.store(true, Ordering::SeqCst);
        if !self.called.swap(false, Ordering::SeqCst) {
            let mut fds: SmallVec<[PollFd<'_>; 16]> = [self.event.as_fd()]
                .into_iter()
                .chain(readable)
                .map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN))
                .collect();
            let timeout = Timespec {
                tv_sec: timeout.as_secs().cast_signed(),
                tv_nsec: timeout.subsec_nanos().into(),
            };
            // Interrupted is awake too.
            let _ = poll(&mut fds, Some(&timeout));
        }
        self.resting.store(false, Ordering::SeqCst);
        let mut count = [0; 8];
        let _ = rustix::io::read(&self.event, &mut count);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_call_before_or_during_a_rest_ends_it() {
        let rest = Rest::new().unwrap();
        let long = Duration::from_secs(100);
        let start = Instant::now();
        rest.wake();
        rest.until(std::iter::empty(), long);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !rest.resting.load(Ordering::SeqCst) {
                    std::thread::yield_now();
                }
                rest.wake();
            });
            rest.until(std::iter::empty(), long);
        });
        assert!(start.elapsed() < long);
        // Nothing is left over from the calls, or one at most.
        rest.until(std::iter::empty(), Duration::from_millis(1));
        rest.until(std::iter::empty(), Duration::from_millis(1));
    }
}
