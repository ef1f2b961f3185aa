//! Actions that the switch does not take, each with the error that says so.

use weir_flow::Flow;
use weir_openflow::actions::{CheckContext, check_actions};
use weir_openflow::{Action, Match, OfpError};

use crate::groups::GroupTable;
use crate::xlate::action_set;

/// Checks the actions of a flow in a table against its match, and notes in them what later steps
/// need to know about it.
///
/// # Errors
/// Those of [`check_actions`], and see `actions` below.
pub fn check_for(
    matched: &Match,
    table: u8,
    list: &mut [Action],
    groups: &GroupTable,
) -> Result<(), OfpError> {
    let mut cx = CheckContext::new(matched.clone(), table);
    cx.n_tables = crate::view::INTERNAL_TABLE;
    check_actions(list, &mut cx)?;
    actions(list, Some(groups))
}

/// Checks the actions of a bucket, those that a packet would get. What they name need not exist
/// until a packet comes.
///
/// # Errors
/// See `actions` below.
pub(super) fn bucket(list: &[Action]) -> Result<(), OfpError> {
    actions(&action_set::ordered(list), None)
}

/// Checks actions that come with a packet against that packet.
///
/// # Errors
/// As [`check_for`].
pub fn check_for_packet(
    key: &Flow,
    list: &mut [Action],
    groups: &GroupTable,
) -> Result<(), OfpError> {
    check_for(&packet_match(key), 0, list, groups)
}

/// What a packet is known to be, as a match.
#[must_use]
pub fn packet_match(key: &Flow) -> Match {
    let mut m = Match::catchall();
    m.flow.dl_type = key.dl_type;
    m.mask.0.dl_type = u16::MAX.into();
    m.flow.nw_proto = key.nw_proto;
    m.mask.0.nw_proto = 0xff;
    m.flow.nw_frag = key.nw_frag;
    m.flow.vlans = key.vlans;
    m.flow.tp_src = key.tp_src;
    m.flow.tp_dst = key.tp_dst;
    m
}

/// Looks for one. Without groups, references are not followed.
///
/// # Errors
/// `OFPBAC_BAD_OUT_GROUP` and `OFPMMFC_INVALID_METER` for groups and meters that do not exist,
/// `OFPBAC_BAD_TYPE` for actions that this switch has not.
fn actions(list: &[Action], groups: Option<&GroupTable>) -> Result<(), OfpError> {
    for action in list {
        match action {
            Action::Group(id) if groups.is_some_and(|g| g.get(*id).is_none()) => {
                return Err(OfpError::OFPBAC_BAD_OUT_GROUP);
            }
            Action::Meter(_) if groups.is_some() => return Err(OfpError::OFPMMFC_INVALID_METER),
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
            Action::Clone(inner) | Action::WriteActions(inner) => actions(inner, groups)?,
            _ => {}
        }
    }
    Ok(())
}
