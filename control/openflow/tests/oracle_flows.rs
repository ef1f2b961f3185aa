//! Flows of a random grammar through the installed `ovs-ofctl parse-flows` and through Weir: what
//! comes out, after the way over the wire, must be the same text. Without `ovs-ofctl` the test says
//! so and passes.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failure of a test")]

mod grammar;

use std::io::Write as _;
use std::process::{Command, Stdio};

use grammar::{Random, flow};
use weir_openflow::actions::check::check_consistency;
use weir_openflow::actions::format::Names;
use weir_openflow::actions::{
    CheckContext, DecodeContext, decode_instructions, encode_instructions,
};
use weir_openflow::flow_text::{FlowModCommand, FlowParser, Purpose};
use weir_openflow::matching::{ofp10_match, ofp11_match};
use weir_openflow::nxm::{self, Strictness};
use weir_openflow::wire::Reader;
use weir_openflow::{FlowMod, Match, OfVersion, OfpError, Protocols};

/// A flow as text and as the bytes of its match and actions.
#[derive(Debug, PartialEq)]
struct Shown {
    text: String,
    bytes: Vec<u8>,
}

/// The flow after its way over the wire, and the bytes of match and actions there.
fn over_the_wire(fm: &FlowMod, protocol: Protocols) -> Shown {
    let version = protocol.version().unwrap();
    let mut bytes = Vec::new();
    if Protocols::OF10_STD_ANY.contains(protocol) {
        ofp10_match::encode(&fm.matched, &mut bytes);
    } else if Protocols::OF10_NXM_ANY.contains(protocol) {
        nxm::encode_match(&fm.matched, None, None, &mut bytes);
    } else {
        ofp11_match::encode_framed(&fm.matched, version, &mut bytes);
    }
    let matched = decode_match(&bytes, protocol);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    let start = bytes.len();
    encode_instructions(&fm.actions, version, &mut bytes);
    let decoded = matched.and_then(|mut matched| {
        matched.normalize();
        let cx = DecodeContext::new(version);
        let mut actions = decode_instructions(&bytes[start..], cx)?;
        let mut cx = CheckContext::new(matched.clone(), fm.table_id);
        check_consistency(&mut actions, protocol, &mut cx)?;
        Ok((matched, actions))
    });
    let text = match decoded {
        Err(e) => format!("***decode error: {e}***"),
        Ok((matched, actions)) => {
            let table_id = if fm.table_id == 255 { 0 } else { fm.table_id };
            let importance = if version >= OfVersion::V14 { fm.importance } else { 0 };
            let fm = FlowMod { matched, actions, table_id, importance, ..fm.clone() };
            fm.display(Names::default()).to_string()
        }
    };
    Shown { text, bytes }
}

fn decode_match(bytes: &[u8], protocol: Protocols) -> Result<Match, OfpError> {
    let mut r = Reader::new(bytes, OfpError::OFPBRC_BAD_LEN);
    if Protocols::OF10_STD_ANY.contains(protocol) {
        ofp10_match::decode(&mut r)
    } else if Protocols::OF10_NXM_ANY.contains(protocol) {
        nxm::decode_match(bytes, Strictness::Strict).map(|d| d.matched)
    } else {
        ofp11_match::decode_framed(&mut r)
    }
}

/// What `ovs-ofctl` makes of the flows: text, and the bytes of match and actions in the message.
fn oracle(protocol: Protocols, flows: &[String]) -> Option<Vec<Shown>> {
    let texts = oracle_messages(protocol, flows, &[])?;
    // More words about a match come with the bytes.
    let mut shown = oracle_messages(protocol, flows, &["-m"; 5])?;
    for (s, t) in shown.iter_mut().zip(texts) {
        s.text = t.text;
    }
    for s in &mut shown {
        s.bytes = if Protocols::OF10_STD_ANY.contains(protocol) {
            // Between match and actions stand the rest of OpenFlow 1.0's flow mod.
            [s.bytes.get(8..48), s.bytes.get(72..)].map(Option::unwrap_or_default).concat()
        } else {
            s.bytes.get(48..).unwrap_or_default().to_vec()
        };
    }
    Some(shown)
}

