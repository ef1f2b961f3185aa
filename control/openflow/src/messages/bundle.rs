//! Bundles: `OFPT_BUNDLE_CONTROL` and `OFPT_BUNDLE_ADD_MESSAGE`, OpenFlow 1.4's and the ONF
//! extension of 1.3 (EXT-230). OpenFlow 1.4 section 7.3.9.

use crate::frame::Frame;
use crate::header::Header;
use crate::ofp_errors::OfpError;
use crate::raw::Kind;
use crate::wire::{Put, Reader};

/// Flags of a bundle.
#[expect(missing_docs, reason = "names of ofp_bundle_flags")]
pub mod bundle_flags {
    pub const ATOMIC: u16 = 1 << 0;
    pub const ORDERED: u16 = 1 << 1;
}

/// What a bundle-control message says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
#[expect(missing_docs, reason = "names of ofp_bundle_ctrl_type")]
pub enum BundleControlType {
    OpenRequest = 0,
    OpenReply = 1,
    CloseRequest = 2,
    CloseReply = 3,
    CommitRequest = 4,
    CommitReply = 5,
    DiscardRequest = 6,
    DiscardReply = 7,
}

impl BundleControlType {
    fn from_wire(n: u16) -> Option<Self> {
        let all = [
            Self::OpenRequest,
            Self::OpenReply,
            Self::CloseRequest,
            Self::CloseReply,
            Self::CommitRequest,
            Self::CommitReply,
            Self::DiscardRequest,
            Self::DiscardReply,
        ];
        all.get(usize::from(n)).copied()
    }
}

/// `OFPT_BUNDLE_CONTROL`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BundleControl {
    /// The bundle's number on this connection.
    pub bundle_id: u32,
    /// What to do, or what was done.
    pub kind: BundleControlType,
    /// Bits of [`bundle_flags`].
    pub flags: u16,
}

impl BundleControl {
    pub(crate) fn decode(f: &Frame<'_>) -> Result<Self, OfpError> {
        let mut r = Reader::new(f.body, OfpError::OFPBRC_BAD_LEN);
        let bundle_id = r.u32()?;
        let kind = r.u16()?;
        let flags = r.u16()?;
        let kind = BundleControlType::from_wire(kind).ok_or(OfpError::OFPBFC_BAD_TYPE)?;
        if flags & !(bundle_flags::ATOMIC | bundle_flags::ORDERED) != 0 {
            return Err(OfpError::OFPBFC_BAD_FLAGS);
        }
        Ok(Self { bundle_id, kind, flags })
    }

    pub(crate) fn encode(self, out: &mut Vec<u8>) {
        out.put_u32(self.bundle_id);
        out.put_u16(self.kind as u16);
        out.put_u16(self.flags);
    }
}

/// `OFPT_BUNDLE_ADD_MESSAGE`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundleAdd {
    /// The bundle's number on this connection.
    pub bundle_id: u32,
    /// Bits of [`bundle_flags`].
    pub flags: u16,
    /// The message to add, with its header.
    pub message: Vec<u8>,
}

/// Messages that a bundle can hold.
#[must_use]
pub fn is_bundlable(kind: Kind) -> bool {
    matches!(kind, Kind::PortMod | Kind::FlowMod | Kind::GroupMod | Kind::PacketOut)
}

impl BundleAdd {
    pub(crate) fn decode(f: &Frame<'_>) -> Result<Self, OfpError> {
        let mut r = Reader::new(f.body, OfpError::OFPBRC_BAD_LEN);
        let bundle_id = r.u32()?;
        r.skip(2)?;
        let flags = r.u16()?;
        let inner = Header::parse(r.rest()).ok_or(OfpError::OFPBFC_MSG_BAD_LEN)?;
        let len = usize::from(inner.length);
        if len < crate::header::HEADER_LEN || len > r.len() {
            return Err(OfpError::OFPBFC_MSG_BAD_LEN);
        }
        if inner.version != f.header.version {
            return Err(OfpError::OFPBFC_MSG_UNSUP);
        }
        if inner.xid != f.header.xid {
            return Err(OfpError::OFPBFC_MSG_BAD_XID);
        }
        let message = r.take(len)?.to_vec();
        let raw = Frame::parse_headers(&message).map_err(|_| OfpError::OFPBFC_MSG_UNSUP)?.raw;
        if !is_bundlable(raw.kind()) {
            return Err(OfpError::OFPBFC_MSG_UNSUP);
        }
        Ok(Self { bundle_id, flags, message })
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.put_u32(self.bundle_id);
        out.put_zeros(2);
        out.put_u16(self.flags);
        out.extend_from_slice(&self.message);
    }
}
