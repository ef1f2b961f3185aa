//! The process: opens what it needs, becomes a daemon, turns the main loop.

use std::process::ExitCode;

use weir_ovsdb::net::ServerIo;
use weir_runtime::clock::{Clock, earlier};
use weir_runtime::program::Fatal;
use weir_runtime::reactor::PollLoop;
use weir_runtime::signals::Signals;
use weir_runtime::{coverage, exit, unixctl, version, vlog};

use crate::options::{Options, Parsed};
use crate::switchd::Switchd;
use crate::{commands, embedded, options};

/// Runs the program.
///
/// # Errors
/// The command line is wrong, or something it needs cannot be opened.
pub fn main() -> Result<ExitCode, Fatal> {
    vlog::init();
    vlog::register_modules(vlog::VSWITCHD_MODULES);
    match options::parse()? {
        Parsed::Exit(code) => Ok(code),
        Parsed::Run(options) => serve(*options),
    }
}

fn serve(mut options: Options) -> Result<ExitCode, Fatal> {
    let daemon_options = std::mem::take(&mut options.daemon);
    let mut daemon = daemon_options.start()?;
    let clock = Clock::process().clone();
    let out_of_fds = |error: std::io::Error| Fatal::os(&error, "could not create the main loop");
    let mut poll = PollLoop::new(clock.clone()).map_err(out_of_fds)?;
    let reactor = poll.reactor().clone();
    let mut signals = Signals::new(&reactor, true).map_err(out_of_fds)?;
    if options.mlockall {
        lock_memory();
    }
    let mut database = database_server(&mut options, &reactor, &clock)?;
    let with_dummy = options.dummy != options::Dummy::Off;
    let control = options.unixctl.clone();
    let mut switchd = Switchd::new(options, &reactor, clock.clone()).map_err(out_of_fds)?;
    let table = commands::table(with_dummy);
    let mut control = unixctl::Server::open(control.as_deref(), table, &reactor)?;
    let mut started = false;

    let outcome = loop {
        signals.run();
        control.run(&mut switchd);
        if let Some(io) = &mut database {
            io.run();
        }
        let now = clock.now();
        switchd.run(now);
        coverage::run(now);
        // What the switch wrote to its own database is served in the same turn.
        if let Some(io) = &mut database {
            io.run();
        }
        if !started && switchd.is_settled() {
            started = true;
            daemon.complete()?;
            log::info!(target: "vswitchd", "{}", version::program_version());
        }
        if switchd.exiting {
            control.run(&mut switchd);
            break Ok(ExitCode::SUCCESS);
        }
        let due = [
            switchd.poll_at(now),
            coverage::poll_at(),
            database.as_ref().and_then(ServerIo::poll_at),
        ];
        if let Err(error) = poll.poll(due.into_iter().fold(None, earlier)) {
            break Err(Fatal::os(&error, "the main loop failed"));
        }
    };
    switchd.close();
    if let Some(io) = &mut database {
        io.run();
        io.close();
    }
    drop(control);
    exit::run_hooks();
    outcome
}

/// Serves the database itself if no remote was named and nobody else does.
fn database_server(
    options: &mut Options,
    reactor: &weir_runtime::reactor::Reactor,
    clock: &Clock,
) -> Result<Option<ServerIo>, Fatal> {
    if options.remote.is_some() {
        return Ok(None);
    }
    let socket = embedded::default_socket();
    options.remote = Some(format!("unix:{}", socket.display()));
    if embedded::is_served(&socket) {
        return Ok(None);
    }
    embedded::start(&socket, reactor, clock).map(Some)
}

/// `--mlockall`: page faults would delay packets.
fn lock_memory() {
    use rustix::mm::{MlockAllFlags, mlockall};
    if let Err(errno) = mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE) {
        log::error!(target: "vswitchd", "mlockall failed: {errno}");
    }
}
