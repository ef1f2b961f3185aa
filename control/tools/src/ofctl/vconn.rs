//! A blocking OpenFlow connection: opening by name, requests and replies.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use weir_openflow::Protocols;
use weir_openflow::actions::format::Names;
use weir_openflow::connection::{Connection, ConnectionError};
use weir_openflow::frame::{Frame, MULTIPART_MORE};
use weir_openflow::header::Header;
use weir_openflow::message::{Decoded, Message, decode, encode, encode_for};
use weir_openflow::print::{PrintContext, ofp_to_string};
use weir_openflow::raw::{Kind, Raw};
use weir_openflow::version::OfVersion;
use weir_runtime::dirs;
use weir_runtime::program::{Fatal, strerror};
use weir_runtime::stream::{HostPort, Target};

use super::{Settings, err, out};

/// The default port of OpenFlow.
const OFP_PORT: u16 = 6653;

/// Which of a bridge's sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    /// `BRIDGE.mgmt`
    Mgmt,
    /// `BRIDGE.snoop`
    Snoop,
}

enum Socket {
    Unix(UnixStream),
    Tcp(TcpStream),
}

impl Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Unix(s) => s.read(buffer),
            Self::Tcp(s) => s.read(buffer),
        }
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Unix(s) => s.write_all(bytes),
            Self::Tcp(s) => s.write_all(bytes),
        }
    }
}

/// An open connection whose version is agreed.
pub(super) struct Vconn {
    name: String,
    socket: Socket,
    connection: Connection,
    version: OfVersion,
}

/// A new transaction identifier.
pub(super) fn next_xid() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Where `name` may be found: a connection method, a socket, or a bridge.
fn open_socket(name: &str, service: Service) -> Result<(String, Socket), Fatal> {
    if name.contains(':') {
        let socket = open_target(name)
            .map_err(|e| Fatal::new(format!("connecting to {name} ({})", strerror(&e))))?;
        return Ok((name.to_owned(), socket));
    }
    let suffix = if service == Service::Mgmt { "mgmt" } else { "snoop" };
    // A datapath's type may stand before a bridge's name.
    let bridge = name.rsplit('@').next().unwrap_or(name);
    let paths: [PathBuf; 2] =
        [PathBuf::from(name), dirs::absolute(&dirs::rundir(), format!("{bridge}.{suffix}"))];
    for path in &paths {
        if is_socket(path) {
            let unix = format!("unix:{}", path.display());
            let stream = UnixStream::connect(path)
                .map_err(|e| Fatal::new(format!("connecting to {unix} ({})", strerror(&e))))?;
            return Ok((unix, Socket::Unix(stream)));
        }
    }
    Err(Fatal::new(format!("{name} is not a bridge or a socket")))
}

fn is_socket(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    std::fs::metadata(path).is_ok_and(|m| m.file_type().is_socket())
}

fn open_target(name: &str) -> io::Result<Socket> {
    let unsupported = || io::Error::from_raw_os_error(97);
    match Target::parse(name, Some(OFP_PORT)).map_err(|_| unsupported())? {
        Target::Unix(path) => UnixStream::connect(path).map(Socket::Unix),
        Target::Tcp(host) => tcp(&host).map(Socket::Tcp),
        _ => Err(unsupported()),
    }
}

fn tcp(host: &HostPort) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(host.resolve()?)?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

impl Vconn {
    /// Opens a connection and agrees on a version.
    pub(super) fn open(name: &str, service: Service, settings: &Settings) -> Result<Self, Fatal> {
        let (unix_name, socket) = open_socket(name, service)?;
        let mut connection = Connection::new(settings.versions);
        if service == Service::Snoop {
            connection.accept_any_version();
        }
        let hello = connection.hello(next_xid());
        let mut v = Self { name: unix_name, socket, connection, version: OfVersion::V10 };
        let failed = |e: &io::Error| {
            Fatal::new(format!("{name}: failed to connect to socket ({})", strerror(e)))
        };
        v.socket.write_all(&hello).map_err(|e| failed(&e))?;
        log::debug!(target: "vconn", "{}: sent (Success): {}", v.name, text_for_log(&hello));
        loop {
            if let Some(version) = v.connection.version() {
                v.version = version;
                return Ok(v);
            }
            let mut buffer = [0; 4096];
            let n = v.socket.read(&mut buffer).map_err(|e| failed(&e))?;
            if n == 0 {
                return Err(failed(&io::ErrorKind::UnexpectedEof.into()));
            }
            v.connection.received(buffer.get(..n).unwrap_or(&[]));
            if let Err(e) = v.negotiate() {
                v.refuse(&e);
                return Err(failed(&io::Error::from_raw_os_error(EPROTO)));
            }
        }
    }

