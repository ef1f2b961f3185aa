//! Ports: a device of some kind, its queues, and what the database shows of it.
//!
//! | file | concept |
//! | --- | --- |
//! | `rx`, `tx` | one queue of whatever kind, as the packet path sees it |
//! | `lane` | a transmit queue that threads may share |
//! | `dpdk`, `vhost`, `kernel` with `tap` and `system`, `dummy` | kinds of ports |
//! | `received` | counters of receive queues whose device has none |
//! | `vnet` | virtio-net headers of kernel devices |
//! | `modes` | what a wire can carry, in OpenFlow's bits |
//! | `options` | reading an interface's options |
//! | `pools` | packet memory for ports |

pub(crate) mod dpdk;
pub(crate) mod dummy;
mod kernel;
pub(crate) mod lane;
mod modes;
pub(crate) mod options;
mod pools;
mod received;
pub(crate) mod rx;
mod system;
mod tap;
pub(crate) mod tx;
mod vhost;
mod vnet;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use netdev_linux::NetdevError;
use weir_dpdk::{DpdkError, Mempool};
use weir_flow::DropReason;

use crate::capture::Capture;
use crate::port::dummy::{Captures, Dummy, DummyRx, DummyTx};
use crate::port::options::Options;
use crate::port::rx::Rx;
use crate::port::tx::Tx;
pub use dummy::InjectError;
pub use modes::LinkModes;
pub(crate) use pools::Pools;

/// MTU of a port that none was asked for.
pub(crate) const DEFAULT_MTU: u16 = 1500;
/// Bytes of a frame besides the IP packet and VLAN tags.
pub(crate) const ETHERNET_LEN: u32 = 14;

/// What a port should be: the interface's row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PortConfig {
    /// The interface's name.
    pub name: String,
    /// Its type, as in the database.
    pub kind: String,
    /// Its `options` column.
    pub options: BTreeMap<String, String>,
    /// `mtu_request`.
    pub mtu: Option<u16>,
    /// `mac`.
    pub mac: Option<[u8; 6]>,
    /// `other_config:emc-enable`, true unless said otherwise.
    pub emc_disabled: bool,
    /// `other_config:pmd-rxq-affinity`: core of each queue it names.
    pub rxq_affinity: BTreeMap<u16, u32>,
}

