//! Controller roles.

use std::fmt::Write;

use crate::messages::role::{Role, RoleMsg, RoleStatus, role_reason};

fn generic(s: &mut String, role: Role, generation_id: Option<u64>) {
    s.push_str(match role {
        Role::NoChange => " role=nochange",
        Role::Equal => " role=equal",
        Role::Primary => " role=primary",
        Role::Secondary => " role=secondary",
    });
    if let Some(id) = generation_id {
        let _ = write!(s, " generation_id={id}");
    }
}

pub(super) fn role(s: &mut String, m: RoleMsg) {
    generic(s, m.role, m.generation_id);
}

/// The word of a reason.
pub(super) fn reason_name(reason: u8) -> Option<&'static str> {
    match reason {
        role_reason::PRIMARY_REQUEST => Some("primary_request"),
        role_reason::CONFIG => Some("configuration_changed"),
        role_reason::EXPERIMENTER => Some("experimenter_data_changed"),
        _ => None,
    }
}

pub(super) fn status(s: &mut String, m: RoleStatus) {
    generic(s, m.role, Some(m.generation_id).filter(|id| *id != u64::MAX));
    let _ = write!(s, " reason={}", reason_name(m.reason).unwrap_or("(unknown)"));
}
