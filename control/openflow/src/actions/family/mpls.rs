//! MPLS: labels, classes, TTLs, pushing and popping.

use weir_flow::field::id;

use super::set_field::put_set_field;
use crate::actions::parse::{ParseContext, Parsed};
use crate::actions::raw::Body;
use crate::actions::table;
use crate::actions::{Action, Actions};
use crate::matching::prerequisites::is_mpls;
use crate::ofp_errors::OfpError;
use crate::value_text::number::{u8_named, u16_named, u32_arg};
use crate::value_text::text_error;
use crate::version::OfVersion;

/// Labels have 20 bits.
const LABEL: u32 = 0xf_ffff;
/// Traffic classes have 3 bits.
const TC: u8 = 7;

pub(crate) fn decode_label(b: &mut Body<'_>) -> Result<Action, OfpError> {
    let label = b.arg_u32()?;
    if label & !LABEL != 0 {
        Err(OfpError::OFPBAC_BAD_ARGUMENT)
    } else {
        Ok(Action::SetMplsLabel(label))
    }
}

pub(crate) fn encode_label(label: u32, v: OfVersion, out: &mut Vec<u8>) {
    if v < OfVersion::V12 {
        table::SET_MPLS_LABEL.put_arg(v, out, 4, label.into());
    } else {
        put_set_field(id::MPLS_LABEL, label.into(), v, out);
    }
}

pub(crate) fn parse_label(arg: &str, _: &mut ParseContext<'_>, out: &mut Actions) -> Parsed {
    if arg.is_empty() {
        text_error!("set_mpls_label: expected label.");
    }
    let label = u32_arg(arg)?;
    if label & !LABEL != 0 {
        text_error!("{arg}: not a valid MPLS label");
    }
    out.push(Action::SetMplsLabel(label));
    Ok(())
}

pub(crate) fn decode_tc(b: &mut Body<'_>) -> Result<Action, OfpError> {
    let tc = b.arg_u8()?;
    if tc & !TC != 0 { Err(OfpError::OFPBAC_BAD_ARGUMENT) } else { Ok(Action::SetMplsTc(tc)) }
}

pub(crate) fn encode_tc(tc: u8, v: OfVersion, out: &mut Vec<u8>) {
    if v < OfVersion::V12 {
        table::SET_MPLS_TC.put_arg(v, out, 1, tc.into());
    } else {
        put_set_field(id::MPLS_TC, tc.into(), v, out);
    }
}

pub(crate) fn parse_tc(arg: &str, _: &mut ParseContext<'_>, out: &mut Actions) -> Parsed {
    if arg.is_empty() {
        text_error!("set_mpls_tc: expected tc.");
    }
    let tc = u8_named(arg, "MPLS TC")?;
    if tc & !TC != 0 {
        text_error!("{arg}: not a valid MPLS TC");
    }
    out.push(Action::SetMplsTc(tc));
    Ok(())
}

pub(crate) fn decode_ttl(b: &mut Body<'_>) -> Result<Action, OfpError> {
    Ok(Action::SetMplsTtl(b.arg_u8()?))
}

pub(crate) fn encode_ttl(ttl: u8, v: OfVersion, out: &mut Vec<u8>) {
    table::SET_MPLS_TTL.put_arg(v, out, 1, ttl.into());
}

pub(crate) fn parse_ttl(arg: &str, _: &mut ParseContext<'_>, out: &mut Actions) -> Parsed {
    if arg.is_empty() {
        text_error!("set_mpls_ttl: expected ttl.");
    }
    out.push(Action::SetMplsTtl(u8_named(arg, "MPLS TTL")?));
    Ok(())
}

pub(crate) fn decode_push(b: &mut Body<'_>) -> Result<Action, OfpError> {
    let ethertype = b.arg_u16()?;
    if is_mpls(ethertype) {
        Ok(Action::PushMpls { ethertype })
    } else {
        Err(OfpError::OFPBAC_BAD_ARGUMENT)
    }
}

pub(crate) fn encode_push(ethertype: u16, v: OfVersion, out: &mut Vec<u8>) {
    table::PUSH_MPLS.put_arg(v, out, 2, ethertype.into());
}

pub(crate) fn parse_push(arg: &str, _: &mut ParseContext<'_>, out: &mut Actions) -> Parsed {
    out.push(Action::PushMpls { ethertype: u16_named(arg, "push_mpls")? });
    Ok(())
}

pub(crate) fn decode_pop(b: &mut Body<'_>) -> Result<Action, OfpError> {
    Ok(Action::PopMpls { ethertype: b.arg_u16()? })
}

pub(crate) fn encode_pop(ethertype: u16, v: OfVersion, out: &mut Vec<u8>) {
    table::POP_MPLS.put_arg(v, out, 2, ethertype.into());
}

pub(crate) fn parse_pop(arg: &str, _: &mut ParseContext<'_>, out: &mut Actions) -> Parsed {
    out.push(Action::PopMpls { ethertype: u16_named(arg, "pop_mpls")? });
    Ok(())
}
