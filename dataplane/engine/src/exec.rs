//! Execution of actions on packets.
//!
//! | file | concept |
//! | --- | --- |
//! | `run` | the interpreter of action lists |
//! | `meta` | what a packet carries besides its bytes |
//! | `buf` | mbufs for the rewriters, copy on write |
//! | `tx` | packets on their way out, per port |

pub(crate) mod buf;
pub(crate) mod meta;
pub(crate) mod run;
pub(crate) mod tx;
