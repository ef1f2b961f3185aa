//! One OpenFlow connection without I/O: splitting the byte stream into messages and agreeing on a
//! version (OpenFlow 1.3.1 section 6.3.1). Both switches and controllers use it.

use crate::frame::{self, Frame};
use crate::header::{HEADER_LEN, Header};
use crate::message::{Message, encode_as};
use crate::messages::error::ErrorMsg;
use crate::messages::hello::{Hello, VersionBitmap};
use crate::ofp_errors::OfpError;
use crate::raw::Raw;
use crate::version::OfVersion;

/// A connection's receiving side and its version.
#[derive(Debug)]
pub struct Connection {
    allowed: VersionBitmap,
    version: Option<OfVersion>,
    any_version: bool,
    input: Vec<u8>,
    start: usize,
}

/// Why a connection must be closed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectionError {
    /// A message's length is less than its header's.
    #[error("received too-short ofp_header ({0} bytes)")]
    TooShort(u16),
    /// The first message is no hello. Holds its bytes.
    #[error("received message while expecting hello")]
    NotHello(Vec<u8>),
    /// There is no version that both sides speak.
    #[error("version negotiation failed (we support {}, peer supports {})", versions(*.ours), versions(*.theirs))]
    NoCommonVersion {
        /// What this side allows.
        ours: VersionBitmap,
        /// What the other side allows.
        theirs: VersionBitmap,
        /// The `OFPT_ERROR` to send before closing.
        reply: Vec<u8>,
    },
    /// A message of another version than agreed.
    #[error("received OpenFlow version 0x{got:02x} != expected {expected:02x}")]
    WrongVersion {
        /// The message's version.
        got: u8,
        /// The agreed version.
        expected: u8,
        /// The `OFPT_ERROR` to send before closing, unless the message is a hello, error or echo.
        reply: Vec<u8>,
    },
}

/// `version 0x01`, `versions 0x01, 0x04`
fn versions(set: VersionBitmap) -> String {
    let plural = if set.0.count_ones() == 1 { "" } else { "s" };
    format!("version{plural} {set}")
}

impl Connection {
    /// A connection that may speak any of `allowed`.
    #[must_use]
    pub fn new(allowed: VersionBitmap) -> Self {
        Self { allowed, version: None, any_version: false, input: Vec::new(), start: 0 }
    }

    /// Takes messages of any version once the hellos are exchanged, as to snoop on others.
    pub fn accept_any_version(&mut self) {
        self.any_version = true;
    }

    /// The hello to send first.
    #[must_use]
    pub fn hello(&self, xid: u32) -> Vec<u8> {
        let hello = Message::Hello(Hello::new(self.allowed));
        // A hello exists in every version and is short.
        encode_as(Raw::OfptHello, OfVersion::V10, xid, &hello, Default::default())
            .unwrap_or_default()
    }

    /// The agreed version, once there is one.
    #[must_use]
    pub fn version(&self) -> Option<OfVersion> {
        self.version
    }

    /// Takes received bytes. A message has at most 65535 bytes, and [`Connection::next_message`]
    /// should be called until it has no more, so little is ever kept.
    pub fn received(&mut self, bytes: &[u8]) {
        if self.start > 0 {
            self.input.drain(..self.start);
            self.start = 0;
        }
        self.input.extend_from_slice(bytes);
    }

    /// Reads the hello, if it is there, and leaves what follows it.
    ///
    /// # Errors
    /// As [`Connection::next_message`].
    pub fn take_hello(&mut self) -> Result<(), ConnectionError> {
        if self.version.is_none()
            && let Some(bytes) = self.next_frame()?
        {
            self.negotiate(&bytes)?;
        }
        Ok(())
    }

    fn next_frame(&mut self) -> Result<Option<Vec<u8>>, ConnectionError> {
        let rest = self.input.get(self.start..).unwrap_or(&[]);
        let Some(header) = Header::parse(rest) else { return Ok(None) };
        let len = usize::from(header.length);
        if len < HEADER_LEN {
            return Err(ConnectionError::TooShort(header.length));
        }
        let Some(bytes) = rest.get(..len) else { return Ok(None) };
        self.start += len;
        Ok(Some(bytes.to_vec()))
    }

