//! The engine's ports: adding, removing, changing, and what the database shows of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use weir_flow::PortNo;

use crate::engine::{Engine, Port, lock};
use crate::exec::tx::MAX_PORTS;
use crate::pmd::thread::PmdCommand;
use crate::port::lane::TxLane;
use crate::port::{
    self, Device, ETHERNET_LEN, InjectError, Link, Opened, PortConfig, PortError, PortStats,
    Surroundings,
};
use crate::rxq_table::Rxq;
use crate::worker::WorkerCommand;

/// What a port is like now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PortStatus {
    /// Its MAC address.
    pub mac: [u8; 6],
    /// Its MTU.
    pub mtu: u16,
    /// Its number in the kernel; 0 if it has none there.
    pub ifindex: u32,
    /// The wire.
    pub link: Link,
    /// Whether it was brought up.
    pub admin_up: bool,
    /// The interface's `status` column.
    pub status: BTreeMap<String, String>,
    /// Settings in use, as `dpif/show` lists them.
    pub config: BTreeMap<String, String>,
    /// Receive and transmit queues.
    pub n_rxq: usize,
    /// See `n_rxq`.
    pub n_txq: usize,
    /// Is it one that OVS polls from PMD threads only?
    pub is_pmd: bool,
}

impl Engine {
    /// Opens a device and begins to take its packets. It starts up.
    ///
    /// # Errors
    /// The number or the device is in use, or the device cannot be opened as asked; nothing changed
    /// then.
    pub fn add_port(&self, no: PortNo, config: PortConfig) -> Result<(), PortError> {
        let mut pools = lock(&self.changing);
        if no.0 >= MAX_PORTS - 1 {
            return Err(PortError::NumberTooLarge(no.0));
        }
        if lock(&self.state).ports.contains_key(&no) {
            return Err(PortError::Exists(no.0));
        }
        let pmds = self.pmds();
        // A transmit queue for each thread and one for injected packets.
        let n_txq = u16::try_from(pmds.len() + 1).unwrap_or(u16::MAX);
        let mut with =
            Surroundings { n_txq, pools: &mut pools, vhost_sock_dir: &self.vhost_sock_dir };
        let (device, opened) = Device::open(&config, &mut with)?;
        let Opened { rx, tx, mtu, mac, numa } = opened;
        let frame = u32::from(mtu) + ETHERNET_LEN;
        let lanes: Vec<_> = tx.into_iter().map(|tx| Arc::new(TxLane::new(tx, frame))).collect();
        let rxqs = (0u16..).zip(rx).map(|(queue, rx)| Rxq::parked(rx, no, queue, Arc::default()));
        log::info!(target: "dpif_netdev", "port {} ({}) added as {}", config.name, config.kind, no.0);
        lock(&self.state).ports.insert(
            no,
            Port {
                no,
                mac,
                mtu,
                numa,
                up: true,
                active_lanes: lanes.len(),
                lanes,
                rxqs: rxqs.collect(),
                is_pmd: device.is_pmd(&config.kind),
                device: Arc::new(Mutex::new(device)),
                config,
            },
        );
        self.attach_lanes(no);
        self.rebalance();
        Ok(())
    }

    /// Gives each thread its lane of a port.
    pub(crate) fn attach_lanes(&self, no: PortNo) {
        let (pmds, lanes) = {
            let state = lock(&self.state);
            let Some(port) = state.ports.get(&no) else {
                return;
            };
            // The first is for injected packets.
            let lanes = (0..=state.pmds.len()).map_while(|i| port.lane(i).map(Arc::clone));
            (state.pmds.clone(), lanes.collect::<Vec<_>>())
        };
        let mut lanes = lanes.into_iter().map(|lane| WorkerCommand::AttachTx(no, lane));
        if let Some(attach) = lanes.next() {
            lock(&self.injector).apply(attach);
        }
        for (pmd, attach) in pmds.iter().zip(lanes) {
            pmd.send(PmdCommand::Worker(attach));
        }
    }

    /// Closes a port. Packets on their way to it are lost, those of other ports are not. False when
    /// there is no such port.
    pub fn remove_port(&self, no: PortNo) -> bool {
        let _changing = lock(&self.changing);
        self.close_port(no).is_some()
    }

