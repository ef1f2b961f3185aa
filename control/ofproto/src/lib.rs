//! OpenFlow tables and connections, translation of packets into datapath actions, revalidation.
#![forbid(unsafe_code)]

pub mod table;
