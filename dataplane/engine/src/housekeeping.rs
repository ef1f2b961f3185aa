//! What the engine's owner lets it do now and then: follow guests that come with more queues, and
//! kernel devices that others change.

use std::sync::Arc;

use weir_flow::PortNo;

use crate::engine::{Engine, lock};
use crate::pmd::rxq::{PolledQueue, RxqLoad};
use crate::port::lane::TxLane;
use crate::port::{Device, ETHERNET_LEN};

impl Engine {
    /// To be called about once a second, and may be more often.
    pub fn run(&self) {
        let _changing = lock(&self.changing);
        let ports: Vec<_> = {
            let state = lock(&self.state);
            state.ports.values().map(|port| (port.no, Arc::clone(&port.device))).collect()
        };
        for (no, device) in ports {
            let mut device = lock(&device);
            if matches!(&*device, Device::Vhost(_)) {
                self.follow_guest(no, &mut device);
            } else if let Some((mac, mtu)) = device.address_and_mtu() {
                self.follow_device(no, mac, mtu);
            }
        }
        lock(&self.injector).maintain();
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
            let frame = if port.up { u32::from(mtu) + ETHERNET_LEN } else { 0 };
            port.lanes.iter().for_each(|lane| lane.set_max_frame(frame));
        }
    }

    /// Gives a guest's port as many queues as the guest has.
    fn follow_guest(&self, no: PortNo, device: &mut Device) {
        let Device::Vhost(vhost) = device else {
            return;
        };
        let wanted = usize::from(vhost.queue_pairs());
        let mut fresh = Vec::new();
        {
            let mut state = lock(&self.state);
            let Some(port) = state.ports.get_mut(&no) else {
                return;
            };
            while port.rxqs.len() < wanted
                && let Some(rx) = vhost.next_rx()
            {
                let load = Arc::new(RxqLoad::default());
                let queue = port.rxqs.len() as u16;
                port.rxqs.push((Arc::clone(&load), None));
                fresh.push(PolledQueue::new(rx, no, queue, !port.config.emc_disabled, load));
            }
            let frame = if port.up { u32::from(port.mtu) + ETHERNET_LEN } else { 0 };
            while port.lanes.len() < wanted
                && let Some(tx) = vhost.next_tx(port.lanes.len() as u16)
            {
                port.lanes.push(Arc::new(TxLane::new(tx, frame)));
            }
            let active = wanted.min(port.lanes.len());
            if port.active_lanes == active && fresh.is_empty() {
                return;
            }
            port.active_lanes = active;
        }
        self.attach_lanes(no);
        let places = self.places_for(no);
        for queue in fresh {
            let place = places.get(usize::from(queue.queue)).copied().flatten();
            self.give_queue(queue, place);
        }
    }
}
