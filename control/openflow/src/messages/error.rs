//! `OFPT_ERROR`: numbers of the error and what it is about.

use crate::frame::{self, Frame};
use crate::ofp_errors::{Code, OfpError};
use crate::raw::Raw;
use crate::version::OfVersion;
use crate::wire::{Put, Reader};

/// Error type of OpenFlow 1.2 and later whose code is an experimenter's.
const EXPERIMENTER: u16 = 0xffff;
/// Error type and code of Nicira errors in OpenFlow 1.0 and 1.1.
const NX_VENDOR: (u16, u16) = (0xb0c2, 0);
/// Most bytes of the offending message that are sent back: as many as there is room for.
const MAX_QUOTED: usize = u16::MAX as usize - 12;

/// `OFPT_ERROR`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorMsg {
    /// The error's numbers in the message's version.
    pub code: Code,
    /// The start of the message that is wrong, or text for the user after a failed hello.
    pub data: Vec<u8>,
}

impl ErrorMsg {
    /// `error` in `version`. An error that the version cannot express becomes
    /// `NXBRC_UNENCODABLE_ERROR`.
    #[must_use]
    pub fn new(version: OfVersion, error: OfpError, data: &[u8]) -> Self {
        let code = error.code(version).or_else(|| {
            log::error!(
                target: "ofp_errors",
                "cannot encode {error} for {version}"
            );
            OfpError::NXBRC_UNENCODABLE_ERROR.code(version)
        });
        let code = code.unwrap_or(Code { vendor: 0, kind: 1, code: 0 });
        Self { code, data: data.to_vec() }
    }

    /// The answer to a wrong `request`: the error and the request's first bytes.
    #[must_use]
    pub fn reply(version: OfVersion, error: OfpError, request: &[u8]) -> Self {
        Self::new(version, error, request.get(..MAX_QUOTED).unwrap_or(request))
    }

    /// Which error it is, if it is a known one.
    #[must_use]
    pub fn error(&self, wire_version: u8) -> Option<OfpError> {
        OfpError::from_code(OfVersion::from_wire(wire_version)?, self.code)
    }

    pub(crate) fn decode(f: &Frame<'_>) -> Result<Self, OfpError> {
        let mut r = Reader::new(f.body, OfpError::OFPBRC_BAD_LEN);
        let kind = r.u16()?;
        let code = r.u16()?;
        let v10_or_11 = f.header.version <= OfVersion::V11.wire();
        let code = if (kind, code) == NX_VENDOR && v10_or_11 && r.len() >= 8 {
            Code { vendor: r.u32()?, kind: r.u16()?, code: r.u16()? }
        } else if kind == EXPERIMENTER && !v10_or_11 && r.len() >= 4 {
            Code { vendor: r.u32()?, kind: code, code: 0 }
        } else {
            Code { vendor: 0, kind, code }
        };
        Ok(Self { code, data: r.rest().to_vec() })
    }

    pub(crate) fn encode(&self, version: OfVersion, out: &mut Vec<u8>) {
        if self.code.vendor == 0 {
            out.put_u16(self.code.kind);
            out.put_u16(self.code.code);
        } else if version <= OfVersion::V11 {
            out.put_u16(NX_VENDOR.0);
            out.put_u16(NX_VENDOR.1);
            out.put_u32(self.code.vendor);
            out.put_u16(self.code.kind);
            out.put_u16(self.code.code);
        } else {
            out.put_u16(EXPERIMENTER);
            out.put_u16(self.code.kind);
            out.put_u32(self.code.vendor);
        }
        out.extend_from_slice(&self.data);
    }
}

/// The whole `OFPT_ERROR` that answers `request`, which carries its own version and transaction
/// identifier. A version that Weir does not speak is answered in OpenFlow 1.0.
#[must_use]
pub fn error_reply(error: OfpError, request: &[u8]) -> Vec<u8> {
    let header = crate::header::Header::parse(request);
    let version = header.and_then(|h| OfVersion::from_wire(h.version)).unwrap_or(OfVersion::V10);
    let len = header.map_or(request.len(), |h| usize::from(h.length));
    let msg = ErrorMsg::reply(version, error, request.get(..len).unwrap_or(request));
    let mut out = Vec::new();
    frame::begin(Raw::OfptError, version, header.map_or(0, |h| h.xid), &mut out);
    msg.encode(version, &mut out);
    // Never too long: at most MAX_QUOTED bytes are quoted.
    let _ = frame::finish(Raw::OfptError, 0, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_round_trips_in_every_version() {
        for v in OfVersion::ALL {
            for e in OfpError::all() {
                let Some(code) = e.code(v) else { continue };
                let mut out = Vec::new();
                frame::begin(Raw::OfptError, v, 1, &mut out);
                ErrorMsg::new(v, e, b"12345678").encode(v, &mut out);
                frame::finish(Raw::OfptError, 0, &mut out).unwrap();
                let back = ErrorMsg::decode(&Frame::parse(&out).unwrap()).unwrap();
                assert_eq!(back.code, code, "{e} {v}");
                assert_eq!(back.data, b"12345678");
            }
        }
    }

    #[test]
    fn replies_quote_the_request() {
        let mut request = vec![4, 14, 0, 100, 0, 0, 0, 5];
        request.resize(100, 0xee);
        let reply = error_reply(OfpError::OFPBRC_BAD_TYPE, &request);
        assert_eq!(reply[..12], [4, 1, 0, 112, 0, 0, 0, 5, 0, 1, 0, 1]);
        assert_eq!(reply[12..], request);
        request.resize(0xffff, 0);
        request[2..4].fill(0xff);
        assert_eq!(error_reply(OfpError::OFPBRC_BAD_TYPE, &request).len(), 0xffff);
    }
}
