//! `OFPT_REQUESTFORWARD`: another controller's group-mod or meter-mod, for those who want to know.

use crate::frame::Frame;
use crate::header::{HEADER_LEN, Header};
use crate::ofp_errors::OfpError;
use crate::raw::Kind;

/// `OFPT_REQUESTFORWARD`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestForward {
    /// The request, with its header.
    pub request: Vec<u8>,
}

impl RequestForward {
    pub(crate) fn decode(f: &Frame<'_>) -> Result<Self, OfpError> {
        let inner = Header::parse(f.body).ok_or(OfpError::OFPBFC_MSG_BAD_LEN)?;
        let len = usize::from(inner.length);
        let request = f.body.get(..len).filter(|_| len >= HEADER_LEN);
        let request = request.ok_or(OfpError::OFPBFC_MSG_BAD_LEN)?;
        if inner.version != f.header.version {
            return Err(OfpError::OFPBRC_BAD_VERSION);
        }
        match Frame::parse(request)?.raw.kind() {
            Kind::GroupMod | Kind::MeterMod => Ok(Self { request: request.to_vec() }),
            _ => Err(OfpError::OFPBFC_MSG_UNSUP),
        }
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.request);
    }
}
