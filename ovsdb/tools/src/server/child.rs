//! `--run COMMAND`: a program that is run while the server serves, and with which it ends.

use std::io;
use std::process::{Command, ExitStatus};
use std::sync::mpsc::{Receiver, TryRecvError, channel};

use weir_runtime::process::status_text;
use weir_runtime::program::Fatal;
use weir_runtime::reactor::Reactor;

/// See the file's head.
#[derive(Debug)]
pub(super) struct Child {
    command: String,
    ended: Receiver<io::Result<ExitStatus>>,
}

impl Child {
    /// Starts `/bin/sh -c COMMAND`; the loop wakes up when it ends.
    ///
    /// # Errors
    /// It cannot be started.
    pub(super) fn start(command: &str, reactor: &Reactor) -> Result<Self, Fatal> {
        let failed = |error: io::Error| {
            Fatal::os(&error, format_args!("{command}: process failed to start"))
        };
        let mut process = Command::new("/bin/sh").arg("-c").arg(command).spawn().map_err(failed)?;
        let (sender, ended) = channel();
        let reactor = reactor.clone();
        std::thread::Builder::new()
            .name("run".into())
            .spawn(move || {
                // The receiver is gone only when the server ends anyway.
                let _ = sender.send(process.wait());
                reactor.wake();
            })
            .map_err(failed)?;
        Ok(Self { command: command.into(), ended })
    }

    /// Whether the program has ended.
    ///
    /// # Errors
    /// It ended badly.
    pub(super) fn has_ended(&self) -> Result<bool, Fatal> {
        match self.ended.try_recv() {
            Err(TryRecvError::Empty) => Ok(false),
            Ok(Ok(status)) if status.success() => Ok(true),
            Ok(Ok(status)) => {
                let text = status_text(status);
                Err(Fatal::new(format!("{}: child exited, {text}", self.command)))
            }
            Ok(Err(error)) => Err(Fatal::os(&error, &self.command)),
            Err(TryRecvError::Disconnected) => Ok(true),
        }
    }
}
