//! [`Header`]: the eight bytes that start every OpenFlow message.

use crate::wire::Put;

/// The common message header (OpenFlow 1.0 section 5.1; unchanged since).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Wire version, 1 for OpenFlow 1.0. A hello may carry any number.
    pub version: u8,
    /// Message type; its meaning depends on the version.
    pub kind: u8,
    /// Bytes of the whole message, this header included.
    pub length: u16,
    /// Transaction identifier: a reply carries its request's.
    pub xid: u32,
}

/// Bytes of a header.
pub const HEADER_LEN: usize = 8;

impl Header {
    /// Reads a header; `None` when fewer than eight bytes are there.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let head: &[u8; HEADER_LEN] = bytes.first_chunk()?;
        let [version, kind, l0, l1, x0, x1, x2, x3] = *head;
        Some(Self {
            version,
            kind,
            length: u16::from_be_bytes([l0, l1]),
            xid: u32::from_be_bytes([x0, x1, x2, x3]),
        })
    }

    /// Appends the header.
    pub fn put(&self, out: &mut Vec<u8>) {
        out.put_u8(self.version);
        out.put_u8(self.kind);
        out.put_u16(self.length);
        out.put_u32(self.xid);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        let h = Header { version: 4, kind: 18, length: 16, xid: 0x0102_0304 };
        let mut bytes = Vec::new();
        h.put(&mut bytes);
        assert_eq!(bytes, [4, 18, 0, 16, 1, 2, 3, 4]);
        assert_eq!(Header::parse(&bytes), Some(h));
        assert_eq!(Header::parse(&bytes[..7]), None);
    }
}
