//! Any bytes as an OpenFlow message: what is understood can be encoded and understood again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_openflow::{decode, encode};

fuzz_target!(|bytes: &[u8]| {
    let Ok(decoded) = decode(bytes) else { return };
    if let Ok(encoded) = encode(decoded.version, decoded.header.xid, &decoded.message) {
        if let Err(error) = decode(&encoded) {
            panic!("{error:?} in {encoded:02x?} made of {:?}", decoded.message);
        }
    }
});
