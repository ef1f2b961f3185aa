//! `controller`: a copy of the packet to controllers, with what they are to know.

use std::fmt;

use crate::actions::action::ControllerAction;
use crate::actions::parse::{ParseContext, Parsed};
use crate::actions::raw::Body;
use crate::actions::table;
use crate::actions::{Action, Actions};
use crate::ofp_errors::OfpError;
use crate::ofp_port::OfPort;
use crate::value_text::key_value::KeyValues;
use crate::value_text::number::{dotted_hex, hex_bytes, u16_named, u32_arg};
use crate::value_text::text_error;
use crate::version::OfVersion;
use crate::wire::{Put, Reader};

/// `OFPR_ACTION`, the reason that needs no saying.
const OFPR_ACTION: u8 = 1;

/// Names of the packet-in reasons, by number.
const REASONS: [&str; 6] =
    ["no_match", "action", "invalid_ttl", "action_set", "group", "packet_out"];

/// `NXAC2PT_*`: properties of `NXAST_CONTROLLER2`.
mod property {
    pub(super) const MAX_LEN: u16 = 0;
    pub(super) const CONTROLLER_ID: u16 = 1;
    pub(super) const REASON: u16 = 2;
    pub(super) const USERDATA: u16 = 3;
    pub(super) const PAUSE: u16 = 4;
    pub(super) const METER_ID: u16 = 5;
}

pub(crate) fn decode(b: &mut Body<'_>) -> Result<Action, OfpError> {
    let (max_len, controller_id, reason) = (b.r.u16()?, b.r.u16()?, b.r.u8()?);
    let rest = ControllerAction::default();
    let c = ControllerAction { max_len, controller_id, reason, ..rest };
    Ok(Action::Controller(Box::new(c)))
}

pub(crate) fn decode2(b: &mut Body<'_>) -> Result<Action, OfpError> {
    const BAD_LEN: OfpError = OfpError::OFPBPC_BAD_LEN;
    b.r.zeros(6, OfpError::NXBRC_MUST_BE_ZERO)?;
    let mut c = ControllerAction { as_properties: true, ..ControllerAction::default() };
    let mut r = Reader::new(b.r.rest(), BAD_LEN);
    while !r.is_empty() {
        let mut head = r.clone();
        let (kind, len) = (head.u16()?, usize::from(head.u16()?));
        let padded = r.take(len.next_multiple_of(8))?;
        let payload = padded.get(4..len).ok_or(BAD_LEN)?;
        let mut p = Reader::new(payload, BAD_LEN);
        match kind {
            property::MAX_LEN => c.max_len = p.u16()?,
            property::CONTROLLER_ID => c.controller_id = p.u16()?,
            property::REASON => c.reason = p.u8()?,
            property::USERDATA => c.userdata = p.take(payload.len())?.to_vec(),
            property::PAUSE => c.pause = true,
            property::METER_ID => c.meter_id = Some(p.u32()?).filter(|m| *m != 0),
            _ => return Err(OfpError::OFPBPC_BAD_TYPE),
        }
        // What follows a number is padding, which some senders count.
    }
    Ok(Action::Controller(Box::new(c)))
}

/// Writes a property of 16 bits, whose length counts the padding.
fn put_property_u16(out: &mut Vec<u8>, kind: u16, value: u16) {
    let [high, low] = value.to_be_bytes();
    put_property(out, kind, &[high, low, 0, 0]);
}

fn put_property(out: &mut Vec<u8>, kind: u16, payload: &[u8]) {
    let start = out.len();
    out.put_u16(kind);
    out.put_u16(u16::try_from(payload.len() + 4).unwrap_or(u16::MAX));
    out.extend_from_slice(payload);
    out.pad_to(start, 8);
}

