//! Actions that the switch does not take, each with the error that says so.

use weir_openflow::{Action, OfpError};

/// Looks for one.
///
/// # Errors
/// `OFPBAC_BAD_OUT_GROUP` and `OFPMMFC_INVALID_METER` for groups and meters that do not exist,
/// `OFPBAC_BAD_TYPE` for actions that this switch has not.
pub(super) fn actions(list: &[Action]) -> Result<(), OfpError> {
    for action in list {
        match action {
            Action::Group(_) => return Err(OfpError::OFPBAC_BAD_OUT_GROUP),
            Action::Meter(_) => return Err(OfpError::OFPMMFC_INVALID_METER),
            Action::Controller(c) if c.meter_id.is_some() => {
                return Err(OfpError::OFPMMFC_INVALID_METER);
            }
            Action::Controller(c) if c.pause => return Err(OfpError::OFPBAC_BAD_TYPE),
            Action::Ct(_)
            | Action::Nat(_)
            | Action::CtClear
            | Action::CheckPktLarger { .. }
            | Action::Encap(_)
            | Action::Decap { .. }
            | Action::DecNshTtl
            | Action::DeleteField(_) => return Err(OfpError::OFPBAC_BAD_TYPE),
            Action::Clone(inner) | Action::WriteActions(inner) => actions(inner)?,
            _ => {}
        }
    }
    Ok(())
}