/// Why a port could not be made or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PortError {
    /// The engine has no such type.
    #[error("could not create type {0}: unknown port type")]
    UnknownKind(String),
    /// The number is taken.
    #[error("port number {0} is in use")]
    Exists(u32),
    /// The number is beyond what a datapath can have.
    #[error("port number {0} is too large; the largest is 65534")]
    NumberTooLarge(u32),
    /// There is no such port.
    #[error("no port number {0}")]
    NoPort(u32),
    /// An option that the type needs.
    #[error("options:{0} is not set")]
    MissingOption(&'static str),
    /// An option's value that cannot be.
    #[error("options:{key}={value}: must be {wanted}")]
    BadOption {
        /// The option.
        key: &'static str,
        /// What was given.
        value: String,
        /// What would be good.
        wanted: String,
    },
    /// A capture file could not be opened.
    #[error("{path}: {error}")]
    Capture {
        /// The file.
        path: String,
        /// The operating system's reason.
        error: std::io::Error,
    },
    /// This kind of port cannot do that.
    #[error("{0} is not supported by this type of port")]
    Unsupported(&'static str),
    /// The driver of this device can be configured once only.
    #[error("{0}: its driver cannot be configured twice; restart ovs-vswitchd for this change")]
    OnceOnly(String),
    /// DPDK refused.
    #[error(transparent)]
    Dpdk(#[from] DpdkError),
    /// The kernel refused.
    #[error(transparent)]
    Netdev(#[from] NetdevError),
}

/// State of a port's wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// Whether packets can pass.
    pub up: bool,
    /// Megabits a second, when known.
    pub speed_mbps: Option<u32>,
    /// Full duplex, when known.
    pub full_duplex: Option<bool>,
    /// Speeds and media.
    pub modes: LinkModes,
    /// Times that the carrier came or went since the port was opened.
    pub resets: u64,
    /// Whether the device itself was brought up; always true of devices that are not the kernel's.
    pub admin_up: bool,
}

/// Counters of a port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PortStats {
    /// Packets received.
    pub rx_packets: u64,
    /// Packets sent.
    pub tx_packets: u64,
    /// Bytes received.
    pub rx_bytes: u64,
    /// Bytes sent.
    pub tx_bytes: u64,
    /// Packets lost on the way in; the rest likewise, when the device counts them.
    pub rx_dropped: Option<u64>,
    /// Packets not sent: no room, too long, port down.
    pub tx_dropped: Option<u64>,
    /// Damaged packets received.
    pub rx_errors: Option<u64>,
    /// Packets the device failed to send.
    pub tx_errors: Option<u64>,
    /// Multicast packets received.
    pub multicast: Option<u64>,
    /// Collisions.
    pub collisions: Option<u64>,
    /// Packets that overran the receiver.
    pub rx_over_errors: Option<u64>,
    /// Packets with a wrong frame check sequence.
    pub rx_crc_errors: Option<u64>,
    /// Packets not of whole bytes.
    pub rx_frame_errors: Option<u64>,
    /// Packets the device missed.
    pub rx_missed_errors: Option<u64>,
    /// Counters under the driver's own names, and of DPDK ports `tx_dropped` by reason.
    pub custom: Vec<(String, u64)>,
}

/// A port's device and queues, freshly opened.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) rx: Vec<Rx>,
    pub(crate) tx: Vec<Tx>,
    pub(crate) mtu: u16,
    pub(crate) mac: [u8; 6],
    pub(crate) numa: i32,
}

/// The control side of a port.
#[derive(Debug)]
pub(crate) enum Device {
    Dpdk(dpdk::DpdkPort),
    Vhost(vhost::VhostPort),
    Kernel(kernel::KernelPort),
    Dummy(Arc<Dummy>),
}

/// How a port becomes what another configuration says.
#[derive(Debug)]
pub(crate) enum Way {
    /// While packets flow.
    InPlace,
    /// The device must be stopped, and takes its packets from this pool then.
    Restart(Mempool),
    /// It is another device.
    Reopen,
}

/// What a device is opened with besides its interface's row.
#[derive(Debug)]
pub(crate) struct Surroundings<'a> {
    /// Sending threads.
    pub(crate) n_txq: u16,
    pub(crate) pools: &'a mut Pools,
    /// Directory of the sockets of `dpdkvhostuser` ports.
    pub(crate) vhost_sock_dir: &'a str,
}

/// Is this a type the engine can make?
#[must_use]
pub fn is_known_kind(kind: &str) -> bool {
    const KINDS: &[&str] = &[
        "",
        "system",
        "internal",
        "tap",
        "dpdk",
        "dpdkvhostuser",
        "dpdkvhostuserclient",
        "dummy",
        "dummy-internal",
        "dummy-pmd",
    ];
    KINDS.contains(&kind)
}

