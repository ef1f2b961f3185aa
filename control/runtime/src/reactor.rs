//! Readiness of file descriptors for the main loops: a thin layer over `mio` that remembers for
//! each registered source whether it may be read or written, so that a component tries only what
//! can succeed and needs no token of its own.

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mio::event::Source;
use mio::{Events, Interest, Poll, Registry, Token, Waker};

use crate::clock::{Clock, Msec};
use crate::poll_interval::Interval;

/// The token of the waker; sources count from 0.
const WAKER: Token = Token(usize::MAX);
/// How many events one system call may bring.
const EVENTS: usize = 256;
/// The longest sleep; the kernel's timeouts have 31 bits of milliseconds.
const LONGEST_SLEEP: Duration = Duration::from_secs(1 << 20);

/// What is known about one source. Edge triggered: a flag stays up until the owner of the source
/// saw `WouldBlock` and clears it.
#[derive(Debug)]
struct Readiness {
    readable: AtomicBool,
    writable: AtomicBool,
}

#[derive(Default)]
struct Slots {
    readiness: Vec<Option<Arc<Readiness>>>,
    free: Vec<usize>,
}

struct Shared {
    registry: Registry,
    slots: Mutex<Slots>,
    waker: Arc<Waker>,
}

/// A handle on a loop with which sources are registered.
#[derive(Clone)]
pub struct Reactor(Arc<Shared>);

impl fmt::Debug for Reactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reactor").finish_non_exhaustive()
    }
}

impl Reactor {
    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.0.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the loop watch `source` for reading and writing. Both count as possible until tried.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn register(&self, source: &mut impl Source) -> io::Result<Registration> {
        self.register_for(source, Interest::READABLE | Interest::WRITABLE)
    }

    /// Has the loop watch `source` for reading only, such as a listening socket.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn register_readable(&self, source: &mut impl Source) -> io::Result<Registration> {
        self.register_for(source, Interest::READABLE)
    }

    fn register_for(
        &self,
        source: &mut impl Source,
        interest: Interest,
    ) -> io::Result<Registration> {
        let readiness = Arc::new(Readiness {
            readable: AtomicBool::new(true),
            writable: AtomicBool::new(true),
        });
        let slot = {
            let mut slots = self.slots();
            match slots.free.pop() {
                Some(slot) => slot,
                None => {
                    slots.readiness.push(None);
                    slots.readiness.len() - 1
                }
            }
        };
        if let Some(entry) = self.slots().readiness.get_mut(slot) {
            *entry = Some(Arc::clone(&readiness));
        }
        let registration = Registration { readiness, slot, reactor: self.clone() };
        source.register(&self.0.registry, Token(slot), interest).or_else(|error| {
            // An old registration of the same descriptor, whose stream was dropped only half.
            if error.kind() == io::ErrorKind::AlreadyExists {
                source.reregister(&self.0.registry, Token(slot), interest)
            } else {
                Err(error)
            }
        })?;
        Ok(registration)
    }

    /// Ends the loop's current or next sleep. Any thread may call this.
    pub fn wake(&self) {
        // Fails only if the loop has so many wake-ups pending that it is awake anyway.
        let _ = self.0.waker.wake();
    }

    /// The waker itself, for those who keep many.
    pub fn waker(&self) -> Arc<Waker> {
        Arc::clone(&self.0.waker)
    }
}

/// One source's place in a loop; dropping it ends the watch.
#[derive(Debug)]
pub struct Registration {
    readiness: Arc<Readiness>,
    slot: usize,
    reactor: Reactor,
}

impl Registration {
    /// Whether reading may succeed.
    pub fn readable(&self) -> bool {
        self.readiness.readable.load(Ordering::Acquire)
    }

    /// Whether writing may succeed.
    pub fn writable(&self) -> bool {
        self.readiness.writable.load(Ordering::Acquire)
    }

    /// Does something that may find nothing to read, and remembers it if so.
    ///
    /// # Errors
    /// Those of `read`; `WouldBlock` without trying if the last try found nothing and nothing
    /// came since.
    pub fn read<T>(&self, read: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        attempt(&self.readiness.readable, read)
    }

    /// Does something that may find no room to write, and remembers it if so.
    ///
    /// # Errors
    /// As [`Registration::read`].
    pub fn write<T>(&self, write: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        attempt(&self.readiness.writable, write)
    }

    /// Takes the source for readable until tried: the owner stopped reading early and wants to go
    /// on in the next turn.
    pub fn try_again(&self) {
        self.readiness.readable.store(true, Ordering::Release);
        self.reactor.wake();
    }

    /// The loop that watches.
    pub fn reactor(&self) -> &Reactor {
        &self.reactor
    }
}

