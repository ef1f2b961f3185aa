//! OpenFlow connections of a bridge, without sockets: bytes in, bytes out.
//!
//! | file | is |
//! | --- | --- |
//! | `ofconn.rs` | one connection: version, format, role, buffers |
//! | `hello.rs` | agreeing on a version |
//! | `limiter.rs` | how many packets a second a controller gets |
//! | `manager.rs` | all connections of a bridge, asynchronous messages, fail modes |
//! | `dispatch.rs` | requests that change something |
//! | `bundle.rs` | changes that are made all at once |
//! | `stats.rs` | multipart requests |
//! | `features.rs` | what tables can do |
//! | `groups.rs` | multipart requests about groups |
//! | `describe.rs` | what the switch says of itself and its ports |
//! | `packet_in.rs` | packets to controllers |

mod bundle;
mod describe;
mod dispatch;
mod features;
mod groups;
mod hello;
mod limiter;
mod manager;
mod ofconn;
mod packet_in;
mod stats;

pub use dispatch::Reach;
pub use manager::{ConnId, ConnManager};
pub use ofconn::{ConnKind, ConnStatus, OfConn};

#[cfg(test)]
mod tests;
