//! The sockets of one bridge: `BRIDGE.mgmt` for tools, `BRIDGE.snoop` for those who listen in, and
//! its controllers.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use weir_flow::Datapath;
use weir_ofproto::config::{Behind, FailMode, PortCounters};
use weir_ofproto::connection::ConnKind;
use weir_ofproto::view::BridgeId;
use weir_ofproto::{Bridge, Switch};
use weir_openflow::OfVersion;
use weir_runtime::clock::{Msec, earlier};
use weir_runtime::dirs;
use weir_runtime::reactor::Reactor;
use weir_runtime::stream::{Listener, Stream};

use super::BridgeSettings;
use super::controller::ControllerLink;
use super::link::Link;
use crate::desired::ControllerKind;
use crate::report::ControllerReport;

/// Most tools connected to one bridge at once.
const MAX_SERVICE: usize = 256;
/// Most bytes that wait for somebody who listens in.
const MAX_SNOOP: usize = 1 << 20;
/// So many probe intervals without controllers, and a standalone bridge helps itself.
const FAIL_OPEN_PROBES: Msec = 3;

/// How often packets are looked at that wait for their controller's rate limit, milliseconds.
const PACKET_INTERVAL: Msec = 10;

/// Somebody who gets a copy of the controllers' messages.
#[derive(Debug)]
struct Snooper {
    stream: Stream,
    output: VecDeque<u8>,
}

/// See the [module documentation](self).
#[derive(Debug)]
pub(super) struct BridgeSockets {
    bridge: Arc<Bridge>,
    reactor: Reactor,
    mgmt: Option<Listener>,
    snoop: Option<Listener>,
    versions: Vec<OfVersion>,
    fail_mode: FailMode,
    tools: Vec<Link>,
    snoopers: Vec<Snooper>,
    controllers: Vec<ControllerLink>,
    opened_ms: Msec,
}

fn listen(name: &str, suffix: &str, reactor: &Reactor) -> Option<Listener> {
    let target = format!("punix:{}", dirs::rundir().join(format!("{name}.{suffix}")).display());
    match Listener::open(&target, None, reactor) {
        Ok(listener) => Some(listener),
        Err(e) => {
            log::error!(target: "connmgr", "failed to listen on {target}: {e}");
            None
        }
    }
}

impl BridgeSockets {
    pub(super) fn open(name: &str, bridge: Arc<Bridge>, reactor: &Reactor) -> Self {
        Self {
            bridge,
            reactor: reactor.clone(),
            mgmt: listen(name, "mgmt", reactor),
            snoop: listen(name, "snoop", reactor),
            versions: OfVersion::ALL.to_vec(),
            fail_mode: FailMode::Standalone,
            tools: Vec::new(),
            snoopers: Vec::new(),
            controllers: Vec::new(),
            opened_ms: 0,
        }
    }

    pub(super) fn bridge_id(&self) -> BridgeId {
        self.bridge.id
    }

    pub(super) fn configure(&mut self, switch: &Switch, settings: BridgeSettings, now: Msec) {
        let BridgeSettings { name, versions, mut controllers, wait, fail_mode } = settings;
        let configured = controllers.iter().any(|c| c.kind == ControllerKind::Primary);
        if wait {
            controllers.clear();
        }
        if self.opened_ms == 0 {
            self.opened_ms = now;
        }
        let mut state = self.bridge.lock();
        // Another set of versions is agreed on by connecting anew.
        let renegotiate = self.versions != versions;
        self.versions = versions;
        self.fail_mode = fail_mode;
        let mut old = std::mem::take(&mut self.controllers);
        for wanted in controllers {
            let same = old.iter().position(|c| c.settings.target == wanted.target);
            let mut link = match same {
                Some(at) => {
                    let mut link = old.swap_remove(at);
                    link.update(wanted);
                    link
                }
                None => ControllerLink::new(&name, wanted, now),
            };
            if renegotiate {
                link.reconnect(now);
            }
            self.controllers.push(link);
        }
        old.iter_mut().for_each(|gone| gone.close(&mut state));
        let now_ms = u64::try_from(now).unwrap_or(0);
        drop(state);
        switch.set_controllers(&self.bridge, configured, now_ms);
    }

    /// Takes new connections and what came in on the old ones. True if anything came.
    pub(super) fn receive(&mut self, now: Msec) -> bool {
        let mut state = self.bridge.lock();
        let mut received = false;
        while let Some(Ok(stream)) = self.mgmt.as_ref().map(Listener::accept) {
            if self.tools.len() < MAX_SERVICE {
                let id = state.conns.open(ConnKind::Service, &self.versions);
                self.tools.push(Link::new(stream, id));
            }
        }
        while let Some(Ok(stream)) = self.snoop.as_ref().map(Listener::accept) {
            self.snoopers.push(Snooper { stream, output: VecDeque::new() });
        }
        for link in &mut self.tools {
            // What came before the end is still executed; `transmit` then closes the link.
            match link.receive(&mut state) {
                Ok(n) => received |= n > 0,
                Err(_) => {
                    link.ended = true;
                    received = true;
                }
            }
        }
        for controller in &mut self.controllers {
            received |= controller.receive(&mut state, &self.versions, &self.reactor, now);
        }
        let snooping = !self.snoopers.is_empty();
        for controller in &self.controllers {
            for link in controller.links() {
                if let Some(conn) = state.conns.get_mut(link.id) {
                    conn.set_snooping(snooping);
                }
            }
        }
        received
    }

