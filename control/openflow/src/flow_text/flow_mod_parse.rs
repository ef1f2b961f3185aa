//! Reading a flow of `ovs-ofctl` (its manual, "Flow Syntax").

use super::flow_mod::{FlowMod, FlowModCommand, FlowModFlags, OFPG_ANY, TABLE_ALL};
use super::match_parse::parse_item;
use crate::actions::parse::parse_table;
use crate::actions::{CheckContext, ParseContext, check_actions, parse_instructions};
use crate::matching::normalize::Normalized;
use crate::ofp_errors::OfpError;
use crate::ofp_port::{NameMap, OfPort};
use crate::protocol::Protocols;
use crate::value_text::key_value::KeyValues;
use crate::value_text::number::{u16_named, u32_arg, u64_arg};
use crate::value_text::{TextError, text_error};

/// What a flow is read for. It decides which words are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A flow mod of this command.
    Mod(FlowModCommand),
    /// A line of a file: the command may stand first (`delete in_port=1`), else it is `add`.
    Prefixed,
    /// The flows of a statistics request.
    Stats,
}

/// What may stand in a flow besides the match.
struct Allowed {
    actions: bool,
    timeouts: bool,
    priority: bool,
    flags: bool,
    importance: bool,
    out_port: bool,
    /// May the cookie be set?
    new_cookie: bool,
}

impl Allowed {
    fn of(command: Option<FlowModCommand>) -> Self {
        use FlowModCommand as C;
        let changes = matches!(command, Some(C::Add | C::Modify | C::ModifyStrict));
        Self {
            actions: changes,
            timeouts: changes,
            priority: changes || command == Some(C::DeleteStrict),
            flags: changes,
            importance: command == Some(C::Add),
            out_port: !changes,
            new_cookie: changes,
        }
    }
}

/// Reads flows. It has the names that may be used and remembers what was found.
#[derive(Clone, Debug)]
pub struct FlowParser<'a> {
    /// Names of ports.
    pub ports: Option<&'a NameMap>,
    /// Names of tables.
    pub tables: Option<&'a NameMap>,
    /// Formats that can express the last flow.
    pub usable: Protocols,
    /// Is told what normalizing the match of a flow-mod would change. The flow itself stays as it was
    /// written: the switch normalizes it.
    pub on_normalization: fn(&Normalized),
}

impl<'a> FlowParser<'a> {
    /// For texts that may use these names.
    #[must_use]
    pub fn new(ports: Option<&'a NameMap>, tables: Option<&'a NameMap>) -> Self {
        Self { ports, tables, usable: Protocols::ANY, on_normalization: |_| () }
    }

    /// Reads a flow. [`FlowParser::usable`] says afterwards which formats can express it.
    ///
    /// # Errors
    /// The text of Open vSwitch.
    pub fn parse(&mut self, text: &str, purpose: Purpose) -> Result<FlowMod, TextError> {
        self.usable = Protocols::ANY;
        let (command, text) = match purpose {
            Purpose::Mod(command) => (Some(command), text),
            Purpose::Stats => (None, text),
            Purpose::Prefixed => {
                let (command, rest) = split_command(text);
                (Some(command), rest)
            }
        };
        let allowed = Allowed::of(command);
        let mut fm =
            FlowMod { command: command.unwrap_or(FlowModCommand::Add), ..FlowMod::default() };
        let (items, actions) = if allowed.actions {
            let Some((items, actions)) = split_actions(text) else {
                text_error!("must specify an action")
            };
            (items, Some(actions))
        } else {
            (text, None)
        };
        let modifies = matches!(fm.command, FlowModCommand::Modify | FlowModCommand::ModifyStrict);
        if modifies && command.is_some() {
            // Not changed unless it is given.
            fm.new_cookie = None;
        }
        for (name, value) in KeyValues::new(items) {
            self.item(&mut fm, &allowed, name, value)?;
        }
        self.usable &= fm.matched.usable_after_parsing();
        if modifies && fm.cookie_mask == 0 && fm.new_cookie.is_none() {
            // The modification adds a flow when there is none; that needs a cookie.
            fm.new_cookie = Some(0);
        }
        if let Some(actions) = actions {
            self.actions(&mut fm, actions)?;
        }
        if command.is_some()
            && let Some(changed) = fm.matched.clone().normalize()
        {
            (self.on_normalization)(&changed);
        }
        Ok(fm)
    }

