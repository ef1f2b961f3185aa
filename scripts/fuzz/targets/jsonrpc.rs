//! Any bytes as a JSON-RPC stream: the same values however the bytes arrive, and each value can be
//! printed and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_jsonrpc::Json;
use weir_jsonrpc::frame::FrameReader;
use weir_jsonrpc::message::Message;

const LIMIT: usize = 1 << 16;

fn values(pieces: impl Iterator<Item = Vec<u8>>) -> Vec<String> {
    let mut reader = FrameReader::new(LIMIT);
    let mut values = Vec::new();
    for piece in pieces {
        reader.feed(&piece);
        loop {
            match reader.next_value() {
                Ok(Some(json)) => values.push(json.to_string()),
                Ok(None) => break,
                Err(_) => return values,
            }
        }
    }
    values
}

fuzz_target!(|bytes: &[u8]| {
    let whole = values(std::iter::once(bytes.to_vec()));
    assert_eq!(whole, values(bytes.iter().map(|b| vec![*b])));
    for text in whole {
        let json = Json::parse(&text).expect("a printed value can be read");
        // Printing rounds reals to 15 digits, and a real that is then integral becomes an integer.
        let text = json.to_string();
        assert_eq!(Json::parse(&text).expect("and again").to_string(), text);
        if let Ok(message) = Message::from_json(json) {
            let again = Message::from_json(message.to_json()).expect("a message stays one");
            assert_eq!(again.to_json().to_string(), message.to_json().to_string());
        }
    }
    let _ = Json::parse(bytes);
});