impl Device {
    /// Opens the device of an interface.
    pub(crate) fn open(
        config: &PortConfig,
        with: &mut Surroundings<'_>,
    ) -> Result<(Self, Opened), PortError> {
        let options = Options(&config.options);
        let mtu = config.mtu.unwrap_or(DEFAULT_MTU);
        let name = &config.name;
        let (mut device, mut opened) = match config.kind.as_str() {
            "dpdk" => {
                let (port, opened) = dpdk::open(config, with.n_txq, mtu, with.pools)?;
                (Self::Dpdk(port), opened)
            }
            "dpdkvhostuser" | "dpdkvhostuserclient" => {
                let pool = with.pools.for_mtu(mtu, 0)?;
                let (port, opened) = vhost::open(config, with.vhost_sock_dir, mtu, &pool)?;
                (Self::Vhost(port), opened)
            }
            "tap" | "internal" => {
                let pool = with.pools.for_mtu(DEFAULT_MTU, 0)?;
                let (port, opened) = kernel::open_tap(name, config.mtu, &pool)?;
                (Self::Kernel(port), opened)
            }
            "system" | "" => {
                let pool = with.pools.for_mtu(DEFAULT_MTU, 0)?;
                let (port, opened) = kernel::open_system(name, config.mtu, &pool)?;
                (Self::Kernel(port), opened)
            }
            "dummy" | "dummy-internal" | "dummy-pmd" => {
                let (port, opened) = open_dummy(&options, mtu)?;
                (Self::Dummy(port), opened)
            }
            other => return Err(PortError::UnknownKind(other.to_owned())),
        };
        if let Some(mac) = config.mac {
            device.set_mac(mac)?;
            opened.mac = mac;
        }
        Ok((device, opened))
    }

    /// Sets the device's own address.
    pub(crate) fn set_mac(&mut self, mac: [u8; 6]) -> Result<(), PortError> {
        match self {
            Self::Dpdk(port) => port.set_mac(mac),
            Self::Kernel(port) => port.set_mac(mac),
            // Nothing but the number that the port shows.
            Self::Vhost(_) | Self::Dummy(_) => Ok(()),
        }
    }

    pub(crate) fn link(&self) -> Link {
        match self {
            Self::Dpdk(port) => port.link(),
            Self::Vhost(port) => port.link(),
            Self::Kernel(port) => port.link(),
            Self::Dummy(_) => Link { up: true, admin_up: true, ..Link::default() },
        }
    }

    /// Counters of the device, given what was sent to it and what of that was dropped. Those that
    /// it does not keep are the engine's; a dummy's drops are nobody's, as in OVS.
    pub(crate) fn stats(
        &self,
        (tx_packets, tx_bytes): (u64, u64),
        drops: &[(DropReason, u64)],
    ) -> PortStats {
        let (rx_packets, rx_bytes) = self.received();
        let own = PortStats { rx_packets, rx_bytes, tx_packets, tx_bytes, ..PortStats::default() };
        let mut stats = match self {
            Self::Dpdk(port) => port.stats(),
            Self::Kernel(port) => port.stats(own),
            Self::Vhost(port) => port.stats(own),
            Self::Dummy(_) => own,
        };
        let dropped: u64 = drops.iter().map(|(_, n)| n).sum();
        stats.tx_dropped = stats.tx_dropped.map(|n| n + dropped);
        if matches!(self, Self::Dpdk(_) | Self::Vhost(_)) {
            stats.custom.extend(drop_counters(drops));
        }
        stats
    }

    /// Packets and bytes received, of ports whose device does not count.
    pub(crate) fn received(&self) -> (u64, u64) {
        match self {
            Self::Dpdk(_) => (0, 0),
            Self::Kernel(port) => port.received(),
            Self::Vhost(port) => port.received(),
            Self::Dummy(port) => port.received(),
        }
    }

    /// The kernel's number of the device, 0 without.
    pub(crate) fn ifindex(&self) -> u32 {
        match self {
            Self::Kernel(port) => port.ifindex(),
            Self::Dpdk(_) | Self::Vhost(_) | Self::Dummy(_) => 0,
        }
    }

    pub(crate) fn status(&self) -> BTreeMap<String, String> {
        let mut status = BTreeMap::new();
        match self {
            Self::Dpdk(port) => port.status(&mut status),
            Self::Vhost(port) => port.status(&mut status),
            Self::Kernel(port) => port.status(&mut status),
            Self::Dummy(_) => {}
        }
        status
    }