fn oracle_messages(protocol: Protocols, flows: &[String], more: &[&str]) -> Option<Vec<Shown>> {
    let mut child = Command::new("ovs-ofctl")
        .args(more)
        .args(["-F", &protocol.to_string(), "-O"])
        .arg(protocol.version().unwrap().option_name())
        .args(["-vconsole:off", "parse-flows", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    // When it stops at a line, its message says so.
    let _ = child.stdin.take().unwrap().write_all((flows.join("\n") + "\n").as_bytes());
    let out = child.wait_with_output().unwrap();
    let text = String::from_utf8(out.stdout).unwrap() + &String::from_utf8(out.stderr).unwrap();
    let mut shown: Vec<Shown> = Vec::new();
    for line in text.lines() {
        if line.contains("FLOW_MOD") || line.starts_with("ovs-ofctl") {
            let text = line.split_once("): ").map_or(line, |p| p.1).trim().to_owned();
            shown.push(Shown { text, bytes: Vec::new() });
        } else if let Some(hex) = line.get(10..57) {
            let Some(last) = shown.last_mut() else { continue };
            if line.starts_with("00000000") {
                // A message that could not be decoded is dumped twice.
                last.bytes.clear();
            }
            let digits = hex.split([' ', '-']).filter(|d| !d.is_empty());
            last.bytes.extend(digits.filter_map(|d| u8::from_str_radix(d, 16).ok()));
        }
    }
    Some(shown)
}

fn compare(protocol: Protocols, seed: u64, n: usize) {
    let mut r = Random(seed);
    let mut flows = Vec::new();
    let mut ours = Vec::new();
    while flows.len() < n {
        let text = flow(&mut r);
        let mut parser = FlowParser::new(None, None);
        let Ok(fm) = parser.parse(&text, Purpose::Mod(FlowModCommand::Add)) else { continue };
        if parser.usable.contains(protocol) {
            ours.push(over_the_wire(&fm, protocol));
            flows.push(text);
        }
    }
    let Some(theirs) = oracle(protocol, &flows) else {
        println!("skipped: ovs-ofctl is not installed");
        return;
    };
    if let Some(line) = theirs.last().and_then(|s| s.text.strip_prefix("ovs-ofctl: -:")) {
        let number: usize = line.split(':').next().and_then(|n| n.parse().ok()).unwrap_or(1);
        panic!("{protocol}: ovs-ofctl stops at {}\n{line}", flows[number - 1]);
    }
    let mut wrong = Vec::new();
    for ((flow, a), b) in flows.iter().zip(&ours).zip(&theirs) {
        if a != b {
            let bytes = if a.bytes == b.bytes { "" } else { ", bytes differ" };
            wrong.push(format!("{flow}\n  weir {}\n  ovs  {}{bytes}", a.text, b.text));
        }
    }
    assert!(
        wrong.is_empty() && ours.len() == theirs.len(),
        "{protocol}: {} of {} differ ({} answers, the last {:?})\n{}",
        wrong.len(),
        ours.len(),
        theirs.len(),
        theirs.last().map(|s| &s.text),
        wrong.iter().take(3).cloned().collect::<Vec<_>>().join("\n")
    );
}

macro_rules! against_ovs_ofctl {
    ($($name:ident = $protocol:ident;)+) => {
        $(#[test]
        fn $name() {
            compare(Protocols::$protocol, 0x9e37_79b9_7f4a_7c15, 2000);
        })+
    };
}

against_ovs_ofctl! {
    openflow10 = OF10_STD;
    nxm = OF10_NXM;
    openflow11 = OF11_STD;
    openflow12 = OF12_OXM;
    openflow13 = OF13_OXM;
    openflow14 = OF14_OXM;
    openflow15 = OF15_OXM;
}
