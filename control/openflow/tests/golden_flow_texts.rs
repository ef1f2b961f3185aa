//! Flows and what `ovs-ofctl parse-flow` said about them: the protocols that can carry them and the
//! flow in its own words, or the error.

use weir_openflow::actions::format::Names;
use weir_openflow::flow_text::{FlowModCommand, FlowParser, Purpose};

fn parse_flow(text: &str) -> String {
    let mut parser = FlowParser::new(None, None);
    match parser.parse(text, Purpose::Mod(FlowModCommand::Add)) {
        Ok(mut fm) => {
            // A table that is not said is not sent.
            if fm.table_id == 255 {
                fm.table_id = 0;
            }
            format!("usable protocols: {} | {}", parser.usable, fm.display(Names::default()))
        }
        Err(error) => format!("ovs-ofctl: {error}"),
    }
}

#[test]
fn texts() {
    let mut wrong = 0;
    let mut lines = include_str!("golden/flow_texts.txt").lines();
    while let (Some(text), Some(expected)) = (lines.next(), lines.next()) {
        let printed = parse_flow(text.trim_start_matches("> "));
        if printed != expected {
            wrong += 1;
            eprintln!("{text}\n  expected {expected}\n  printed  {printed}");
        }
    }
    assert_eq!(wrong, 0);
}
