//! What a flow table can do: `OFPST_TABLE_FEATURES` (OpenFlow 1.3.1 section 7.3.5.5), and the same
//! knowledge as the table statistics of OpenFlow 1.0 to 1.2 tell it.

use std::collections::BTreeSet;

use weir_flow::FieldId;
use weir_flow::field::{Field, id};

use crate::messages::fixed_string;
use crate::messages::table::{TABLE_ALL, TableMiss};
use crate::messages::table_stats::TableStats;
use crate::nxm;
use crate::ofp_errors::OfpError;
use crate::props::{self, Prop, PropType};
use crate::version::OfVersion;
use crate::wire::{Put, Reader};

/// A set of fields.
pub type FieldSet = BTreeSet<FieldId>;
/// A set of tables.
pub type TableSet = BTreeSet<u8>;

/// Actions that table features can name: word, bit in OpenFlow 1.1, bit in 1.2 and later.
pub const ACTION_BITS: [(&str, Option<u32>, Option<u32>); 25] = [
    ("output", Some(0), Some(0)),
    ("enqueue", None, None),
    ("group", Some(22), Some(22)),
    ("set_field", None, Some(25)),
    ("set_vlan_vid", Some(1), None),
    ("set_vlan_pcp", Some(2), None),
    ("strip_vlan", Some(18), Some(18)),
    ("push_vlan", Some(17), Some(17)),
    ("mod_dl_src", Some(3), None),
    ("mod_dl_dst", Some(4), None),
    ("mod_nw_src", Some(5), None),
    ("mod_nw_dst", Some(6), None),
    ("mod_nw_tos", Some(7), None),
    ("mod_nw_ecn", Some(8), None),
    ("mod_nw_ttl", Some(23), Some(23)),
    ("mod_tp_src", Some(9), None),
    ("mod_tp_dst", Some(10), None),
    ("dec_ttl", Some(24), Some(24)),
    ("set_mpls_label", Some(13), None),
    ("set_mpls_tc", Some(14), None),
    ("set_mpls_ttl", Some(15), Some(15)),
    ("dec_mpls_ttl", Some(16), Some(16)),
    ("push_mpls", Some(19), Some(19)),
    ("pop_mpls", Some(20), Some(20)),
    ("set_queue", Some(21), Some(21)),
];

/// A set of actions; bit N is row N of [`ACTION_BITS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct ActionSet(pub u32);

impl ActionSet {
    /// Every action that `v` can name.
    #[must_use]
    pub fn all(v: OfVersion) -> Self {
        Self::from_wire(u32::MAX, v)
    }

    /// From a bitmap of wire numbers.
    #[must_use]
    pub fn from_wire(bits: u32, v: OfVersion) -> Self {
        let rows = ACTION_BITS.iter().enumerate();
        let set = rows.filter(|(_, row)| wire_bit(row, v).is_some_and(|b| bits & (1 << b) != 0));
        Self(set.fold(0, |acc, (i, _)| acc | 1 << i))
    }

    /// As a bitmap of wire numbers.
    #[must_use]
    pub fn to_wire(self, v: OfVersion) -> u32 {
        let rows = ACTION_BITS.iter().enumerate().filter(|(i, _)| self.0 & (1 << i) != 0);
        rows.filter_map(|(_, row)| wire_bit(row, v)).fold(0, |acc, b| acc | 1 << b)
    }

    /// The actions' words.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        ACTION_BITS
            .iter()
            .enumerate()
            .filter(move |(i, _)| self.0 & (1 << i) != 0)
            .map(|(_, r)| r.0)
    }
}

fn wire_bit(row: &(&str, Option<u32>, Option<u32>), v: OfVersion) -> Option<u32> {
    match v {
        OfVersion::V10 => match row.0 {
            "output" => Some(0),
            "set_vlan_vid" => Some(1),
            "set_vlan_pcp" => Some(2),
            "strip_vlan" => Some(3),
            "mod_dl_src" => Some(4),
            "mod_dl_dst" => Some(5),
            "mod_nw_src" => Some(6),
            "mod_nw_dst" => Some(7),
            "mod_nw_tos" => Some(8),
            "mod_tp_src" => Some(9),
            "mod_tp_dst" => Some(10),
            "enqueue" => Some(11),
            _ => None,
        },
        OfVersion::V11 => row.1,
        _ => row.2,
    }
}

