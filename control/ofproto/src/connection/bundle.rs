//! Bundles: messages that a controller collects in the switch and has executed all at once, or not
//! at all (OpenFlow 1.4 section 6.8; of 1.3, ONF extension 230). Every bundle is ordered, and atomic
//! for packets too: they see the tables before it or after it.

use std::collections::BTreeMap;

use weir_openflow::messages::bundle::{BundleAdd, BundleControl, BundleControlType, bundle_flags};
use weir_openflow::{Decoded, Message, OfpError};

use super::dispatch::{self, Reach};
use super::manager::ConnManager;
use super::ofconn::OfConn;
use crate::bridge::BridgeState;

/// A bundle is dropped when nothing was said of it for so many milliseconds.
const IDLE_MS: u64 = 10_000;
/// Most bundles of a connection.
const MAX_BUNDLES: usize = 64;
/// Most bytes of messages in the bundles of a connection: some millions of flows.
const MAX_BYTES: usize = 1 << 30;

/// The bundles of a connection.
#[derive(Debug, Default)]
pub(super) struct Bundles {
    open: BTreeMap<u32, Bundle>,
    bytes: usize,
}

#[derive(Debug)]
struct Bundle {
    /// The message that made it, and its transaction ID.
    opened: (u32, Message),
    flags: u16,
    closed: bool,
    messages: Vec<Part>,
    bytes: usize,
    used_ms: u64,
}

#[derive(Debug)]
struct Part {
    decoded: Decoded,
    /// As it came.
    bytes: Vec<u8>,
}

impl Bundles {
    fn make(
        &mut self,
        id: u32,
        flags: u16,
        opened: (u32, Message),
        now_ms: u64,
    ) -> Result<&mut Bundle, OfpError> {
        if flags & !(bundle_flags::ATOMIC | bundle_flags::ORDERED) != 0 {
            return Err(OfpError::OFPBFC_BAD_FLAGS);
        }
        if self.open.len() >= MAX_BUNDLES {
            return Err(OfpError::OFPBFC_OUT_OF_BUNDLES);
        }
        let messages = Vec::new();
        let bundle = Bundle { opened, flags, closed: false, messages, bytes: 0, used_ms: now_ms };
        Ok(self.open.entry(id).or_insert(bundle))
    }

    fn remove(&mut self, id: u32) -> Option<Bundle> {
        let bundle = self.open.remove(&id)?;
        self.bytes -= bundle.bytes;
        Some(bundle)
    }

    /// A mistake about a bundle costs the bundle.
    fn spoil<T>(&mut self, id: u32, error: OfpError) -> Result<T, OfpError> {
        self.remove(id);
        Err(error)
    }

    /// Drops bundles that were forgotten; returns what opened them.
    pub(super) fn expire(&mut self, now_ms: u64) -> Vec<(u32, Message)> {
        let old = self.open.iter().filter(|(_, b)| b.used_ms + IDLE_MS <= now_ms);
        let ids: Vec<u32> = old.map(|(id, _)| *id).collect();
        ids.into_iter().filter_map(|id| self.remove(id)).map(|b| b.opened).collect()
    }

    /// When [`Bundles::expire`] has something to do, in monotonic milliseconds.
    pub(super) fn expires_at(&self) -> Option<u64> {
        self.open.values().map(|b| b.used_ms + IDLE_MS).min()
    }
}

/// `OFPT_BUNDLE_ADD_MESSAGE`. A bundle that was not opened is opened by it.
pub(super) fn add(
    conn: &mut OfConn,
    xid: u32,
    add: &BundleAdd,
    now_ms: u64,
) -> Result<(), OfpError> {
    let Some(decoded) = conn.decode(&add.message, now_ms)? else { return Ok(()) };
    let id = add.bundle_id;
    let bundles = &mut conn.bundles;
    if let Some(bundle) = bundles.open.get(&id) {
        if bundle.closed {
            return bundles.spoil(id, OfpError::OFPBFC_BUNDLE_CLOSED);
        }
        if bundle.flags != add.flags {
            return bundles.spoil(id, OfpError::OFPBFC_BAD_FLAGS);
        }
    } else {
        let open =
            BundleControl { bundle_id: id, kind: BundleControlType::OpenRequest, flags: add.flags };
        bundles.make(id, add.flags, (xid, Message::BundleControl(open)), now_ms)?;
    }
    let size = add.message.len();
    if bundles.bytes + size > MAX_BYTES {
        return bundles.spoil(id, OfpError::OFPBFC_MSG_TOO_MANY);
    }
    if let Some(bundle) = bundles.open.get_mut(&id) {
        bundle.messages.push(Part { decoded, bytes: add.message.clone() });
        bundle.bytes += size;
        bundle.used_ms = now_ms;
        bundles.bytes += size;
    }
    Ok(())
}

