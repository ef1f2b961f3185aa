//! One NXM or OXM entry: reading and writing a header, or a header with value and mask.

use weir_flow::field::{Field, Place};

use super::header::{Header, OFPXMC_EXPERIMENTER, preferred};
use crate::matching::FieldValue;
use crate::ofp_errors::OfpError;
use crate::version::OfVersion;
use crate::wire::{Put, Reader};

/// An entry as it was read: known field or not.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its header.
    pub header: Header,
    /// The field it names, if known.
    pub field: Option<&'static Field>,
    /// The value, in as many bytes as on the wire.
    pub value: FieldValue,
    /// The mask; all ones when there is none on the wire.
    pub mask: FieldValue,
}

/// Reads a header, known or not.
pub(crate) fn pull_raw_header(r: &mut Reader<'_>) -> Result<Header, OfpError> {
    let mut head = Reader::new(r.rest(), OfpError::OFPBMC_BAD_LEN);
    let class = head.u16()?;
    let field = head.u8()?;
    let length = head.u8()?;
    let vendor = if class == OFPXMC_EXPERIMENTER { head.u32()? } else { 0 };
    let header = Header { vendor, class, number: field >> 1, has_mask: field & 1 != 0, length };
    if header.payload_len().is_none() {
        return Err(OfpError::OFPBMC_BAD_LEN);
    }
    r.skip(4 + header.experimenter_len())?;
    Ok(header)
}

/// Reads a whole entry, known or not. What it takes off `r` is the entry's bytes.
///
/// # Errors
/// `OFPBMC_BAD_LEN` when it is cut short, `OFPBMC_BAD_WILDCARDS` when the value has one bits that
/// the mask leaves out.
pub fn pull_any(r: &mut Reader<'_>) -> Result<Entry, OfpError> {
    let header = pull_raw_header(r)?;
    let payload = header.payload_len().unwrap_or(0);
    let bytes = Reader::new(r.rest(), OfpError::OFPBMC_BAD_LEN).take(payload)?;
    r.skip(payload)?;
    let (value, rest) = bytes.split_at(header.value_len());
    let value = FieldValue::from_bytes(value);
    let mask = if header.has_mask {
        FieldValue::from_bytes(&rest[..value.len().min(rest.len())])
    } else {
        FieldValue::ones(value.len())
    };
    if value.exceeds(&mask) {
        return Err(OfpError::OFPBMC_BAD_WILDCARDS);
    }
    Ok(Entry { header, field: header.field(), value, mask })
}

/// Reads an entry of a known field. `tun_metadataN` is widened to its full size.
///
/// # Errors
/// As [`pull_any`], `OFPBMC_BAD_FIELD` for an unknown field, and `OFPBMC_BAD_MASK` when there is a
/// mask and `may_mask` is not set.
pub fn pull_entry(
    r: &mut Reader<'_>,
    may_mask: bool,
) -> Result<(&'static Field, FieldValue, FieldValue), OfpError> {
    let entry = pull_any(r)?;
    let field = entry.field.ok_or(OfpError::OFPBMC_BAD_FIELD)?;
    if entry.header.has_mask && !may_mask {
        return Err(OfpError::OFPBMC_BAD_MASK);
    }
    let n = usize::from(field.bytes);
    let mask = if entry.header.has_mask { entry.mask.resized(n) } else { FieldValue::ones(n) };
    Ok((field, entry.value.resized(n), mask))
}

/// Reads the header of a known field without value.
///
/// # Errors
/// `OFPBMC_BAD_LEN`, `OFPBMC_BAD_FIELD`, and `OFPBMC_BAD_MASK` when it has the mask bit.
pub fn pull_header(r: &mut Reader<'_>) -> Result<&'static Field, OfpError> {
    let header = pull_raw_header(r)?;
    let field = header.field().ok_or(OfpError::OFPBMC_BAD_FIELD)?;
    if header.has_mask { Err(OfpError::OFPBMC_BAD_MASK) } else { Ok(field) }
}

/// The field of a 32-bit NXM header, as older Nicira actions have it.
///
/// # Errors
/// `OFPBAC_BAD_SET_TYPE` when it is not a known field.
pub fn field_of_u32(header: u32) -> Result<&'static Field, OfpError> {
    let [a, b, c, d] = header.to_be_bytes();
    let header = Header {
        vendor: 0,
        class: u16::from_be_bytes([a, b]),
        number: c >> 1,
        has_mask: c & 1 != 0,
        length: d,
    };
    let known = if header.class == OFPXMC_EXPERIMENTER { None } else { header.field() };
    known.ok_or(OfpError::OFPBAC_BAD_SET_TYPE)
}

/// The 32-bit NXM header of a field, or 0 when it has none.
#[must_use]
pub fn u32_of_field(field: &Field) -> u32 {
    match preferred(field, None) {
        Some((oxm, _)) if oxm.class != OFPXMC_EXPERIMENTER => {
            let h = Header::of(oxm, usize::from(field.bytes), false);
            u32::from(h.class) << 16 | u32::from(h.number) << 9 | u32::from(h.length)
        }
        _ => 0,
    }
}

/// Writes a header's bytes.
pub fn put_raw_header(h: Header, out: &mut Vec<u8>) {
    out.put_u16(h.class);
    out.put_u8(h.number << 1 | u8::from(h.has_mask));
    out.put_u8(h.length);
    if h.class == OFPXMC_EXPERIMENTER {
        out.put_u32(h.vendor);
    }
}

/// Writes the header of a field, without value. A field without a form writes nothing.
pub fn put_header(field: &Field, version: Option<OfVersion>, out: &mut Vec<u8>) {
    if let Some((oxm, _)) = preferred(field, version) {
        put_raw_header(Header::of(oxm, usize::from(field.bytes), false), out);
    }
}

/// Bytes that say something about a value of `tun_metadataN`.
fn significant(value: &FieldValue) -> usize {
    value.bytes().iter().skip_while(|b| **b == 0).count()
}

/// How many bytes a value under a mask takes on the wire: the field's, or of `tun_metadataN` only
/// those that are not leading zeros.
#[must_use]
pub fn wire_len(field: &Field, value: &FieldValue, mask: &FieldValue) -> usize {
    if !matches!(field.place, Place::TunMetadata) {
        return usize::from(field.bytes);
    }
    let len = significant(value);
    if mask.is_all_ones() { len.max(1) } else { len.max(significant(mask)) }
}

/// Writes an entry; a mask of all ones is left out. A field without a form writes nothing.
pub fn put_entry(
    field: &Field,
    version: Option<OfVersion>,
    value: &FieldValue,
    mask: &FieldValue,
    out: &mut Vec<u8>,
) {
    let Some((oxm, _)) = preferred(field, version) else { return };
    let len = wire_len(field, value, mask);
    let has_mask = !mask.is_all_ones();
    put_raw_header(Header::of(oxm, len, has_mask), out);
    out.extend_from_slice(value.resized(len).bytes());
    if has_mask {
        out.extend_from_slice(mask.resized(len).bytes());
    }
}