/// Instructions by wire number, in the order they are told.
pub const INSTRUCTIONS: [(u32, &str); 6] = [
    (6, "meter"),
    (4, "apply_actions"),
    (5, "clear_actions"),
    (3, "write_actions"),
    (2, "write_metadata"),
    (1, "goto_table"),
];

/// What Write-Actions or Apply-Actions may hold.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ActionFeatures {
    /// The actions.
    pub actions: ActionSet,
    /// The fields that Set-Field may write.
    pub set_fields: FieldSet,
}

impl ActionFeatures {
    /// Is nothing allowed?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.actions.0 == 0 && self.set_fields.is_empty()
    }
}

/// What a flow may do.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct InstructionFeatures {
    /// Bit N: the instruction with wire number N.
    pub instructions: u32,
    /// Where Goto-Table may go.
    pub next: TableSet,
    /// Within Write-Actions.
    pub write: ActionFeatures,
    /// Within Apply-Actions.
    pub apply: ActionFeatures,
}

/// What a table can do.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct TableFeatures {
    /// Which table.
    pub table_id: u8,
    /// Its name.
    pub name: Vec<u8>,
    /// Bits of the metadata that can be matched.
    pub metadata_match: u64,
    /// Bits of the metadata that can be written.
    pub metadata_write: u64,
    /// OpenFlow 1.1 and 1.2: what happens to missing packets.
    pub miss_config: TableMiss,
    /// OpenFlow 1.4 and later: can it evict flows?
    pub supports_eviction: Option<bool>,
    /// OpenFlow 1.4 and later: can it send vacancy events?
    pub supports_vacancy_events: Option<bool>,
    /// Most flows.
    pub max_entries: u32,
    /// What its flows may do.
    pub nonmiss: InstructionFeatures,
    /// What its table-miss flow may do.
    pub miss: InstructionFeatures,
    /// Fields that can be matched.
    pub matching: FieldSet,
    /// Those that can be matched under any mask.
    pub mask: FieldSet,
    /// Those that may be left out.
    pub wildcard: FieldSet,
}

/// OpenFlow 1.0's wildcard bits.
fn ofpfw10() -> [(u32, FieldId); 12] {
    [
        (1 << 0, id::IN_PORT),
        (1 << 1, id::VLAN_VID),
        (1 << 2, id::DL_SRC),
        (1 << 3, id::DL_DST),
        (1 << 4, id::DL_TYPE),
        (1 << 5, id::NW_PROTO),
        (1 << 6, id::TCP_SRC),
        (1 << 7, id::TCP_DST),
        (0x3f << 8, id::NW_SRC),
        (0x3f << 14, id::NW_DST),
        (1 << 20, id::VLAN_PCP),
        (1 << 21, id::NW_TOS),
    ]
}

/// OpenFlow 1.1's `OFPFMF11_*`.
fn ofpfmf11() -> [(u32, FieldId); 15] {
    [
        (1 << 0, id::IN_PORT),
        (1 << 1, id::VLAN_VID),
        (1 << 2, id::VLAN_PCP),
        (1 << 3, id::DL_TYPE),
        (1 << 4, id::NW_TOS),
        (1 << 5, id::NW_PROTO),
        (1 << 6, id::TCP_SRC),
        (1 << 7, id::TCP_DST),
        (1 << 8, id::MPLS_LABEL),
        (1 << 9, id::MPLS_TC),
        (1 << 11, id::DL_SRC),
        (1 << 12, id::DL_DST),
        (1 << 13, id::NW_SRC),
        (1 << 14, id::NW_DST),
        (1 << 15, id::METADATA),
    ]
}

fn fields_of(bits: u64, map: &[(u32, FieldId)]) -> FieldSet {
    map.iter().filter(|(b, _)| bits & u64::from(*b) != 0).map(|(_, f)| *f).collect()
}

fn bits_of(set: &FieldSet, map: &[(u32, FieldId)]) -> u64 {
    map.iter().filter(|(_, f)| set.contains(f)).fold(0, |acc, (b, _)| acc | u64::from(*b))
}

