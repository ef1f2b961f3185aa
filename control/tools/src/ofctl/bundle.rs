//! `--bundle`: changes that a switch makes all or none of.

use weir_openflow::Protocols;
use weir_openflow::actions::format::Names;
use weir_openflow::flow_text::FlowMod;
use weir_openflow::message::{CodecOptions, Message, encode_as};
use weir_openflow::messages::bundle::{
    BundleAdd, BundleControl, BundleControlType, bundle_flags,
};
use weir_openflow::raw::Kind;
use weir_runtime::program::Fatal;

use super::flow_format::open_for_flow_mod;
use super::vconn::{Vconn, encode_in, next_xid, print};
use super::{Settings, err};

const FLAGS: u16 = bundle_flags::ATOMIC | bundle_flags::ORDERED;
const BUNDLE: u32 = 1;

/// Sends flow-mods as one bundle.
pub(super) fn flow_mods(
    switch: &str,
    flows: Vec<FlowMod>,
    usable: Protocols,
    settings: &Settings,
) -> Result<(), Fatal> {
    // OpenFlow 1.3 has bundles as an extension, earlier versions none.
    let mut fv = open_for_flow_mod(switch, usable & Protocols::OF13_UP, settings)?;
    let mut messages = Vec::new();
    for fm in flows {
        messages.push(encode_in(fv.protocol, &Message::FlowMod(fm))?);
    }
    send(&mut fv.v, messages, settings)
}

fn control(v: &mut Vconn, kind: BundleControlType, settings: &Settings) -> Result<(), Fatal> {
    let message =
        Message::BundleControl(BundleControl { bundle_id: BUNDLE, kind, flags: FLAGS });
    let request = v.encode(&message)?;
    let reply = v.transact(&request)?;
    let is_error = weir_openflow::decode(&reply).map_or(true, |d| d.message.kind() == Kind::Error);
    if is_error {
        err(&print(&reply, settings.verbosity + 2, Names::default()));
        return Err(Fatal::new(""));
    }
    Ok(())
}

/// Opens a bundle, adds the messages and commits.
pub(super) fn send(
    v: &mut Vconn,
    messages: Vec<Vec<u8>>,
    settings: &Settings,
) -> Result<(), Fatal> {
    control(v, BundleControlType::OpenRequest, settings)?;
    let mut adds = Vec::new();
    for mut message in messages {
        // A message in a bundle has the transaction identifier of what adds it.
        let xid = next_xid();
        if let Some(cell) = message.get_mut(4..8) {
            cell.copy_from_slice(&xid.to_be_bytes());
        }
        let add = Message::BundleAddMessage(BundleAdd { bundle_id: BUNDLE, flags: FLAGS, message });
        let raw = Kind::BundleAddMessage
            .raw(v.version())
            .ok_or_else(|| Fatal::new("bundles need OpenFlow 1.3 or later"))?;
        let bytes = encode_as(raw, v.version(), xid, &add, CodecOptions::default());
        adds.push(bytes.map_err(|e| Fatal::new(e.to_string()))?);
    }
    if let Some(error) = v.transact_noreply(&adds)? {
        err(&print(&error, settings.verbosity + 2, Names::default()));
        control(v, BundleControlType::DiscardRequest, settings)?;
        return Err(Fatal::new(""));
    }
    control(v, BundleControlType::CommitRequest, settings)
}
