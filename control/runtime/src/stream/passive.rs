//! A place where peers connect.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use mio::net::{TcpListener, UnixListener};
use rustix::io::Errno;
use socket2::{Domain, Protocol, Socket, Type};

use super::active::Stream;
use super::name::{Target, TargetError};
use super::unix;
use crate::program::errno;
use crate::reactor::{Reactor, Registration};

/// How many connections may wait to be accepted; what OVS asks for.
const BACKLOG: i32 = 64;

/// Counts accepted Unix connections, which have no other name.
static UNIX_PEERS: AtomicU32 = AtomicU32::new(0);

/// A listening socket. Dropping it removes the file of a Unix one.
#[derive(Debug)]
pub struct Listener {
    name: String,
    socket: Listening,
    registration: Registration,
}

#[derive(Debug)]
enum Listening {
    Unix(UnixListener, PathBuf),
    Tcp(TcpListener),
}

impl Listener {
    /// Listens on the passive connection `target`. With a default port, `ptcp:` may leave its own
    /// out.
    ///
    /// # Errors
    /// The name is bad (logged, and then "Address family not supported by protocol"), or the
    /// system refuses the address.
    pub fn open(target: &str, default_port: Option<u16>, reactor: &Reactor) -> io::Result<Self> {
        let parsed = Target::parse(target, default_port).map_err(|error| {
            if let TargetError::Name(error) = error {
                log::error!(target: "socket_util", "{error}");
            }
            errno(Errno::AFNOSUPPORT)
        })?;
        let (socket, registration) = match parsed {
            Target::ListenUnix(path) => {
                let mut listener = unix::listen(&path)?;
                crate::exit::unlink_at_exit(&path);
                let registration = reactor.register_readable(&mut listener)?;
                (Listening::Unix(listener, path), registration)
            }
            Target::ListenTcp(address) => {
                let mut listener = listen_tcp(address).inspect_err(|error| {
                    let text = crate::program::strerror(error);
                    log::error!(target: "socket_util", "{target}: bind: {text}");
                })?;
                if address.port() == 0
                    && let Ok(bound) = listener.local_addr()
                {
                    let (name, port) = (target.trim_start_matches("ptcp:"), bound.port());
                    log::info!(target: "socket_util", "{name}: listening on port {port}");
                }
                let registration = reactor.register_readable(&mut listener)?;
                (Listening::Tcp(listener), registration)
            }
            Target::ListenSsl(_) => {
                log::error!(target: "stream_ssl", "Private key must be configured to use SSL");
                return Err(errno(Errno::NOPROTOOPT));
            }
            _ => return Err(errno(Errno::AFNOSUPPORT)),
        };
        Ok(Self { name: target.into(), socket, registration })
    }

    /// The target.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The port on which a TCP listener waits; interesting when it was asked for port 0.
    pub fn bound_port(&self) -> Option<u16> {
        match &self.socket {
            Listening::Tcp(listener) => listener.local_addr().ok().map(|address| address.port()),
            Listening::Unix(..) => None,
        }
    }

    /// The next connection.
    ///
    /// # Errors
    /// `WouldBlock` if nobody waits.
    pub fn accept(&self) -> io::Result<Stream> {
        let reactor = self.registration.reactor();
        match &self.socket {
            Listening::Unix(listener, _) => {
                let (stream, _) = self.registration.read(|| listener.accept())?;
                let number = UNIX_PEERS.fetch_add(1, Ordering::Relaxed);
                Stream::from_unix(format!("unix#{number}"), stream, reactor)
            }
            Listening::Tcp(listener) => {
                let (stream, peer) = self.registration.read(|| listener.accept())?;
                Stream::from_tcp(format!("tcp:{}", plain(peer)), stream, reactor)
            }
        }
    }
}

/// An IPv4 peer of an IPv6 socket is shown as what it is.
fn plain(address: SocketAddr) -> SocketAddr {
    (address.ip().to_canonical(), address.port()).into()
}

fn listen_tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(TcpListener::from_std(socket.into()))
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Listening::Unix(_, path) = &self.socket {
            // Somebody may have removed it already.
            let _ = crate::exit::unlink_now(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::reactor::PollLoop;

    /// Turns the loop until `f` no longer would block.
    fn wait<T>(poll: &mut PollLoop, mut f: impl FnMut() -> io::Result<T>) -> io::Result<T> {
        loop {
            match f() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => poll.poll(None)?,
                result => return result,
            }
        }
    }

    fn talk(listen: &str, connect: impl Fn(&Listener) -> String) {
        let mut poll = PollLoop::new(Clock::system()).unwrap();
        let reactor = poll.reactor().clone();
        let listener = Listener::open(listen, None, &reactor).unwrap();
        let mut client = Stream::open(&connect(&listener), None, &reactor).unwrap();
        wait(&mut poll, || client.connect()).unwrap();
        let mut server = wait(&mut poll, || listener.accept()).unwrap();
        assert_eq!(client.send(b"hello").unwrap(), 5);
        let mut buffer = [0; 10];
        let n = wait(&mut poll, || server.recv(&mut buffer)).unwrap();
        assert_eq!(&buffer[..n], b"hello");
        drop(server);
        assert_eq!(wait(&mut poll, || client.recv(&mut buffer)).unwrap(), 0);
    }

    #[test]
    fn tcp_and_unix() {
        talk("ptcp:0:127.0.0.1", |l| format!("tcp:127.0.0.1:{}", l.bound_port().unwrap()));
        talk("ptcp:0:127.0.0.1", |l| format!("tcp:localhost:{}", l.bound_port().unwrap()));
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        talk(&format!("punix:{}", path.display()), |_| format!("unix:{}", path.display()));
        assert!(!path.exists());
    }

    #[test]
    fn refused() {
        let mut poll = PollLoop::new(Clock::system()).unwrap();
        let reactor = poll.reactor().clone();
        let listener = Listener::open("ptcp:0:127.0.0.1", None, &reactor).unwrap();
        let target = format!("tcp:127.0.0.1:{}", listener.bound_port().unwrap());
        drop(listener);
        let mut client = Stream::open(&target, None, &reactor).unwrap();
        let error = wait(&mut poll, || client.connect()).unwrap_err();
        assert_eq!(crate::program::strerror(&error), "Connection refused");
        let error = Stream::open("foo:bar", None, &reactor).unwrap_err();
        assert_eq!(crate::program::strerror(&error), "Address family not supported by protocol");
        let error = Stream::open("unix:/nonexistent", None, &reactor).unwrap_err();
        assert_eq!(crate::program::strerror(&error), "No such file or directory");
    }
}
