//! A thread that disturbs a run until it is told to end, and says how much it did.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use crate::error::{RunError, Step as _};
use crate::pace::Made;

/// A running one; told to end on drop.
#[derive(Debug)]
pub(crate) struct Disturber {
    end: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<Made, RunError>>>,
}

impl Disturber {
    /// Begins; `work` looks at its argument to know when to end.
    pub(crate) fn start(
        name: &str,
        work: impl FnOnce(&AtomicBool) -> Result<Made, RunError> + Send + 'static,
    ) -> Result<Self, RunError> {
        let end = Arc::new(AtomicBool::new(false));
        let theirs = Arc::clone(&end);
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || work(&theirs))
            .step(format!("starting the thread {name}"))?;
        Ok(Self { end, thread: Some(thread) })
    }

    /// Ends, and says what was done.
    pub(crate) fn end(mut self) -> Result<Made, RunError> {
        self.end.store(true, Ordering::Relaxed);
        let died = || std::io::Error::other("the thread died");
        let thread = self.thread.take().ok_or_else(died).step("ending a disturbance")?;
        thread.join().map_err(|_| died()).step("ending a disturbance")?
    }
}

impl Drop for Disturber {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disturber_works_until_its_end_and_reports() {
        let disturber = Disturber::start("test", |end| {
            while !end.load(Ordering::Relaxed) {
                std::thread::yield_now();
            }
            Ok(Made { count: 10, seconds: 2.0 })
        });
        assert_eq!(disturber.unwrap().end().unwrap().rate(), 5.0);
    }
}