const OXM_CLASS_BASIC: u16 = 0x8000;

/// OpenFlow 1.2 tells fields by their OXM numbers.
fn fields_of_oxm(bits: u64, v: OfVersion) -> FieldSet {
    let numbers = (0..64_u8).filter(|n| bits & (1 << n) != 0);
    let known = numbers.filter_map(|n| Field::by_oxm(0, OXM_CLASS_BASIC, n));
    let is_there =
        |f: &&Field| f.oxm.iter().any(|(o, _)| o.class == OXM_CLASS_BASIC && o.since <= v.wire());
    known.filter(is_there).map(|f| f.id).collect()
}

fn oxm_bits_of(set: &FieldSet, v: OfVersion) -> u64 {
    let basic = set
        .iter()
        .flat_map(|f| &f.field().oxm)
        .filter(|(o, _)| o.class == OXM_CLASS_BASIC && o.since <= v.wire() && o.number < 64);
    basic.fold(0, |acc, (o, _)| acc | 1 << o.number)
}

impl TableFeatures {
    /// What the statistics of OpenFlow 1.0 to 1.2 say a table can do.
    #[must_use]
    pub fn from_stats(t: &TableStats, v: OfVersion) -> Self {
        let a = &t.abilities;
        let mut f = Self { table_id: t.table_id, ..Self::default() };
        match v {
            OfVersion::V10 => {
                f.matching = fields_of(a.wildcards, &ofpfw10());
                f.wildcard = f.matching.clone();
            }
            OfVersion::V11 => {
                let actions = ActionSet::from_wire(a.write_actions, v);
                f.nonmiss.write.actions = actions;
                // Open vSwitch reads the same member for both.
                f.nonmiss.apply.actions = actions;
                f.matching = fields_of(a.matches, &ofpfmf11());
                f.wildcard = fields_of(a.wildcards, &ofpfmf11());
            }
            OfVersion::V12 => {
                f.nonmiss.write = ActionFeatures {
                    actions: ActionSet::from_wire(a.write_actions, v),
                    set_fields: fields_of_oxm(a.write_setfields, v),
                };
                f.nonmiss.apply = ActionFeatures {
                    actions: ActionSet::from_wire(a.apply_actions, v),
                    set_fields: fields_of_oxm(a.apply_setfields, v),
                };
                f.metadata_match = a.metadata_match;
                f.metadata_write = a.metadata_write;
                f.matching = fields_of_oxm(a.matches, v);
                f.wildcard = fields_of_oxm(a.wildcards, v);
            }
            _ => return f,
        }
        f.name.clone_from(&a.name);
        f.max_entries = a.max_entries;
        f.nonmiss.instructions = a.instructions & 0b11_1110;
        f.miss = f.nonmiss.clone();
        f.miss_config = TableMiss::from_config(a.config, v);
        f.matching.extend(f.wildcard.iter().copied());
        f
    }

    /// Says the same in the statistics of `v`, OpenFlow 1.0 to 1.2.
    #[must_use]
    pub fn to_abilities(&self, v: OfVersion) -> crate::messages::table_stats::TableAbilities {
        let mut a = crate::messages::table_stats::TableAbilities {
            name: self.name.clone(),
            max_entries: self.max_entries,
            ..Default::default()
        };
        // Before 1.2, "wildcarded" includes what cannot be matched at all.
        let free = |map: &[(u32, FieldId)]| {
            map.iter()
                .filter(|(_, f)| !self.matching.contains(f) || self.wildcard.contains(f))
                .fold(0, |acc, (b, _)| acc | u64::from(*b))
        };
        match v {
            OfVersion::V10 => a.wildcards = free(&ofpfw10()),
            OfVersion::V11 => {
                a.wildcards = free(&ofpfmf11());
                a.matches = bits_of(&self.matching, &ofpfmf11());
            }
            OfVersion::V12 => {
                a.matches = oxm_bits_of(&self.matching, v);
                a.wildcards = oxm_bits_of(&self.wildcard, v);
                a.write_setfields = oxm_bits_of(&self.nonmiss.write.set_fields, v);
                a.apply_setfields = oxm_bits_of(&self.nonmiss.apply.set_fields, v);
                a.metadata_match = self.metadata_match;
                a.metadata_write = self.metadata_write;
            }
            _ => return a,
        }
        if v > OfVersion::V10 {
            a.instructions = self.nonmiss.instructions & 0b11_1110;
            a.write_actions = self.nonmiss.write.actions.to_wire(v);
            a.apply_actions = self.nonmiss.apply.actions.to_wire(v);
            a.config = self.miss_config.to_config(v);
        }
        a
    }
}

