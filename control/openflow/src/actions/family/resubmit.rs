//! `resubmit`: looking the packet up again, perhaps in another table.

use std::fmt;

use crate::actions::action::ResubmitForm;
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
    Ok(Action::Resubmit { in_port, table_id: CURRENT, form: ResubmitForm::Port })
}

pub(crate) fn decode_table(b: &mut Body<'_>, form: ResubmitForm) -> Result<Action, OfpError> {
    let (in_port, table_id) = (OfPort(b.r.u16()?), b.r.u8()?);
    b.r.zeros(3, OfpError::OFPBAC_BAD_ARGUMENT)?;
    Ok(Action::Resubmit { in_port, table_id, form })
}

pub(crate) fn encode(
    in_port: OfPort,
    table_id: u8,
    form: ResubmitForm,
    v: OfVersion,
    out: &mut Vec<u8>,
) {
    let raw = match form {
        ResubmitForm::Port => return table::RESUBMIT.put_arg(v, out, 2, in_port.0.into()),
        ResubmitForm::Table => &table::RESUBMIT_TABLE,
        ResubmitForm::TableCt => &table::RESUBMIT_TABLE_CT,
    };
    raw.put(v, out, |b| {
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
    let form = match next() {
        None => ResubmitForm::Table,
        Some("ct") => ResubmitForm::TableCt,
        Some(s) => text_error!("{s}: unknown parameter"),
    };
    if in_port == OfPort::IN_PORT && table_id == CURRENT {
        text_error!("at least one \"in_port\" or \"table\" must be specified on resubmit");
    }
    out.push(Action::Resubmit { in_port, table_id, form });
    Ok(())
}

pub(crate) fn format(
    f: &mut fmt::Formatter<'_>,
    in_port: OfPort,
    table_id: u8,
    form: ResubmitForm,
    names: Names<'_>,
) -> fmt::Result {
    let port = if in_port == OfPort::IN_PORT { String::new() } else { names.port(in_port) };
    if !port.is_empty() && table_id == CURRENT {
        return write!(f, "resubmit:{port}");
    }
    let table = if table_id == CURRENT { String::new() } else { names.table(table_id) };
    let ct = if form == ResubmitForm::TableCt { ",ct" } else { "" };
    write!(f, "resubmit({port},{table}{ct})")
}
