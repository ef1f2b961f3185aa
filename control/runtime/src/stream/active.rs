//! A byte stream to a peer.

use std::io::{self, Read, Write};
use std::net::SocketAddr;

use mio::net::{TcpStream, UnixStream};
use rustix::io::Errno;

use super::dns::Lookup;
use super::name::{HostPort, Target, TargetError};
use super::unix;
use crate::program::errno;
use crate::reactor::{Reactor, Registration};

/// An open or opening connection.
#[derive(Debug)]
pub struct Stream {
    name: String,
    state: State,
}

/// The two ends of a TCP connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamInfo {
    /// This side.
    pub local: SocketAddr,
    /// The other side.
    pub remote: SocketAddr,
}

#[derive(Debug)]
enum State {
    Resolving(Lookup, Reactor),
    Open { socket: Socket, registration: Registration, connected: bool },
}

#[derive(Debug)]
enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(buffer),
            Self::Unix(stream) => stream.read(buffer),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write(bytes),
            Self::Unix(stream) => stream.write(bytes),
        }
    }

    /// Whether the connection stands; `WouldBlock` while it is under way.
    fn check_connected(&self) -> io::Result<()> {
        match self {
            Self::Unix(_) => Ok(()),
            Self::Tcp(stream) => {
                if let Some(error) = stream.take_error()? {
                    return Err(error);
                }
                match stream.peer_addr() {
                    Err(error) if error.kind() == io::ErrorKind::NotConnected => {
                        Err(io::ErrorKind::WouldBlock.into())
                    }
                    result => result.map(drop),
                }
            }
        }
    }
}

impl Stream {
    /// Starts to open the active connection `target`. With a default port, `tcp:` and `ssl:`
    /// names may leave theirs out.
    ///
    /// # Errors
    /// The name is bad (logged, and then "Address family not supported by protocol"), or the
    /// connection failed at once.
    pub fn open(target: &str, default_port: Option<u16>, reactor: &Reactor) -> io::Result<Self> {
        let unsupported = || errno(Errno::AFNOSUPPORT);
        let parsed = Target::parse(target, default_port).map_err(|error| {
            if let TargetError::Name(error) = error {
                log::error!(target: "socket_util", "{error}");
            }
            unsupported()
        })?;
        let state = match parsed {
            Target::Unix(path) => {
                let mut stream = unix::connect(&path)?;
                let registration = reactor.register(&mut stream)?;
                State::Open { socket: Socket::Unix(stream), registration, connected: true }
            }
            Target::Tcp(host_port) => Self::open_tcp(host_port, reactor)?,
            Target::Ssl(_) => {
                log::error!(target: "stream_ssl", "Private key must be configured to use SSL");
                return Err(errno(Errno::NOPROTOOPT));
            }
            _ => return Err(unsupported()),
        };
        Ok(Self { name: target.into(), state })
    }

    fn open_tcp(host_port: HostPort, reactor: &Reactor) -> io::Result<State> {
        match host_port.address() {
            Some(address) => Self::connect_tcp(address, reactor),
            None => Ok(State::Resolving(Lookup::start(host_port, reactor)?, reactor.clone())),
        }
    }

    fn connect_tcp(address: SocketAddr, reactor: &Reactor) -> io::Result<State> {
        let mut stream = TcpStream::connect(address)?;
        let _ = stream.set_nodelay(true);
        let registration = reactor.register(&mut stream)?;
        Ok(State::Open { socket: Socket::Tcp(stream), registration, connected: false })
    }

    /// A stream that a listener accepted.
    pub(super) fn from_unix(
        name: String,
        mut stream: UnixStream,
        reactor: &Reactor,
    ) -> io::Result<Self> {
        let registration = reactor.register(&mut stream)?;
        let socket = Socket::Unix(stream);
        Ok(Self { name, state: State::Open { socket, registration, connected: true } })
    }

    /// A stream that a listener accepted.
    pub(super) fn from_tcp(
        name: String,
        mut stream: TcpStream,
        reactor: &Reactor,
    ) -> io::Result<Self> {
        let _ = stream.set_nodelay(true);
        let registration = reactor.register(&mut stream)?;
        let socket = Socket::Tcp(stream);
        Ok(Self { name, state: State::Open { socket, registration, connected: true } })
    }

    /// The name for log lines: the target, or what the listener called it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Goes on connecting.
    ///
    /// # Errors
    /// `WouldBlock` while it is under way; anything else is the end of it.
    pub fn connect(&mut self) -> io::Result<()> {
        if let State::Resolving(lookup, reactor) = &self.state {
            let address = lookup.answer()?;
            self.state = Self::connect_tcp(address, &reactor.clone())?;
        }
        if let State::Open { socket, registration, connected } = &mut self.state
            && !*connected
        {
            registration.write(|| socket.check_connected())?;
            *connected = true;
        }
        Ok(())
    }

    /// Reads some bytes; 0 is the end of the stream.
    ///
    /// # Errors
    /// `WouldBlock` if nothing is there.
    pub fn recv(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.state {
            State::Open { socket, registration, connected: true } => {
                registration.read(|| socket.read(buffer))
            }
            _ => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    /// Writes some bytes and says how many.
    ///
    /// # Errors
    /// `WouldBlock` if there is no room.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.state {
            State::Open { socket, registration, connected: true } => {
                registration.write(|| socket.write(bytes))
            }
            _ => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    /// Has the loop come back for more although nothing new arrives: the caller read only a part.
    pub fn try_again(&self) {
        if let State::Open { registration, .. } = &self.state {
            registration.try_again();
        }
    }

    /// The ends of a TCP connection that stands.
    pub fn info(&self) -> Option<StreamInfo> {
        match &self.state {
            State::Open { socket: Socket::Tcp(stream), .. } => Some(StreamInfo {
                local: stream.local_addr().ok()?,
                remote: stream.peer_addr().ok()?,
            }),
            _ => None,
        }
    }
}
