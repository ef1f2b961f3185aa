//! Packet bytes: parsing them into a [`crate::Flow`], composing them from one, rewriting them.
//!
//! | file | concept |
//! | --- | --- |
//! | `parse` | the full parser: any packet, any truncation |
//! | `hot` | the packet path's parser: plain IPv4, six words |
//! | `layout` | where a packet's headers are |
//! | `ethernet`, `mpls`, `arp`, `nsh`, `ipv4`, `ipv6`, `nd`, `l4` | one layer each |
//! | `checksum`, `crc32c` | Internet checksum (RFC 1071, RFC 1624), SCTP's CRC (RFC 9260) |

mod arp;
pub mod checksum;
pub mod crc32c;
mod cursor;
mod ethernet;
mod hot;
mod ipv4;
mod ipv6;
mod l4;
mod layout;
mod mpls;
mod nd;
mod nsh;
mod parse;

pub use hot::{Shape, hot_tcp_flags, parse_hot, parse_hot_segmented};
pub use layout::Layout;
pub use parse::{Malformed, Metadata, Parsed, parse, parse_into};

#[cfg(any(test, fuzzing))]
pub mod plausible;
#[cfg(any(test, fuzzing))]
pub mod reference;
#[cfg(test)]
mod tests;
