//! Reading a match from its NXM or OXM entries, with all checks of prerequisites, duplicates,
//! masks and values.

use super::entry::{Entry, pull_any};
use crate::matching::{FieldValue, Match, field_access};
use crate::ofp_errors::OfpError;
use crate::wire::Reader;

/// What to do about unknown fields and missing prerequisites.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Strictness {
    /// They are errors.
    #[default]
    Strict,
    /// Unknown fields are skipped and prerequisites are not looked at, as in a packet-in's metadata.
    Loose,
}

/// How to read a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct MatchOptions {
    /// See [`Strictness`].
    pub strictness: Strictness,
    /// Is the cookie's pseudo-field allowed?
    pub allow_cookie: bool,
    /// Are only fields of the pipeline allowed, as in OpenFlow 1.5's packet-out?
    pub pipeline_fields_only: bool,
}

/// A match as it was read.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct DecodedMatch {
    /// The match.
    pub matched: Match,
    /// Cookie and its mask; both are zero when the match has none.
    pub cookie: u64,
    /// See `cookie`.
    pub cookie_mask: u64,
}

/// Reads the entries of a match (without header and padding).
///
/// # Errors
/// `OFPBMC_*` of the first entry that is wrong.
pub fn decode_match(bytes: &[u8], strictness: Strictness) -> Result<DecodedMatch, OfpError> {
    decode_match_with(bytes, MatchOptions { strictness, ..MatchOptions::default() })
}

/// See [`decode_match`].
///
/// # Errors
/// `OFPBMC_*` of the first entry that is wrong, `OFPBRC_PIPELINE_FIELDS_ONLY`.
pub fn decode_match_with(bytes: &[u8], options: MatchOptions) -> Result<DecodedMatch, OfpError> {
    let strict = options.strictness == Strictness::Strict;
    let mut r = Reader::new(bytes, OfpError::OFPBMC_BAD_LEN);
    let mut d = DecodedMatch::default();
    while !r.is_empty() {
        let entry = pull_any(&mut r)?;
        if entry.header.is_cookie() && options.allow_cookie {
            if d.cookie_mask != 0 {
                return Err(OfpError::OFPBMC_DUP_FIELD);
            }
            (d.cookie, d.cookie_mask) = (entry.value.as_u64(), entry.mask.as_u64());
            continue;
        }
        let Some(field) = entry.field else {
            if strict {
                return Err(OfpError::OFPBMC_BAD_FIELD);
            }
            continue;
        };
        let n = usize::from(field.bytes);
        let Entry { header, value, mask, .. } = entry;
        let mask = if header.has_mask { mask.resized(n) } else { FieldValue::ones(n) };
        let value = value.resized(n);
        if !field_access::is_mask_valid(field, &mask) {
            return Err(OfpError::OFPBMC_BAD_MASK);
        }
        if !field_access::is_value_valid(field, &value) {
            return Err(OfpError::OFPBMC_BAD_VALUE);
        }
        if strict && !d.matched.prereqs_ok(field) {
            return Err(OfpError::OFPBMC_BAD_PREREQ);
        }
        if !d.matched.is_all_wild(field) {
            return Err(OfpError::OFPBMC_DUP_FIELD);
        }
        if options.pipeline_fields_only && !is_pipeline_field(field) {
            return Err(OfpError::OFPBRC_PIPELINE_FIELDS_ONLY);
        }
        d.matched.set(field, &value, &mask);
        d.matched.add_ethernet_prereq(field);
    }
    Ok(d)
}

/// Is it a field that travels with the packet through the pipeline but not in its headers?
fn is_pipeline_field(field: &weir_flow::Field) -> bool {
    use weir_flow::field::{Place, id};
    let name = field.name.as_str();
    matches!(field.place, Place::TunMetadata)
        || name.starts_with("tun_")
        || name.starts_with("reg")
        || name.starts_with("xreg")
        || name.starts_with("xxreg")
        || matches!(field.id, id::METADATA | id::IN_PORT | id::IN_PORT_OXM | id::PACKET_TYPE)
}
