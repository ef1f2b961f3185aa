//! `multipath`, `bundle`, `bundle_load`: choosing a link or a member by a hash of the packet.

use std::fmt;

use weir_flow::field::id;

use super::output::{from_ofs_nbits, ofs_nbits};
use crate::actions::action::{
    BundleAction, BundleAlgorithm, HashFields, MultipathAction, MultipathAlgorithm,
};
use crate::actions::format::Names;
use crate::actions::parse::{ParseContext, Parsed};
use crate::actions::raw::Body;
use crate::actions::table;
use crate::actions::{Action, Actions};
use crate::matching::Subfield;
use crate::nxm::entry;
use crate::nxm::header::has_short_form;
use crate::ofp_errors::OfpError;
use crate::ofp_port::OfPort;
use crate::value_text::number::atoi;
use crate::value_text::{TextError, text_error};
use crate::version::OfVersion;
use crate::wire::Put;

/// Most members of a bundle.
const MAX_MEMBERS: u16 = 2048;

/// Names of what is hashed, by number.
const FIELDS: [(HashFields, &str); 7] = [
    (HashFields::EthSrc, "eth_src"),
    (HashFields::SymmetricL4, "symmetric_l4"),
    (HashFields::SymmetricL3L4, "symmetric_l3l4"),
    (HashFields::SymmetricL3L4Udp, "symmetric_l3l4+udp"),
    (HashFields::NwSrc, "nw_src"),
    (HashFields::NwDst, "nw_dst"),
    (HashFields::SymmetricL3, "symmetric_l3"),
];

const MULTIPATH: [(MultipathAlgorithm, &str); 4] = [
    (MultipathAlgorithm::ModuloN, "modulo_n"),
    (MultipathAlgorithm::HashThreshold, "hash_threshold"),
    (MultipathAlgorithm::Hrw, "hrw"),
    (MultipathAlgorithm::IterHash, "iter_hash"),
];

const BUNDLE: [(BundleAlgorithm, &str); 2] =
    [(BundleAlgorithm::ActiveBackup, "active_backup"), (BundleAlgorithm::Hrw, "hrw")];

fn by_number<T: Copy>(rows: &[(T, &str)], n: u16, what: &str) -> Result<T, OfpError> {
    rows.get(usize::from(n)).map(|r| r.0).ok_or_else(|| {
        log::warn!(target: "ofp_actions", "unsupported {what} {n}");
        OfpError::OFPBAC_BAD_ARGUMENT
    })
}

fn by_name<T: Copy>(rows: &[(T, &str)], name: &str) -> Option<T> {
    rows.iter().find(|r| r.1.eq_ignore_ascii_case(name)).map(|r| r.0)
}

