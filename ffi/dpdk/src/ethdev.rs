//! Ethernet devices: attach by devargs, configure, start, stop, detach.

use std::sync::Arc;

use dpdk_sys::{rte_ether_addr, weir_eth_conf, weir_eth_link};

use crate::devargs::Devargs;
use crate::devinfo::{DevInfo, raw_info};
use crate::eal::Eal;
use crate::eal_log;
use crate::error::{DpdkError, Errno};
use crate::mempool::Mempool;
use crate::offload::{dev_rx, dev_tx};
use crate::port::Port;
use crate::queue::{RxQueue, TxQueue};

/// What a device should be like. Numbers beyond what it can do are reduced; see [`Started`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EthConfig {
    /// Receive queues.
    pub n_rxq: u16,
    /// Transmit queues.
    pub n_txq: u16,
    /// Descriptors of a receive queue.
    pub rxq_desc: u16,
    /// Descriptors of a transmit queue.
    pub txq_desc: u16,
    /// Largest IP packet in bytes.
    pub mtu: u16,
    /// Let the device check checksums of received packets.
    pub rx_checksum: bool,
    /// Let the device write checksums and split TCP super-packets, as far as it can.
    pub tx_offloads: bool,
    /// Let the device put a large packet into several mbufs, if it can.
    pub scatter: bool,
    /// Let the device tell of link changes by interrupt, if it can; else it is polled.
    pub link_state_interrupt: bool,
    /// Receive every frame whatever its address.
    pub promiscuous: bool,
}

impl Default for EthConfig {
    fn default() -> Self {
        Self {
            n_rxq: 1,
            n_txq: 1,
            rxq_desc: 2048,
            txq_desc: 2048,
            mtu: 1500,
            rx_checksum: true,
            tx_offloads: true,
            scatter: false,
            link_state_interrupt: true,
            promiscuous: true,
        }
    }
}

/// A running device's queues, and what it was really given.
#[derive(Debug)]
pub struct Started {
    /// The receive queues; at most as many as asked for.
    pub rx: Vec<RxQueue>,
    /// The transmit queues; at most as many as asked for.
    pub tx: Vec<TxQueue>,
    /// Descriptors of each receive queue.
    pub rxq_desc: u16,
    /// Descriptors of each transmit queue.
    pub txq_desc: u16,
    /// Offloads on reception ([`dev_rx`]).
    pub rx_offloads: u64,
    /// Offloads on transmission ([`dev_tx`]): what packets may ask of this device.
    pub tx_offloads: u64,
    /// Whether the driver reports link changes by interrupt.
    pub link_state_interrupt: bool,
}

/// State of the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// Whether packets can pass.
    pub up: bool,
    /// Megabits a second, when known.
    pub speed_mbps: Option<u32>,
    /// Full duplex.
    pub full_duplex: bool,
    /// Whether the speed was negotiated.
    pub autoneg: bool,
}

/// One Ethernet port of DPDK. It runs between [`start`](Self::start) and [`stop`](Self::stop); it is
/// detached (and a device that `attach` probed is removed) when it and all its queues are dropped.
#[derive(Debug)]
pub struct EthDev {
    port: Arc<Port>,
    id: u16,
    running: bool,
}

impl EthDev {
    /// Finds the port that `devargs` names, probing the device if it is not there yet.
    ///
    /// # Errors
    /// Bad arguments, a device that no driver takes, or one that is in use already.
    pub fn attach(devargs: &str) -> Result<Self, DpdkError> {
        Eal::get().ok_or(DpdkError::NotInitialised)?;
        let port = Arc::new(Port::attach(&Devargs::parse(devargs)?)?);
        Ok(Self { id: port.id(), port, running: false })
    }

    /// DPDK's port number.
    #[must_use]
    pub const fn port_id(&self) -> u16 {
        self.id
    }

