//! The control side of ports whose device is the kernel's: `system`, `tap` and `internal`.

use std::collections::BTreeMap;
use std::sync::Arc;

use netdev_linux::{Ethtool, NetdevError, Rtnl};
use weir_dpdk::Mempool;

use crate::port::received::Received;
use crate::port::rx::Rx;
use crate::port::tap::{self, TapRx, TapTx};
use crate::port::tx::Tx;
use crate::port::{Link, LinkModes, Opened, PortError, PortStats, system};

/// A kernel device.
#[derive(Debug)]
pub(crate) struct KernelPort {
    name: String,
    /// Its wire is the switch. It may be moved to another namespace, where it can be asked nothing;
    /// so the engine's counters are used, and it is up unless it is known to be down.
    is_tap: bool,
    received: Arc<Received>,
    /// The kernel's number of the device.
    index: u32,
    /// Times that its carrier had come or gone before it was ours.
    old_changes: u32,
}

/// Makes a tap device of this name.
pub(crate) fn open_tap(
    name: &str,
    mtu: Option<u16>,
    pool: &Mempool,
) -> Result<(KernelPort, Opened), PortError> {
    let tap = Arc::new(tap::open(name)?);
    let received = Arc::new(Received::default());
    let rx = vec![Rx::Tap(TapRx::new(Arc::clone(&tap), pool.clone(), Arc::clone(&received)))];
    let port =
        KernelPort { name: name.to_owned(), is_tap: true, received, index: 0, old_changes: 0 };
    let tx = vec![Tx::Tap(TapTx::new(tap))];
    port.finish(mtu, rx, tx)
}

/// Takes the wire of the device of this name.
pub(crate) fn open_system(
    name: &str,
    mtu: Option<u16>,
    pool: &Mempool,
) -> Result<(KernelPort, Opened), PortError> {
    let received = Arc::new(Received::default());
    let (rx, tx) = system::open(name, pool, &received)?;
    let port =
        KernelPort { name: name.to_owned(), is_tap: false, received, index: 0, old_changes: 0 };
    port.finish(mtu, vec![Rx::System(Box::new(rx))], vec![Tx::System(Box::new(tx))])
}

impl KernelPort {
    fn finish(
        mut self,
        mtu: Option<u16>,
        rx: Vec<Rx>,
        tx: Vec<Tx>,
    ) -> Result<(Self, Opened), PortError> {
        let mut rtnl = Rtnl::open()?;
        if let Some(mtu) = mtu {
            rtnl.set_mtu(&self.name, mtu.into())?;
        }
        let link = rtnl.link(&self.name)?;
        self.index = link.index;
        self.old_changes = link.carrier_changes;
        let mtu = u16::try_from(link.mtu).unwrap_or(u16::MAX);
        Ok((self, Opened { rx, tx, mtu, mac: link.mac, numa: 0 }))
    }

    pub(crate) fn set_up(&self, up: bool) -> Result<(), PortError> {
        Ok(Rtnl::open()?.set_up(&self.name, up)?)
    }

    pub(crate) fn set_mac(&self, mac: [u8; 6]) -> Result<(), PortError> {
        Ok(Rtnl::open()?.set_mac(&self.name, mac)?)
    }

    pub(crate) fn set_mtu(&self, mtu: u16) -> Result<(), PortError> {
        Ok(Rtnl::open()?.set_mtu(&self.name, mtu.into())?)
    }

    fn ask(&self) -> Result<netdev_linux::Link, NetdevError> {
        Rtnl::open()?.link(&self.name)
    }

    pub(crate) fn link(&self) -> Link {
        let Ok(link) = self.ask() else {
            let up = self.is_tap && !self.is_gone();
            return Link { up, admin_up: up, ..Link::default() };
        };
        let settings = Ethtool::open().and_then(|ethtool| ethtool.link_settings(&self.name));
        let settings = settings.unwrap_or_default();
        Link {
            up: link.running,
            speed_mbps: settings.speed_mbps,
            full_duplex: settings.full_duplex,
            modes: LinkModes::of(&settings),
            resets: link.carrier_changes.saturating_sub(self.old_changes).into(),
            admin_up: link.up,
        }
    }

    /// MAC address and MTU now: others may change them too.
    pub(crate) fn address_and_mtu(&self) -> Option<([u8; 6], u16)> {
        let link = self.ask().ok()?;
        Some((link.mac, u16::try_from(link.mtu).unwrap_or(u16::MAX)))
    }

    /// The device is no more (or was taken to another namespace, for `system` ports).
    pub(crate) fn is_gone(&self) -> bool {
        // A device that was down goes without a word to its sockets.
        let replaced = || match self.ask() {
            Ok(link) => link.index != self.index,
            Err(error) => error.is_gone(),
        };
        self.received.is_gone() || !self.is_tap && replaced()
    }

    /// Packets and bytes received by the engine.
    pub(crate) fn received(&self) -> (u64, u64) {
        (self.received.packets(), self.received.bytes())
    }

    /// The kernel's number of the device.
    pub(crate) fn ifindex(&self) -> u32 {
        self.index
    }

    /// What the kernel counted, but of a tap's packets what the engine did.
    pub(crate) fn stats(&self, own: PortStats) -> PortStats {
        let mut s = self.ask().map(|link| link.stats).unwrap_or_default();
        if self.is_tap {
            // What the kernel receives is what the switch sends.
            std::mem::swap(&mut s.rx_dropped, &mut s.tx_dropped);
            std::mem::swap(&mut s.rx_errors, &mut s.tx_errors);
            (s.rx_packets, s.rx_bytes) = (own.rx_packets, own.rx_bytes);
            (s.tx_packets, s.tx_bytes) = (own.tx_packets, own.tx_bytes);
        }
        PortStats {
            rx_packets: s.rx_packets,
            tx_packets: s.tx_packets,
            rx_bytes: s.rx_bytes,
            tx_bytes: s.tx_bytes,
            rx_dropped: Some(s.rx_dropped + self.received.dropped()),
            tx_dropped: Some(s.tx_dropped),
            rx_errors: Some(s.rx_errors),
            tx_errors: Some(s.tx_errors),
            multicast: Some(s.multicast),
            collisions: Some(s.collisions),
            rx_over_errors: Some(s.rx_over_errors),
            rx_crc_errors: Some(s.rx_crc_errors),
            rx_frame_errors: Some(s.rx_frame_errors),
            rx_missed_errors: Some(s.rx_missed_errors),
            custom: Vec::new(),
        }
    }

    pub(crate) fn status(&self, status: &mut BTreeMap<String, String>) {
        let driver = Ethtool::open().and_then(|ethtool| ethtool.driver(&self.name));
        if let Ok(driver) = driver {
            status.insert("driver_name".to_owned(), driver.driver);
            status.insert("driver_version".to_owned(), driver.version);
            status.insert("firmware_version".to_owned(), driver.firmware);
        }
    }
}
