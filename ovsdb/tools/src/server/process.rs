//! The process: opens databases and remotes, becomes a daemon, turns the main loop.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use weir_ovsdb::net::ServerIo;
use weir_ovsdb::{OvsdbError, Server};
use weir_runtime::clock::{Clock, earlier};
use weir_runtime::memory::Watch;
use weir_runtime::program::Fatal;
use weir_runtime::reactor::PollLoop;
use weir_runtime::signals::Signals;
use weir_runtime::{coverage, exit, memory, unixctl, version};

use super::child::Child;
use super::commands;
use super::options::Options;

/// What the unixctl commands act on.
#[derive(Debug)]
pub(super) struct State {
    pub(super) io: ServerIo,
    pub(super) exiting: bool,
}

impl State {
    /// Opens a database file and serves it.
    ///
    /// # Errors
    /// The file cannot be opened, or there is a database of that name already.
    pub(super) fn open_db(&mut self, path: &Path) -> Result<Arc<str>, OvsdbError> {
        let now = self.io.now();
        let (name, damage) = self.io.server_mut().open_db(now, path)?;
        if let Some(damage) = damage {
            log::error!(
                target: "ovsdb_server",
                "{}: {damage}; what came before it is served",
                path.display()
            );
        }
        Ok(name)
    }

    /// Numbers for `memory/show`.
    pub(super) fn memory_usage(&self) -> memory::Usage {
        let usage = self.io.server().usage();
        usage.into_iter().map(|(name, n)| (name.to_owned(), n as u64)).collect()
    }
}

/// Serves until told to stop.
///
/// # Errors
/// A database or socket cannot be opened, or the program of `--run` ended badly.
pub(super) fn serve(options: Options) -> Result<ExitCode, Fatal> {
    let Options { daemon, remotes, databases, unixctl: control, run } = options;
    let mut daemon = daemon.start()?;
    let clock = Clock::process().clone();
    let out_of_fds = |error: std::io::Error| Fatal::os(&error, "could not create the main loop");
    let mut poll = PollLoop::new(clock.clone()).map_err(out_of_fds)?;
    let reactor = poll.reactor().clone();
    let mut signals = Signals::new(&reactor, false).map_err(out_of_fds)?;
    let io = ServerIo::new(Server::new(), &reactor, clock.clone());
    let mut state = State { io, exiting: false };
    for path in &databases {
        state.open_db(path).map_err(|error| Fatal::new(error.to_string()))?;
    }
    for remote in &remotes {
        state.io.add_remote(remote).map_err(|error| Fatal::new(error.to_string()))?;
    }
    state.io.reconfigure();
    let mut control = unixctl::Server::open(control.as_deref(), commands::table(), &reactor)?;
    let child = run.as_deref().map(|command| Child::start(command, &reactor)).transpose()?;
    daemon.complete()?;
    if child.is_none() {
        log::info!(target: "ovsdb_server", "{}", version::program_version());
    }

    let mut watch = Watch::new(clock.now());
    let outcome = loop {
        signals.run();
        control.run(&mut state);
        state.io.run();
        let now = clock.now();
        coverage::run(now);
        watch.run(now, || state.memory_usage());
        match child.as_ref().map(Child::has_ended) {
            Some(Ok(true)) => state.exiting = true,
            Some(Err(fatal)) => break Err(fatal),
            Some(Ok(false)) | None => {}
        }
        if state.exiting {
            // Answers what was asked in this turn, the command to exit among it.
            control.run(&mut state);
            break Ok(ExitCode::SUCCESS);
        }
        let due = [state.io.poll_at(), coverage::poll_at(), Some(watch.poll_at())];
        let due = due.into_iter().fold(None, earlier);
        if let Err(error) = poll.poll(due) {
            break Err(Fatal::os(&error, "the main loop failed"));
        }
    };
    state.io.close();
    drop(control);
    exit::run_hooks();
    outcome
}