fn attempt<T>(flag: &AtomicBool, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    if !flag.swap(false, Ordering::AcqRel) {
        return Err(io::ErrorKind::WouldBlock.into());
    }
    // Cleared first: an event that arrives while `act` runs must not be lost.
    let result = act();
    if !matches!(&result, Err(error) if error.kind() == io::ErrorKind::WouldBlock) {
        flag.store(true, Ordering::Release);
    }
    result
}

impl Drop for Registration {
    fn drop(&mut self) {
        let mut slots = self.reactor.slots();
        if let Some(entry) = slots.readiness.get_mut(self.slot) {
            *entry = None;
        }
        slots.free.push(self.slot);
    }
}

/// A main loop's place to sleep.
///
/// A turn of a loop runs every component, folds their `poll_at()` with
/// [`crate::clock::earlier`] and calls [`PollLoop::poll`].
#[derive(Debug)]
pub struct PollLoop {
    poll: Poll,
    events: Events,
    reactor: Reactor,
    clock: Clock,
    /// Whether this loop takes the steps of a `time/warp`: the first on its clock does.
    drives: bool,
    interval: Interval,
}

impl PollLoop {
    /// A loop on a clock.
    ///
    /// # Errors
    /// The kernel is out of file descriptors.
    pub fn new(clock: Clock) -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKER)?);
        clock.wake_on_jump(Arc::clone(&waker));
        let registry = poll.registry().try_clone()?;
        let reactor = Reactor(Arc::new(Shared { registry, slots: Mutex::default(), waker }));
        let drives = clock.drive();
        Ok(Self {
            drives,
            poll,
            events: Events::with_capacity(EVENTS),
            reactor,
            clock,
            interval: Interval::default(),
        })
    }

    /// The handle with which components register their sources.
    pub fn reactor(&self) -> &Reactor {
        &self.reactor
    }

    /// The loop's clock.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Sleeps until `deadline` (forever if `None`), until a source becomes ready, or until
    /// somebody wakes the loop. Also takes the next step of a `time/warp`.
    ///
    /// # Errors
    /// The kernel fails in a way from which there is no recovery.
    pub fn poll(&mut self, deadline: Option<Msec>) -> io::Result<()> {
        let timeout = if self.drives && self.clock.step_warp() {
            Some(Duration::ZERO)
        } else {
            deadline.and_then(|deadline| self.until(deadline))
        };
        self.interval.before_sleep();
        let result = self.poll.poll(&mut self.events, timeout);
        self.interval.after_sleep();
        match result {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            result => result?,
        }
        let slots = self.reactor.slots();
        for event in &self.events {
            let Some(Some(readiness)) = slots.readiness.get(event.token().0) else {
                continue;
            };
            // The end of the stream and errors are found by trying.
            let over = event.is_error() || event.is_read_closed() || event.is_write_closed();
            if event.is_readable() || over {
                readiness.readable.store(true, Ordering::Release);
            }
            if event.is_writable() || over {
                readiness.writable.store(true, Ordering::Release);
            }
        }
        Ok(())
    }

    /// How long to sleep; `None` is forever. A stopped clock reaches no deadline by itself, and
    /// whoever moves it wakes the loop.
    fn until(&self, deadline: Msec) -> Option<Duration> {
        let left = deadline.saturating_mul(1000).saturating_sub(self.clock.now_us());
        let left = u64::try_from(left).unwrap_or(0);
        if left > 0 && self.clock.is_stopped() {
            return None;
        }
        Some(Duration::from_micros(left).min(LONGEST_SLEEP))
    }
}

impl Drop for PollLoop {
    fn drop(&mut self) {
        self.clock.forget_waker(&self.reactor.0.waker);
        if self.drives {
            self.clock.stop_driving();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use mio::net::UnixStream;

    use super::*;

    #[test]
    fn readiness_follows_the_socket() {
        let mut poll = PollLoop::new(Clock::system()).unwrap();
        let (mut a, mut b) = UnixStream::pair().unwrap();
        let registration = poll.reactor().register(&mut a).unwrap();
        let mut byte = [0];
        assert!(registration.readable());
        let read = registration.read(|| a.read(&mut byte));
        assert_eq!(read.unwrap_err().kind(), io::ErrorKind::WouldBlock);
        assert!(!registration.readable());
        b.write_all(b"x").unwrap();
        poll.poll(None).unwrap();
        while !registration.readable() {
            poll.poll(None).unwrap();
        }
        assert_eq!(registration.read(|| a.read(&mut byte)).unwrap(), 1);
        drop(b);
        poll.poll(None).unwrap();
        assert_eq!(registration.read(|| a.read(&mut byte)).unwrap(), 0);
    }

    #[test]
    fn a_wake_up_and_a_jump_end_a_sleep() {
        let clock = Clock::stopped(0);
        let mut poll = PollLoop::new(clock.clone()).unwrap();
        poll.reactor().wake();
        poll.poll(None).unwrap();
        clock.advance(10);
        poll.poll(Some(100)).unwrap();
        poll.poll(Some(10)).unwrap();
    }
}
