//! Action lists as they stand in messages.

use crate::actions::{self, Action, Actions, DecodeContext};
use crate::ofp_errors::OfpError;
use crate::version::OfVersion;

pub(crate) use crate::actions::{encode_actions, encode_instructions};

/// Reads a list of actions.
pub(crate) fn decode_actions(bytes: &[u8], v: OfVersion) -> Result<Actions, OfpError> {
    actions::decode_actions(bytes, DecodeContext::new(v))
}

/// Reads a list of instructions; before OpenFlow 1.1, of actions.
pub(crate) fn decode_instructions(bytes: &[u8], v: OfVersion) -> Result<Vec<Action>, OfpError> {
    actions::decode_instructions(bytes, DecodeContext::new(v))
}
