//! `delete_field` and `check_pkt_larger`.

use std::fmt;

use weir_flow::{Field, FieldId};

use super::set_field::split;
use crate::actions::parse::{ParseContext, Parsed};
use crate::actions::raw::Body;
use crate::actions::table;
use crate::actions::{Action, Actions};
use crate::matching::Subfield;
use crate::nxm::entry;
use crate::nxm::header::field_by_oxm_name;
use crate::ofp_errors::OfpError;
use crate::value_text::number::u16_named;
use crate::value_text::text_error;
use crate::version::OfVersion;
use crate::wire::Put;

pub(crate) fn decode_delete_field(b: &mut Body<'_>) -> Result<Action, OfpError> {
    Ok(Action::DeleteField(entry::pull_header(&mut b.r)?.id))
}

pub(crate) fn encode_delete_field(field: FieldId, v: OfVersion, out: &mut Vec<u8>) {
    table::DELETE_FIELD.put(v, out, |b| entry::put_header(field.field(), None, b));
}

pub(crate) fn parse_delete_field(arg: &str, _: &mut ParseContext<'_>, out: &mut Actions) -> Parsed {
    let field = field_by_oxm_name(arg).map(|(f, _)| f).or_else(|| Field::by_name(arg));
    let Some(field) = field else { text_error!("unknown field `{arg}'") };
    out.push(Action::DeleteField(field.id));
    Ok(())
}

pub(crate) fn decode_check_pkt_larger(b: &mut Body<'_>) -> Result<Action, OfpError> {
    let (pkt_len, ofs) = (b.r.u16()?, b.r.u16()?);
    let field = entry::pull_header(&mut b.r)?;
    b.rest_zero(OfpError::NXBRC_MUST_BE_ZERO)?;
    let dst = Subfield { field: field.id, ofs, n_bits: 1 };
    dst.check_dst(None)?;
    Ok(Action::CheckPktLarger { pkt_len, dst })
}

pub(crate) fn encode_check_pkt_larger(
    pkt_len: u16,
    dst: &Subfield,
    v: OfVersion,
    out: &mut Vec<u8>,
) {
    table::CHECK_PKT_LARGER.put(v, out, |b| {
        b.put_u16(pkt_len);
        b.put_u16(dst.ofs);
        entry::put_header(dst.field.field(), None, b);
    });
}

pub(crate) fn parse_check_pkt_larger(
    arg: &str,
    _: &mut ParseContext<'_>,
    out: &mut Actions,
) -> Parsed {
    let (len, name) = split(arg)?;
    let len = len.strip_suffix(')').unwrap_or(len);
    let dst = Subfield::parse(name)?;
    if dst.n_bits != 1 {
        text_error!("Only 1-bit destination field is allowed");
    }
    // The text of an error has no name for the number here.
    let pkt_len = u16_named(len, "(null)")?;
    out.push(Action::CheckPktLarger { pkt_len, dst });
    Ok(())
}

pub(crate) fn format_check_pkt_larger(
    f: &mut fmt::Formatter<'_>,
    pkt_len: u16,
    dst: &Subfield,
) -> fmt::Result {
    write!(f, "check_pkt_larger({pkt_len})->{dst}")
}
