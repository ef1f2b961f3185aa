//! OpenFlow tables and connections, translation of packets into datapath actions, revalidation.
#![forbid(unsafe_code)]

pub mod config;
pub mod flows;
pub mod ports;
pub mod table;
pub mod view;
pub mod xlate;
