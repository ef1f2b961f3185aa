//! The destinations of log lines: standard error, the log file, the system's log.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::level::{Destination, Facility, Level};
use super::levels::ModuleLevels;
use super::pattern::{Pattern, Record};

const CONSOLE_PATTERN: &str = "%D{%Y-%m-%dT%H:%M:%SZ}|%05N|%c%T|%p|%m";
const FILE_PATTERN: &str = "%D{%Y-%m-%dT%H:%M:%S.###Z}|%05N|%c%T|%p|%m";
const SYSLOG_PATTERN: &str = "ovs|%05N|%c%T|%p|%m";
/// What goes before each line to a syslog socket (RFC 3164).
const SYSLOG_PREFIX: &str = "<%B> %D{%h %e %T} %E %A: ";
/// What `--syslog-target` sends (RFC 5424).
const TARGET_PATTERN: &str = "<%B>1 %D{%Y-%m-%dT%H:%M:%S.###Z} %E %A %P %c - \u{feff}%m";
const SYSLOG_SOCKET: &str = "/dev/log";

/// A syslog method that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unsupported syslog method '{0}'")]
pub struct SyslogMethodError(pub String);

#[derive(Debug)]
enum Syslog {
    /// `null`: nowhere.
    Null,
    /// `libc`, `unix:FILE`: a datagram socket; connected when first needed and again after errors.
    Unix { path: PathBuf, socket: Option<UnixDatagram> },
    /// `udp:IP:PORT`.
    Udp { to: SocketAddr, socket: Option<UdpSocket> },
}

struct State {
    patterns: [Pattern; 3],
    syslog: Syslog,
    syslog_prefix: Pattern,
    facility: Facility,
    /// `--syslog-target`.
    target: Option<(UdpSocket, Pattern)>,
    file: Option<File>,
    file_path: Option<PathBuf>,
    line: String,
}

/// See the file's head.
pub(super) struct Outputs(Mutex<State>);

