//! What the engine does now and then, on a thread of its own: follow guests that come with more
//! queues and kernel devices that others change, give threads the memory they want, reclaim memory.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::thread::Thread;
use std::time::Duration;

use crossbeam::channel::bounded;
use weir_flow::PortNo;

use crate::cache::emc::{AnyEmc, Emc};
use crate::engine::{Engine, lock};
use crate::pmd::thread::PmdCommand;
use crate::port::Device;
use crate::port::lane::TxLane;
use crate::rxq_table::Rxq;
use crate::worker::WorkerCommand;

/// Time between two rounds.
const PERIOD: Duration = Duration::from_millis(500);

/// Starts the thread, which ends when the engine is gone. Answers how to wake it.
pub(crate) fn start(engine: &Arc<Engine>) -> std::io::Result<Thread> {
    let engine: Weak<Engine> = Arc::downgrade(engine);
    let keep = move || {
        loop {
            std::thread::park_timeout(PERIOD);
            match engine.upgrade() {
                Some(engine) => engine.run(),
                None => return,
            }
        }
    };
    let thread = std::thread::Builder::new().name("engine".to_owned()).spawn(keep)?;
    Ok(thread.thread().clone())
}

impl Engine {
    /// One round of housekeeping. Happens twice a second anyway; calling it only makes it sooner.
    pub fn run(&self) {
        let _changing = lock(&self.changing);
        let ports: Vec<_> = {
            let state = lock(&self.state);
            state.ports.values().map(|port| (port.no, Arc::clone(&port.device))).collect()
        };
        for (no, device) in ports {
            let mut device = lock(&device);
            if device.is_gone() {
                drop(device);
                if let Some(config) = self.close_port(no) {
                    log::warn!(target: "dpif_netdev", "{}: its device is gone", config.name);
                }
                continue;
            }
            if matches!(&*device, Device::Vhost(_)) {
                self.follow_guest(no, &mut device);
            } else if let Some((mac, mtu)) = device.address_and_mtu() {
                self.follow_device(no, mac, mtu);
            }
        }
        lock(&self.injector).maintain();
        self.balance(&mut lock(&self.balancer));
        self.grow_caches();
        self.log_suspects();
        weir_rcu::collect();
    }

    /// Gives threads larger caches if they want them.
    fn grow_caches(&self) {
        for pmd in self.pmds() {
            let make: [fn(usize) -> AnyEmc; 2] =
                [|n| AnyEmc::Plain(Emc::new(n)), |n| AnyEmc::Wide(Emc::new(n))];
            for (wanted, make) in pmd.shared.worker.wanted_emc.iter().zip(make) {
                let entries = wanted.swap(0, Ordering::Relaxed);
                if entries == 0 {
                    continue;
                }
                let (away, old) = bounded(1);
                let emc = Box::new(make(entries));
                pmd.send(PmdCommand::Worker(WorkerCommand::Emc(emc, away)));
                log::info!(target: "dpif_netdev", "core {}: EMC grows to {entries} entries", pmd.shared.core);
                drop(old.recv_timeout(PERIOD));
            }
        }
    }

    /// Takes note of a MAC address and MTU that may have been changed by others.
    fn follow_device(&self, no: PortNo, mac: [u8; 6], mtu: u16) {
        let mut state = lock(&self.state);
        let Some(port) = state.ports.get_mut(&no) else {
            return;
        };
        port.mac = mac;
        if port.mtu != mtu {
            port.mtu = mtu;
            port.apply_state();
        }
    }

    /// Gives a guest's port as many queues as the guest has.
    fn follow_guest(&self, no: PortNo, device: &mut Device) {
        let Device::Vhost(vhost) = device else {
            return;
        };
        let wanted = usize::from(vhost.queue_pairs());
        {
            let mut state = lock(&self.state);
            let Some(port) = state.ports.get_mut(&no) else {
                return;
            };
            let mut fresh = false;
            while port.rxqs.len() < wanted
                && let Some(rx) = vhost.next_rx()
            {
                let queue = port.rxqs.len() as u16;
                port.rxqs.push(Rxq::parked(rx, no, queue, Arc::default()));
                fresh = true;
            }
            while port.lanes.len() < wanted
                && let Some(tx) = vhost.next_tx(port.lanes.len() as u16)
            {
                port.lanes.push(Arc::new(TxLane::new(tx, port.max_frame())));
            }
            port.apply_state();
            let active = wanted.min(port.lanes.len());
            if port.active_lanes == active && !fresh {
                return;
            }
            port.active_lanes = active;
        }
        self.attach_lanes(no);
        self.rebalance();
    }
}
