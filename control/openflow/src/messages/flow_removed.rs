//! `OFPT_FLOW_REMOVED`, `NXT_FLOW_REMOVED`: a flow with the flag `send_flow_rem` went away.

use crate::frame::Frame;
use crate::matching::{Match, ofp10_match, ofp11_match};
use crate::messages::duration::Duration;
use crate::messages::match_wire::{pull_nxm, put_nxm};
use crate::messages::oxs::Oxs;
use crate::nxm::MatchOptions;
use crate::ofp_errors::OfpError;
use crate::raw::Raw;
use crate::version::OfVersion;
use crate::wire::{Put, Reader};

/// Why a flow was removed.
#[expect(missing_docs, reason = "names of ofp_flow_removed_reason")]
pub mod removed_reason {
    pub const IDLE_TIMEOUT: u8 = 0;
    pub const HARD_TIMEOUT: u8 = 1;
    pub const DELETE: u8 = 2;
    pub const GROUP_DELETE: u8 = 3;
    pub const METER_DELETE: u8 = 4;
    pub const EVICTION: u8 = 5;

    /// The reason's word.
    #[must_use]
    pub fn name(reason: u8) -> Option<&'static str> {
        let names = ["idle", "hard", "delete", "group_delete", "meter_delete", "eviction"];
        names.get(usize::from(reason)).copied()
    }
}

/// Table number of a message that does not say one.
const NO_TABLE: u8 = 255;

/// A removed flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowRemoved {
    /// Its match.
    pub matched: Match,
    /// Its cookie.
    pub cookie: u64,
    /// Its priority.
    pub priority: u16,
    /// A value of [`removed_reason`].
    pub reason: u8,
    /// Its table, 255 when the message does not say.
    pub table_id: u8,
    /// How long it existed.
    pub duration: Duration,
    /// Its idle timeout, seconds.
    pub idle_timeout: u16,
    /// Its hard timeout, seconds (OpenFlow 1.2 and later).
    pub hard_timeout: u16,
    /// Packets that hit it.
    pub packet_count: u64,
    /// Bytes of these packets.
    pub byte_count: u64,
}

impl FlowRemoved {
    pub(crate) fn decode(f: &Frame<'_>) -> Result<Self, OfpError> {
        let mut r = Reader::new(f.body, OfpError::OFPBRC_BAD_LEN);
        match f.raw {
            Raw::Ofpt10FlowRemoved => Self::decode_10(&mut r),
            Raw::Ofpt15FlowRemoved => Self::decode_15(&mut r),
            raw => Self::decode_11(&mut r, raw),
        }
    }

    fn decode_10(r: &mut Reader<'_>) -> Result<Self, OfpError> {
        let matched = ofp10_match::decode(r)?;
        let cookie = r.u64()?;
        let priority = r.u16()?;
        let reason = r.u8()?;
        r.skip(1)?;
        let duration = Duration::pull(r)?;
        let idle_timeout = r.u16()?;
        r.skip(2)?;
        Ok(Self {
            matched,
            cookie,
            priority,
            reason,
            table_id: NO_TABLE,
            duration,
            idle_timeout,
            hard_timeout: 0,
            packet_count: r.u64()?,
            byte_count: r.u64()?,
        })
    }

    fn decode_15(r: &mut Reader<'_>) -> Result<Self, OfpError> {
        let table_id = r.u8()?;
        let reason = r.u8()?;
        let priority = r.u16()?;
        let (idle_timeout, hard_timeout) = (r.u16()?, r.u16()?);
        let cookie = r.u64()?;
        let matched = ofp11_match::decode_framed(r)?;
        let stats = Oxs::pull(r)?;
        Ok(Self {
            matched,
            cookie,
            priority,
            reason,
            table_id,
            duration: stats.duration.unwrap_or_default(),
            idle_timeout,
            hard_timeout,
            packet_count: stats.packet_count.unwrap_or(u64::MAX),
            byte_count: stats.byte_count.unwrap_or(u64::MAX),
        })
    }