    /// Is the device no more, so that the port should be closed?
    pub(crate) fn is_gone(&self) -> bool {
        match self {
            Self::Kernel(port) => port.is_gone(),
            Self::Dpdk(port) => port.is_gone(),
            Self::Vhost(_) | Self::Dummy(_) => false,
        }
    }

    /// MAC address and MTU, of devices that others may change too.
    pub(crate) fn address_and_mtu(&self) -> Option<([u8; 6], u16)> {
        match self {
            Self::Kernel(port) => port.address_and_mtu(),
            Self::Dpdk(_) | Self::Vhost(_) | Self::Dummy(_) => None,
        }
    }

    /// How the device can become what `new` says. What can be found wrong without stopping it is.
    pub(crate) fn way(
        &self,
        old: &PortConfig,
        new: &PortConfig,
        pools: &mut Pools,
    ) -> Result<Way, PortError> {
        // Its own address is lost.
        if old.kind != new.kind || old.mac.is_some() && new.mac.is_none() {
            return Ok(Way::Reopen);
        }
        let mtu = new.mtu.unwrap_or(DEFAULT_MTU);
        let (same, restart) = match self {
            Self::Dpdk(port) => (port.is_at(new), port.must_restart(new, mtu)?),
            Self::Vhost(port) => {
                (port.is_at(new), old.mtu != new.mtu || old.options != new.options)
            }
            Self::Kernel(_) => (old.options == new.options, false),
            Self::Dummy(_) => {
                let lasting = |config: &PortConfig| {
                    let mut options = config.options.clone();
                    options.retain(|key, _| !CAPTURE_OPTIONS.contains(&key.as_str()));
                    options
                };
                (lasting(old) == lasting(new), false)
            }
        };
        Ok(match (same, restart) {
            (false, _) => Way::Reopen,
            (true, true) => Way::Restart(self.pool(new, pools)?),
            (true, false) => Way::InPlace,
        })
    }

    /// The packet memory of a device with this configuration.
    pub(crate) fn pool(
        &self,
        config: &PortConfig,
        pools: &mut Pools,
    ) -> Result<Mempool, PortError> {
        let numa = if let Self::Dpdk(port) = self { port.numa() } else { 0 };
        Ok(pools.for_mtu(config.mtu.unwrap_or(DEFAULT_MTU), numa)?)
    }

    /// Stops a device none of whose queues is out, and starts it as `config` says.
    pub(crate) fn restart(
        &mut self,
        config: &PortConfig,
        n_txq: u16,
        pool: &Mempool,
    ) -> Result<Opened, PortError> {
        let mtu = config.mtu.unwrap_or(DEFAULT_MTU);
        let mut opened = match self {
            Self::Dpdk(port) => port.start(config, n_txq, mtu, pool)?,
            Self::Vhost(port) => port.restart(config, mtu, pool),
            Self::Kernel(_) | Self::Dummy(_) => return Err(PortError::Unsupported("a restart")),
        };
        opened.mac = config.mac.unwrap_or(opened.mac);
        Ok(opened)
    }

    /// Changes the MTU of a device that need not be stopped for it.
    pub(crate) fn change_mtu(&self, mtu: u16) -> Result<(), PortError> {
        match self {
            Self::Kernel(port) => port.set_mtu(mtu),
            Self::Dpdk(_) | Self::Vhost(_) | Self::Dummy(_) => Ok(()),
        }
    }

    pub(crate) fn config(&self) -> BTreeMap<String, String> {
        match self {
            Self::Dpdk(port) => port.config(),
            Self::Vhost(_) | Self::Kernel(_) | Self::Dummy(_) => BTreeMap::new(),
        }
    }

    /// Does it serve PMD threads (and not the main thread, in OVS's terms)?
    pub(crate) fn is_pmd(&self, kind: &str) -> bool {
        match self {
            Self::Dpdk(_) | Self::Vhost(_) => true,
            Self::Kernel(_) => false,
            Self::Dummy(_) => kind == "dummy-pmd",
        }
    }
}

