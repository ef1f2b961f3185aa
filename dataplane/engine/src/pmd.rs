//! Poll-mode driver threads.
//!
//! | file | concept |
//! | --- | --- |
//! | `thread` | the loop, and how others speak to it |
//! | `rxq` | a queue in its hands, and that queue's load |
//! | `history`, `load` | how busy a thread was in the last minute |
//! | `assign`, `auto_lb` | which queue goes to which thread, and when that is looked at again |
//! | `rest` | how an idle thread sleeps |
//! | `stats` | what a thread counts |
//! | `perf` | what each of its iterations was like |
//! | `latency` | how long its packets took |
//! | `fairness` | what the misses of one port may cost the others |

pub(crate) mod assign;
pub(crate) mod auto_lb;
pub(crate) mod fairness;
pub(crate) mod history;
pub(crate) mod latency;
pub(crate) mod load;
pub(crate) mod perf;
mod rest;
pub(crate) mod rxq;
pub(crate) mod stats;
pub(crate) mod thread;
