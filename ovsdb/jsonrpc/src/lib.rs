//! JSON values as OVS reads and prints them, JSON-RPC framing and messages.
//!
//! | file | is |
//! | --- | --- |
//! | `value.rs` | the [`Json`] tree and its accessors |
//! | `parse.rs` | text to [`Json`], with OVS's error texts |
//! | `number.rs` | OVS's number rules: integral reals are integers, `%.15g` |
//! | `string.rs` | escapes inside quoted strings, both ways |
//! | `print.rs` | [`Json`] to text, compact and pretty |
//! | `frame.rs` | finds where one top-level value ends in a byte stream |
//! | `message.rs` | JSON-RPC 1.0 requests, notifications, replies and errors |
#![forbid(unsafe_code)]

pub mod frame;
pub mod message;
pub mod number;
pub mod parse;
pub mod print;
pub mod string;
pub mod value;

pub use frame::{FrameError, FrameReader};
pub use message::{Message, MessageError};
pub use parse::ParseError;
pub use value::{Json, Object};