/// Queues each way that a dummy port can have.
const MAX_DUMMY_QUEUES: u16 = 1024;

/// Number in the next dummy port's MAC address.
static NEXT_DUMMY: AtomicU32 = AtomicU32::new(0xaa55_0000);

fn open_dummy(options: &Options<'_>, mtu: u16) -> Result<(Arc<Dummy>, Opened), PortError> {
    let dummy = Dummy::new(captures(options)?);
    let number = NEXT_DUMMY.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    let [a, b, c, d] = number;
    let n_rxq: u16 = options.number("n_rxq", 1, 0, MAX_DUMMY_QUEUES)?.max(1);
    let n_txq: u16 = options.number("n_txq", 1, 0, MAX_DUMMY_QUEUES)?.max(1);
    let rx = (0..n_rxq).map(|_| Rx::Dummy(DummyRx::new(Arc::clone(&dummy)))).collect();
    let tx = (0..n_txq).map(|_| Tx::Dummy(DummyTx::new(Arc::clone(&dummy)))).collect();
    let numa = options.number("numa_id", 0, 0, 1023)?;
    Ok((dummy, Opened { rx, tx, mtu, mac: [0xaa, 0x55, a, b, c, d], numa }))
}

/// Options of dummy ports that can change while they run.
const CAPTURE_OPTIONS: [&str; 3] = ["pcap", "rxq_pcap", "tx_pcap"];

/// Capture files: `pcap` for both ways, or `rxq_pcap` and `tx_pcap`.
pub(crate) fn captures(options: &Options<'_>) -> Result<Captures, PortError> {
    let open = |path: &str| {
        Capture::append(path)
            .map(|capture| Arc::new(Mutex::new(capture)))
            .map_err(|error| PortError::Capture { path: path.to_owned(), error })
    };
    if let Some(path) = options.get("pcap") {
        let both = open(path)?;
        return Ok(Captures { rx: Some(Arc::clone(&both)), tx: Some(both) });
    }
    Ok(Captures {
        rx: options.get("rxq_pcap").map(open).transpose()?,
        tx: options.get("tx_pcap").map(open).transpose()?,
    })
}

/// Why packets were not sent, in the counters that OVS has of its DPDK ports.
fn drop_counters(drops: &[(DropReason, u64)]) -> impl Iterator<Item = (String, u64)> {
    let of = |reason| drops.iter().find(|(r, _)| *r == reason).map_or(0, |(_, n)| *n);
    let too_long = of(DropReason::TxMtuExceeded);
    let invalid = of(DropReason::InvalidPacket);
    let rest = drops.iter().map(|(_, n)| n).sum::<u64>() - too_long - invalid;
    let named = [
        ("ovs_tx_failure_drops", rest),
        ("ovs_tx_mtu_exceeded_drops", too_long),
        ("ovs_tx_invalid_hwol_drops", invalid),
    ];
    named.into_iter().map(|(name, n)| (name.to_owned(), n))
}

/// Counters of a port's lanes, together.
pub(crate) fn sum_lanes<'a>(
    lanes: impl Iterator<Item = &'a lane::LaneCounters>,
) -> (u64, u64, Vec<(DropReason, u64)>) {
    let mut packets = 0;
    let mut bytes = 0;
    let mut drops: Vec<_> = [
        DropReason::TxQueueFull,
        DropReason::TxMtuExceeded,
        DropReason::TxPortDown,
        DropReason::NoBuffer,
        DropReason::InvalidPacket,
    ]
    .map(|reason| (reason, 0))
    .into();
    for lane in lanes {
        packets += lane.packets.get();
        bytes += lane.bytes.get();
        for (reason, n) in &mut drops {
            *n += lane.drops.get(*reason);
        }
    }
    (packets, bytes, drops)
}
