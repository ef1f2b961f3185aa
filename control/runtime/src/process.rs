//! Small facts about processes and how they end.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::OnceLock;

use crate::clock::{Clock, Msec};

static STARTED: OnceLock<Msec> = OnceLock::new();

/// Milliseconds since this function was first called, which `vlog` does at the start.
pub fn uptime_ms() -> Msec {
    Clock::process().now() - *STARTED.get_or_init(|| Clock::process().now())
}

/// The names of signals, as strsignal(3) says them; from 1.
const SIGNALS: [&str; 31] = [
    "Hangup",
    "Interrupt",
    "Quit",
    "Illegal instruction",
    "Trace/breakpoint trap",
    "Aborted",
    "Bus error",
    "Floating point exception",
    "Killed",
    "User defined signal 1",
    "Segmentation fault",
    "User defined signal 2",
    "Broken pipe",
    "Alarm clock",
    "Terminated",
    "Stack fault",
    "Child exited",
    "Continued",
    "Stopped (signal)",
    "Stopped",
    "Stopped (tty input)",
    "Stopped (tty output)",
    "Urgent I/O condition",
    "CPU time limit exceeded",
    "File size limit exceeded",
    "Virtual timer expired",
    "Profiling timer expired",
    "Window changed",
    "I/O possible",
    "Power failure",
    "Bad system call",
];

/// A signal's name, as strsignal(3) says it.
pub fn signal_name(signal: i32) -> String {
    let index = usize::try_from(signal).ok().and_then(|n| n.checked_sub(1));
    match index.and_then(|index| SIGNALS.get(index)) {
        Some(name) => (*name).into(),
        None => format!("Unknown signal {signal}"),
    }
}

/// How a process ended, as OVS puts it: `exit status 1`, `killed (Segmentation fault)`.
pub fn status_text(status: ExitStatus) -> String {
    let core = if status.core_dumped() { ", core dumped" } else { "" };
    if let Some(code) = status.code() {
        format!("exit status {code}{core}")
    } else if let Some(signal) = status.signal() {
        format!("killed ({}){core}", signal_name(signal))
    } else if let Some(signal) = status.stopped_signal() {
        format!("stopped ({})", signal_name(signal))
    } else {
        format!("terminated abnormally ({:x})", status.into_raw())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        assert_eq!(status_text(ExitStatus::from_raw(7 << 8)), "exit status 7");
        assert_eq!(status_text(ExitStatus::from_raw(9)), "killed (Killed)");
        assert_eq!(
            status_text(ExitStatus::from_raw(11 | 0x80)),
            "killed (Segmentation fault), core dumped"
        );
        assert_eq!(signal_name(99), "Unknown signal 99");
    }
}
