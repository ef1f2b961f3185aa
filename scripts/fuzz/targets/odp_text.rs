//! Any text as a datapath flow or action list: what is understood can be written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_flow::odp::{Style, format_actions, format_key, parse_actions, parse_key};

fuzz_target!(|text: &str| {
    if let Ok(actions) = parse_actions(text, None) {
        let written = format_actions(&actions, &Style::default());
        let again = parse_actions(&written, None).expect("written actions can be read");
        assert_eq!(format_actions(&again, &Style::default()), written);
    }
    if let Ok(key) = parse_key(text, None) {
        for verbose in [false, true] {
            let style = Style { verbose, names: None };
            let written = format_key(&key.flow, Some(&key.mask), &style);
            parse_key(&written, None).expect("a written flow can be read");
            let _ = format_key(&key.flow, None, &style);
        }
    }
});
