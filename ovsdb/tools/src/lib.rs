//! ovsdb-server, ovsdb-client, ovsdb-tool, ovs-vsctl.
#![forbid(unsafe_code)]

pub mod client;
pub mod ctl;
pub mod server;
pub mod table;
pub mod tool;
pub mod vsctl;
