//! The wire frame of an action: type, length and, for extensions, vendor and subtype. What follows
//! is up to each [`Raw`] form; [`super::table`] lists them.

use core::ops::RangeInclusive;

use super::Action;
use crate::ofp_errors::OfpError;
use crate::value_text::number::alt_hex;
use crate::version::OfVersion;
use crate::wire::{Put, Reader};

/// `OFPAT_VENDOR`, `OFPAT_EXPERIMENTER`
const OFPAT_VENDOR: u16 = 0xffff;
/// Standard actions.
pub(crate) const OF: u32 = 0;
/// Nicira's extensions.
pub(crate) const NX: u32 = 0x0000_2320;
/// The ONF's extensions.
pub(crate) const ONF: u32 = 0x4f4e_4600;

/// Actions are a multiple of 8 bytes long.
const ALIGN: usize = 8;

/// Nested actions (`clone`, `ct`, ...) deeper than this are refused.
pub(crate) const MAX_DEPTH: u8 = 100;

/// One wire form of an action.
pub(crate) struct Raw {
    /// Its symbolic name, for the log.
    pub(crate) name: &'static str,
    /// Vendor, wire versions and type (subtype for a vendor's).
    pub(crate) codes: &'static [(u32, RangeInclusive<u8>, u16)],
    /// Bytes, header included.
    pub(crate) min_len: usize,
    /// May it be longer?
    pub(crate) extensible: bool,
    /// Reads what follows the header.
    pub(crate) decode: fn(&mut Body<'_>) -> Result<Action, OfpError>,
}

/// What is known while actions are read.
#[derive(Clone, Copy, Debug)]
pub struct DecodeContext {
    /// Version of the message.
    pub version: OfVersion,
    /// Are `debug_slow` and `debug_recirc` understood? (Only with `--enable-dummy`.)
    pub debug_actions: bool,
    /// How deep in other actions.
    pub(crate) depth: u8,
}

impl DecodeContext {
    /// For a message of this version.
    #[must_use]
    pub fn new(version: OfVersion) -> Self {
        Self { version, debug_actions: true, depth: 0 }
    }
}

/// The bytes after an action's header.
pub(crate) struct Body<'a> {
    /// What is left of them.
    pub(crate) r: Reader<'a>,
    /// Bytes of the header before them.
    header_len: usize,
    /// See [`DecodeContext`].
    pub(crate) cx: DecodeContext,
}

impl Body<'_> {
    /// A single number of `size` bytes, which stands at a multiple of its size.
    pub(crate) fn arg(&mut self, size: usize) -> Result<u64, OfpError> {
        self.r.skip(self.header_len.next_multiple_of(size) - self.header_len)?;
        let bytes = self.r.take(size)?;
        Ok(bytes.iter().fold(0, |v, b| (v << 8) | u64::from(*b)))
    }

    pub(crate) fn arg_u8(&mut self) -> Result<u8, OfpError> {
        Ok(u8::try_from(self.arg(1)?).unwrap_or(0))
    }

    pub(crate) fn arg_u16(&mut self) -> Result<u16, OfpError> {
        Ok(u16::try_from(self.arg(2)?).unwrap_or(0))
    }

    pub(crate) fn arg_u32(&mut self) -> Result<u32, OfpError> {
        Ok(u32::try_from(self.arg(4)?).unwrap_or(0))
    }

    /// What is left must be zero.
    pub(crate) fn rest_zero(&mut self, nonzero: OfpError) -> Result<(), OfpError> {
        let n = self.r.len();
        self.r.zeros(n, nonzero)
    }
}

impl Raw {
    /// Bytes of the shortest action: an extension's header alone takes 10.
    fn min_len(&self, vendor: u32) -> usize {
        if vendor == OF { self.min_len } else { self.min_len.max(16) }
    }

    fn code(&self, version: OfVersion) -> Option<(u32, u16)> {
        let row = self.codes.iter().find(|(_, v, _)| v.contains(&version.wire()))?;
        Some((row.0, row.2))
    }

    /// Does the form exist in this version?
    pub(crate) fn is_in(&self, version: OfVersion) -> bool {
        self.code(version).is_some()
    }

