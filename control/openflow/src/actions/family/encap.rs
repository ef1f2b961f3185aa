//! `encap` and `decap`: generic encapsulation (Ethernet, NSH, MPLS).

use std::fmt;

use crate::actions::action::{EncapAction, EncapProperty};
use crate::actions::parse::{ParseContext, Parsed};
use crate::actions::raw::Body;
use crate::actions::table;
use crate::actions::{Action, Actions};
use crate::matching::FieldValue;
use crate::ofp_errors::OfpError;
use crate::protocol::Protocols;
use crate::value_text::field::wide_hex;
use crate::value_text::key_value::KeyValues;
use crate::value_text::number::{alt_hex, hex_bytes, u8_named, u16_named};
use crate::value_text::{TextError, text_error};
use crate::version::OfVersion;
use crate::wire::{Put, Reader};

/// Packet types that can be made, with their names.
const HEADERS: [(u32, &str); 4] =
    [(0, "ethernet"), (0x1_894f, "nsh"), (0x1_8847, "mpls"), (0x1_8848, "mpls_mc")];

/// Packet type (0, 0xfffe): "what the removed header says".
const USE_NEXT_PROTO: u32 = 0xfffe;

/// Property class of NSH.
const CLASS_NSH: u16 = 4;
const NSH_MDTYPE: u8 = 1;
const NSH_TLV: u8 = 2;

pub(crate) fn decode(b: &mut Body<'_>) -> Result<Action, OfpError> {
    // The header size is a hint that nobody needs.
    b.r.skip(2)?;
    let new_packet_type = b.r.u32()?;
    if !HEADERS.iter().any(|(t, _)| *t == new_packet_type) {
        return Err(OfpError::NXBAC_BAD_HEADER_TYPE);
    }
    let mut properties = Vec::new();
    while !b.r.is_empty() {
        properties.push(decode_property(&mut b.r)?);
    }
    Ok(Action::Encap(Box::new(EncapAction { new_packet_type, properties })))
}

fn decode_property(r: &mut Reader<'_>) -> Result<EncapProperty, OfpError> {
    const BAD: OfpError = OfpError::NXBAC_BAD_ED_PROP;
    let mut head = Reader::new(r.rest(), OfpError::OFPBAC_BAD_LEN);
    let (class, kind, len) = (head.u16()?, head.u8()?, usize::from(head.u8()?));
    if len < 4 || len.next_multiple_of(8) > r.len() {
        return Err(OfpError::OFPBAC_BAD_LEN);
    }
    let bytes = r.take(len.next_multiple_of(8))?;
    let mut p = Reader::new(&bytes[4..], BAD);
    match (class, kind) {
        (CLASS_NSH, NSH_MDTYPE) => match (len, p.u8()?) {
            (5..=8, n @ (1 | 2)) => Ok(EncapProperty::NshMdType(n)),
            _ => Err(BAD),
        },
        (CLASS_NSH, NSH_TLV) => {
            let (class, kind, n) = (p.u16()?, p.u8()?, usize::from(p.u8()?));
            if 8 + n > len.next_multiple_of(8) {
                return Err(BAD);
            }
            Ok(EncapProperty::NshTlv { class, kind, data: p.take(n)?.to_vec() })
        }
        _ => Err(OfpError::NXBAC_UNKNOWN_ED_PROP),
    }
}

pub(crate) fn encode(e: &EncapAction, v: OfVersion, out: &mut Vec<u8>) {
    table::ENCAP.put(v, out, |b| {
        b.put_u16(0);
        b.put_u32(e.new_packet_type);
        for property in &e.properties {
            b.put_u16(CLASS_NSH);
            match property {
                EncapProperty::NshMdType(n) => {
                    // The length is that without padding.
                    b.extend_from_slice(&[NSH_MDTYPE, 5, *n, 0, 0, 0]);
                }
                EncapProperty::NshTlv { class, kind, data } => {
                    // Here the length is that with padding.
                    let padded = 8 + data.len().next_multiple_of(8);
                    let n = u8::try_from(data.len()).unwrap_or(0);
                    b.extend_from_slice(&[NSH_TLV, u8::try_from(padded).unwrap_or(0)]);
                    b.put_u16(*class);
                    b.put_u8(*kind);
                    b.put_u8(n);
                    b.extend_from_slice(data);
                    b.put_zeros(padded - 8 - data.len());
                }
            }
        }
    });
}

