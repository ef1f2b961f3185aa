//! What can go wrong in a run.

use std::path::PathBuf;

use netdev_linux::NetdevError;

/// A run's failure, with the step that failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    /// A file or process operation.
    #[error("{what}: {source}")]
    Io {
        /// The step.
        what: String,
        /// Its cause.
        source: std::io::Error,
    },
    /// A network device.
    #[error("{what}: {source}")]
    Netdev {
        /// The step.
        what: String,
        /// Its cause.
        source: NetdevError,
    },
    /// A command of a peer failed.
    #[error("{command} failed ({status}): {stderr}")]
    Command {
        /// The command line.
        command: String,
        /// Its exit status.
        status: String,
        /// What it said.
        stderr: String,
    },
    /// A peer did not come up.
    #[error("{program} did not start within {seconds} s; see {log}")]
    Start {
        /// The program.
        program: String,
        /// How long it was given.
        seconds: u64,
        /// Its log.
        log: PathBuf,
    },
    /// A peer's output was not understood.
    #[error("cannot find {wanted} in the output of {command}")]
    Output {
        /// What was looked for.
        wanted: &'static str,
        /// The command.
        command: String,
    },
    /// A bridge refused what it was sent.
    #[error("the bridge answered with the OpenFlow error of type {kind}, code {code}")]
    OpenFlow {
        /// `ofp_error_type`.
        kind: u16,
        /// Its code.
        code: u16,
    },
    /// Too few huge pages.
    #[error("only {got} of {wanted} huge pages of 2 MiB could be had: free some memory first")]
    HugePages {
        /// Pages wanted.
        wanted: u64,
        /// Pages there are.
        got: u64,
    },
}

/// Names the step of an error.
pub(crate) trait Step<T> {
    /// Wraps the error.
    fn step(self, what: impl Into<String>) -> Result<T, RunError>;
}

impl<T> Step<T> for std::io::Result<T> {
    fn step(self, what: impl Into<String>) -> Result<T, RunError> {
        self.map_err(|source| RunError::Io { what: what.into(), source })
    }
}

impl<T> Step<T> for Result<T, NetdevError> {
    fn step(self, what: impl Into<String>) -> Result<T, RunError> {
        self.map_err(|source| RunError::Netdev { what: what.into(), source })
    }
}
