//! The names of connections: `tcp:HOST[:PORT]`, `unix:FILE`, `ptcp:[PORT][:HOST]` and so on.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6, ToSocketAddrs};
use std::path::PathBuf;

/// The port that OVSDB connections use unless told otherwise.
pub const OVSDB_PORT: u16 = 6640;
/// The port that OpenFlow connections use unless told otherwise.
pub const OPENFLOW_PORT: u16 = 6653;

/// Why a name cannot be read; the texts are OVS's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// No host where one is needed.
    #[error("{0}: host must be specified")]
    NoHost(String),
    /// No port where there is no default.
    #[error("{0}: port must be specified")]
    NoPort(String),
    /// The port is not a number from 0 to 65535.
    #[error("{0}: bad port number \"{1}\"")]
    BadPort(String, String),
    /// Something follows a bracket or the port.
    #[error("{0}: bad peer name format")]
    BadFormat(String),
    /// A passive name with something else than an IP address.
    #[error("{0}: bad IP address \"{1}\"")]
    BadAddress(String, String),
}

impl From<NameError> for io::Error {
    fn from(error: NameError) -> Self {
        Self::new(io::ErrorKind::InvalidInput, error)
    }
}

/// A host, perhaps to be resolved, and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort {
    /// A name or an address without brackets; an IPv6 address may carry `%SCOPE`.
    pub host: String,
    /// The port, in host byte order.
    pub port: u16,
}

impl HostPort {
    /// Reads `HOST[:PORT]`, where an IPv6 address with a port stands in brackets.
    ///
    /// # Errors
    /// The name breaks the grammar, or there is no port and no default.
    pub fn parse(text: &str, default_port: Option<u16>) -> Result<Self, NameError> {
        let (host, port) = split_host(text)?;
        if host.is_empty() {
            return Err(NameError::NoHost(text.into()));
        }
        if host.contains(['[', ']']) {
            return Err(NameError::BadFormat(text.into()));
        }
        let port = match (port, default_port) {
            (Some(port), _) => parse_port(text, port)?,
            (None, Some(port)) => port,
            (None, None) => return Err(NameError::NoPort(text.into())),
        };
        Ok(Self { host: host.into(), port })
    }

    /// The address, if the host is one rather than a name.
    pub fn address(&self) -> Option<SocketAddr> {
        parse_ip(&self.host, self.port)
    }

    /// The address, asking the system's resolver (which may take seconds) if the host is a name.
    ///
    /// # Errors
    /// No such host.
    pub fn resolve(&self) -> io::Result<SocketAddr> {
        if let Some(address) = self.address() {
            return Ok(address);
        }
        (self.host.as_str(), self.port)
            .to_socket_addrs()?
            .next()
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

/// An IP address with an optional `%SCOPE`, which may be an interface's name.
fn parse_ip(host: &str, port: u16) -> Option<SocketAddr> {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Some((ip, port).into());
    }
    let (ip, scope) = host.split_once('%')?;
    let ip = ip.parse::<Ipv6Addr>().ok()?;
    let scope = match scope.parse() {
        Ok(scope) => scope,
        Err(_) => {
            let path = PathBuf::from("/sys/class/net").join(scope).join("ifindex");
            std::fs::read_to_string(path).ok()?.trim().parse().ok()?
        }
    };
    Some(SocketAddrV6::new(ip, port, 0, scope).into())
}

fn parse_port(text: &str, port: &str) -> Result<u16, NameError> {
    port.parse().map_err(|_| NameError::BadPort(text.into(), port.into()))
}

/// Splits `[HOST]:REST`, `HOST:REST` or `HOST`. More than one colon without brackets make an IPv6
/// address.
fn split_host(text: &str) -> Result<(&str, Option<&str>), NameError> {
    if let Some(inner) = text.strip_prefix('[') {
        let bad = || NameError::BadFormat(text.into());
        let (host, rest) = inner.split_once(']').ok_or_else(bad)?;
        return match rest.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if rest.is_empty() => Ok((host, None)),
            None => Err(bad()),
        };
    }
    match text.split_once(':') {
        Some((_, rest)) if rest.contains(':') => Ok((text, None)),
        Some((host, port)) => Ok((host, Some(port))),
        None => Ok((text, None)),
    }
}

/// Reads `[PORT][:HOST]` of a passive name.
///
/// # Errors
/// The name breaks the grammar, or there is no port and no default.
pub fn parse_listen(text: &str, default_port: Option<u16>) -> Result<SocketAddr, NameError> {
    let (port, host) = match text.split_once(':') {
        Some((port, host)) => (port, host),
        None => (text, ""),
    };
    let port = match (port, default_port) {
        ("", Some(port)) => port,
        ("", None) => return Err(NameError::NoPort(text.into())),
        (port, _) => parse_port(text, port)?,
    };
    let host = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
    if host.is_empty() {
        return Ok((std::net::Ipv4Addr::UNSPECIFIED, port).into());
    }
    parse_ip(host, port).ok_or_else(|| NameError::BadAddress(text.into(), host.into()))
}

