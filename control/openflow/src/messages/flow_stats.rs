//! Flow and aggregate statistics: `OFPST_FLOW`, `OFPST_AGGREGATE` and Nicira's `NXST_` forms.

use crate::flow_text::flow_mod::{OFPG_ANY, TABLE_ALL};
use crate::flow_text::{FlowModFlags, FlowStats};
use crate::frame::Frame;
use crate::matching::{Match, ofp10_match, ofp11_match};
use crate::messages::action_lists::{decode_instructions, encode_actions, encode_instructions};
use crate::messages::duration::Duration;
use crate::messages::flow_mod::{decode_flags, encode_flags};
use crate::messages::flow_removed::unknown_to_zero;
use crate::messages::match_wire::{WITH_COOKIE, pull_nxm, put_nxm};
use crate::messages::oxs::Oxs;
use crate::messages::port::pull_port;
use crate::nxm::MatchOptions;
use crate::ofp_errors::OfpError;
use crate::ofp_port::OfPort;
use crate::raw::Raw;
use crate::version::OfVersion;
use crate::wire::{Put, Reader};

/// Which flows: the request of flow and of aggregate statistics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowStatsRequest {
    /// Flows at least as specific as this.
    pub matched: Match,
    /// With these bits in their cookie ...
    pub cookie: u64,
    /// ... where this has ones.
    pub cookie_mask: u64,
    /// With an output to this port; [`OfPort::NONE`] is no restriction.
    pub out_port: OfPort,
    /// With this group; [`OFPG_ANY`] is no restriction.
    pub out_group: u32,
    /// In this table; 255 is all.
    pub table_id: u8,
}

impl Default for FlowStatsRequest {
    fn default() -> Self {
        Self {
            matched: Match::catchall(),
            cookie: 0,
            cookie_mask: 0,
            out_port: OfPort::NONE,
            out_group: OFPG_ANY,
            table_id: TABLE_ALL,
        }
    }
}

fn is_nxst_request(raw: Raw) -> bool {
    matches!(raw, Raw::NxstFlowRequest | Raw::NxstAggregateRequest)
}

fn is_10_request(raw: Raw) -> bool {
    matches!(raw, Raw::Ofpst10FlowRequest | Raw::Ofpst10AggregateRequest)
}

impl FlowStatsRequest {
    pub(crate) fn decode(f: &Frame<'_>) -> Result<Self, OfpError> {
        let mut r = Reader::new(f.body, OfpError::OFPBRC_BAD_LEN);
        let mut request = Self::default();
        if is_nxst_request(f.raw) {
            request.out_port = OfPort(r.u16()?);
            let len = usize::from(r.u16()?);
            request.table_id = r.u8()?;
            r.skip(3)?;
            let d = pull_nxm(&mut r, len, WITH_COOKIE)?;
            (request.matched, request.cookie, request.cookie_mask) =
                (d.matched, d.cookie, d.cookie_mask);
            if !r.is_empty() {
                return Err(OfpError::OFPBRC_BAD_LEN);
            }
        } else if is_10_request(f.raw) {
            request.matched = ofp10_match::decode(&mut r)?;
            request.table_id = r.u8()?;
            r.skip(1)?;
            request.out_port = OfPort(r.u16()?);
        } else {
            request.table_id = r.u8()?;
            r.skip(3)?;
            request.out_port = pull_port(&mut r)?;
            request.out_group = r.u32()?;
            r.skip(4)?;
            (request.cookie, request.cookie_mask) = (r.u64()?, r.u64()?);
            request.matched = ofp11_match::decode_framed(&mut r)?;
        }
        Ok(request)
    }

    pub(crate) fn encode(&self, raw: Raw, v: OfVersion, out: &mut Vec<u8>) {
        if is_nxst_request(raw) {
            let start = out.len();
            out.put_u16(self.out_port.0);
            out.put_u16(0);
            out.put_u8(self.table_id);
            out.put_zeros(3);
            let cookie = (self.cookie_mask != 0).then_some((self.cookie, self.cookie_mask));
            let len = put_nxm(&self.matched, cookie, out);
            out.set_u16(start + 2, len);
        } else if is_10_request(raw) {
            ofp10_match::encode(&self.matched, out);
            out.put_u8(self.table_id);
            out.put_u8(0);
            out.put_u16(self.out_port.0);
        } else {
            out.put_u8(self.table_id);
            out.put_zeros(3);
            out.put_u32(self.out_port.to_ofp11());
            out.put_u32(self.out_group);
            out.put_zeros(4);
            out.put_u64(self.cookie);
            out.put_u64(self.cookie_mask);
            ofp11_match::encode_framed(&self.matched, v, out);
        }
    }
}

/// `OFPST_AGGREGATE` reply
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct AggregateStats {
    /// Packets; all ones when unknown.
    pub packet_count: u64,
    /// Bytes; all ones when unknown.
    pub byte_count: u64,
    /// Flows.
    pub flow_count: u32,
}

