//! The text of datapath flows and actions ("ODP"), as `dpctl/dump-flows`, `dpif/dump-flows` and
//! `ofproto/trace` write it and `netdev-dummy/receive`, `ofproto/trace` and `dpctl/add-flow` read it.
//!
//! | file | concept |
//! | --- | --- |
//! | `attr` | the table of attributes and their fields, from which both directions are made |
//! | `value` | one value: number, address, flags |
//! | `key`, `key_parse` | `recirc_id(0),in_port(1),eth(...),...` |
//! | `action`, `action_parse` | `push_vlan(vid=5,pcp=0),2` |
//!
//! Tunnel and NSH attributes are not part of it yet.

mod action;
mod action_parse;
mod attr;
mod key;
mod key_parse;
mod scan;
mod value;

#[cfg(test)]
mod tests;

pub use action::{format_actions, write_actions};
pub use action_parse::parse_actions;
pub use key::{Style, format_key};
pub use key_parse::{ParsedKey, parse_key};
pub use scan::SyntaxError;
pub use value::ipv6_text;

use crate::action::PortNo;

/// Finds the name of a port.
pub type PortName<'a> = &'a dyn Fn(PortNo) -> Option<String>;
/// Finds a port by its name.
pub type PortByName<'a> = &'a dyn Fn(&str) -> Option<PortNo>;