    /// DPDK's name of the port, for instance `net_null0` or `0000:01:00.0`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.port.name()
    }

    /// What it is and can do.
    ///
    /// # Errors
    /// When the device is gone.
    pub fn info(&self) -> Result<DevInfo, DpdkError> {
        let raw = raw_info(self.id, self.name())?;
        // SAFETY: `self` keeps the port from going away.
        Ok(unsafe { DevInfo::from_raw(&raw) })
    }

    /// Configures the device with these queues and starts it; packets are received into `pool`, which
    /// must have buffers for the MTU ([`data_room_for_mtu`](crate::mempool::data_room_for_mtu)).
    ///
    /// A running device is stopped first. Fewer queues than asked for come back when the device has
    /// no more.
    ///
    /// # Errors
    /// [`DpdkError::Busy`] while queue handles are out; else what the driver refused.
    pub fn start(&mut self, config: &EthConfig, pool: &Mempool) -> Result<Started, DpdkError> {
        match eal_log::listening(|| self.start_silently(config, pool)) {
            (Err(DpdkError::Device { device, operation, .. }), Some(said)) => {
                Err(DpdkError::Driver { device, operation, said })
            }
            (result, _) => result,
        }
    }

    fn start_silently(&mut self, config: &EthConfig, pool: &Mempool) -> Result<Started, DpdkError> {
        self.stop()?;
        self.check_mtu(config.mtu)?;
        let info = self.info()?;
        let raw = raw_info(self.id, self.name())?;

        let n_rxq = config.n_rxq.clamp(1, info.max_rx_queues.max(1));
        let n_txq = config.n_txq.clamp(1, info.max_tx_queues.max(1));
        let (rx_offloads, tx_offloads) = offloads(config, &info);
        // SAFETY: the driver's flags are a static word, or null.
        let flags = if raw.dev_flags.is_null() { 0 } else { unsafe { *raw.dev_flags } };
        let lsc = config.link_state_interrupt && flags & dpdk_sys::WEIR_DEV_FLAG_INTR_LSC != 0;
        let rss = (dpdk_sys::WEIR_RSS_IP
            | dpdk_sys::WEIR_RSS_UDP
            | dpdk_sys::WEIR_RSS_TCP
            | dpdk_sys::WEIR_RSS_SCTP)
            & info.rss_capa;
        let conf = weir_eth_conf {
            rx_offloads,
            tx_offloads,
            rss_hf: rss,
            mtu: u32::from(config.mtu),
            link_state_interrupt: u8::from(lsc),
        };
        // SAFETY: the port is stopped and no queue handle is out; conf outlives the call.
        let error = unsafe { dpdk_sys::weir_eth_configure(self.id, n_rxq, n_txq, &raw const conf) };
        self.check("configuring queues", error)?;
        self.set_mtu(config.mtu)?;

        let rxq_desc = info.rx_desc.clamp(config.rxq_desc);
        let txq_desc = info.tx_desc.clamp(config.txq_desc);
        let socket = self.socket();
        for queue in 0..n_rxq {
            // SAFETY: stopped; the pool is kept in the port below before anything can use it.
            let error = unsafe {
                dpdk_sys::weir_eth_rx_queue_setup(
                    self.id,
                    queue,
                    rxq_desc,
                    socket,
                    rx_offloads,
                    pool.as_ptr(),
                )
            };
            // Kept on failure too: earlier queues hold it.
            self.port.keep_pool(pool);
            self.check("setting up a receive queue", error)?;
        }
        for queue in 0..n_txq {
            // SAFETY: stopped.
            let error = unsafe {
                dpdk_sys::weir_eth_tx_queue_setup(self.id, queue, txq_desc, socket, tx_offloads)
            };
            self.check("setting up a transmit queue", error)?;
        }
        // SAFETY: all queues are set up.
        let error = unsafe { dpdk_sys::rte_eth_dev_start(self.id) };
        self.check("starting", error)?;
        self.running = true;
        self.set_promiscuous(config.promiscuous)?;

        let rx = (0..n_rxq).map(|q| RxQueue::new(Arc::clone(&self.port), self.id, q)).collect();
        let tx = (0..n_txq).map(|q| TxQueue::new(Arc::clone(&self.port), self.id, q)).collect();
        Ok(Started {
            rx,
            tx,
            rxq_desc,
            txq_desc,
            rx_offloads,
            tx_offloads,
            link_state_interrupt: lsc,
        })
    }

    /// Stops the device. No effect when it does not run.
    ///
    /// # Errors
    /// [`DpdkError::Busy`] while queue handles are out.
    pub fn stop(&mut self) -> Result<(), DpdkError> {
        if Arc::get_mut(&mut self.port).is_none() {
            return Err(DpdkError::Busy(self.name().to_owned()));
        }
        if self.running {
            // SAFETY: no queue handle is out, so nobody polls.
            let error = unsafe { dpdk_sys::rte_eth_dev_stop(self.id) };
            self.check("stopping", error)?;
            self.running = false;
        }
        Ok(())
    }

    /// Whether it was started.
    #[must_use]
    pub const fn is_running(&self) -> bool {
        self.running
    }

    /// The state of the wire, as the driver knows it without waiting.
    ///
    /// # Errors
    /// When the device is gone.
    pub fn link(&self) -> Result<Link, DpdkError> {
        let mut raw = weir_eth_link::default();
        // SAFETY: fills the structure.
        let error = unsafe { dpdk_sys::weir_eth_link_get(self.id, &raw mut raw) };
        self.check("reading link state", error)?;
        Ok(Link {
            up: raw.up != 0,
            speed_mbps: Some(raw.speed_mbps).filter(|&mbps| mbps != 0 && mbps != u32::MAX),
            full_duplex: raw.full_duplex != 0,
            autoneg: raw.autoneg != 0,
        })
    }

    /// Brings the wire up or down. Drivers without it answer an error.
    ///
    /// # Errors
    /// What the driver refused.
    pub fn set_link(&mut self, up: bool) -> Result<(), DpdkError> {
        let call = if up {
            dpdk_sys::rte_eth_dev_set_link_up
        } else {
            dpdk_sys::rte_eth_dev_set_link_down
        };
        // SAFETY: a plain call for a port.
        let error = unsafe { call(self.id) };
        self.check(if up { "setting link up" } else { "setting link down" }, error)
    }

    /// The MAC address.
    ///
    /// # Errors
    /// When the device is gone.
    pub fn mac(&self) -> Result<[u8; 6], DpdkError> {
        let mut raw = rte_ether_addr::default();
        // SAFETY: fills the structure.
        let error = unsafe { dpdk_sys::rte_eth_macaddr_get(self.id, &raw mut raw) };
        self.check("reading MAC address", error)?;
        Ok(raw.addr_bytes)
    }

    /// Sets the MAC address.
    ///
    /// # Errors
    /// What the driver refused.
    pub fn set_mac(&mut self, mac: [u8; 6]) -> Result<(), DpdkError> {
        let mut raw = rte_ether_addr { addr_bytes: mac };
        // SAFETY: reads the structure.
        let error = unsafe { dpdk_sys::rte_eth_dev_default_mac_addr_set(self.id, &raw mut raw) };
        self.check("setting MAC address", error)
    }

    /// The MTU in bytes.
    ///
    /// # Errors
    /// When the device is gone.
    pub fn mtu(&self) -> Result<u16, DpdkError> {
        let mut mtu = 0;
        // SAFETY: fills the variable.
        let error = unsafe { dpdk_sys::rte_eth_dev_get_mtu(self.id, &raw mut mtu) };
        self.check("reading MTU", error)?;
        Ok(mtu)
    }

    /// Receive every frame whatever its address, or not. Drivers without the notion ignore it.
    ///
    /// # Errors
    /// What the driver refused.
    pub fn set_promiscuous(&mut self, on: bool) -> Result<(), DpdkError> {
        let call = if on {
            dpdk_sys::rte_eth_promiscuous_enable
        } else {
            dpdk_sys::rte_eth_promiscuous_disable
        };
        // SAFETY: a plain call for a port.
        let error = unsafe { call(self.id) };
        self.check_unless_unsupported("setting promiscuous mode", error)
    }

    /// Pause frames: honour them (`rx`), send them (`tx`), negotiate both (`autoneg`).
    ///
    /// # Errors
    /// What the driver refused; many have no flow control.
    pub fn set_flow_control(&mut self, rx: bool, tx: bool, autoneg: bool) -> Result<(), DpdkError> {
        // SAFETY: a plain call for a port.
        let error = unsafe {
            dpdk_sys::weir_eth_flow_ctrl_set(self.id, rx.into(), tx.into(), autoneg.into())
        };
        self.check("setting flow control", error)
    }

    /// Whether the hardware was pulled out.
    #[must_use]
    pub fn is_removed(&self) -> bool {
        // SAFETY: a plain call for a port.
        unsafe { dpdk_sys::rte_eth_dev_is_removed(self.id) == 1 }
    }

    /// The NUMA node of the device, [`ANY_SOCKET`](crate::mempool::ANY_SOCKET) when it has none.
    #[must_use]
    pub fn socket(&self) -> i32 {
        // SAFETY: a plain call for a port.
        unsafe { dpdk_sys::rte_eth_dev_socket_id(self.id) }
    }

    /// Can the device have this MTU, as far as it tells?
    ///
    /// # Errors
    /// [`DpdkError::Mtu`] with what it can have.
    pub fn check_mtu(&self, mtu: u16) -> Result<(), DpdkError> {
        let info = self.info()?;
        let (min, max) = (info.min_mtu, if info.max_mtu == 0 { u16::MAX } else { info.max_mtu });
        if (min..=max).contains(&mtu) {
            return Ok(());
        }
        Err(DpdkError::Mtu { device: self.name().to_owned(), mtu, min, max })
    }

    fn set_mtu(&self, mtu: u16) -> Result<(), DpdkError> {
        // SAFETY: a plain call for a stopped port.
        let error = unsafe { dpdk_sys::rte_eth_dev_set_mtu(self.id, mtu) };
        self.check_unless_unsupported("setting MTU", error)
    }

    pub(crate) fn error(&self, operation: &'static str, cause: Errno) -> DpdkError {
        DpdkError::Device { device: self.name().to_owned(), operation, cause }
    }

    pub(crate) fn check(&self, operation: &'static str, error: i32) -> Result<(), DpdkError> {
        if error < 0 { Err(self.error(operation, Errno::from_return(error))) } else { Ok(()) }
    }

    fn check_unless_unsupported(
        &self,
        operation: &'static str,
        error: i32,
    ) -> Result<(), DpdkError> {
        if error == -libc::ENOTSUP { Ok(()) } else { self.check(operation, error) }
    }
}

