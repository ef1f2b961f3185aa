//! Packets that come to a controller: `OFPT_PACKET_IN`, `NXT_PACKET_IN`, `NXT_PACKET_IN2` and its
//! answer `NXT_RESUME`.

use crate::frame::Frame;
use crate::matching::Match;
use crate::messages::match_wire::{LOOSE, pull_nxm, pull_oxm, put_nxm, put_oxm};
use crate::nxm;
use crate::ofp_errors::OfpError;
use crate::ofp_port::OfPort;
use crate::props::{self, Prop, PropType};
use crate::raw::Raw;
use crate::version::OfVersion;
use crate::wire::{Put, Reader};
use weir_flow::field::id;

/// Why a packet comes to a controller.
pub mod packet_in_reason {
    use crate::version::OfVersion;

    /// No flow matched.
    pub const NO_MATCH: u8 = 0;
    /// An action sent it.
    pub const ACTION: u8 = 1;
    /// The TTL expired.
    pub const INVALID_TTL: u8 = 2;
    /// The action set sent it (OpenFlow 1.4 and later, as the rest).
    pub const ACTION_SET: u8 = 3;
    /// A group's bucket sent it.
    pub const GROUP: u8 = 4;
    /// A packet-out sent it.
    pub const PACKET_OUT: u8 = 5;
    /// Within the switch only: a table-miss flow sent it.
    pub const EXPLICIT_MISS: u8 = 6;
    /// Within the switch only: no flow matched and there is no table-miss flow.
    pub const IMPLICIT_MISS: u8 = 7;

    /// How `v` writes a reason.
    #[must_use]
    pub fn to_wire(reason: u8, v: OfVersion) -> u8 {
        match reason {
            ACTION_SET | GROUP | PACKET_OUT if v < OfVersion::V14 => ACTION,
            EXPLICIT_MISS if v < OfVersion::V13 => ACTION,
            EXPLICIT_MISS | IMPLICIT_MISS => NO_MATCH,
            r => r,
        }
    }

    /// The reason's word; the two that stay within the switch have none.
    #[must_use]
    pub fn name(reason: u8) -> String {
        let names = ["no_match", "action", "invalid_ttl", "action_set", "group", "packet_out"];
        match names.get(usize::from(reason)) {
            Some(name) => (*name).to_owned(),
            None if reason <= IMPLICIT_MISS => String::new(),
            None => reason.to_string(),
        }
    }

    /// Looks a reason up by its word.
    #[must_use]
    pub fn from_name(s: &str) -> Option<u8> {
        (NO_MATCH..=PACKET_OUT).find(|r| name(*r).eq_ignore_ascii_case(s))
    }
}

/// A packet for a controller, or back from it (`NXT_RESUME`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PacketIn {
    /// The packet's first bytes.
    pub packet: Vec<u8>,
    /// Bytes of the whole packet.
    pub total_len: u32,
    /// Where the switch kept the packet, if it did.
    pub buffer_id: Option<u32>,
    /// A value of [`packet_in_reason`].
    pub reason: u8,
    /// The table that sent it.
    pub table_id: u8,
    /// Cookie of the flow that sent it; `u64::MAX` is not known.
    pub cookie: u64,
    /// What is known of the packet beyond its bytes: ports, tunnel, registers ...
    pub metadata: Match,
    /// The controller action's `userdata`.
    pub userdata: Vec<u8>,
    /// State to resume translation; opaque to anyone but the switch.
    pub continuation: Vec<u8>,
}

/// Properties of `NXT_PACKET_IN2`.
mod nxpint {
    pub(super) const PACKET: u16 = 0;
    pub(super) const FULL_LEN: u16 = 1;
    pub(super) const BUFFER_ID: u16 = 2;
    pub(super) const TABLE_ID: u16 = 3;
    pub(super) const COOKIE: u16 = 4;
    pub(super) const REASON: u16 = 5;
    pub(super) const METADATA: u16 = 6;
    pub(super) const USERDATA: u16 = 7;
    pub(super) const CONTINUATION: u16 = 8;
}

