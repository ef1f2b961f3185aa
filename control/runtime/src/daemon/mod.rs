//! Becoming a daemon: `--detach --pidfile --monitor` and so on.
//!
//! OVS forks. Safe Rust cannot, so the program starts itself again and tells the new process by an
//! environment variable what it is ([`stage`]). The new process has as its standard input a pipe,
//! into which it writes one byte when it is ready to serve; its parent waits for that, so that
//! whoever started the daemon knows that it runs.
//!
//! | file | is |
//! | --- | --- |
//! | `options.rs` | the options |
//! | `stage.rs` | what a process that was started by another of its kind is to do |
//! | `spawn.rs` | starting the next process and waiting until it is ready |
//! | `monitor.rs` | `--monitor`: restarting a daemon that crashed |

mod monitor;
mod options;
mod spawn;
mod stage;

use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;

use crate::pidfile::{self, PidFile};
use crate::program::{Fatal, name};
use crate::vlog::{self, Destination, Level};

pub use options::{OPTIONS, Options, usage};
pub use stage::is_child;
pub(crate) use stage::{original_argv, program_argv0};

use stage::Stage;

/// A process on its way to serve.
#[derive(Debug)]
pub struct Daemon {
    options: Options,
    _pidfile: Option<PidFile>,
    ready: Option<File>,
}

impl Options {
    /// Becomes a daemon as far as possible before the program has opened what it needs. Does not
    /// return in the processes that only start or watch another. Call this before starting any
    /// thread, and [`Daemon::complete`] when ready to serve.
    ///
    /// # Errors
    /// The daemon runs already, or cannot be started.
    pub fn start(self) -> Result<Daemon, Fatal> {
        match stage::current() {
            Stage::First => self.start_first(),
            Stage::Monitor => monitor::start(&self),
            Stage::Watch(watch) => monitor::watch(watch.clone()),
            Stage::Daemon { monitored, restarted } => {
                if self.detach && !monitored {
                    // Fails only for a session leader, which is what is wanted.
                    let _ = rustix::process::setsid();
                }
                if *restarted {
                    vlog::set_thread_name(name());
                }
                set_comm(name());
                let ready = spawn::take_ready_pipe()?;
                self.serve(Some(ready))
            }
        }
    }

    fn start_first(self) -> Result<Daemon, Fatal> {
        if let Some(path) = &self.pidfile
            && !self.overwrite_pidfile
        {
            pidfile::check_not_running(path)?;
        }
        if !self.detach {
            return if self.monitor { monitor::start(&self) } else { self.serve(None) };
        }
        let stage = if self.monitor {
            Stage::Monitor
        } else {
            Stage::Daemon { monitored: false, restarted: false }
        };
        let (child, _) = spawn::spawn_and_wait(&stage)?;
        drop(child);
        // The files of the daemon are its own to remove.
        std::process::exit(0)
    }

    fn serve(self, ready: Option<OwnedFd>) -> Result<Daemon, Fatal> {
        abort_on_panic();
        // The first process has looked; a restarted daemon replaces its own old file.
        let overwrite = self.overwrite_pidfile || is_child();
        let pidfile = match &self.pidfile {
            Some(path) => Some(PidFile::create(path, overwrite)?),
            None => None,
        };
        Ok(Daemon { options: self, _pidfile: pidfile, ready: ready.map(File::from) })
    }
}

impl Daemon {
    /// Says that the program is ready to serve: the process that started it ends now, and a
    /// detached one lets go of its terminal and working directory.
    ///
    /// # Errors
    /// The working directory cannot be left.
    pub fn complete(&mut self) -> Result<(), Fatal> {
        if let Some(mut ready) = self.ready.take() {
            // Whoever waited may have been killed; the daemon serves all the same.
            let _ = ready.write_all(b"\0");
        }
        if self.options.detach {
            if self.options.chdir {
                std::env::set_current_dir("/")
                    .map_err(|error| Fatal::os(&error, "cannot change to \"/\""))?;
            }
            close_standard_fds();
        }
        Ok(())
    }
}

/// Makes a panic of any thread end the process as a crash, which is logged and from which a
/// monitor restarts it: better than a daemon that lives on with a thread missing.
fn abort_on_panic() {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        vlog::emer("util", format_args!("{info}"));
        default(info);
        std::process::abort();
    }));
}

/// Points standard input, output and error at `/dev/null` and stops logging to the console.
fn close_standard_fds() {
    vlog::set_levels(None, Some(Destination::Console), Level::Off);
    if let Ok(null) = File::options().read(true).write(true).open("/dev/null") {
        let _ = rustix::stdio::dup2_stdin(&null);
        let _ = rustix::stdio::dup2_stdout(&null);
        let _ = rustix::stdio::dup2_stderr(&null);
    }
}

/// Sets the name that `ps -o comm` shows; the kernel keeps 15 bytes.
fn set_comm(name: &str) {
    let mut bytes = name.as_bytes().to_vec();
    bytes.truncate(15);
    if let Ok(name) = std::ffi::CString::new(bytes) {
        let _ = rustix::thread::set_name(&name);
    }
}
