//! Signals in a main loop: those that end the process, after cleaning up, and SIGHUP where a
//! daemon reopens its log on it.

use std::io;
use std::io::Read;

use mio::net::UnixStream;
use signal_hook::consts::{SIGALRM, SIGHUP, SIGINT, SIGTERM};
use signal_hook::low_level;

use crate::process::signal_name;
use crate::reactor::{Reactor, Registration};
use crate::{exit, vlog};

/// Signals that arrive as bytes on sockets of the main loop.
#[derive(Debug)]
pub struct Signals {
    watched: Vec<Watched>,
    reopen_on_hup: bool,
}

#[derive(Debug)]
struct Watched {
    signal: i32,
    socket: UnixStream,
    registration: Registration,
    ids: low_level_id::Id,
}

/// Unregisters a handler when dropped.
mod low_level_id {
    #[derive(Debug)]
    pub(super) struct Id(pub(super) signal_hook::SigId);

    impl Drop for Id {
        fn drop(&mut self) {
            signal_hook::low_level::unregister(self.0);
        }
    }
}

impl Signals {
    /// Watches SIGTERM, SIGINT, SIGHUP and SIGALRM. SIGHUP reopens the log file if
    /// `reopen_on_hup`, as in `ovs-vswitchd`, and otherwise ends the process as the others do.
    /// SIGPIPE is ignored by every Rust program already.
    ///
    /// # Errors
    /// The kernel is out of file descriptors.
    pub fn new(reactor: &Reactor, reopen_on_hup: bool) -> io::Result<Self> {
        let watched = [SIGTERM, SIGINT, SIGHUP, SIGALRM]
            .into_iter()
            .map(|signal| {
                let (receiver, sender) = std::os::unix::net::UnixStream::pair()?;
                sender.set_nonblocking(true)?;
                receiver.set_nonblocking(true)?;
                let ids = low_level_id::Id(low_level::pipe::register(signal, sender)?);
                let mut socket = UnixStream::from_std(receiver);
                let registration = reactor.register_readable(&mut socket)?;
                Ok(Watched { signal, socket, registration, ids })
            })
            .collect::<io::Result<_>>()?;
        Ok(Self { watched, reopen_on_hup })
    }

    /// Obeys the signals that arrived. Does not return from one that ends the process.
    pub fn run(&mut self) {
        let mut hup = false;
        for watched in &mut self.watched {
            if watched.take() {
                if watched.signal == SIGHUP && self.reopen_on_hup {
                    hup = true;
                } else {
                    terminate(watched.signal);
                }
            }
        }
        if hup {
            vlog::reopen_log_file();
        }
    }
}

impl Watched {
    fn take(&mut self) -> bool {
        let mut buffer = [0; 64];
        let mut seen = false;
        let _ = &self.ids;
        while let Ok(n) = self.registration.read(|| self.socket.read(&mut buffer)) {
            if n == 0 {
                break;
            }
            seen = true;
        }
        seen
    }
}

/// Cleans up and ends the process by `signal`, so that whoever waits for it sees why it ended.
pub fn terminate(signal: i32) -> ! {
    log::warn!(
        target: "fatal_signal",
        "terminating with signal {signal} ({})",
        signal_name(signal)
    );
    exit::run_hooks();
    // Returns only for a signal whose default is not to end the process.
    let _ = low_level::emulate_default_handler(signal);
    std::process::exit(128 + signal)
}
