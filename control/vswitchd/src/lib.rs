//! ovs-vswitchd: makes the running switch what the database says it should be.
#![forbid(unsafe_code)]

pub mod address;
pub mod commands;
pub mod database;
pub mod datapath_types;
pub mod desired;
pub mod dp_features;
pub mod eal;
pub mod embedded;
pub mod links;
pub mod numbering;
pub mod openflow;
pub mod options;
pub mod perf;
pub mod plan;
pub mod ports;
pub mod process;
pub mod report;
pub mod revalidator;
pub mod switchd;
pub mod system_stats;
