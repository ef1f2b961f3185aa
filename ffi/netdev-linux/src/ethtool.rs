//! What the ethtool interface of the kernel says of a device: speed, duplex, driver.

use std::os::fd::{AsRawFd, OwnedFd};

use crate::error::NetdevError;
use crate::sys::{check, ifreq, socket, text};

const SIOCETHTOOL: libc::c_ulong = 0x8946;
const ETHTOOL_GDRVINFO: u32 = 0x3;
const ETHTOOL_GLINKSETTINGS: u32 = 0x4c;
const SPEED_UNKNOWN: u32 = u32::MAX;

/// Words of 32 bits in each link mode mask that are read; the kernel has 4 of them today.
const MASK_WORDS: usize = 8;

/// A socket to ask devices by.
#[derive(Debug)]
pub struct Ethtool {
    fd: OwnedFd,
}

/// Speed and duplex of the wire.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LinkSettings {
    /// Megabits a second, when known.
    pub speed_mbps: Option<u32>,
    /// Full duplex, when known.
    pub full_duplex: Option<bool>,
    /// Whether the speed is negotiated.
    pub autoneg: bool,
    /// Connector (`PORT_TP` 0, `PORT_FIBRE` 3 and so on of `linux/ethtool.h`).
    pub port: u8,
    /// Link modes that the device can do, by bit number of `ETHTOOL_LINK_MODE_*`.
    pub supported: Vec<u32>,
    /// Link modes that the device offers.
    pub advertising: Vec<u32>,
    /// Link modes that the other end offers.
    pub peer_advertising: Vec<u32>,
}

impl LinkSettings {
    /// Whether a mask has the bit of a link mode.
    #[must_use]
    pub fn has(mask: &[u32], mode: usize) -> bool {
        mask.get(mode / 32).is_some_and(|word| word & (1 << (mode % 32)) != 0)
    }
}

/// What drives a device.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DriverInfo {
    /// Driver, for instance `veth`.
    pub driver: String,
    /// Its version; of the kernel, for drivers that are part of it.
    pub version: String,
    /// Version of the device's firmware; empty or `N/A` without.
    pub firmware: String,
    /// Where the device is, for instance a PCI address.
    pub bus_info: String,
}

/// `struct ethtool_link_settings` with room for three masks.
#[repr(C)]
#[derive(Clone, Copy)]
struct RawSettings {
    cmd: u32,
    speed: u32,
    duplex: u8,
    port: u8,
    phy_address: u8,
    autoneg: u8,
    mdio_support: u8,
    eth_tp_mdix: u8,
    eth_tp_mdix_ctrl: u8,
    n_words: i8,
    transceiver: u8,
    master_slave: [u8; 2],
    rate_matching: u8,
    reserved: [u32; 7],
    masks: [u32; 3 * MASK_WORDS],
}

/// `struct ethtool_drvinfo`.
#[repr(C)]
#[derive(Clone, Copy)]
struct RawDriver {
    cmd: u32,
    driver: [libc::c_char; 32],
    version: [libc::c_char; 32],
    fw_version: [libc::c_char; 32],
    bus_info: [libc::c_char; 32],
    erom_version: [libc::c_char; 32],
    reserved: [u8; 12],
    numbers: [u32; 5],
}

impl Ethtool {
    /// Opens the interface, in the calling thread's network namespace.
    ///
    /// # Errors
    /// No socket to be had.
    pub fn open() -> Result<Self, NetdevError> {
        let fd = socket(libc::AF_UNIX, libc::SOCK_DGRAM, 0)
            .map_err(|error| NetdevError::of("ethtool", "opening a socket", error))?;
        Ok(Self { fd })
    }

    fn ask<T>(
        &self,
        name: &str,
        operation: &'static str,
        answer: &mut T,
    ) -> Result<(), NetdevError> {
        let mut request = ifreq(name)?;
        request.ifr_ifru.ifru_data = std::ptr::from_mut(answer).cast();
        // SAFETY: the answer is a structure of ethtool with its command set, which says to the kernel
        // how long it is; it outlives the call.
        check(unsafe { libc::ioctl(self.fd.as_raw_fd(), SIOCETHTOOL, &raw mut request) })
            .map_err(|error| NetdevError::of(name, operation, error))
    }

    /// Speed and duplex of device `name`.
    ///
    /// # Errors
    /// No such device; `EOPNOTSUPP` from devices without the notion.
    pub fn link_settings(&self, name: &str) -> Result<LinkSettings, NetdevError> {
        const WHAT: &str = "reading link settings";
        // SAFETY: plain numbers.
        let mut raw: RawSettings = unsafe { std::mem::zeroed() };
        raw.cmd = ETHTOOL_GLINKSETTINGS;
        // The kernel answers with the number of words it has, negative, when it was not told it.
        self.ask(name, WHAT, &mut raw)?;
        if raw.n_words < 0 {
            let words = raw.n_words.unsigned_abs();
            if usize::from(words) > MASK_WORDS {
                let error = std::io::Error::from_raw_os_error(libc::EOVERFLOW);
                return Err(NetdevError::of(name, WHAT, error));
            }
            raw.cmd = ETHTOOL_GLINKSETTINGS;
            raw.n_words = words.cast_signed();
            self.ask(name, WHAT, &mut raw)?;
        }
        let words = usize::try_from(raw.n_words).unwrap_or(0);
        let mask = |index: usize| {
            raw.masks.get(index * words..(index + 1) * words).unwrap_or_default().to_vec()
        };
        Ok(LinkSettings {
            speed_mbps: Some(raw.speed).filter(|&speed| speed != 0 && speed != SPEED_UNKNOWN),
            full_duplex: match raw.duplex {
                0 => Some(false),
                1 => Some(true),
                _ => None,
            },
            autoneg: raw.autoneg == 1,
            port: raw.port,
            supported: mask(0),
            advertising: mask(1),
            peer_advertising: mask(2),
        })
    }

    /// What drives device `name`.
    ///
    /// # Errors
    /// No such device; `EOPNOTSUPP` from devices without a driver.
    pub fn driver(&self, name: &str) -> Result<DriverInfo, NetdevError> {
        // SAFETY: plain numbers.
        let mut raw: RawDriver = unsafe { std::mem::zeroed() };
        raw.cmd = ETHTOOL_GDRVINFO;
        self.ask(name, "reading driver information", &mut raw)?;
        Ok(DriverInfo {
            driver: text(&raw.driver),
            version: text(&raw.version),
            firmware: text(&raw.fw_version),
            bus_info: text(&raw.bus_info),
        })
    }
}