pub(crate) fn parse(arg: &str, cx: &mut ParseContext<'_>, out: &mut Actions) -> Parsed {
    cx.usable &= Protocols::OF13_UP;
    let Some((name, properties)) = KeyValues::new(arg).next() else {
        text_error!("Missing encap hdr: {arg}")
    };
    let Some((new_packet_type, _)) = HEADERS.iter().find(|(_, n)| *n == name) else {
        text_error!("Encap hdr not supported: {properties}")
    };
    let mut parsed = Vec::new();
    for (key, value) in KeyValues::new(properties) {
        if name != "nsh" || !matches!(key, "md_type" | "tlv") {
            text_error!("Invalid property: {key}");
        }
        if value.is_empty() {
            text_error!("Value missing for encap property");
        }
        parsed.push(if key == "md_type" {
            match u8_named(value, "md_type")? {
                n @ (1 | 2) => EncapProperty::NshMdType(n),
                _ => text_error!("invalid md_type"),
            }
        } else {
            parse_tlv(value)?
        });
    }
    let properties = parsed;
    out.push(Action::Encap(Box::new(EncapAction {
        new_packet_type: *new_packet_type,
        properties,
    })));
    Ok(())
}

/// `0xCLASS,TYPE,0xVALUE`; of the value whole bytes count.
fn parse_tlv(s: &str) -> Result<EncapProperty, TextError> {
    let scan = || {
        let (class, rest) = s.strip_prefix("0x")?.split_once(',')?;
        let (kind, value) = rest.split_once(',')?;
        let (data, _) = hex_bytes(value.strip_prefix("0x")?);
        // A property's length has eight bits, its header included.
        let class = u16::from_str_radix(class, 16).ok()?;
        let kind = kind.parse().ok()?;
        (data.len() <= 240).then_some(EncapProperty::NshTlv { class, kind, data })
    };
    scan().ok_or_else(|| TextError(format!("Invalid NSH TLV header: {s}")))
}

pub(crate) fn format(f: &mut fmt::Formatter<'_>, e: &EncapAction) -> fmt::Result {
    let name = HEADERS.iter().find(|(t, _)| *t == e.new_packet_type).map_or("UNKNOWN", |h| h.1);
    if e.properties.is_empty() {
        return write!(f, "encap({name})");
    }
    let properties: Vec<_> = e
        .properties
        .iter()
        .map(|p| match p {
            EncapProperty::NshMdType(n) => format!("md_type={n}"),
            EncapProperty::NshTlv { class, kind, data } => {
                let hex = wide_hex(&FieldValue::from_bytes(data));
                format!("tlv(0x{class:04x},{kind},{hex})")
            }
        })
        .collect();
    write!(f, "encap({name}({}))", properties.join(","))
}

pub(crate) fn decode_decap(b: &mut Body<'_>) -> Result<Action, OfpError> {
    b.r.skip(2)?;
    let packet_type = b.r.u32()?;
    if !b.r.is_empty() {
        // There are no properties yet.
        return Err(OfpError::NXBAC_UNKNOWN_ED_PROP);
    }
    Ok(Action::Decap { new_packet_type: Some(packet_type).filter(|t| *t != USE_NEXT_PROTO) })
}

pub(crate) fn encode_decap(new_packet_type: Option<u32>, v: OfVersion, out: &mut Vec<u8>) {
    table::DECAP.put(v, out, |b| {
        b.put_zeros(2);
        b.put_u32(new_packet_type.unwrap_or(USE_NEXT_PROTO));
    });
}

pub(crate) fn parse_decap(arg: &str, _: &mut ParseContext<'_>, out: &mut Actions) -> Parsed {
    let mut new_packet_type = None;
    if let Some((key, value)) = KeyValues::new(arg).next() {
        if key != "packet_type" {
            text_error!("Invalid decap argument: {key}");
        }
        let mut parts = KeyValues::new(value);
        let Some(("ns", ns)) = parts.next() else {
            text_error!("Missing packet_type attribute ns")
        };
        let ns = u16_named(ns, "ns")?;
        if ns > 4 {
            text_error!("Unsupported ns value: {ns}");
        }
        let Some(("type", kind)) = parts.next() else {
            text_error!("Missing packet_type attribute type")
        };
        let kind = u16_named(kind, "type")?;
        let packet_type = u32::from(ns) << 16 | u32::from(kind);
        new_packet_type = Some(packet_type).filter(|t| *t != USE_NEXT_PROTO);
    }
    out.push(Action::Decap { new_packet_type });
    Ok(())
}

pub(crate) fn format_decap(
    f: &mut fmt::Formatter<'_>,
    new_packet_type: Option<u32>,
) -> fmt::Result {
    match new_packet_type {
        None => f.write_str("decap()"),
        Some(t) => {
            write!(f, "decap(packet_type(ns={},type={}))", t >> 16, alt_hex((t & 0xffff).into()))
        }
    }
}
