//! Read-copy-update by epochs: the one place where shared tables are published and reclaimed.
//!
//! A reader holds one [`Guard`] and loads [`Rcu`] cells through it; a writer publishes a new value
//! in one pointer swap, and the old one is dropped when every guard that could still see it has
//! moved on. A PMD thread keeps one guard for its life and calls [`Guard::quiesce`] once a poll
//! iteration; everybody else pins for the length of one operation.
//!
//! Rules that the types cannot keep:
//! - a thread with a long-lived guard never makes a second one (`quiesce` would do nothing);
//! - a thread about to sleep calls [`Guard::quiesce_after`], else reclamation stops for all;
//! - some control thread calls [`collect`] regularly: old values are dropped there.

use std::fmt;
use std::sync::atomic::Ordering;

use crossbeam_epoch::{Atomic, Collector, LocalHandle, Owned};

#[cfg(not(crossbeam_loom))]
static COLLECTOR: std::sync::LazyLock<Collector> = std::sync::LazyLock::new(Collector::new);
#[cfg(crossbeam_loom)]
loom::lazy_static! {
    static ref COLLECTOR: Collector = Collector::new();
}

#[cfg(crossbeam_loom)]
use loom::thread_local;

thread_local! {
    static HANDLE: LocalHandle = COLLECTOR.register();
}

/// Proof that what is loaded through it stays alive.
#[derive(Debug)]
pub struct Guard(crossbeam_epoch::Guard);

/// Enters a read-side section of the switch's own collector.
#[must_use]
pub fn pin() -> Guard {
    Guard(HANDLE.with(LocalHandle::pin))
}

/// Drops what no reader can see any more. Called by control threads, never by a PMD.
pub fn collect() {
    pin().0.flush();
}

impl Guard {
    /// A quiescent state: nothing loaded through this guard before is used after. Costs two
    /// relaxed loads when nothing was published.
    #[inline]
    pub fn quiesce(&mut self) {
        self.0.repin();
    }

    /// Runs `f` (which may sleep) outside of any read-side section.
    pub fn quiesce_after<R>(&mut self, f: impl FnOnce() -> R) -> R {
        self.0.repin_after(f)
    }
}

/// A value that readers load without a lock and writers replace whole.
pub struct Rcu<T: Send + Sync + 'static>(Atomic<T>);

impl<T: Send + Sync + 'static> Rcu<T> {
    /// Publishes a first value.
    pub fn new(value: T) -> Self {
        Self(Atomic::new(value))
    }

    /// The current value, for as long as the guard does not quiesce.
    #[inline]
    pub fn load<'g>(&self, guard: &'g Guard) -> &'g T {
        let shared = self.0.load(Ordering::Acquire, &guard.0);
        // SAFETY: the cell is never null (made by `new`, replaced only by `publish`), and a replaced
        // value is destroyed only through `defer_destroy`, that is after `guard` has moved on.
        unsafe { shared.deref() }
    }

    /// Replaces the value; readers see the old one or the new one. The old one is dropped later.
    pub fn publish(&self, value: T) {
        let guard = pin();
        let old = self.0.swap(Owned::new(value), Ordering::AcqRel, &guard.0);
        // SAFETY: `old` was unlinked by the swap, so no new reader finds it, and nobody else
        // destroys it: each value is swapped out exactly once.
        unsafe { guard.0.defer_destroy(old) };
    }
}

impl<T: Send + Sync + 'static> Drop for Rcu<T> {
    fn drop(&mut self) {
        let cell = std::mem::replace(&mut self.0, Atomic::null());
        // SAFETY: `&mut self` proves that no reader holds a reference into this cell.
        drop(unsafe { cell.try_into_owned() });
    }
}

impl<T: Send + Sync + fmt::Debug + 'static> fmt::Debug for Rcu<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Rcu").field(self.load(&pin())).finish()
    }
}

#[cfg(all(test, not(crossbeam_loom)))]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicUsize};

    use super::*;

    struct Counted(Arc<AtomicUsize>, u64, u64);
    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn every_value_is_dropped_once_and_readers_never_see_a_torn_one() {
        let drops = Arc::new(AtomicUsize::new(0));
        let cell = Arc::new(Rcu::new(Counted(drops.clone(), 0, 0)));
        let stop = Arc::new(AtomicBool::new(false));
        let reader = {
            let (cell, stop) = (cell.clone(), stop.clone());
            std::thread::spawn(move || {
                let mut guard = pin();
                while !stop.load(Ordering::Relaxed) {
                    let v = cell.load(&guard);
                    assert_eq!(v.1 * 3, v.2);
                    guard.quiesce();
                }
            })
        };
        for i in 1..1000 {
            cell.publish(Counted(drops.clone(), i, i * 3));
        }
        stop.store(true, Ordering::Relaxed);
        reader.join().unwrap();
        for _ in 0..1000 {
            collect();
        }
        assert_eq!(drops.load(Ordering::Relaxed), 999);
        drop(cell);
        assert_eq!(drops.load(Ordering::Relaxed), 1000);
    }
}
