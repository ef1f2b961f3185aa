//! Keeps all but the switch's own thread away from that thread's CPU.

use rustix::thread::{sched_getaffinity, sched_setaffinity};

use crate::error::{RunError, Step as _};

/// From now on this thread, and what it starts, runs on other CPUs than `cpu`; threads that are
/// pinned, as those of switches are, go where they want. A machine of one CPU has no other.
pub(crate) fn away_from(cpu: usize) -> Result<(), RunError> {
    let mut cpus = sched_getaffinity(None).map_err(std::io::Error::from).step("asking for CPUs")?;
    cpus.unset(cpu);
    if cpus.count() == 0 {
        return Ok(());
    }
    sched_setaffinity(None, &cpus).map_err(std::io::Error::from).step("choosing CPUs")
}