    fn actions(&mut self, fm: &mut FlowMod, text: &str) -> Result<(), TextError> {
        let mut cx = ParseContext::new(self.ports, self.tables);
        fm.actions = parse_instructions(text, &mut cx)?;
        self.usable &= cx.usable;
        let mut check = CheckContext::new(fm.matched.clone(), fm.table_id);
        let mut result = check_actions(&mut fm.actions, &mut check);
        self.usable &= check.usable;
        if result.is_ok() && self.usable.is_empty() {
            result = Err(OfpError::OFPBAC_MATCH_INCONSISTENT);
        }
        result.map_err(|e| {
            TextError(format!("actions are invalid with specified match ({})", e.name()))
        })
    }

    fn item(
        &mut self,
        fm: &mut FlowMod,
        allowed: &Allowed,
        name: &str,
        value: &str,
    ) -> Result<(), TextError> {
        if allowed.flags
            && let Some((flag, _)) = FlowModFlags::NAMES.iter().find(|(_, n)| *n == name)
        {
            fm.flags.insert(*flag);
            self.usable &= match *flag {
                FlowModFlags::RESET_COUNTS => Protocols::OF12_UP,
                FlowModFlags::NO_PKT_COUNTS | FlowModFlags::NO_BYT_COUNTS => Protocols::OF13_UP,
                _ => Protocols::ANY,
            };
            return Ok(());
        }
        if matches!(name, "no_readonly_table" | "allow_hidden_fields") {
            return Ok(());
        }
        if let Some(usable) = parse_item(&mut fm.matched, name, value, self.ports)? {
            self.usable &= usable;
            return Ok(());
        }
        if value.is_empty() {
            text_error!("field {name} missing value");
        }
        match name {
            "table" => {
                let Some(table) = parse_table(value, self.tables) else {
                    text_error!("unknown table \"{value}\"")
                };
                fm.table_id = table;
                if table != TABLE_ALL {
                    self.usable &= Protocols::TID;
                }
            }
            "out_port" if allowed.out_port => {
                let Some(port) = OfPort::parse(value, self.ports) else {
                    text_error!("{value} is not a valid OpenFlow port")
                };
                fm.out_port = port;
            }
            "out_group" if allowed.out_port => {
                self.usable &= Protocols::OF11_UP;
                let Some(group) = parse_group(value) else {
                    text_error!("{value} is not a valid OpenFlow group")
                };
                fm.out_group = group;
            }
            "priority" if allowed.priority => fm.priority = u16_named(value, name)?,
            "idle_timeout" if allowed.timeouts => fm.idle_timeout = u16_named(value, name)?,
            "hard_timeout" if allowed.timeouts => fm.hard_timeout = u16_named(value, name)?,
            "importance" if allowed.importance => fm.importance = u16_named(value, name)?,
            "cookie" => self.cookie(fm, allowed, value)?,
            // So that the output of dump-flows can be read.
            "duration" | "n_packets" | "n_bytes" | "idle_age" | "hard_age" => {}
            _ => text_error!("unknown keyword {name}"),
        }
        Ok(())
    }

    fn cookie(
        &mut self,
        fm: &mut FlowMod,
        allowed: &Allowed,
        value: &str,
    ) -> Result<(), TextError> {
        if let Some((cookie, mask)) = value.split_once('/') {
            // A mask means that flows with this cookie are meant.
            if allowed.new_cookie && fm.command == FlowModCommand::Add {
                text_error!("flow additions cannot use a cookie mask");
            }
            fm.cookie = u64_arg(cookie)?;
            fm.cookie_mask = u64_arg(mask)?;
            if fm.cookie_mask != 0 {
                self.usable &= Protocols::NXM_OF11_UP;
            }
            return Ok(());
        }
        if !allowed.new_cookie {
            text_error!(
                "cannot set cookie (to match on a cookie, specify a mask, e.g. cookie={value}/-1)"
            );
        }
        fm.new_cookie = Some(u64_arg(value)?);
        fm.modify_cookie = true;
        Ok(())
    }
}