pub(crate) fn encode(c: &ControllerAction, v: OfVersion, out: &mut Vec<u8>) {
    if !c.as_properties && c.userdata.is_empty() && !c.pause && c.meter_id.is_none() {
        table::CONTROLLER.put(v, out, |b| {
            b.put_u16(c.max_len);
            b.put_u16(c.controller_id);
            b.put_u8(c.reason);
        });
        return;
    }
    table::CONTROLLER2.put(v, out, |b| {
        b.put_zeros(6);
        if c.max_len != u16::MAX {
            put_property_u16(b, property::MAX_LEN, c.max_len);
        }
        if c.controller_id != 0 {
            put_property_u16(b, property::CONTROLLER_ID, c.controller_id);
        }
        if c.reason != OFPR_ACTION {
            put_property(b, property::REASON, &[c.reason]);
        }
        if !c.userdata.is_empty() {
            put_property(b, property::USERDATA, &c.userdata);
        }
        if c.pause {
            put_property(b, property::PAUSE, &[]);
        }
        if let Some(meter) = c.meter_id {
            put_property(b, property::METER_ID, &meter.to_be_bytes());
        }
    });
}

pub(crate) fn parse(arg: &str, _: &mut ParseContext<'_>, out: &mut Actions) -> Parsed {
    let mut c = ControllerAction::default();
    let mut has_userdata = false;
    if !arg.is_empty() && arg.bytes().all(|b| b.is_ascii_digit()) {
        c.max_len = u16_named(arg, "max_len")?;
    } else {
        for (key, value) in KeyValues::new(arg) {
            match key {
                "reason" => {
                    let known = REASONS.iter().position(|r| r.eq_ignore_ascii_case(value));
                    let Some(reason) = known.and_then(|n| u8::try_from(n).ok()) else {
                        text_error!("unknown reason \"{value}\"")
                    };
                    c.reason = reason;
                }
                "max_len" => c.max_len = u16_named(value, "max_len")?,
                "id" => c.controller_id = u16_named(value, "id")?,
                "userdata" => {
                    let (bytes, rest) = hex_bytes(value);
                    if !rest.is_empty() {
                        text_error!("bad hex digit in `controller' action `userdata'");
                    }
                    has_userdata = true;
                    c.userdata = bytes;
                }
                "pause" => c.pause = true,
                "meter_id" => c.meter_id = Some(u32_arg(value)?).filter(|m| *m != 0),
                _ => text_error!("unknown key \"{key}\" parsing controller action"),
            }
        }
    }
    let plain = c.reason == OFPR_ACTION && c.controller_id == 0 && !has_userdata;
    out.push(if plain && !c.pause && c.meter_id.is_none() {
        Action::Output { port: OfPort::CONTROLLER, max_len: c.max_len }
    } else {
        Action::Controller(Box::new(c))
    });
    Ok(())
}

pub(crate) fn format(f: &mut fmt::Formatter<'_>, c: &ControllerAction) -> fmt::Result {
    let plain = c.reason == OFPR_ACTION && c.controller_id == 0 && c.userdata.is_empty();
    if plain && !c.pause && c.meter_id.is_none() {
        return write!(f, "CONTROLLER:{}", c.max_len);
    }
    let mut parts = Vec::new();
    if c.reason != OFPR_ACTION {
        let name = REASONS.get(usize::from(c.reason));
        let name = name.map_or_else(|| c.reason.to_string(), |n| (*n).to_owned());
        parts.push(format!("reason={name}"));
    }
    if c.max_len != u16::MAX {
        parts.push(format!("max_len={}", c.max_len));
    }
    if c.controller_id != 0 {
        parts.push(format!("id={}", c.controller_id));
    }
    if !c.userdata.is_empty() {
        parts.push(format!("userdata={}", dotted_hex(&c.userdata)));
    }
    if c.pause {
        parts.push("pause".to_owned());
    }
    if let Some(meter) = c.meter_id {
        parts.push(format!("meter_id={meter}"));
    }
    write!(f, "controller({})", parts.join(","))
}
