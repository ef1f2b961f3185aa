//! Safe access to Linux network devices: what port types `system`, `tap` and `internal` stand on.
//!
//! | file | holds |
//! | --- | --- |
//! | `vnet` | the virtio-net header: checksum and segmentation state beside a frame |
//! | `tap` | devices this process makes, whose other end is the kernel |
//! | `packet_socket` | the wire of a device that the kernel has already |
//! | `rtnl` | what a device is; up and down, MAC address, MTU, counters |
//! | `link_monitor` | news of devices that come, go and change |
//! | `ethtool` | speed, duplex, driver |
//! | `sys` | system calls |
//! | `error` | what can go wrong |
//!
//! Frames pass with a virtio-net header in both directions, so that a large TCP packet whose checksum
//! is not filled in yet, as the kernel's own TCP sends it, can go from one device to another as it is.
//! Buffers are the caller's; nothing here allocates for a frame, blocks, or looks into one.
//!
//! Every socket belongs to the network namespace of the thread that opened it.

mod error;
mod ethtool;
mod link_monitor;
mod packet_socket;
mod rtnl;
mod sys;
mod tap;
mod vnet;

pub use error::NetdevError;
pub use ethtool::{DriverInfo, Ethtool, LinkSettings};
pub use link_monitor::{LinkEvent, LinkMonitor};
pub use packet_socket::{PacketSocket, RecvFrame, SendFrame, VlanTag};
pub use rtnl::{Link, LinkStats, OperState, Rtnl};
pub use sys::{MAX_FRAMES, MAX_SEGMENTS};
pub use tap::{Tap, TapFrame, TapOffloads};
pub use vnet::{Checksum, Gso, GsoKind, VnetError, VnetHeader};
