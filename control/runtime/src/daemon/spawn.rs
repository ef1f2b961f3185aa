//! Starting the next process of the program and waiting until it is ready.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};

use super::stage::{Stage, original_argv};
use crate::process::status_text;
use crate::program::Fatal;

/// How the start of a process ended.
#[derive(Debug)]
pub(super) enum Startup {
    /// It is ready to serve.
    Ready,
    /// It died before that.
    Died(ExitStatus),
}

/// The program's file, even after it was replaced.
pub(super) fn executable() -> PathBuf {
    std::env::current_exe()
        .ok()
        .filter(|path| path.exists())
        .unwrap_or_else(|| "/proc/self/exe".into())
}

/// `argv` of the program.
pub(super) fn argv() -> Vec<OsString> {
    match original_argv() {
        Some(argv) => argv.iter().map(OsString::from).collect(),
        None => std::env::args_os().collect(),
    }
}

/// Starts this program again, to be in `stage`, and waits until it is ready or dead.
///
/// # Errors
/// It cannot be started.
pub(super) fn spawn(stage: &Stage) -> Result<(Child, Startup), Fatal> {
    let pipe = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)
        .map_err(|error| Fatal::os(&error.into(), "pipe failed"))?;
    let (reader, writer) = pipe;
    let mut argv = argv().into_iter();
    let (variable, value) = stage.to_env();
    let mut command = Command::new(executable());
    if let Some(argv0) = argv.next() {
        command.arg0(argv0);
    }
    command.args(argv).env(variable, value).stdin(Stdio::from(writer));
    let mut child =
        command.spawn().map_err(|error| Fatal::os(&error, "could not start the daemon"))?;
    // The parent's copy of the writing end goes with the command, so that the pipe ends when the
    // child does.
    drop(command);
    let startup = wait_until_ready(reader, &mut child)
        .map_err(|error| Fatal::os(&error, "could not wait for the daemon"))?;
    Ok((child, startup))
}

fn wait_until_ready(reader: OwnedFd, child: &mut Child) -> io::Result<Startup> {
    let mut byte = [0];
    let mut reader = File::from(reader);
    loop {
        match reader.read(&mut byte) {
            Ok(0) => return Ok(Startup::Died(child.wait()?)),
            Ok(_) => return Ok(Startup::Ready),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// As [`spawn`], but a child that died ends this process, too, in the same way.
///
/// # Errors
/// It cannot be started, or was killed.
pub(super) fn spawn_and_wait(stage: &Stage) -> Result<(Child, Startup), Fatal> {
    let (child, startup) = spawn(stage)?;
    match startup {
        Startup::Ready => Ok((child, startup)),
        // The child said itself what is wrong.
        Startup::Died(status) => Err(match status.code() {
            Some(code) => Fatal::new("").with_code(u8::try_from(code).unwrap_or(1)),
            None => {
                let text = status_text(status);
                Fatal::new(format!("fork child died before signaling startup ({text})"))
            }
        }),
    }
}

/// The pipe that the parent gave as standard input, in whose place `/dev/null` comes.
///
/// # Errors
/// The process is out of file descriptors.
pub(super) fn take_ready_pipe() -> Result<OwnedFd, Fatal> {
    let take = || -> io::Result<OwnedFd> {
        let pipe = io::stdin().as_fd().try_clone_to_owned()?;
        let null = File::open("/dev/null")?;
        rustix::stdio::dup2_stdin(&null)?;
        Ok(pipe)
    };
    take().map_err(|error| Fatal::os(&error, "could not take over standard input"))
}
