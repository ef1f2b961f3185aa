//! Actions and instructions: [`Action`], one table of them ([`table`]), a file for each family, and
//! the checks that OpenFlow asks for ([`check`]).

pub mod action;

pub use action::{Action, Actions};
