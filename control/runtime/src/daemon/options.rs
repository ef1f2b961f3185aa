//! The options of daemons.

use std::path::PathBuf;

use crate::argv::{Given, Opt};
use crate::program::Fatal;
use crate::{dirs, pidfile, program};

/// `--detach --monitor --no-chdir --pidfile[=FILE] --overwrite-pidfile --no-self-confinement`
pub const OPTIONS: &[Opt] = &[
    Opt::flag("detach"),
    Opt::flag("no-chdir"),
    Opt::optional("pidfile"),
    Opt::flag("overwrite-pidfile"),
    Opt::flag("monitor"),
    Opt::flag("no-self-confinement"),
    Opt::required("user"),
];

/// What the options said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// `--detach`: serve in the background.
    pub detach: bool,
    /// False with `--no-chdir`: a detached daemon stays in its directory.
    pub chdir: bool,
    /// `--pidfile`: where to write the process id.
    pub pidfile: Option<PathBuf>,
    /// `--overwrite-pidfile`: even if another process holds the pid file.
    pub overwrite_pidfile: bool,
    /// `--monitor`: restart the daemon if it crashes.
    pub monitor: bool,
    /// False with `--no-self-confinement`: sockets may be anywhere.
    pub self_confinement: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            detach: false,
            chdir: true,
            pidfile: None,
            overwrite_pidfile: false,
            monitor: false,
            self_confinement: true,
        }
    }
}

impl Options {
    /// Obeys one option of [`OPTIONS`]. False if it is another's.
    ///
    /// # Errors
    /// `--user`, which Weir has not.
    pub fn handle_option(&mut self, given: &Given) -> Result<bool, Fatal> {
        match given.id {
            "detach" => self.detach = true,
            "no-chdir" => self.chdir = false,
            "pidfile" => self.pidfile = Some(pidfile::path(given.value.as_deref())),
            "overwrite-pidfile" => self.overwrite_pidfile = true,
            "monitor" => self.monitor = true,
            "no-self-confinement" => self.self_confinement = false,
            "user" => {
                return Err(Fatal::new(
                    "--user is not supported; start the program as the user it is to run as \
                     (for example with User= in its systemd unit)",
                ));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// What `--help` says about [`OPTIONS`].
pub fn usage() -> String {
    format!(
        "\n\
Daemon options:
  --detach                run in background as daemon
  --monitor               creates a process to monitor this daemon
  --no-chdir              do not chdir to '/'
  --pidfile[=FILE]        create pidfile (default: {}/{}.pid)
  --overwrite-pidfile     with --pidfile, start even if already running
",
        dirs::rundir().display(),
        program::name()
    )
}
