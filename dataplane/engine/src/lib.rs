//! The packet engine: takes packets from ports to ports as the slow path once decided, and asks it
//! when nobody has.
//!
//! | file | concept |
//! | --- | --- |
//! | `engine`, `tuning`, `datapath`, `housekeeping` | [`Engine`]: the control threads' handle |
//! | `port_table`, `port_change` | its ports |
//! | `pmd_table`, `topology`, `pmd_view` | its PMD threads, and what they show |
//! | `perf_view` | what iterations of its threads were like, and how long packets took |
//! | `rxq_table`, `assignment_log`, `balancer` | which thread polls which receive queue |
//! | `pmd` | PMD threads: the poll loop, queue assignment, statistics |
//! | `worker` | a thread's packet path from burst to burst |
//! | `lookup`, `cache`, `megaflow`, `hash` | finding the verdict for a packet |
//! | `exec`, `meter` | doing what the verdict says |
//! | `port` | devices: `dpdk`, `dummy`, ... |
//! | `offload` | checksums and segmentation |
//! | `registry` | the control side's list of megaflows |
//! | `capture`, `counters`, `huge_pages`, `prefetch`, `slow_path`, `time` | small tools |
//!
//! A packet's way: `pmd::thread` polls, `worker` divides the burst into runs with one verdict
//! (`lookup`), `exec` does it, `port::lane` sends.

mod assignment_log;
mod balancer;
mod cache;
mod capture;
mod counters;
mod datapath;
mod engine;
mod exec;
mod hash;
mod housekeeping;
mod huge_pages;
mod lookup;
mod megaflow;
mod meter;
mod offload;
mod perf_view;
mod pmd;
mod pmd_table;
mod pmd_view;
mod port;
mod port_change;
mod port_table;
mod prefetch;
mod registry;
mod rxq_table;
mod slow_path;
mod template;
mod time;
mod topology;
mod tuning;
mod worker;

#[cfg(test)]
mod tests;

pub use counters::{Counter, DropCounters};
pub use engine::{Engine, EngineConfig, EngineError};
pub use megaflow::ufid::ufid;
pub use meter::{Band, MAX_BANDS, MeterConfig, MeterStats};
pub use pmd::assign::{Algorithm, PmdSlot, QueueDemand, assign};
pub use pmd::auto_lb::AutoLb;
pub use pmd::latency::{LatencySnapshot, Stage};
pub use pmd::load::LoadSnapshot;
pub use pmd::perf::{
    BINS, HistogramSnapshot, HistogramSnapshots, PerfLog, PerfSnapshot, Row as PerfRow,
};
pub use pmd::rxq::MissSnapshot;
pub use pmd::stats::PmdStats;
pub use pmd_view::{PmdSnapshot, RxqSnapshot};
pub use port::{InjectError, Link, LinkModes, PortConfig, PortError, PortStats, is_known_kind};
pub use port_table::PortStatus;
pub use time::{SystemTime, TimeSource};
pub use topology::Topology;
pub use tuning::Tuning;
