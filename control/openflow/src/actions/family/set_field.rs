//! `set_field` and `load`: any writable field, whole or in part.
//!
//! OpenFlow 1.5 has one action for all of it, 1.2 to 1.4 one for whole fields; before that (and for
//! parts of fields) Nicira's `reg_load` serves, or OpenFlow 1.0's own actions where there are some.

use std::fmt;

use weir_flow::FieldId;
use weir_flow::field::{Field, Place, id};
use weir_flow::flow::{VLAN_CFI, VLAN_VID_MASK, eth_type};

use super::header::encode_nw_ecn;
use super::output::{from_ofs_nbits, ofs_nbits};
use super::vlan::{encode_push, encode_strip};
use crate::actions::action::{SetFieldAction, SetFieldForm};
use crate::actions::check::CheckContext;
use crate::actions::format::Names;
use crate::actions::parse::{ParseContext, Parsed};
use crate::actions::raw::Body;
use crate::actions::table;
use crate::actions::{Action, Actions};
use crate::matching::{FieldValue, Subfield, field_access, prerequisites, usable};
use crate::nxm::entry;
use crate::nxm::header::OFPXMC_EXPERIMENTER;
use crate::nxm::header::has_short_form;
use crate::ofp_errors::OfpError;
use crate::value_text::field::{action_name, format_field, parse_field, parse_wide_integer};
use crate::value_text::number::alt_hex;
use crate::value_text::{TextError, text_error};
use crate::version::OfVersion;
use crate::wire::{Put, Reader};

fn action(field: &Field, value: &FieldValue, mask: FieldValue, form: SetFieldForm) -> Action {
    let value = value.and(&mask);
    let field = field.id;
    Action::SetField(Box::new(SetFieldAction { field, value, mask, flow_has_vlan: false, form }))
}

/// Reads the entry that is to be written. A header of no known field has a wrong length, unless it
/// says that there is nothing to write.
fn pull_entry(
    r: &mut Reader<'_>,
    may_mask: bool,
) -> Result<(&'static Field, FieldValue, FieldValue), OfpError> {
    let [class_high, class_low, number, length] = r.clone().array()?;
    let class = u16::from_be_bytes([class_high, class_low]);
    let is_odd = number & 1 != 0 && length % 2 != 0;
    if is_odd && class != OFPXMC_EXPERIMENTER {
        return Err(OfpError::OFPBAC_BAD_SET_LEN);
    }
    let header = entry::pull_raw_header(&mut r.clone())?;
    if header.field().is_none() {
        let nothing = header.length == 0;
        return Err(if nothing {
            OfpError::OFPBAC_BAD_SET_TYPE
        } else {
            OfpError::OFPBAC_BAD_SET_LEN
        });
    }
    entry::pull_entry(r, may_mask)
        .map_err(|e| if e == OfpError::OFPBMC_BAD_MASK { OfpError::OFPBAC_BAD_SET_MASK } else { e })
}

/// `OFPAT_SET_FIELD`; masks are allowed since OpenFlow 1.5.
pub(crate) fn decode_set_field(b: &mut Body<'_>, may_mask: bool) -> Result<Action, OfpError> {
    const BAD_ARGUMENT: OfpError = OfpError::OFPBAC_BAD_SET_ARGUMENT;
    let (field, value, mask) = pull_entry(&mut b.r, may_mask)?;
    b.rest_zero(BAD_ARGUMENT)?;
    // OpenFlow says that the ingress port may not be set this way.
    if field.id == id::IN_PORT_OXM || !field.writable {
        return Err(BAD_ARGUMENT);
    }
    let present = u128::from(VLAN_CFI);
    let untagged = field.id == id::VLAN_VID
        && (value.as_u128() & present == 0 || mask.as_u128() & present == 0);
    if !field_access::is_value_valid(field, &value) || untagged {
        log::warn!(
            target: "ofp_actions",
            "Invalid value for set field {}: {}", field.name, format_field(field, &value, None, None)
        );
        return Err(BAD_ARGUMENT);
    }
    Ok(action(field, &value, mask, SetFieldForm::SetField))
}

pub(crate) fn decode_reg_load(b: &mut Body<'_>) -> Result<Action, OfpError> {
    let bits = b.r.u16()?;
    let field = entry::field_of_u32(b.r.u32()?)?;
    let number = b.r.u64()?;
    let dst = from_ofs_nbits(field.id, bits);
    dst.check_dst(None)?;
    if number.checked_shr(u32::from(dst.n_bits)).unwrap_or(0) != 0 {
        return Err(OfpError::OFPBAC_BAD_ARGUMENT);
    }
    let n = usize::from(field.bytes);
    Ok(load(&dst, &FieldValue::from_u128(number.into(), n.max(8))))
}

