//! The text of a flow mod, as `ovs-ofctl` prints messages.

use std::fmt;

use super::flow_mod::{FlowMod, FlowModCommand, FlowModFlags, NO_BUFFER, OFPG_ANY};
use crate::actions::display;
use crate::actions::format::Names;
use crate::ofp_port::OfPort;

impl FlowMod {
    /// ` ADD table:3 priority=5,in_port=3 cookie:0x5 actions=drop` without the leading blank.
    #[must_use]
    pub fn display<'a>(&'a self, names: Names<'a>) -> FlowModText<'a> {
        FlowModText { fm: self, names }
    }
}

/// See [`FlowMod::display`].
#[derive(Debug)]
pub struct FlowModText<'a> {
    fm: &'a FlowMod,
    names: Names<'a>,
}

impl FlowModFlags {
    /// The words of the flags that are set, each followed by `separator`; unknown flags come as a
    /// number.
    #[must_use]
    pub fn words(self, separator: &str) -> String {
        let mut out = String::new();
        let mut unknown = self.0;
        for (flag, name) in Self::NAMES {
            if self.contains(flag) {
                out.push_str(name);
                out.push_str(separator);
                unknown &= !flag.0;
            }
        }
        if unknown != 0 {
            out.push_str(&format!("flags:0x{unknown:x}{separator}"));
        }
        out
    }
}

impl fmt::Display for FlowModText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fm = self.fm;
        f.write_str(match fm.command {
            FlowModCommand::Add => "ADD",
            FlowModCommand::Modify => "MOD",
            FlowModCommand::ModifyStrict => "MOD_STRICT",
            FlowModCommand::Delete => "DEL",
            FlowModCommand::DeleteStrict => "DEL_STRICT",
        })?;
        if fm.table_id != 0 {
            write!(f, " table:{}", self.names.table(fm.table_id))?;
        }
        f.write_str(" ")?;
        let matched = fm.matched.display(fm.priority, self.names.ports).to_string();
        if !matched.is_empty() {
            write!(f, "{matched} ")?;
        }
        if let Some(cookie) = fm.new_cookie.filter(|c| *c != 0 && *c != u64::MAX) {
            write!(f, "cookie:0x{cookie:x} ")?;
        }
        if fm.cookie_mask != 0 {
            write!(f, "cookie:0x{:x}/0x{:x} ", fm.cookie, fm.cookie_mask)?;
        }
        let numbers = [("idle", fm.idle_timeout), ("hard", fm.hard_timeout)];
        for (name, value) in numbers.into_iter().chain([("importance", fm.importance)]) {
            if value != 0 {
                write!(f, "{name}:{value} ")?;
            }
        }
        if fm.buffer_id != NO_BUFFER {
            write!(f, "buf:0x{:x} ", fm.buffer_id)?;
        }
        if fm.out_port != OfPort::NONE {
            write!(f, "out_port:{} ", self.names.port(fm.out_port))?;
        }
        if fm.out_group != OFPG_ANY {
            write!(f, "out_group:{} ", fm.out_group)?;
        }
        write!(f, "{}actions={}", fm.flags.words(" "), display(&fm.actions, self.names))
    }
}
