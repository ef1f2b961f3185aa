//! Changing a port that runs: while packets flow where the device allows that, by stopping and starting
//! the device where it must, and by closing and opening only if it is to be another device.

use std::sync::Arc;

use weir_dpdk::Mempool;
use weir_flow::PortNo;

use crate::engine::{Engine, lock};
use crate::pmd::rxq::RxqLoad;
use crate::pmd::thread::PmdCommand;
use crate::port::lane::TxLane;
use crate::port::options::Options;
use crate::port::{self, Device, Opened, Pools, PortConfig, PortError, Way};
use crate::rxq_table::Rxq;

/// Why a device did not start as asked.
enum Refused {
    /// It runs as it did.
    RunsAsBefore(PortError),
    /// It does not run at all.
    Stopped,
}

impl Engine {
    /// Makes a port what `config` says.
    ///
    /// # Errors
    /// There is no such port, or it cannot be what is asked. If its device had to be stopped it runs
    /// again as it did, if that can be.
    pub fn change_port(&self, no: PortNo, config: PortConfig) -> Result<(), PortError> {
        let mut pools = lock(&self.changing);
        let (old, device) = {
            let state = lock(&self.state);
            let port = state.ports.get(&no).ok_or(PortError::NoPort(no.0))?;
            (port.config.clone(), Arc::clone(&port.device))
        };
        if old == config {
            return Ok(());
        }
        let way = lock(&device).way(&old, &config, &mut pools)?;
        match way {
            Way::InPlace => self.change_in_place(no, &old, config),
            Way::Restart(pool) => match self.restart_port(no, &old, &config, &pool, &mut pools) {
                Ok(()) => self.change_in_place(no, &old, config),
                Err(Refused::RunsAsBefore(error)) => Err(error),
                // Some drivers start once only.
                Err(Refused::Stopped) => {
                    drop((device, pools));
                    self.reopen_port(no, old, config)
                }
            },
            Way::Reopen => {
                drop((device, pools));
                self.reopen_port(no, old, config)
            }
        }
    }

    fn reopen_port(
        &self,
        no: PortNo,
        old: PortConfig,
        config: PortConfig,
    ) -> Result<(), PortError> {
        let name = old.name.clone();
        self.remove_port(no);
        self.add_port(no, config).inspect_err(|_| {
            if let Err(error) = self.add_port(no, old) {
                log::error!(target: "dpif_netdev", "{name}: cannot be opened as it was: {error}");
            }
        })
    }

    /// Takes the port's queues back, lets the device start anew and hands out its queues. Megaflows
    /// and counters stay.
    fn restart_port(
        &self,
        no: PortNo,
        old: &PortConfig,
        config: &PortConfig,
        pool: &Mempool,
        pools: &mut Pools,
    ) -> Result<(), Refused> {
        let (device, n_pmds, rxqs, lanes) = {
            let mut state = lock(&self.state);
            let n_pmds = state.pmds.len();
            let port = state.ports.get_mut(&no).ok_or(Refused::Stopped)?;
            let device = Arc::clone(&port.device);
            (device, n_pmds, std::mem::take(&mut port.rxqs), port.lanes.clone())
        };
        let loads: Vec<_> = rxqs.iter().map(|rxq| Arc::clone(&rxq.load)).collect();
        self.release_queues(no, rxqs);
        lanes.iter().for_each(|lane| lane.close());
        let n_txq = u16::try_from(n_pmds + 1).unwrap_or(u16::MAX);
        let mut device = lock(&device);
        let (opened, result) = match device.restart(config, n_txq, pool) {
            Ok(opened) => (opened, Ok(())),
            Err(error) => {
                let name = &old.name;
                log::warn!(target: "dpif_netdev", "{name}: cannot be started anew: {error}");
                let pool = device.pool(old, pools).map_err(|_| Refused::Stopped)?;
                let opened = device.restart(old, n_txq, &pool).map_err(|_| Refused::Stopped)?;
                (opened, Err(Refused::RunsAsBefore(error)))
            }
        };
        drop(device);
        self.reconnect(no, opened, loads);
        result
    }

    /// Gives the threads the queues of a device that was started anew, whose loads are remembered.
    fn reconnect(&self, no: PortNo, opened: Opened, loads: Vec<Arc<RxqLoad>>) {
        let Opened { rx, tx, mtu, mac, numa } = opened;
        let loads = loads.into_iter().map(Some).chain(std::iter::repeat(None));
        {
            let mut state = lock(&self.state);
            let Some(port) = state.ports.get_mut(&no) else {
                return;
            };
            (port.mtu, port.mac, port.numa) = (mtu, mac, numa);
            port.active_lanes = tx.len();
            for (i, tx) in tx.into_iter().enumerate() {
                match port.lanes.get(i) {
                    Some(lane) => lane.open(tx),
                    None => port.lanes.push(Arc::new(TxLane::new(tx, port.max_frame()))),
                }
            }
            let rxqs = (0u16..).zip(rx).zip(loads);
            port.rxqs = rxqs
                .map(|((queue, rx), load)| Rxq::parked(rx, no, queue, load.unwrap_or_default()))
                .collect();
            port.apply_state();
        }
        self.attach_lanes(no);
        self.rebalance();
    }

    fn change_in_place(
        &self,
        no: PortNo,
        old: &PortConfig,
        config: PortConfig,
    ) -> Result<(), PortError> {
        let device = self.device(no).ok_or(PortError::NoPort(no.0))?;
        {
            let mut device = lock(&device);
            if let (Some(mac), true) = (config.mac, config.mac != old.mac) {
                device.set_mac(mac)?;
                if let Some(port) = lock(&self.state).ports.get_mut(&no) {
                    port.mac = mac;
                }
            }
            if let (Some(mtu), true) = (config.mtu, config.mtu != old.mtu) {
                device.change_mtu(mtu)?;
                if let Some(port) = lock(&self.state).ports.get_mut(&no) {
                    port.mtu = mtu;
                    port.apply_state();
                }
            }
            if let (Device::Dummy(dummy), true) = (&*device, config.options != old.options) {
                dummy.set_captures(port::captures(&Options(&config.options))?);
            }
        }
        if config.emc_disabled != old.emc_disabled {
            for pmd in self.pmds() {
                pmd.send(PmdCommand::UseEmc(no, !config.emc_disabled));
            }
        }
        let moved = config.rxq_affinity != old.rxq_affinity;
        if let Some(port) = lock(&self.state).ports.get_mut(&no) {
            port.config = config;
        }
        if moved {
            self.rebalance();
        }
        Ok(())
    }
}
