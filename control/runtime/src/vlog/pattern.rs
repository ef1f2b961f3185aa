//! The patterns of log lines: `%D{%Y-%m-%dT%H:%M:%S.###Z}|%05N|%c%T|%p|%m` and so on.
//!
//! A conversion is `%`, an optional `-` (pad on the right) and `0` (pad with zeros), an optional
//! width, a letter and for some letters an argument in braces.

use jiff::Timestamp;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;

use super::level::{Facility, Level};
use crate::clock::{Clock, Msec};
use crate::program;

/// One message, ready to be formatted.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// The vlog module.
    pub module: &'a str,
    /// The level.
    pub level: Level,
    /// The thread's name, empty for the main thread.
    pub thread: &'a str,
    /// Counts the messages of this thread from 1.
    pub number: u32,
    /// The text.
    pub message: &'a str,
}

/// A pattern taken apart, with its text as it was given.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Conversion { what: What, left: bool, zeros: bool, width: usize },
}

#[derive(Clone, Debug)]
enum What {
    Program,
    SyslogPriority,
    Module,
    LocalTime(String),
    UtcTime(String),
    Hostname,
    Message,
    Number,
    Newline,
    Level,
    Pid,
    Uptime,
    Thread,
    ThreadInParentheses,
}

const DEFAULT_TIME: &str = "%Y-%m-%d %H:%M:%S.###";
/// A width beyond this is taken for a slip of the pen.
const MAX_WIDTH: usize = 1000;

impl Pattern {
    /// Takes a pattern apart. Nothing is refused: an unknown conversion stands for its letter.
    pub fn new(text: &str) -> Self {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('%') {
            let (before, after) = rest.split_at(at);
            literal.push_str(before);
            let (conversion, tail) = conversion(after.get(1..).unwrap_or_default());
            rest = tail;
            match conversion {
                Ok(part) => {
                    if !literal.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut literal)));
                    }
                    parts.push(part);
                }
                Err(Some(c)) => literal.push(c),
                Err(None) => {}
            }
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Text(literal));
        }
        Self { text: text.into(), parts }
    }

    /// The pattern as it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Appends the record in this pattern to `out`, without a newline at the end.
    pub fn format(&self, record: &Record<'_>, facility: Facility, out: &mut String) {
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Conversion { what, left, zeros, width } => {
                    let start = out.len();
                    what.format(record, facility, out);
                    let written = out.get(start..).map_or(0, |s| s.chars().count());
                    let pad = width.saturating_sub(written);
                    if pad > 0 {
                        let fill = if *zeros { "0" } else { " " }.repeat(pad);
                        if *left {
                            out.push_str(&fill);
                        } else {
                            out.insert_str(start, &fill);
                        }
                    }
                }
            }
        }
    }
}

/// Reads what follows a `%`. The rest of the pattern comes second.
fn conversion(text: &str) -> (Result<Part, Option<char>>, &str) {
    let mut rest = text;
    let (mut left, mut zeros) = (false, false);
    if let Some(tail) = rest.strip_prefix('-') {
        (left, rest) = (true, tail);
    }
    if let Some(tail) = rest.strip_prefix('0') {
        (zeros, rest) = (true, tail);
    }
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, tail) = rest.split_at(digits);
    let width = number.parse().unwrap_or(0).min(MAX_WIDTH);
    let mut chars = tail.chars();
    let Some(letter) = chars.next() else {
        return (Err(None), "");
    };
    let mut rest = chars.as_str();
    let mut argument = None;
    if "cdDm".contains(letter)
        && let Some(tail) = rest.strip_prefix('{')
        && let Some((inner, tail)) = tail.split_once('}')
    {
        (argument, rest) = (Some(inner), tail);
    }
    let what = match letter {
        'A' => What::Program,
        'B' => What::SyslogPriority,
        'c' => What::Module,
        'd' => What::LocalTime(argument.unwrap_or(DEFAULT_TIME).into()),
        'D' => What::UtcTime(argument.unwrap_or(DEFAULT_TIME).into()),
        'E' => What::Hostname,
        'm' => What::Message,
        'N' => What::Number,
        'n' => What::Newline,
        'p' => What::Level,
        'P' => What::Pid,
        'r' => What::Uptime,
        't' => What::Thread,
        'T' => What::ThreadInParentheses,
        other => return (Err(Some(other)), rest),
    };
    (Ok(Part::Conversion { what, left, zeros, width }), rest)
}

