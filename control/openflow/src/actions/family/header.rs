//! `mod_dl_*`, `mod_nw_*`, `mod_tp_*`: OpenFlow 1.0's ways of setting header fields. Since OpenFlow
//! 1.2 the wire has `set_field` for them.

use std::net::Ipv4Addr;

use weir_flow::FieldId;
use weir_flow::field::id;
use weir_flow::flow::ip_proto;

use super::set_field::{put_reg_load, put_set_field};
use crate::actions::action::SetL4Port;
use crate::actions::parse::{ParseContext, Parsed};
use crate::actions::raw::{Body, Raw};
use crate::actions::table;
use crate::actions::{Action, Actions};
use crate::matching::Subfield;
use crate::ofp_errors::OfpError;
use crate::value_text::address::{parse_ipv4, parse_mac};
use crate::value_text::number::{u8_named, u16_named};
use crate::value_text::text_error;
use crate::version::OfVersion;

/// The DSCP bits of the TOS octet.
const DSCP: u8 = 0xfc;

pub(crate) fn decode_dl_src(b: &mut Body<'_>) -> Result<Action, OfpError> {
    Ok(Action::SetEthSrc(b.r.array()?))
}

pub(crate) fn decode_dl_dst(b: &mut Body<'_>) -> Result<Action, OfpError> {
    Ok(Action::SetEthDst(b.r.array()?))
}

fn encode_mac(form: &Raw, field: FieldId, mac: [u8; 6], v: OfVersion, out: &mut Vec<u8>) {
    if v < OfVersion::V12 {
        form.put(v, out, |b| b.extend_from_slice(&mac));
    } else {
        let number = mac.iter().fold(0, |n, b| (n << 8) | u128::from(*b));
        put_set_field(field, number, v, out);
    }
}

pub(crate) fn encode_dl_src(mac: [u8; 6], v: OfVersion, out: &mut Vec<u8>) {
    encode_mac(&table::SET_DL_SRC, id::DL_SRC, mac, v, out);
}

pub(crate) fn encode_dl_dst(mac: [u8; 6], v: OfVersion, out: &mut Vec<u8>) {
    encode_mac(&table::SET_DL_DST, id::DL_DST, mac, v, out);
}

pub(crate) fn parse_dl_src(arg: &str, _: &mut ParseContext<'_>, out: &mut Actions) -> Parsed {
    out.push(Action::SetEthSrc(parse_mac(arg)?));
    Ok(())
}

pub(crate) fn parse_dl_dst(arg: &str, _: &mut ParseContext<'_>, out: &mut Actions) -> Parsed {
    out.push(Action::SetEthDst(parse_mac(arg)?));
    Ok(())
}

pub(crate) fn decode_nw_src(b: &mut Body<'_>) -> Result<Action, OfpError> {
    Ok(Action::SetIpv4Src(b.arg_u32()?.into()))
}

pub(crate) fn decode_nw_dst(b: &mut Body<'_>) -> Result<Action, OfpError> {
    Ok(Action::SetIpv4Dst(b.arg_u32()?.into()))
}

fn encode_ip(form: &Raw, field: FieldId, ip: Ipv4Addr, v: OfVersion, out: &mut Vec<u8>) {
    let number = u32::from(ip);
    if v < OfVersion::V12 {
        form.put_arg(v, out, 4, number.into());
    } else {
        put_set_field(field, number.into(), v, out);
    }
}

pub(crate) fn encode_nw_src(ip: Ipv4Addr, v: OfVersion, out: &mut Vec<u8>) {
    encode_ip(&table::SET_NW_SRC, id::NW_SRC, ip, v, out);
}

pub(crate) fn encode_nw_dst(ip: Ipv4Addr, v: OfVersion, out: &mut Vec<u8>) {
    encode_ip(&table::SET_NW_DST, id::NW_DST, ip, v, out);
}

pub(crate) fn parse_nw_src(arg: &str, _: &mut ParseContext<'_>, out: &mut Actions) -> Parsed {
    out.push(Action::SetIpv4Src(parse_ipv4(arg)?));
    Ok(())
}

pub(crate) fn parse_nw_dst(arg: &str, _: &mut ParseContext<'_>, out: &mut Actions) -> Parsed {
    out.push(Action::SetIpv4Dst(parse_ipv4(arg)?));
    Ok(())
}

