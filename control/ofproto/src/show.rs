//! Texts for `ovs-appctl`, as Open vSwitch prints them.
//!
//! | file | commands |
//! | --- | --- |
//! | `trace.rs` | `ofproto/trace` |
//! | `fdb.rs` | `fdb/show`, `fdb/stats-show`, `fdb/add`, `fdb/del`, `fdb/flush` |
//! | `flows.rs` | `bridge/dump-flows`, `ofproto/list` |
//! | `dpif.rs` | the parts of `dpif/show` |
//! | `flow_text.rs` | one packet's flow |

pub mod dpif;
pub mod fdb;
pub mod flow_text;
pub mod flows;
pub mod trace;