impl AggregateStats {
    pub(crate) fn decode(f: &Frame<'_>) -> Result<Self, OfpError> {
        let mut r = Reader::new(f.body, OfpError::OFPBRC_BAD_LEN);
        if f.raw == Raw::Ofpst15AggregateReply {
            let s = Oxs::pull(&mut r)?;
            return Ok(Self {
                packet_count: s.packet_count.unwrap_or(u64::MAX),
                byte_count: s.byte_count.unwrap_or(u64::MAX),
                flow_count: s.flow_count.unwrap_or(u32::MAX),
            });
        }
        Ok(Self { packet_count: r.u64()?, byte_count: r.u64()?, flow_count: r.u32()? })
    }

    pub(crate) fn encode(self, raw: Raw, v: OfVersion, out: &mut Vec<u8>) {
        if raw == Raw::Ofpst15AggregateReply {
            return Oxs {
                packet_count: Some(self.packet_count),
                byte_count: Some(self.byte_count),
                flow_count: Some(self.flow_count),
                ..Oxs::default()
            }
            .put(out);
        }
        let is_10 = v == OfVersion::V10 && raw == Raw::OfpstAggregateReply;
        let count = |n| if is_10 { unknown_to_zero(n) } else { n };
        out.put_u64(count(self.packet_count));
        out.put_u64(count(self.byte_count));
        out.put_u32(self.flow_count);
        out.put_zeros(4);
    }
}

fn from_std(d: std::time::Duration) -> Duration {
    Duration { sec: u32::try_from(d.as_secs()).unwrap_or(u32::MAX), nsec: d.subsec_nanos() }
}

fn to_std(d: Duration) -> std::time::Duration {
    std::time::Duration::from_secs(u64::from(d.sec))
        + std::time::Duration::from_nanos(u64::from(d.nsec))
}

/// Ages are sent plus one, so that 0 is "not known".
fn pull_age(r: &mut Reader<'_>) -> Result<Option<u32>, OfpError> {
    Ok(r.u16()?.checked_sub(1).map(u32::from))
}

fn put_age(age: Option<u32>, out: &mut Vec<u8>) {
    let age = age.map_or(0, |a| a.saturating_add(1));
    out.put_u16(u16::try_from(age).unwrap_or(u16::MAX));
}

fn empty() -> FlowStats {
    FlowStats {
        matched: Match::catchall(),
        cookie: 0,
        table_id: 0,
        priority: 0,
        idle_timeout: 0,
        hard_timeout: 0,
        duration: std::time::Duration::ZERO,
        idle_age: None,
        hard_age: None,
        packet_count: u64::MAX,
        byte_count: u64::MAX,
        flags: FlowModFlags::default(),
        importance: 0,
        actions: Vec::new(),
    }
}

/// Takes the next flow of a reply.
pub(crate) fn pull(r: &mut Reader<'_>, raw: Raw, v: OfVersion) -> Result<FlowStats, OfpError> {
    let bad = OfpError::OFPBRC_BAD_LEN;
    let len = usize::from(Reader::new(r.rest(), bad).u16()?);
    let mut r = r.sub(len)?;
    r.skip(2)?;
    let mut fs = empty();
    match raw {
        Raw::Ofpst10FlowReply => pull_10(&mut r, &mut fs)?,
        Raw::NxstFlowReply => pull_nxst(&mut r, &mut fs)?,
        Raw::Ofpst15FlowReply => pull_15(&mut r, &mut fs, v)?,
        _ => pull_11(&mut r, &mut fs, raw, v)?,
    }
    fs.actions = decode_instructions(r.rest(), v)?;
    Ok(fs)
}

fn pull_10(r: &mut Reader<'_>, fs: &mut FlowStats) -> Result<(), OfpError> {
    fs.table_id = r.u8()?;
    r.skip(1)?;
    fs.matched = ofp10_match::decode(r)?;
    fs.duration = to_std(Duration::pull(r)?);
    fs.priority = r.u16()?;
    (fs.idle_timeout, fs.hard_timeout) = (r.u16()?, r.u16()?);
    r.skip(6)?;
    fs.cookie = r.u64()?;
    (fs.packet_count, fs.byte_count) = (r.u64()?, r.u64()?);
    Ok(())
}

fn pull_11(r: &mut Reader<'_>, fs: &mut FlowStats, raw: Raw, v: OfVersion) -> Result<(), OfpError> {
    fs.table_id = r.u8()?;
    r.skip(1)?;
    fs.duration = to_std(Duration::pull(r)?);
    fs.priority = r.u16()?;
    (fs.idle_timeout, fs.hard_timeout) = (r.u16()?, r.u16()?);
    let flags = r.u16()?;
    let importance = r.u16()?;
    r.skip(2)?;
    fs.cookie = r.u64()?;
    (fs.packet_count, fs.byte_count) = (r.u64()?, r.u64()?);
    fs.matched = ofp11_match::decode_framed(r)?;
    if v >= OfVersion::V14 {
        fs.importance = importance;
    }
    if raw == Raw::Ofpst13FlowReply {
        fs.flags = decode_flags(flags, None, v)?;
    }
    Ok(())
}

