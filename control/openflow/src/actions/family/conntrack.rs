//! `ct`: sending the packet through connection tracking.

use std::fmt;

use weir_flow::flow::ip_proto;

use super::nat;
use super::output::{from_ofs_nbits, ofs_nbits};
use crate::actions::action::ct_flag::{COMMIT, FORCE};
use crate::actions::action::{CT_RECIRC_NONE, CtAction, CtZone};
use crate::actions::check::{CheckContext, check_sub_list};
use crate::actions::decode::decode_nested;
use crate::actions::encode::encode_actions;
use crate::actions::format::{Names, display};
use crate::actions::parse::{ParseContext, Parsed, parse_nested};
use crate::actions::raw::Body;
use crate::actions::table;
use crate::actions::verify::Outer;
use crate::actions::{Action, Actions};
use crate::matching::Subfield;
use crate::nxm::entry;
use crate::ofp_errors::OfpError;
use crate::protocol::Protocols;
use crate::value_text::key_value::KeyValues;
use crate::value_text::number::u16_named;
use crate::value_text::text_error;
use crate::version::OfVersion;
use crate::wire::Put;

const FTP: u16 = 21;
const TFTP: u16 = 69;
const CS_INVALID: u32 = 0x10;

pub(crate) fn decode(b: &mut Body<'_>) -> Result<Action, OfpError> {
    let (flags, zone_src, zone_bits) = (b.r.u16()?, b.r.u32()?, b.r.u16()?);
    let recirc_table = b.r.u8()?;
    b.r.skip(3)?;
    let alg = b.r.u16()?;
    if flags & FORCE != 0 && flags & COMMIT == 0 {
        return Err(OfpError::OFPBAC_BAD_ARGUMENT);
    }
    let zone = if zone_src == 0 {
        CtZone::Number(zone_bits)
    } else {
        let src = from_ofs_nbits(entry::field_of_u32(zone_src)?.id, zone_bits);
        src.check_src(None)?;
        if src.n_bits != 16 {
            log::warn!(
                target: "ofp_actions",
                "zone n_bits {} not within valid range [16..16]", src.n_bits
            );
            return Err(OfpError::OFPBAC_BAD_SET_LEN);
        }
        CtZone::Field(src)
    };
    let actions = decode_nested(b.r.rest(), b.cx, Outer::Ct)?;
    let bare_nat = |a: &Action| matches!(a, Action::Nat(n) if n.flags == 0 && n.addr_min.is_none());
    if flags & COMMIT == 0 && !actions.iter().all(bare_nat) {
        log::warn!(
            target: "ofp_actions",
            "CT action requires commit flag if actions other than NAT without arguments are specified."
        );
        return Err(OfpError::OFPBAC_BAD_ARGUMENT);
    }
    Ok(Action::Ct(Box::new(CtAction { flags, zone, recirc_table, alg, actions })))
}

pub(crate) fn encode(ct: &CtAction, v: OfVersion, out: &mut Vec<u8>) {
    table::CT.put(v, out, |b| {
        b.put_u16(ct.flags);
        match ct.zone {
            CtZone::Number(n) => {
                b.put_u32(0);
                b.put_u16(n);
            }
            CtZone::Field(src) => {
                b.put_u32(entry::u32_of_field(src.field.field()));
                b.put_u16(ofs_nbits(&src));
            }
        }
        b.put_u8(ct.recirc_table);
        b.put_zeros(3);
        b.put_u16(ct.alg);
        encode_actions(&ct.actions, v, b);
    });
}

pub(crate) fn parse(arg: &str, cx: &mut ParseContext<'_>, out: &mut Actions) -> Parsed {
    let mut ct = CtAction {
        flags: 0,
        zone: CtZone::Number(0),
        recirc_table: CT_RECIRC_NONE,
        alg: 0,
        actions: Actions::new(),
    };
    for (key, value) in KeyValues::new(arg) {
        match key {
            "commit" => ct.flags |= COMMIT,
            "force" => ct.flags |= FORCE,
            "table" => {
                ct.recirc_table = match cx.table(value) {
                    None => text_error!("unknown table {value}"),
                    Some(CT_RECIRC_NONE) => text_error!("invalid table {CT_RECIRC_NONE:#x}"),
                    Some(table) => table,
                }
            }
            "zone" => {
                ct.zone = match u16_named(value, "zone") {
                    Ok(n) => CtZone::Number(n),
                    Err(_) => CtZone::Field(Subfield::parse(value)?),
                }
            }
            "alg" => {
                ct.alg = match value {
                    "ftp" => FTP,
                    "tftp" => TFTP,
                    _ => text_error!("invalid conntrack helper \"{value}\""),
                }
            }
            "nat" => nat::parse(value, cx, &mut ct.actions)?,
            "exec" => {
                let saved = cx.usable;
                cx.usable = Protocols::ANY;
                let nested = parse_nested(value, cx, false, Outer::Ct);
                cx.usable &= saved;
                ct.actions.extend(nested?);
            }
            _ => text_error!("invalid argument to \"ct\" action: `{key}'"),
        }
    }
    if ct.flags & FORCE != 0 && ct.flags & COMMIT == 0 {
        text_error!("\"force\" flag requires \"commit\" flag.");
    }
    out.push(Action::Ct(Box::new(ct)));
    Ok(())
}

pub(crate) fn format(f: &mut fmt::Formatter<'_>, ct: &CtAction, names: Names<'_>) -> fmt::Result {
    let mut parts = Vec::new();
    if ct.flags & COMMIT != 0 {
        parts.push("commit".to_owned());
    }
    if ct.flags & FORCE != 0 {
        parts.push("force".to_owned());
    }
    if ct.recirc_table != CT_RECIRC_NONE {
        parts.push(format!("table={}", names.table(ct.recirc_table)));
    }
    match ct.zone {
        CtZone::Number(0) => {}
        CtZone::Number(n) => parts.push(format!("zone={n}")),
        CtZone::Field(src) => parts.push(format!("zone={src}")),
    }
    // A leading `nat` stands for itself; everything else is executed.
    let (nat, exec) = match ct.actions.split_first() {
        Some((nat @ Action::Nat(_), rest)) => (std::slice::from_ref(nat), rest),
        _ => (&[][..], &ct.actions[..]),
    };
    if !nat.is_empty() {
        parts.push(display(nat, names).to_string());
    }
    if !exec.is_empty() {
        parts.push(format!("exec({})", display(exec, names)));
    }
    match ct.alg {
        0 => {}
        FTP => parts.push("alg=ftp".to_owned()),
        TFTP => parts.push("alg=tftp".to_owned()),
        port => parts.push(format!("alg={port}")),
    }
    write!(f, "ct({})", parts.join(","))
}

pub(crate) fn check(ct: &mut CtAction, cx: &mut CheckContext) -> Result<(), OfpError> {
    let flow = &cx.matched.flow;
    let proto = flow.nw_proto;
    let invalid = flow.ct_state.get() & CS_INVALID != 0;
    // These are errors in every version: the switch could not do without.
    if !cx.is_ip()
        || (invalid && ct.flags & COMMIT != 0)
        || (ct.alg == FTP && proto != ip_proto::TCP)
        || (ct.alg == TFTP && proto != ip_proto::UDP)
    {
        return Err(OfpError::OFPBAC_MATCH_INCONSISTENT);
    }
    if let CtZone::Field(src) = &ct.zone {
        return src.check_src(Some(&cx.matched));
    }
    check_sub_list(&mut ct.actions, cx)
}
