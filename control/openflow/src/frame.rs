//! Message frames: from bytes to (header, wire form, body) and back. Knows where the numbers of
//! multipart and experimenter messages stand and which lengths a form may have; knows no body.

use crate::header::{HEADER_LEN, Header};
use crate::ofp_errors::OfpError;
use crate::raw::{Channel, NX_VENDOR_ID, ONF_VENDOR_ID, Raw};
use crate::version::OfVersion;
use crate::wire::{Put, Reader};

/// Bit of a multipart message's flags: more parts follow.
pub const MULTIPART_MORE: u16 = 1;
/// Most bytes of one message.
pub const MAX_MESSAGE: usize = 65535;

const EXPERIMENTER: u8 = 4;
const STATS_EXPERIMENTER: u16 = 0xffff;

/// A message taken apart.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// The common header.
    pub header: Header,
    /// The wire form.
    pub raw: Raw,
    /// Flags of a multipart message, else 0.
    pub multipart_flags: u16,
    /// What follows all headers.
    pub body: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Takes the message at the start of `bytes` apart. The header's length counts, bytes beyond it
    /// are ignored.
    ///
    /// # Errors
    /// `OFPBRC_BAD_LEN`, `BAD_TYPE`, `BAD_STAT`, `BAD_VENDOR`, `BAD_SUBTYPE`.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, OfpError> {
        let header = Header::parse(bytes).ok_or(OfpError::OFPBRC_BAD_LEN)?;
        let whole = bytes.get(..usize::from(header.length)).ok_or(OfpError::OFPBRC_BAD_LEN)?;
        let frame = Self::parse_headers(whole)?;
        check_body_len(&frame, whole.len())?;
        Ok(frame)
    }

    /// Like [`Frame::parse`] for a message whose end may be missing: only the headers are read, the
    /// body is whatever is there.
    ///
    /// # Errors
    /// As [`Frame::parse`].
    pub fn parse_headers(bytes: &'a [u8]) -> Result<Self, OfpError> {
        let header = Header::parse(bytes).ok_or(OfpError::OFPBRC_BAD_LEN)?;
        let mut r = Reader::new(bytes.get(HEADER_LEN..).unwrap_or(&[]), OfpError::OFPBRC_BAD_LEN);
        let id = Numbers::read(&header, &mut r)?;
        let raw = Raw::find(id.channel, id.number, header.version).ok_or_else(|| {
            log::warn!(target: "ofp_msgs", "unknown OpenFlow message ({})", id.describe(&header));
            id.unknown()
        })?;
        Ok(Self { header, raw, multipart_flags: id.flags, body: r.rest() })
    }
}

/// The numbers that say what a message is.
struct Numbers {
    channel: Channel,
    number: u32,
    stat: Option<u16>,
    flags: u16,
}

impl Numbers {
    fn read(header: &Header, r: &mut Reader<'_>) -> Result<Self, OfpError> {
        let Some(is_request) = multipart_direction(header.version, header.kind) else {
            if header.kind != EXPERIMENTER {
                let number = u32::from(header.kind);
                return Ok(Self { channel: Channel::Ofpt, number, stat: None, flags: 0 });
            }
            let channel = match known_vendor(r.u32()?)? {
                Vendor::Nicira => Channel::Nxt,
                Vendor::Onf => Channel::Onft,
            };
            return Ok(Self { channel, number: r.u32()?, stat: None, flags: 0 });
        };
        let stat = r.u16()?;
        let flags = r.u16()?;
        // OpenFlow 1.1 padded the header of multipart messages to 16 bytes.
        if header.version > OfVersion::V10.wire() {
            r.skip(4)?;
        }
        let (channel, number) = if stat == STATS_EXPERIMENTER {
            let vendor = known_vendor(r.u32()?)?;
            let subtype = r.u32()?;
            if header.version == OfVersion::V10.wire() {
                r.skip(4)?;
            }
            let channel = match (vendor, is_request) {
                (Vendor::Nicira, true) => Channel::NxstRequest,
                (Vendor::Nicira, false) => Channel::NxstReply,
                (Vendor::Onf, true) => Channel::OnfstRequest,
                (Vendor::Onf, false) => Channel::OnfstReply,
            };
            (channel, subtype)
        } else if is_request {
            (Channel::OfpstRequest, u32::from(stat))
        } else {
            (Channel::OfpstReply, u32::from(stat))
        };
        Ok(Self { channel, number, stat: Some(stat), flags })
    }

    fn unknown(&self) -> OfpError {
        match (self.channel.vendor(), self.stat) {
            (Some(_), _) => OfpError::OFPBRC_BAD_SUBTYPE,
            (None, Some(_)) => OfpError::OFPBRC_BAD_STAT,
            (None, None) => OfpError::OFPBRC_BAD_TYPE,
        }
    }

    fn describe(&self, header: &Header) -> String {
        let mut s = format!("version {}, type {}", header.version, header.kind);
        if let Some(stat) = self.stat {
            s.push_str(&format!(", stat {stat}"));
        }
        if let Some(vendor) = self.channel.vendor() {
            s.push_str(&format!(", vendor 0x{vendor:x}, subtype {}", self.number));
        }
        s
    }
}

enum Vendor {
    Nicira,
    Onf,
}

fn known_vendor(id: u32) -> Result<Vendor, OfpError> {
    match id {
        NX_VENDOR_ID => Ok(Vendor::Nicira),
        ONF_VENDOR_ID => Ok(Vendor::Onf),
        _ => {
            log::warn!(target: "ofp_msgs", "OpenFlow message has unknown vendor {id:#x}");
            Err(OfpError::OFPBRC_BAD_VENDOR)
        }
    }
}