fn name_of<T: Copy + PartialEq>(rows: &[(T, &'static str)], value: T) -> &'static str {
    rows.iter().find(|r| r.0 == value).map_or("<unknown>", |r| r.1)
}

/// The low 16 bits of what a number begins with, like C.
fn atoi16(s: &str) -> u16 {
    u16::try_from(atoi(s) & 0xffff).unwrap_or(0)
}

pub(crate) fn decode_multipath(b: &mut Body<'_>) -> Result<Action, OfpError> {
    let (fields, basis) = (b.r.u16()?, b.r.u16()?);
    b.r.skip(2)?;
    let (algorithm, max_link, arg) = (b.r.u16()?, b.r.u16()?, b.r.u32()?);
    b.r.skip(2)?;
    let bits = b.r.u16()?;
    let dst = from_ofs_nbits(entry::field_of_u32(b.r.u32()?)?.id, bits);
    let fields = by_number(&FIELDS, fields, "fields")?;
    let algorithm = by_number(&MULTIPATH, algorithm, "algorithm")?;
    let n_links = u32::from(max_link) + 1;
    let min_bits = n_links.next_power_of_two().trailing_zeros();
    if u32::from(dst.n_bits) < min_bits {
        log::warn!(
            target: "ofp_actions",
            "multipath action requires at least {min_bits} bits for {n_links} links"
        );
        return Err(OfpError::OFPBAC_BAD_ARGUMENT);
    }
    dst.check_dst(None)?;
    let m = MultipathAction { fields, basis, algorithm, max_link, arg, dst };
    Ok(Action::Multipath(Box::new(m)))
}

pub(crate) fn encode_multipath(m: &MultipathAction, v: OfVersion, out: &mut Vec<u8>) {
    table::MULTIPATH.put(v, out, |b| {
        b.put_u16(m.fields as u16);
        b.put_u16(m.basis);
        b.put_zeros(2);
        b.put_u16(m.algorithm as u16);
        b.put_u16(m.max_link);
        b.put_u32(m.arg);
        b.put_zeros(2);
        b.put_u16(ofs_nbits(&m.dst));
        b.put_u32(entry::u32_of_field(m.dst.field.field()));
    });
}

fn parse_dst(full: &str, s: &str) -> Result<Subfield, TextError> {
    let dst = Subfield::parse(s)?;
    if !has_short_form(dst.field.field()) {
        text_error!("{full}: experimenter OXM field '{s}' not supported");
    }
    Ok(dst)
}

pub(crate) fn parse_multipath(s: &str, _: &mut ParseContext<'_>, out: &mut Actions) -> Parsed {
    let mut words = s.split([',', ' ']).filter(|w| !w.is_empty());
    let parts: Vec<&str> = words.by_ref().take(6).collect();
    let [fields, basis, algorithm, n_links, arg, dst] = parts[..] else {
        text_error!("{s}: not enough arguments to multipath action")
    };
    let Some(fields) = by_name(&FIELDS, fields) else {
        text_error!("{s}: unknown fields `{fields}'")
    };
    let Some(algorithm) = by_name(&MULTIPATH, algorithm) else {
        text_error!("{s}: unknown algorithm `{algorithm}'")
    };
    let n_links = atoi(n_links);
    let Some(max_link) = n_links.checked_sub(1).and_then(|n| u16::try_from(n).ok()) else {
        text_error!("{s}: n_links {n_links} is not in valid range 1 to 65536")
    };
    let dst = parse_dst(s, dst)?;
    if dst.n_bits < 16 && n_links > 1 << dst.n_bits {
        text_error!(
            "{s}: {}-bit destination field has {} possible values, less than specified n_links \
             {n_links}",
            dst.n_bits,
            1u32 << dst.n_bits
        );
    }
    out.push(Action::Multipath(Box::new(MultipathAction {
        fields,
        basis: atoi16(basis),
        algorithm,
        max_link,
        arg: u32::try_from(atoi(arg) & 0xffff_ffff).unwrap_or(0),
        dst,
    })));
    Ok(())
}

pub(crate) fn format_multipath(f: &mut fmt::Formatter<'_>, m: &MultipathAction) -> fmt::Result {
    write!(
        f,
        "multipath({},{},{},{},{},{})",
        name_of(&FIELDS, m.fields),
        m.basis,
        name_of(&MULTIPATH, m.algorithm),
        u32::from(m.max_link) + 1,
        m.arg,
        m.dst
    )
}

fn decode_any_bundle(b: &mut Body<'_>, load: bool) -> Result<Action, OfpError> {
    const BAD_ARGUMENT: OfpError = OfpError::OFPBAC_BAD_ARGUMENT;
    let (algorithm, fields, basis) = (b.r.u16()?, b.r.u16()?, b.r.u16()?);
    let (member_type, n_members) = (b.r.u32()?, b.r.u16()?);
    let (bits, dst) = (b.r.u16()?, b.r.u32()?);
    b.r.zeros(4, BAD_ARGUMENT)?;
    let fields = by_number(&FIELDS, fields, "fields")?;
    let algorithm = by_number(&BUNDLE, algorithm, "algorithm")?;
    if n_members > MAX_MEMBERS || member_type != entry::u32_of_field(id::IN_PORT.field()) {
        return Err(BAD_ARGUMENT);
    }
    let dst = if load {
        let dst = from_ofs_nbits(entry::field_of_u32(dst)?.id, bits);
        if dst.n_bits < 16 {
            log::warn!(
                target: "ofp_actions",
                "bundle_load action requires at least 16 bit destination."
            );
            return Err(BAD_ARGUMENT);
        }
        dst.check_dst(None)?;
        Some(dst)
    } else {
        if bits != 0 || dst != 0 {
            return Err(BAD_ARGUMENT);
        }
        None
    };
    let members = (0..n_members).map(|_| b.r.u16().map(OfPort)).collect::<Result<Vec<_>, _>>()?;
    let is_member = |p: &OfPort| *p < OfPort::MAX || matches!(*p, OfPort::NONE | OfPort::LOCAL);
    if !members.iter().all(is_member) {
        return Err(OfpError::OFPBAC_BAD_OUT_PORT);
    }
    Ok(Action::Bundle(Box::new(BundleAction { fields, basis, algorithm, dst, members })))
}

pub(crate) fn decode_bundle(b: &mut Body<'_>) -> Result<Action, OfpError> {
    decode_any_bundle(b, false)
}

pub(crate) fn decode_bundle_load(b: &mut Body<'_>) -> Result<Action, OfpError> {
    decode_any_bundle(b, true)
}

pub(crate) fn encode_bundle(a: &BundleAction, v: OfVersion, out: &mut Vec<u8>) {
    let form = if a.dst.is_some() { &table::BUNDLE_LOAD } else { &table::BUNDLE };
    form.put(v, out, |b| {
        b.put_u16(a.algorithm as u16);
        b.put_u16(a.fields as u16);
        b.put_u16(a.basis);
        b.put_u32(entry::u32_of_field(id::IN_PORT.field()));
        b.put_u16(u16::try_from(a.members.len()).unwrap_or(0));
        b.put_u16(a.dst.as_ref().map_or(0, ofs_nbits));
        b.put_u32(a.dst.map_or(0, |d| entry::u32_of_field(d.field.field())));
        b.put_zeros(4);
        a.members.iter().for_each(|m| b.put_u16(m.0));
    });
}

fn parse_any_bundle(s: &str, load: bool, cx: &ParseContext<'_>, out: &mut Actions) -> Parsed {
    let mut rest = s;
    let mut word = |separators: &[char]| -> Option<&str> {
        let trimmed = rest.trim_start_matches(separators);
        if trimmed.is_empty() {
            return None;
        }
        let end = trimmed.find(separators).unwrap_or(trimmed.len());
        rest = trimmed.get(end + 1..).unwrap_or("");
        Some(&trimmed[..end])
    };
    let plain = [',', ' '];
    let fields = word(&plain);
    let basis = word(&plain);
    let algorithm = word(&plain);
    let member_type = word(&plain);
    let dst = if load { word(&plain) } else { None };
    let delimiter = word(&[':', ' ']);
    let (Some(fields), Some(basis), Some(algorithm), Some(kind), Some(delimiter)) =
        (fields, basis, algorithm, member_type, delimiter)
    else {
        text_error!("{s}: not enough arguments to bundle action")
    };
    if !delimiter.eq_ignore_ascii_case("members") && !delimiter.eq_ignore_ascii_case("slaves") {
        text_error!("{s}: missing member delimiter, expected `members', got `{delimiter}'");
    }
    let mut members = Vec::new();
    for member in rest.split([',', ' ', '[', ']']).filter(|m| !m.is_empty()) {
        if members.len() >= usize::from(MAX_MEMBERS) {
            break;
        }
        let Some(port) = OfPort::parse(member, cx.ports) else {
            text_error!("{member}: bad port number")
        };
        members.push(port);
    }
    let Some(fields) = by_name(&FIELDS, fields) else {
        text_error!("{s}: unknown fields `{fields}'")
    };
    let Some(algorithm) = by_name(&BUNDLE, algorithm) else {
        text_error!("{s}: unknown algorithm `{algorithm}'")
    };
    if !kind.eq_ignore_ascii_case("ofport") {
        text_error!("{s}: unknown member_type `{kind}'");
    }
    let dst = dst.map(|d| parse_dst(s, d)).transpose()?;
    let basis = atoi16(basis);
    out.push(Action::Bundle(Box::new(BundleAction { fields, basis, algorithm, dst, members })));
    Ok(())
}

pub(crate) fn parse_bundle(s: &str, cx: &mut ParseContext<'_>, out: &mut Actions) -> Parsed {
    parse_any_bundle(s, false, cx, out)
}

pub(crate) fn parse_bundle_load(s: &str, cx: &mut ParseContext<'_>, out: &mut Actions) -> Parsed {
    parse_any_bundle(s, true, cx, out)
}

pub(crate) fn format_bundle(
    f: &mut fmt::Formatter<'_>,
    a: &BundleAction,
    names: Names<'_>,
) -> fmt::Result {
    let action = if a.dst.is_some() { "bundle_load" } else { "bundle" };
    let (fields, algorithm) = (name_of(&FIELDS, a.fields), name_of(&BUNDLE, a.algorithm));
    write!(f, "{action}({fields},{},{algorithm},ofport,", a.basis)?;
    if let Some(dst) = &a.dst {
        write!(f, "{dst},")?;
    }
    let members: Vec<_> = a.members.iter().map(|m| names.port(*m)).collect();
    write!(f, "members:{})", members.join(","))
}
