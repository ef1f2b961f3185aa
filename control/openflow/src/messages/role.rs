//! Controller roles: `OFPT_ROLE_REQUEST`, `OFPT_ROLE_REPLY` (and Nicira's forms),
//! `OFPT_ROLE_STATUS`. OpenFlow 1.3.1 section 6.3.4.

use crate::frame::Frame;
use crate::ofp_errors::OfpError;
use crate::raw::Raw;
use crate::wire::{Put, Reader};

/// A controller's role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Role {
    /// Leave it; asks for the current role.
    NoChange = 0,
    /// Full access, beside others. `other` in Nicira's form.
    Equal = 1,
    /// Full access, at most one controller.
    Primary = 2,
    /// Read-only access.
    Secondary = 3,
}

impl Role {
    fn from_wire(n: u32) -> Result<Self, OfpError> {
        match n {
            0 => Ok(Self::NoChange),
            1 => Ok(Self::Equal),
            2 => Ok(Self::Primary),
            3 => Ok(Self::Secondary),
            _ => Err(OfpError::OFPRRFC_BAD_ROLE),
        }
    }
}

/// A role request or reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoleMsg {
    /// The wanted or current role.
    pub role: Role,
    /// The master election's number, if one is given.
    pub generation_id: Option<u64>,
}

impl RoleMsg {
    pub(crate) fn decode(f: &Frame<'_>) -> Result<Self, OfpError> {
        let mut r = Reader::new(f.body, OfpError::OFPBRC_BAD_LEN);
        if matches!(f.raw, Raw::NxtRoleRequest | Raw::NxtRoleReply) {
            let role = r.u32()?.checked_add(1).ok_or(OfpError::OFPRRFC_BAD_ROLE)?;
            return Ok(Self { role: Role::from_wire(role)?, generation_id: None });
        }
        let role = Role::from_wire(r.u32()?)?;
        r.skip(4)?;
        let generation_id = r.u64()?;
        let absent = if f.raw == Raw::Ofpt12RoleRequest {
            role == Role::NoChange
        } else {
            generation_id == u64::MAX
        };
        Ok(Self { role, generation_id: (!absent).then_some(generation_id) })
    }

    pub(crate) fn encode(self, raw: Raw, out: &mut Vec<u8>) {
        let role = self.role as u32;
        if matches!(raw, Raw::NxtRoleRequest | Raw::NxtRoleReply) {
            // Nicira's form has no "no change"; "other" is the nearest.
            out.put_u32(role.saturating_sub(1));
            return;
        }
        out.put_u32(role);
        out.put_zeros(4);
        let absent = if raw == Raw::Ofpt12RoleRequest { 0 } else { u64::MAX };
        out.put_u64(self.generation_id.unwrap_or(absent));
    }
}

/// Why a controller's role changed.
#[expect(missing_docs, reason = "names of ofp_controller_role_reason")]
pub mod role_reason {
    pub const PRIMARY_REQUEST: u8 = 0;
    pub const CONFIG: u8 = 1;
    pub const EXPERIMENTER: u8 = 2;
}

/// `OFPT_ROLE_STATUS`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoleStatus {
    /// The new role.
    pub role: Role,
    /// A value of [`role_reason`].
    pub reason: u8,
    /// The master election's number; `u64::MAX` is none.
    pub generation_id: u64,
}

impl RoleStatus {
    pub(crate) fn decode(f: &Frame<'_>) -> Result<Self, OfpError> {
        let mut r = Reader::new(f.body, OfpError::OFPBRC_BAD_LEN);
        let role = Role::from_wire(r.u32()?)?;
        let reason = r.u8()?;
        r.skip(3)?;
        Ok(Self { role, reason, generation_id: r.u64()? })
    }

    pub(crate) fn encode(self, out: &mut Vec<u8>) {
        out.put_u32(self.role as u32);
        out.put_u8(self.reason);
        out.put_zeros(3);
        out.put_u64(self.generation_id);
    }
}
