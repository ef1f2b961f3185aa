//! `OFPT_PACKET_OUT`: a controller sends a packet.

use crate::actions::Actions;
use crate::frame::Frame;
use crate::matching::Match;
use crate::messages::action_lists::{decode_actions, encode_actions};
use crate::messages::match_wire::{pull_oxm, put_oxm};
use crate::messages::port::pull_port;
use crate::nxm::{MatchOptions, Strictness};
use crate::ofp_errors::OfpError;
use crate::ofp_port::OfPort;
use crate::raw::Raw;
use crate::version::OfVersion;
use crate::wire::{Put, Reader};

/// `OFPT_PACKET_OUT`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PacketOut {
    /// The packet that the switch kept, or `None` when it is in `packet`.
    pub buffer_id: Option<u32>,
    /// The ingress port; OpenFlow 1.5 can give more of the packet's metadata.
    pub metadata: Match,
    /// What to do with it.
    pub actions: Actions,
    /// The packet.
    pub packet: Vec<u8>,
}

impl PacketOut {
    /// The ingress port.
    #[must_use]
    pub fn in_port(&self) -> OfPort {
        OfPort(u16::try_from(self.metadata.flow.in_port.get()).unwrap_or(u16::MAX))
    }

    pub(crate) fn decode(f: &Frame<'_>, v: OfVersion) -> Result<Self, OfpError> {
        let mut r = Reader::new(f.body, OfpError::OFPBRC_BAD_LEN);
        let buffer_id = r.u32()?;
        let (metadata, actions_len) = match f.raw {
            Raw::Ofpt10PacketOut => (ethernet_from(OfPort(r.u16()?)), r.u16()?),
            Raw::Ofpt11PacketOut => {
                let port = pull_port(&mut r)?;
                let len = r.u16()?;
                r.skip(6)?;
                (ethernet_from(port), len)
            }
            _ => {
                let len = r.u16()?;
                r.skip(2)?;
                let options = MatchOptions {
                    strictness: Strictness::Loose,
                    allow_cookie: false,
                    pipeline_fields_only: true,
                };
                let metadata = pull_oxm(&mut r, options)?;
                if metadata.mask.0.in_port.get() == 0 {
                    return Err(OfpError::OFPBRC_BAD_PORT);
                }
                (metadata, len)
            }
        };
        let actions = Reader::new(r.rest(), OfpError::OFPBRC_BAD_LEN)
            .take(usize::from(actions_len))
            .and_then(|bytes| decode_actions(bytes, v))?;
        r.skip(usize::from(actions_len))?;
        let buffer_id = (buffer_id != u32::MAX).then_some(buffer_id);
        let packet = if buffer_id.is_none() { r.rest().to_vec() } else { Vec::new() };
        let po = Self { buffer_id, metadata, actions, packet };
        let port = po.in_port();
        let special = [OfPort::LOCAL, OfPort::NONE, OfPort::CONTROLLER];
        if port >= OfPort::MAX && !special.contains(&port) {
            log::warn!(target: "ofp_packet", "packet-out has bad input port {:#x}", port.0);
            return Err(OfpError::OFPBRC_BAD_PORT);
        }
        Ok(po)
    }

    pub(crate) fn encode(&self, raw: Raw, v: OfVersion, out: &mut Vec<u8>) {
        out.put_u32(self.buffer_id.unwrap_or(u32::MAX));
        let port = self.in_port();
        let len_at = match raw {
            Raw::Ofpt10PacketOut => {
                out.put_u16(port.0);
                out.put_u16(0);
                out.len() - 2
            }
            Raw::Ofpt11PacketOut => {
                out.put_u32(port.to_ofp11());
                out.put_zeros(8);
                out.len() - 8
            }
            _ => {
                out.put_zeros(4);
                let at = out.len() - 4;
                put_oxm(&self.metadata, v, out);
                at
            }
        };
        let start = out.len();
        encode_actions(&self.actions, v, out);
        let len = out.len() - start;
        out.set_u16(len_at, u16::try_from(len).unwrap_or(u16::MAX));
        if self.buffer_id.is_none() {
            out.extend_from_slice(&self.packet);
        }
    }
}

/// The metadata of an Ethernet packet from `port`.
#[must_use]
pub fn ethernet_from(port: OfPort) -> Match {
    let mut m = Match::catchall();
    m.flow.in_port = u32::from(port.0).into();
    m.mask.0.in_port = u32::MAX.into();
    m.mask.0.packet_type = u32::MAX.into();
    m
}
