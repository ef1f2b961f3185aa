//! Ports of type `dpdk`: any device that DPDK can attach by its `dpdk-devargs`.

use std::collections::BTreeMap;

use weir_dpdk::offload::dev_rx;
use weir_dpdk::{EthConfig, EthDev, Mempool, Started};

use crate::port::modes::speed_bit;
use crate::port::options::Options;
use crate::port::rx::Rx;
use crate::port::tx::Tx;
use crate::port::{Link, LinkModes, Opened, Pools, PortConfig, PortError, PortStats};

/// Descriptors of a queue unless `n_rxq_desc` or `n_txq_desc` says otherwise.
const DESCRIPTORS: u16 = 2048;
/// The driver for kernel devices by XDP sockets.
const AF_XDP: &str = "net_af_xdp";
/// The driver for shared memory with other programs: both sides must have as many rings, of which the
/// user says how many; threads share them.
const MEMIF: &str = "net_memif";
/// Most descriptors of a queue.
const MAX_DESCRIPTORS: u16 = 4096;

/// A running DPDK device.
#[derive(Debug)]
pub(crate) struct DpdkPort {
    dev: EthDev,
    devargs: String,
    /// What the device was asked to be.
    wanted: EthConfig,
    n_rxq: u16,
    n_txq: u16,
    rxq_desc: u16,
    txq_desc: u16,
    tx_offloads: u64,
    link_interrupt: bool,
}

/// What the options ask of the device. What cannot be is replaced by what OVS takes then.
fn wanted(config: &PortConfig, n_txq: u16, mtu: u16) -> EthConfig {
    let options = Options(&config.options);
    let number = |key, default, fits: fn(u16) -> bool| {
        match options.get(key) {
        None => default,
        Some(text) => text.parse().ok().filter(|n| fits(*n)).unwrap_or_else(|| {
            let name = &config.name;
            log::warn!(target: "netdev_dpdk", "{name}: options:{key}={text} cannot be: {default} is used");
            default
        }),
    }
    };
    let descriptors = |n: u16| n.is_power_of_two() && n <= MAX_DESCRIPTORS;
    EthConfig {
        // 0 is the default too.
        n_rxq: number("n_rxq", 1, |_| true).max(1),
        n_txq,
        rxq_desc: number("n_rxq_desc", DESCRIPTORS, descriptors),
        txq_desc: number("n_txq_desc", DESCRIPTORS, descriptors),
        mtu,
        link_state_interrupt: options.get("dpdk-lsc-interrupt") != Some("false"),
        ..EthConfig::default()
    }
}

/// Opens the device of an interface.
pub(crate) fn open(
    config: &PortConfig,
    n_txq: u16,
    mtu: u16,
    pools: &mut Pools,
) -> Result<(DpdkPort, Opened), PortError> {
    let devargs = Options(&config.options).required("dpdk-devargs")?;
    let dev = EthDev::attach(devargs)?;
    let mut port = DpdkPort {
        dev,
        devargs: devargs.to_owned(),
        wanted: EthConfig::default(),
        n_rxq: 0,
        n_txq: 0,
        rxq_desc: 0,
        txq_desc: 0,
        tx_offloads: 0,
        link_interrupt: false,
    };
    port.dev.check_mtu(mtu)?;
    let pool = pools.for_mtu(mtu, port.numa())?;
    let opened = port.start(config, n_txq, mtu, &pool)?;
    Ok((port, opened))
}

impl DpdkPort {
    /// The NUMA node of its packets.
    pub(crate) fn numa(&self) -> i32 {
        self.dev.socket().max(0)
    }

    /// Is this the device that `config` names?
    pub(crate) fn is_at(&self, config: &PortConfig) -> bool {
        config.options.get("dpdk-devargs") == Some(&self.devargs)
    }

    /// Must the device be stopped to become what `config` says?
    pub(crate) fn must_restart(&self, config: &PortConfig, mtu: u16) -> Result<bool, PortError> {
        let wanted = wanted(config, self.wanted.n_txq, mtu);
        if wanted == self.wanted {
            return Ok(false);
        }
        self.dev.check_mtu(mtu)?;
        // It keeps the socket of a queue for as long as the process lives, and with it the queue.
        if self.dev.info().is_ok_and(|info| info.driver_name == AF_XDP) {
            return Err(PortError::OnceOnly(self.dev.name().to_owned()));
        }
        Ok(true)
    }

