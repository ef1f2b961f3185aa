//! `sample`: packets for IPFIX and local sampling.

use std::fmt;

use super::output::{from_ofs_nbits, ofs_nbits};
use crate::actions::action::{NumberOrField, SampleAction, SampleDirection};
use crate::actions::format::Names;
use crate::actions::parse::{ParseContext, Parsed};
use crate::actions::raw::Body;
use crate::actions::table;
use crate::actions::{Action, Actions};
use crate::matching::Subfield;
use crate::nxm::entry;
use crate::ofp_errors::OfpError;
use crate::ofp_port::OfPort;
use crate::value_text::key_value::KeyValues;
use crate::value_text::number::{u16_named, u32_arg};
use crate::value_text::{TextError, text_error};
use crate::version::OfVersion;
use crate::wire::Put;

fn finish(s: SampleAction) -> Result<Action, OfpError> {
    if s.probability == 0 {
        return Err(OfpError::OFPBAC_BAD_ARGUMENT);
    }
    Ok(Action::Sample(Box::new(s)))
}

fn decode_numbers(b: &mut Body<'_>) -> Result<SampleAction, OfpError> {
    Ok(SampleAction {
        probability: b.r.u16()?,
        collector_set_id: b.r.u32()?,
        obs_domain_id: NumberOrField::Number(b.r.u32()?),
        obs_point_id: NumberOrField::Number(b.r.u32()?),
        sampling_port: OfPort::NONE,
        direction: SampleDirection::Default,
    })
}

fn decode_direction(b: &mut Body<'_>) -> Result<SampleDirection, OfpError> {
    let direction = match b.r.u8()? {
        0 => SampleDirection::Default,
        1 => SampleDirection::Ingress,
        2 => SampleDirection::Egress,
        n => {
            log::warn!(target: "ofp_actions", "invalid sample direction {n}");
            return Err(OfpError::OFPBAC_BAD_ARGUMENT);
        }
    };
    b.r.zeros(5, OfpError::NXBRC_MUST_BE_ZERO)?;
    Ok(direction)
}

pub(crate) fn decode(b: &mut Body<'_>) -> Result<Action, OfpError> {
    finish(decode_numbers(b)?)
}

pub(crate) fn decode2(b: &mut Body<'_>) -> Result<Action, OfpError> {
    let mut s = decode_numbers(b)?;
    s.sampling_port = OfPort(b.r.u16()?);
    finish(s)
}

pub(crate) fn decode3(b: &mut Body<'_>) -> Result<Action, OfpError> {
    let mut s = decode_numbers(b)?;
    s.sampling_port = OfPort(b.r.u16()?);
    s.direction = decode_direction(b)?;
    finish(s)
}

/// A field's header and bits, or zero and a number.
fn decode_source(b: &mut Body<'_>) -> Result<NumberOrField, OfpError> {
    let header = b.r.u32()?;
    if header == 0 {
        return Ok(NumberOrField::Number(b.r.u32()?));
    }
    let bits = b.r.u16()?;
    b.r.skip(2)?;
    let src = from_ofs_nbits(entry::field_of_u32(header)?.id, bits);
    src.check_src(None)?;
    if src.n_bits > 32 {
        return Err(OfpError::OFPBAC_BAD_SET_LEN);
    }
    Ok(NumberOrField::Field(src))
}

pub(crate) fn decode4(b: &mut Body<'_>) -> Result<Action, OfpError> {
    finish(SampleAction {
        probability: b.r.u16()?,
        collector_set_id: b.r.u32()?,
        obs_domain_id: decode_source(b)?,
        obs_point_id: decode_source(b)?,
        sampling_port: OfPort(b.r.u16()?),
        direction: decode_direction(b)?,
    })
}

fn put_source(b: &mut Vec<u8>, source: NumberOrField) {
    match source {
        NumberOrField::Number(n) => {
            b.put_u32(0);
            b.put_u32(n);
        }
        NumberOrField::Field(src) => {
            b.put_u32(entry::u32_of_field(src.field.field()));
            b.put_u16(ofs_nbits(&src));
            b.put_zeros(2);
        }
    }
}

