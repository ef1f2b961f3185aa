//! The raw text of NXM and OXM, `NXM_OF_ETH_TYPE(0800), NXM_OF_IP_SRC_W(0a000000/ff000000)`, which
//! `ovs-ofctl parse-nx-match` and `parse-oxm` read and write.

use super::entry::{pull_any, put_raw_header};
use super::header::{Header, OFPXMC_EXPERIMENTER, field_by_oxm_name};
use crate::ofp_errors::OfpError;
use crate::value_text::number::hex_bytes;
use crate::value_text::{TextError, text_error};
use crate::wire::Reader;
use weir_flow::field::Place;

/// Writes the entries of a match as text.
#[must_use]
pub fn format_entries(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "<any>".to_owned();
    }
    let mut parts = Vec::new();
    let mut r = Reader::new(bytes, OfpError::OFPBMC_BAD_LEN);
    while !r.is_empty() {
        let mut ahead = r.clone();
        let entry = match pull_any(&mut ahead) {
            Ok(entry) => entry,
            Err(error) => {
                // Only a whole entry can have wrong wildcards.
                if error == OfpError::OFPBMC_BAD_WILDCARDS {
                    r = ahead;
                }
                break;
            }
        };
        r = ahead;
        let h = entry.header;
        let hex = |v: &[u8]| v.iter().map(|b| format!("{b:02x}")).collect::<String>();
        let name = h.name().unwrap_or_else(|| format!("{}:{}", h.class, h.number));
        let mask = if h.has_mask { format!("/{}", hex(entry.mask.bytes())) } else { String::new() };
        parts.push(format!("{name}({}{mask})", hex(entry.value.bytes())));
    }
    if !r.is_empty() {
        parts.push(format!("<{} invalid bytes>", r.len()));
    }
    parts.join(", ")
}

/// The header that a name stands for: a symbolic name, perhaps with `_W`, or 8 or 16 hex digits.
fn header_of_name(name: &str) -> Option<Header> {
    let (bare, wild) = name.strip_suffix("_W").map_or((name, false), |n| (n, true));
    let wide = |mut h: Header| {
        if wild {
            let payload = 2 * h.payload_len()? + h.experimenter_len();
            h.has_mask = true;
            h.length = u8::try_from(payload).ok()?;
        }
        Some(h)
    };
    if let Some((field, oxm)) = field_by_oxm_name(bare) {
        if !wild || field.maskable {
            return wide(Header::of(oxm, usize::from(field.bytes), false));
        }
        return None;
    }
    if bare == "NXM_NX_COOKIE" {
        return wide(Header::COOKIE);
    }
    if !name.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let (high, vendor) = match name.len() {
        8 => (name, 0),
        16 => (&name[..8], u32::from_str_radix(&name[8..], 16).ok()?),
        _ => return None,
    };
    let [a, b, c, d] = u32::from_str_radix(high, 16).ok()?.to_be_bytes();
    let class = u16::from_be_bytes([a, b]);
    if (class == OFPXMC_EXPERIMENTER) != (name.len() == 16)
        || (name.len() == 8 && high == "00000000")
    {
        return None;
    }
    Some(Header { vendor, class, number: c >> 1, has_mask: c & 1 != 0, length: d })
}

/// Reads what [`format_entries`] writes.
///
/// # Errors
/// A text that says what is wrong.
pub fn parse_entries(s: &str) -> Result<Vec<u8>, TextError> {
    let mut out = Vec::new();
    if s == "<any>" {
        return Ok(out);
    }
    let mut rest = s.trim_start_matches([',', ' ']);
    while !rest.is_empty() {
        let Some((name, after)) = rest.split_once('(') else {
            text_error!("{s}: missing ( at end of nx_match")
        };
        let Some(mut header) = header_of_name(name) else {
            text_error!("{s}: unknown field `{name}'")
        };
        let (value, after) = hex_bytes(after);
        if value.len() != header.value_len() {
            let variable = header.field().filter(|f| matches!(f.place, Place::TunMetadata));
            match variable {
                Some(f) if value.len() <= usize::from(f.bytes) => {
                    let payload = if header.has_mask { 2 * value.len() } else { value.len() };
                    header.length = u8::try_from(payload + header.experimenter_len()).unwrap_or(0);
                }
                Some(f) => {
                    text_error!(
                        "expected to read at most {} bytes but got {}",
                        f.bytes,
                        value.len()
                    )
                }
                None => text_error!(
                    "expected to read {} bytes but got {}",
                    header.value_len(),
                    value.len()
                ),
            }
        }
        put_raw_header(header, &mut out);
        out.extend_from_slice(&value);
        let mut after = after.trim_start_matches(' ');
        if header.has_mask {
            let Some(mask) = after.strip_prefix('/') else {
                text_error!("{s}: missing / in masked field {name}")
            };
            let (mask, tail) = hex_bytes(mask);
            if mask.len() != header.value_len() {
                let shown: String = tail.chars().take(2).collect();
                text_error!("{shown}: hex digits expected");
            }
            out.extend_from_slice(&mask);
            after = tail.trim_start_matches(' ');
        }
        let Some(tail) = after.strip_prefix(')') else {
            text_error!("{s}: missing ) following field {name}")
        };
        rest = tail.trim_start_matches([',', ' ']);
    }
    Ok(out)
}