pub(crate) fn decode_reg_load2(b: &mut Body<'_>) -> Result<Action, OfpError> {
    let (field, value, mask) = pull_entry(&mut b.r, true)?;
    b.rest_zero(OfpError::OFPBAC_BAD_SET_ARGUMENT)?;
    if !field.writable {
        log::warn!(target: "ofp_actions", "destination field {} is not writable", field.name);
        return Err(OfpError::OFPBAC_BAD_SET_ARGUMENT);
    }
    Ok(action(field, &value, mask, SetFieldForm::RegLoad2))
}

/// The `load` of the low bits of `bits` into a subfield.
pub(crate) fn load(dst: &Subfield, bits: &FieldValue) -> Action {
    let field = dst.field.field();
    let n = usize::from(field.bytes);
    let (mut value, mut mask) = (FieldValue::zero(n), FieldValue::zero(n));
    value.put_bits(dst.ofs.into(), dst.n_bits.into(), bits);
    mask.set_bits(dst.ofs.into(), dst.n_bits.into(), true);
    action(field, &value, mask, SetFieldForm::RegLoad)
}

/// Writes an exact `set_field` for OpenFlow 1.2 and later.
pub(crate) fn put_set_field(field: FieldId, value: u128, v: OfVersion, out: &mut Vec<u8>) {
    let field = field.field();
    let ones = FieldValue::ones(usize::from(field.bytes));
    put_entry_action(field, &FieldValue::of(field, value), &ones, v, out);
}

fn put_entry_action(
    field: &Field,
    value: &FieldValue,
    mask: &FieldValue,
    v: OfVersion,
    out: &mut Vec<u8>,
) {
    let form = if v >= OfVersion::V15 { &table::SET_FIELD15 } else { &table::SET_FIELD12 };
    form.put(v, out, |b| entry::put_entry(field, Some(v), value, mask, b));
}

/// Writes a `reg_load`. In OpenFlow 1.5, which has none, this is `set_field` with a mask.
pub(crate) fn put_reg_load(dst: &Subfield, value: u64, v: OfVersion, out: &mut Vec<u8>) {
    let field = dst.field.field();
    table::REG_LOAD.put(v, out, |b| {
        b.put_u16(ofs_nbits(dst));
        b.put_u32(entry::u32_of_field(field));
        b.put_u64(value);
    });
}

/// The runs of one bits in the mask, at most 64 bits each, with the values to load there.
fn segments(sf: &SetFieldAction) -> impl Iterator<Item = (Subfield, u64)> {
    let width = usize::from(sf.field.field().bits);
    let mut at = 0;
    std::iter::from_fn(move || {
        let first = (at..width).find(|i| sf.mask.bit(*i))?;
        let limit = width.min(first + 64);
        let end = (first + 1..limit).find(|i| !sf.mask.bit(*i)).unwrap_or(limit);
        at = end;
        let value = u64::try_from(sf.value.get_bits(first, end - first)).unwrap_or(0);
        let (ofs, n_bits) = (u16::try_from(first).ok()?, u16::try_from(end - first).ok()?);
        Some((Subfield { field: sf.field, ofs, n_bits }, value))
    })
}

fn encode_reg_loads(sf: &SetFieldAction, v: OfVersion, out: &mut Vec<u8>) {
    let field = sf.field.field();
    let variable = matches!(field.place, Place::TunMetadata);
    if sf.form == SetFieldForm::RegLoad2 || !has_short_form(field) || variable {
        table::REG_LOAD2.put(v, out, |b| entry::put_entry(field, None, &sf.value, &sf.mask, b));
    } else {
        segments(sf).for_each(|(dst, value)| put_reg_load(&dst, value, v, out));
    }
}

/// OpenFlow 1.0 and 1.1 have actions of their own for some fields.
fn encode_legacy(sf: &SetFieldAction, v: OfVersion, out: &mut Vec<u8>) {
    let value = sf.value.as_u64();
    let vid = u64::from(VLAN_VID_MASK);
    let v10 = v == OfVersion::V10;
    let put_vid = |value: u64, out: &mut Vec<u8>| {
        let form = if v10 { &table::SET_VLAN_VID10 } else { &table::SET_VLAN_VID11 };
        form.put_arg(v, out, 2, value & vid);
    };
    let put_pcp = |value: u64, out: &mut Vec<u8>| {
        let form = if v10 { &table::SET_VLAN_PCP10 } else { &table::SET_VLAN_PCP11 };
        form.put_arg(v, out, 1, value);
    };
    match sf.field {
        id::VLAN_TCI if value & u64::from(VLAN_CFI) == 0 => encode_strip(v, out),
        id::VLAN_TCI => {
            if !v10 && !sf.flow_has_vlan {
                encode_push(eth_type::VLAN_8021Q, v, out);
            }
            put_vid(value, out);
            put_pcp(value >> 13, out);
        }
        id::VLAN_VID => put_vid(value, out),
        id::VLAN_PCP => put_pcp(value, out),
        id::DL_SRC => table::SET_DL_SRC.put(v, out, |b| b.extend_from_slice(sf.value.bytes())),
        id::DL_DST => table::SET_DL_DST.put(v, out, |b| b.extend_from_slice(sf.value.bytes())),
        id::NW_SRC => table::SET_NW_SRC.put_arg(v, out, 4, value),
        id::NW_DST => table::SET_NW_DST.put_arg(v, out, 4, value),
        id::NW_TOS => table::SET_NW_TOS.put_arg(v, out, 1, value),
        id::IP_DSCP => table::SET_NW_TOS.put_arg(v, out, 1, value << 2),
        id::NW_ECN => encode_nw_ecn(u8::try_from(value & 3).unwrap_or(0), v, out),
        id::TCP_SRC | id::UDP_SRC => table::SET_TP_SRC.put_arg(v, out, 2, value),
        id::TCP_DST | id::UDP_DST => table::SET_TP_DST.put_arg(v, out, 2, value),
        _ => encode_reg_loads(sf, v, out),
    }
}