/// The offloads that are wanted and possible: on reception, on transmission.
fn offloads(config: &EthConfig, info: &DevInfo) -> (u64, u64) {
    let mut rx = dev_rx::RSS_HASH;
    if config.rx_checksum {
        rx |= dev_rx::IPV4_CKSUM | dev_rx::UDP_CKSUM | dev_rx::TCP_CKSUM;
    }
    if config.scatter {
        rx |= dev_rx::SCATTER;
    }
    let mut tx = dev_tx::MULTI_SEGS;
    if config.tx_offloads {
        tx |= dev_tx::IPV4_CKSUM
            | dev_tx::UDP_CKSUM
            | dev_tx::TCP_CKSUM
            | dev_tx::SCTP_CKSUM
            | dev_tx::TCP_TSO
            | dev_tx::OUTER_IPV4_CKSUM
            | dev_tx::OUTER_UDP_CKSUM
            | dev_tx::VXLAN_TSO
            | dev_tx::GENEVE_TSO;
    }
    (rx & info.rx_capa, tx & info.tx_capa)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_possible_offloads_are_asked_for() {
        let info = DevInfo {
            driver_name: String::new(),
            bus_name: String::new(),
            bus_info: String::new(),
            if_index: 0,
            min_mtu: 0,
            max_mtu: 0,
            min_rx_bufsize: 0,
            max_rx_pktlen: 0,
            max_rx_queues: 1,
            max_tx_queues: 1,
            max_mac_addrs: 1,
            max_hash_mac_addrs: 0,
            max_vfs: 0,
            max_vmdq_pools: 0,
            rx_desc: crate::DescLimits { min: 0, max: 0, align: 0 },
            tx_desc: crate::DescLimits { min: 0, max: 0, align: 0 },
            rx_capa: dev_rx::UDP_CKSUM | dev_rx::KEEP_CRC,
            tx_capa: dev_tx::TCP_TSO | dev_tx::MBUF_FAST_FREE,
            rss_capa: 0,
        };
        let config = EthConfig::default();
        assert_eq!(offloads(&config, &info), (dev_rx::UDP_CKSUM, dev_tx::TCP_TSO));
        let config = EthConfig { rx_checksum: false, tx_offloads: false, ..config };
        assert_eq!(offloads(&config, &info), (0, 0));
    }
}
