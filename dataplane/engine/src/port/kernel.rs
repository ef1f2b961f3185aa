//! The control side of ports whose device is the kernel's: `system`, `tap` and `internal`.

use std::collections::BTreeMap;
use std::sync::Arc;

use netdev_linux::{Ethtool, NetdevError, Rtnl};
use weir_dpdk::Mempool;

use crate::port::rx::Rx;
use crate::port::tap::{self, TapRx, TapTx};
use crate::port::tx::Tx;
use crate::port::{Link, Opened, PortError, PortStats, system};

/// A kernel device.
#[derive(Debug)]
pub(crate) struct KernelPort {
    name: String,
    /// Its wire is the switch: the kernel's "received" is what the switch sent.
    is_tap: bool,
}

/// Makes a tap device of this name.
pub(crate) fn open_tap(
    name: &str,
    mtu: Option<u16>,
    pool: &Mempool,
) -> Result<(KernelPort, Opened), PortError> {
    let tap = Arc::new(tap::open(name)?);
    let port = KernelPort { name: name.to_owned(), is_tap: true };
    let rx = vec![Rx::Tap(TapRx::new(Arc::clone(&tap), pool.clone()))];
    let tx = vec![Tx::Tap(TapTx::new(tap))];
    port.finish(mtu, rx, tx)
}

/// Takes the wire of the device of this name.
pub(crate) fn open_system(
    name: &str,
    mtu: Option<u16>,
    pool: &Mempool,
) -> Result<(KernelPort, Opened), PortError> {
    let (rx, tx) = system::open(name, pool)?;
    let port = KernelPort { name: name.to_owned(), is_tap: false };
    port.finish(mtu, vec![Rx::System(Box::new(rx))], vec![Tx::System(Box::new(tx))])
}

impl KernelPort {
    fn finish(
        self,
        mtu: Option<u16>,
        rx: Vec<Rx>,
        tx: Vec<Tx>,
    ) -> Result<(Self, Opened), PortError> {
        let mut rtnl = Rtnl::open()?;
        if let Some(mtu) = mtu {
            rtnl.set_mtu(&self.name, mtu.into())?;
        }
        let link = rtnl.link(&self.name)?;
        let mtu = u16::try_from(link.mtu).unwrap_or(u16::MAX);
        Ok((self, Opened { rx, tx, mtu, mac: link.mac, numa: 0 }))
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
            return Link::default();
        };
        let settings = if self.is_tap {
            None
        } else {
            Ethtool::open().and_then(|ethtool| ethtool.link_settings(&self.name)).ok()
        };
        let settings = settings.unwrap_or_default();
        Link {
            up: link.running,
            speed_mbps: settings.speed_mbps,
            full_duplex: settings.full_duplex,
            resets: u64::from(link.carrier_changes),
            admin_up: link.up,
        }
    }

    /// MAC address and MTU now: others may change them too.
    pub(crate) fn address_and_mtu(&self) -> Option<([u8; 6], u16)> {
        let link = self.ask().ok()?;
        Some((link.mac, u16::try_from(link.mtu).unwrap_or(u16::MAX)))
    }

    pub(crate) fn stats(&self) -> PortStats {
        let Ok(link) = self.ask() else {
            return PortStats::default();
        };
        let s = link.stats;
        let mut stats = PortStats {
            rx_packets: s.rx_packets,
            tx_packets: s.tx_packets,
            rx_bytes: s.rx_bytes,
            tx_bytes: s.tx_bytes,
            rx_dropped: s.rx_dropped,
            tx_dropped: s.tx_dropped,
            rx_errors: s.rx_errors,
            tx_errors: s.tx_errors,
            ..PortStats::default()
        };
        if self.is_tap {
            std::mem::swap(&mut stats.rx_packets, &mut stats.tx_packets);
            std::mem::swap(&mut stats.rx_bytes, &mut stats.tx_bytes);
            std::mem::swap(&mut stats.rx_dropped, &mut stats.tx_dropped);
            std::mem::swap(&mut stats.rx_errors, &mut stats.tx_errors);
        } else {
            stats.multicast = Some(s.multicast);
            stats.collisions = Some(s.collisions);
            stats.rx_over_errors = Some(s.rx_over_errors);
            stats.rx_crc_errors = Some(s.rx_crc_errors);
            stats.rx_frame_errors = Some(s.rx_frame_errors);
            stats.rx_missed_errors = Some(s.rx_missed_errors);
        }
        stats
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
