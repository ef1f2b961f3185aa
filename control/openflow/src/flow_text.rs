//! Flows as text and as requests: [`FlowMod`], the syntax of `ovs-ofctl` for it, and the lines of
//! `dump-flows`.

pub mod flow_mod;
pub mod flow_mod_format;
pub mod flow_mod_parse;
pub mod flow_stats;
pub mod match_parse;
pub mod sort;

pub use flow_mod::{FlowMod, FlowModCommand, FlowModFlags};
pub use flow_mod_parse::{FlowParser, Purpose};
pub use flow_stats::FlowStats;
