//! Notices a main loop that was kept from running: "Unreasonably long 1234ms poll interval".

use std::time::{Duration, Instant};

use crate::vlog::RateLimit;
use crate::warn_rl;

/// A turn of the loop that takes longer is worth a warning.
const LONG: Duration = Duration::from_secs(1);
/// Reading the CPU time costs as much as a short turn, so it is not done every turn.
const CPU_TIME_AGE: Duration = Duration::from_millis(500);
/// Clock ticks a second in `/proc/PID/stat`, the same on every Linux that Weir runs on.
const TICKS: i64 = 100;

static RL: RateLimit = RateLimit::new(1, 3);

/// CPU time of the process, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct CpuTime {
    user: i64,
    system: i64,
}

/// Measures the time between two sleeps of a main loop, in real time whatever the loop's clock
/// does.
#[derive(Debug, Default)]
pub(crate) struct Interval {
    woke: Option<Instant>,
    cpu: Option<(Instant, CpuTime)>,
}

impl Interval {
    /// The loop is about to sleep.
    pub(crate) fn before_sleep(&mut self) {
        let Some(woke) = self.woke.take() else { return };
        let elapsed = woke.elapsed();
        if elapsed > LONG {
            let elapsed = elapsed.as_millis();
            let then = self.cpu.map(|(_, cpu)| cpu).unwrap_or_default();
            let now = cpu_time().unwrap_or(then);
            warn_rl!(
                RL,
                target: "timeval",
                "Unreasonably long {elapsed}ms poll interval ({}ms user, {}ms system)",
                now.user - then.user,
                now.system - then.system
            );
        }
    }

    /// The loop woke up.
    pub(crate) fn after_sleep(&mut self) {
        let now = Instant::now();
        self.woke = Some(now);
        if self.cpu.is_none_or(|(then, _)| now.duration_since(then) >= CPU_TIME_AGE) {
            self.cpu = Some((now, cpu_time().unwrap_or_default()));
        }
    }
}

/// Reads fields 14 and 15 of `/proc/self/stat`.
fn cpu_time() -> Option<CpuTime> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The second field, the name, may hold anything but ends with the last parenthesis.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(11);
    let mut next = || fields.next()?.parse::<i64>().ok().map(|ticks| ticks * 1000 / TICKS);
    Some(CpuTime { user: next()?, system: next()? })
}

#[cfg(test)]
mod tests {
    #[test]
    fn cpu_time_is_readable() {
        let time = super::cpu_time().unwrap();
        assert!(time.user >= 0 && time.system >= 0);
    }
}
