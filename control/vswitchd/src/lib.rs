//! ovs-vswitchd: makes the running switch what the database says it should be.
#![forbid(unsafe_code)]

pub mod desired;
