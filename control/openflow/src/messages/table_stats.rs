//! `OFPST_TABLE`: counters of tables. Before OpenFlow 1.3 the reply also says what a table can do,
//! in bitmaps that differ between versions; those are kept as they stand on the wire.

use crate::messages::fixed_string;
use crate::ofp_errors::OfpError;
use crate::raw::Raw;
use crate::wire::{Put, Reader};

/// What a table can do, as OpenFlow 1.0 to 1.2 say it. Members that a version has not are 0.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct TableAbilities {
    /// The table's name.
    pub name: Vec<u8>,
    /// Fields that may be wildcarded: `OFPFW_*` (1.0), `OFPFMF_*` (1.1), OXM numbers (1.2).
    pub wildcards: u64,
    /// Fields that may be matched (1.1, 1.2).
    pub matches: u64,
    /// Instructions (1.1, 1.2).
    pub instructions: u32,
    /// Actions of Write-Actions (1.1, 1.2).
    pub write_actions: u32,
    /// Actions of Apply-Actions (1.1, 1.2).
    pub apply_actions: u32,
    /// Fields of Set-Field in Write-Actions (1.2).
    pub write_setfields: u64,
    /// Fields of Set-Field in Apply-Actions (1.2).
    pub apply_setfields: u64,
    /// Bits of the metadata that can be matched (1.2).
    pub metadata_match: u64,
    /// Bits of the metadata that can be written (1.2).
    pub metadata_write: u64,
    /// The table's "config", see [`crate::messages::table`] (1.1, 1.2).
    pub config: u32,
    /// Most flows.
    pub max_entries: u32,
}

/// A table's counters.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct TableStats {
    /// Which table.
    pub table_id: u8,
    /// Flows in it.
    pub active_count: u32,
    /// Packets looked up.
    pub lookup_count: u64,
    /// Packets that hit a flow.
    pub matched_count: u64,
    /// Before OpenFlow 1.3: what the table can do.
    pub abilities: TableAbilities,
}

const NAME_LEN: usize = 32;

impl TableStats {
    pub(crate) fn pull(r: &mut Reader<'_>, raw: Raw) -> Result<Self, OfpError> {
        let table_id = r.u8()?;
        let mut a = TableAbilities::default();
        match raw {
            Raw::Ofpst10TableReply => {
                r.skip(3)?;
                a.name = fixed_string::get(r.take(NAME_LEN)?);
                a.wildcards = u64::from(r.u32()?);
                a.max_entries = r.u32()?;
            }
            Raw::Ofpst11TableReply => {
                r.skip(7)?;
                a.name = fixed_string::get(r.take(NAME_LEN)?);
                a.wildcards = u64::from(r.u32()?);
                a.matches = u64::from(r.u32()?);
                a.instructions = r.u32()?;
                a.write_actions = r.u32()?;
                a.apply_actions = r.u32()?;
                a.config = r.u32()?;
                a.max_entries = r.u32()?;
            }
            Raw::Ofpst12TableReply => {
                r.skip(7)?;
                a.name = fixed_string::get(r.take(NAME_LEN)?);
                a.matches = r.u64()?;
                a.wildcards = r.u64()?;
                a.write_actions = r.u32()?;
                a.apply_actions = r.u32()?;
                a.write_setfields = r.u64()?;
                a.apply_setfields = r.u64()?;
                a.metadata_match = r.u64()?;
                a.metadata_write = r.u64()?;
                a.instructions = r.u32()?;
                a.config = r.u32()?;
                a.max_entries = r.u32()?;
            }
            _ => r.skip(3)?,
        }
        Ok(Self {
            table_id,
            active_count: r.u32()?,
            lookup_count: r.u64()?,
            matched_count: r.u64()?,
            abilities: a,
        })
    }

    /// Appends the statistics as an entry of a reply of form `raw`.
    pub fn put(&self, out: &mut Vec<u8>, raw: Raw) {
        let a = &self.abilities;
        out.put_u8(self.table_id);
        match raw {
            Raw::Ofpst10TableReply => {
                out.put_zeros(3);
                fixed_string::put(out, &a.name, NAME_LEN);
                out.put_u32(a.wildcards as u32);
                out.put_u32(a.max_entries);
            }
            Raw::Ofpst11TableReply => {
                out.put_zeros(7);
                fixed_string::put(out, &a.name, NAME_LEN);
                for bits in [a.wildcards as u32, a.matches as u32, a.instructions] {
                    out.put_u32(bits);
                }
                for bits in [a.write_actions, a.apply_actions, a.config, a.max_entries] {
                    out.put_u32(bits);
                }
            }
            Raw::Ofpst12TableReply => {
                out.put_zeros(7);
                fixed_string::put(out, &a.name, NAME_LEN);
                out.put_u64(a.matches);
                out.put_u64(a.wildcards);
                out.put_u32(a.write_actions);
                out.put_u32(a.apply_actions);
                for bits in
                    [a.write_setfields, a.apply_setfields, a.metadata_match, a.metadata_write]
                {
                    out.put_u64(bits);
                }
                for bits in [a.instructions, a.config, a.max_entries] {
                    out.put_u32(bits);
                }
            }
            _ => out.put_zeros(3),
        }
        out.put_u32(self.active_count);
        out.put_u64(self.lookup_count);
        out.put_u64(self.matched_count);
    }
}
