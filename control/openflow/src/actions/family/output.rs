//! `output`, `enqueue`, `group`, `output(port=P,max_len=N)` and output to a register.

use std::fmt;

use crate::actions::check::{check_output_port, check_queue_port};
use crate::actions::format::Names;
use crate::actions::parse::{ParseContext, Parsed};
use crate::actions::raw::Body;
use crate::actions::table;
use crate::actions::{Action, Actions};
use crate::matching::Subfield;
use crate::nxm::entry;
use crate::nxm::header::has_short_form;
use crate::ofp_errors::OfpError;
use crate::ofp_port::OfPort;
use crate::value_text::key_value::KeyValues;
use crate::value_text::number::u32_arg;
use crate::value_text::text_error;
use crate::version::OfVersion;
use crate::wire::Put;

/// An Ethernet header: nothing is cut shorter.
const MIN_TRUNCATION: u32 = 14;

pub(crate) fn decode10(b: &mut Body<'_>) -> Result<Action, OfpError> {
    let (port, max_len) = (OfPort(b.r.u16()?), b.r.u16()?);
    check_output_port(port, OfPort::MAX)?;
    Ok(Action::Output { port, max_len })
}

pub(crate) fn decode11(b: &mut Body<'_>) -> Result<Action, OfpError> {
    let (port, max_len) = (b.r.u32()?, b.r.u16()?);
    let port = OfPort::from_ofp11(port).ok_or(OfpError::OFPBAC_BAD_OUT_PORT)?;
    check_output_port(port, OfPort::MAX)?;
    Ok(Action::Output { port, max_len })
}

pub(crate) fn encode(port: OfPort, max_len: u16, v: OfVersion, out: &mut Vec<u8>) {
    if v == OfVersion::V10 {
        table::OUTPUT10.put(v, out, |b| {
            b.put_u16(port.0);
            b.put_u16(max_len);
        });
    } else {
        table::OUTPUT11.put(v, out, |b| {
            b.put_u32(port.to_ofp11());
            b.put_u16(max_len);
        });
    }
}

pub(crate) fn format(
    f: &mut fmt::Formatter<'_>,
    port: OfPort,
    max_len: u16,
    names: Names<'_>,
) -> fmt::Result {
    if port < OfPort::MAX {
        f.write_str("output:")?;
    }
    f.write_str(&names.port(port))?;
    if port == OfPort::CONTROLLER { write!(f, ":{max_len}") } else { Ok(()) }
}

pub(crate) fn parse(arg: &str, cx: &mut ParseContext<'_>, out: &mut Actions) -> Parsed {
    if arg.contains("port") && arg.contains("max_len") {
        return parse_trunc(arg, cx, out);
    }
    if let Some(port) = OfPort::parse(arg, cx.ports) {
        let max_len = if port == OfPort::CONTROLLER { u16::MAX } else { 0 };
        out.push(Action::Output { port, max_len });
    } else if let Ok(src) = Subfield::parse(arg) {
        out.push(Action::OutputReg { src, max_len: u16::MAX });
    } else {
        text_error!("{arg}: output to unknown port");
    }
    Ok(())
}

fn parse_trunc(arg: &str, cx: &mut ParseContext<'_>, out: &mut Actions) -> Parsed {
    let (mut port, mut max_len) = (OfPort(0), 0);
    for (key, value) in KeyValues::new(arg) {
        match key {
            "port" => {
                let Some(p) = OfPort::parse(value, cx.ports) else {
                    text_error!("output to unknown truncate port: {value}")
                };
                if p > OfPort::MAX && !matches!(p, OfPort::LOCAL | OfPort::IN_PORT) {
                    text_error!("output to unsupported truncate port: {value}");
                }
                port = p;
            }
            "max_len" => {
                max_len = u32_arg(value)?;
                if max_len < MIN_TRUNCATION {
                    text_error!(
                        "max_len {max_len} is less than the minimum value {MIN_TRUNCATION}"
                    );
                }
            }
            _ => text_error!("invalid key '{key}' in output_trunc argument"),
        }
    }
    out.push(Action::OutputTrunc { port, max_len });
    Ok(())
}

pub(crate) fn decode_group(b: &mut Body<'_>) -> Result<Action, OfpError> {
    Ok(Action::Group(b.arg_u32()?))
}

pub(crate) fn encode_group(id: u32, v: OfVersion, out: &mut Vec<u8>) {
    table::GROUP.put_arg(v, out, 4, id.into());
}

pub(crate) fn parse_group(arg: &str, _: &mut ParseContext<'_>, out: &mut Actions) -> Parsed {
    out.push(Action::Group(u32_arg(arg)?));
    Ok(())
}

