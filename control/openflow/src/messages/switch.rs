//! What a switch is: `OFPT_FEATURES_REPLY`, its configuration (`OFPT_GET_CONFIG_REPLY`,
//! `OFPT_SET_CONFIG`) and its description (`OFPST_DESC`).

use crate::frame::Frame;
use crate::messages::fixed_string;
use crate::messages::port::PhyPort;
use crate::ofp_errors::OfpError;
use crate::raw::Raw;
use crate::version::OfVersion;
use crate::wire::{Put, Reader};

/// Bits of a switch's capabilities, independent of the version.
#[expect(missing_docs, reason = "names of ofp_capabilities")]
pub mod capability {
    pub const FLOW_STATS: u32 = 1 << 0;
    pub const TABLE_STATS: u32 = 1 << 1;
    pub const PORT_STATS: u32 = 1 << 2;
    /// OpenFlow 1.1 and later.
    pub const GROUP_STATS: u32 = 1 << 3;
    pub const IP_REASM: u32 = 1 << 5;
    pub const QUEUE_STATS: u32 = 1 << 6;
    /// OpenFlow 1.0 and 1.1.
    pub const ARP_MATCH_IP: u32 = 1 << 7;
    /// OpenFlow 1.2 and later.
    pub const PORT_BLOCKED: u32 = 1 << 8;
    /// OpenFlow 1.4 and later.
    pub const BUNDLES: u32 = 1 << 9;
    /// OpenFlow 1.4 and later.
    pub const FLOW_MONITORING: u32 = 1 << 10;
    /// OpenFlow 1.0 only, there bit 3.
    pub const STP: u32 = 1 << 31;

    /// The bits that `wire_version` knows.
    pub(super) fn known(v: super::OfVersion) -> u32 {
        use super::OfVersion as V;
        let common = FLOW_STATS | TABLE_STATS | PORT_STATS | IP_REASM | QUEUE_STATS;
        match v {
            V::V10 => common | ARP_MATCH_IP,
            V::V11 => common | ARP_MATCH_IP | GROUP_STATS,
            V::V12 | V::V13 => common | GROUP_STATS | PORT_BLOCKED,
            V::V14 | V::V15 => common | GROUP_STATS | PORT_BLOCKED | BUNDLES | FLOW_MONITORING,
        }
    }
}

/// OpenFlow 1.0's bit for [`capability::STP`].
const OF10_STP: u32 = 1 << 3;

/// `OFPT_FEATURES_REPLY`
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct SwitchFeatures {
    /// Datapath identifier.
    pub datapath_id: u64,
    /// Packets the switch can keep for a controller.
    pub n_buffers: u32,
    /// Flow tables.
    pub n_tables: u8,
    /// Which auxiliary connection this is (OpenFlow 1.3 and later), 0 for the main one.
    pub auxiliary_id: u8,
    /// Bits of [`capability`].
    pub capabilities: u32,
    /// Bit N: the action of OpenFlow 1.0's type N is supported (OpenFlow 1.0 only).
    pub actions: u32,
    /// The ports (before OpenFlow 1.3).
    pub ports: Vec<PhyPort>,
}

impl SwitchFeatures {
    pub(crate) fn decode(f: &Frame<'_>, v: OfVersion) -> Result<Self, OfpError> {
        let mut r = Reader::new(f.body, OfpError::OFPBRC_BAD_LEN);
        let datapath_id = r.u64()?;
        let n_buffers = r.u32()?;
        let n_tables = r.u8()?;
        let auxiliary_id = r.u8()?;
        r.skip(2)?;
        let wire_capabilities = r.u32()?;
        let actions = r.u32()?;
        let mut capabilities = wire_capabilities & capability::known(v);
        if v == OfVersion::V10 && wire_capabilities & OF10_STP != 0 {
            capabilities |= capability::STP;
        }
        let mut ports = Vec::new();
        while v < OfVersion::V13 && !r.is_empty() {
            ports.push(PhyPort::pull(&mut r, v)?);
        }
        Ok(Self {
            datapath_id,
            n_buffers,
            n_tables,
            auxiliary_id: if v >= OfVersion::V13 { auxiliary_id } else { 0 },
            capabilities,
            actions: if v == OfVersion::V10 { actions } else { 0 },
            ports,
        })
    }

