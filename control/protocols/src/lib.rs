//! Link protocols as state machines without I/O or clock, one file each.
//!
//! | file | is |
//! | --- | --- |
//! | `mac_learning.rs` | which port each Ethernet address was last seen on |
#![forbid(unsafe_code)]

pub mod mac_learning;
