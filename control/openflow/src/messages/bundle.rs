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
#[expect(missing_docs, reason = "names of ofp_bundle_ctrl_type")]
pub enum BundleControlType {
    OpenRequest,
    OpenReply,
    CloseRequest,
    CloseReply,
    CommitRequest,
    CommitReply,
    DiscardRequest,
    DiscardReply,
    /// Anything else; a switch answers it with `OFPBFC_BAD_TYPE`.
    Unknown(u16),
}

impl BundleControlType {
    /// The types by number, with the word that is printed.
    const KNOWN: [(Self, &'static str); 8] = [
        (Self::OpenRequest, "OPEN_REQUEST"),
        (Self::OpenReply, "OPEN_REPLY"),
        (Self::CloseRequest, "CLOSE_REQUEST"),
        (Self::CloseReply, "CLOSE_REPLY"),
        (Self::CommitRequest, "COMMIT_REQUEST"),
        (Self::CommitReply, "COMMIT_REPLY"),
        (Self::DiscardRequest, "DISCARD_REQUEST"),
        (Self::DiscardReply, "DISCARD_REPLY"),
    ];

    fn from_wire(n: u16) -> Self {
        Self::KNOWN.get(usize::from(n)).map_or(Self::Unknown(n), |k| k.0)
    }

    fn to_wire(self) -> u16 {
        let known = (0..).zip(Self::KNOWN).find(|(_, k)| k.0 == self).map(|(i, _)| i);
        match self {
            Self::Unknown(n) => n,
            _ => known.unwrap_or(u16::MAX),
        }
    }

    /// The word that is printed; empty when it is unknown.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::KNOWN.iter().find(|k| k.0 == self).map_or("", |k| k.1)
    }
}

/// `OFPT_BUNDLE_CONTROL`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BundleControl {
    /// The bundle's number on this connection.
    pub bundle_id: u32,
    /// What to do, or what was done.
    pub kind: BundleControlType,
    /// Bits of [`bundle_flags`], and perhaps others, which a switch answers with
    /// `OFPBFC_BAD_FLAGS`.
    pub flags: u16,
}

impl BundleControl {
    pub(crate) fn decode(f: &Frame<'_>) -> Result<Self, OfpError> {
        let mut r = Reader::new(f.body, OfpError::OFPBRC_BAD_LEN);
        let bundle_id = r.u32()?;
        let kind = BundleControlType::from_wire(r.u16()?);
        Ok(Self { bundle_id, kind, flags: r.u16()? })
    }

    pub(crate) fn encode(self, out: &mut Vec<u8>) {
        out.put_u32(self.bundle_id);
        out.put_u16(self.kind.to_wire());
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
        if inner.version != f.header.version {
            return Err(OfpError::OFPBFC_BAD_VERSION);
        }
        let len = usize::from(inner.length);
        if len < crate::header::HEADER_LEN || len > r.len() {
            return Err(OfpError::OFPBFC_MSG_BAD_LEN);
        }
        if inner.xid != f.header.xid {
            return Err(OfpError::OFPBFC_MSG_BAD_XID);
        }
        let message = r.take(len)?.to_vec();
        let raw = Frame::parse(&message).map_err(|_| OfpError::OFPBFC_MSG_UNSUP)?.raw;
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
