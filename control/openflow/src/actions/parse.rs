//! Reading actions and instructions from text, as `ovs-ofctl` has them (ovs-actions(7)).

use super::table::NAMES;
use super::verify::{self, Outer};
use super::{Action, Actions};
use crate::ofp_port::{NameMap, OfPort};
use crate::protocol::Protocols;
use crate::value_text::key_value::KeyValues;
use crate::value_text::{TextError, text_error};

/// What a parsing function answers.
pub(crate) type Parsed = Result<(), TextError>;

/// Actions nested deeper than this are refused.
const MAX_DEPTH: u8 = 100;

/// What is known while actions are read, and which formats can still express them.
#[derive(Clone, Debug)]
pub struct ParseContext<'a> {
    /// Names of ports.
    pub ports: Option<&'a NameMap>,
    /// Names of tables.
    pub tables: Option<&'a NameMap>,
    /// Formats that can express what was read so far.
    pub usable: Protocols,
    pub(crate) depth: u8,
}

impl<'a> ParseContext<'a> {
    /// For a text that may use these names.
    #[must_use]
    pub fn new(ports: Option<&'a NameMap>, tables: Option<&'a NameMap>) -> Self {
        Self { ports, tables, usable: Protocols::ANY, depth: 0 }
    }

    /// Reads a table's number or name; 255 is allowed here.
    #[must_use]
    pub fn table(&self, s: &str) -> Option<u8> {
        parse_table(s, self.tables)
    }
}

/// A table's number (0 to 255) or name.
#[must_use]
pub fn parse_table(s: &str, names: Option<&NameMap>) -> Option<u8> {
    if let Some((negative, n, "")) = crate::value_text::number::split_number(s) {
        if let (false, Ok(n)) = (negative, u8::try_from(n)) {
            return Some(n);
        }
        log::warn!(target: "ofp_table", "table {s} is outside the supported range 0 through 255");
        return None;
    }
    let bare = crate::ofp_port::unquote(s);
    names?.number(bare.as_deref().unwrap_or(s)).and_then(|n| u8::try_from(n).ok())
}

/// Reads a list of actions only (as in a bucket or a packet-out).
///
/// # Errors
/// The text that `ovs-ofctl` prints.
pub fn parse_actions(s: &str, cx: &mut ParseContext<'_>) -> Result<Actions, TextError> {
    cx.usable = Protocols::ANY;
    parse_nested(s, cx, false, Outer::None)
}

/// Reads a list of actions and instructions (as in a flow).
///
/// # Errors
/// The text that `ovs-ofctl` prints.
pub fn parse_instructions(s: &str, cx: &mut ParseContext<'_>) -> Result<Actions, TextError> {
    cx.usable = Protocols::ANY;
    parse_nested(s, cx, true, Outer::None)
}

/// Reads a list inside of another action.
pub(crate) fn parse_nested(
    s: &str,
    cx: &mut ParseContext<'_>,
    allow_instructions: bool,
    outer: Outer,
) -> Result<Actions, TextError> {
    if cx.depth >= MAX_DEPTH {
        text_error!("Action nested too deeply");
    }
    cx.depth += 1;
    let mut out = Actions::new();
    let result = parse_list(s, cx, allow_instructions, &mut out);
    cx.depth -= 1;
    result?;
    verify::verify_text(&out, allow_instructions, outer)?;
    Ok(out)
}

fn parse_list(
    s: &str,
    cx: &mut ParseContext<'_>,
    allow_instructions: bool,
    out: &mut Actions,
) -> Parsed {
    let mut drop = false;
    for (key, value) in KeyValues::new(s) {
        if let Some((name, parse)) = NAMES.iter().find(|(n, _)| key.eq_ignore_ascii_case(n)) {
            parse(value, cx, out)?;
            if *name == "meter" && !allow_instructions {
                // An action of OpenFlow 1.5.
                cx.usable &= Protocols::OF15_UP;
            }
        } else if key.eq_ignore_ascii_case("drop") {
            drop = true;
        } else if key.eq_ignore_ascii_case("apply_actions") {
            text_error!("apply_actions is the default instruction");
        } else if let Some(port) = OfPort::parse(key, cx.ports) {
            out.push(Action::Output { port, max_len: 0 });
        } else {
            text_error!("unknown action {key}");
        }
    }
    if drop && !out.is_empty() {
        text_error!("\"drop\" must not be accompanied by any other action or instruction");
    }
    Ok(())
}
