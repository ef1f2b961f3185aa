//! The engine end to end: packets go in by dummy ports, verdicts come from a slow path of the test,
//! and what leaves is read from capture files.

mod actions;
mod caching;
mod devices;
mod kernel;
mod perf;
mod queues;
pub(crate) mod support;