    pub(crate) fn encode(&self, v: OfVersion, out: &mut Vec<u8>) {
        out.put_u64(self.datapath_id);
        out.put_u32(self.n_buffers);
        out.put_u8(self.n_tables);
        out.put_u8(if v >= OfVersion::V13 { self.auxiliary_id } else { 0 });
        out.put_zeros(2);
        let mut capabilities = self.capabilities & capability::known(v);
        if v == OfVersion::V10 && self.capabilities & capability::STP != 0 {
            capabilities |= OF10_STP;
        }
        out.put_u32(capabilities);
        out.put_u32(if v == OfVersion::V10 { self.actions } else { 0 });
        if v < OfVersion::V13 {
            self.ports.iter().for_each(|p| p.put(out, v));
        }
    }
}

/// What happens to fragments of IP packets.
#[expect(missing_docs, reason = "names of ofp_config_flags")]
pub mod frag {
    pub const NORMAL: u16 = 0;
    pub const DROP: u16 = 1;
    pub const REASM: u16 = 2;
    /// Nicira: match `ip_frag`.
    pub const NX_MATCH: u16 = 3;
    pub const MASK: u16 = 3;
}

/// Send packets with an expired TTL to the controller (OpenFlow 1.1 and 1.2).
pub const INVALID_TTL_TO_CONTROLLER: u16 = 1 << 2;

/// `OFPT_GET_CONFIG_REPLY`, `OFPT_SET_CONFIG`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct SwitchConfig {
    /// A value of [`frag`], perhaps with [`INVALID_TTL_TO_CONTROLLER`].
    pub flags: u16,
    /// Most bytes of a missed packet that go to the controller.
    pub miss_send_len: u16,
}

impl SwitchConfig {
    /// Decodes; a switch is strict about flags it does not know.
    pub(crate) fn decode(f: &Frame<'_>, v: OfVersion) -> Result<Self, OfpError> {
        let mut r = Reader::new(f.body, OfpError::OFPBRC_BAD_LEN);
        let wire = r.u16()?;
        let ttl = if v < OfVersion::V13 { INVALID_TTL_TO_CONTROLLER } else { 0 };
        let flags = wire & (frag::MASK | ttl);
        if f.raw == Raw::OfptSetConfig && flags != wire {
            return Err(OfpError::OFPSCFC_BAD_FLAGS);
        }
        Ok(Self { flags, miss_send_len: r.u16()? })
    }

    pub(crate) fn encode(self, out: &mut Vec<u8>) {
        out.put_u16(self.flags);
        out.put_u16(self.miss_send_len);
    }
}

/// `OFPST_DESC` reply. The texts are bytes as the switch sent them, up to the first zero.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "names of ofp_desc_stats")]
pub struct SwitchDesc {
    pub mfr_desc: Vec<u8>,
    pub hw_desc: Vec<u8>,
    pub sw_desc: Vec<u8>,
    pub serial_num: Vec<u8>,
    pub dp_desc: Vec<u8>,
}

impl SwitchDesc {
    pub(crate) fn decode(f: &Frame<'_>) -> Result<Self, OfpError> {
        let mut r = Reader::new(f.body, OfpError::OFPBRC_BAD_LEN);
        let mut text = |n| r.take(n).map(|b| b.iter().copied().take_while(|b| *b != 0).collect());
        Ok(Self {
            mfr_desc: text(256)?,
            hw_desc: text(256)?,
            sw_desc: text(256)?,
            serial_num: text(32)?,
            dp_desc: text(256)?,
        })
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        fixed_string::put(out, &self.mfr_desc, 256);
        fixed_string::put(out, &self.hw_desc, 256);
        fixed_string::put(out, &self.sw_desc, 256);
        fixed_string::put(out, &self.serial_num, 32);
        fixed_string::put(out, &self.dp_desc, 256);
    }
}
