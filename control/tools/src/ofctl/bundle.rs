//! `--bundle` and `bundle`: changes that a switch makes all or none of.

use weir_openflow::Protocols;
use weir_openflow::actions::format::Names;
use weir_openflow::flow_text::{FlowMod, Purpose};
use weir_openflow::message::{CodecOptions, Message, decode, encode_as};
use weir_openflow::messages::bundle::{BundleAdd, BundleControl, BundleControlType, bundle_flags};
use weir_openflow::messages::group::parse::{GroupParser, Purpose as GroupPurpose};
use weir_openflow::messages::hello::VersionBitmap;
use weir_openflow::raw::Kind;
use weir_openflow::version::OfVersion;
use weir_runtime::program::Fatal;

use super::flow_format::{FlowVconn, open_for_flow_mod};
use super::flows::{flow_parser, read_file};
use super::vconn::{Vconn, print, xid_of};
use super::{Settings, err, fatal, groups, names, packet_out};

const FLAGS: u16 = bundle_flags::ATOMIC | bundle_flags::ORDERED;

/// Opens a switch for a bundle: OpenFlow 1.4 has them, 1.3 as an extension, earlier versions none.
pub(super) fn open(
    switch: &str,
    usable: Protocols,
    settings: &Settings,
) -> Result<FlowVconn, Fatal> {
    let allowed = OfVersion::ALL
        .into_iter()
        .filter(|v| *v >= OfVersion::V13 && settings.versions.contains(v.wire()));
    let mut versions = allowed.fold(0, |set, v| set | 1 << v.wire());
    let mut protocols = settings.protocols & Protocols::OF13_UP;
    if versions == 0 || protocols.is_empty() {
        versions = 1 << OfVersion::V14.wire();
        protocols = Protocols::OF14_OXM;
    }
    let settings = Settings { versions: VersionBitmap(versions), protocols, ..settings.clone() };
    open_for_flow_mod(switch, usable, &settings)
}

/// Sends flow-mods as one bundle.
pub(super) fn flow_mods(
    switch: &str,
    flows: Vec<FlowMod>,
    usable: Protocols,
    settings: &Settings,
) -> Result<(), Fatal> {
    let messages = flows.into_iter().map(Message::FlowMod).collect();
    send(switch, messages, usable, settings)
}

/// Sends messages as one bundle: opens it, adds the messages and commits.
pub(super) fn send(
    switch: &str,
    messages: Vec<Message>,
    usable: Protocols,
    settings: &Settings,
) -> Result<(), Fatal> {
    let FlowVconn { mut v, protocol } = open(switch, usable, settings)?;
    let mut requests = Vec::new();
    for message in messages {
        requests.push(groups::encode_change(protocol, &message)?);
    }
    let errors = transact(&mut v, &requests)?;
    if errors.is_empty() {
        return Ok(());
    }
    for error in &errors {
        describe(error, &requests, settings);
    }
    fatal(format!("talking to {} (Protocol error)", v.name()))
}

/// Tells what the switch said about which message.
fn describe(error: &[u8], requests: &[Vec<u8>], settings: &Settings) {
    let Ok(Message::Error(m)) = decode(error).map(|d| d.message) else { return };
    let xid = xid_of(error);
    // What the switch sent back may be cut off.
    let request = requests.iter().find(|r| xid_of(r) == xid);
    let request = request.map_or(m.data.as_slice(), Vec::as_slice);
    let error = m.error(error.first().copied().unwrap_or(0));
    let name = error.map_or("UNKNOWN", |e| e.name());
    let text = print(request, settings.verbosity + 1, Names::default());
    err(&format!("Error {name} for: {text}"));
}

fn control(v: &mut Vconn, kind: BundleControlType, errors: &mut Vec<Vec<u8>>) -> Result<(), Fatal> {
    let message = Message::BundleControl(BundleControl { bundle_id: 0, kind, flags: FLAGS });
    let request = v.encode(&message)?;
    v.send(&request)?;
    wait(v, xid_of(&request), errors)
}

/// Collects errors up to the reply with this transaction identifier, which may be one.
fn wait(v: &mut Vconn, xid: u32, errors: &mut Vec<Vec<u8>>) -> Result<(), Fatal> {
    loop {
        let reply = v.expect()?;
        let last = xid_of(&reply) == xid;
        if decode(&reply).map_or(true, |d| d.message.kind() == Kind::Error) {
            errors.push(reply);
        }
        if last {
            return Ok(());
        }
    }
}

fn transact(v: &mut Vconn, requests: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, Fatal> {
    let mut errors = Vec::new();
    control(v, BundleControlType::OpenRequest, &mut errors)?;
    if !errors.is_empty() {
        return Ok(errors);
    }
    for message in requests {
        let (xid, message) = (xid_of(message), message.clone());
        let add = Message::BundleAddMessage(BundleAdd { bundle_id: 0, flags: FLAGS, message });
        let raw = Kind::BundleAddMessage
            .raw(v.version())
            .ok_or_else(|| Fatal::new("bundles need OpenFlow 1.3 or later"))?;
        let bytes = encode_as(raw, v.version(), xid, &add, CodecOptions::default());
        v.send(&bytes.map_err(|e| Fatal::new(e.to_string()))?)?;
    }
    let barrier = v.encode(&Message::BarrierRequest)?;
    v.send(&barrier)?;
    wait(v, xid_of(&barrier), &mut errors)?;
    let end = if errors.is_empty() {
        BundleControlType::CommitRequest
    } else {
        BundleControlType::DiscardRequest
    };
    control(v, end, &mut errors)?;
    Ok(errors)
}

/// `flow add ...`, `group modify ...`, `packet-out ...`: the lines of a file as one bundle.
pub(super) fn bundle(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    let [switch, file] = args else { return Ok(()) };
    let text = read_file(file)?;
    let known = names::to_accept(switch, settings)?;
    let mut flows = flow_parser(&known);
    let mut groups = GroupParser::new(known.ports(), known.tables());
    let mut usable = Protocols::ANY;
    let mut messages = Vec::new();
    for (number, line) in weir_openflow::flow_text::flow_mod_parse::lines(&text) {
        let at = |e: String| Fatal::new(format!("{file}:{number}: {e}"));
        let line = line.trim_start();
        let (word, rest) = line.split_at(line.find([' ', '\t']).unwrap_or(line.len()));
        match word {
            "flow" => {
                let flow = flows.parse(rest, Purpose::Prefixed).map_err(|e| at(e.0))?;
                usable &= flows.usable;
                messages.push(Message::FlowMod(flow));
            }
            "group" => {
                let group = groups.parse(rest, GroupPurpose::Prefixed).map_err(|e| at(e.0))?;
                usable &= groups.usable;
                messages.push(Message::GroupMod(group));
            }
            "packet-out" => {
                let (po, formats) =
                    packet_out::parse(rest.trim_start(), known.ports(), known.tables())
                        .map_err(|e| at(e.to_string()))?;
                usable &= formats;
                messages.push(Message::PacketOut(po));
            }
            _ => return Err(at(format!("Unsupported bundle message type: {word}"))),
        }
    }
    send(switch, messages, usable, settings)
}
