//! Megaflows: cached verdicts with wildcards, one table per thread.
//!
//! | file | concept |
//! | --- | --- |
//! | `action_lists` | what megaflows do, shared by those that do the same |
//! | `entry` | one megaflow: what it matches, does and counted |
//! | `governor` | whether a new one is installed at once |
//! | `mask` | its mask, ready to be compared under |
//! | `subtable` | megaflows that are found by the same bits |
//! | `placement` | which subtable a new one goes to, and with which mask |
//! | `projection` | the bits that the megaflows of a port look at |
//! | `table` | all of one thread, by ingress port |
//! | `ufid` | its identifier |

mod action_lists;
pub(crate) mod entry;
pub(crate) mod governor;
pub(crate) mod mask;
mod placement;
pub(crate) mod projection;
pub(crate) mod subtable;
pub(crate) mod table;
pub(crate) mod ufid;

#[cfg(test)]
mod tests;