/// The group numbers with a name; others are numbers.
#[must_use]
pub fn parse_group(s: &str) -> Option<u32> {
    match s.to_ascii_lowercase().as_str() {
        "any" => Some(OFPG_ANY),
        "all" => Some(0xffff_fffc),
        _ => u32_arg(s).ok(),
    }
}

/// A command at the start of a line, with what follows; a line without one adds.
fn split_command(s: &str) -> (FlowModCommand, &str) {
    let s = s.trim_start();
    let end = s.find([',', ' ', '\t', '\r', '\n']).unwrap_or(s.len());
    let (word, rest) = s.split_at(end);
    match FlowModCommand::ALL.into_iter().find(|c| c.name() == word) {
        Some(command) => (command, rest),
        None => (FlowModCommand::Add, s),
    }
}

/// Cuts a flow before its actions.
fn split_actions(s: &str) -> Option<(&str, &str)> {
    let (items, rest) = s.split_once("action")?;
    let (_, actions) = rest.split_once('=')?;
    Some((items, actions))
}

/// The lines of a file of flows, with their numbers: comments (`#` to the end of the line) are cut
/// off and blank lines left out.
pub fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let without_comments = text.lines().map(|l| l.split('#').next().unwrap_or(""));
    (1..).zip(without_comments).filter(|(_, l)| !l.trim().is_empty())
}

impl FlowParser<'_> {
    /// Reads a whole file of flows. [`FlowParser::usable`] says afterwards which formats can express
    /// all of them.
    ///
    /// # Errors
    /// `FILE:LINE: ` and the text of Open vSwitch.
    pub fn parse_file(
        &mut self,
        file_name: &str,
        text: &str,
        purpose: Purpose,
    ) -> Result<Vec<FlowMod>, TextError> {
        let mut usable = Protocols::ANY;
        let mut flows = Vec::new();
        for (number, line) in lines(text) {
            let flow = self
                .parse(line, purpose)
                .map_err(|e| TextError(format!("{file_name}:{number}: {e}")))?;
            usable &= self.usable;
            flows.push(flow);
        }
        self.usable = usable;
        Ok(flows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(s: &str, purpose: Purpose) -> Result<FlowMod, String> {
        FlowParser::new(None, None).parse(s, purpose).map_err(|e| e.0)
    }

    #[test]
    fn commands_and_their_words() {
        let add = Purpose::Mod(FlowModCommand::Add);
        assert_eq!(parse("in_port=1", add).unwrap_err(), "must specify an action");
        assert_eq!(
            parse("cookie=1/2,actions=1", add).unwrap_err(),
            "flow additions cannot use a cookie mask"
        );
        let fm = parse("delete_strict priority=3,tcp,out_port=4", Purpose::Prefixed).unwrap();
        assert_eq!((fm.command, fm.priority), (FlowModCommand::DeleteStrict, 3));
        assert_eq!(fm.out_port, OfPort(4));
        let fm = parse("modify cookie=5/7,actions=drop", Purpose::Prefixed).unwrap();
        assert_eq!((fm.cookie, fm.cookie_mask, fm.new_cookie), (5, 7, None));
        let fm = parse("modify actions=drop", Purpose::Prefixed).unwrap();
        assert_eq!(fm.new_cookie, Some(0));
        assert_eq!(
            parse("cookie=5", Purpose::Stats).unwrap_err(),
            "cannot set cookie (to match on a cookie, specify a mask, e.g. cookie=5/-1)"
        );
        assert_eq!(parse("actions=drop", Purpose::Stats).unwrap_err(), "unknown keyword actions");
    }

    #[test]
    fn files() {
        let mut p = FlowParser::new(None, None);
        let text = "# comment\n\nin_port=1 actions=2 # more\n  delete in_port=2\n";
        let flows = p.parse_file("f", text, Purpose::Prefixed).unwrap();
        assert_eq!(flows.len(), 2);
        let error = p.parse_file("f", "\nfoo", Purpose::Prefixed).unwrap_err();
        assert_eq!(error.0, "f:2: must specify an action");
    }
}
