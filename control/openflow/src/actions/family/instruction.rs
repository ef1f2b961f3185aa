//! Instructions: `meter`, `clear_actions`, `write_actions`, `write_metadata`, `goto_table`.

use super::resubmit;
use crate::actions::action::ResubmitForm;
use crate::actions::encode::{encode_actions, finish};
use crate::actions::parse::{ParseContext, Parsed, parse_nested};
use crate::actions::raw::Body;
use crate::actions::table;
use crate::actions::verify::Outer;
use crate::actions::{Action, Actions};
use crate::ofp_errors::OfpError;
use crate::ofp_port::OfPort;
use crate::protocol::Protocols;
use crate::value_text::number::{u32_arg, u64_arg};
use crate::value_text::text_error;
use crate::version::OfVersion;
use crate::wire::Put;

const OFPIT_GOTO_TABLE: u16 = 1;
const OFPIT_WRITE_METADATA: u16 = 2;
const OFPIT_WRITE_ACTIONS: u16 = 3;
pub(crate) const OFPIT_APPLY_ACTIONS: u16 = 4;
const OFPIT_CLEAR_ACTIONS: u16 = 5;
const OFPIT_METER: u16 = 6;

fn put_instruction(kind: u16, out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.put_u16(kind);
    out.put_u16(0);
    body(out);
    finish(out, start);
}

/// Writes an instruction with a list of actions; an empty list leaves it out.
pub(crate) fn put_action_list(kind: u16, actions: &[Action], v: OfVersion, out: &mut Vec<u8>) {
    let mut list = Vec::new();
    encode_actions(actions, v, &mut list);
    if !list.is_empty() {
        put_instruction(kind, out, |b| {
            b.put_zeros(4);
            b.extend_from_slice(&list);
        });
    }
}

/// An instruction in OpenFlow 1.3 and 1.4, an action since.
pub(crate) fn encode_meter(id: u32, v: OfVersion, out: &mut Vec<u8>) {
    match v {
        OfVersion::V10 | OfVersion::V11 | OfVersion::V12 => {}
        OfVersion::V13 | OfVersion::V14 => put_instruction(OFPIT_METER, out, |b| b.put_u32(id)),
        OfVersion::V15 => table::METER15.put_arg(v, out, 4, id.into()),
    }
}

pub(crate) fn parse_meter(arg: &str, cx: &mut ParseContext<'_>, out: &mut Actions) -> Parsed {
    cx.usable &= Protocols::OF13_UP;
    out.push(Action::Meter(u32_arg(arg)?));
    Ok(())
}

pub(crate) fn encode_clear_actions(v: OfVersion, out: &mut Vec<u8>) {
    if v > OfVersion::V10 {
        put_instruction(OFPIT_CLEAR_ACTIONS, out, |b| b.put_zeros(4));
    }
}

pub(crate) fn encode_write_actions(actions: &[Action], v: OfVersion, out: &mut Vec<u8>) {
    if v > OfVersion::V10 {
        put_action_list(OFPIT_WRITE_ACTIONS, actions, v, out);
    }
}

pub(crate) fn parse_write_actions(
    arg: &str,
    cx: &mut ParseContext<'_>,
    out: &mut Actions,
) -> Parsed {
    out.push(Action::WriteActions(parse_nested(arg, cx, false, Outer::WriteActions)?));
    Ok(())
}

/// Nicira's form, for OpenFlow 1.0.
pub(crate) fn decode_write_metadata(b: &mut Body<'_>) -> Result<Action, OfpError> {
    b.r.zeros(6, OfpError::NXBRC_MUST_BE_ZERO)?;
    Ok(Action::WriteMetadata { metadata: b.r.u64()?, mask: b.r.u64()? })
}

pub(crate) fn encode_write_metadata(metadata: u64, mask: u64, v: OfVersion, out: &mut Vec<u8>) {
    if v == OfVersion::V10 {
        table::WRITE_METADATA.put(v, out, |b| {
            b.put_zeros(6);
            b.put_u64(metadata);
            b.put_u64(mask);
        });
    } else {
        put_instruction(OFPIT_WRITE_METADATA, out, |b| {
            b.put_zeros(4);
            b.put_u64(metadata);
            b.put_u64(mask);
        });
    }
}

pub(crate) fn parse_write_metadata(
    arg: &str,
    cx: &mut ParseContext<'_>,
    out: &mut Actions,
) -> Parsed {
    cx.usable &= Protocols::NXM_OF11_UP;
    let (value, mask) = match arg.split_once('/') {
        Some((value, mask)) => (value, u64_arg(mask)?),
        None => (arg, u64::MAX),
    };
    out.push(Action::WriteMetadata { metadata: u64_arg(value)?, mask });
    Ok(())
}

/// In OpenFlow 1.0 a `resubmit` does what `goto_table` would.
pub(crate) fn encode_goto_table(table_id: u8, v: OfVersion, out: &mut Vec<u8>) {
    if v == OfVersion::V10 {
        resubmit::encode(OfPort::IN_PORT, table_id, ResubmitForm::Table, v, out);
    } else {
        put_instruction(OFPIT_GOTO_TABLE, out, |b| b.put_u8(table_id));
    }
}

pub(crate) fn parse_goto_table(arg: &str, cx: &mut ParseContext<'_>, out: &mut Actions) -> Parsed {
    let Some(table) = cx.table(arg) else { text_error!("unknown table \"{arg}\"") };
    out.push(Action::GotoTable(table));
    Ok(())
}
