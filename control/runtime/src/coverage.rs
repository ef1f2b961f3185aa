//! Event counters: `coverage_inc!(name)` where something happens, `coverage/show` to see how often.
//!
//! A counter costs one relaxed atomic addition. Threads that must not share a cache line keep
//! their own numbers and register a function that reads them ([`add_reader`]).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock::Msec;
use crate::unixctl::{Commands, Outcome};

/// How often rates are taken.
const INTERVAL: Msec = 5000;
/// Samples in a minute.
const PER_MINUTE: usize = 12;
/// Minutes in an hour.
const PER_HOUR: usize = 60;

/// One call site's count. Made by [`coverage_inc!`](crate::coverage_inc).
#[derive(Debug)]
pub struct Counter {
    name: &'static str,
    count: AtomicU64,
    registered: AtomicBool,
}

impl Counter {
    /// A counter that becomes known when it first counts.
    pub const fn new(name: &'static str) -> Self {
        Self { name, count: AtomicU64::new(0), registered: AtomicBool::new(false) }
    }

    /// Counts `n` events.
    pub fn add(&'static self, n: u64) {
        self.count.fetch_add(n, Ordering::Relaxed);
        if !self.registered.load(Ordering::Relaxed)
            && !self.registered.swap(true, Ordering::Relaxed)
        {
            registry().counters.push(self);
        }
    }
}

/// Counts an event: `coverage_inc!(txn_success)`. The same name may be counted in many places.
#[macro_export]
macro_rules! coverage_inc {
    ($name:ident) => {
        $crate::coverage_add!($name, 1)
    };
}

/// Counts several events at once: `coverage_add!(rx_packets, n)`.
#[macro_export]
macro_rules! coverage_add {
    ($name:ident, $n:expr) => {{
        static COUNTER: $crate::coverage::Counter =
            $crate::coverage::Counter::new(stringify!($name));
        COUNTER.add($n);
    }};
}

type Reader = Box<dyn Fn() -> u64 + Send>;

#[derive(Default)]
struct Registry {
    counters: Vec<&'static Counter>,
    readers: Vec<(&'static str, Reader)>,
    declared: Vec<&'static str>,
    rates: BTreeMap<&'static str, Rates>,
    next_sample: Option<Msec>,
    minute_slot: usize,
    hour_slot: usize,
}

/// How often an event happened in the past intervals.
#[derive(Clone)]
struct Rates {
    last_total: u64,
    minute: [u64; PER_MINUTE],
    hour: [u64; PER_HOUR],
}

impl Default for Rates {
    fn default() -> Self {
        Self { last_total: 0, minute: [0; PER_MINUTE], hour: [0; PER_HOUR] }
    }
}

static REGISTRY: Mutex<Registry> = Mutex::new(Registry {
    counters: Vec::new(),
    readers: Vec::new(),
    declared: Vec::new(),
    rates: BTreeMap::new(),
    next_sample: None,
    minute_slot: 0,
    hour_slot: 0,
});

fn registry() -> MutexGuard<'static, Registry> {
    REGISTRY.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").finish_non_exhaustive()
    }
}

