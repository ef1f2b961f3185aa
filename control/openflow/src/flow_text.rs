//! Flows as text and as requests: [`FlowMod`], the syntax of `ovs-ofctl` for it, and the lines of
//! `dump-flows`.

pub mod flow_mod;
pub mod flow_stats;

pub use flow_mod::{FlowMod, FlowModCommand, FlowModFlags};
pub use flow_stats::FlowStats;
