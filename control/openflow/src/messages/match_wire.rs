//! Matches as they stand in messages: in the frame of OpenFlow 1.1 and later, or as padded NXM.

use crate::matching::Match;
use crate::nxm::{self, DecodedMatch, MatchOptions};
use crate::ofp_errors::OfpError;
use crate::version::OfVersion;
use crate::wire::{Put, Reader};

const OFPMT_OXM: u16 = 1;

/// Takes an OXM match with its header and padding.
pub(crate) fn pull_oxm(r: &mut Reader<'_>, options: MatchOptions) -> Result<Match, OfpError> {
    let bad = OfpError::OFPBMC_BAD_LEN;
    let mut head = Reader::new(r.rest(), bad);
    let kind = head.u16()?;
    let len = usize::from(head.u16()?);
    if len < 4 {
        return Err(bad);
    }
    if kind != OFPMT_OXM {
        return Err(OfpError::OFPBMC_BAD_TYPE);
    }
    let padded = Reader::new(r.rest(), bad).take(len.next_multiple_of(8))?;
    r.skip(padded.len())?;
    let entries = padded.get(4..len).ok_or(bad)?;
    nxm::decode_match_with(entries, options).map(|d| d.matched)
}

/// Appends an OXM match with header and padding.
pub(crate) fn put_oxm(m: &Match, v: OfVersion, out: &mut Vec<u8>) {
    let start = out.len();
    out.put_u16(OFPMT_OXM);
    out.put_u16(0);
    nxm::encode_match(m, Some(v), None, out);
    let len = out.len() - start;
    out.set_u16(start + 2, u16::try_from(len).unwrap_or(u16::MAX));
    out.pad_to(start, 8);
}

/// Takes an NXM match of `len` bytes and its padding.
pub(crate) fn pull_nxm(
    r: &mut Reader<'_>,
    len: usize,
    options: MatchOptions,
) -> Result<DecodedMatch, OfpError> {
    let bad = OfpError::OFPBMC_BAD_LEN;
    let padded = Reader::new(r.rest(), bad).take(len.next_multiple_of(8))?;
    r.skip(padded.len())?;
    nxm::decode_match_with(padded.get(..len).ok_or(bad)?, options)
}

/// Appends an NXM match and its padding; returns its length without padding.
pub(crate) fn put_nxm(m: &Match, cookie: Option<(u64, u64)>, out: &mut Vec<u8>) -> u16 {
    let start = out.len();
    nxm::encode_match(m, None, cookie, out);
    let len = out.len() - start;
    out.pad_to(start, 8);
    u16::try_from(len).unwrap_or(u16::MAX)
}

/// Options of a match with the cookie's pseudo-field.
pub(crate) const WITH_COOKIE: MatchOptions = MatchOptions {
    strictness: nxm::Strictness::Strict,
    allow_cookie: true,
    pipeline_fields_only: false,
};

/// Options of a packet's metadata.
pub(crate) const LOOSE: MatchOptions = MatchOptions {
    strictness: nxm::Strictness::Loose,
    allow_cookie: false,
    pipeline_fields_only: false,
};
