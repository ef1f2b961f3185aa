//! Actions and instructions: [`Action`], one table of them, a file for each family, and the checks
//! that OpenFlow asks for ([`check`]).

pub mod action;
pub mod action_set;
pub mod check;
pub mod decode;
pub mod encode;
mod family;
pub mod format;
pub mod inspect;
pub mod parse;
mod raw;
mod table;
pub mod verify;

pub use action::{Action, Actions};
pub use check::{CheckContext, check_actions, check_consistency};
pub use decode::{decode_actions, decode_instructions};
pub use encode::{encode_actions, encode_instructions};
pub use format::{ActionsText, display};
pub use parse::{ParseContext, parse_actions, parse_instructions};
pub use raw::DecodeContext;
