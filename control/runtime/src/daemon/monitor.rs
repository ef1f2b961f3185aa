//! `--monitor`: a process that waits for the daemon and restarts it if it crashed.
//!
//! The monitor shows in `ps` as `PROGRAM: monitoring pid N (healthy)`. To change what `ps` shows,
//! it executes itself anew; the daemon stays its child over that.

use std::fs::File;
use std::io::Write;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use rustix::process::{Pid, WaitOptions, waitpid};
use signal_hook::consts::{
    SIGABRT, SIGALRM, SIGBUS, SIGFPE, SIGILL, SIGPIPE, SIGSEGV, SIGXCPU, SIGXFSZ,
};

use super::spawn::{self, Startup};
use super::stage::{Stage, Watch};
use super::{Daemon, Options, close_standard_fds, is_child, set_comm};
use crate::clock::Clock;
use crate::process::status_text;
use crate::program::{Fatal, name};
use crate::vlog;

/// The fewest seconds between two restarts.
const RESTART_INTERVAL: i64 = 10;

/// Deaths by one of these are crashes; any other end is meant.
const CRASHES: [i32; 9] =
    [SIGABRT, SIGALRM, SIGBUS, SIGFPE, SIGILL, SIGPIPE, SIGSEGV, SIGXCPU, SIGXFSZ];

fn should_restart(status: ExitStatus) -> bool {
    status.signal().is_some_and(|signal| CRASHES.contains(&signal))
}

/// Starts the daemon, tells whoever waits, and goes on to watch. Returns only on failure.
pub(super) fn start(options: &Options) -> Result<Daemon, Fatal> {
    vlog::set_thread_name("monitor");
    let ready = if is_child() { Some(spawn::take_ready_pipe()?) } else { None };
    if options.detach {
        // Fails only for a session leader, which is what is wanted.
        let _ = rustix::process::setsid();
    }
    let (child, _) = spawn::spawn_and_wait(&Stage::Daemon { monitored: true, restarted: false })?;
    if let Some(ready) = ready {
        let _ = File::from(ready).write_all(b"\0");
    }
    if options.detach {
        if options.chdir {
            let _ = std::env::set_current_dir("/");
        }
        close_standard_fds();
    }
    become_watcher(Watch {
        child: i64::from(child.id()),
        crashes: 0,
        status: "healthy".into(),
        last_restart: 0,
        argv: spawn::argv().iter().map(|arg| arg.to_string_lossy().into_owned()).collect(),
    })
}

/// Executes this program anew with another title. If that fails, goes on under the old title.
fn become_watcher(watch: Watch) -> Result<Daemon, Fatal> {
    let title = format!("{}: monitoring pid {} ({})", name(), watch.child, watch.status);
    let (variable, value) = Stage::Watch(watch.clone()).to_env();
    let error = Command::new(spawn::executable()).arg0(title).env(variable, value).exec();
    log::warn!(target: "daemon_unix", "could not change the process title: {error}");
    self::watch(watch)
}

/// Waits for the daemon to end, and restarts it or ends, too.
pub(super) fn watch(mut watch: Watch) -> Result<Daemon, Fatal> {
    vlog::set_thread_name("monitor");
    set_comm("monitor");
    let mut status = wait_for(watch.child)?;
    loop {
        // The log is open only while there is something to say, so that it can be rotated.
        vlog::reopen_log_file();
        let text = status_text(status);
        if !should_restart(status) {
            log::info!(target: "daemon_unix", "pid {} died, {text}, exiting", watch.child);
            std::process::exit(0);
        }
        watch.crashes += 1;
        watch.status = format!("{} crashes: pid {} died, {text}", watch.crashes, watch.child);
        if status.core_dumped() {
            // One core file tells as much as many.
            let _ = rustix::process::setrlimit(
                rustix::process::Resource::Core,
                rustix::process::Rlimit { current: Some(0), maximum: Some(0) },
            );
        }
        let next = watch.last_restart + RESTART_INTERVAL;
        let now = || Clock::process().wall() / 1000;
        if now() < next {
            log::warn!(
                target: "daemon_unix",
                "{}, waiting until {RESTART_INTERVAL} seconds since last restart",
                watch.status
            );
            while let Ok(left) = u64::try_from(next - now())
                && left > 0
            {
                std::thread::sleep(Duration::from_secs(left));
            }
        }
        watch.last_restart = now();
        log::error!(target: "daemon_unix", "{}, restarting", watch.status);
        let (child, startup) = spawn::spawn(&Stage::Daemon { monitored: true, restarted: true })?;
        watch.child = i64::from(child.id());
        match startup {
            Startup::Ready => {
                vlog::close_log_file();
                return become_watcher(watch);
            }
            Startup::Died(end) => status = end,
        }
    }
}

fn wait_for(pid: i64) -> Result<ExitStatus, Fatal> {
    let child = i32::try_from(pid).ok().and_then(Pid::from_raw);
    loop {
        match waitpid(child, WaitOptions::empty()) {
            Ok(Some((_, status))) => return Ok(ExitStatus::from_raw(status.as_raw())),
            Ok(None) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(Fatal::os(&error.into(), "waitpid failed")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crashes_and_ends() {
        for (raw, restart) in [(0, false), (1 << 8, false), (15, false), (9, false), (11, true)] {
            assert_eq!(should_restart(ExitStatus::from_raw(raw)), restart, "{raw}");
        }
        assert!(should_restart(ExitStatus::from_raw(6 | 0x80)));
    }
}
