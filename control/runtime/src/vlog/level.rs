//! Levels, destinations and syslog facilities, with the names that OVS gives them.

use std::fmt;

/// How serious a message is. A message is written where the configured level is at least its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// As a setting: nothing is written.
    Off,
    /// The program is about to die.
    Emer,
    /// Something failed.
    Err,
    /// Something is odd.
    Warn,
    /// Something happened.
    Info,
    /// For whoever looks for a fault.
    Dbg,
}

impl Level {
    /// All levels, from the quietest.
    pub const ALL: [Self; 6] =
        [Self::Off, Self::Emer, Self::Err, Self::Warn, Self::Info, Self::Dbg];

    /// The name in upper case, as log lines have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "OFF",
            Self::Emer => "EMER",
            Self::Err => "ERR",
            Self::Warn => "WARN",
            Self::Info => "INFO",
            Self::Dbg => "DBG",
        }
    }

    /// The level with this name, whatever its case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name().eq_ignore_ascii_case(name))
    }

    /// The severity of RFC 5424 section 6.2.1.
    pub const fn syslog_severity(self) -> u8 {
        match self {
            Self::Off | Self::Dbg => 7,
            Self::Emer => 1,
            Self::Err => 3,
            Self::Warn => 4,
            Self::Info => 6,
        }
    }

    /// What the `log` crate must let through for messages of this level.
    pub const fn filter(self) -> log::LevelFilter {
        match self {
            Self::Off | Self::Emer => log::LevelFilter::Off,
            Self::Err => log::LevelFilter::Error,
            Self::Warn => log::LevelFilter::Warn,
            Self::Info => log::LevelFilter::Info,
            Self::Dbg => log::LevelFilter::Trace,
        }
    }
}

impl From<log::Level> for Level {
    fn from(level: log::Level) -> Self {
        match level {
            log::Level::Error => Self::Err,
            log::Level::Warn => Self::Warn,
            log::Level::Info => Self::Info,
            log::Level::Debug | log::Level::Trace => Self::Dbg,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Where messages go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Destination {
    /// The system's log.
    Syslog,
    /// Standard error.
    Console,
    /// The log file.
    File,
}

impl Destination {
    /// All destinations, in the order in which `vlog/list-pattern` shows them.
    pub const ALL: [Self; 3] = [Self::Syslog, Self::Console, Self::File];

    /// The name in upper case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Syslog => "SYSLOG",
            Self::Console => "CONSOLE",
            Self::File => "FILE",
        }
    }

    /// The destination with this name, whatever its case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dest| dest.name().eq_ignore_ascii_case(name))
    }
}

/// A syslog facility (RFC 5424 section 6.2.1), already multiplied by 8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facility(pub u8);

const FACILITIES: [(&str, u8); 20] = [
    ("auth", 4),
    ("authpriv", 10),
    ("cron", 9),
    ("daemon", 3),
    ("ftp", 11),
    ("kern", 0),
    ("local0", 16),
    ("local1", 17),
    ("local2", 18),
    ("local3", 19),
    ("local4", 20),
    ("local5", 21),
    ("local6", 22),
    ("local7", 23),
    ("lpr", 6),
    ("mail", 2),
    ("news", 7),
    ("syslog", 5),
    ("user", 1),
    ("uucp", 8),
];

impl Facility {
    /// `LOG_DAEMON`: what is used unless another is set.
    pub const DAEMON: Self = Self(3 << 3);
    /// `LOG_LOCAL0`, in which `--syslog-target` sends.
    pub const LOCAL0: Self = Self(16 << 3);

    /// The facility with this name, whatever its case.
    pub fn from_name(name: &str) -> Option<Self> {
        let (_, number) = FACILITIES.iter().find(|(n, _)| n.eq_ignore_ascii_case(name))?;
        Some(Self(number << 3))
    }
}
