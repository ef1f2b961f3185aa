//! OpenFlow tables: flows, how they are found, and what happens to them over time.
//!
//! | file | is |
//! | --- | --- |
//! | `rule.rs` | one flow: match, actions, counters |
//! | `compact.rs` | matches in little room, the stages of a lookup, prefix fields |
//! | `trie.rs` | which prefix lengths of a field have flows |
//! | `subtable.rs` | the flows of one mask |
//! | `classifier.rs` | one table: its subtables by priority |
//! | `conjunction.rs` | conjunctive matches |
//! | `hash.rs` | the seeded hash of the indexes |

pub mod classifier;
pub mod compact;
mod conjunction;
pub mod hash;
mod place;
pub mod rule;
mod skip;
pub mod subtable;
pub mod trie;

pub use classifier::Classifier;
pub use compact::{CompactMask, PrefixField};
pub use rule::{Rule, RuleActions, RuleId, RuleStats};
