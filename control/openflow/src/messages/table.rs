//! Flow tables as configuration: `OFPT_TABLE_MOD`, `OFPST_TABLE_DESC`, `OFPT_TABLE_STATUS`.
//!
//! The 32-bit "config" means something else in almost every version: what happens to packets that
//! miss the table (1.1, 1.2), nothing (1.3), eviction and vacancy events (1.4 and later).

use crate::frame::Frame;
use crate::ofp_errors::OfpError;
use crate::props::{self, Prop, PropType};
use crate::raw::Raw;
use crate::version::OfVersion;
use crate::wire::{Put, Reader};

/// "Every table".
pub const TABLE_ALL: u8 = 255;

/// What happens to packets that miss a table (OpenFlow 1.1 and 1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[expect(missing_docs, reason = "names of ofp_table_config")]
pub enum TableMiss {
    /// As the version says.
    #[default]
    Default,
    Controller,
    Continue,
    Drop,
}

impl TableMiss {
    /// Reads a "config" of `v`.
    #[must_use]
    pub fn from_config(config: u32, v: OfVersion) -> Self {
        if !matches!(v, OfVersion::V11 | OfVersion::V12) {
            return Self::Default;
        }
        match config & 3 {
            0 => Self::Controller,
            1 => Self::Continue,
            2 => Self::Drop,
            _ => {
                log::warn!(target: "ofp_table", "bad table miss config {config}");
                Self::Controller
            }
        }
    }

    /// Writes a "config" of `v`.
    #[must_use]
    pub fn to_config(self, v: OfVersion) -> u32 {
        match self {
            _ if !matches!(v, OfVersion::V11 | OfVersion::V12) => 0,
            Self::Default | Self::Controller => 0,
            Self::Continue => 1,
            Self::Drop => 2,
        }
    }
}

const EVICTION: u32 = 1 << 2;
const VACANCY_EVENTS: u32 = 1 << 3;
const EVICTION_PROP: u16 = 2;
const VACANCY_PROP: u16 = 3;

/// How full a table may be, in percent of free space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct TableVacancy {
    /// Report when the free space falls below this.
    pub down: u8,
    /// Report when it rises above this again.
    pub up: u8,
    /// The free space now; 0 in a table-mod.
    pub now: u8,
}

impl TableVacancy {
    fn from_prop(prop: &Prop<'_>) -> Result<Self, OfpError> {
        match *prop.payload {
            [down, up, now, _] => Ok(Self { down, up, now }),
            _ => Err(OfpError::OFPBPC_BAD_LEN),
        }
    }

    fn put(self, out: &mut Vec<u8>) {
        props::put_bytes(out, VACANCY_PROP, &[self.down, self.up, self.now, 0]);
    }
}

/// `OFPT_TABLE_MOD`
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct TableMod {
    /// Which table, [`TABLE_ALL`] for all.
    pub table_id: u8,
    /// OpenFlow 1.1 and 1.2: what happens to missing packets.
    pub miss: TableMiss,
    /// OpenFlow 1.4 and later: evict flows when the table is full? `None` leaves it.
    pub eviction: Option<bool>,
    /// What to evict first (`OFPTMPEF14_*`), if it is given.
    pub eviction_flags: Option<u32>,
    /// OpenFlow 1.4 and later: send vacancy events? `None` leaves it.
    pub vacancy_events: Option<bool>,
    /// Their thresholds.
    pub vacancy: TableVacancy,
}

impl TableMod {
    pub(crate) fn decode(f: &Frame<'_>, v: OfVersion) -> Result<Self, OfpError> {
        let mut r = Reader::new(f.body, OfpError::OFPBRC_BAD_LEN);
        let table_id = r.u8()?;
        r.skip(3)?;
        let config = r.u32()?;
        let miss = TableMiss::from_config(config, v);
        let mut tm = Self { table_id, miss, ..Self::default() };
        if f.raw == Raw::Ofpt11TableMod {
            return Ok(tm);
        }
        tm.eviction = Some(config & EVICTION != 0);
        tm.vacancy_events = Some(config & VACANCY_EVENTS != 0);
        while !r.is_empty() {
            let prop = Prop::pull(&mut r)?;
            match prop.kind {
                PropType::Standard(EVICTION_PROP) => tm.eviction_flags = Some(prop.u32()?),
                PropType::Standard(VACANCY_PROP) => {
                    tm.vacancy = TableVacancy::from_prop(&prop)?;
                    let TableVacancy { down, up, now } = tm.vacancy;
                    if down > up || down > 100 || up > 100 || now != 0 {
                        return Err(OfpError::OFPBPC_BAD_VALUE);
                    }
                }
                _ => return Err(OfpError::OFPBRC_BAD_TYPE),
            }
        }
        Ok(tm)
    }