/// Property numbers; each has a "miss" twin one above.
mod prop {
    pub(super) const INSTRUCTIONS: u16 = 0;
    pub(super) const NEXT_TABLES: u16 = 2;
    pub(super) const WRITE_ACTIONS: u16 = 4;
    pub(super) const APPLY_ACTIONS: u16 = 6;
    pub(super) const MATCH: u16 = 8;
    pub(super) const WILDCARDS: u16 = 10;
    pub(super) const WRITE_SETFIELD: u16 = 12;
    pub(super) const APPLY_SETFIELD: u16 = 14;
}

const EVICTION: u32 = 1 << 2;
const VACANCY_EVENTS: u32 = 1 << 3;
const FIXED_LEN: usize = 64;

impl TableFeatures {
    /// Takes the next table; a controller is `loose` about what it does not know.
    pub(crate) fn pull(r: &mut Reader<'_>, v: OfVersion, loose: bool) -> Result<Self, OfpError> {
        let bad = OfpError::OFPBPC_BAD_LEN;
        let mut head = Reader::new(r.rest(), bad);
        let len = usize::from(head.u16()?);
        if len < FIXED_LEN || len % 8 != 0 || len > r.len() {
            return Err(bad);
        }
        let mut r = Reader::new(r.take(len)?, bad);
        r.skip(2)?;
        let table_id = r.u8()?;
        if table_id == TABLE_ALL {
            return Err(OfpError::OFPTFFC_BAD_TABLE);
        }
        r.skip(5)?;
        let mut f = Self { table_id, ..Self::default() };
        f.name = fixed_string::get(r.take(32)?);
        (f.metadata_match, f.metadata_write) = (r.u64()?, r.u64()?);
        let capabilities = r.u32()?;
        if v >= OfVersion::V14 {
            f.supports_eviction = Some(capabilities & EVICTION != 0);
            f.supports_vacancy_events = Some(capabilities & VACANCY_EVENTS != 0);
        }
        f.max_entries = r.u32()?;
        while !r.is_empty() {
            let p = Prop::pull_with(&mut r, 0xfffe)?;
            f.property(&p, v, loose)?;
        }
        f.matching.extend(f.mask.iter().copied());
        f.wildcard.extend(f.mask.iter().copied());
        f.wildcard.retain(|w| f.matching.contains(w));
        Ok(f)
    }

    fn property(&mut self, p: &Prop<'_>, v: OfVersion, loose: bool) -> Result<(), OfpError> {
        let PropType::Standard(kind) = p.kind else {
            return if loose { Ok(()) } else { Err(p.unknown()) };
        };
        match kind {
            prop::MATCH => (self.matching, self.mask) = pull_oxms(p.payload, loose)?,
            prop::WILDCARDS => self.wildcard = pull_oxms(p.payload, loose)?.0,
            9 | 11 | 16.. => return if loose { Ok(()) } else { Err(p.unknown()) },
            _ => {
                let part = if kind % 2 == 1 { &mut self.miss } else { &mut self.nonmiss };
                match kind & !1 {
                    prop::INSTRUCTIONS => part.instructions = pull_ids(p.payload)?,
                    prop::NEXT_TABLES => part.next = p.payload.iter().copied().collect(),
                    prop::WRITE_ACTIONS => {
                        part.write.actions = ActionSet::from_wire(pull_ids(p.payload)?, v);
                    }
                    prop::APPLY_ACTIONS => {
                        part.apply.actions = ActionSet::from_wire(pull_ids(p.payload)?, v);
                    }
                    prop::WRITE_SETFIELD => {
                        part.write.set_fields = pull_oxms(p.payload, loose)?.0;
                    }
                    _ => part.apply.set_fields = pull_oxms(p.payload, loose)?.0,
                }
            }
        }
        Ok(())
    }

