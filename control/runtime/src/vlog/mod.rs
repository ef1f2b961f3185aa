//! Logging with OVS's vlog contract, as a back end of the `log` crate.
//!
//! Code logs with `log::info!(target: "bridge", ...)`: the target is the vlog module. Each module
//! has a level for each destination (console, syslog, file) that can be changed while the program
//! runs; each destination has a pattern.
//!
//! | file | is |
//! | --- | --- |
//! | `level.rs` | levels, destinations, syslog facilities and their names |
//! | `levels.rs` | the level of every module for every destination |
//! | `modules.rs` | the module names that OVS's programs list |
//! | `pattern.rs` | `%D{..}|%05N|%c%T|%p|%m` |
//! | `spec.rs` | what `-v` and `vlog/set` understand |
//! | `output.rs` | the destinations: standard error, the log file, syslog |
//! | `rate_limit.rs` | "Dropped N log messages" |
//! | `options.rs` | `-v --log-file --syslog-method --syslog-target` |
//! | `commands.rs` | the unixctl commands `vlog/*` |

mod commands;
mod level;
mod levels;
mod modules;
mod options;
mod output;
mod pattern;
mod rate_limit;
mod spec;

use std::cell::{Cell, RefCell};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

pub use commands::register;
pub use level::{Destination, Facility, Level};
pub use levels::is_known_module;
pub use modules::{OVSDB_SERVER as OVSDB_SERVER_MODULES, VSWITCHD as VSWITCHD_MODULES};
pub use options::{OPTIONS, handle_option, usage};
pub use output::SyslogMethodError;
pub use pattern::{Pattern, Record};
pub use rate_limit::RateLimit;
pub use spec::SpecError;

use levels::Levels;
use output::Outputs;

/// The whole state of logging.
struct Vlog {
    levels: Levels,
    outputs: Outputs,
}

fn vlog() -> &'static Vlog {
    static VLOG: OnceLock<Vlog> = OnceLock::new();
    VLOG.get_or_init(|| Vlog { levels: Levels::new(), outputs: Outputs::new() })
}

struct Backend;

static BACKEND: Backend = Backend;

thread_local! {
    static MESSAGES: Cell<u32> = const { Cell::new(0) };
    static THREAD_NAME: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Becomes the back end of the `log` crate. Until then nothing is logged. Further calls do
/// nothing.
pub fn init() {
    if log::set_logger(&BACKEND).is_ok() {
        crate::process::uptime_ms();
        vlog().publish_max_level();
    }
}

/// Names the calling thread in log lines (`%T`, `%t`) when its system name does not say it.
pub fn set_thread_name(name: &str) {
    THREAD_NAME.with_borrow_mut(|slot| *slot = Some(name.into()));
}

/// The calling thread's name, empty for the main thread.
fn with_thread_name<R>(f: impl FnOnce(&str) -> R) -> R {
    THREAD_NAME.with_borrow(|slot| match slot {
        Some(name) => f(name),
        None => match std::thread::current().name() {
            Some("main") | None => f(""),
            Some(name) => f(name),
        },
    })
}

/// The module that a `log` target stands for: the target itself, or the last part of a path.
fn module_of(target: &str) -> &str {
    target.rsplit("::").next().unwrap_or(target)
}

impl log::Log for Backend {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        let vlog = vlog();
        let levels = vlog.levels.get(module_of(metadata.target()));
        Level::from(metadata.level()) <= vlog.outputs.highest(levels)
    }

    fn log(&self, record: &log::Record<'_>) {
        let level = record.level().into();
        vlog().write(module_of(record.target()), level, *record.args());
    }

    fn flush(&self) {}
}

impl Vlog {
    fn write(&self, module: &str, level: Level, message: fmt::Arguments<'_>) {
        let levels = self.levels.get(module);
        if level > self.outputs.highest(levels) {
            return;
        }
        let number = MESSAGES.get().wrapping_add(1);
        MESSAGES.set(number);
        with_thread_name(|thread| {
            let message = message.to_string();
            self.outputs
                .write(levels, &Record { module, level, thread, number, message: &message });
        });
    }

    /// Lets the `log` macros skip at once what no module logs anywhere.
    fn publish_max_level(&self) {
        log::set_max_level(self.outputs.highest(self.levels.highest()).filter());
    }
}

/// Logs an emergency: the program is about to die. The `log` crate has no level so high.
pub fn emer(module: &str, message: fmt::Arguments<'_>) {
    vlog().write(module, Level::Emer, message);
}

/// Sets the level of one module, or of all, for one destination, or for all.
pub fn set_levels(module: Option<&str>, destination: Option<Destination>, level: Level) {
    let vlog = vlog();
    vlog.levels.set(module, destination, level);
    vlog.publish_max_level();
}

