//! The commands of `ovs-ofctl` that examine a codec: a line of input decoded, shown as text, encoded
//! again and compared with what it was.
//!
//! Every function answers what the command prints for one line of its input. An error ends the
//! command.

use std::fmt::Write;

use crate::actions::format::Names;
use crate::actions::{
    CheckContext, DecodeContext, check_consistency, decode_actions, decode_instructions, display,
    encode_actions, encode_instructions,
};
use crate::matching::{Match, ofp10_match, ofp11_match};
use crate::nxm::{self, MatchOptions, Strictness};
use crate::ofp_errors::OfpError;
use crate::protocol::Protocols;
use crate::value_text::key_value::KeyValues;
use crate::value_text::number::{atoi, hex_bytes};
use crate::value_text::{TextError, text_error};
use crate::version::OfVersion;
use crate::wire::Reader;

pub use check_vlan::check_vlan;

mod check_vlan;

/// A line without its comment; `None` when nothing is left.
fn content(line: &str) -> Option<&str> {
    let s = line.split('#').next().unwrap_or_default();
    (!s.trim_matches(' ').is_empty()).then_some(s)
}

/// `parse-nx-match` (no version) and `parse-oxm`: entries of a match as names and hex digits.
///
/// # Errors
/// The text is not a list of entries.
pub fn parse_nx_match(
    line: &str,
    version: Option<OfVersion>,
    strictness: Strictness,
) -> Result<String, TextError> {
    if line.starts_with('#') {
        return Ok(format!("{line}\n"));
    }
    let Some(text) = content(line) else { return Ok("\n".to_owned()) };
    let bytes = nxm::text::parse_entries(text)?;
    let options =
        MatchOptions { strictness, allow_cookie: version.is_none(), ..MatchOptions::default() };
    Ok(match nxm::decode_match_with(&bytes, options) {
        Ok(d) => {
            let mut again = Vec::new();
            let cookie = (d.cookie_mask != 0).then_some((d.cookie, d.cookie_mask));
            nxm::encode_match(&d.matched, version, cookie, &mut again);
            format!("{}\n", nxm::text::format_entries(&again))
        }
        Err(error) => format!("nx_pull_match() returned error {error}\n"),
    })
}

/// Every place where the bytes differ, a line for each.
fn differences(prefix: &str, was: &[u8], is: &[u8]) -> String {
    let mut s = String::new();
    let show = |b: Option<&u8>| b.map_or_else(|| "(none)".to_owned(), |b| format!("{b:02x}"));
    for i in 0..was.len().max(is.len()) {
        let (was, is) = (was.get(i), is.get(i));
        if was != is {
            let _ = writeln!(s, "{prefix}{i:2}: {} -> {}", show(was), show(is));
        }
    }
    s
}

/// All of the text as bytes.
fn bytes_of(text: &str) -> Result<Vec<u8>, TextError> {
    match hex_bytes(text) {
        (bytes, "") => Ok(bytes),
        _ => text_error!("Trailing garbage in hex data"),
    }
}

/// `parse-actions`: actions in hex digits.
///
/// # Errors
/// The text is not made of hex digits.
pub fn parse_actions(line: &str, version: OfVersion) -> Result<String, TextError> {
    let decode = |bytes: &[u8], _: u8| {
        let actions = decode_actions(bytes, DecodeContext::new(version))?;
        let mut again = Vec::new();
        encode_actions(&actions, version, &mut again);
        Ok((display(&actions, Names::default()).to_string(), again))
    };
    parse_list(line, version, "actions", decode)
}

/// `parse-instructions`: perhaps the number of a table and a comma, then instructions in hex digits.
///
/// # Errors
/// The text is not made of hex digits.
pub fn parse_instructions(line: &str, version: OfVersion) -> Result<String, TextError> {
    let decode = |bytes: &[u8], table| {
        let mut actions = decode_instructions(bytes, DecodeContext::new(version))?;
        let mut cx = CheckContext::new(Match::default(), table);
        check_consistency(&mut actions, Protocols::of_version(version), &mut cx)?;
        let mut again = Vec::new();
        encode_instructions(&actions, version, &mut again);
        Ok((display(&actions, Names::default()).to_string(), again))
    };
    parse_list(line, version, "instructions", decode)
}

