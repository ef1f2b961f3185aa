//! DPDK's log, carried over to the `log` crate under the target `dpdk`.

use std::cell::RefCell;
use std::ffi::c_char;

use crate::error::{DpdkError, c_string};

/// From here on DPDK logs to the `log` crate.
pub(crate) fn install() {
    // SAFETY: the callback stays for the life of the process.
    if unsafe { dpdk_sys::weir_log_to(Some(receive)) } != 0 {
        log::warn!(target: "dpdk", "cannot redirect the log of DPDK; it goes to standard error");
    }
}

const fn level_of(dpdk: u32) -> log::Level {
    match dpdk {
        0..=dpdk_sys::RTE_LOG_ERR => log::Level::Error,
        dpdk_sys::RTE_LOG_WARNING => log::Level::Warn,
        dpdk_sys::RTE_LOG_NOTICE | dpdk_sys::RTE_LOG_INFO => log::Level::Info,
        _ => log::Level::Debug,
    }
}

unsafe extern "C" fn receive(level: u32, text: *const c_char, len: usize) {
    if text.is_null() {
        return;
    }
    // SAFETY: the shim lends `len` bytes for the call.
    let bytes = unsafe { std::slice::from_raw_parts(text.cast::<u8>(), len) };
    for line in String::from_utf8_lossy(bytes).lines().filter(|line| !line.trim().is_empty()) {
        let level = level_of(level);
        log::log!(target: "dpdk", level, "{line}");
        // What EAL adds is that its drivers said something.
        if level == log::Level::Error && !line.starts_with("EAL:") {
            COMPLAINT.with_borrow_mut(|complaint| {
                complaint.get_or_insert_with(|| without_function(line).to_owned());
            });
        }
    }
}

thread_local! {
    /// The first error that a driver logged on this thread since the last look.
    static COMPLAINT: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Calls DPDK; answers the first error that a driver logged meanwhile, too. Many drivers tell a
/// cause in no other way.
pub(crate) fn listening<T>(call: impl FnOnce() -> T) -> (T, Option<String>) {
    COMPLAINT.take();
    (call(), COMPLAINT.take())
}

/// A log line without the name of the C function in front.
fn without_function(line: &str) -> &str {
    match line.split_once("(): ") {
        Some((function, text)) if !function.contains(' ') => text.trim(),
        _ => line.trim(),
    }
}

/// Sets the level of the log types that match a shell pattern such as `pmd.net.*`; `None` is all of
/// them. Levels are those of DPDK: `emergency` to `debug`, or 1 to 8.
///
/// # Errors
/// A level or pattern that is not valid.
pub fn set_level(pattern: Option<&str>, level: &str) -> Result<(), DpdkError> {
    let bad = |reason| DpdkError::BadOption { option: "level", value: level.to_owned(), reason };
    let number = level_number(level).ok_or_else(|| bad("not a log level"))?;
    let Some(pattern) = pattern else {
        // SAFETY: a plain call.
        unsafe { dpdk_sys::rte_log_set_global_level(number) };
        return Ok(());
    };
    let c_pattern = c_string(pattern)?;
    // SAFETY: reads the string.
    if unsafe { dpdk_sys::rte_log_set_level_pattern(c_pattern.as_ptr(), number) } < 0 {
        return Err(bad("cannot set log level for this pattern"));
    }
    Ok(())
}

fn level_number(level: &str) -> Option<u32> {
    const NAMES: [&str; 8] =
        ["emergency", "alert", "critical", "error", "warning", "notice", "info", "debug"];
    let named = NAMES.iter().position(|name| *name == level);
    let number = named.map_or_else(|| level.parse().ok(), |index| u32::try_from(index + 1).ok())?;
    (dpdk_sys::RTE_LOG_EMERG..=dpdk_sys::RTE_LOG_DEBUG).contains(&number).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_lose_the_function() {
        assert_eq!(without_function("open_it(): no such file\n"), "no such file");
        assert_eq!(without_function("it is (): so"), "it is (): so");
    }

    #[test]
    fn levels() {
        assert_eq!(level_number("emergency"), Some(1));
        assert_eq!(level_number("debug"), Some(8));
        assert_eq!(level_number("5"), Some(5));
        assert_eq!(level_number("0"), None);
        assert_eq!(level_number("loud"), None);
        assert_eq!(level_of(4), log::Level::Error);
        assert_eq!(level_of(6), log::Level::Info);
    }
}
