//! Matches: [`Match`], the access to a field's value in it, prerequisites, and its codecs (OpenFlow
//! 1.0 and 1.1 structures here, NXM and OXM in [`crate::nxm`]) and text.

pub mod field_value;
pub mod flow_match;
pub mod subfield;

pub use field_value::FieldValue;
pub use flow_match::{Match, TunMetadataMatch};
pub use subfield::Subfield;
