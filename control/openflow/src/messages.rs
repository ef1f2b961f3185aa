//! The bodies of OpenFlow messages, a file for each family: a struct for what a message says and its
//! wire forms in every version.

mod action_lists;
pub mod async_config;
pub mod bundle;
pub mod duration;
pub mod error;
mod fixed_string;
pub mod flow_mod;
pub mod flow_removed;
pub mod flow_stats;
pub mod group;
pub mod hello;
pub mod ipfix;
mod match_wire;
pub mod meter;
pub mod nicira;
mod oxs;
pub mod packet_in;
pub mod packet_out;
pub mod port;
pub mod port_mod;
pub mod port_stats;
pub mod queue;
pub mod request_forward;
pub mod role;
pub mod switch;
pub mod table;
pub mod table_features;
pub mod table_stats;
pub mod tlv_table;
