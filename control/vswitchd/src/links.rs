//! [`Links`]: news of kernel devices that come, go and change, so that ports whose device went away
//! work again when it is back.

use std::collections::BTreeSet;
use std::os::fd::AsRawFd;

use mio::unix::SourceFd;
use netdev_linux::{LinkEvent, LinkMonitor, NetdevError};
use weir_runtime::reactor::{Reactor, Registration};

/// See the [module documentation](self).
#[derive(Debug)]
pub struct Links {
    // Before the socket that it watches.
    registration: Registration,
    monitor: LinkMonitor,
}

/// What happened since the last look.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct News {
    /// Devices that changed, or that may be new.
    pub changed: BTreeSet<String>,
    /// Devices that are no more.
    pub gone: BTreeSet<String>,
    /// News were lost: anything may have happened.
    pub lost: bool,
}

impl Links {
    /// Begins to listen.
    ///
    /// # Errors
    /// The kernel has no socket for it.
    pub fn open(reactor: &Reactor) -> Result<Self, NetdevError> {
        let monitor = LinkMonitor::open()?;
        let fd = monitor.as_raw_fd();
        let registration = reactor.register_readable(&mut SourceFd(&fd)).map_err(|source| {
            NetdevError::Netlink { operation: "listening for devices", source }
        })?;
        Ok(Self { registration, monitor })
    }

    /// What happened since the last call.
    pub fn news(&mut self) -> News {
        let mut news = News::default();
        if !self.registration.readable() {
            return news;
        }
        let drained = self.monitor.drain(|event| match event {
            LinkEvent::Changed(link) => drop(news.changed.insert(link.name)),
            LinkEvent::Gone { name, .. } => drop(news.gone.insert(name)),
            LinkEvent::Lost => news.lost = true,
        });
        if let Err(error) = drained {
            log::warn!(target: "netlink_notifier", "{error}");
            news.lost = true;
        }
        // Nothing is left: the next news say so.
        let nothing = || Err::<(), _>(std::io::ErrorKind::WouldBlock.into());
        let _ = self.registration.read(nothing);
        news
    }
}
