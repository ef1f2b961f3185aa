//! `learn`: making flows from packets.

use std::fmt;

use super::registers::parse_pair;
use crate::actions::action::{
    LearnAction, LearnDestination, LearnSource, LearnSpec, learn_flag as flag,
};
use crate::actions::format::Names;
use crate::actions::parse::{ParseContext, Parsed};
use crate::actions::raw::Body;
use crate::actions::table;
use crate::actions::{Action, Actions};
use crate::matching::match_format::DEFAULT_PRIORITY;
use crate::matching::{FieldValue, Match, Subfield};
use crate::nxm::entry;
use crate::nxm::header::has_short_form;
use crate::ofp_errors::OfpError;
use crate::value_text::field::{
    action_name, format_field, parse_field_exact, parse_wide_integer, wide_hex,
};
use crate::value_text::key_value::KeyValues;
use crate::value_text::number::{alt_hex, atoi, split_number};
use crate::value_text::{TextError, text_error};
use crate::version::OfVersion;
use crate::wire::{Put, Reader};

/// Header of a flow_mod_spec: what the source is ...
const SRC_IMMEDIATE: u16 = 1 << 13;
/// ... what becomes of it ...
const DST: u16 = 3 << 11;
const DST_MATCH: u16 = 0;
const DST_LOAD: u16 = 1 << 11;
const DST_OUTPUT: u16 = 2 << 11;
/// ... and how many bits it has.
const N_BITS: u16 = 0x3ff;

const BAD_ARGUMENT: OfpError = OfpError::OFPBAC_BAD_ARGUMENT;

fn decode_common(b: &mut Body<'_>) -> Result<LearnAction, OfpError> {
    let l = LearnAction {
        idle_timeout: b.r.u16()?,
        hard_timeout: b.r.u16()?,
        priority: b.r.u16()?,
        cookie: b.r.u64()?,
        flags: b.r.u16()?,
        table_id: b.r.u8()?,
        fin_idle_timeout: {
            b.r.zeros(1, BAD_ARGUMENT)?;
            b.r.u16()?
        },
        fin_hard_timeout: b.r.u16()?,
        limit: 0,
        result_dst: None,
        specs: Vec::new(),
    };
    if l.table_id == 255 { Err(BAD_ARGUMENT) } else { Ok(l) }
}

pub(crate) fn decode(b: &mut Body<'_>) -> Result<Action, OfpError> {
    let mut l = decode_common(b)?;
    if l.flags & !(flag::SEND_FLOW_REM | flag::DELETE_LEARNED) != 0 {
        return Err(BAD_ARGUMENT);
    }
    l.specs = decode_specs(&mut b.r)?;
    Ok(Action::Learn(Box::new(l)))
}

pub(crate) fn decode2(b: &mut Body<'_>) -> Result<Action, OfpError> {
    let mut l = decode_common(b)?;
    l.limit = b.r.u32()?;
    let ofs = b.r.u16()?;
    b.r.zeros(2, OfpError::NXBAC_MUST_BE_ZERO)?;
    if l.flags & !(flag::SEND_FLOW_REM | flag::DELETE_LEARNED | flag::WRITE_RESULT) != 0 {
        return Err(BAD_ARGUMENT);
    }
    if l.flags & flag::WRITE_RESULT != 0 {
        let field = entry::pull_header(&mut b.r)?;
        let dst = Subfield { field: field.id, ofs, n_bits: 1 };
        dst.check_dst(None)?;
        l.result_dst = Some(dst);
    } else if ofs != 0 {
        return Err(BAD_ARGUMENT);
    }
    l.specs = decode_specs(&mut b.r)?;
    Ok(Action::Learn(Box::new(l)))
}

fn decode_subfield(r: &mut Reader<'_>, n_bits: u16) -> Result<Subfield, OfpError> {
    let field = entry::field_of_u32(r.u32()?)?;
    Ok(Subfield { field: field.id, ofs: r.u16()?, n_bits })
}

