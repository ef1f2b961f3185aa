//! The text of messages, as `ovs-ofctl ofp-print` of Open vSwitch prints them: what was observed is
//! in `golden/`.
#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "a test may fail")]

use weir_openflow::actions::format::Names;
use weir_openflow::print::{PrintContext, ofp_to_string};

fn unhex(s: &str) -> Vec<u8> {
    let digit = |b: u8| char::from(b).to_digit(16).unwrap() as u8;
    s.as_bytes().chunks(2).map(|p| digit(p[0]) << 4 | digit(p[1])).collect()
}

fn print(bytes: &[u8]) -> String {
    ofp_to_string(bytes, PrintContext { names: Names::default(), verbosity: 2 })
}

/// (hex, text) of a golden file.
fn cases(file: &str) -> Vec<(String, String)> {
    let mut cases: Vec<(String, String)> = Vec::new();
    for line in file.lines().filter(|l| !l.starts_with('#')) {
        match line.strip_prefix('|') {
            Some(text) => {
                let last = cases.last_mut().unwrap();
                last.1.push_str(text);
                last.1.push('\n');
            }
            None => cases.push((line.to_owned(), String::new())),
        }
    }
    cases
}

#[test]
fn texts_are_those_of_ovs() {
    let mut cases = cases(include_str!("golden/ofp_print.txt"));
    cases.extend(self::cases(include_str!("golden/ofp_print_flows.txt")));
    assert!(cases.len() > 100);
    let mut wrong = Vec::new();
    for (hex, expected) in &cases {
        let got = print(&unhex(hex));
        if got != *expected {
            wrong.push(format!("{hex}\n--- Open vSwitch\n{expected}--- Weir\n{got}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