/// `OFPT_BUNDLE_CONTROL`
pub(super) fn control(
    conn: &mut OfConn,
    state: &mut BridgeState,
    others: &mut ConnManager,
    reach: &Reach<'_>,
    xid: u32,
    request: BundleControl,
) -> Result<(), OfpError> {
    use BundleControlType as Type;
    let BundleControl { bundle_id: id, flags, .. } = request;
    let bundles = &mut conn.bundles;
    let done = match request.kind {
        Type::OpenRequest => {
            if bundles.open.contains_key(&id) {
                return bundles.spoil(id, OfpError::OFPBFC_BAD_ID);
            }
            bundles.make(id, flags, (xid, Message::BundleControl(request)), reach.now_ms)?;
            Type::OpenReply
        }
        Type::CloseRequest => {
            let bundle = bundles.open.get_mut(&id).ok_or(OfpError::OFPBFC_BAD_ID)?;
            if bundle.closed {
                return bundles.spoil(id, OfpError::OFPBFC_BUNDLE_CLOSED);
            }
            if bundle.flags != flags {
                return bundles.spoil(id, OfpError::OFPBFC_BAD_FLAGS);
            }
            bundle.closed = true;
            bundle.used_ms = reach.now_ms;
            Type::CloseReply
        }
        Type::CommitRequest => {
            let bundle = bundles.remove(id).ok_or(OfpError::OFPBFC_BAD_ID)?;
            if bundle.flags != flags {
                return Err(OfpError::OFPBFC_BAD_FLAGS);
            }
            if let Err((error, part)) = commit(&bundle, state, reach) {
                conn.error(error, &part.bytes);
                return Err(OfpError::OFPBFC_MSG_FAILED);
            }
            for Part { decoded, .. } in &bundle.messages {
                if matches!(decoded.message, Message::GroupMod(_)) {
                    others.forward_request(decoded.header.xid, &decoded.message);
                }
            }
            Type::CommitReply
        }
        Type::DiscardRequest => {
            bundles.remove(id).ok_or(OfpError::OFPBFC_BAD_ID)?;
            Type::DiscardReply
        }
        _ => return Err(OfpError::OFPBFC_BAD_TYPE),
    };
    let reply = BundleControl { bundle_id: id, kind: done, flags: 0 };
    conn.send(xid, &Message::BundleControl(reply));
    Ok(())
}

/// Executes the messages of a bundle; one that fails undoes those before it.
fn commit<'a>(
    bundle: &'a Bundle,
    state: &mut BridgeState,
    reach: &Reach<'_>,
) -> Result<(), (OfpError, &'a Part)> {
    state.flows.begin();
    let flags: Vec<_> = state.ports.iter().map(|(number, port)| (*number, port.flags)).collect();
    let mut packets = Vec::new();
    for part in &bundle.messages {
        let result = match &part.decoded.message {
            Message::FlowMod(fm) => dispatch::flow_mod(state, reach, fm),
            Message::GroupMod(gm) => state.flows.group_mod(gm, reach.now_ms),
            // Ports change one after the other.
            Message::PortMod(_) if bundle.flags & bundle_flags::ATOMIC != 0 => {
                Err(OfpError::OFPBFC_MSG_FAILED)
            }
            Message::PortMod(pm) => dispatch::port_mod(state, reach, pm),
            Message::PacketOut(po) => {
                dispatch::checked_packet_out(state, reach, po).map(|p| packets.push(p))
            }
            _ => Err(OfpError::OFPBFC_MSG_UNSUP),
        };
        if let Err(error) = result {
            state.flows.roll_back();
            for (number, flags) in flags {
                state.set_port_flags(number, flags);
            }
            return Err((error, part));
        }
    }
    state.flows.commit();
    state.flows.publish(&reach.bridge.shared);
    for packet in &packets {
        dispatch::send(reach, packet);
    }
    Ok(())
}
