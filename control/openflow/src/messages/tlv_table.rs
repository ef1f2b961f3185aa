//! The TLV table: which Geneve option `tun_metadataN` stands for (`NXT_TLV_TABLE_MOD`,
//! `NXT_TLV_TABLE_REPLY`).

use crate::frame::Frame;
use crate::ofp_errors::OfpError;
use crate::wire::{Put, Reader};

/// One mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TlvMap {
    /// Geneve option class.
    pub option_class: u16,
    /// Geneve option type.
    pub option_type: u8,
    /// Bytes of the option, a multiple of 4 up to 124.
    pub option_len: u8,
    /// N of `tun_metadataN`.
    pub index: u16,
}

/// How many `tun_metadataN` there are.
pub const N_TUN_METADATA: u16 = 64;
/// Longest Geneve option, bytes.
const MAX_OPTION_LEN: u8 = 124;

impl TlvMap {
    fn pull(r: &mut Reader<'_>) -> Result<Self, OfpError> {
        let map = Self {
            option_class: r.u16()?,
            option_type: r.u8()?,
            option_len: r.u8()?,
            index: r.u16()?,
        };
        r.skip(2)?;
        if !map.option_len.is_multiple_of(4) || map.option_len > MAX_OPTION_LEN {
            return Err(OfpError::NXTTMFC_BAD_OPT_LEN);
        }
        if map.index >= N_TUN_METADATA {
            return Err(OfpError::NXTTMFC_BAD_FIELD_IDX);
        }
        Ok(map)
    }

    fn put(self, out: &mut Vec<u8>) {
        out.put_u16(self.option_class);
        out.put_u8(self.option_type);
        out.put_u8(self.option_len);
        out.put_u16(self.index);
        out.put_zeros(2);
    }
}

fn pull_maps(r: &mut Reader<'_>) -> Result<Vec<TlvMap>, OfpError> {
    let mut maps = Vec::new();
    while !r.is_empty() {
        maps.push(TlvMap::pull(r)?);
    }
    Ok(maps)
}

/// What to do with the mappings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
#[expect(missing_docs, reason = "names of nx_tlv_table_mod_command")]
pub enum TlvCommand {
    Add = 0,
    Delete = 1,
    Clear = 2,
}

/// `NXT_TLV_TABLE_MOD`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlvTableMod {
    /// What to do.
    pub command: TlvCommand,
    /// With which mappings.
    pub maps: Vec<TlvMap>,
}

impl TlvTableMod {
    pub(crate) fn decode(f: &Frame<'_>) -> Result<Self, OfpError> {
        let mut r = Reader::new(f.body, OfpError::OFPBRC_BAD_LEN);
        let command = match r.u16()? {
            0 => TlvCommand::Add,
            1 => TlvCommand::Delete,
            2 => TlvCommand::Clear,
            _ => return Err(OfpError::NXTTMFC_BAD_COMMAND),
        };
        r.skip(6)?;
        Ok(Self { command, maps: pull_maps(&mut r)? })
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.put_u16(self.command as u16);
        out.put_zeros(6);
        self.maps.iter().for_each(|m| m.put(out));
    }
}

/// `NXT_TLV_TABLE_REPLY`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlvTableReply {
    /// Bytes of options that the switch can map at most.
    pub max_option_space: u32,
    /// Most mappings.
    pub max_fields: u16,
    /// The mappings in force.
    pub maps: Vec<TlvMap>,
}

impl TlvTableReply {
    pub(crate) fn decode(f: &Frame<'_>) -> Result<Self, OfpError> {
        let mut r = Reader::new(f.body, OfpError::OFPBRC_BAD_LEN);
        let max_option_space = r.u32()?;
        let max_fields = r.u16()?;
        r.skip(10)?;
        Ok(Self { max_option_space, max_fields, maps: pull_maps(&mut r)? })
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.put_u32(self.max_option_space);
        out.put_u16(self.max_fields);
        out.put_zeros(10);
        self.maps.iter().for_each(|m| m.put(out));
    }
}