/// Adds modules to those that `vlog/list` shows and `vlog/set` accepts.
pub fn register_modules(names: &[&'static str]) {
    vlog().levels.register(names);
}

/// Whether a message of `level` from `module` would be written anywhere.
pub fn is_enabled(module: &str, level: Level) -> bool {
    let vlog = vlog();
    level <= vlog.outputs.highest(vlog.levels.get(module_of(module)))
}

/// Does what `-v SPEC` or `vlog/set SPEC` says.
///
/// # Errors
/// The spec is wrong, in OVS's words.
pub fn set_from_spec(spec: &str) -> Result<(), SpecError> {
    let vlog = vlog();
    let result = spec::apply(spec, &vlog.levels, &vlog.outputs);
    vlog.publish_max_level();
    result
}

fn log_path(path: Option<&Path>) -> PathBuf {
    path.map_or_else(
        || crate::dirs::logdir().join(format!("{}.log", crate::program::name())),
        Path::to_path_buf,
    )
}

/// Opens `path` as the log file (`LOGDIR/PROGRAM.log` if `None`), in place of the one that is
/// open. If it is the same file already, nothing happens. A failure is logged.
pub fn open_log_file(path: Option<&Path>) {
    let path = log_path(path);
    match output::open_file(&path) {
        Ok(file) => {
            if vlog().outputs.is_same_file(&file) {
                return;
            }
            close_log_file();
            vlog().outputs.set_file(path.clone(), file);
            vlog().publish_max_level();
            log::info!(target: "vlog", "opened log file {}", path.display());
        }
        Err(error) => {
            // Remembered, so that a later `vlog/reopen` can succeed.
            vlog().outputs.remember_path(path.clone());
            let text = crate::program::strerror(&error);
            log::warn!(target: "vlog", "failed to open {} for logging: {text}", path.display());
        }
    }
}

/// `--log-file`: as [`open_log_file`], except that of the processes that make up one daemon only
/// the first says so, and the monitor opens it when it has something to say.
fn open_log_file_at_start(path: Option<&Path>) {
    if !crate::daemon::is_child() {
        open_log_file(path);
        return;
    }
    let path = log_path(path);
    match output::open_file(&path) {
        Ok(file) if crate::daemon::original_argv().is_none() => {
            vlog().outputs.set_file(path, file);
            vlog().publish_max_level();
            MESSAGES.set(1);
        }
        _ => vlog().outputs.remember_path(path),
    }
}

/// The path of the log file that is open.
pub fn log_file() -> Option<PathBuf> {
    vlog().outputs.file_path()
}

/// Reopens the log file by its name, for log rotation. False if none was ever opened.
pub fn reopen_log_file() -> bool {
    match vlog().outputs.last_path() {
        Some(path) => {
            open_log_file(Some(&path));
            true
        }
        None => false,
    }
}

/// Closes the log file, if one is open.
pub fn close_log_file() {
    if vlog().outputs.file_path().is_some() {
        log::info!(target: "vlog", "closing log file");
        vlog().outputs.close_file();
        vlog().publish_max_level();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_name_modules() {
        assert_eq!(module_of("bridge"), "bridge");
        assert_eq!(module_of("weir_runtime::vlog::output"), "output");
    }

    #[test]
    fn the_log_file_gets_whole_lines() {
        init();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.log");
        set_thread_name("");
        open_log_file(Some(&path));
        log::warn!(target: "bridge", "first");
        log::debug!(target: "bridge", "hidden");
        assert!(reopen_log_file());
        let moved = dir.path().join("x.log.1");
        std::fs::rename(&path, &moved).unwrap();
        assert!(reopen_log_file());
        log::error!(target: "ofproto", "second\n");
        assert!(!is_enabled("x", Level::Dbg));
        close_log_file();
        let read = |path| {
            let text = std::fs::read_to_string(path).unwrap();
            // Other tests log, too.
            let ours = ["vlog", "bridge", "ofproto"];
            let mut lines: Vec<String> = Vec::new();
            for line in text.lines() {
                let rest = line.splitn(3, '|').nth(2).unwrap();
                if ours.iter().any(|module| rest.starts_with(module)) {
                    lines.push(rest.into());
                }
            }
            lines
        };
        let opened = |path: &Path| format!("vlog|INFO|opened log file {}", path.display());
        assert_eq!(
            read(&moved),
            [&opened(&path), "bridge|WARN|first", "vlog|INFO|closing log file"]
        );
        assert_eq!(
            read(&path),
            [&opened(&path), "ofproto|ERR|second", "vlog|INFO|closing log file"]
        );
    }
}