    /// Appends the table as an entry of a reply.
    pub fn put(&self, out: &mut Vec<u8>, v: OfVersion) {
        let start = out.len();
        out.put_u16(0);
        out.put_u8(self.table_id);
        out.put_zeros(5);
        fixed_string::put(out, &self.name, 32);
        out.put_u64(self.metadata_match);
        out.put_u64(self.metadata_write);
        let bit = |on: Option<bool>, bit| if on == Some(true) { bit } else { 0 };
        out.put_u32(if v >= OfVersion::V14 {
            bit(self.supports_eviction, EVICTION)
                | bit(self.supports_vacancy_events, VACANCY_EVENTS)
        } else {
            0
        });
        out.put_u32(self.max_entries);
        for (part, miss) in [(&self.nonmiss, 0), (&self.miss, 1)] {
            put_ids(out, prop::INSTRUCTIONS + miss, part.instructions);
            let next: Vec<u8> = part.next.iter().copied().collect();
            props::put_bytes(out, prop::NEXT_TABLES + miss, &next);
            put_ids(out, prop::WRITE_ACTIONS + miss, part.write.actions.to_wire(v));
            put_oxms(out, prop::WRITE_SETFIELD + miss, &part.write.set_fields, None, v);
            put_ids(out, prop::APPLY_ACTIONS + miss, part.apply.actions.to_wire(v));
            put_oxms(out, prop::APPLY_SETFIELD + miss, &part.apply.set_fields, None, v);
        }
        put_oxms(out, prop::MATCH, &self.matching, Some(&self.mask), v);
        put_oxms(out, prop::WILDCARDS, &self.wildcard, None, v);
        let len = u16::try_from(out.len() - start).unwrap_or(u16::MAX);
        out.set_u16(start, len);
    }
}

/// Numbers of actions or instructions, as headers of (number, length).
fn pull_ids(bytes: &[u8]) -> Result<u32, OfpError> {
    let bad = OfpError::OFPBPC_BAD_LEN;
    let mut r = Reader::new(bytes, bad);
    let mut set = 0;
    while !r.is_empty() {
        let number = r.u16()?;
        let len = usize::from(r.u16()?);
        r.skip(len.checked_sub(4).ok_or(bad)?)?;
        // Experimenters' are of no interest.
        if number < 32 {
            set |= 1 << number;
        }
    }
    Ok(set)
}

fn put_ids(out: &mut Vec<u8>, kind: u16, set: u32) {
    props::put(out, PropType::Standard(kind), |out| {
        for number in (0..32).filter(|n| set & (1 << n) != 0) {
            out.put_u16(number);
            out.put_u16(4);
        }
    });
}

/// Fields, and those of them with the "has mask" bit.
fn pull_oxms(bytes: &[u8], loose: bool) -> Result<(FieldSet, FieldSet), OfpError> {
    let mut r = Reader::new(bytes, OfpError::OFPBMC_BAD_LEN);
    let (mut all, mut masked) = (FieldSet::new(), FieldSet::new());
    while !r.is_empty() {
        let header = nxm::entry::pull_raw_header(&mut r)?;
        let Some(field) = header.field() else {
            if loose {
                continue;
            }
            return Err(OfpError::OFPBMC_BAD_FIELD);
        };
        all.insert(field.id);
        if header.has_mask {
            masked.insert(field.id);
        }
    }
    Ok((all, masked))
}

fn put_oxms(out: &mut Vec<u8>, kind: u16, set: &FieldSet, masked: Option<&FieldSet>, v: OfVersion) {
    props::put(out, PropType::Standard(kind), |out| {
        for f in set {
            if let Some((oxm, _)) = nxm::header::preferred(f.field(), Some(v)) {
                let has_mask = masked.is_some_and(|m| m.contains(f));
                let bytes = usize::from(f.field().bytes);
                nxm::entry::put_raw_header(nxm::Header::of(oxm, bytes, has_mask), out);
            }
        }
    });
}
