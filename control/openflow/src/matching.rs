//! Matches: [`Match`], the access to a field's value in it, prerequisites, and its codecs (OpenFlow
//! 1.0 and 1.1 structures here, NXM and OXM in [`crate::nxm`]) and text.

pub mod field_access;
pub mod field_value;
pub mod flow_match;
pub mod match_format;
pub mod normalize;
pub mod ofp10_match;
pub mod ofp11_match;
pub mod prerequisites;
pub mod subfield;
pub mod usable;

pub use field_value::FieldValue;
pub use flow_match::{Match, TunMetadataMatch};
pub use subfield::Subfield;
