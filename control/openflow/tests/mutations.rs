//! Nothing that a peer or a user sends may panic: valid flows with random damage, as bytes and as text.
//! What still decodes must survive the way over the wire once more.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failure of a test")]

mod grammar;

use grammar::{Random, flow};
use weir_openflow::actions::format::Names;
use weir_openflow::actions::{
    CheckContext, DecodeContext, check_actions, decode_actions, decode_instructions, display,
    encode_actions, encode_instructions,
};
use weir_openflow::flow_text::{FlowModCommand, FlowParser, Purpose};
use weir_openflow::matching::{ofp10_match, ofp11_match};
use weir_openflow::nxm::{self, Strictness};
use weir_openflow::wire::Reader;
use weir_openflow::{Action, FlowMod, Match, OfVersion, OfpError};

fn valid_flow(r: &mut Random) -> (String, FlowMod) {
    loop {
        let text = flow(r);
        let mut parser = FlowParser::new(None, None);
        if let Ok(fm) = parser.parse(&text, Purpose::Mod(FlowModCommand::Add)) {
            return (text, fm);
        }
    }
}

/// Changes, drops or repeats a few bytes.
fn damage(r: &mut Random, bytes: &mut Vec<u8>) {
    for _ in 0..=r.below(3) {
        if bytes.is_empty() {
            return;
        }
        let at = r.below(bytes.len());
        match r.below(6) {
            0 => bytes.truncate(at),
            1 => bytes[at] = 0,
            2 => bytes[at] = 0xff,
            3 => bytes[at] ^= 1 << r.below(8),
            4 => bytes[at] = u8::try_from(r.below(256)).unwrap(),
            _ => {
                let piece = bytes[at..].to_vec();
                bytes.extend(piece);
            }
        }
    }
}

fn over_the_wire(actions: &[Action], version: OfVersion, origin: &[u8]) -> Vec<Action> {
    let mut bytes = Vec::new();
    encode_instructions(actions, version, &mut bytes);
    decode_instructions(&bytes, DecodeContext::new(version)).unwrap_or_else(|e| {
        let text = display(actions, Names::default());
        panic!("{version} {e}: {text}\n{origin:02x?}\n{bytes:02x?}")
    })
}

#[test]
fn damaged_actions() {
    let mut r = Random(0x1234_5678_9abc_def9);
    let mut accepted = 0;
    for round in 0..30_000 {
        let (_, fm) = valid_flow(&mut r);
        let version = OfVersion::ALL[round % 6];
        let mut bytes = Vec::new();
        encode_instructions(&fm.actions, version, &mut bytes);
        damage(&mut r, &mut bytes);
        let cx = DecodeContext::new(version);
        let _ = decode_actions(&bytes, cx).map(|a| display(&a, Names::default()).to_string());
        let Ok(mut actions) = decode_instructions(&bytes, cx) else { continue };
        accepted += 1;
        // Older actions come back as set_field, once; then nothing changes any more.
        let once = over_the_wire(&actions, version, &bytes);
        let twice = over_the_wire(&once, version, &bytes);
        let show = |a: &[Action]| display(a, Names::default()).to_string();
        assert_eq!(show(&twice), show(&once), "{version} {}", show(&actions));
        let mut cx = CheckContext::new(fm.matched.clone(), 0);
        let before = cx.matched.clone();
        let _ = check_actions(&mut actions, &mut cx);
        assert_eq!(cx.matched, before);
        encode_actions(&actions, version, &mut Vec::new());
    }
    assert!(accepted > 3000, "{accepted}");
}

#[test]
fn damaged_matches() {
    let mut r = Random(0xfeed_beef_1234_5679);
    let mut accepted = 0;
    for round in 0..30_000 {
        let (_, fm) = valid_flow(&mut r);
        let version = OfVersion::ALL[round % 6];
        let mut bytes = Vec::new();
        let read = |bytes: &[u8]| -> Result<Match, OfpError> {
            let mut reader = Reader::new(bytes, OfpError::OFPBRC_BAD_LEN);
            match (version, round % 2) {
                (OfVersion::V10, 0) => ofp10_match::decode(&mut reader),
                (OfVersion::V10, _) => {
                    nxm::decode_match(bytes, Strictness::Loose)?;
                    nxm::decode_match(bytes, Strictness::Strict).map(|d| d.matched)
                }
                _ => ofp11_match::decode_framed(&mut reader),
            }
        };
        let write = |m: &Match, bytes: &mut Vec<u8>| match (version, round % 2) {
            (OfVersion::V10, 0) => ofp10_match::encode(m, bytes),
            (OfVersion::V10, _) => {
                nxm::encode_match(m, None, None, bytes);
            }
            _ => {
                ofp11_match::encode_framed(m, version, bytes);
            }
        };
        write(&fm.matched, &mut bytes);
        damage(&mut r, &mut bytes);
        let _ = nxm::text::format_entries(&bytes);
        let Ok(mut m) = read(&bytes) else { continue };
        accepted += 1;
        m.normalize();
        // OXM cannot say everything that NXM can, so the first way over the wire may change something.
        let over = |m: &Match| {
            let mut again = Vec::new();
            write(m, &mut again);
            read(&again)
                .unwrap_or_else(|e| panic!("{version} {e}: {m}\n{bytes:02x?}\n{again:02x?}"))
        };
        let once = over(&m);
        assert_eq!(over(&once).to_string(), once.to_string(), "{version} {m}");
    }
    assert!(accepted > 3000, "{accepted}");
}

#[test]
fn damaged_texts() {
    let mut r = Random(0x0dd_ba19);
    let odd = [
        "(", ")", "[", "]", "->", "/", ":", "=", ",", "é", "0x", "-", "..", "actions=", "\u{0}",
        "'", "\"",
    ];
    for _ in 0..30_000 {
        let (text, _) = valid_flow(&mut r);
        let mut chars: Vec<char> = text.chars().collect();
        for _ in 0..=r.below(3) {
            let at = r.below(chars.len() + 1);
            match r.below(3) {
                0 => chars.truncate(at),
                1 if at < chars.len() => {
                    chars.remove(at);
                }
                _ => {
                    chars.splice(at..at, r.pick(&odd).chars());
                }
            }
        }
        let text: String = chars.into_iter().collect();
        for purpose in [Purpose::Mod(FlowModCommand::Add), Purpose::Prefixed, Purpose::Stats] {
            if let Ok(fm) = FlowParser::new(None, None).parse(&text, purpose) {
                let _ = fm.display(Names::default()).to_string();
            }
        }
        let _ = nxm::text::parse_entries(&text);
    }
}