    /// [`Engine::remove_port`] for those who hold `changing`.
    pub(crate) fn close_port(&self, no: PortNo) -> Option<PortConfig> {
        let port = lock(&self.state).ports.remove(&no)?;
        let pmds = self.pmds();
        self.release_queues(no, port.rxqs);
        for pmd in &pmds {
            pmd.send(PmdCommand::Worker(WorkerCommand::DetachPort(no)));
        }
        lock(&self.injector).apply(WorkerCommand::DetachPort(no));
        // What waits for the port is sent before its lanes are closed.
        for wait in pmds.iter().map(|pmd| pmd.sync()).collect::<Vec<_>>() {
            let _ = wait.recv();
        }
        port.lanes.iter().for_each(|lane| lane.close());
        log::info!(target: "dpif_netdev", "port {} removed", port.config.name);
        self.rebalance();
        Some(port.config)
    }

    pub(crate) fn device(&self, no: PortNo) -> Option<Arc<Mutex<Device>>> {
        lock(&self.state).ports.get(&no).map(|port| Arc::clone(&port.device))
    }

    /// Brings a port up or down (`ovs-ofctl mod-port ... down`): a kernel device itself, of others no
    /// packet is received and none leaves. False when there is no such port.
    pub fn set_port_up(&self, no: PortNo, up: bool) -> bool {
        let Some(device) = self.device(no) else {
            return false;
        };
        if let Device::Kernel(kernel) = &*lock(&device) {
            if let Err(error) = kernel.set_up(up) {
                log::warn!(target: "netdev_linux", "{error}");
            }
            return true;
        }
        let mut state = lock(&self.state);
        let Some(port) = state.ports.get_mut(&no) else {
            return false;
        };
        port.up = up;
        port.apply_state();
        true
    }

    /// Counters of a port.
    #[must_use]
    pub fn port_stats(&self, no: PortNo) -> Option<PortStats> {
        let (device, lanes, refused) = {
            let state = lock(&self.state);
            let port = state.ports.get(&no)?;
            let refused: u64 = port.rxqs.iter().map(|rxq| rxq.load.misses().refused).sum();
            (Arc::clone(&port.device), port.lanes.clone(), refused)
        };
        let (tx_packets, tx_bytes, drops) =
            port::sum_lanes(lanes.iter().map(|lane| &lane.counters));
        let mut stats = lock(&device).stats((tx_packets, tx_bytes), &drops);
        if refused != 0 {
            stats.custom.push(("rx_miss_budget_drops".to_owned(), refused));
        }
        Some(stats)
    }

    /// What a port is like.
    #[must_use]
    pub fn port_status(&self, no: PortNo) -> Option<PortStatus> {
        let (device, status) = {
            let state = lock(&self.state);
            let port = state.ports.get(&no)?;
            let status = PortStatus {
                mac: port.mac,
                mtu: port.mtu,
                admin_up: port.up,
                n_rxq: port.rxqs.len(),
                n_txq: port.lanes.len(),
                ..PortStatus::default()
            };
            (Arc::clone(&port.device), (status, port.config.kind.clone()))
        };
        let (status, kind) = status;
        let device = lock(&device);
        let link = device.link();
        Some(PortStatus {
            ifindex: device.ifindex(),
            link: Link { up: link.up && status.admin_up, ..link },
            admin_up: link.admin_up && status.admin_up,
            status: device.status(),
            config: device.config(),
            is_pmd: device.is_pmd(&kind),
            ..status
        })
    }

    /// Numbers and names of the ports.
    #[must_use]
    pub fn ports(&self) -> Vec<(PortNo, String)> {
        let state = lock(&self.state);
        state.ports.values().map(|port| (port.no, port.config.name.clone())).collect()
    }

    /// Lets a packet come in by a dummy port (`netdev-dummy/receive`), and waits until it went
    /// through the switch.
    ///
    /// # Errors
    /// It is no dummy port, has no room, or the packet was not processed in time.
    pub fn dummy_receive(&self, no: PortNo, packet: &[u8]) -> Result<(), InjectError> {
        let dummy = match self.device(no).as_deref().map(lock).as_deref() {
            Some(Device::Dummy(dummy)) => Arc::clone(dummy),
            _ => return Err(InjectError::NoPort),
        };
        let number = dummy.inject(&self.pool, packet)?;
        self.pmds().iter().for_each(|pmd| pmd.wake());
        dummy.wait(number)
    }
}