fn decode_specs(r: &mut Reader<'_>) -> Result<Vec<LearnSpec>, OfpError> {
    let mut specs = Vec::new();
    while !r.is_empty() {
        let header = r.u16()?;
        if header == 0 {
            break;
        }
        let n_bits = header & N_BITS;
        if n_bits == 0 {
            // Only bits without a meaning are set: as a header of its own it would be padding.
            return Err(OfpError::OFPBAC_BAD_SET_LEN);
        }
        let immediate = header & SRC_IMMEDIATE != 0;
        let src = if immediate {
            let bytes = r.take(usize::from(n_bits).div_ceil(16) * 2)?;
            LearnSource::Immediate(FieldValue::from_bytes(bytes))
        } else {
            LearnSource::Field(decode_subfield(r, n_bits)?)
        };
        let dst = match header & DST {
            DST_MATCH => LearnDestination::Match(decode_subfield(r, n_bits)?),
            DST_LOAD => LearnDestination::Load(decode_subfield(r, n_bits)?),
            DST_OUTPUT if !immediate => LearnDestination::Output,
            _ => return Err(BAD_ARGUMENT),
        };
        specs.push(LearnSpec { n_bits, src, dst });
    }
    let n = r.len();
    r.zeros(n, BAD_ARGUMENT)?;
    Ok(specs)
}

fn put_subfield(b: &mut Vec<u8>, subfield: &Subfield) {
    b.put_u32(entry::u32_of_field(subfield.field.field()));
    b.put_u16(subfield.ofs);
}

pub(crate) fn encode(l: &LearnAction, v: OfVersion, out: &mut Vec<u8>) {
    let extended = l.limit != 0 || l.flags & flag::WRITE_RESULT != 0;
    let form = if extended { &table::LEARN2 } else { &table::LEARN };
    form.put(v, out, |b| {
        b.put_u16(l.idle_timeout);
        b.put_u16(l.hard_timeout);
        b.put_u16(l.priority);
        b.put_u64(l.cookie);
        b.put_u16(l.flags);
        b.put_u8(l.table_id);
        b.put_zeros(1);
        b.put_u16(l.fin_idle_timeout);
        b.put_u16(l.fin_hard_timeout);
        if extended {
            b.put_u32(l.limit);
            b.put_u16(l.result_dst.map_or(0, |d| d.ofs));
            b.put_zeros(2);
            if let Some(dst) = &l.result_dst {
                entry::put_header(dst.field.field(), None, b);
            }
        }
        for spec in &l.specs {
            let src = match spec.src {
                LearnSource::Field(_) => 0,
                LearnSource::Immediate(_) => SRC_IMMEDIATE,
            };
            let dst = match spec.dst {
                LearnDestination::Match(_) => DST_MATCH,
                LearnDestination::Load(_) => DST_LOAD,
                LearnDestination::Output => DST_OUTPUT,
            };
            b.put_u16(spec.n_bits | src | dst);
            match &spec.src {
                LearnSource::Field(src) => put_subfield(b, src),
                LearnSource::Immediate(value) => {
                    let n = usize::from(spec.n_bits).div_ceil(16) * 2;
                    b.extend_from_slice(value.resized(n).bytes());
                }
            }
            if let LearnDestination::Match(dst) | LearnDestination::Load(dst) = &spec.dst {
                put_subfield(b, dst);
            }
        }
    });
}

/// The immediate of a specification: as many bytes as its bits take on the wire.
fn immediate(value: &FieldValue, n_bits: u16) -> LearnSource {
    LearnSource::Immediate(value.resized(usize::from(n_bits).div_ceil(16) * 2))
}

fn short(full: &str, text: &str, subfield: Subfield) -> Result<Subfield, TextError> {
    if !has_short_form(subfield.field.field()) {
        text_error!("{full}: experimenter OXM field '{text}' not supported");
    }
    Ok(subfield)
}

fn parse_spec(
    full: &str,
    name: &str,
    value: &str,
    cx: &ParseContext<'_>,
) -> Result<LearnSpec, TextError> {
    match name {
        "load" => parse_load_spec(value),
        "output" => {
            let src = Subfield::parse(value)?;
            let n_bits = src.n_bits;
            Ok(LearnSpec { n_bits, src: LearnSource::Field(src), dst: LearnDestination::Output })
        }
        _ => match Subfield::parse(name) {
            Ok(dst) => parse_match_spec(full, name, dst, value, cx),
            Err(_) => text_error!("{full}: unknown keyword {name}"),
        },
    }
}

