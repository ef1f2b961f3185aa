//! Small actions that steer the pipeline: `set_queue`, `fin_timeout`, `conjunction`, `note`, `clone`.

use std::fmt;

use crate::actions::decode::decode_nested;
use crate::actions::encode::encode_actions;
use crate::actions::parse::{ParseContext, Parsed, parse_nested};
use crate::actions::raw::Body;
use crate::actions::table;
use crate::actions::verify::Outer;
use crate::actions::{Action, Actions};
use crate::ofp_errors::OfpError;
use crate::protocol::Protocols;
use crate::value_text::key_value::KeyValues;
use crate::value_text::number::{hex_bytes, split_number, u16_named, u32_arg};
use crate::value_text::text_error;
use crate::version::OfVersion;
use crate::wire::Put;

/// Most bytes that an action can have on the wire.
const MAX_ACTION_LEN: usize = 0xfff8;

pub(crate) fn parse_set_queue(arg: &str, _: &mut ParseContext<'_>, out: &mut Actions) -> Parsed {
    out.push(Action::SetQueue(u32_arg(arg)?));
    Ok(())
}

pub(crate) fn decode_fin_timeout(b: &mut Body<'_>) -> Result<Action, OfpError> {
    Ok(Action::FinTimeout { idle: b.r.u16()?, hard: b.r.u16()? })
}

pub(crate) fn encode_fin_timeout(idle: u16, hard: u16, v: OfVersion, out: &mut Vec<u8>) {
    table::FIN_TIMEOUT.put(v, out, |b| {
        b.put_u16(idle);
        b.put_u16(hard);
    });
}

pub(crate) fn parse_fin_timeout(arg: &str, _: &mut ParseContext<'_>, out: &mut Actions) -> Parsed {
    let (mut idle, mut hard) = (0, 0);
    for (key, value) in KeyValues::new(arg) {
        match key {
            "idle_timeout" => idle = u16_named(value, key)?,
            "hard_timeout" => hard = u16_named(value, key)?,
            _ => text_error!("invalid key '{key}' in 'fin_timeout' argument"),
        }
    }
    out.push(Action::FinTimeout { idle, hard });
    Ok(())
}

pub(crate) fn format_fin_timeout(f: &mut fmt::Formatter<'_>, idle: u16, hard: u16) -> fmt::Result {
    let part = |name, n| if n == 0 { None } else { Some(format!("{name}={n}")) };
    let parts = [part("idle_timeout", idle), part("hard_timeout", hard)];
    write!(f, "fin_timeout({})", parts.into_iter().flatten().collect::<Vec<_>>().join(","))
}

pub(crate) fn decode_conjunction(b: &mut Body<'_>) -> Result<Action, OfpError> {
    let (clause, n_clauses, id) = (b.r.u8()?, b.r.u8()?, b.r.u32()?);
    if !(2..=64).contains(&n_clauses) || clause >= n_clauses {
        return Err(OfpError::NXBAC_BAD_CONJUNCTION);
    }
    Ok(Action::Conjunction { id, clause, n_clauses })
}

pub(crate) fn encode_conjunction(
    id: u32,
    clause: u8,
    n_clauses: u8,
    v: OfVersion,
    out: &mut Vec<u8>,
) {
    table::CONJUNCTION.put(v, out, |b| {
        b.put_u8(clause);
        b.put_u8(n_clauses);
        b.put_u32(id);
    });
}

pub(crate) fn parse_conjunction(arg: &str, _: &mut ParseContext<'_>, out: &mut Actions) -> Parsed {
    let scan = || {
        let (id, rest) = arg.split_once(',')?;
        let (clause, n) = rest.split_once('/')?;
        let number = |s: &str| match split_number(s.trim())? {
            (negative, n, "") => {
                let n = i128::try_from(n).ok()?;
                Some(if negative { -n } else { n })
            }
            _ => None,
        };
        let small = |s: &str| s.trim().parse::<u8>().ok();
        // Like C, an identifier keeps its low 32 bits.
        let id = u32::try_from(number(id)? & 0xffff_ffff).ok()?;
        Some((id, small(clause)?, small(n)?))
    };
    let Some((id, clause, n_clauses)) = scan() else {
        text_error!("\"conjunction\" syntax is \"conjunction(id,i/n)\"")
    };
    if n_clauses < 2 {
        text_error!("conjunction must have at least 2 clauses");
    } else if n_clauses > 64 {
        text_error!("conjunction must have at most 64 clauses");
    } else if clause < 1 {
        text_error!("clause index must be positive");
    } else if clause > n_clauses {
        text_error!("clause index must be less than or equal to number of clauses");
    }
    out.push(Action::Conjunction { id, clause: clause - 1, n_clauses });
    Ok(())
}

pub(crate) fn decode_note(b: &mut Body<'_>) -> Result<Action, OfpError> {
    Ok(Action::Note(b.r.rest().to_vec()))
}

pub(crate) fn encode_note(note: &[u8], v: OfVersion, out: &mut Vec<u8>) {
    table::NOTE.put(v, out, |b| b.extend_from_slice(note));
}

pub(crate) fn parse_note(arg: &str, _: &mut ParseContext<'_>, out: &mut Actions) -> Parsed {
    let (note, rest) = hex_bytes(arg);
    if !rest.is_empty() {
        text_error!("bad hex digit in `note' argument");
    }
    if note.len() + 10 > MAX_ACTION_LEN {
        text_error!("input too big");
    }
    out.push(Action::Note(note));
    Ok(())
}

pub(crate) fn decode_clone(b: &mut Body<'_>) -> Result<Action, OfpError> {
    b.r.skip(6)?;
    decode_nested(b.r.rest(), b.cx, Outer::None).map(Action::Clone)
}

pub(crate) fn encode_clone(actions: &[Action], v: OfVersion, out: &mut Vec<u8>) {
    table::CLONE.put(v, out, |b| {
        b.put_zeros(6);
        encode_actions(actions, v, b);
    });
}

pub(crate) fn parse_clone(arg: &str, cx: &mut ParseContext<'_>, out: &mut Actions) -> Parsed {
    // A nested list starts with every format, as in Open vSwitch.
    cx.usable = Protocols::ANY;
    out.push(Action::Clone(parse_nested(arg, cx, false, Outer::Clone)?));
    Ok(())
}
