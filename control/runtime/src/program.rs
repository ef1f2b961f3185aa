//! Who this process is (the name that prefixes its messages, file names and log lines) and how it
//! dies: fatal errors as `PROGRAM: message` on standard error.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::sync::OnceLock;

static NAME: OnceLock<String> = OnceLock::new();

/// `argv[0]` as the program was started.
fn argv0() -> OsString {
    match crate::daemon::program_argv0() {
        Some(argv0) => argv0.into(),
        None => std::env::args_os().next().unwrap_or_default(),
    }
}

/// The program's name: the last part of `argv[0]`.
pub fn name() -> &'static str {
    NAME.get_or_init(|| {
        Path::new(&argv0())
            .file_name()
            .map_or_else(|| "weir".into(), |n| n.to_string_lossy().into_owned())
    })
}

/// Fixes the program's name, for a process that was started under another one. Only the first
/// call, before anything asked for [`name`], has an effect.
pub fn set_name(name: &str) {
    let _ = NAME.set(name.into());
}

/// An error that ends the program, as `ovs_fatal` prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fatal {
    /// The text after `PROGRAM: `; empty if the reason was printed already.
    pub message: String,
    /// The exit code.
    pub code: u8,
    /// Whether the message follows `argv[0]` as it was given, as errors of getopt_long do, rather
    /// than the program's name.
    pub with_argv0: bool,
}

impl Fatal {
    /// An error that is explained by its text alone; exit code 1.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: 1, with_argv0: false }
    }

    /// An error of the operating system: `message (No such file or directory)`; exit code 1.
    pub fn os(error: &io::Error, message: impl fmt::Display) -> Self {
        Self::new(format!("{message} ({})", strerror(error)))
    }

    /// The same error with another exit code.
    #[must_use]
    pub fn with_code(mut self, code: u8) -> Self {
        self.code = code;
        self
    }

    /// Prints `PROGRAM: message` on standard error.
    pub fn print(&self) {
        if self.message.is_empty() {
            return;
        }
        if self.with_argv0 {
            eprintln!("{}: {}", argv0().to_string_lossy(), self.message);
        } else {
            eprintln!("{}: {}", name(), self.message);
        }
    }
}

impl fmt::Display for Fatal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fatal {}

impl From<String> for Fatal {
    fn from(message: String) -> Self {
        Self::new(message)
    }
}

/// Runs a program's body, removes what has to be removed at the end ([`crate::exit`]) and turns
/// the outcome into an exit code.
pub fn run(body: impl FnOnce() -> Result<ExitCode, Fatal>) -> ExitCode {
    let code = body().unwrap_or_else(|fatal| {
        fatal.print();
        ExitCode::from(fatal.code)
    });
    crate::exit::run_hooks();
    code
}

/// The C library's text for an error, without Rust's `(os error N)`. The end of a stream, which
/// has no number, is `End of file` as in OVS.
pub fn strerror(error: &io::Error) -> String {
    if error.raw_os_error().is_none() && error.kind() == io::ErrorKind::UnexpectedEof {
        return "End of file".into();
    }
    let text = error.to_string();
    match text.rfind(" (os error ") {
        Some(at) => text.get(..at).unwrap_or(&text).into(),
        None => text,
    }
}

/// The error with a number of the operating system, for errors that Weir itself finds.
pub fn errno(errno: rustix::io::Errno) -> io::Error {
    io::Error::from_raw_os_error(errno.raw_os_error())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_errors() {
        assert_eq!(strerror(&errno(rustix::io::Errno::NOENT)), "No such file or directory");
        assert_eq!(strerror(&io::ErrorKind::UnexpectedEof.into()), "End of file");
        let fatal = Fatal::os(&errno(rustix::io::Errno::SRCH), "cannot read pidfile \"x\"");
        assert_eq!(fatal.message, "cannot read pidfile \"x\" (No such process)");
    }
}
