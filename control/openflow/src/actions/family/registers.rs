//! `move`, `push`, `pop`: bits from one field to another, or to and from the stack.

use crate::actions::parse::{ParseContext, Parsed};
use crate::actions::raw::{Body, Raw};
use crate::actions::table;
use crate::actions::{Action, Actions};
use crate::matching::Subfield;
use crate::nxm::entry;
use crate::ofp_errors::OfpError;
use crate::value_text::{TextError, text_error};
use crate::version::OfVersion;
use crate::wire::Put;

fn decode_fields(b: &mut Body<'_>, has_padding: bool, onf: bool) -> Result<Action, OfpError> {
    let (n_bits, src_ofs, dst_ofs) = (b.r.u16()?, b.r.u16()?, b.r.u16()?);
    if has_padding {
        b.r.skip(2)?;
    }
    let src = entry::pull_header(&mut b.r)?;
    let dst = entry::pull_header(&mut b.r)?;
    b.rest_zero(OfpError::NXBRC_MUST_BE_ZERO)?;
    let src = Subfield { field: src.id, ofs: src_ofs, n_bits };
    let dst = Subfield { field: dst.id, ofs: dst_ofs, n_bits };
    src.check_src(None)?;
    dst.check_dst(None)?;
    Ok(Action::RegMove { src, dst, onf })
}

pub(crate) fn decode_copy_field(b: &mut Body<'_>) -> Result<Action, OfpError> {
    decode_fields(b, true, false)
}

pub(crate) fn decode_onf_copy_field(b: &mut Body<'_>) -> Result<Action, OfpError> {
    b.r.skip(2)?;
    decode_fields(b, true, true)
}

pub(crate) fn decode_reg_move(b: &mut Body<'_>) -> Result<Action, OfpError> {
    decode_fields(b, false, false)
}

/// Every version before 1.5 knows Nicira's form; it is what older switches understand. The ONF's form
/// is kept only in OpenFlow 1.3, for which it was made.
pub(crate) fn encode_move(
    src: &Subfield,
    dst: &Subfield,
    onf: bool,
    v: OfVersion,
    out: &mut Vec<u8>,
) {
    let (form, names, padding): (&Raw, _, _) = match v {
        OfVersion::V15 => (&table::COPY_FIELD15, Some(v), [0, 2]),
        OfVersion::V13 if onf => (&table::COPY_FIELD_ONF, Some(v), [2, 2]),
        _ => (&table::REG_MOVE, None, [0, 0]),
    };
    form.put(v, out, |b| {
        b.put_zeros(padding[0]);
        b.put_u16(dst.n_bits);
        b.put_u16(src.ofs);
        b.put_u16(dst.ofs);
        b.put_zeros(padding[1]);
        entry::put_header(src.field.field(), names, b);
        entry::put_header(dst.field.field(), names, b);
    });
}

/// `SRC->DST`
pub(crate) fn parse_pair(s: &str) -> Result<(Subfield, Subfield), TextError> {
    let (src, rest) = Subfield::parse_prefix(s)?;
    let Some(dst) = rest.strip_prefix("->") else {
        text_error!("{s}: missing `->' following source")
    };
    let dst = Subfield::parse(dst)?;
    if src.n_bits != dst.n_bits {
        text_error!(
            "{s}: source field is {} bits wide but destination is {} bits wide",
            src.n_bits,
            dst.n_bits
        );
    }
    Ok((src, dst))
}

pub(crate) fn parse_move(arg: &str, _: &mut ParseContext<'_>, out: &mut Actions) -> Parsed {
    let (src, dst) = parse_pair(arg)?;
    out.push(Action::RegMove { src, dst, onf: false });
    Ok(())
}

fn decode_stack(b: &mut Body<'_>) -> Result<Subfield, OfpError> {
    let ofs = b.r.u16()?;
    let field = entry::pull_header(&mut b.r)?;
    let n_bits = b.r.u16()?;
    b.rest_zero(OfpError::NXBRC_MUST_BE_ZERO)?;
    Ok(Subfield { field: field.id, ofs, n_bits })
}

pub(crate) fn decode_push(b: &mut Body<'_>) -> Result<Action, OfpError> {
    let subfield = decode_stack(b)?;
    subfield.check_src(None)?;
    Ok(Action::StackPush(subfield))
}

pub(crate) fn decode_pop(b: &mut Body<'_>) -> Result<Action, OfpError> {
    let subfield = decode_stack(b)?;
    subfield.check_dst(None)?;
    Ok(Action::StackPop(subfield))
}

fn encode_stack(form: &Raw, subfield: &Subfield, v: OfVersion, out: &mut Vec<u8>) {
    form.put(v, out, |b| {
        b.put_u16(subfield.ofs);
        entry::put_header(subfield.field.field(), None, b);
        b.put_u16(subfield.n_bits);
    });
}

pub(crate) fn encode_push(subfield: &Subfield, v: OfVersion, out: &mut Vec<u8>) {
    encode_stack(&table::STACK_PUSH, subfield, v, out);
}

pub(crate) fn encode_pop(subfield: &Subfield, v: OfVersion, out: &mut Vec<u8>) {
    encode_stack(&table::STACK_POP, subfield, v, out);
}

fn parse_stack(arg: &str) -> Result<Subfield, TextError> {
    match Subfield::parse_prefix(arg)? {
        (subfield, "") => Ok(subfield),
        (_, rest) => text_error!("{rest}: trailing garbage following push or pop"),
    }
}

pub(crate) fn parse_push(arg: &str, _: &mut ParseContext<'_>, out: &mut Actions) -> Parsed {
    out.push(Action::StackPush(parse_stack(arg)?));
    Ok(())
}

pub(crate) fn parse_pop(arg: &str, _: &mut ParseContext<'_>, out: &mut Actions) -> Parsed {
    out.push(Action::StackPop(parse_stack(arg)?));
    Ok(())
}
