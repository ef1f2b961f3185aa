//! Megaflows: cached verdicts with wildcards, one table per thread.
//!
//! | file | concept |
//! | --- | --- |
//! | `entry` | one megaflow: what it matches, does and counted |
//! | `subtable` | the megaflows that share a mask |
//! | `table` | all of one thread, by ingress port |
//! | `mask_budget` | which mask a new one gets |
//! | `ufid` | its identifier |

pub(crate) mod entry;
mod mask_budget;
pub(crate) mod subtable;
pub(crate) mod table;
pub(crate) mod ufid;

#[cfg(test)]
mod tests;
