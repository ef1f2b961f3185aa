//! OpenFlow tables and connections, translation of packets into datapath actions, revalidation.
#![forbid(unsafe_code)]

pub mod bridge;
pub mod config;
pub mod connection;
pub mod flows;
pub mod ports;
pub mod revalidate;
pub mod show;
pub mod switch;
pub mod table;
pub mod view;
pub mod xlate;

pub use bridge::Bridge;
pub use config::{BridgeConfig, BundleConfig, PortConfig};
pub use revalidate::Revalidator;
pub use switch::Switch;
