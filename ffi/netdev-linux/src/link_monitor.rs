//! News of devices that come, go and change.

use std::io;
use std::os::fd::{AsRawFd, RawFd};

use netlink_packet_core::NetlinkPayload;
use netlink_packet_route::RouteNetlinkMessage;
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};

use crate::error::NetdevError;
use crate::rtnl::{Link, next_message};

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkEvent {
    /// A device is new or changed: this is how it is now.
    Changed(Box<Link>),
    /// A device is gone.
    Gone {
        /// The number it had.
        index: u32,
        /// The name it had.
        name: String,
    },
    /// News were lost: look at every device again ([`Rtnl::links`](crate::Rtnl::links)).
    Lost,
}

/// A socket that is readable when there is news, of the network namespace of the thread that opened
/// it. Never blocks.
#[derive(Debug)]
pub struct LinkMonitor {
    socket: Socket,
    buffer: Vec<u8>,
}

impl LinkMonitor {
    /// Starts to listen.
    ///
    /// # Errors
    /// No socket to be had.
    pub fn open() -> Result<Self, NetdevError> {
        let failed = |source| NetdevError::Netlink { operation: "listening for devices", source };
        let mut socket = Socket::new(NETLINK_ROUTE).map_err(failed)?;
        socket.bind(&SocketAddr::new(0, libc::RTMGRP_LINK as u32)).map_err(failed)?;
        socket.set_non_blocking(true).map_err(failed)?;
        Ok(Self { socket, buffer: vec![0; 64 * 1024] })
    }

    /// Hands every piece of news that has come in to `each`.
    ///
    /// # Errors
    /// When the socket broke. What cannot be understood counts as [`LinkEvent::Lost`].
    pub fn drain(&mut self, mut each: impl FnMut(LinkEvent)) -> Result<(), NetdevError> {
        loop {
            let got = match self.socket.recv(&mut &mut self.buffer[..], 0) {
                Ok(got) => got,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => {
                    each(LinkEvent::Lost);
                    continue;
                }
                Err(source) => {
                    return Err(NetdevError::Netlink {
                        operation: "listening for devices",
                        source,
                    });
                }
            };
            let mut rest = self.buffer.get(..got).unwrap_or_default();
            while !rest.is_empty() {
                let Ok((message, len)) = next_message(rest) else {
                    each(LinkEvent::Lost);
                    break;
                };
                rest = rest.get(len..).unwrap_or_default();
                match message.payload {
                    NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewLink(link)) => {
                        each(LinkEvent::Changed(Box::new(link.into())));
                    }
                    NetlinkPayload::InnerMessage(RouteNetlinkMessage::DelLink(link)) => {
                        let Link { index, name, .. } = link.into();
                        each(LinkEvent::Gone { index, name });
                    }
                    _ => {}
                }
            }
        }
    }
}

impl AsRawFd for LinkMonitor {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}