fn parse_list(
    line: &str,
    version: OfVersion,
    what: &str,
    decode: impl FnOnce(&[u8], u8) -> Result<(String, Vec<u8>), OfpError>,
) -> Result<String, TextError> {
    let Some(text) = content(line) else { return Ok(String::new()) };
    let (table, text) = text.split_once(',').unwrap_or(("", text));
    let bytes = bytes_of(text)?;
    // The table's number wraps around, as it always did.
    let table = u8::try_from(atoi(table) & 0xff).unwrap_or(0);
    Ok(match decode(&bytes, table) {
        Ok((text, again)) => format!("actions={text}\n{}\n", differences("", &bytes, &again)),
        Err(error) => format!("bad {} {what}: {error}\n\n", version.option_name()),
    })
}

/// `parse-ofp10-match`: a match of OpenFlow 1.0 in hex digits. An `x` stands for a digit that shall
/// not matter, and shall come out as zero.
///
/// # Errors
/// The text is not as long as a match.
pub fn parse_ofp10_match(line: &str) -> Result<String, TextError> {
    const LEN: usize = ofp10_match::OFP10_MATCH_LEN;
    let Some(text) = content(line) else { return Ok(String::new()) };
    let expected = bytes_of(&text.replace('x', "0"))?;
    let input = bytes_of(&text.replace('x', "f"))?;
    if input.len() != LEN {
        text_error!("Input is {} bytes, expected {LEN}", input.len());
    }
    let mut r = Reader::new(&input, OfpError::OFPBRC_BAD_LEN);
    let mut m = match ofp10_match::decode(&mut r) {
        Ok(m) => m,
        Err(error) => return Ok(format!("bad ofp10_match: {error}\n\n")),
    };
    let mut s = format!("{m}\n");
    let mut again = Vec::new();
    ofp10_match::encode(&m, &mut again);
    s += &differences("", &expected, &again);
    if let Some(changed) = m.normalize() {
        for line in changed.log_lines() {
            log::info!(target: "ofp_match", "{line}");
        }
    }
    let mut normal = Vec::new();
    ofp10_match::encode(&m, &mut normal);
    s += &differences("normal: ", &again, &normal);
    Ok(s + "\n")
}

/// `parse-ofp11-match`: a standard match of OpenFlow 1.1 in hex digits.
///
/// # Errors
/// The text is not as long as a match, or not made of hex digits.
pub fn parse_ofp11_match(line: &str) -> Result<String, TextError> {
    let Some(text) = content(line) else { return Ok(String::new()) };
    let input = bytes_of(text)?;
    let expected = usize::from(ofp11_match::OFPMT11_STANDARD_LENGTH);
    if input.len() != expected {
        text_error!("Input is {} bytes, expected {expected}", input.len());
    }
    let mut r = Reader::new(&input[4..], OfpError::OFPBRC_BAD_LEN);
    let m = match ofp11_match::decode_standard(&mut r) {
        Ok(m) => m,
        Err(error) => return Ok(format!("bad ofp11_match: {error}\n\n")),
    };
    let mut again = Vec::new();
    ofp11_match::encode_standard(&m, &mut again);
    Ok(format!("{m}\n{}\n", differences("", &input, &again)))
}

/// `parse-key-value`: the pairs of an argument.
#[must_use]
pub fn parse_key_value(argument: &str) -> String {
    let pairs: Vec<String> = KeyValues::new(argument)
        .map(|(key, value)| match value {
            "" => key.to_owned(),
            value => format!("{key}={value}"),
        })
        .collect();
    format!("{}\n", pairs.join(", "))
}