pub(crate) fn encode(s: &SampleAction, v: OfVersion, out: &mut Vec<u8>) {
    let (NumberOrField::Number(domain), NumberOrField::Number(point)) =
        (s.obs_domain_id, s.obs_point_id)
    else {
        table::SAMPLE4.put(v, out, |b| {
            b.put_u16(s.probability);
            b.put_u32(s.collector_set_id);
            put_source(b, s.obs_domain_id);
            put_source(b, s.obs_point_id);
            b.put_u16(s.sampling_port.0);
            b.put_u8(s.direction as u8);
        });
        return;
    };
    let has_direction = s.direction != SampleDirection::Default;
    let has_port = s.sampling_port != OfPort::NONE;
    let form = if has_direction {
        &table::SAMPLE3
    } else if has_port {
        &table::SAMPLE2
    } else {
        &table::SAMPLE
    };
    form.put(v, out, |b| {
        b.put_u16(s.probability);
        b.put_u32(s.collector_set_id);
        b.put_u32(domain);
        b.put_u32(point);
        if has_direction || has_port {
            b.put_u16(s.sampling_port.0);
            b.put_u8(s.direction as u8);
        }
    });
}

fn parse_source(s: &str) -> Result<NumberOrField, TextError> {
    match u32_arg(s) {
        Ok(n) => Ok(NumberOrField::Number(n)),
        Err(error) => match Subfield::parse(s) {
            Ok(src) if src.n_bits > 32 => {
                text_error!("size of field ({}) exceeds 32 bits", src.n_bits)
            }
            Ok(src) => Ok(NumberOrField::Field(src)),
            Err(_) => Err(error),
        },
    }
}

pub(crate) fn parse(arg: &str, cx: &mut ParseContext<'_>, out: &mut Actions) -> Parsed {
    let mut s = SampleAction {
        probability: 0,
        collector_set_id: 0,
        obs_domain_id: NumberOrField::Number(0),
        obs_point_id: NumberOrField::Number(0),
        sampling_port: OfPort::NONE,
        direction: SampleDirection::Default,
    };
    for (key, value) in KeyValues::new(arg) {
        match key {
            "probability" => {
                s.probability = u16_named(value, "probability")?;
                if s.probability == 0 {
                    text_error!("invalid probability value \"{value}\"");
                }
            }
            "collector_set_id" => s.collector_set_id = u32_arg(value)?,
            "obs_domain_id" => s.obs_domain_id = parse_source(value)?,
            "obs_point_id" => s.obs_point_id = parse_source(value)?,
            "sampling_port" => {
                let Some(port) = OfPort::parse(value, cx.ports) else {
                    text_error!("{value}: unknown port")
                };
                s.sampling_port = port;
            }
            "ingress" => s.direction = SampleDirection::Ingress,
            "egress" => s.direction = SampleDirection::Egress,
            _ => text_error!("invalid key \"{key}\" in \"sample\" argument"),
        }
    }
    if s.probability == 0 {
        text_error!("non-zero \"probability\" must be specified on sample");
    }
    out.push(Action::Sample(Box::new(s)));
    Ok(())
}

pub(crate) fn format(
    f: &mut fmt::Formatter<'_>,
    s: &SampleAction,
    names: Names<'_>,
) -> fmt::Result {
    let source = |n: NumberOrField| match n {
        NumberOrField::Number(n) => n.to_string(),
        NumberOrField::Field(src) => src.to_string(),
    };
    write!(
        f,
        "sample(probability={},collector_set_id={},obs_domain_id={},obs_point_id={}",
        s.probability,
        s.collector_set_id,
        source(s.obs_domain_id),
        source(s.obs_point_id)
    )?;
    if s.sampling_port != OfPort::NONE {
        write!(f, ",sampling_port={}", names.port(s.sampling_port))?;
    }
    f.write_str(match s.direction {
        SampleDirection::Default => ")",
        SampleDirection::Ingress => ",ingress)",
        SampleDirection::Egress => ",egress)",
    })
}