pub(crate) fn decode_nw_tos(b: &mut Body<'_>) -> Result<Action, OfpError> {
    let tos = b.arg_u8()?;
    if tos & !DSCP != 0 { Err(OfpError::OFPBAC_BAD_ARGUMENT) } else { Ok(Action::SetIpDscp(tos)) }
}

pub(crate) fn encode_nw_tos(tos: u8, v: OfVersion, out: &mut Vec<u8>) {
    if v < OfVersion::V12 {
        table::SET_NW_TOS.put_arg(v, out, 1, tos.into());
    } else {
        put_set_field(id::IP_DSCP, (tos >> 2).into(), v, out);
    }
}

pub(crate) fn parse_nw_tos(arg: &str, _: &mut ParseContext<'_>, out: &mut Actions) -> Parsed {
    let tos = u8_named(arg, "TOS")?;
    if tos & !DSCP != 0 {
        text_error!("{arg}: not a valid TOS");
    }
    out.push(Action::SetIpDscp(tos));
    Ok(())
}

pub(crate) fn decode_nw_ecn(b: &mut Body<'_>) -> Result<Action, OfpError> {
    let ecn = b.arg_u8()?;
    if ecn & !3 != 0 { Err(OfpError::OFPBAC_BAD_ARGUMENT) } else { Ok(Action::SetIpEcn(ecn)) }
}

pub(crate) fn encode_nw_ecn(ecn: u8, v: OfVersion, out: &mut Vec<u8>) {
    match v {
        OfVersion::V10 => put_reg_load(&Subfield::whole(id::NW_ECN.field()), ecn.into(), v, out),
        OfVersion::V11 => table::SET_NW_ECN.put_arg(v, out, 1, ecn.into()),
        _ => put_set_field(id::NW_ECN, ecn.into(), v, out),
    }
}

pub(crate) fn parse_nw_ecn(arg: &str, _: &mut ParseContext<'_>, out: &mut Actions) -> Parsed {
    let ecn = u8_named(arg, "ECN")?;
    if ecn & !3 != 0 {
        text_error!("{arg}: not a valid ECN");
    }
    out.push(Action::SetIpEcn(ecn));
    Ok(())
}

pub(crate) fn decode_tp_src(b: &mut Body<'_>) -> Result<Action, OfpError> {
    Ok(Action::SetL4SrcPort(SetL4Port { port: b.arg_u16()?, flow_ip_proto: 0 }))
}

pub(crate) fn decode_tp_dst(b: &mut Body<'_>) -> Result<Action, OfpError> {
    Ok(Action::SetL4DstPort(SetL4Port { port: b.arg_u16()?, flow_ip_proto: 0 }))
}

/// `set_field` needs to know the protocol; where the match did not tell, the old action stays.
fn encode_port(form: &Raw, fields: [FieldId; 3], p: &SetL4Port, v: OfVersion, out: &mut Vec<u8>) {
    let [tcp, udp, sctp] = fields;
    let field = match p.flow_ip_proto {
        ip_proto::TCP => Some(tcp),
        ip_proto::UDP => Some(udp),
        ip_proto::SCTP => Some(sctp),
        _ => None,
    };
    match field {
        Some(field) if v >= OfVersion::V12 => put_set_field(field, p.port.into(), v, out),
        _ => form.put_arg(v, out, 2, p.port.into()),
    }
}

pub(crate) fn encode_tp_src(p: &SetL4Port, v: OfVersion, out: &mut Vec<u8>) {
    encode_port(&table::SET_TP_SRC, [id::TCP_SRC, id::UDP_SRC, id::SCTP_SRC], p, v, out);
}

pub(crate) fn encode_tp_dst(p: &SetL4Port, v: OfVersion, out: &mut Vec<u8>) {
    encode_port(&table::SET_TP_DST, [id::TCP_DST, id::UDP_DST, id::SCTP_DST], p, v, out);
}

pub(crate) fn parse_tp_src(arg: &str, _: &mut ParseContext<'_>, out: &mut Actions) -> Parsed {
    let port = u16_named(arg, "source port")?;
    out.push(Action::SetL4SrcPort(SetL4Port { port, flow_ip_proto: 0 }));
    Ok(())
}

pub(crate) fn parse_tp_dst(arg: &str, _: &mut ParseContext<'_>, out: &mut Actions) -> Parsed {
    let port = u16_named(arg, "destination port")?;
    out.push(Action::SetL4DstPort(SetL4Port { port, flow_ip_proto: 0 }));
    Ok(())
}
