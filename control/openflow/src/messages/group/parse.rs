//! Reading a group of `ovs-ofctl` (its manual, "Group Syntax").

use weir_flow::Field;

use super::{
    Bucket, GroupCommand, GroupMod, GroupProps, GroupType, METHOD_LEN, bucket_id, group_id,
};
use crate::actions::{ParseContext, parse_actions};
use crate::flow_text::flow_mod_parse::lines;
use crate::matching::{FieldValue, field_access, usable};
use crate::ofp_port::{NameMap, OfPort};
use crate::protocol::Protocols;
use crate::value_text::field::parse_field;
use crate::value_text::key_value::KeyValues;
use crate::value_text::number::{u16_named, u32_arg, u64_arg};
use crate::value_text::{TextError, text_error};

/// What a group is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A group-mod of this command.
    Mod(GroupCommand),
    /// A line of a file: the command may stand first (`delete group_id=1`), else it is `add`.
    Prefixed,
}

/// Where selection methods and buckets with numbers are known: OpenFlow 1.5 and Nicira's form.
fn extended() -> Protocols {
    Protocols::OF10_ANY | Protocols::OF15_UP
}

/// What may stand in a group's text.
struct Allowed {
    /// The type and all that goes with it.
    kind: bool,
    buckets: bool,
    command_bucket: bool,
    all_buckets: bool,
}

impl Allowed {
    fn of(command: GroupCommand) -> Self {
        use GroupCommand as C;
        let kind = matches!(command, C::Add | C::Modify | C::AddOrMod);
        Self {
            kind,
            buckets: kind || command == C::InsertBucket,
            command_bucket: matches!(command, C::InsertBucket | C::RemoveBucket),
            all_buckets: command == C::RemoveBucket,
        }
    }
}

/// Reads groups. It has the names that may be used and remembers what was found.
#[derive(Clone, Debug)]
pub struct GroupParser<'a> {
    /// Names of ports.
    pub ports: Option<&'a NameMap>,
    /// Names of tables.
    pub tables: Option<&'a NameMap>,
    /// Formats that can express the last group.
    pub usable: Protocols,
}

impl<'a> GroupParser<'a> {
    /// For texts that may use these names.
    #[must_use]
    pub fn new(ports: Option<&'a NameMap>, tables: Option<&'a NameMap>) -> Self {
        Self { ports, tables, usable: Protocols::ANY }
    }

    /// Reads a group. [`GroupParser::usable`] says afterwards which formats can express it.
    ///
    /// # Errors
    /// The text of Open vSwitch.
    pub fn parse(&mut self, text: &str, purpose: Purpose) -> Result<GroupMod, TextError> {
        self.usable = Protocols::ANY;
        let (command, text) = match purpose {
            Purpose::Mod(command) => (command, text),
            Purpose::Prefixed => split_command(text),
        };
        let mut gm = GroupMod {
            command,
            kind: GroupType::All,
            group_id: group_id::ANY,
            command_bucket_id: bucket_id::ALL,
            buckets: Vec::new(),
            props: GroupProps::default(),
        };
        if command == GroupCommand::Delete && text.is_empty() {
            gm.group_id = group_id::ALL;
            return Ok(gm);
        }
        // The buckets come last: the type decides what they may hold.
        let (head, buckets) = match text.find("bucket=") {
            Some(at) => text.split_at(at),
            None => (text, ""),
        };
        let allowed = Allowed::of(command);
        if allowed.command_bucket {
            self.usable &= extended();
        }
        if !buckets.is_empty() && !allowed.buckets {
            text_error!("bucket is not needed");
        }
        self.head(&mut gm, head, &allowed)?;
        for text in buckets.split("bucket=").skip(1) {
            let bucket = self.bucket(text, gm.kind)?;
            let weighted = bucket.weight != 0;
            gm.buckets.push(bucket);
            if weighted && gm.kind != GroupType::Select && command != GroupCommand::InsertBucket {
                text_error!("Only select groups can have bucket weights.");
            }
        }
        if gm.kind == GroupType::Indirect && gm.buckets.len() > 1 {
            text_error!("Indirect groups can have at most one bucket.");
        }
        Ok(gm)
    }

