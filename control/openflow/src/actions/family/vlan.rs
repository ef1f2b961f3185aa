//! `set_vlan_vid`, `set_vlan_pcp`, their OpenFlow 1.0 forms `mod_*`, `strip_vlan`, `push_vlan`.

use weir_flow::field::id;
use weir_flow::flow::{VLAN_CFI, VLAN_VID_MASK, eth_type};

use super::set_field::put_set_field;
use crate::actions::action::SetVlan;
use crate::actions::parse::{ParseContext, Parsed};
use crate::actions::raw::Body;
use crate::actions::table;
use crate::actions::{Action, Actions};
use crate::matching::prerequisites::is_vlan;
use crate::ofp_errors::OfpError;
use crate::protocol::Protocols;
use crate::value_text::number::{u8_named, u16_named};
use crate::value_text::text_error;
use crate::version::OfVersion;

pub(crate) fn decode_vid(b: &mut Body<'_>, push: bool) -> Result<Action, OfpError> {
    let value = b.arg_u16()?;
    if value & !VLAN_VID_MASK != 0 {
        return Err(OfpError::OFPBAC_BAD_ARGUMENT);
    }
    Ok(Action::SetVlanVid(SetVlan { value, push_vlan_if_needed: push, flow_has_vlan: false }))
}

pub(crate) fn decode_pcp(b: &mut Body<'_>, push: bool) -> Result<Action, OfpError> {
    let value = b.arg_u8()?;
    if value & !7 != 0 {
        return Err(OfpError::OFPBAC_BAD_ARGUMENT);
    }
    Ok(Action::SetVlanPcp(SetVlan { value, push_vlan_if_needed: push, flow_has_vlan: false }))
}

/// What OpenFlow 1.0's actions do by themselves, later versions ask for apart.
fn push_if_needed<T>(a: &SetVlan<T>, v: OfVersion, out: &mut Vec<u8>) {
    if v > OfVersion::V10 && a.push_vlan_if_needed && !a.flow_has_vlan {
        encode_push(eth_type::VLAN_8021Q, v, out);
    }
}

pub(crate) fn encode_vid(a: &SetVlan<u16>, v: OfVersion, out: &mut Vec<u8>) {
    push_if_needed(a, v, out);
    match v {
        OfVersion::V10 => table::SET_VLAN_VID10.put_arg(v, out, 2, a.value.into()),
        OfVersion::V11 => table::SET_VLAN_VID11.put_arg(v, out, 2, a.value.into()),
        _ => put_set_field(id::VLAN_VID, (a.value | VLAN_CFI).into(), v, out),
    }
}

pub(crate) fn encode_pcp(a: &SetVlan<u8>, v: OfVersion, out: &mut Vec<u8>) {
    push_if_needed(a, v, out);
    match v {
        OfVersion::V10 => table::SET_VLAN_PCP10.put_arg(v, out, 1, a.value.into()),
        OfVersion::V11 => table::SET_VLAN_PCP11.put_arg(v, out, 1, a.value.into()),
        _ => put_set_field(id::VLAN_PCP, a.value.into(), v, out),
    }
}

pub(crate) fn parse_vid(arg: &str, push: bool, out: &mut Actions) -> Parsed {
    let value = u16_named(arg, "VLAN VID")?;
    if value & !VLAN_VID_MASK != 0 {
        text_error!("{arg}: not a valid VLAN VID");
    }
    let a = SetVlan { value, push_vlan_if_needed: push, flow_has_vlan: false };
    out.push(Action::SetVlanVid(a));
    Ok(())
}

pub(crate) fn parse_pcp(arg: &str, push: bool, out: &mut Actions) -> Parsed {
    let value = u8_named(arg, "VLAN PCP")?;
    if value & !7 != 0 {
        text_error!("{arg}: not a valid VLAN PCP");
    }
    let a = SetVlan { value, push_vlan_if_needed: push, flow_has_vlan: false };
    out.push(Action::SetVlanPcp(a));
    Ok(())
}

pub(crate) fn encode_strip(v: OfVersion, out: &mut Vec<u8>) {
    let form = if v == OfVersion::V10 { &table::STRIP_VLAN } else { &table::POP_VLAN };
    form.put_void(v, out);
}

pub(crate) fn decode_push(b: &mut Body<'_>) -> Result<Action, OfpError> {
    let ethertype = b.arg_u16()?;
    if is_vlan(ethertype) {
        Ok(Action::PushVlan { ethertype })
    } else {
        Err(OfpError::OFPBAC_BAD_ARGUMENT)
    }
}

/// In OpenFlow 1.0 setting the VLAN, which follows, pushes the tag.
pub(crate) fn encode_push(ethertype: u16, v: OfVersion, out: &mut Vec<u8>) {
    if table::PUSH_VLAN.is_in(v) {
        table::PUSH_VLAN.put_arg(v, out, 2, ethertype.into());
    }
}

pub(crate) fn parse_push(arg: &str, cx: &mut ParseContext<'_>, out: &mut Actions) -> Parsed {
    cx.usable &= Protocols::OF11_UP;
    let ethertype = u16_named(arg, "ethertype")?;
    if !is_vlan(ethertype) {
        text_error!("{arg}: not a valid VLAN ethertype");
    }
    out.push(Action::PushVlan { ethertype });
    Ok(())
}
