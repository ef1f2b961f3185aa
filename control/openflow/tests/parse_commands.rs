//! The commands that examine codecs, against what `ovs-ofctl` printed for the same lines.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failure of a test")]

use weir_openflow::OfVersion;
use weir_openflow::nxm::Strictness;
use weir_openflow::parse_commands::{
    check_vlan, parse_actions, parse_instructions, parse_key_value, parse_nx_match,
    parse_ofp10_match, parse_ofp11_match,
};
use weir_openflow::value_text::TextError;

fn run(command: &str, line: &str) -> String {
    let mut words = command.split(' ').peekable();
    let strictness = match words.next_if_eq(&"--strict") {
        Some(_) => Strictness::Strict,
        None => Strictness::Loose,
    };
    let name = words.next().unwrap();
    let version = words.next().map(|v| OfVersion::from_option_name(v).unwrap());
    let result: Result<String, TextError> = match name {
        "parse-nx-match" | "parse-oxm" => parse_nx_match(line, version, strictness),
        "parse-actions" => parse_actions(line, version.unwrap()),
        "parse-instructions" => parse_instructions(line, version.unwrap()),
        "parse-ofp10-match" => parse_ofp10_match(line),
        "parse-ofp11-match" => parse_ofp11_match(line),
        "parse-key-value" => Ok(parse_key_value(line)),
        "check-vlan" => {
            let (value, mask) = line.split_once(' ').unwrap();
            let hex = |s| u16::from_str_radix(s, 16).unwrap();
            Ok(check_vlan(hex(value), hex(mask)))
        }
        other => panic!("{other}"),
    };
    result.unwrap_or_else(|e| format!("ovs-ofctl: {e}\n"))
}

#[test]
fn lines() {
    let mut wrong = 0;
    // What was observed: the command, its line of input, what it printed.
    for case in include_str!("golden/parse_commands.txt").split("=== ").skip(1) {
        let (command, rest) = case.split_once("\n> ").unwrap();
        let (line, expected) = rest.split_once('\n').unwrap();
        let printed = run(command, line);
        if printed != expected {
            wrong += 1;
            eprintln!("{command}: {line}\n-- expected\n{expected}-- printed\n{printed}");
        }
    }
    assert_eq!(wrong, 0);
}
