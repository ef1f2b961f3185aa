//! OpenFlow tables and connections, translation of packets into datapath actions, revalidation.
//!
//! No socket, no database, no clock: time is a parameter, connections are bytes in and bytes out.
//!
//! | module | is |
//! | --- | --- |
//! | [`config`] | what the switch is told to be, as plain data |
//! | [`switch`] | all bridges of one datapath; implements [`weir_flow::SlowPath`] |
//! | [`bridge`] | one bridge: ports, flows, connections |
//! | [`view`] | what translation sees of them, published by RCU |
//! | [`table`] | one OpenFlow table: finding the flow for a packet |
//! | [`flows`] | the flows of a bridge: flow-mods, time-outs, limits |
//! | [`groups`] | its groups |
//! | [`xlate`] | translation of one packet |
//! | [`revalidate`] | keeping megaflows true and their statistics flowing |
//! | [`connection`] | OpenFlow connections |
//! | [`ports`] | bits of ports |
//! | [`show`] | texts for `ovs-appctl` |
//!
//! How a daemon uses it:
//!
//! 1. [`Switch::new`], handed to the packet engine as its `SlowPath`;
//! 2. [`Switch::apply`] with the configuration of all bridges, whenever something changes;
//! 3. [`Switch::set_controllers`] and [`Switch::set_fail_open`] as controllers come and go;
//! 4. for each OpenFlow connection [`Switch::open_connection`], then `receive`, `output` and `sent`
//!    of [`connection::OfConn`] around [`Switch::run_connections`]; [`Switch::deliver_packet_ins`]
//!    when the waker of [`Switch::set_waker`] was called;
//! 5. [`Revalidator::pass`] about twice a second, [`Switch::run`] once a second.
//!
//! Locks: PMD threads read what is published and only ever try a bridge's lock (to learn a flow);
//! the control side takes one bridge's lock at a time.
#![forbid(unsafe_code)]

pub mod bridge;
pub mod config;
pub mod connection;
pub mod flows;
pub mod groups;
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