/// Makes counters known that have not counted yet, so that their number is 0 and not an error.
pub fn declare(names: &[&'static str]) {
    registry().declared.extend_from_slice(names);
}

/// Counts events that somebody else numbers: `read` returns the total so far.
pub fn add_reader(name: &'static str, read: impl Fn() -> u64 + Send + 'static) {
    registry().readers.push((name, Box::new(read)));
}

impl Registry {
    fn totals(&self) -> BTreeMap<&'static str, u64> {
        let mut totals: BTreeMap<&'static str, u64> =
            self.declared.iter().map(|name| (*name, 0)).collect();
        for counter in &self.counters {
            *totals.entry(counter.name).or_default() += counter.count.load(Ordering::Relaxed);
        }
        for (name, read) in &self.readers {
            *totals.entry(name).or_default() += read();
        }
        totals
    }

    fn sample(&mut self) {
        let (minute_slot, hour_slot) = (self.minute_slot, self.hour_slot);
        for (name, total) in self.totals() {
            let rates = self.rates.entry(name).or_default();
            let fresh = total.saturating_sub(rates.last_total);
            rates.last_total = total;
            if let Some(slot) = rates.minute.get_mut(minute_slot) {
                *slot = fresh;
            }
            let minute = rates.minute.iter().sum();
            if let Some(slot) = rates.hour.get_mut(hour_slot) {
                *slot = minute;
            }
        }
        self.minute_slot = (minute_slot + 1) % PER_MINUTE;
        if self.minute_slot == 0 {
            self.hour_slot = (hour_slot + 1) % PER_HOUR;
            for rates in self.rates.values_mut() {
                rates.minute = [0; PER_MINUTE];
            }
        }
    }

    fn show(&self) -> String {
        let totals = self.totals();
        let hash = totals.iter().filter(|(_, total)| **total > 0).fold(
            0x811c_9dc5_u32,
            |hash, (name, _)| {
                name.bytes()
                    .fold(hash, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
            },
        );
        let mut text = format!(
            "Event coverage, avg rate over last: 5 seconds, last minute, last hour,  \
             hash={hash:08x}:\n"
        );
        let mut never = 0;
        for (name, total) in totals {
            if total == 0 {
                never += 1;
                continue;
            }
            let [last, minute, hour] = self.averages(name);
            text.push_str(&format!(
                "{name:<24} {last:5.1}/sec {minute:9.3}/sec {hour:13.4}/sec   total: {total}\n"
            ));
        }
        text.push_str(&format!("{never} events never hit\n"));
        text
    }

    /// Events a second over the last 5 seconds, minute and hour.
    #[expect(clippy::cast_precision_loss, reason = "rates are shown with few digits")]
    fn averages(&self, name: &str) -> [f64; 3] {
        let Some(rates) = self.rates.get(name) else { return [0.0; 3] };
        let newest = (self.minute_slot + PER_MINUTE - 1) % PER_MINUTE;
        let last = rates.minute.get(newest).copied().unwrap_or(0);
        let minute: u64 = rates.minute.iter().sum();
        let hour: u64 = rates.hour.iter().sum();
        [last as f64 / 5.0, minute as f64 / 60.0, hour as f64 / 3600.0]
    }
}

/// Takes rates when it is time to; the main loop calls this every turn.
pub fn run(now: Msec) {
    let mut registry = registry();
    match registry.next_sample {
        None => registry.next_sample = Some(now + INTERVAL),
        Some(due) if now >= due => {
            registry.sample();
            // After a long sleep the missed intervals count as one.
            registry.next_sample = Some((due + INTERVAL).max(now));
        }
        Some(_) => {}
    }
}

/// When [`run`] has something to do.
pub fn poll_at() -> Option<Msec> {
    registry().next_sample
}

/// How often the event happened so far; `None` if there is no such counter.
pub fn read(name: &str) -> Option<u64> {
    registry().totals().get(name).copied()
}

/// The text of `coverage/show`.
pub fn show() -> String {
    registry().show()
}

/// Adds `coverage/*` to a program's commands.
pub fn register<C: 'static>(commands: &mut Commands<C>) {
    commands.add("coverage/show", "", 0, 0, |_, _| Outcome::text(show()));
    commands.add("coverage/read-counter", "COUNTER", 1, 1, |_, args| {
        let total = args.first().and_then(|name| read(name)).ok_or("No such counter")?;
        Outcome::text(format!("{total}\n"))
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_by_name() {
        declare(&["test_never"]);
        for _ in 0..2 {
            coverage_inc!(test_counted);
        }
        coverage_add!(test_counted, 5);
        add_reader("test_read", || 3);
        assert_eq!(read("test_counted"), Some(7));
        assert_eq!(read("test_read"), Some(3));
        assert_eq!(read("test_never"), Some(0));
        assert_eq!(read("test_none"), None);
        let text = show();
        assert!(
            text.contains(
                "\ntest_counted               0.0/sec     0.000/sec        0.0000/sec   total: 7\n"
            ),
            "{text}"
        );
        assert!(!text.contains("test_never"));
    }

    #[test]
    fn rates() {
        let mut registry = Registry::default();
        registry.readers.push(("x", Box::new(|| 60)));
        registry.sample();
        assert_eq!(registry.averages("x"), [12.0, 1.0, 60.0 / 3600.0]);
        registry.sample();
        assert_eq!(registry.averages("x"), [0.0, 1.0, 60.0 / 3600.0]);
    }
}
