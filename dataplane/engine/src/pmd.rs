//! Poll-mode driver threads.
//!
//! | file | concept |
//! | --- | --- |
//! | `thread` | the loop, and how others speak to it |
//! | `rxq` | a queue in its hands, and that queue's load |
//! | `assign` | which queue goes to which thread |
//! | `rest` | how an idle thread sleeps |
//! | `stats` | what a thread counts |

pub(crate) mod assign;
mod rest;
pub(crate) mod rxq;
pub(crate) mod stats;
pub(crate) mod thread;
