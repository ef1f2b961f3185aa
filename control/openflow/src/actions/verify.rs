//! The order of actions and instructions, and which may stand inside which.
//!
//! Open vSwitch has one list for both: meter, actions, clear_actions, write_actions,
//! write_metadata, goto_table. The same rules hold for every version, whatever it can express.

use super::{Action, Actions};
use crate::matching::Subfield;
use crate::ofp_errors::OfpError;
use crate::value_text::TextError;
use crate::version::OfVersion;
use weir_flow::FieldId;
use weir_flow::field::id;

/// The action that a list stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outer {
    /// None.
    None,
    /// `write_actions`
    WriteActions,
    /// `ct`
    Ct,
    /// `clone`
    Clone,
}

impl Outer {
    fn name(self) -> &'static str {
        match self {
            Self::None => "",
            Self::WriteActions => "write_actions",
            Self::Ct => "ct",
            Self::Clone => "clone",
        }
    }
}

/// Instructions in the order that a list must have them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the specification's names")]
pub enum Instruction {
    Meter,
    ApplyActions,
    ClearActions,
    WriteActions,
    WriteMetadata,
    GotoTable,
}

impl Instruction {
    /// Its name in texts.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Meter => "meter",
            Self::ApplyActions => "apply_actions",
            Self::ClearActions => "clear_actions",
            Self::WriteActions => "write_actions",
            Self::WriteMetadata => "write_metadata",
            Self::GotoTable => "goto_table",
        }
    }

    /// The instruction that an action belongs to. `meter` is an action since OpenFlow 1.5.
    #[must_use]
    pub fn of(action: &Action, version: OfVersion) -> Self {
        match action {
            Action::Meter(_) if version < OfVersion::V15 => Self::Meter,
            Action::ClearActions => Self::ClearActions,
            Action::WriteActions(_) => Self::WriteActions,
            Action::WriteMetadata { .. } => Self::WriteMetadata,
            Action::GotoTable(_) => Self::GotoTable,
            _ => Self::ApplyActions,
        }
    }
}

/// The field that an action writes, if it is one of those that name their field.
fn destination(action: &Action) -> Option<FieldId> {
    match action {
        Action::SetField(sf) => Some(sf.field),
        Action::RegMove { dst: Subfield { field, .. }, .. } => Some(*field),
        _ => None,
    }
}

/// What is wrong with a list, as an error of the wire and as a text.
type Wrong = (OfpError, String);

fn verify_nested(action: &Action, outer: Outer) -> Result<(), Wrong> {
    let field = destination(action);
    let needs_ct = |f: FieldId| matches!(f, id::CT_MARK | id::CT_LABEL);
    if field.is_some_and(needs_ct) && outer != Outer::Ct {
        let text = "cannot set CT fields outside of ct action".to_owned();
        return Err((OfpError::OFPBAC_BAD_SET_ARGUMENT, text));
    }
    if matches!(action, Action::Nat(_)) {
        if outer != Outer::Ct {
            let text = "Cannot have NAT action outside of \"ct\" action".to_owned();
            return Err((OfpError::OFPBAC_BAD_SET_ARGUMENT, text));
        }
        return Ok(());
    }
    let unsupported = || {
        let text = format!(
            "{} action doesn't support nested action {}",
            outer.name(),
            super::inspect::name(action)
        );
        Err((OfpError::OFPBAC_BAD_ARGUMENT, text))
    };
    if outer == Outer::Ct {
        let Some(field) = field else { return unsupported() };
        if !needs_ct(field) {
            let text = format!(
                "{} action doesn't support nested modification of {}",
                outer.name(),
                field.field().name
            );
            return Err((OfpError::OFPBAC_BAD_ARGUMENT, text));
        }
    }
    if outer != Outer::None && matches!(action, Action::Meter(_)) {
        return unsupported();
    }
    Ok(())
}

/// Checks a whole list.
fn verify_list(
    actions: &[Action],
    version: OfVersion,
    allow_instructions: bool,
    outer: Outer,
) -> Result<(), Wrong> {
    let mut last: Option<Instruction> = None;
    for action in actions {
        if matches!(action, Action::Conjunction { .. }) {
            let other =
                actions.iter().find(|a| !matches!(a, Action::Conjunction { .. } | Action::Note(_)));
            return other.map_or(Ok(()), |a| {
                let text = format!(
                    "\"conjunction\" actions may be used along with \"note\" but not any other \
                     kind of action (such as the \"{}\" action used here)",
                    super::inspect::name(a)
                );
                Err((OfpError::NXBAC_BAD_CONJUNCTION, text))
            });
        }
        verify_nested(action, outer)?;
        let next = Instruction::of(action, version);
        if let Some(last) = last {
            let repeats = next == last && last != Instruction::ApplyActions;
            if repeats || next < last {
                let text = if repeats {
                    format!(
                        "duplicate {} instruction not allowed, for OpenFlow 1.1+ compatibility",
                        last.name()
                    )
                } else {
                    format!(
                        "invalid instruction ordering: {} must appear before {}, for OpenFlow 1.1+ \
                         compatibility",
                        next.name(),
                        last.name()
                    )
                };
                return Err((OfpError::OFPBAC_UNSUPPORTED_ORDER, text));
            }
        }
        if !allow_instructions && !matches!(next, Instruction::ApplyActions | Instruction::Meter) {
            let text = format!("{} instruction not allowed here", next.name());
            return Err((OfpError::OFPBIC_UNSUP_INST, text));
        }
        last = Some(next);
    }
    Ok(())
}

pub(crate) fn verify_text(
    actions: &Actions,
    allow_instructions: bool,
    outer: Outer,
) -> Result<(), TextError> {
    verify_list(actions, OfVersion::V11, allow_instructions, outer).map_err(|(_, s)| TextError(s))
}

/// Checks a list that came over the wire.
///
/// # Errors
/// `OFPBAC_UNSUPPORTED_ORDER`, `OFPBIC_UNSUP_INST` and others.
pub fn verify_wire(
    actions: &[Action],
    version: OfVersion,
    allow_instructions: bool,
    outer: Outer,
) -> Result<(), OfpError> {
    verify_list(actions, version, allow_instructions, outer).map_err(|(error, text)| {
        log::warn!(target: "ofp_actions", "{text}");
        error
    })
}
