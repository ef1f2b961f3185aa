//! `resubmit`: looking the packet up again, perhaps in another table.

use std::fmt;

use crate::actions::format::Names;
use crate::actions::parse::{ParseContext, Parsed};
use crate::actions::raw::Body;
use crate::actions::table;
use crate::actions::{Action, Actions};
use crate::ofp_errors::OfpError;
use crate::ofp_port::OfPort;
use crate::value_text::text_error;
use crate::version::OfVersion;
use crate::wire::Put;

/// The current table.
const CURRENT: u8 = 255;

pub(crate) fn decode(b: &mut Body<'_>) -> Result<Action, OfpError> {
    let in_port = OfPort(b.arg_u16()?);
    Ok(Action::Resubmit { in_port, table_id: CURRENT, with_ct_orig: false })
}

pub(crate) fn decode_table(b: &mut Body<'_>, with_ct_orig: bool) -> Result<Action, OfpError> {
    let (in_port, table_id) = (OfPort(b.r.u16()?), b.r.u8()?);
    b.r.zeros(3, OfpError::OFPBAC_BAD_ARGUMENT)?;
    Ok(Action::Resubmit { in_port, table_id, with_ct_orig })
}

pub(crate) fn encode(
    in_port: OfPort,
    table_id: u8,
    with_ct_orig: bool,
    v: OfVersion,
    out: &mut Vec<u8>,
) {
    let form = if with_ct_orig { &table::RESUBMIT_TABLE_CT } else { &table::RESUBMIT_TABLE };
    form.put(v, out, |b| {
        b.put_u16(in_port.0);
        b.put_u8(table_id);
    });
}

pub(crate) fn parse(arg: &str, cx: &mut ParseContext<'_>, out: &mut Actions) -> Parsed {
    let mut parts = arg.split(',');
    let mut next = || parts.next().filter(|s| !s.is_empty());
    let in_port = match next() {
        None => OfPort::IN_PORT,
        Some(s) => match OfPort::parse(s, cx.ports) {
            Some(port) => port,
            None => text_error!("{s}: resubmit to unknown port"),
        },
    };
    let table_id = match next() {
        None => CURRENT,
        Some(s) => match cx.table(s) {
            Some(table) => table,
            None => text_error!("{s}: resubmit to unknown table"),
        },
    };
    let with_ct_orig = match next() {
        None => false,
        Some("ct") => true,
        Some(s) => text_error!("{s}: unknown parameter"),
    };
    if in_port == OfPort::IN_PORT && table_id == CURRENT {
        text_error!("at least one \"in_port\" or \"table\" must be specified on resubmit");
    }
    out.push(Action::Resubmit { in_port, table_id, with_ct_orig });
    Ok(())
}

pub(crate) fn format(
    f: &mut fmt::Formatter<'_>,
    in_port: OfPort,
    table_id: u8,
    with_ct_orig: bool,
    names: Names<'_>,
) -> fmt::Result {
    let port = if in_port == OfPort::IN_PORT { String::new() } else { names.port(in_port) };
    if !port.is_empty() && table_id == CURRENT {
        return write!(f, "resubmit:{port}");
    }
    let table = if table_id == CURRENT { String::new() } else { names.table(table_id) };
    let ct = if with_ct_orig { ",ct" } else { "" };
    write!(f, "resubmit({port},{table}{ct})")
}
