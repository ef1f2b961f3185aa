//! Which asynchronous messages a controller wants: three wire forms (Nicira's and OpenFlow 1.3's
//! masks, OpenFlow 1.4's properties) of one [`AsyncConfig`].

use crate::frame::Frame;
use crate::ofp_errors::OfpError;
use crate::props::{self, Prop, PropType};
use crate::raw::Raw;
use crate::version::OfVersion;
use crate::wire::{Put, Reader};

/// Kinds of asynchronous messages, in the order of OpenFlow 1.4's properties.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "names of messages")]
pub enum AsyncType {
    PacketIn = 0,
    PortStatus = 1,
    FlowRemoved = 2,
    RoleStatus = 3,
    TableStatus = 4,
    RequestForward = 5,
}

impl AsyncType {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::PacketIn,
        Self::PortStatus,
        Self::FlowRemoved,
        Self::RoleStatus,
        Self::TableStatus,
        Self::RequestForward,
    ];

    /// Reasons that `version` may ask for.
    fn allowed(self, v: OfVersion) -> u32 {
        match self {
            Self::PacketIn if v >= OfVersion::V14 => 0x3f,
            Self::PacketIn | Self::PortStatus | Self::RoleStatus => 0b111,
            Self::FlowRemoved => 0x3f,
            Self::TableStatus => 0b1_1000,
            Self::RequestForward => 0b11,
        }
    }
}

/// `OFPR_ACTION`
const ACTION: u32 = 1 << 1;
/// `OFPR_ACTION_SET`, `OFPR_GROUP` and `OFPR_PACKET_OUT`: before OpenFlow 1.4 they are `OFPR_ACTION`.
const OTHER_ACTIONS: u32 = 0b11_1000;
/// `OFPR_EXPLICIT_MISS`: a packet-in of a table-miss flow, a refinement of `OFPR_NO_MATCH`.
pub const EXPLICIT_MISS: u32 = 1 << 6;
/// `OFPR_IMPLICIT_MISS`: a packet-in of a table without a table-miss flow.
pub const IMPLICIT_MISS: u32 = 1 << 7;

/// Bit N of a mask asks for messages with reason N.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct AsyncConfig {
    /// Masks while the controller is primary or equal, by [`AsyncType`].
    pub primary: [u32; 6],
    /// Masks while it is secondary.
    pub secondary: [u32; 6],
}

/// Masks of some kinds; the others stay as they are.
pub type AsyncChange = [(Option<u32>, Option<u32>); 6];

/// A change of an [`AsyncConfig`], or a whole one in a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct AsyncMsg {
    /// By [`AsyncType`]: (primary, secondary).
    pub masks: AsyncChange,
    /// Do kinds that are not named become off? Before OpenFlow 1.4 a message says everything.
    pub replaces: bool,
}

impl AsyncConfig {
    /// What a new connection starts with.
    #[must_use]
    pub fn default_of(v: OfVersion) -> Self {
        let mut c = Self::default();
        c.primary[0] = (0x3f & !(1 << 2)) | EXPLICIT_MISS;
        if v <= OfVersion::V12 {
            c.primary[0] |= IMPLICIT_MISS;
        }
        c.primary[1] = 0b111;
        c.secondary[1] = 0b111;
        c.primary[2] = match v {
            OfVersion::V10 | OfVersion::V11 | OfVersion::V12 => 0b111,
            OfVersion::V13 => 0b1111,
            OfVersion::V14 | OfVersion::V15 => 0b11_1111,
        };
        c
    }

    /// This configuration after `msg`.
    #[must_use]
    pub fn changed(&self, msg: &AsyncMsg) -> Self {
        let mut c = if msg.replaces { Self::default() } else { *self };
        for (i, (primary, secondary)) in msg.masks.iter().enumerate() {
            c.primary[i] = primary.unwrap_or(c.primary[i]);
            c.secondary[i] = secondary.unwrap_or(c.secondary[i]);
        }
        c
    }

    /// The message that says the whole configuration.
    #[must_use]
    pub fn to_msg(&self) -> AsyncMsg {
        let mut masks = AsyncChange::default();
        for (i, m) in masks.iter_mut().enumerate() {
            *m = (Some(self.primary[i]), Some(self.secondary[i]));
        }
        AsyncMsg { masks, replaces: false }
    }
}

