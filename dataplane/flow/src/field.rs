//! The field table: one row a match field, from which match parsing, formatting, the OXM/NXM codec,
//! `set_field`/`load`/`move`, trace output and documentation are made. Nothing about a field is
//! written twice; adding a field is adding a row to [`table`].
//!
//! Names, widths and OXM numbers follow ovs-fields(7).

mod table;

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::flow::Flow;
pub use table::{family, id};

/// A match field: an index into [`Field::all`]. Constants are in [`id`], families in [`family`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldId(pub(crate) u16);

/// How a field's value is written in text (ovs-fields(7), "Format").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of ovs-fields(7)")]
pub enum Format {
    Decimal,
    Hexadecimal,
    Ethernet,
    Ipv4,
    Ipv6,
    /// 16-bit OpenFlow 1.0 port, number or name.
    OfPort10,
    /// 32-bit OpenFlow 1.1+ port, number or name.
    OfPort,
    Frag,
    TunnelFlags,
    TcpFlags,
    CtState,
    PacketType,
}

/// What a flow must match for the field to be meaningful (ovs-fields(7), "Prerequisites").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of ovs-fields(7)")]
pub enum Prereq {
    None,
    Ethernet,
    Arp,
    VlanVid,
    Ipv4,
    Ipv6,
    IpAny,
    Mpls,
    Tcp,
    Udp,
    Sctp,
    Icmpv4,
    Icmpv6,
    Nd,
    NdSolicit,
    NdAdvert,
    Nsh,
    Ct,
}

/// Where a field lives in a [`Flow`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// `bits` bits, `shift` bits above the least significant bit of the big-endian integer made of
    /// `bytes` bytes at byte `offset`.
    Bits {
        /// First byte in the record.
        offset: u16,
        /// Bytes of the containing integer.
        bytes: u8,
        /// Distance of the field's lowest bit from the integer's lowest bit.
        shift: u8,
    },
    /// `tun_metadataN`: its place is given by the TLV map, N is the field's index in its family.
    TunMetadata,
}

/// An OXM or NXM name of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Oxm {
    /// Experimenter (vendor) identifier when `class` is 0xffff, else 0.
    pub vendor: u32,
    /// OXM class.
    pub class: u16,
    /// 7-bit field number.
    pub number: u8,
    /// Its symbolic name, for instance `NXM_OF_ETH_DST`; a family's rows end in the index.
    pub name: &'static str,
    /// Lowest OpenFlow wire version (1 = 1.0 ... 6 = 1.5) in which it is the preferred form;
    /// NXM-class names have 1.
    pub since: u8,
}

/// One match field.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its identifier.
    pub id: FieldId,
    /// Its name, for instance `nw_src`.
    pub name: String,
    /// Another accepted name, or empty.
    pub alias: String,
    /// Bytes of a value on the wire (OXM payload).
    pub bytes: u8,
    /// Significant bits; the rest of the bytes are zero.
    pub bits: u16,
    /// Can it be matched under an arbitrary mask?
    pub maskable: bool,
    /// Can actions write it?
    pub writable: bool,
    /// What must be matched before it.
    pub prereq: Prereq,
    /// How its value is written.
    pub format: Format,
    /// Where it lives.
    pub place: Place,
    /// Index within its family (`reg3` has 3), 0 for single fields.
    pub index: u8,
    /// Its OXM/NXM names, the oldest first; empty for fields that only text knows.
    pub oxm: Vec<(Oxm, String)>,
}

static FIELDS: LazyLock<Vec<Field>> = LazyLock::new(table::expand);

static BY_NAME: LazyLock<HashMap<&'static str, FieldId>> = LazyLock::new(|| {
    let mut map = HashMap::new();
    for f in FIELDS.iter() {
        map.insert(f.name.as_str(), f.id);
        if !f.alias.is_empty() {
            map.entry(f.alias.as_str()).or_insert(f.id);
        }
    }
    map
});

static BY_OXM: LazyLock<HashMap<(u32, u16, u8), FieldId>> = LazyLock::new(|| {
    let named = FIELDS.iter().flat_map(|f| f.oxm.iter().map(move |(o, _)| (o, f.id)));
    named.map(|(o, id)| ((o.vendor, o.class, o.number), id)).collect()
});

impl FieldId {
    /// The field's row.
    #[must_use]
    pub fn field(self) -> &'static Field {
        // An identifier is only made from a row of the table, so the index is in range.
        &FIELDS[usize::from(self.0)]
    }
}

