//! Multipart messages: splitting what is longer than one message at the borders of its entries, and
//! joining the parts of a request or reply again. Both are bounded.

use std::collections::HashMap;

use crate::frame::{self, EncodeError, Frame, MAX_MESSAGE, MULTIPART_MORE};
use crate::header::Header;
use crate::ofp_errors::OfpError;
use crate::raw::Raw;
use crate::version::OfVersion;

/// Writes a multipart reply of any length, entry by entry.
///
/// [`MultipartWriter::take_finished`] hands out the complete messages at any time, so that a long
/// reply need not be held in memory as a whole.
#[derive(Debug)]
pub struct MultipartWriter {
    raw: Raw,
    version: OfVersion,
    xid: u32,
    out: Vec<u8>,
    start: usize,
}

impl MultipartWriter {
    /// Begins a reply of form `raw`.
    #[must_use]
    pub fn new(raw: Raw, version: OfVersion, xid: u32) -> Self {
        let mut out = Vec::new();
        frame::begin(raw, version, xid, &mut out);
        Self { raw, version, xid, out, start: 0 }
    }

    /// The form being written.
    #[must_use]
    pub fn raw(&self) -> Raw {
        self.raw
    }

    /// The version being written.
    #[must_use]
    pub fn version(&self) -> OfVersion {
        self.version
    }

    /// Appends one entry, which `body` writes; begins another message when it does not fit.
    ///
    /// # Errors
    /// The entry alone does not fit into a message. It is left out.
    pub fn entry(&mut self, body: impl FnOnce(&mut Vec<u8>)) -> Result<(), EncodeError> {
        let at = self.out.len();
        body(&mut self.out);
        if self.out.len() - self.start <= MAX_MESSAGE {
            return Ok(());
        }
        let entry = self.out.split_off(at);
        let too_long = EncodeError::TooLong(self.raw.name());
        let mut next = Vec::new();
        frame::begin(self.raw, self.version, self.xid, &mut next);
        if next.len() + entry.len() > MAX_MESSAGE {
            return Err(too_long);
        }
        frame::finish(self.raw, self.start, &mut self.out)?;
        frame::set_more(self.start, &mut self.out);
        self.start = self.out.len();
        self.out.append(&mut next);
        self.out.extend_from_slice(&entry);
        Ok(())
    }

    /// Takes the messages that are complete and not the last.
    pub fn take_finished(&mut self) -> Vec<u8> {
        let rest = self.out.split_off(self.start);
        self.start = 0;
        std::mem::replace(&mut self.out, rest)
    }

    /// Ends the reply: one or more messages, each with its own header.
    ///
    /// # Errors
    /// Never in practice: every part was kept short enough.
    pub fn finish(mut self) -> Result<Vec<u8>, EncodeError> {
        frame::finish(self.raw, self.start, &mut self.out)?;
        Ok(self.out)
    }
}

/// A multipart message put together from its parts.
#[derive(Clone, Debug)]
pub struct Joined {
    /// Header of the last part; its length is that part's.
    pub header: Header,
    /// The wire form.
    pub raw: Raw,
    /// All parts' bodies.
    pub body: Vec<u8>,
}

impl Joined {
    /// The whole as a frame, to be decoded.
    #[must_use]
    pub fn frame(&self) -> Frame<'_> {
        Frame { header: self.header, raw: self.raw, multipart_flags: 0, body: &self.body }
    }
}

/// Joins the parts of multipart requests, as OpenFlow 1.3 introduced them (section 7.3.5).
#[derive(Debug, Default)]
pub struct MultipartAssembler {
    pending: HashMap<u32, Pending>,
    bytes: usize,
}

#[derive(Debug)]
struct Pending {
    raw: Raw,
    body: Vec<u8>,
    deadline_ms: u64,
}

/// Most bytes that all unfinished messages of one assembler may have together.
pub const MAX_PENDING_BYTES: usize = 1 << 20;
/// How long an unfinished message waits for its next part.
pub const PART_TIMEOUT_MS: u64 = 1000;

