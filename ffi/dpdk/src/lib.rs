//! Safe owners of DPDK objects: EAL, mempools, mbuf batches, Ethernet devices, vhost.
//!
//! | file | holds |
//! | --- | --- |
//! | `eal`, `eal_args`, `eal_log` | starting DPDK: arguments from `other_config:dpdk-*`, its log |
//! | `mempool` | packet memory and its sizes |
//! | `mbuf_ref`, `mbuf` | one packet: fields, bytes, copy on write; its owner |
//! | `batch` | a burst of packets, moved and freed as one |
//! | `devargs`, `port`, `ethdev`, `queue` | devices: attach, configure, receive, transmit |
//! | `devinfo`, `stats` | what a device is, what it counted |
//! | `vhost`, `vhost_ring` | vhost-user sockets and their queues |
//! | `offload`, `tx_lengths` | names of offload flags; where headers are |
//! | `lcore`, `thread`, `tsc` | CPUs, registered threads, cycles |
//! | `dump` | DPDK's own listings as text |
//! | `error` | what can go wrong |
//!
//! Packets never cross into DPDK one at a time: a burst is one call, fields are read in place.

mod batch;
mod devargs;
mod devinfo;
pub mod dump;
mod eal;
mod eal_args;
mod eal_log;
mod error;
mod ethdev;
pub mod lcore;
mod mbuf;
mod mbuf_ref;
pub mod mempool;
pub mod offload;
mod port;
mod queue;
mod stats;
mod thread;
mod tsc;
mod tx_lengths;
mod vhost;
mod vhost_ring;

pub use batch::{Batch, Drain, MAX_BURST};
pub use devargs::{Devargs, Kind as DevargsKind};
pub use devinfo::{DescLimits, DevInfo};
pub use eal::{Eal, version};
pub use eal_args::{EalConfig, Memory};
pub use eal_log::set_level as set_log_level;
pub use error::{DpdkError, Errno};
pub use ethdev::{EthConfig, EthDev, Link, Started};
pub use mbuf::Mbuf;
pub use mbuf_ref::MbufRef;
pub use mempool::Mempool;
pub use queue::{RxQueue, TxQueue};
pub use stats::Stats;
pub use thread::ThreadRegistration;
pub use tsc::{rdtsc, tsc_hz};
pub use tx_lengths::TxLengths;
pub use vhost::{MAX_QUEUE_PAIRS, VhostConfig, VhostDev, VhostEvent, VhostListener, VhostStatus};
pub use vhost_ring::{Direction, VhostRxQueue, VhostTxQueue};