pub(crate) fn decode_enqueue(b: &mut Body<'_>) -> Result<Action, OfpError> {
    let port = OfPort(b.r.u16()?);
    b.r.skip(6)?;
    let queue = b.r.u32()?;
    check_queue_port(port, OfPort::MAX)?;
    Ok(Action::Enqueue { port, queue })
}

pub(crate) fn encode_enqueue(port: OfPort, queue: u32, v: OfVersion, out: &mut Vec<u8>) {
    if v == OfVersion::V10 {
        table::ENQUEUE.put(v, out, |b| {
            b.put_u16(port.0);
            b.put_zeros(6);
            b.put_u32(queue);
        });
    } else {
        table::SET_QUEUE.put_arg(v, out, 4, queue.into());
        encode(port, u16::MAX, v, out);
        table::POP_QUEUE.put_void(v, out);
    }
}

pub(crate) fn parse_enqueue(arg: &str, cx: &mut ParseContext<'_>, out: &mut Actions) -> Parsed {
    // Port and queue stand apart by any of these.
    let separators = [':', 'q', ','];
    let trimmed = arg.trim_start_matches(separators);
    let (port, queue) = match trimmed.split_once(separators) {
        Some((port, queue)) if !port.is_empty() && !queue.is_empty() => (port, queue),
        _ => text_error!("\"enqueue\" syntax is \"enqueue:PORT:QUEUE\" or \"enqueue(PORT,QUEUE)\""),
    };
    let Some(parsed) = OfPort::parse(port, cx.ports) else {
        text_error!("{port}: enqueue to unknown port")
    };
    out.push(Action::Enqueue { port: parsed, queue: u32_arg(queue)? });
    Ok(())
}

/// `(ofs << 6) | (n_bits - 1)`
pub(crate) fn ofs_nbits(subfield: &Subfield) -> u16 {
    subfield.ofs << 6 | (subfield.n_bits.wrapping_sub(1) & 0x3f)
}

/// A subfield of a field with its bits in the form of [`ofs_nbits`].
pub(crate) fn from_ofs_nbits(field: weir_flow::FieldId, ofs_nbits: u16) -> Subfield {
    Subfield { field, ofs: ofs_nbits >> 6, n_bits: (ofs_nbits & 0x3f) + 1 }
}

pub(crate) fn decode_reg(b: &mut Body<'_>) -> Result<Action, OfpError> {
    let bits = b.r.u16()?;
    let field = b.r.u32()?;
    let max_len = b.r.u16()?;
    b.rest_zero(OfpError::OFPBAC_BAD_ARGUMENT)?;
    let src = from_ofs_nbits(entry::field_of_u32(field)?.id, bits);
    src.check_src(None)?;
    Ok(Action::OutputReg { src, max_len })
}

pub(crate) fn decode_reg2(b: &mut Body<'_>) -> Result<Action, OfpError> {
    let (bits, max_len) = (b.r.u16()?, b.r.u16()?);
    let field = entry::pull_header(&mut b.r)?;
    b.rest_zero(OfpError::NXBRC_MUST_BE_ZERO)?;
    let src = from_ofs_nbits(field.id, bits);
    src.check_src(None)?;
    Ok(Action::OutputReg { src, max_len })
}

pub(crate) fn encode_reg(src: &Subfield, max_len: u16, v: OfVersion, out: &mut Vec<u8>) {
    let field = src.field.field();
    if has_short_form(field) {
        table::OUTPUT_REG.put(v, out, |b| {
            b.put_u16(ofs_nbits(src));
            b.put_u32(entry::u32_of_field(field));
            b.put_u16(max_len);
        });
    } else {
        table::OUTPUT_REG2.put(v, out, |b| {
            b.put_u16(ofs_nbits(src));
            b.put_u16(max_len);
            entry::put_header(field, None, b);
        });
    }
}

pub(crate) fn decode_trunc(b: &mut Body<'_>) -> Result<Action, OfpError> {
    let (port, max_len) = (OfPort(b.r.u16()?), b.r.u32()?);
    if max_len < MIN_TRUNCATION {
        return Err(OfpError::OFPBAC_BAD_ARGUMENT);
    }
    Ok(Action::OutputTrunc { port, max_len })
}

pub(crate) fn encode_trunc(port: OfPort, max_len: u32, v: OfVersion, out: &mut Vec<u8>) {
    table::OUTPUT_TRUNC.put(v, out, |b| {
        b.put_u16(port.0);
        b.put_u32(max_len);
    });
}