impl Default for PacketIn {
    fn default() -> Self {
        Self {
            packet: Vec::new(),
            total_len: 0,
            buffer_id: None,
            reason: 0,
            table_id: 0,
            cookie: u64::MAX,
            metadata: Match::catchall(),
            userdata: Vec::new(),
            continuation: Vec::new(),
        }
    }
}

fn buffer(id: u32) -> Option<u32> {
    (id != u32::MAX).then_some(id)
}

/// A match of the port a packet came in on.
fn in_port(port: OfPort) -> Match {
    let mut m = Match::catchall();
    id::IN_PORT_OXM.field().set(&mut m.flow, u128::from(port.0));
    m.mask.0.in_port = u32::MAX.into();
    m
}

impl PacketIn {
    /// The port it came in on, if that is known.
    #[must_use]
    pub fn in_port(&self) -> Option<OfPort> {
        let known = self.metadata.mask.0.in_port.get() != 0;
        let n = u16::try_from(self.metadata.flow.in_port.get()).ok()?;
        known.then_some(OfPort(n))
    }

    /// Decodes; a controller is `loose` about properties it does not know, a switch is not.
    pub(crate) fn decode(f: &Frame<'_>, loose: bool) -> Result<Self, OfpError> {
        let mut r = Reader::new(f.body, OfpError::OFPBRC_BAD_LEN);
        match f.raw {
            Raw::Ofpt10PacketIn => {
                let buffer_id = buffer(r.u32()?);
                let total_len = u32::from(r.u16()?);
                let metadata = in_port(OfPort(r.u16()?));
                let reason = r.u8()?;
                r.skip(1)?;
                let packet = r.rest().to_vec();
                Ok(Self { packet, total_len, buffer_id, reason, metadata, ..Self::default() })
            }
            Raw::Ofpt11PacketIn => {
                let buffer_id = buffer(r.u32()?);
                let port = crate::messages::port::pull_port(&mut r)?;
                r.skip(4)?;
                let total_len = u32::from(r.u16()?);
                let (reason, table_id) = (r.u8()?, r.u8()?);
                let packet = r.rest().to_vec();
                let metadata = in_port(port);
                Ok(Self {
                    packet,
                    total_len,
                    buffer_id,
                    reason,
                    table_id,
                    metadata,
                    ..Self::default()
                })
            }
            Raw::NxtPacketIn2 | Raw::NxtResume => Self::decode_properties(&mut r, loose),
            raw => Self::decode_12(&mut r, raw),
        }
    }

    fn decode_12(r: &mut Reader<'_>, raw: Raw) -> Result<Self, OfpError> {
        let buffer_id = buffer(r.u32()?);
        let total_len = u32::from(r.u16()?);
        let (reason, table_id) = (r.u8()?, r.u8()?);
        let cookie = if raw == Raw::Ofpt12PacketIn { u64::MAX } else { r.u64()? };
        let metadata = if raw == Raw::NxtPacketIn {
            let len = usize::from(r.u16()?);
            r.skip(6)?;
            pull_nxm(r, len, LOOSE)?.matched
        } else {
            pull_oxm(r, LOOSE)?
        };
        r.skip(2)?;
        let packet = r.rest().to_vec();
        Ok(Self {
            packet,
            total_len,
            buffer_id,
            reason,
            table_id,
            cookie,
            metadata,
            ..Self::default()
        })
    }