impl Outputs {
    pub(super) fn new() -> Self {
        let method = std::env::var("OVS_SYSLOG_METHOD").unwrap_or_default();
        let syslog = parse_method(&method).unwrap_or_else(|_| unix(SYSLOG_SOCKET));
        Self(Mutex::new(State {
            patterns: [
                Pattern::new(SYSLOG_PATTERN),
                Pattern::new(CONSOLE_PATTERN),
                Pattern::new(FILE_PATTERN),
            ],
            syslog,
            syslog_prefix: Pattern::new(SYSLOG_PREFIX),
            facility: Facility::DAEMON,
            target: None,
            file: None,
            file_path: None,
            line: String::new(),
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The highest level that these settings write anywhere.
    pub(super) fn highest(&self, levels: ModuleLevels) -> Level {
        let state = self.state();
        let mut highest = levels.level(Destination::Console);
        if state.file.is_some() {
            highest = highest.max(levels.level(Destination::File));
        }
        if state.target.is_some() || !matches!(state.syslog, Syslog::Null) {
            highest = highest.max(levels.level(Destination::Syslog));
        }
        highest
    }

    /// Writes one record wherever `levels` say. Errors are ignored: there is nobody to tell.
    pub(super) fn write(&self, levels: ModuleLevels, record: &Record<'_>) {
        let mut state = self.state();
        let state = &mut *state;
        let [syslog_pattern, console_pattern, file_pattern] = &state.patterns;
        let (line, facility) = (&mut state.line, state.facility);
        if levels.level(Destination::Console) >= record.level {
            line.clear();
            console_pattern.format(record, facility, line);
            line.push('\n');
            let _ = io::stderr().write_all(line.as_bytes());
        }
        if levels.level(Destination::File) >= record.level
            && let Some(file) = &mut state.file
        {
            line.clear();
            file_pattern.format(record, facility, line);
            line.push('\n');
            let _ = file.write_all(line.as_bytes());
        }
        if levels.level(Destination::Syslog) < record.level {
            return;
        }
        if !matches!(state.syslog, Syslog::Null) {
            line.clear();
            syslog_pattern.format(record, facility, line);
            let mut prefix = String::new();
            state.syslog_prefix.format(record, facility, &mut prefix);
            for part in line.lines() {
                state.syslog.send(&format!("{prefix}{part}"));
            }
        }
        if let Some((socket, pattern)) = &state.target {
            line.clear();
            pattern.format(record, Facility::LOCAL0, line);
            let _ = socket.send(line.as_bytes());
        }
    }

    pub(super) fn set_pattern(&self, destination: Option<Destination>, text: &str) {
        let mut state = self.state();
        for (slot, dest) in state.patterns.iter_mut().zip(Destination::ALL) {
            if destination.is_none_or(|wanted| wanted == dest) {
                *slot = Pattern::new(text);
            }
        }
    }

    pub(super) fn set_facility(&self, facility: Facility) {
        self.state().facility = facility;
    }

    /// `--syslog-method`.
    pub(super) fn set_syslog_method(&self, method: &str) -> Result<(), SyslogMethodError> {
        self.state().syslog = parse_method(method)?;
        Ok(())
    }

    /// `--syslog-target`: also sends to a syslog server by UDP, by default to port 514.
    pub(super) fn set_syslog_target(&self, target: &str) -> io::Result<()> {
        let to = crate::stream::name::HostPort::parse(target, Some(514))?.resolve()?;
        let socket = UdpSocket::bind(unspecified(&to))?;
        socket.set_nonblocking(true)?;
        socket.connect(to)?;
        self.state().target = Some((socket, Pattern::new(TARGET_PATTERN)));
        Ok(())
    }

    pub(super) fn set_file(&self, path: PathBuf, file: File) {
        let mut state = self.state();
        state.file_path = Some(path);
        state.file = Some(file);
    }

    pub(super) fn remember_path(&self, path: PathBuf) {
        self.state().file_path = Some(path);
    }

    pub(super) fn is_same_file(&self, other: &File) -> bool {
        let id = |file: &File| file.metadata().map(|m| (m.dev(), m.ino())).ok();
        self.state().file.as_ref().is_some_and(|file| id(file) == id(other))
    }

    pub(super) fn close_file(&self) {
        self.state().file = None;
    }

    pub(super) fn file_path(&self) -> Option<PathBuf> {
        let state = self.state();
        state.file.is_some().then(|| state.file_path.clone()).flatten()
    }

    pub(super) fn last_path(&self) -> Option<PathBuf> {
        self.state().file_path.clone()
    }

    /// The text of `vlog/list-pattern`.
    pub(super) fn list_patterns(&self) -> String {
        let state = self.state();
        let mut text = String::from(
            "         prefix                            format\n\
             \x20        ------                            ------\n",
        );
        for (pattern, dest) in state.patterns.iter().zip(Destination::ALL) {
            let prefix = match dest {
                Destination::Syslog if !matches!(state.syslog, Syslog::Null) => {
                    state.syslog_prefix.as_str()
                }
                _ => "none",
            };
            text.push_str(&format!("{:<7}  {prefix:<32}  {}\n", dest.name(), pattern.as_str()));
        }
        text
    }
}

/// Opens a file for appending.
pub(super) fn open_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o660).open(path)
}

fn unix(path: &str) -> Syslog {
    Syslog::Unix { path: path.into(), socket: None }
}

fn unspecified(to: &SocketAddr) -> SocketAddr {
    match to {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    }
}

/// `null`, `libc`, `unix:FILE` or `udp:IP:PORT`.
fn parse_method(method: &str) -> Result<Syslog, SyslogMethodError> {
    match method.split_once(':') {
        None if method == "null" => Ok(Syslog::Null),
        None if method == "libc" => Ok(unix(SYSLOG_SOCKET)),
        Some(("unix", path)) => Ok(unix(path)),
        Some(("udp", to)) => {
            let to = crate::stream::name::HostPort::parse(to, Some(514))
                .map_err(io::Error::from)
                .and_then(|host_port| host_port.resolve());
            match to {
                Ok(to) => Ok(Syslog::Udp { to, socket: None }),
                Err(error) => {
                    eprintln!("{}: syslog method {method}: {error}", crate::program::name());
                    Ok(Syslog::Null)
                }
            }
        }
        _ => Err(SyslogMethodError(method.into())),
    }
}

impl Syslog {
    fn send(&mut self, line: &str) {
        match self {
            Self::Null => {}
            Self::Unix { path, socket } => {
                let sent = socket.as_ref().is_some_and(|s| s.send(line.as_bytes()).is_ok());
                if !sent {
                    *socket = UnixDatagram::unbound().ok().filter(|s| {
                        s.set_nonblocking(true).is_ok()
                            && s.connect(&*path).is_ok()
                            && s.send(line.as_bytes()).is_ok()
                    });
                }
            }
            Self::Udp { to, socket } => {
                if socket.is_none() {
                    *socket = UdpSocket::bind(unspecified(to))
                        .ok()
                        .filter(|s| s.set_nonblocking(true).is_ok());
                }
                if let Some(socket) = socket {
                    let _ = socket.send_to(line.as_bytes(), *to);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_as_observed() {
        let outputs = Outputs::new();
        assert_eq!(
            outputs.list_patterns(),
            "         prefix                            format\n\
             \x20        ------                            ------\n\
             SYSLOG   <%B> %D{%h %e %T} %E %A:          ovs|%05N|%c%T|%p|%m\n\
             CONSOLE  none                              %D{%Y-%m-%dT%H:%M:%SZ}|%05N|%c%T|%p|%m\n\
             FILE     none                              %D{%Y-%m-%dT%H:%M:%S.###Z}|%05N|%c%T|%p|%m\n"
        );
    }

    #[test]
    fn syslog_by_a_unix_socket() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let server = UnixDatagram::bind(&path).unwrap();
        let outputs = Outputs::new();
        outputs.set_syslog_method(&format!("unix:{}", path.display())).unwrap();
        let record =
            Record { module: "m", level: Level::Err, thread: "", number: 1, message: "a\nb" };
        let levels = ModuleLevels {
            by_destination: [Level::Info, Level::Off, Level::Off],
            honour_rate_limits: true,
        };
        outputs.write(levels, &record);
        let mut buffer = [0; 200];
        for end in [": ovs|00001|m|ERR|a", ": b"] {
            let n = server.recv(&mut buffer).unwrap();
            let text = std::str::from_utf8(&buffer[..n]).unwrap();
            assert!(text.starts_with("<27> ") && text.ends_with(end), "{text}");
        }
    }

    #[test]
    fn unknown_method() {
        let error = Outputs::new().set_syslog_method("foo").unwrap_err();
        assert_eq!(error.to_string(), "unsupported syslog method 'foo'");
    }
}