    pub(crate) fn encode(&self, raw: Raw, v: OfVersion, out: &mut Vec<u8>) {
        out.put_u8(self.table_id);
        out.put_zeros(3);
        if raw == Raw::Ofpt11TableMod {
            out.put_u32(self.miss.to_config(v));
            return;
        }
        out.put_u32(config_14(self.eviction, self.vacancy_events));
        if let Some(flags) = self.eviction_flags {
            props::put_u32(out, EVICTION_PROP, flags);
        }
        if self.vacancy_events == Some(true) {
            self.vacancy.put(out);
        }
    }
}

fn config_14(eviction: Option<bool>, vacancy_events: Option<bool>) -> u32 {
    let bit = |on: Option<bool>, bit| if on == Some(true) { bit } else { 0 };
    bit(eviction, EVICTION) | bit(vacancy_events, VACANCY_EVENTS)
}

/// An entry of an `OFPST_TABLE_DESC` reply.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct TableDesc {
    /// Which table.
    pub table_id: u8,
    /// Are flows evicted when the table is full?
    pub eviction: bool,
    /// What is evicted first, if it is told.
    pub eviction_flags: Option<u32>,
    /// Are vacancy events sent?
    pub vacancy_events: bool,
    /// Their thresholds and the free space now.
    pub vacancy: TableVacancy,
}

impl TableDesc {
    pub(crate) fn pull(r: &mut Reader<'_>) -> Result<Self, OfpError> {
        let mut fixed = r.sub(8)?;
        let len = usize::from(fixed.u16()?);
        let table_id = fixed.u8()?;
        fixed.skip(1)?;
        let config = fixed.u32()?;
        let rest = len.checked_sub(8).ok_or(OfpError::OFPBRC_BAD_LEN)?;
        let mut props = Reader::new(r.take(rest)?, OfpError::OFPBPC_BAD_LEN);
        let mut td = Self {
            table_id,
            eviction: config & EVICTION != 0,
            vacancy_events: config & VACANCY_EVENTS != 0,
            ..Self::default()
        };
        while !props.is_empty() {
            let prop = Prop::pull(&mut props)?;
            match prop.kind {
                PropType::Standard(EVICTION_PROP) => td.eviction_flags = Some(prop.u32()?),
                PropType::Standard(VACANCY_PROP) => td.vacancy = TableVacancy::from_prop(&prop)?,
                _ => {}
            }
        }
        Ok(td)
    }

    /// Appends the description as an entry of a reply.
    pub fn put(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.put_u16(0);
        out.put_u8(self.table_id);
        out.put_u8(0);
        out.put_u32(config_14(Some(self.eviction), Some(self.vacancy_events)));
        if let Some(flags) = self.eviction_flags {
            props::put_u32(out, EVICTION_PROP, flags);
        }
        if self.vacancy_events {
            self.vacancy.put(out);
        }
        out.set_u16(start, (out.len() - start) as u16);
    }
}

/// Why a table's status changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[expect(missing_docs, reason = "names of ofp_table_reason")]
pub enum TableReason {
    VacancyDown = 3,
    VacancyUp = 4,
}

/// `OFPT_TABLE_STATUS`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableStatus {
    /// What happened.
    pub reason: TableReason,
    /// The table, after it happened.
    pub desc: TableDesc,
}

impl TableStatus {
    pub(crate) fn decode(f: &Frame<'_>) -> Result<Self, OfpError> {
        let mut r = Reader::new(f.body, OfpError::OFPBRC_BAD_LEN);
        let reason = match r.u8()? {
            3 => TableReason::VacancyDown,
            4 => TableReason::VacancyUp,
            _ => return Err(OfpError::OFPBPC_BAD_VALUE),
        };
        r.skip(7)?;
        Ok(Self { reason, desc: TableDesc::pull(&mut r)? })
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.put_u8(self.reason as u8);
        out.put_zeros(7);
        self.desc.put(out);
    }
}
