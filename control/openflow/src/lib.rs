//! OpenFlow 1.0 to 1.5 with the Nicira and ONF extensions as types, each with a wire and a text codec.
#![forbid(unsafe_code)]

pub mod actions;
pub mod matching;
pub mod ofp_errors;
pub mod ofp_port;
pub mod value_text;
pub mod version;
pub mod wire;

pub use actions::{Action, Actions};
pub use matching::Match;
pub use ofp_errors::OfpError;
pub use ofp_port::{NameMap, OfPort};
pub use version::OfVersion;