impl What {
    fn format(&self, record: &Record<'_>, facility: Facility, out: &mut String) {
        match self {
            Self::Program => out.push_str(program::name()),
            Self::SyslogPriority => {
                let priority = facility.0 | record.level.syslog_severity();
                out.push_str(&priority.to_string());
            }
            Self::Module => out.push_str(record.module),
            Self::LocalTime(format) => {
                format_time(format, Clock::process().wall(), true, out);
            }
            Self::UtcTime(format) => {
                format_time(format, Clock::process().wall(), false, out);
            }
            Self::Hostname => {
                let uname = rustix::system::uname();
                out.push_str(&uname.nodename().to_string_lossy());
            }
            Self::Message => out.push_str(record.message.trim_end_matches('\n')),
            Self::Number => out.push_str(&record.number.to_string()),
            Self::Newline => out.push('\n'),
            Self::Level => out.push_str(record.level.name()),
            Self::Pid => out.push_str(&std::process::id().to_string()),
            Self::Uptime => {
                out.push_str(&crate::process::uptime_ms().to_string());
            }
            Self::Thread => {
                out.push_str(if record.thread.is_empty() { "main" } else { record.thread });
            }
            Self::ThreadInParentheses => {
                if !record.thread.is_empty() {
                    out.push('(');
                    out.push_str(record.thread);
                    out.push(')');
                }
            }
        }
    }
}

/// Formats a time of day as strftime(3) does; a run of `#` stands for the leading digits of the
/// fraction of the second.
pub(crate) fn format_time(format: &str, wall: Msec, local: bool, out: &mut String) {
    let Ok(time) = Timestamp::from_millisecond(wall) else { return };
    let zone = if local { TimeZone::system() } else { TimeZone::UTC };
    let mut broken_down = BrokenDownTime::from(&time.to_zoned(zone));
    if !local {
        broken_down.set_offset(Some(jiff::tz::Offset::UTC));
    }
    let start = out.len();
    if broken_down.format(format, &mut *out).is_err() {
        // A conversion that strftime does not know: show the format, lose nothing else.
        out.truncate(start);
        out.push_str(format);
    }
    if out.get(start..).is_some_and(|text| text.contains('#')) {
        let mut digits = format!("{:03}", wall.rem_euclid(1000));
        digits.push_str("000000");
        let mut digits = digits.chars();
        let replaced: String = out
            .get(start..)
            .unwrap_or_default()
            .chars()
            .map(|c| if c == '#' { digits.next().unwrap_or('0') } else { c })
            .collect();
        out.truncate(start);
        out.push_str(&replaced);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(pattern: &str) -> String {
        let record = Record {
            module: "bridge",
            level: Level::Warn,
            thread: "pmd-c01/id:8",
            number: 7,
            message: "text\n",
        };
        let mut out = String::new();
        Pattern::new(pattern).format(&record, Facility::DAEMON, &mut out);
        out
    }

    #[test]
    fn conversions() {
        assert_eq!(format("|%05N|%c%T|%p|%m"), "|00007|bridge(pmd-c01/id:8)|WARN|text");
        assert_eq!(format("%5p|%-8c|%010c|%t"), " WARN|bridge  |0000bridge|pmd-c01/id:8");
        assert_eq!(format("foo%%bar%n"), "foo%bar\n");
        assert_eq!(format("<%B>"), "<28>");
        assert_eq!(format("%P"), std::process::id().to_string());
        assert_eq!(format("%z%"), "z");
        assert_eq!(format("%c{x}%D"), format("%c%D"));
    }

    #[test]
    fn times() {
        let mut out = String::new();
        format_time("%Y-%m-%dT%H:%M:%S.###Z", 1_795_418_591_007, false, &mut out);
        assert_eq!(out, "2026-11-23T07:23:11.007Z");
        out.clear();
        format_time("%h %e %T", 1_793_574_191_000, false, &mut out);
        assert_eq!(out, "Nov  1 23:03:11");
        out.clear();
        format_time("%Q%", 0, false, &mut out);
        assert!(!out.is_empty());
    }

    proptest::proptest! {
        #[test]
        fn any_pattern(pattern in "(%[-0]?[0-9]{0,3}[ABcdDEmNnpPrtT%xQ]?(\\{[%#a-zA-Z. ]{0,6}\\}?)?|[a-z|é])*") {
            format(&pattern);
        }
    }
}