/// `DST=VALUE`, `DST=SRC`, `DST`
fn parse_match_spec(
    full: &str,
    name: &str,
    dst: Subfield,
    value: &str,
    cx: &ParseContext<'_>,
) -> Result<LearnSpec, TextError> {
    let dst = short(full, name, dst)?;
    let spec = |src| LearnSpec { n_bits: dst.n_bits, src, dst: LearnDestination::Match(dst) };
    if value.is_empty() {
        return Ok(spec(LearnSource::Field(dst)));
    }
    let not_a_field = match Subfield::parse(value) {
        Ok(src) if src.n_bits == dst.n_bits => return Ok(spec(LearnSource::Field(src))),
        Ok(src) => text_error!(
            "{full}: bit widths of {name} ({}) and {value} ({}) differ",
            src.n_bits,
            dst.n_bits
        ),
        Err(e) => e,
    };
    let not_a_value = match parse_immediate(full, dst, value, cx) {
        Ok(number) => return Ok(spec(immediate(&number, dst.n_bits))),
        Err(e) => e,
    };
    text_error!(
        "{full}: {name} value {value} cannot be parsed as a subfield ({not_a_field}) or an \
         immediate value ({not_a_value})"
    )
}

/// A value of a whole field in the field's own syntax, a number for a part of one.
fn parse_immediate(
    full: &str,
    dst: Subfield,
    value: &str,
    cx: &ParseContext<'_>,
) -> Result<FieldValue, TextError> {
    let field = dst.field.field();
    if dst.is_whole() {
        return parse_field_exact(field, value, cx.ports);
    }
    let Some(Ok((number, ""))) = parse_wide_integer(value, usize::from(field.bytes)) else {
        text_error!("{full}: cannot parse integer value: {value}")
    };
    let (n_bits, width) = (usize::from(dst.n_bits), 8 * usize::from(field.bytes));
    if !number.bits_are(n_bits, width - n_bits, false) {
        let value = format_field(field, &number, None, None);
        text_error!("{full}: value {value} does not fit into {n_bits} bits");
    }
    Ok(number)
}

/// `VALUE->DST`, `SRC->DST`
fn parse_load_spec(value: &str) -> Result<LearnSpec, TextError> {
    let is_number = value.find(['[', '-']).is_some_and(|i| value[i..].starts_with('-'))
        && value.starts_with(|c: char| c.is_ascii_digit());
    if !value.contains("->") {
        text_error!("load: missing `->' in `{value}'");
    }
    if !is_number {
        let (src, dst) = parse_pair(value)?;
        let n_bits = src.n_bits;
        return Ok(LearnSpec {
            n_bits,
            src: LearnSource::Field(src),
            dst: LearnDestination::Load(dst),
        });
    }
    let Some(Ok((number, rest))) = parse_wide_integer(value, 128) else {
        text_error!("{value}: too many bits in immediate value")
    };
    let Some(name) = rest.strip_prefix("->") else {
        text_error!("{value}: missing `->' following value")
    };
    let dst = short(value, name, Subfield::parse(name)?)?;
    let n_bits = usize::from(dst.n_bits);
    if !number.bits_are(n_bits, 8 * number.len() - n_bits.min(8 * number.len()), false) {
        text_error!("{value}: value does not fit into {n_bits} bits");
    }
    let src = immediate(&number, dst.n_bits);
    Ok(LearnSpec { n_bits: dst.n_bits, src, dst: LearnDestination::Load(dst) })
}

/// The low 16 bits of what a number begins with, as C's `atoi` reads it.
fn atoi16(s: &str) -> u16 {
    u16::try_from(atoi(s) & 0xffff).unwrap_or(0)
}

/// What a number in any base begins with, as C's `strtoull` reads it.
fn leading_number(s: &str) -> u64 {
    split_number(s).map_or(0, |(_, n, _)| u64::try_from(n).unwrap_or(u64::MAX))
}

pub(crate) fn parse(arg: &str, cx: &mut ParseContext<'_>, out: &mut Actions) -> Parsed {
    let mut l = LearnAction {
        idle_timeout: 0,
        hard_timeout: 0,
        fin_idle_timeout: 0,
        fin_hard_timeout: 0,
        priority: DEFAULT_PRIORITY,
        table_id: 1,
        flags: 0,
        cookie: 0,
        limit: 0,
        result_dst: None,
        specs: Vec::new(),
    };
    for (name, value) in KeyValues::new(arg) {
        match name {
            "table" => {
                l.table_id = match cx.table(value) {
                    None => text_error!("unknown table \"{value}\""),
                    Some(255) => {
                        text_error!("{arg}: table id 255 not valid for `learn' action")
                    }
                    Some(table) => table,
                }
            }
            "priority" => l.priority = atoi16(value),
            "idle_timeout" => l.idle_timeout = atoi16(value),
            "hard_timeout" => l.hard_timeout = atoi16(value),
            "fin_idle_timeout" => l.fin_idle_timeout = atoi16(value),
            "fin_hard_timeout" => l.fin_hard_timeout = atoi16(value),
            "cookie" => l.cookie = leading_number(value),
            "send_flow_rem" => l.flags |= flag::SEND_FLOW_REM,
            "delete_learned" => l.flags |= flag::DELETE_LEARNED,
            "limit" => l.limit = u32::try_from(atoi(value) & 0xffff_ffff).unwrap_or(0),
            "result_dst" => {
                l.flags |= flag::WRITE_RESULT;
                let dst = Subfield::parse(value)?;
                if !dst.field.field().writable {
                    text_error!("{value} is read-only");
                }
                if dst.n_bits != 1 {
                    text_error!("result_dst in 'learn' action must be a single bit");
                }
                l.result_dst = Some(dst);
            }
            _ => l.specs.push(parse_spec(arg, name, value, cx)?),
        }
    }
    out.push(Action::Learn(Box::new(l)));
    Ok(())
}