    fn decode_properties(r: &mut Reader<'_>, loose: bool) -> Result<Self, OfpError> {
        let mut pin = Self::default();
        while !r.is_empty() {
            let p = Prop::pull(r)?;
            let PropType::Standard(kind) = p.kind else {
                if loose {
                    continue;
                }
                return Err(p.unknown());
            };
            match kind {
                nxpint::PACKET => pin.packet = p.payload.to_vec(),
                nxpint::FULL_LEN => pin.total_len = p.u32()?,
                nxpint::BUFFER_ID => pin.buffer_id = buffer(p.u32()?),
                nxpint::TABLE_ID => pin.table_id = p.u8()?,
                nxpint::COOKIE => pin.cookie = p.u64()?,
                nxpint::REASON => pin.reason = p.u8()?,
                nxpint::METADATA => {
                    let strictness =
                        if loose { nxm::Strictness::Loose } else { nxm::Strictness::Strict };
                    pin.metadata = nxm::decode_match(p.payload, strictness)?.matched;
                }
                nxpint::USERDATA => pin.userdata = p.payload.to_vec(),
                nxpint::CONTINUATION => pin.continuation = p.nested()?.to_vec(),
                _ if loose => {}
                _ => return Err(p.unknown()),
            }
        }
        let len = u32::try_from(pin.packet.len()).unwrap_or(u32::MAX);
        if pin.packet.is_empty() {
            log::warn!(target: "ofp_packet", "NXT_PACKET_IN2 lacks packet");
            return Err(OfpError::OFPBRC_BAD_LEN);
        }
        if pin.total_len == 0 {
            pin.total_len = len;
        } else if pin.total_len < len {
            log::warn!(target: "ofp_packet", "NXT_PACKET_IN2 claimed full_len < len");
            return Err(OfpError::OFPBRC_BAD_LEN);
        }
        Ok(pin)
    }

    pub(crate) fn encode(&self, raw: Raw, v: OfVersion, out: &mut Vec<u8>) {
        if matches!(raw, Raw::NxtPacketIn2 | Raw::NxtResume) {
            return self.put_properties(raw, v, out);
        }
        let reason = packet_in_reason::to_wire(self.reason, v);
        let total_len = u16::try_from(self.total_len).unwrap_or(u16::MAX);
        let port = self.in_port().unwrap_or(OfPort(0));
        out.put_u32(self.buffer_id.unwrap_or(u32::MAX));
        match raw {
            Raw::Ofpt10PacketIn => {
                out.put_u16(total_len);
                out.put_u16(port.0);
                out.put_u8(reason);
                out.put_zeros(1);
            }
            Raw::Ofpt11PacketIn => {
                out.put_u32(port.to_ofp11());
                out.put_u32(port.to_ofp11());
                out.put_u16(total_len);
                out.put_u8(reason);
                out.put_u8(self.table_id);
            }
            Raw::NxtPacketIn => {
                out.put_u16(total_len);
                out.put_u8(reason);
                out.put_u8(self.table_id);
                out.put_u64(self.cookie);
                let len_at = out.len();
                out.put_zeros(8);
                let len = put_nxm(&self.metadata, None, out);
                out.set_u16(len_at, len);
                out.put_zeros(2);
            }
            _ => {
                out.put_u16(total_len);
                out.put_u8(reason);
                out.put_u8(self.table_id);
                if raw == Raw::Ofpt13PacketIn {
                    out.put_u64(self.cookie);
                }
                put_oxm(&self.metadata, v, out);
                out.put_zeros(2);
            }
        }
        out.extend_from_slice(&self.packet);
    }

    fn put_properties(&self, raw: Raw, v: OfVersion, out: &mut Vec<u8>) {
        props::put_bytes(out, nxpint::PACKET, &self.packet);
        if u32::try_from(self.packet.len()) != Ok(self.total_len) {
            props::put_u32(out, nxpint::FULL_LEN, self.total_len);
        }
        props::put_u8(out, nxpint::TABLE_ID, self.table_id);
        if self.cookie != u64::MAX {
            props::put_u64(out, nxpint::COOKIE, self.cookie);
        }
        props::put_u8(out, nxpint::REASON, packet_in_reason::to_wire(self.reason, v));
        props::put(out, PropType::Standard(nxpint::METADATA), |out| {
            nxm::encode_match(&self.metadata, Some(v), None, out);
        });
        if !self.continuation.is_empty() || raw == Raw::NxtResume {
            props::put_nested(out, nxpint::CONTINUATION, |out| {
                out.extend_from_slice(&self.continuation);
            });
        }
        if raw == Raw::NxtPacketIn2 && !self.userdata.is_empty() {
            props::put_bytes(out, nxpint::USERDATA, &self.userdata);
        }
    }
}
