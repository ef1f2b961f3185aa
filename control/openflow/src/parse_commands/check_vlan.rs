//! `check-vlan`: one VLAN match through every form that a match can have.

use std::fmt::Write;

use weir_flow::flow::{VLAN_CFI, VLAN_PCP_MASK, VLAN_VID_MASK};

use crate::flow_text::{FlowParser, Purpose};
use crate::matching::{Match, ofp10_match, ofp11_match};
use crate::nxm::{self, DecodedMatch, Strictness};
use crate::ofp_errors::OfpError;
use crate::version::OfVersion;
use crate::wire::Reader;

fn tci(m: &Match) -> (u16, u16) {
    (m.flow.vlans[0].tci.get(), m.mask.0.vlans[0].tci.get())
}

fn shown(m: Result<Match, impl std::fmt::Display>) -> String {
    match m {
        Ok(m) => {
            let (tci, mask) = tci(&m);
            format!("{tci:04x}/{mask:04x}")
        }
        Err(e) => e.to_string(),
    }
}

/// Shows what becomes of a match on these bits of the VLAN's control information as a text, in NXM,
/// in OXM, and in the structures of OpenFlow 1.0 and 1.1.
#[must_use]
pub fn check_vlan(value: u16, mask: u16) -> String {
    let mut m = Match::default();
    m.flow.vlans[0].tci = value.into();
    m.mask.0.vlans[0].tci = mask.into();
    let mut s = String::new();

    let text = m.to_string();
    let parsed = FlowParser::new(None, None).parse(&text, Purpose::Stats);
    let _ = writeln!(s, "{text} -> {}", shown(parsed.map(|fm| fm.matched)));

    let through = |version: Option<OfVersion>| -> (String, Result<DecodedMatch, OfpError>) {
        let mut bytes = Vec::new();
        nxm::encode_match(&m, version, None, &mut bytes);
        (nxm::text::format_entries(&bytes), nxm::decode_match(&bytes, Strictness::Strict))
    };
    let (entries, decoded) = through(None);
    let _ = writeln!(s, "NXM: {entries} -> {}", shown(decoded.map(|d| d.matched)));

    let (entries, decoded) = through(Some(OfVersion::V12));
    let both = match decoded {
        Ok(d) => {
            let (tci, mask) = tci(&d.matched);
            let vid = VLAN_VID_MASK | VLAN_CFI;
            let pcp = match mask & VLAN_PCP_MASK {
                0 => "--".to_owned(),
                _ => format!("{:02x}", tci >> 13),
            };
            format!("{:04x}/{:04x},{pcp}", tci & vid, mask & vid)
        }
        Err(e) => e.to_string(),
    };
    let _ = writeln!(s, "OXM: {entries} -> {both}");

    // The places of the wildcard bits' byte, `dl_vlan` and `dl_vlan_pcp`, and the latter's bit.
    let mut row =
        |name: &str, bytes: &[u8], at: [usize; 3], pcp_bit: u8, m: Result<Match, OfpError>| {
            let [vlan, vlan_wildcards, pcp_wildcards] = at;
            let byte = |i: usize| bytes.get(i).copied().unwrap_or(0);
            let _ = writeln!(
                s,
                "{name}: {:02x}{:02x}/{},{:02x}/{} -> {}",
                byte(vlan),
                byte(vlan + 1),
                u8::from(byte(vlan_wildcards) & 2 != 0),
                byte(vlan + 2),
                u8::from(byte(pcp_wildcards) & pcp_bit != 0),
                shown(m)
            );
        };
    let mut bytes = Vec::new();
    ofp10_match::encode(&m, &mut bytes);
    let decoded = ofp10_match::decode(&mut Reader::new(&bytes, OfpError::OFPBMC_BAD_LEN));
    row("OF1.0", &bytes, [18, 3, 1], 0x10, decoded);
    let mut bytes = Vec::new();
    ofp11_match::encode_framed(&m, OfVersion::V11, &mut bytes);
    let decoded = ofp11_match::decode_framed(&mut Reader::new(&bytes, OfpError::OFPBMC_BAD_LEN));
    row("OF1.1", &bytes, [36, 11, 11], 0x04, decoded);
    s
}
