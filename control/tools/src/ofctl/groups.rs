//! Groups.

use std::fmt::Write;

use weir_openflow::Protocols;
use weir_openflow::flow_text::flow_mod_parse::parse_group as group_number;
use weir_openflow::message::Message;
use weir_openflow::messages::group::parse::{GroupParser, Purpose};
use weir_openflow::messages::group::{GroupCommand, GroupMod, group_id};
use weir_openflow::version::OfVersion;
use weir_runtime::program::Fatal;

use super::flow_format::open_for_flow_mod;
use super::flows::read_file;
use super::vconn::{Service, Vconn, encode_in, print};
use super::{Settings, bundle, fatal, names, out};

/// Encodes a message that changes something, unless the version cannot say it.
pub(super) fn encode_change(protocol: Protocols, message: &Message) -> Result<Vec<u8>, Fatal> {
    if let Message::GroupMod(gm) = message {
        let name = match gm.command {
            GroupCommand::InsertBucket => Some("insert-bucket"),
            GroupCommand::RemoveBucket => Some("remove-bucket"),
            _ => None,
        };
        let numbered = matches!(protocol.version(), Some(OfVersion::V10 | OfVersion::V15));
        if let Some(name) = name.filter(|_| !numbered) {
            return fatal(format!("{name} needs OpenFlow 1.5 or later ('-O OpenFlow15')"));
        }
    }
    encode_in(protocol, message)
}

fn change(settings: &Settings, args: &[String], purpose: Purpose) -> Result<(), Fatal> {
    let [switch, rest @ ..] = args else { return Ok(()) };
    let text = rest.first().map_or("", String::as_str);
    if text == "-" {
        return file(settings, switch, text, purpose);
    }
    let known = names::to_accept(switch, settings)?;
    let mut parser = GroupParser::new(known.ports(), known.tables());
    let group = parser.parse(text, purpose).map_err(|e| Fatal::new(e.0))?;
    send(switch, vec![group], parser.usable, settings)
}

fn file(settings: &Settings, switch: &str, name: &str, purpose: Purpose) -> Result<(), Fatal> {
    let known = names::to_accept(switch, settings)?;
    let mut parser = GroupParser::new(known.ports(), known.tables());
    let groups =
        parser.parse_file(name, &read_file(name)?, purpose).map_err(|e| Fatal::new(e.0))?;
    send(switch, groups, parser.usable, settings)
}

fn send(
    switch: &str,
    groups: Vec<GroupMod>,
    usable: Protocols,
    settings: &Settings,
) -> Result<(), Fatal> {
    let messages = groups.into_iter().map(Message::GroupMod);
    if settings.bundle {
        return bundle::send(switch, messages.collect(), usable, settings);
    }
    let mut fv = open_for_flow_mod(switch, usable, settings)?;
    for message in messages {
        let request = encode_change(fv.protocol, &message)?;
        fv.v.run(&[request], settings)?;
    }
    Ok(())
}

pub(super) fn add_group(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    change(settings, args, Purpose::Mod(GroupCommand::Add))
}

pub(super) fn add_groups(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    match args {
        [switch, name] => file(settings, switch, name, Purpose::Prefixed),
        _ => change(settings, args, Purpose::Mod(GroupCommand::Add)),
    }
}

pub(super) fn mod_group(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    let command = if settings.may_create { GroupCommand::AddOrMod } else { GroupCommand::Modify };
    change(settings, args, Purpose::Mod(command))
}

pub(super) fn del_groups(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    change(settings, args, Purpose::Mod(GroupCommand::Delete))
}

pub(super) fn insert_buckets(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    change(settings, args, Purpose::Mod(GroupCommand::InsertBucket))
}

pub(super) fn remove_buckets(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    change(settings, args, Purpose::Mod(GroupCommand::RemoveBucket))
}

pub(super) fn dump_groups(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    let [switch, rest @ ..] = args else { return Ok(()) };
    let group = rest.first().and_then(|text| {
        let group = group_number(text);
        if group.is_none() {
            log::warn!(
                target: "ofp_group",
                "{text} is not a valid group ID.  (Valid group IDs are 32-bit nonnegative integers \
                 or the keywords ANY or ALL.)"
            );
        }
        group
    });
    let shown = names::to_show(switch, settings)?;
    let mut v = Vconn::open(switch, Service::Mgmt, settings)?;
    let request = v.encode(&Message::GroupDescRequest(group.unwrap_or(group_id::ALL)))?;
    v.dump(&request, settings, shown.names())
}

pub(super) fn dump_group_stats(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    let [switch, rest @ ..] = args else { return Ok(()) };
    let known = names::to_accept(switch, settings)?;
    let mut parser = GroupParser::new(known.ports(), known.tables());
    let text = rest.first().map_or("", String::as_str);
    let group = parser.parse(text, Purpose::Mod(GroupCommand::Delete));
    let group = group.map_err(|e| Fatal::new(e.0))?.group_id;
    let mut v = Vconn::open(switch, Service::Mgmt, settings)?;
    let request = v.encode(&Message::GroupStatsRequest(group))?;
    v.dump(&request, settings, Default::default())
}

pub(super) fn dump_group_features(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    let [switch] = args else { return Ok(()) };
    let mut v = Vconn::open(switch, Service::Mgmt, settings)?;
    let request = v.encode(&Message::GroupFeaturesRequest)?;
    v.dump(&request, settings, Default::default())
}

pub(super) fn parse_group(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    let [text] = args else { return Ok(()) };
    let mut parser = GroupParser::new(None, None);
    let group = parser.parse(text, Purpose::Mod(GroupCommand::Add));
    let group = group.map_err(|e| Fatal::new(e.0))?;
    let mut text = format!("usable protocols: {}\n", parser.usable);
    let Some(chosen) = (parser.usable & settings.protocols).first() else {
        out(&text);
        return fatal("no usable protocol");
    };
    let version = chosen.version().unwrap_or(OfVersion::V10);
    let _ = writeln!(text, "chosen version: {}", version.option_name());
    let bytes = encode_change(chosen, &Message::GroupMod(group))?;
    text.push_str(&print(&bytes, settings.verbosity, Default::default()));
    out(&text);
    Ok(())
}
