//! What every daemon and tool shares: logging, daemonizing, unixctl, streams, reconnection, clock,
//! command lines.
//!
//! | module | is |
//! | --- | --- |
//! | [`program`] | the program's name, fatal errors, texts of system errors |
//! | [`version`] | the version texts |
//! | [`dirs`] | `OVS_RUNDIR` and its siblings |
//! | [`argv`] | getopt_long's rules over tables of options |
//! | [`vlog`] | logging: levels, patterns, destinations, rate limits |
//! | [`clock`] | the one clock, `time/stop`, `time/warp` |
//! | [`reactor`] | the main loop's place to sleep, over mio |
//! | [`stream`] | connections by name: `tcp:`, `unix:`, `ptcp:`, `punix:` |
//! | [`reconnect`] | when to connect, probe and give up |
//! | [`jsonrpc`] | JSON-RPC over streams |
//! | [`unixctl`] | control sockets, both sides |
//! | [`daemon`] | `--detach --pidfile --monitor` |
//! | [`pidfile`] | pid files |
//! | [`signals`], [`exit`] | how a process ends, and what it removes then |
//! | [`timeout`] | `-t SECS` of the tools |
//! | [`coverage`], [`memory`] | event counters and memory use |
//! | [`process`] | exit statuses and signals in words |
#![forbid(unsafe_code)]

pub mod argv;
pub mod clock;
pub mod coverage;
pub mod daemon;
pub mod dirs;
pub mod exit;
pub mod jsonrpc;
pub mod memory;
pub mod pidfile;
mod poll_interval;
pub mod process;
pub mod program;
pub mod reactor;
pub mod reconnect;
pub mod signals;
pub mod stream;
pub mod timeout;
pub mod unixctl;
pub mod version;
pub mod vlog;

#[doc(hidden)]
pub use log;
