//! The packet engine: takes packets from ports to ports as the slow path once decided, and asks it
//! when nobody has.
//!
//! | file | concept |
//! | --- | --- |
//! | `engine`, `port_table`, `port_change`, `pmd_table`, `datapath`, `housekeeping` | [`Engine`]: the control threads' handle |
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
mod pmd;
mod pmd_table;
mod port;
mod port_change;
mod port_table;
mod prefetch;
mod registry;
mod slow_path;
mod time;
mod worker;

#[cfg(test)]
mod tests;

pub use counters::{Counter, DropCounters};
pub use engine::{Engine, EngineConfig, EngineError, Tuning};
pub use megaflow::ufid::ufid;
pub use meter::{Band, MAX_BANDS, MeterConfig, MeterStats};
pub use pmd::assign::{Algorithm, PmdSlot, QueueDemand, assign};
pub use pmd::stats::PmdStats;
pub use pmd_table::{PmdSnapshot, RxqSnapshot};
pub use port::{InjectError, Link, LinkModes, PortConfig, PortError, PortStats, is_known_kind};
pub use port_table::PortStatus;
pub use time::{SystemTime, TimeSource};