    /// The next whole message after the hello.
    ///
    /// # Errors
    /// The connection must be closed, perhaps after sending an answer.
    pub fn next_message(&mut self) -> Result<Option<Vec<u8>>, ConnectionError> {
        self.take_hello()?;
        let Some(version) = self.version else { return Ok(None) };
        let Some(bytes) = self.next_frame()? else { return Ok(None) };
        self.check_version(&bytes, version)?;
        Ok(Some(bytes))
    }

    /// Reads the peer's hello.
    fn negotiate(&mut self, bytes: &[u8]) -> Result<(), ConnectionError> {
        let frame = Frame::parse(bytes).ok().filter(|f| f.raw == Raw::OfptHello);
        let Some(frame) = frame else { return Err(ConnectionError::NotHello(bytes.to_vec())) };
        let theirs = Hello::decode(&frame).versions;
        let common = VersionBitmap(self.allowed.0 & theirs.0);
        self.version = common.highest().and_then(OfVersion::from_wire);
        if self.version.is_some() {
            return Ok(());
        }
        let text = format!(
            "We support {}, you support {}, no common versions.",
            versions(self.allowed),
            versions(theirs)
        );
        let version = self.allowed.highest().and_then(OfVersion::from_wire);
        let version = version.unwrap_or(OfVersion::V10);
        let reply = error(version, 0, OfpError::OFPHFC_INCOMPATIBLE, text.as_bytes());
        Err(ConnectionError::NoCommonVersion { ours: self.allowed, theirs, reply })
    }

    fn check_version(&self, bytes: &[u8], version: OfVersion) -> Result<(), ConnectionError> {
        let Some(header) = Header::parse(bytes) else { return Ok(()) };
        // Hello, error and the echoes are the same in every version.
        if self.any_version || header.version == version.wire() || header.kind < 4 {
            return Ok(());
        }
        let quoted = bytes.get(..64).unwrap_or(bytes);
        let reply = error(version, header.xid, OfpError::OFPBRC_BAD_VERSION, quoted);
        Err(ConnectionError::WrongVersion { got: header.version, expected: version.wire(), reply })
    }
}

fn error(version: OfVersion, xid: u32, error: OfpError, data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    frame::begin(Raw::OfptError, version, xid, &mut out);
    ErrorMsg::new(version, error, data).encode(version, &mut out);
    // Short enough: a sentence or the first bytes of a message.
    let _ = frame::finish(Raw::OfptError, 0, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn negotiated(ours: u32, theirs: u32) -> Result<Option<OfVersion>, ConnectionError> {
        let mut a = Connection::new(VersionBitmap(ours));
        let b = Connection::new(VersionBitmap(theirs));
        // Byte by byte, and a message after the hello.
        for byte in b.hello(1).iter().chain(&[1, 2, 0, 8, 0, 0, 0, 9]) {
            a.received(&[*byte]);
            if let Some(m) = a.next_message()? {
                assert_eq!(m, [1, 2, 0, 8, 0, 0, 0, 9]);
                return Ok(a.version());
            }
        }
        Ok(None)
    }

    #[test]
    fn the_highest_common_version_wins() {
        assert_eq!(negotiated(0x7e, 0x7e), Ok(Some(OfVersion::V15)));
        assert_eq!(negotiated(0x7e, 0x12), Ok(Some(OfVersion::V13)));
        assert_eq!(negotiated(0x02, 0x7e), Ok(Some(OfVersion::V10)));
        let e = negotiated(0x02, 0x30).unwrap_err();
        assert_eq!(
            e.to_string(),
            "version negotiation failed (we support version 0x01, peer supports versions 0x04, 0x05)"
        );
    }

    #[test]
    fn anything_but_a_hello_first_is_refused() {
        let mut c = Connection::new(VersionBitmap::ALL);
        c.received(&[1, 5, 0, 8, 0, 0, 0, 1]);
        assert!(matches!(c.next_message(), Err(ConnectionError::NotHello(_))));
        let mut c = Connection::new(VersionBitmap::ALL);
        c.received(&[1, 0, 0, 7, 0, 0, 0, 1]);
        assert_eq!(c.next_message(), Err(ConnectionError::TooShort(7)));
    }
}