    /// Reads a whole file of groups. [`GroupParser::usable`] says afterwards which formats can
    /// express all of them.
    ///
    /// # Errors
    /// `FILE:LINE: ` and the text of Open vSwitch.
    pub fn parse_file(
        &mut self,
        file_name: &str,
        text: &str,
        purpose: Purpose,
    ) -> Result<Vec<GroupMod>, TextError> {
        let mut usable = Protocols::ANY;
        let mut groups = Vec::new();
        for (number, line) in lines(text) {
            let group = self
                .parse(line, purpose)
                .map_err(|e| TextError(format!("{file_name}:{number}: {e}")))?;
            usable &= self.usable;
            groups.push(group);
        }
        self.usable = usable;
        Ok(groups)
    }

    fn head(&mut self, gm: &mut GroupMod, text: &str, allowed: &Allowed) -> Result<(), TextError> {
        let (mut has_kind, mut has_command_bucket) = (false, false);
        for (name, value) in KeyValues::new(text) {
            match name {
                "command_bucket_id" => {
                    if !allowed.command_bucket {
                        text_error!("command bucket id is not needed");
                    }
                    gm.command_bucket_id = command_bucket(value)?;
                    if gm.command_bucket_id == bucket_id::ALL && !allowed.all_buckets {
                        text_error!("command_bucket_id=all is not permitted");
                    }
                    has_command_bucket = true;
                }
                "group_id" => gm.group_id = group(value)?,
                "type" => {
                    if !allowed.kind {
                        text_error!("type is not needed");
                    }
                    gm.kind = kind(value)?;
                    has_kind = true;
                }
                "selection_method" => {
                    if !allowed.kind {
                        text_error!("selection method is not needed");
                    }
                    if value.len() >= METHOD_LEN {
                        let most = METHOD_LEN - 1;
                        text_error!("selection method is longer than {most} bytes long");
                    }
                    value.clone_into(&mut gm.props.selection_method);
                    self.usable &= extended();
                }
                "selection_method_param" => {
                    if !allowed.kind {
                        text_error!("selection method param is not needed");
                    }
                    gm.props.selection_method_param = u64_arg(value)?;
                    self.usable &= extended();
                }
                "fields" => {
                    if !allowed.kind {
                        text_error!("fields are not needed");
                    }
                    self.fields(&mut gm.props, value)?;
                    self.usable &= extended();
                }
                _ => text_error!("unknown keyword {name}"),
            }
        }
        if gm.group_id == group_id::ANY {
            text_error!("must specify a group_id");
        }
        if allowed.kind && !has_kind {
            text_error!("must specify a type");
        }
        if allowed.command_bucket && !allowed.all_buckets && !has_command_bucket {
            text_error!("must specify a command bucket id");
        }
        if !gm.props.fields.is_empty() && gm.props.selection_method != "hash" {
            text_error!("fields may only be specified with \"selection_method=hash\"");
        }
        if gm.props.selection_method_param != 0 && gm.props.selection_method.is_empty() {
            text_error!("selection_method_param is only allowed with \"selection_method\"");
        }
        Ok(())
    }

    /// `ip_src,ip_dst=255.255.255.0`
    fn fields(&mut self, props: &mut GroupProps, text: &str) -> Result<(), TextError> {
        for word in text.split([',', ' ', '\t', '\r', '\n']).filter(|w| !w.is_empty()) {
            let (name, mask) = match word.split_once('=') {
                Some((name, mask)) => (name, Some(mask)),
                None => (word, None),
            };
            let Some(field) = Field::by_name(name) else { text_error!(": unknown field {name}") };
            if props.fields.contains_key(&field.id) {
                text_error!("{name}: duplicate field");
            }
            let mask = match mask.filter(|m| !m.is_empty()) {
                Some(text) => {
                    let (mask, _) = parse_field(field, text, self.ports)?;
                    if mask.is_zero() {
                        text_error!(": values are wildcards here and must not be all-zeros");
                    }
                    if !field_access::is_mask_valid(field, &mask) {
                        text_error!("{text}: invalid mask for field {}", field.name);
                    }
                    mask
                }
                None => FieldValue::ones(usize::from(field.bytes)),
            };
            self.usable &= usable::with_mask(field, &mask);
            props.fields.insert(field.id, mask);
        }
        Ok(())
    }

