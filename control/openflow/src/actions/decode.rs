//! Reading lists of actions and instructions from the wire.

use super::action_set;
use super::raw::{self, DecodeContext};
use super::table::WIRE_FORMS;
use super::verify::{self, Outer};
use super::{Action, Actions};
use crate::ofp_errors::OfpError;
use crate::print::hex_numbers;
use crate::version::OfVersion;
use crate::wire::Reader;

/// Reads actions until the end of `bytes`, without looking at their order.
pub(crate) fn decode_unverified(bytes: &[u8], cx: DecodeContext) -> Result<Actions, OfpError> {
    if cx.depth > raw::MAX_DEPTH {
        return Err(OfpError::OFPBAC_TOO_MANY);
    }
    let mut r = Reader::new(bytes, OfpError::OFPBAC_BAD_LEN);
    let mut actions = Actions::new();
    while !r.is_empty() {
        let at = bytes.len() - r.len();
        let action = raw::pull(&mut r, WIRE_FORMS, cx).inspect_err(|error| {
            if log::log_enabled!(target: "ofp_actions", log::Level::Warn) {
                let dump = hex_numbers(bytes);
                log::warn!(
                    target: "ofp_actions", "bad action at offset {at} ({error}):\n{}", dump.trim_end()
                );
            }
        })?;
        actions.push(action);
    }
    Ok(actions)
}

/// Reads a list of actions that stands inside of another action.
pub(crate) fn decode_nested(
    bytes: &[u8],
    cx: DecodeContext,
    outer: Outer,
) -> Result<Actions, OfpError> {
    if !bytes.len().is_multiple_of(8) {
        return Err(OfpError::OFPBRC_BAD_LEN);
    }
    let actions = decode_unverified(bytes, DecodeContext { depth: cx.depth + 1, ..cx })?;
    verify::verify_wire(&actions, cx.version, false, outer)?;
    Ok(actions)
}

/// Reads a list of actions (of a bucket, a packet-out, ...): all of `bytes`.
///
/// # Errors
/// `OFPBRC_BAD_LEN` for a length that is no multiple of 8, `OFPBAC_*`, `OFPBIC_UNSUP_INST`.
pub fn decode_actions(bytes: &[u8], cx: DecodeContext) -> Result<Actions, OfpError> {
    if !bytes.len().is_multiple_of(8) {
        log::warn!(
            target: "ofp_actions",
            "OpenFlow message actions length {} is not a multiple of 8", bytes.len()
        );
        return Err(OfpError::OFPBRC_BAD_LEN);
    }
    let actions = decode_unverified(bytes, cx)?;
    verify::verify_wire(&actions, cx.version, false, Outer::None)?;
    Ok(actions)
}

const OFPIT_GOTO_TABLE: u16 = 1;
const OFPIT_WRITE_METADATA: u16 = 2;
const OFPIT_WRITE_ACTIONS: u16 = 3;
const OFPIT_APPLY_ACTIONS: u16 = 4;
const OFPIT_CLEAR_ACTIONS: u16 = 5;
const OFPIT_METER: u16 = 6;
const OFPIT_EXPERIMENTER: u16 = 0xffff;

/// Instructions of a message, each at most once: the bytes after their headers.
#[derive(Default)]
struct Instructions<'a> {
    by_kind: [Option<&'a [u8]>; 7],
}

impl<'a> Instructions<'a> {
    fn read(bytes: &'a [u8], version: OfVersion) -> Result<Self, OfpError> {
        const BAD_LEN: OfpError = OfpError::OFPBIC_BAD_LEN;
        let mut all = Self::default();
        let mut r = Reader::new(bytes, BAD_LEN);
        while !r.is_empty() {
            let mut head = Reader::new(r.rest(), BAD_LEN);
            let (kind, len) = (head.u16()?, usize::from(head.u16()?));
            if !len.is_multiple_of(8) || len < 8 || len > r.len() {
                log::warn!(
                    target: "ofp_actions",
                    "bad instruction format at offset {}", bytes.len() - r.len()
                );
                return Err(BAD_LEN);
            }
            let body = &r.take(len)?[4..];
            let fits = match kind {
                OFPIT_GOTO_TABLE => len == 8,
                OFPIT_METER if version < OfVersion::V15 => len == 8,
                OFPIT_WRITE_METADATA => len == 24,
                OFPIT_WRITE_ACTIONS | OFPIT_APPLY_ACTIONS | OFPIT_CLEAR_ACTIONS => true,
                OFPIT_EXPERIMENTER => return Err(OfpError::OFPBIC_BAD_EXPERIMENTER),
                _ => return Err(OfpError::OFPBIC_UNKNOWN_INST),
            };
            if !fits {
                return Err(BAD_LEN);
            }
            let Some(place) = all.by_kind.get_mut(usize::from(kind)) else {
                return Err(OfpError::OFPBIC_UNKNOWN_INST);
            };
            if place.replace(body).is_some() {
                return Err(OfpError::OFPBIC_DUP_INST);
            }
        }
        Ok(all)
    }

    fn get(&self, kind: u16) -> Option<Reader<'a>> {
        let body = self.by_kind.get(usize::from(kind)).copied().flatten()?;
        Some(Reader::new(body, OfpError::OFPBIC_BAD_LEN))
    }
}

/// Reads the instructions of a flow: all of `bytes`. In OpenFlow 1.0 they are a list of actions.
///
/// # Errors
/// `OFPBIC_*` and `OFPBAC_*`.
pub fn decode_instructions(bytes: &[u8], cx: DecodeContext) -> Result<Actions, OfpError> {
    if cx.version == OfVersion::V10 {
        if !bytes.len().is_multiple_of(8) {
            return Err(OfpError::OFPBRC_BAD_LEN);
        }
        let actions = decode_unverified(bytes, cx)?;
        verify::verify_wire(&actions, cx.version, true, Outer::None)?;
        return Ok(actions);
    }
    if !bytes.len().is_multiple_of(8) {
        log::warn!(
            target: "ofp_actions",
            "OpenFlow message instructions length {} is not a multiple of 8", bytes.len()
        );
        return Err(OfpError::OFPBIC_BAD_LEN);
    }
    let all = Instructions::read(bytes, cx.version)?;
    let mut actions = Actions::new();
    if let Some(mut r) = all.get(OFPIT_METER) {
        actions.push(Action::Meter(r.u32()?));
    }
    if let Some(mut r) = all.get(OFPIT_APPLY_ACTIONS) {
        r.skip(4)?;
        actions.extend(decode_unverified(r.rest(), cx)?);
    }
    if all.get(OFPIT_CLEAR_ACTIONS).is_some() {
        actions.push(Action::ClearActions);
    }
    if let Some(mut r) = all.get(OFPIT_WRITE_ACTIONS) {
        r.skip(4)?;
        let nested = decode_unverified(r.rest(), cx)?;
        if !nested.iter().all(action_set::is_allowed) {
            log::warn!(target: "ofp_actions", "disallowed action in action set");
            return Err(OfpError::OFPBAC_BAD_TYPE);
        }
        actions.push(Action::WriteActions(nested));
    }
    if let Some(mut r) = all.get(OFPIT_WRITE_METADATA) {
        r.skip(4)?;
        actions.push(Action::WriteMetadata { metadata: r.u64()?, mask: r.u64()? });
    }
    if let Some(mut r) = all.get(OFPIT_GOTO_TABLE) {
        actions.push(Action::GotoTable(r.u8()?));
    }
    verify::verify_wire(&actions, cx.version, true, Outer::None)?;
    Ok(actions)
}
