//! `-t SECS`: a tool that takes longer dies by SIGALRM, as alarm(2) would have it (a shell shows
//! exit status 142).

use std::time::Duration;

use signal_hook::consts::SIGALRM;

use crate::program::Fatal;
use crate::signals;

/// Ends the process in `seconds` seconds.
///
/// # Errors
/// The watching thread cannot be started.
pub fn arm(seconds: u32) -> Result<(), Fatal> {
    // A thread rather than the main loop's deadline: it works while the program blocks, too.
    std::thread::Builder::new()
        .spawn(move || {
            std::thread::sleep(Duration::from_secs(seconds.into()));
            signals::terminate(SIGALRM)
        })
        .map_err(|error| Fatal::os(&error, "cannot start a thread"))?;
    Ok(())
}

/// Reads the value of a timeout option, a positive number of seconds. `option` is how it is
/// spelled in the text of the error: `-T or --timeout`.
///
/// # Errors
/// "value X on -T or --timeout is invalid".
pub fn parse(value: &str, option: &str) -> Result<u32, Fatal> {
    match value.parse() {
        Ok(seconds) if seconds > 0 => Ok(seconds),
        _ => Err(Fatal::new(format!("value {value} on {option} is invalid"))),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn values() {
        assert_eq!(super::parse("5", "-T or --timeout").unwrap(), 5);
        for bad in ["foo", "0", "-1", ""] {
            let text = format!("value {bad} on -T or --timeout is invalid");
            assert_eq!(super::parse(bad, "-T or --timeout").unwrap_err().message, text);
        }
    }
}
