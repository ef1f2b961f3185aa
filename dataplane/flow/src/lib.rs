//! The vocabulary of the switch: [`Flow`] and [`Mask`], the field table, packet parsing and
//! rewriting, datapath actions, and the [`SlowPath`] trait between engine and tables.
//!
//! Nothing here knows DPDK, I/O or clocks.
#![forbid(unsafe_code)]

pub mod action;
pub mod drop_reason;
pub mod field;
pub mod flow;
pub mod mask;
pub mod odp;
pub mod packet;
pub mod slowpath;

pub use action::{Action, Actions, PortNo};
pub use drop_reason::DropReason;
pub use field::{Field, FieldId};
pub use flow::Flow;
pub use mask::Mask;
pub use slowpath::{Datapath, SlowPath};