fn pull_15(r: &mut Reader<'_>, fs: &mut FlowStats, v: OfVersion) -> Result<(), OfpError> {
    r.skip(2)?;
    fs.table_id = r.u8()?;
    r.skip(1)?;
    fs.priority = r.u16()?;
    (fs.idle_timeout, fs.hard_timeout) = (r.u16()?, r.u16()?);
    let flags = r.u16()?;
    fs.importance = r.u16()?;
    fs.cookie = r.u64()?;
    fs.matched = ofp11_match::decode_framed(r)?;
    let s = Oxs::pull(r)?;
    fs.duration = to_std(s.duration.unwrap_or_default());
    fs.idle_age = s.idle_time.map(|d| d.sec);
    fs.packet_count = s.packet_count.unwrap_or(u64::MAX);
    fs.byte_count = s.byte_count.unwrap_or(u64::MAX);
    fs.flags = decode_flags(flags, None, v)?;
    Ok(())
}

fn pull_nxst(r: &mut Reader<'_>, fs: &mut FlowStats) -> Result<(), OfpError> {
    fs.table_id = r.u8()?;
    r.skip(1)?;
    fs.duration = to_std(Duration::pull(r)?);
    fs.priority = r.u16()?;
    (fs.idle_timeout, fs.hard_timeout) = (r.u16()?, r.u16()?);
    let match_len = usize::from(r.u16()?);
    fs.idle_age = pull_age(r)?;
    fs.hard_age = pull_age(r)?;
    fs.cookie = r.u64()?;
    (fs.packet_count, fs.byte_count) = (r.u64()?, r.u64()?);
    if match_len.next_multiple_of(8) > r.len() {
        return Err(OfpError::OFPBRC_BAD_LEN);
    }
    fs.matched = pull_nxm(r, match_len, MatchOptions::default())?.matched;
    Ok(())
}

/// Appends a flow as an entry of a reply of form `raw`.
pub fn put(fs: &FlowStats, out: &mut Vec<u8>, raw: Raw, v: OfVersion) {
    let start = out.len();
    let duration = from_std(fs.duration);
    out.put_u16(0);
    match raw {
        Raw::Ofpst10FlowReply => {
            out.put_u8(fs.table_id);
            out.put_u8(0);
            ofp10_match::encode(&fs.matched, out);
            duration.put(out);
            out.put_u16(fs.priority);
            out.put_u16(fs.idle_timeout);
            out.put_u16(fs.hard_timeout);
            out.put_zeros(6);
            out.put_u64(fs.cookie);
            out.put_u64(unknown_to_zero(fs.packet_count));
            out.put_u64(unknown_to_zero(fs.byte_count));
            encode_actions(&fs.actions, v, out);
        }
        Raw::NxstFlowReply => {
            out.put_u8(fs.table_id);
            out.put_u8(0);
            duration.put(out);
            out.put_u16(fs.priority);
            out.put_u16(fs.idle_timeout);
            out.put_u16(fs.hard_timeout);
            let len_at = out.len();
            out.put_u16(0);
            put_age(fs.idle_age, out);
            put_age(fs.hard_age, out);
            out.put_u64(fs.cookie);
            out.put_u64(fs.packet_count);
            out.put_u64(fs.byte_count);
            let len = put_nxm(&fs.matched, None, out);
            out.set_u16(len_at, len);
            encode_actions(&fs.actions, v, out);
        }
        Raw::Ofpst15FlowReply => {
            out.put_zeros(2);
            out.put_u8(fs.table_id);
            out.put_u8(0);
            out.put_u16(fs.priority);
            out.put_u16(fs.idle_timeout);
            out.put_u16(fs.hard_timeout);
            out.put_u16(encode_flags(fs.flags, v));
            out.put_u16(fs.importance);
            out.put_u64(fs.cookie);
            ofp11_match::encode_framed(&fs.matched, v, out);
            Oxs {
                duration: Some(duration),
                idle_time: fs.idle_age.map(|sec| Duration { sec, nsec: 0 }),
                flow_count: None,
                packet_count: Some(fs.packet_count),
                byte_count: Some(fs.byte_count),
            }
            .put(out);
            encode_instructions(&fs.actions, v, out);
        }
        _ => {
            out.put_u8(fs.table_id);
            out.put_u8(0);
            duration.put(out);
            out.put_u16(fs.priority);
            out.put_u16(fs.idle_timeout);
            out.put_u16(fs.hard_timeout);
            let is_13 = raw == Raw::Ofpst13FlowReply;
            out.put_u16(if is_13 { encode_flags(fs.flags, v) } else { 0 });
            out.put_u16(if v >= OfVersion::V14 { fs.importance } else { 0 });
            out.put_zeros(2);
            out.put_u64(fs.cookie);
            out.put_u64(unknown_to_zero(fs.packet_count));
            out.put_u64(unknown_to_zero(fs.byte_count));
            ofp11_match::encode_framed(&fs.matched, v, out);
            encode_instructions(&fs.actions, v, out);
        }
    }
    out.set_u16(start, u16::try_from(out.len() - start).unwrap_or(u16::MAX));
}
