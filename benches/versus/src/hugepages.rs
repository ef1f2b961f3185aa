//! Reserves huge pages for the run and gives them back.

use std::fs;

use crate::error::{RunError, Step as _};

const NR_HUGEPAGES: &str = "/proc/sys/vm/nr_hugepages";

/// Huge pages of 2 MiB; the former number is restored on drop.
pub(crate) struct Reservation {
    before: u64,
}

fn read() -> Result<u64, RunError> {
    let text = fs::read_to_string(NR_HUGEPAGES).step(format!("reading {NR_HUGEPAGES}"))?;
    Ok(text.trim().parse().unwrap_or(0))
}

impl Reservation {
    /// Makes sure that there are `wanted` pages.
    pub(crate) fn at_least(wanted: u64) -> Result<Self, RunError> {
        let before = read()?;
        if before < wanted {
            fs::write(NR_HUGEPAGES, wanted.to_string()).step(format!("writing {NR_HUGEPAGES}"))?;
        }
        let got = read()?;
        if got < wanted { Err(RunError::HugePages { wanted, got }) } else { Ok(Self { before }) }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        // The run is over; a page count that cannot be restored hurts nothing.
        let _ = fs::write(NR_HUGEPAGES, self.before.to_string());
    }
}
