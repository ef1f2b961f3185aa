//! Where a run is: one line that is written over on a terminal, lines otherwise.

use std::io::IsTerminal as _;
use std::time::Instant;

/// Counts the measurements of a run.
#[derive(Debug)]
pub(crate) struct Progress {
    since: Instant,
    all: usize,
    begun: usize,
    terminal: bool,
}

impl Progress {
    /// Of so many measurements.
    pub(crate) fn new(all: usize) -> Self {
        let terminal = std::io::stderr().is_terminal();
        Self { since: Instant::now(), all, begun: 0, terminal }
    }

    /// The next one begins.
    pub(crate) fn next(&mut self, what: &str) {
        let left = seconds_left(self.since.elapsed().as_secs_f64(), self.begun, self.all);
        self.begun += 1;
        let left = left.map_or_else(String::new, |s| format!(", {s} s left"));
        let text = format!("{}/{} {what}{left}", self.begun, self.all);
        if self.terminal {
            eprint!("\r\x1b[K{text}");
        } else {
            eprintln!("{text}");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.terminal {
            eprintln!();
        }
    }
}

/// If the rest takes as long as what is done.
fn seconds_left(elapsed: f64, done: usize, all: usize) -> Option<u64> {
    (done > 0).then(|| (elapsed / done as f64 * all.saturating_sub(done) as f64).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_is_guessed_from_what_is_done() {
        assert_eq!(seconds_left(0.0, 0, 10), None);
        assert_eq!(seconds_left(8.0, 2, 10), Some(32));
    }
}