impl AsyncMsg {
    /// Decodes; unknown values are errors unless `loose`.
    pub(crate) fn decode(f: &Frame<'_>, v: OfVersion, loose: bool) -> Result<Self, OfpError> {
        let mut msg = Self::default();
        match f.raw {
            Raw::Ofpt13SetAsync | Raw::NxtSetAsyncConfig | Raw::Ofpt13GetAsyncReply => {
                msg.replaces = true;
                let mut r = Reader::new(f.body, OfpError::OFPBRC_BAD_LEN);
                for kind in AsyncType::ALL.into_iter().take(3) {
                    for primary in [true, false] {
                        msg.set(kind, primary, r.u32()?, v, true)?;
                    }
                }
            }
            _ => {
                let mut r = Reader::new(f.body, OfpError::OFPBPC_BAD_LEN);
                while !r.is_empty() {
                    msg.property(&Prop::pull_with(&mut r, 0xfffe)?, v, loose)?;
                }
            }
        }
        Ok(msg)
    }

    fn property(&mut self, prop: &Prop<'_>, v: OfVersion, loose: bool) -> Result<(), OfpError> {
        if let PropType::Standard(t) = prop.kind
            && let Some(kind) = AsyncType::ALL.get(usize::from(t / 2))
        {
            return self.set(*kind, t % 2 == 1, prop.u32()?, v, loose);
        }
        match prop.unknown() {
            _ if loose => Ok(()),
            // Async configuration has an error code of its own for this.
            OfpError::OFPBPC_BAD_TYPE => Err(OfpError::OFPACFC_UNSUPPORTED),
            e => Err(e),
        }
    }

    fn set(
        &mut self,
        kind: AsyncType,
        primary: bool,
        mask: u32,
        v: OfVersion,
        loose: bool,
    ) -> Result<(), OfpError> {
        let allowed = kind.allowed(v);
        if mask & !allowed != 0 && !loose {
            return Err(OfpError::OFPACFC_INVALID);
        }
        let mut mask = mask & allowed;
        if kind == AsyncType::PacketIn && v < OfVersion::V14 && mask & ACTION != 0 {
            mask |= OTHER_ACTIONS;
        }
        if kind == AsyncType::PacketIn && mask & 1 != 0 {
            mask |= EXPLICIT_MISS;
            if v < OfVersion::V13 {
                mask |= IMPLICIT_MISS;
            }
        }
        let cell = &mut self.masks[kind as usize];
        *(if primary { &mut cell.0 } else { &mut cell.1 }) = Some(mask);
        Ok(())
    }

    pub(crate) fn encode(&self, raw: Raw, v: OfVersion, out: &mut Vec<u8>) {
        let is_masks =
            matches!(raw, Raw::Ofpt13SetAsync | Raw::NxtSetAsyncConfig | Raw::Ofpt13GetAsyncReply);
        for (i, kind) in AsyncType::ALL.into_iter().enumerate() {
            let (primary, secondary) = self.masks[i];
            let allowed = kind.allowed(v);
            if is_masks {
                if i < 3 {
                    out.put_u32(primary.unwrap_or(0) & allowed);
                    out.put_u32(secondary.unwrap_or(0) & allowed);
                }
                continue;
            }
            let prop = 2 * i as u16;
            if let Some(mask) = secondary {
                props::put_u32(out, prop, mask & allowed);
            }
            if let Some(mask) = primary {
                props::put_u32(out, prop + 1, mask & allowed);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_of_action_sets_and_packet_outs_are_actions_before_openflow_1_4() {
        let packet_ins = |mask, v| {
            let mut msg = AsyncMsg::default();
            msg.set(AsyncType::PacketIn, true, mask, v, true).unwrap();
            msg.masks[0].0.unwrap()
        };
        assert_eq!(packet_ins(0b10, OfVersion::V10), 0b11_1010);
        assert_eq!(packet_ins(0b101, OfVersion::V13), 0b101 | EXPLICIT_MISS);
        assert_eq!(packet_ins(0b10, OfVersion::V15), 0b10);
    }
}