    /// OpenFlow 1.1's form and Nicira's differ in the match, the table and one timeout.
    fn decode_11(r: &mut Reader<'_>, raw: Raw) -> Result<Self, OfpError> {
        let is_nxt = raw == Raw::NxtFlowRemoved;
        let cookie = r.u64()?;
        let priority = r.u16()?;
        let reason = r.u8()?;
        let table = r.u8()?;
        let duration = Duration::pull(r)?;
        let idle_timeout = r.u16()?;
        let hard_or_match_len = r.u16()?;
        let (packet_count, byte_count) = (r.u64()?, r.u64()?);
        let matched = if is_nxt {
            pull_nxm(r, usize::from(hard_or_match_len), MatchOptions::default())?.matched
        } else {
            ofp11_match::decode_framed(r)?
        };
        if is_nxt && !r.is_empty() {
            return Err(OfpError::OFPBRC_BAD_LEN);
        }
        Ok(Self {
            matched,
            cookie,
            priority,
            reason,
            table_id: if is_nxt { table.checked_sub(1).unwrap_or(NO_TABLE) } else { table },
            duration,
            idle_timeout,
            hard_timeout: if is_nxt { 0 } else { hard_or_match_len },
            packet_count,
            byte_count,
        })
    }

    pub(crate) fn encode(&self, raw: Raw, v: OfVersion, out: &mut Vec<u8>) {
        match raw {
            Raw::Ofpt10FlowRemoved => {
                ofp10_match::encode(&self.matched, out);
                out.put_u64(self.cookie);
                out.put_u16(self.priority);
                out.put_u8(self.reason_in(v));
                out.put_zeros(1);
                self.duration.put(out);
                out.put_u16(self.idle_timeout);
                out.put_zeros(2);
                out.put_u64(unknown_to_zero(self.packet_count));
                out.put_u64(unknown_to_zero(self.byte_count));
            }
            Raw::Ofpt15FlowRemoved => {
                out.put_u8(self.table_id);
                out.put_u8(self.reason_in(v));
                out.put_u16(self.priority);
                out.put_u16(self.idle_timeout);
                out.put_u16(self.hard_timeout);
                out.put_u64(self.cookie);
                ofp11_match::encode_framed(&self.matched, v, out);
                Oxs {
                    duration: Some(self.duration),
                    packet_count: Some(self.packet_count),
                    byte_count: Some(self.byte_count),
                    ..Oxs::default()
                }
                .put(out);
            }
            Raw::NxtFlowRemoved => {
                let start = out.len();
                self.put_11_head(self.table_id.wrapping_add(1), 0, v, out);
                let len = put_nxm(&self.matched, None, out);
                out.set_u16(start + 22, len);
            }
            _ => {
                self.put_11_head(self.table_id, self.hard_timeout, v, out);
                ofp11_match::encode_framed(&self.matched, v, out);
            }
        }
    }

    fn put_11_head(&self, table: u8, hard_timeout: u16, v: OfVersion, out: &mut Vec<u8>) {
        out.put_u64(self.cookie);
        out.put_u16(self.priority);
        out.put_u8(self.reason_in(v));
        out.put_u8(table);
        self.duration.put(out);
        out.put_u16(self.idle_timeout);
        out.put_u16(hard_timeout);
        out.put_u64(self.packet_count);
        out.put_u64(self.byte_count);
    }

    /// A reason that the version has not is told as "delete".
    fn reason_in(&self, v: OfVersion) -> u8 {
        let known = match v {
            OfVersion::V10 | OfVersion::V11 | OfVersion::V12 => removed_reason::DELETE,
            OfVersion::V13 => removed_reason::GROUP_DELETE,
            OfVersion::V14 | OfVersion::V15 => u8::MAX,
        };
        if self.reason <= known || self.reason > removed_reason::EVICTION {
            self.reason
        } else {
            removed_reason::DELETE
        }
    }
}

/// OpenFlow 1.0 has no "unknown" in its counters.
pub(crate) fn unknown_to_zero(count: u64) -> u64 {
    if count == u64::MAX { 0 } else { count }
}