impl Field {
    /// Every field, in table order.
    #[must_use]
    pub fn all() -> &'static [Self] {
        &FIELDS
    }

    /// Looks a field up by name or alias (`nw_src`, `ip_src`).
    #[must_use]
    pub fn by_name(name: &str) -> Option<&'static Self> {
        BY_NAME.get(name).map(|id| id.field())
    }

    /// Looks a field up by its OXM or NXM number.
    #[must_use]
    pub fn by_oxm(vendor: u32, class: u16, number: u8) -> Option<&'static Self> {
        BY_OXM.get(&(vendor, class, number)).map(|id| id.field())
    }

    /// All ones over the field's significant bits (0 for `tun_metadataN`, which is wider).
    #[must_use]
    pub fn all_ones(&self) -> u128 {
        if self.bits > 128 { 0 } else { u128::MAX >> (128 - u32::from(self.bits)) }
    }

    /// Reads the field's bits from a flow or, on a mask's record, its mask. `tun_metadataN` reads 0.
    #[inline]
    #[must_use]
    pub fn get(&self, flow: &Flow) -> u128 {
        match self.place {
            Place::Bits { offset, bytes, shift } => {
                let at = usize::from(offset);
                let raw = read_be(&flow.bytes()[at..at + usize::from(bytes)]);
                (raw >> shift) & self.all_ones()
            }
            Place::TunMetadata => 0,
        }
    }

    /// Writes the field's bits; bits of `value` beyond the field's width are ignored.
    pub fn set(&self, flow: &mut Flow, value: u128) {
        self.set_masked(flow, value, self.all_ones());
    }

    /// Writes those bits of `value` that are set in `mask`.
    pub fn set_masked(&self, flow: &mut Flow, value: u128, mask: u128) {
        let Place::Bits { offset, bytes, shift } = self.place else { return };
        let at = usize::from(offset);
        let cell = &mut flow.bytes_mut()[at..at + usize::from(bytes)];
        let mask = (mask & self.all_ones()) << shift;
        let new = (read_be(cell) & !mask) | ((value << shift) & mask);
        let n = cell.len();
        cell.copy_from_slice(&new.to_be_bytes()[16 - n..]);
    }
}

#[inline]
fn read_be(bytes: &[u8]) -> u128 {
    // The usual sizes by one load.
    match bytes.len() {
        1 => bytes.first().copied().map_or(0, u128::from),
        2 => bytes.first_chunk().map_or(0, |b| u16::from_be_bytes(*b).into()),
        4 => bytes.first_chunk().map_or(0, |b| u32::from_be_bytes(*b).into()),
        8 => bytes.first_chunk().map_or(0, |b| u64::from_be_bytes(*b).into()),
        16 => bytes.first_chunk().map_or(0, |b| u128::from_be_bytes(*b)),
        _ => bytes.iter().fold(0, |v, b| (v << 8) | u128::from(*b)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_found() {
        let mut seen = std::collections::HashSet::new();
        for f in Field::all() {
            assert!(seen.insert(f.name.clone()), "{} twice", f.name);
            assert_eq!(Field::by_name(&f.name).unwrap().id, f.id);
        }
    }

    #[test]
    fn oxm_numbers_are_unique() {
        let n: usize = Field::all().iter().map(|f| f.oxm.len()).sum();
        assert_eq!(n, BY_OXM.len());
    }

    #[test]
    fn every_placed_field_reads_back_what_was_written_and_touches_no_other_bit() {
        for f in Field::all() {
            let Place::Bits { bytes, .. } = f.place else { continue };
            let mut flow = Flow::ZERO;
            let cell = u128::MAX >> (128 - 8 * u32::from(bytes));
            let v = 0x5a5a_5a5a_a5a5_a5a5_1234_5678_9abc_def1_u128 & f.all_ones() & cell;
            f.set(&mut flow, v);
            assert_eq!(f.get(&flow), v, "{}", f.name);
            let ones: u32 = flow.words().iter().map(|w| w.count_ones()).sum();
            assert_eq!(ones, v.count_ones(), "{}", f.name);
        }
    }

    #[test]
    fn families_and_constants_point_at_their_rows() {
        assert_eq!(id::NW_SRC.field().name, "nw_src");
        assert_eq!(id::ND_OPTIONS_TYPE.field().name, "nd_options_type");
        assert_eq!(family::reg(31).unwrap().field().name, "reg31");
        assert_eq!(family::xxreg(7).unwrap().field().name, "xxreg7");
        assert!(family::reg(32).is_none());
        assert_eq!(Field::by_name("reg16").unwrap().oxm[0].1, "NXOXM_ET_REG16");
        assert_eq!(Field::by_oxm(0, 1, 15).unwrap().name, "reg15");
    }
}