    /// Reads the hello but leaves messages that came right after it.
    fn negotiate(&mut self) -> Result<(), ConnectionError> {
        self.connection.take_hello()
    }

    fn refuse(&mut self, e: &ConnectionError) {
        match e {
            ConnectionError::NotHello(bytes) => {
                log::warn!(target: "vconn", "{}: {e}: {}", self.name, text_for_log(bytes));
            }
            _ => log::warn!(target: "vconn", "{}: {e}", self.name),
        }
        if let ConnectionError::NoCommonVersion { reply, .. }
        | ConnectionError::WrongVersion { reply, .. } = e
        {
            // The connection ends anyway.
            let _ = self.socket.write_all(reply);
        }
    }

    /// The connection's full name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The agreed version.
    pub(super) fn version(&self) -> OfVersion {
        self.version
    }

    /// Sends bytes.
    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<(), Fatal> {
        let name = &self.name;
        self.socket.write_all(bytes).map_err(|e| {
            Fatal::new(format!("failed to send packet to {name} ({})", strerror(&e)))
        })?;
        log::debug!(target: "vconn", "{name}: sent (Success): {}", text_for_log(bytes));
        Ok(())
    }

    /// Encodes a message in the connection's version, with a new transaction identifier.
    pub(super) fn encode(&self, message: &Message) -> Result<Vec<u8>, Fatal> {
        encode(self.version, next_xid(), message).map_err(|e| Fatal::new(e.to_string()))
    }

    /// The next message, or `None` at the end of the stream.
    pub(super) fn receive(&mut self) -> Result<Option<Vec<u8>>, Fatal> {
        loop {
            match self.connection.next_message() {
                Ok(Some(m)) => {
                    log::debug!(target: "vconn", "{}: received: {}", self.name, text_for_log(&m));
                    return Ok(Some(m));
                }
                Ok(None) => {}
                Err(e) => {
                    self.refuse(&e);
                    return Err(self.receive_failed(&io::Error::from_raw_os_error(EPROTO)));
                }
            }
            let mut buffer = [0; 65536];
            match self.socket.read(&mut buffer) {
                Ok(0) => return Ok(None),
                Ok(n) => self.connection.received(buffer.get(..n).unwrap_or(&[])),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(self.receive_failed(&e)),
            }
        }
    }

    fn receive_failed(&self, e: &io::Error) -> Fatal {
        Fatal::new(format!("{}: receive failed ({})", self.name, strerror(e)))
    }

    /// The next message; the end of the stream is an error.
    pub(super) fn expect(&mut self) -> Result<Vec<u8>, Fatal> {
        let end = io::ErrorKind::UnexpectedEof.into();
        self.receive()?.ok_or_else(|| {
            Fatal::new(format!("OpenFlow packet receive failed ({})", strerror(&end)))
        })
    }

    /// Sends a request and waits for the reply with its transaction identifier.
    pub(super) fn transact(&mut self, request: &[u8]) -> Result<Vec<u8>, Fatal> {
        self.send(request)?;
        let xid = xid_of(request);
        loop {
            let reply = self.expect()?;
            if xid_of(&reply) == xid {
                return Ok(reply);
            }
            log::debug!(
                target: "vconn",
                "{}: received reply with xid {:08x} != expected {xid:08x}",
                self.name,
                xid_of(&reply)
            );
        }
    }

    /// Sends requests that have no reply, and a barrier. Answers the first error that came.
    pub(super) fn transact_noreply(
        &mut self,
        requests: &[Vec<u8>],
    ) -> Result<Option<Vec<u8>>, Fatal> {
        let mut error = None;
        // Enough at a time that neither side's buffers fill up.
        for batch in requests.chunks(50) {
            let barrier = self.encode(&Message::BarrierRequest)?;
            let xids: Vec<u32> = batch.iter().map(|r| xid_of(r)).collect();
            self.send_batch(batch, &barrier)?;
            loop {
                let reply = self.expect()?;
                if xid_of(&reply) == xid_of(&barrier) {
                    break;
                }
                if error.is_none() && xids.contains(&xid_of(&reply)) {
                    error = Some(reply);
                }
            }
            if error.is_some() {
                break;
            }
        }
        Ok(error)
    }