    /// Tells the bridge what its ports have counted.
    pub(super) fn refresh_counters(&self, datapath: &dyn Datapath) {
        let mut state = self.bridge.lock();
        for port in state.ports.values_mut() {
            if let Behind::Datapath(no) = port.config.behind
                && let Some(c) = datapath.port_counters(no)
            {
                port.counters = counters(&c);
            }
        }
    }

    /// Executes what came in. True if something is left for which there was no turn.
    pub(super) fn run(&mut self, switch: &Switch, datapath: &dyn Datapath, now: Msec) -> bool {
        let now_ms = u64::try_from(now).unwrap_or(0).max(1);
        self.update_fail_open(switch, now, now_ms);
        switch.run_connections(&self.bridge, datapath, now_ms)
    }

    /// A standalone bridge forwards by itself when its controllers have been away for too long.
    fn update_fail_open(&self, switch: &Switch, now: Msec, now_ms: u64) {
        let primary =
            || self.controllers.iter().filter(|c| c.settings.kind == ControllerKind::Primary);
        let away = primary().map(|c| {
            let probe = Msec::try_from(c.settings.probe_ms).unwrap_or(0).max(5_000);
            let since = c.away_since(now)?.max(self.opened_ms);
            Some(now - since >= FAIL_OPEN_PROBES * probe)
        });
        let states: Vec<Option<bool>> = away.collect();
        let all_away = !states.is_empty() && states.iter().all(|s| *s == Some(true));
        let on = self.fail_mode == FailMode::Standalone && all_away;
        switch.set_fail_open(&self.bridge, on, now_ms);
    }

    /// Sends what is to be sent.
    pub(super) fn transmit(&mut self, now: Msec) {
        let mut state = self.bridge.lock();
        for controller in &self.controllers {
            for link in controller.links() {
                let Some(conn) = state.conns.get_mut(link.id) else { continue };
                for message in conn.take_snooped() {
                    for snooper in &mut self.snoopers {
                        if snooper.output.len() + message.len() <= MAX_SNOOP {
                            snooper.output.extend(&message);
                        }
                    }
                }
            }
        }
        self.tools.retain_mut(|link| {
            let alive = link.transmit(&mut state).is_ok() && !link.ended;
            if !alive {
                state.conns.close(link.id);
            }
            alive
        });
        for controller in &mut self.controllers {
            controller.transmit(&mut state, now);
        }
        drop(state);
        self.snoopers.retain_mut(Snooper::transmit);
    }

    pub(super) fn reconnect(&mut self, now: Msec) {
        self.controllers.iter_mut().for_each(|c| c.reconnect(now));
    }

    pub(super) fn poll_at(&self, now: Msec) -> Option<Msec> {
        let due = self.controllers.iter().fold(None, |due, c| earlier(due, c.poll_at(now)));
        let state = self.bridge.lock();
        let bundles = state.conns.expires_at().map(|ms| Msec::try_from(ms).unwrap_or(Msec::MAX));
        let waiting = state.conns.iter().any(|(_, c)| c.has_waiting_packets());
        earlier(earlier(due, bundles), waiting.then_some(now + PACKET_INTERVAL))
    }

    pub(super) fn reports(&self, now: Msec) -> Vec<ControllerReport> {
        let state = self.bridge.lock();
        self.controllers.iter().map(|c| c.report(&state, now)).collect()
    }
}

/// Counters that the device does not keep are all ones, as OpenFlow has it.
fn counters(c: &weir_flow::slowpath::PortCounters) -> PortCounters {
    let known = |n: Option<u64>| n.unwrap_or(u64::MAX);
    PortCounters {
        rx_packets: c.rx_packets,
        tx_packets: c.tx_packets,
        rx_bytes: c.rx_bytes,
        tx_bytes: c.tx_bytes,
        rx_dropped: known(c.rx_dropped),
        tx_dropped: known(c.tx_dropped),
        rx_errors: known(c.rx_errors),
        tx_errors: known(c.tx_errors),
        rx_frame_err: known(c.rx_frame_err),
        rx_over_err: known(c.rx_over_err),
        rx_crc_err: known(c.rx_crc_err),
        collisions: known(c.collisions),
    }
}

impl Drop for BridgeSockets {
    fn drop(&mut self) {
        let mut state = self.bridge.lock();
        self.tools.drain(..).for_each(|l| state.conns.close(l.id));
        self.controllers.iter_mut().for_each(|c| c.close(&mut state));
    }
}

impl Snooper {
    /// Sends what there is. False when the other side is gone.
    fn transmit(&mut self) -> bool {
        let mut buffer = [0; 512];
        loop {
            // Nothing is expected from this side; the end of the stream is.
            match self.stream.recv(&mut buffer) {
                Ok(0) => return false,
                Ok(_) => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => return false,
            }
        }
        while !self.output.is_empty() {
            let (front, _) = self.output.as_slices();
            match self.stream.send(front) {
                Ok(n) => drop(self.output.drain(..n)),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => return false,
            }
        }
        true
    }
}