    /// Writes the action: header, what `body` puts, and padding. A version without the form writes
    /// nothing.
    pub(crate) fn put(
        &self,
        version: OfVersion,
        out: &mut Vec<u8>,
        body: impl FnOnce(&mut Vec<u8>),
    ) {
        // An extension keeps its number where it is not meant to be: the peer shall refuse it, rather
        // than not hear of it.
        let extension = || self.codes.iter().find(|c| c.0 != OF).map(|c| (c.0, c.2));
        let Some((vendor, kind)) = self.code(version).or_else(extension) else {
            log::warn!(target: "ofp_actions", "{} cannot be expressed in {version}", self.name);
            return;
        };
        let start = out.len();
        if vendor == OF {
            out.put_u16(kind);
            out.put_u16(0);
        } else {
            out.put_u16(OFPAT_VENDOR);
            out.put_u16(0);
            out.put_u32(vendor);
            out.put_u16(kind);
        }
        body(out);
        let len = (out.len() - start).max(self.min_len(vendor)).next_multiple_of(ALIGN);
        out.put_zeros(len - (out.len() - start));
        out.set_u16(start + 2, u16::try_from(len).unwrap_or(u16::MAX));
    }

    /// Writes an action with nothing but a number of `size` bytes.
    pub(crate) fn put_arg(&self, version: OfVersion, out: &mut Vec<u8>, size: usize, arg: u64) {
        let header = if matches!(self.code(version), Some((OF, _))) { 4usize } else { 10 };
        self.put(version, out, |b| {
            b.put_zeros(header.next_multiple_of(size) - header);
            b.extend_from_slice(&arg.to_be_bytes()[8 - size..]);
        });
    }

    /// Writes an action without argument.
    pub(crate) fn put_void(&self, version: OfVersion, out: &mut Vec<u8>) {
        self.put(version, out, |_| ());
    }
}

/// Reads one action off `r`.
pub(crate) fn pull(
    r: &mut Reader<'_>,
    rows: &[&Raw],
    cx: DecodeContext,
) -> Result<Action, OfpError> {
    const BAD_LEN: OfpError = OfpError::OFPBAC_BAD_LEN;
    let mut head = Reader::new(r.rest(), BAD_LEN);
    let (kind, len) = (head.u16()?, usize::from(head.u16()?));
    // Even the shortest action has eight bytes; they tell an extension's vendor.
    let vendor = head.u32()?;
    let (vendor, kind, header_len) = if kind == OFPAT_VENDOR {
        if vendor != NX && vendor != ONF {
            log::warn!(target: "ofp_actions", "OpenFlow action has unknown vendor {vendor:#x}");
            return Err(OfpError::OFPBAC_BAD_VENDOR);
        }
        let subtype = head.u16()?;
        head.skip(6)?;
        (vendor, subtype, 10)
    } else {
        (OF, kind, 4)
    };
    let Some(raw) = rows.iter().find(|raw| raw.code(cx.version) == Some((vendor, kind))) else {
        log::warn!(
            target: "ofp_actions",
            "unknown {} action for vendor {} and type {kind}",
            cx.version.option_name(),
            alt_hex(vendor.into())
        );
        return Err(if vendor == OF {
            OfpError::OFPBAC_BAD_TYPE
        } else {
            OfpError::OFPBAC_BAD_VENDOR_TYPE
        });
    };
    let min_len = raw.min_len(vendor);
    let fits = len >= min_len && (raw.extensible || len == min_len);
    if len > r.len() || !fits || !len.is_multiple_of(ALIGN) {
        log::warn!(
            target: "ofp_actions",
            "OpenFlow action {} length {len} not in valid range [{min_len},{}]",
            raw.name,
            if raw.extensible { usize::from(u16::MAX) / ALIGN * ALIGN } else { min_len }
        );
        return Err(BAD_LEN);
    }
    let body = Reader::new(r.take(len)?.get(header_len..).unwrap_or_default(), BAD_LEN);
    (raw.decode)(&mut Body { r: body, header_len, cx })
}
