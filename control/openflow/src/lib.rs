//! OpenFlow 1.0 to 1.5 with the Nicira and ONF extensions as types, each with a wire and a text codec.
#![forbid(unsafe_code)]

pub mod actions;
pub mod connection;
pub mod flow_text;
pub mod frame;
pub mod header;
pub mod matching;
pub mod message;
pub mod messages;
pub mod multipart;
pub mod nxm;
pub mod ofp_errors;
pub mod ofp_port;
pub mod parse_commands;
pub mod print;
pub mod props;
pub mod protocol;
pub mod raw;
pub mod value_text;
pub mod version;
pub mod wire;

pub use actions::{Action, Actions};
pub use flow_text::{FlowMod, FlowStats};
pub use matching::Match;
pub use message::{Decoded, Message, decode, encode};
pub use ofp_errors::OfpError;
pub use ofp_port::{NameMap, OfPort};
pub use protocol::Protocols;
pub use version::OfVersion;
