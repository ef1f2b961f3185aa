//! Extensible matches: Nicira's NXM and OpenFlow's OXM (OpenFlow 1.3 section 7.2.3), which share one
//! wire format of type, length, value and optional mask.

pub mod entry;
pub mod header;
mod match_decode;
mod match_encode;
pub mod text;

pub use entry::{Entry, pull_entry, pull_header, put_entry, put_header};
pub use header::Header;
pub use match_decode::{DecodedMatch, MatchOptions, Strictness, decode_match, decode_match_with};
pub use match_encode::encode_match;