/// `Some(true)` for a multipart request, `Some(false)` for a reply.
fn multipart_direction(version: u8, kind: u8) -> Option<bool> {
    match (version, kind) {
        (1, 16) | (2..=6, 18) => Some(true),
        (1, 17) | (2..=6, 19) => Some(false),
        _ => None,
    }
}

fn check_body_len(frame: &Frame<'_>, whole: usize) -> Result<(), OfpError> {
    let row = frame.raw.row();
    let min = usize::from(row.min_body);
    let unit = usize::from(row.unit);
    let ok = match frame.body.len().checked_sub(min) {
        None => false,
        Some(extra) if unit == 0 => extra == 0,
        Some(extra) => extra % unit == 0,
    };
    if ok {
        return Ok(());
    }
    let need = whole - frame.body.len() + min;
    let expected = match unit {
        0 => format!("expected length {need}"),
        1 => format!("expected length at least {need} bytes"),
        _ => {
            format!("must be exactly {need} bytes or longer by an integer multiple of {unit} bytes")
        }
    };
    log::warn!(
        target: "ofp_msgs",
        "received {} with incorrect length {whole} ({expected})",
        row.name
    );
    Err(OfpError::OFPBRC_BAD_LEN)
}

/// A message could not be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// The version has no form of the message.
    #[error("{1} has no such message as {0}")]
    NotInVersion(&'static str, OfVersion),
    /// It does not fit into 65535 bytes.
    #[error("{0} message is longer than 65535 bytes")]
    TooLong(&'static str),
}

/// Appends the headers of a message of form `raw`; [`finish`] sets the length afterwards.
pub fn begin(raw: Raw, version: OfVersion, xid: u32, out: &mut Vec<u8>) {
    let row = raw.row();
    let v10 = version == OfVersion::V10;
    let kind = match row.channel {
        Channel::Ofpt => u8::try_from(row.number).unwrap_or(u8::MAX),
        c if c.is_multipart_request() => {
            if v10 {
                16
            } else {
                18
            }
        }
        c if c.is_multipart_reply() => {
            if v10 {
                17
            } else {
                19
            }
        }
        _ => EXPERIMENTER,
    };
    Header { version: version.wire(), kind, length: 0, xid }.put(out);
    let vendor = row.channel.vendor();
    if row.channel.is_multipart() {
        let stat = if vendor.is_some() { STATS_EXPERIMENTER } else { row.number as u16 };
        out.put_u16(stat);
        out.put_u16(0);
        if !v10 {
            out.put_zeros(4);
        }
    }
    if let Some(vendor) = vendor {
        out.put_u32(vendor);
        out.put_u32(row.number);
        if v10 && row.channel.is_multipart() {
            out.put_zeros(4);
        }
    }
}

/// Sets the length of the message that starts at `start` and ends where `out` ends.
///
/// # Errors
/// It is longer than a message can be.
pub fn finish(raw: Raw, start: usize, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let len = u16::try_from(out.len() - start).map_err(|_| EncodeError::TooLong(raw.name()))?;
    out.set_u16(start + 2, len);
    Ok(())
}

/// Sets the "more parts follow" flag of the multipart message that starts at `start`.
pub fn set_more(start: usize, out: &mut Vec<u8>) {
    out.set_u16(start + 10, MULTIPART_MORE);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw::Kind;

    #[test]
    fn headers_of_every_form_round_trip() {
        for v in OfVersion::ALL {
            for (raw, row) in all_rows(v) {
                let mut out = Vec::new();
                begin(raw, v, 7, &mut out);
                out.put_zeros(usize::from(row.min_body));
                finish(raw, 0, &mut out).unwrap();
                let f = Frame::parse(&out).unwrap();
                assert_eq!((f.raw, f.header.xid), (raw, 7), "{}", row.name);
                assert_eq!(f.body.len(), usize::from(row.min_body));
                out.push(0);
                finish(raw, 0, &mut out).unwrap();
                assert_eq!(Frame::parse(&out).is_ok(), row.unit == 1, "{}", row.name);
            }
        }
    }

    fn all_rows(v: OfVersion) -> impl Iterator<Item = (Raw, &'static crate::raw::Row)> {
        Raw::all().filter(move |r| r.is_in(v)).map(|r| (r, r.row()))
    }

    #[test]
    fn errors_are_those_of_ovs() {
        let parse = |hex: &[u8]| Frame::parse(hex).map(|f| f.raw).map_err(OfpError::name);
        assert_eq!(parse(&[1, 255, 0, 8, 0, 0, 0, 1]), Err("OFPBRC_BAD_TYPE"));
        assert_eq!(parse(&[7, 5, 0, 8, 0, 0, 0, 1]), Err("OFPBRC_BAD_TYPE"));
        assert_eq!(parse(&[7, 2, 0, 8, 0, 0, 0, 1]), Ok(Raw::OfptEchoRequest));
        assert_eq!(parse(&[4, 0, 0, 16, 0, 0, 0, 1]), Err("OFPBRC_BAD_LEN"));
        assert_eq!(parse(&[1, 4, 0, 12, 0, 0, 0, 1, 0, 0, 0x23, 0x20]), Err("OFPBRC_BAD_LEN"));
        let nx = |n| [1, 4, 0, 16, 0, 0, 0, 1, 0, 0, 0x23, n, 0, 0, 0, 255];
        assert_eq!(parse(&nx(0x20)), Err("OFPBRC_BAD_SUBTYPE"));
        assert_eq!(parse(&nx(0x21)), Err("OFPBRC_BAD_VENDOR"));
        assert_eq!(parse(&[1, 16, 0, 12, 0, 0, 0, 1, 0, 255, 0, 0]), Err("OFPBRC_BAD_STAT"));
        assert_eq!(Kind::Hello.raw(OfVersion::V10), Some(Raw::OfptHello));
    }
}