    fn bucket(&mut self, text: &str, kind: GroupType) -> Result<Bucket, TextError> {
        let mut bucket = Bucket {
            bucket_id: bucket_id::ALL,
            weight: u16::from(kind == GroupType::Select),
            watch_port: OfPort::NONE,
            watch_group: group_id::ANY,
            actions: Vec::new(),
        };
        let mut actions = String::new();
        for (key, value) in KeyValues::new(text) {
            match key.to_ascii_lowercase().as_str() {
                "weight" => bucket.weight = u16_named(value, "weight")?,
                "watch_port" => {
                    let port = OfPort::parse(value, self.ports);
                    let usual = |p: &OfPort| *p < OfPort::MAX || *p == OfPort::NONE;
                    let Some(port) = port.filter(usual) else {
                        text_error!("{value}: invalid watch_port")
                    };
                    bucket.watch_port = port;
                }
                "watch_group" => {
                    bucket.watch_group = u32_arg(value)?;
                    if bucket.watch_group > group_id::MAX {
                        text_error!("invalid watch_group id {}", bucket.watch_group);
                    }
                }
                "bucket_id" => {
                    bucket.bucket_id = u32_arg(value)?;
                    if bucket.bucket_id > bucket_id::MAX {
                        text_error!("invalid bucket_id id {}", bucket.bucket_id);
                    }
                }
                "action" | "actions" => actions.extend([value, ","]),
                _ => actions.extend([key, "(", value, "),"]),
            }
        }
        if actions.is_empty() {
            text_error!("bucket must specify actions");
        }
        let unwatched = bucket.watch_port == OfPort::NONE && bucket.watch_group == group_id::ANY;
        if kind == GroupType::FastFailover && unwatched {
            text_error!("fast failover bucket requires watch_port or watch_group");
        }
        let mut cx = ParseContext::new(self.ports, self.tables);
        bucket.actions = parse_actions(actions.trim_end_matches(','), &mut cx)?;
        // As it always was: what stands before a bucket is forgotten.
        self.usable = cx.usable;
        Ok(bucket)
    }
}

fn command_bucket(text: &str) -> Result<u32, TextError> {
    Ok(match text {
        "all" => bucket_id::ALL,
        "first" => bucket_id::FIRST,
        "last" => bucket_id::LAST,
        _ => {
            let id = u32_arg(text)?;
            let special = [bucket_id::FIRST, bucket_id::LAST, bucket_id::ALL].contains(&id);
            if id > bucket_id::MAX && !special {
                text_error!("invalid command bucket id {id}");
            }
            id
        }
    })
}

fn group(text: &str) -> Result<u32, TextError> {
    if text == "all" {
        return Ok(group_id::ALL);
    }
    let id = u32_arg(text)?;
    if id > group_id::MAX && id != group_id::ALL {
        text_error!("invalid group id {id}");
    }
    Ok(id)
}

fn kind(text: &str) -> Result<GroupType, TextError> {
    Ok(match text {
        "all" => GroupType::All,
        "select" => GroupType::Select,
        "indirect" => GroupType::Indirect,
        "ff" | "fast_failover" => GroupType::FastFailover,
        _ => text_error!("invalid group type {text}"),
    })
}

/// A command at the start of a line, with what follows; a line without one adds.
fn split_command(s: &str) -> (GroupCommand, &str) {
    let s = s.trim_start();
    let end = s.find([',', ' ', '\t', '\r', '\n']).unwrap_or(s.len());
    let (word, rest) = s.split_at(end);
    let command = match word {
        "add" => GroupCommand::Add,
        "delete" => GroupCommand::Delete,
        "modify" => GroupCommand::Modify,
        "add_or_mod" => GroupCommand::AddOrMod,
        "insert_bucket" => GroupCommand::InsertBucket,
        "remove_bucket" => GroupCommand::RemoveBucket,
        _ => return (GroupCommand::Add, s),
    };
    (command, rest)
}