impl MultipartAssembler {
    /// Takes one part. `Ok(None)` when more are to come.
    ///
    /// # Errors
    /// `OFPBRC_MULTIPART_BUFFER_OVERFLOW` when the parts are too long together, or of different
    /// types under one transaction identifier. What was collected is dropped.
    pub fn part(&mut self, f: &Frame<'_>, now_ms: u64) -> Result<Option<Joined>, OfpError> {
        let more = f.multipart_flags & MULTIPART_MORE != 0;
        let xid = f.header.xid;
        let collected = self.pending.remove(&xid);
        if let Some(p) = &collected {
            self.bytes -= p.body.len();
        }
        let overflow = OfpError::OFPBRC_MULTIPART_BUFFER_OVERFLOW;
        let mut body = match collected {
            Some(p) if p.raw == f.raw => p.body,
            Some(_) => return Err(overflow),
            None => Vec::new(),
        };
        if self.bytes + body.len() + f.body.len() > MAX_PENDING_BYTES {
            return Err(overflow);
        }
        body.extend_from_slice(f.body);
        if !more {
            return Ok(Some(Joined { header: f.header, raw: f.raw, body }));
        }
        self.bytes += body.len();
        let deadline_ms = now_ms.saturating_add(PART_TIMEOUT_MS);
        self.pending.insert(xid, Pending { raw: f.raw, body, deadline_ms });
        Ok(None)
    }

    /// Drops messages whose next part is overdue; returns their transaction identifiers, each to be
    /// answered with `OFPBRC_MULTIPART_REQUEST_TIMEOUT`.
    pub fn expire(&mut self, now_ms: u64) -> Vec<u32> {
        let overdue = |p: &Pending| p.deadline_ms <= now_ms;
        let xids: Vec<u32> =
            self.pending.iter().filter(|(_, p)| overdue(p)).map(|(xid, _)| *xid).collect();
        for xid in &xids {
            if let Some(p) = self.pending.remove(xid) {
                self.bytes -= p.body.len();
            }
        }
        xids
    }

    /// When [`MultipartAssembler::expire`] wants to be called next.
    #[must_use]
    pub fn poll_at(&self) -> Option<u64> {
        self.pending.values().map(|p| p.deadline_ms).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Put;

    #[test]
    fn long_replies_are_split_between_entries_and_joined_again() {
        let mut w = MultipartWriter::new(Raw::Ofpst13FlowReply, OfVersion::V13, 9);
        for i in 0..200_u64 {
            w.entry(|out| {
                out.put_u64(i);
                out.put_zeros(992);
            })
            .unwrap();
        }
        assert!(w.entry(|out| out.put_zeros(65535)).is_err());
        let mut all = w.take_finished();
        all.extend(w.finish().unwrap());
        let mut parts = MultipartAssembler::default();
        let mut at = 0;
        let mut n = 0;
        loop {
            let f = Frame::parse(&all[at..]).unwrap();
            at += usize::from(f.header.length);
            n += 1;
            assert_eq!(f.body.len() % 1000, 0);
            let joined = parts.part(&f, 0).unwrap();
            assert_eq!(joined.is_some(), at == all.len());
            if let Some(j) = joined {
                assert_eq!(j.body.len(), 200_000);
                assert_eq!(j.body[199_000..199_008], 199_u64.to_be_bytes());
                break;
            }
        }
        assert_eq!(n, 4);
        assert_eq!(parts.bytes, 0);
    }

    #[test]
    fn parts_are_bounded_and_expire() {
        let mut parts = MultipartAssembler::default();
        let mut msg = Vec::new();
        frame::begin(Raw::Ofpst13TableFeaturesRequest, OfVersion::V13, 1, &mut msg);
        msg.put_zeros(64);
        frame::finish(Raw::Ofpst13TableFeaturesRequest, 0, &mut msg).unwrap();
        frame::set_more(0, &mut msg);
        let f = Frame::parse(&msg).unwrap();
        assert!(parts.part(&f, 0).unwrap().is_none());
        assert_eq!(parts.poll_at(), Some(1000));
        assert!(parts.expire(999).is_empty());
        assert_eq!(parts.expire(1000), [1]);
        let n = (0..).find(|_| parts.part(&f, 0).is_err()).unwrap();
        assert_eq!(n, MAX_PENDING_BYTES / 64);
        assert_eq!(parts.bytes, 0);
    }
}