pub(crate) fn encode(sf: &SetFieldAction, v: OfVersion, out: &mut Vec<u8>) {
    let whole = sf.mask.is_all_ones();
    if v >= OfVersion::V15 {
        put_entry_action(sf.field.field(), &sf.value, &sf.mask, v, out);
    } else if sf.form != SetFieldForm::SetField {
        encode_reg_loads(sf, v, out);
    } else if v < OfVersion::V12 {
        encode_legacy(sf, v, out);
    } else if whole {
        put_entry_action(sf.field.field(), &sf.value, &sf.mask, v, out);
    } else {
        encode_reg_loads(sf, v, out);
    }
}

/// `value->destination`
pub(crate) fn split(arg: &str) -> Result<(&str, &str), TextError> {
    match arg.split_once("->") {
        None => text_error!("{arg}: missing `->'"),
        Some((_, "")) => text_error!("{arg}: missing field name following `->'"),
        Some(parts) => Ok(parts),
    }
}

pub(crate) fn parse(arg: &str, cx: &mut ParseContext<'_>, out: &mut Actions) -> Parsed {
    let (text, name) = split(arg)?;
    let Some(field) = Field::by_name(name) else {
        text_error!("{name} is not a valid OXM field name")
    };
    if !field.writable {
        text_error!("{name} is read-only");
    }
    let (value, mask) = parse_field(field, text, cx.ports)?;
    if !field_access::is_value_valid(field, &value) {
        text_error!("{text} is not a valid value for field {name}");
    }
    cx.usable &= usable::exact(field);
    out.push(action(field, &value, mask, SetFieldForm::SetField));
    Ok(())
}

pub(crate) fn parse_load(arg: &str, _: &mut ParseContext<'_>, out: &mut Actions) -> Parsed {
    let (text, name) = split(arg)?;
    let dst = Subfield::parse(name)?;
    let field = dst.field.field();
    let n = usize::from(field.bytes);
    let Some(Ok((value, _))) = parse_wide_integer(text, n) else {
        text_error!("{arg}: cannot parse integer value")
    };
    let n_bits = usize::from(dst.n_bits);
    if !value.bits_are(n_bits, 8 * n - n_bits, false) {
        text_error!(
            "{arg}: value {} does not fit into {n_bits} bits",
            format_field(field, &value, None, None)
        );
    }
    out.push(load(&dst, &value));
    Ok(())
}

pub(crate) fn format(
    f: &mut fmt::Formatter<'_>,
    sf: &SetFieldAction,
    names: Names<'_>,
) -> fmt::Result {
    let field = sf.field.field();
    if sf.form == SetFieldForm::RegLoad {
        for (i, (dst, value)) in segments(sf).enumerate() {
            let comma = if i == 0 { "" } else { "," };
            write!(f, "{comma}load:{}->{dst}", alt_hex(value.into()))?;
        }
        return Ok(());
    }
    let text = format_field(field, &sf.value, Some(&sf.mask), names.ports);
    write!(f, "set_field:{text}->{}", action_name(field))
}

pub(crate) fn check(sf: &mut SetFieldAction, cx: &mut CheckContext) -> Result<(), OfpError> {
    let field = sf.field.field();
    let flow = &mut cx.matched.flow;
    let has_vlan = flow.vlans[0].tci.get() & VLAN_CFI != 0;
    if !prerequisites::are_ok(field, flow, Some(&cx.matched.mask.0))
        || (sf.field == id::VLAN_VID && !has_vlan)
    {
        log::warn!(target: "ofp_actions", "set_field {} lacks correct prerequisites", action_name(field));
        return Err(OfpError::OFPBAC_MATCH_INCONSISTENT);
    }
    sf.flow_has_vlan = has_vlan;
    if sf.field == id::VLAN_TCI {
        // The tag may come or go.
        flow.vlans[0].tci = u16::try_from(sf.value.as_u64()).unwrap_or(0).into();
    }
    Ok(())
}