/// A connection's name, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// `unix:FILE`
    Unix(PathBuf),
    /// `tcp:HOST[:PORT]`
    Tcp(HostPort),
    /// `ssl:HOST[:PORT]`
    Ssl(HostPort),
    /// `punix:FILE`
    ListenUnix(PathBuf),
    /// `ptcp:[PORT][:HOST]`
    ListenTcp(SocketAddr),
    /// `pssl:[PORT][:HOST]`
    ListenSsl(SocketAddr),
}

/// Why a target is of no use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// No such kind of connection.
    #[error("Address family not supported by protocol")]
    UnknownKind,
    /// A known kind with a bad rest.
    #[error(transparent)]
    Name(#[from] NameError),
}

/// The kinds of active connections.
const ACTIVE: [&str; 3] = ["tcp", "unix", "ssl"];
/// The kinds of passive connections.
const PASSIVE: [&str; 3] = ["ptcp", "punix", "pssl"];

fn kind_is_in(target: &str, kinds: &[&str]) -> bool {
    target.split_once(':').is_some_and(|(kind, _)| kinds.contains(&kind))
}

impl Target {
    /// Whether `target` names a connection that this side opens.
    pub fn is_active(target: &str) -> bool {
        kind_is_in(target, &ACTIVE)
    }

    /// Whether `target` names a place to wait for connections.
    pub fn is_passive(target: &str) -> bool {
        kind_is_in(target, &PASSIVE)
    }

    /// Takes a name apart. Relative file names are in `OVS_RUNDIR`.
    ///
    /// # Errors
    /// No such kind, or the rest breaks the kind's grammar.
    pub fn parse(target: &str, default_port: Option<u16>) -> Result<Self, TargetError> {
        let (kind, rest) = target.split_once(':').ok_or(TargetError::UnknownKind)?;
        let file = || crate::dirs::absolute(&crate::dirs::rundir(), rest);
        Ok(match kind {
            "unix" => Self::Unix(file()),
            "punix" => Self::ListenUnix(file()),
            "tcp" => Self::Tcp(HostPort::parse(rest, default_port)?),
            "ssl" => Self::Ssl(HostPort::parse(rest, default_port)?),
            "ptcp" => Self::ListenTcp(parse_listen(rest, default_port)?),
            "pssl" => Self::ListenSsl(parse_listen(rest, default_port)?),
            _ => return Err(TargetError::UnknownKind),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn active(text: &str) -> Result<String, String> {
        HostPort::parse(text, Some(6640)).map(|h| h.to_string()).map_err(|e| e.to_string())
    }

    #[test]
    fn active_names() {
        assert_eq!(active("1.2.3.4:5"), Ok("1.2.3.4:5".into()));
        assert_eq!(active("1.2.3.4"), Ok("1.2.3.4:6640".into()));
        assert_eq!(active("[::1]:5"), Ok("[::1]:5".into()));
        assert_eq!(active("[::1]"), Ok("[::1]:6640".into()));
        assert_eq!(active("fe80::1"), Ok("[fe80::1]:6640".into()));
        assert_eq!(active("example.com:70"), Ok("example.com:70".into()));
        assert_eq!(active("foo:bar"), Err("foo:bar: bad port number \"bar\"".into()));
        assert_eq!(active(":5"), Err(":5: host must be specified".into()));
        assert_eq!(active("[::1]5"), Err("[::1]5: bad peer name format".into()));
        let no_default = HostPort::parse("foo", None).unwrap_err();
        assert_eq!(no_default.to_string(), "foo: port must be specified");
    }

    #[test]
    fn passive_names() {
        let listen = |text: &str| parse_listen(text, Some(6640)).map(|a| a.to_string());
        assert_eq!(listen("").unwrap(), "0.0.0.0:6640");
        assert_eq!(listen("0").unwrap(), "0.0.0.0:0");
        assert_eq!(listen("77:127.0.0.1").unwrap(), "127.0.0.1:77");
        assert_eq!(listen(":[::1]").unwrap(), "[::1]:6640");
        assert_eq!(listen("77:::1").unwrap(), "[::1]:77");
        assert!(listen("x").is_err());
        assert!(listen("1:example.com").is_err());
    }

    #[test]
    fn kinds() {
        assert!(Target::is_active("ssl:1.2.3.4"));
        assert!(Target::is_passive("punix:x"));
        assert!(!Target::is_passive("foo"));
        assert_eq!(Target::parse("foo:bar", None), Err(TargetError::UnknownKind));
        assert_eq!(Target::parse("unix:/x", None), Ok(Target::Unix("/x".into())));
    }

    proptest::proptest! {
        /// What can be read prints as something that reads the same.
        #[test]
        fn host_and_port_round_trip(text in "[a-z0-9.:\\[\\]%]{0,20}") {
            if let Ok(host_port) = HostPort::parse(&text, Some(6640)) {
                let again = HostPort::parse(&host_port.to_string(), None);
                proptest::prop_assert_eq!(again, Ok(host_port));
            }
            let _ = parse_listen(&text, None);
            let _ = Target::parse(&text, None);
        }
    }
}
