//! ovsdb-server, ovsdb-client, ovsdb-tool, ovs-vsctl.
#![forbid(unsafe_code)]

pub mod server;
pub mod tool;