    fn send_batch(&mut self, batch: &[Vec<u8>], barrier: &[u8]) -> Result<(), Fatal> {
        batch.iter().try_for_each(|r| self.send(r))?;
        self.send(barrier)
    }

    /// [`Vconn::transact_noreply`], where an error is printed and ends the program.
    pub(super) fn run(&mut self, requests: &[Vec<u8>], settings: &Settings) -> Result<(), Fatal> {
        match self.transact_noreply(requests)? {
            None => Ok(()),
            Some(error) => {
                err(&print(&error, settings.verbosity + 2, Names::default()));
                Err(Fatal::new(""))
            }
        }
    }

    /// Sends a request and prints its reply, all parts of a multipart one.
    pub(super) fn dump(
        &mut self,
        request: &[u8],
        settings: &Settings,
        names: Names<'_>,
    ) -> Result<(), Fatal> {
        let multipart = is_multipart_request(request);
        self.send(request)?;
        loop {
            let reply = self.expect()?;
            if xid_of(&reply) != xid_of(request) {
                continue;
            }
            out(&print(&reply, settings.verbosity + 1, names));
            let more = Frame::parse(&reply).is_ok_and(|f| {
                f.raw.row().channel.is_multipart_reply() && f.multipart_flags & MULTIPART_MORE != 0
            });
            if !multipart || !more {
                return Ok(());
            }
        }
    }

    /// Sends a multipart request and decodes all parts of its reply.
    pub(super) fn collect(&mut self, request: &[u8]) -> Result<Vec<Decoded>, Fatal> {
        self.send(request)?;
        let mut parts = Vec::new();
        loop {
            let reply = self.expect()?;
            if xid_of(&reply) != xid_of(request) {
                continue;
            }
            let decoded = decode(&reply)
                .map_err(|e| Fatal::new(format!("received bad reply: ***decode error: {e}***")))?;
            if decoded.raw == Raw::OfptError {
                err(&print(&reply, 2, Names::default()));
                return Err(Fatal::new(""));
            }
            let more = decoded.more;
            parts.push(decoded);
            if !more {
                return Ok(parts);
            }
        }
    }
}

/// `EPROTO`
const EPROTO: i32 = 71;

/// A message's transaction identifier.
pub(super) fn xid_of(bytes: &[u8]) -> u32 {
    Header::parse(bytes).map_or(0, |h| h.xid)
}

fn is_multipart_request(bytes: &[u8]) -> bool {
    Frame::parse_headers(bytes).is_ok_and(|f| f.raw.row().channel.is_multipart_request())
}

/// The text of a message.
pub(super) fn print(bytes: &[u8], verbosity: u8, names: Names<'_>) -> String {
    ofp_to_string(bytes, PrintContext { names, verbosity })
}

fn text_for_log(bytes: &[u8]) -> String {
    if log::log_enabled!(target: "vconn", log::Level::Debug) {
        print(bytes, 1, Names::default()).trim_end().to_owned()
    } else {
        String::new()
    }
}

/// Encodes for a flow format, with a new transaction identifier.
pub(super) fn encode_in(protocol: Protocols, message: &Message) -> Result<Vec<u8>, Fatal> {
    encode_for(protocol, next_xid(), message).map_err(|e| Fatal::new(e.to_string()))
}

/// Opens a switch, sends one request and prints the reply.
pub(super) fn dump_trivial(
    switch: &str,
    request: &Message,
    settings: &Settings,
) -> Result<(), Fatal> {
    let mut v = Vconn::open(switch, Service::Mgmt, settings)?;
    let request = v.encode(request)?;
    v.dump(&request, settings, Names::default())
}

/// The decoded reply to a request.
pub(super) fn ask(v: &mut Vconn, request: &Message) -> Result<Decoded, Fatal> {
    let bytes = v.encode(request)?;
    let reply = v.transact(&bytes)?;
    let decoded =
        decode(&reply).map_err(|e| Fatal::new(format!("{}: received bad reply ({e})", v.name)))?;
    if decoded.message.kind() == Kind::Error {
        err(&print(&reply, 2, Names::default()));
        return Err(Fatal::new(""));
    }
    Ok(decoded)
}
