//! ovs-vswitchd: makes the running switch what the database says it should be.
#![forbid(unsafe_code)]

pub mod address;
pub mod database;
pub mod datapath_types;
pub mod desired;
pub mod numbering;
pub mod options;
pub mod plan;