pub(crate) fn format(f: &mut fmt::Formatter<'_>, l: &LearnAction, names: Names<'_>) -> fmt::Result {
    write!(f, "learn(table={}", names.table(l.table_id))?;
    let numbers = [
        ("idle_timeout", l.idle_timeout, 0),
        ("hard_timeout", l.hard_timeout, 0),
        ("fin_idle_timeout", l.fin_idle_timeout, 0),
        ("fin_hard_timeout", l.fin_hard_timeout, 0),
        ("priority", l.priority, DEFAULT_PRIORITY),
    ];
    for (name, value, default) in numbers {
        if value != default {
            write!(f, ",{name}={value}")?;
        }
    }
    let words = [(flag::SEND_FLOW_REM, "send_flow_rem"), (flag::DELETE_LEARNED, "delete_learned")];
    for (_, word) in words.iter().filter(|(bit, _)| l.flags & bit != 0) {
        write!(f, ",{word}")?;
    }
    if l.cookie != 0 {
        write!(f, ",cookie={}", alt_hex(l.cookie.into()))?;
    }
    if l.limit != 0 {
        write!(f, ",limit={}", l.limit)?;
    }
    if let Some(dst) = &l.result_dst {
        write!(f, ",result_dst={dst}")?;
    }
    for spec in &l.specs {
        f.write_str(",")?;
        format_spec(f, spec, names)?;
    }
    f.write_str(")")
}

fn format_spec(f: &mut fmt::Formatter<'_>, spec: &LearnSpec, names: Names<'_>) -> fmt::Result {
    match (&spec.src, &spec.dst) {
        (LearnSource::Immediate(value), LearnDestination::Match(dst)) if dst.is_whole() => {
            let field = dst.field.field();
            let value = value.resized(usize::from(field.bytes));
            let text = format_field(field, &value, None, names.ports);
            write!(f, "{}={text}", action_name(field))
        }
        (LearnSource::Immediate(value), LearnDestination::Match(dst)) => {
            write!(f, "{dst}={}", wide_hex(value))
        }
        (LearnSource::Field(src), LearnDestination::Match(dst)) => {
            write!(f, "{dst}")?;
            if src == dst { Ok(()) } else { write!(f, "={src}") }
        }
        (LearnSource::Immediate(value), LearnDestination::Load(dst)) => {
            write!(f, "load:{}->{dst}", wide_hex(value))
        }
        (LearnSource::Field(src), LearnDestination::Load(dst)) => write!(f, "load:{src}->{dst}"),
        (LearnSource::Field(src), LearnDestination::Output) => write!(f, "output:{src}"),
        (LearnSource::Immediate(_), LearnDestination::Output) => Ok(()),
    }
}

/// Sources must be readable in the learning flow, destinations be possible in the learned one.
pub(crate) fn check(l: &LearnAction, matched: &Match) -> Result<(), OfpError> {
    let mut learned = Match::catchall();
    for spec in &l.specs {
        if let LearnSource::Field(src) = &spec.src {
            src.check_src(Some(matched))?;
        }
        match &spec.dst {
            LearnDestination::Match(dst) => {
                dst.check_src(Some(&learned))?;
                // Where a constant is matched, later fields may rely on it.
                if let LearnSource::Immediate(value) = &spec.src {
                    learned.set_subfield(dst, value);
                }
            }
            LearnDestination::Load(dst) => dst.check_dst(Some(&learned))?,
            LearnDestination::Output => {}
        }
    }
    Ok(())
}