    /// Starts the device as `config` says, after stopping it if it runs. No queue may be out.
    pub(crate) fn start(
        &mut self,
        config: &PortConfig,
        n_txq: u16,
        mtu: u16,
        pool: &Mempool,
    ) -> Result<Opened, PortError> {
        let mut wanted = wanted(config, n_txq, mtu);
        if self.dev.info()?.driver_name == MEMIF {
            wanted.n_txq = wanted.n_rxq;
        }
        let Started { rx, tx, rxq_desc, txq_desc, rx_offloads, tx_offloads, link_state_interrupt } =
            self.dev.start(&wanted, pool)?;
        (self.n_rxq, self.n_txq) = (rx.len() as u16, tx.len() as u16);
        (self.rxq_desc, self.txq_desc) = (rxq_desc, txq_desc);
        (self.tx_offloads, self.link_interrupt) = (tx_offloads, link_state_interrupt);
        self.wanted = wanted;
        let tells = rx_offloads & (dev_rx::TCP_CKSUM | dev_rx::UDP_CKSUM | dev_rx::TCP_LRO) != 0;
        Ok(Opened {
            rx: rx.into_iter().map(|queue| Rx::Dpdk(queue, tells)).collect(),
            tx: tx.into_iter().map(|queue| Tx::Dpdk(queue, tx_offloads)).collect(),
            mtu,
            mac: self.dev.mac()?,
            numa: self.numa(),
        })
    }

    pub(crate) fn set_mac(&mut self, mac: [u8; 6]) -> Result<(), PortError> {
        Ok(self.dev.set_mac(mac)?)
    }

    pub(crate) fn link(&self) -> Link {
        match self.dev.link() {
            Ok(link) => Link {
                up: link.up,
                speed_mbps: link.speed_mbps,
                full_duplex: Some(link.full_duplex),
                modes: LinkModes {
                    current: link.speed_mbps.map_or(0, |mbps| speed_bit(mbps, link.full_duplex)),
                    ..LinkModes::default()
                },
                admin_up: true,
                resets: 0,
            },
            Err(_) => Link::default(),
        }
    }

    /// Was the hardware pulled out?
    pub(crate) fn is_gone(&self) -> bool {
        self.dev.is_removed()
    }

    /// What the device counted itself.
    pub(crate) fn stats(&self) -> PortStats {
        let stats = self.dev.stats().unwrap_or_default();
        PortStats {
            rx_packets: stats.rx_packets,
            tx_packets: stats.tx_packets,
            rx_bytes: stats.rx_bytes,
            tx_bytes: stats.tx_bytes,
            rx_dropped: Some(stats.rx_no_mbuf),
            tx_dropped: Some(0),
            rx_errors: Some(stats.rx_errors),
            tx_errors: Some(stats.tx_errors),
            rx_missed_errors: Some(stats.rx_missed),
            custom: self.dev.xstats().unwrap_or_default(),
            ..PortStats::default()
        }
    }

    /// The interface's `status` column.
    pub(crate) fn status(&self, status: &mut BTreeMap<String, String>) {
        let mut set = |key: &str, value: String| {
            status.insert(key.to_owned(), value);
        };
        let Ok(info) = self.dev.info() else {
            return;
        };
        set("port_no", self.dev.port_id().to_string());
        set("numa_id", self.dev.socket().to_string());
        set("driver_name", info.driver_name);
        set("min_rx_bufsize", info.min_rx_bufsize.to_string());
        set("max_rx_pktlen", info.max_rx_pktlen.to_string());
        set("max_rx_queues", info.max_rx_queues.to_string());
        set("max_tx_queues", info.max_tx_queues.to_string());
        set("max_mac_addrs", info.max_mac_addrs.to_string());
        set("max_hash_mac_addrs", info.max_hash_mac_addrs.to_string());
        set("max_vfs", info.max_vfs.to_string());
        set("max_vmdq_pools", info.max_vmdq_pools.to_string());
        set("n_rxq", self.n_rxq.to_string());
        set("n_txq", self.n_txq.to_string());
        set("if_type", "6".to_owned());
        set("if_descr", format!("{} {}", weir_dpdk::version(), info_driver(&self.dev)));
        if !info.bus_info.is_empty() {
            set("bus_info", format!("bus_name={}, {}", info.bus_name, info.bus_info));
        } else {
            set("bus_info", format!("bus_name={}", info.bus_name));
        }
        let link = self.link();
        let speed = link.speed_mbps.map_or_else(|| "Unknown".to_owned(), speed_name);
        set("link_speed", speed);
    }

    /// Settings as `dpif/show` and `get_config` give them.
    pub(crate) fn config(&self) -> BTreeMap<String, String> {
        [
            ("dpdk-devargs", self.devargs.clone()),
            ("configured_rx_queues", self.n_rxq.to_string()),
            ("requested_rx_queues", self.wanted.n_rxq.to_string()),
            ("configured_tx_queues", self.n_txq.to_string()),
            ("requested_tx_queues", self.wanted.n_txq.to_string()),
            ("configured_rxq_descriptors", self.rxq_desc.to_string()),
            ("configured_txq_descriptors", self.txq_desc.to_string()),
            ("lsc_interrupt_mode", self.link_interrupt.to_string()),
            ("tx_offloads", format!("{:#x}", self.tx_offloads)),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .into()
    }
}

fn info_driver(dev: &EthDev) -> String {
    dev.info().map(|info| info.driver_name).unwrap_or_default()
}

fn speed_name(mbps: u32) -> String {
    if mbps >= 1000 && mbps.is_multiple_of(1000) {
        format!("{}Gbps", mbps / 1000)
    } else {
        format!("{mbps}Mbps")
    }
}
