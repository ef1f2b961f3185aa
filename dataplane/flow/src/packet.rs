//! Packet bytes: parsing them into a [`crate::Flow`], composing them from one, rewriting them.
//!
//! | file | concept |
//! | --- | --- |
//! | `parse` | the full parser: any packet, any truncation |
//! | `hot` | the packet path's parsers: plain IPv4, six words; plain IPv6, eleven |
//! | `layout` | where a packet's headers are |
//! | `build` | composing a packet from a flow |
//! | `rewrite` | `set`, push and pop on packet bytes, over a [`PacketBuf`] |
//! | `effect` | what the same actions do to a flow |
//! | `hash` | hashes of a flow's 5-tuple |
//! | `ethernet`, `mpls`, `arp`, `nsh`, `ipv4`, `ipv6`, `nd`, `l4` | one layer each |
//! | `checksum`, `crc32c` | Internet checksum (RFC 1071, RFC 1624), SCTP's CRC (RFC 9260) |

mod arp;
mod buf;
pub mod build;
pub mod checksum;
pub mod crc32c;
mod cursor;
pub mod effect;
mod ethernet;
pub mod hash;
mod hot;
mod ipv4;
mod ipv6;
mod l4;
mod layout;
mod mpls;
mod nd;
mod nsh;
mod parse;
pub mod rewrite;

pub use buf::{NoRoom, PacketBuf};
pub use hot::{Shape, hot_tcp_flags, parse_hot, parse_hot_segmented, parse_wide};
pub use layout::Layout;
pub use parse::{Malformed, Metadata, Parsed, parse, parse_into};
pub use rewrite::{L4Checksum, RewriteError};

#[cfg(any(test, fuzzing))]
pub mod plausible;
#[cfg(any(test, fuzzing))]
pub mod reference;
#[cfg(test)]
mod tests;
