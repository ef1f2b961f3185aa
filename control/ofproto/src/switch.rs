//! [`Switch`]: all bridges that share one datapath. It publishes what translation needs, answers
//! the packet engine's misses, and queues packets for controllers.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak};

use weir_flow::action::{ControllerCookie, SampleCookie};
use weir_flow::slowpath::{Datapath, Miss, QueueFull, SlowPath, Translation};
use weir_flow::{Flow, PortNo};
use weir_openflow::OfPort;
use weir_rcu::{Guard, Rcu};

use crate::bridge::Bridge;
use crate::config::{Behind, BridgeConfig};
use crate::connection::{ConnId, ConnKind, Reach};
use crate::view::{BridgeId, Generation, SwitchView};
use crate::xlate::ctx::{Env, Tracing};
use crate::xlate::learn::{LearnSink, Learned};
use crate::xlate::output::PacketInState;
use crate::xlate::recirc::RecircTable;
use crate::xlate::{self, Outcome, Start};

/// Packets for controllers that may wait for the OpenFlow thread.
const MAX_PACKET_INS: usize = 1024;
/// Flows taught by packets that may wait for the control side.
const MAX_LEARNED: usize = 4096;

/// A packet for the controllers of a bridge.
#[derive(Clone, Debug)]
pub struct PacketIn {
    /// How the action asked for it.
    pub cookie: Arc<ControllerCookie>,
    /// The pipeline's state at that point.
    pub state: Arc<PacketInState>,
    /// The packet's datapath key.
    pub key: Box<Flow>,
    /// The packet.
    pub packet: Vec<u8>,
}

/// Called when something waits for the control side; it must only wake a thread.
pub type Waker = Box<dyn Fn() + Send + Sync>;

/// See the [module documentation](self).
pub struct Switch {
    view: Rcu<SwitchView>,
    bridges: Mutex<BTreeMap<String, Arc<Bridge>>>,
    next_bridge: AtomicU32,
    vlan_limit: AtomicU32,
    recirc: RecircTable,
    generation: Arc<Generation>,
    learner: Arc<Learner>,
    learn_sink: Arc<dyn LearnSink>,
    packet_ins: Mutex<VecDeque<PacketIn>>,
    packet_ins_dropped: AtomicU64,
    waker: RwLock<Option<Waker>>,
    /// Are packets without a megaflow left alone?
    held: AtomicBool,
    /// Does each megaflow compare all of its packet?
    exact: AtomicBool,
    /// Is the view to be published when no bridge is locked any more?
    stale: AtomicBool,
}

impl std::fmt::Debug for Switch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Switch").field("bridges", &self.names()).finish_non_exhaustive()
    }
}

impl Default for Switch {
    fn default() -> Self {
        Self::new()
    }
}

impl Switch {
    /// A switch without bridges.
    #[must_use]
    pub fn new() -> Self {
        let learner = Arc::new(Learner::default());
        Self {
            view: Rcu::new(SwitchView { vlan_limit: 1, ..SwitchView::default() }),
            bridges: Mutex::default(),
            next_bridge: AtomicU32::new(1),
            vlan_limit: AtomicU32::new(1),
            recirc: RecircTable::default(),
            generation: Arc::default(),
            learn_sink: learner.clone(),
            learner,
            packet_ins: Mutex::default(),
            packet_ins_dropped: AtomicU64::new(0),
            waker: RwLock::new(None),
            held: AtomicBool::new(false),
            exact: AtomicBool::new(false),
            stale: AtomicBool::new(false),
        }
    }

    /// Sets what is called when packets or learned flows wait to be taken.
    pub fn set_waker(&self, waker: Waker) {
        *self.waker.write().unwrap_or_else(PoisonError::into_inner) = Some(waker);
    }

    /// Sets how many VLAN tags are looked at (`other_config:vlan-limit`); 0 is all.
    pub fn set_vlan_limit(&self, limit: u32) {
        if self.vlan_limit.swap(limit, Ordering::Relaxed) != limit {
            self.publish();
        }
    }

    /// Leaves packets that no megaflow matches alone, while flows are being restored.
    pub fn hold(&self, on: bool) {
        self.held.store(on, Ordering::Relaxed);
    }

    /// Makes every new megaflow compare all of its packet (`upcall/disable-megaflows`).
    pub fn set_exact(&self, on: bool) {
        self.exact.store(on, Ordering::Relaxed);
    }

    /// Makes the switch have exactly these bridges.
    pub fn apply(&self, configs: &[BridgeConfig], now_ms: u64) {
        let mut changed = false;
        {
            let mut bridges = self.lock_bridges();
            let before = bridges.len();
            bridges.retain(|name, _| configs.iter().any(|c| c.name == *name));
            changed |= bridges.len() != before;
            for config in configs {
                let bridge = bridges.entry(config.name.clone()).or_insert_with(|| {
                    let id = BridgeId(self.next_bridge.fetch_add(1, Ordering::Relaxed));
                    changed = true;
                    Arc::new(Bridge::new(id, &config.name, &self.generation, now_ms))
                });
                changed |= bridge.apply(config, now_ms);
            }
            self.learner.set_bridges(bridges.values());
        }
        if changed {
            self.publish();
        }
    }

    /// Publishes ports, bundles and settings of all bridges.
    pub fn publish(&self) {
        let bridges = self.lock_bridges();
        let mut view = SwitchView {
            vlan_limit: usize::try_from(self.vlan_limit.load(Ordering::Relaxed)).unwrap_or(0),
            ..SwitchView::default()
        };
        // Which port a patch port's name and its peer's name belong to.
        let mut patches: HashMap<String, (String, BridgeId, OfPort)> = HashMap::new();
        for bridge in bridges.values() {
            for (number, p) in &bridge.lock().ports {
                match &p.config.behind {
                    Behind::Datapath(port) => {
                        view.by_datapath.insert(*port, (bridge.id, *number));
                    }
                    Behind::Patch { peer } => {
                        patches.insert(p.config.name.clone(), (peer.clone(), bridge.id, *number));
                    }
                }
            }
        }
        // Patch ports are joined only if each names the other.
        let peer = |own: &str, peer: &str| {
            let (back, bridge, port) = patches.get(peer)?;
            (back == own).then_some((*bridge, *port))
        };
        for bridge in bridges.values() {
            let v = bridge.lock().view(bridge, &peer);
            view.bridges.insert(bridge.id, Arc::new(v));
        }
        drop(bridges);
        self.view.publish(view);
        self.generation.bump();
    }

    /// Has [`Switch::publish`] called when no bridge is locked any more.
    pub(crate) fn publish_later(&self) {
        self.stale.store(true, Ordering::Relaxed);
    }

    fn lock_bridges(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Bridge>>> {
        self.bridges.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The bridge of this name.
    #[must_use]
    pub fn bridge(&self, name: &str) -> Option<Arc<Bridge>> {
        self.lock_bridges().get(name).cloned()
    }

    /// All bridges, by name.
    #[must_use]
    pub fn bridges(&self) -> Vec<Arc<Bridge>> {
        self.lock_bridges().values().cloned().collect()
    }

    /// Their names.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.lock_bridges().keys().cloned().collect()
    }

    /// What translation sees, as of now.
    pub fn view<'g>(&self, guard: &'g Guard) -> &'g SwitchView {
        self.view.load(guard)
    }

    /// Counts what translation depends on.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation.get()
    }

    /// Says that translations may come out differently than before.
    pub fn forwarding_changed(&self) {
        self.generation.bump();
    }

    /// Recirculation identifiers in use.
    #[must_use]
    pub fn recirc(&self) -> &RecircTable {
        &self.recirc
    }

    /// Translates a packet. With `side_effects` it teaches addresses and flows.
    #[must_use]
    pub fn translate_key(
        &self,
        guard: &Guard,
        key: &Flow,
        start: Start<'_>,
        now_ms: u64,
        side_effects: bool,
        trace: Tracing,
    ) -> Outcome {
        let env = Env {
            view: self.view.load(guard),
            guard,
            recirc: &self.recirc,
            learner: &self.learn_sink,
            side_effects,
            packet_out: matches!(start, Start::PacketOut { .. }),
            trace,
            now_ms,
        };
        xlate::translate(env, key, start)
    }

    /// Takes the packets that wait for controllers.
    #[must_use]
    pub fn take_packet_ins(&self) -> VecDeque<PacketIn> {
        std::mem::take(&mut *self.packet_ins.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Packets for controllers that found no room.
    #[must_use]
    pub fn packet_ins_dropped(&self) -> u64 {
        self.packet_ins_dropped.load(Ordering::Relaxed)
    }

    /// Takes up an OpenFlow connection of a bridge.
    #[must_use]
    pub fn open_connection(&self, bridge: &Bridge, kind: ConnKind) -> ConnId {
        let mut state = bridge.lock();
        let versions = state.config.protocols.clone();
        state.conns.open(kind, &versions)
    }

    /// Executes the requests that have come in on a bridge's connections, and hands out what its
    /// controllers are to be told. True if there is more to do at once.
    pub fn run_connections(
        &self,
        bridge: &Arc<Bridge>,
        datapath: &dyn Datapath,
        now_ms: u64,
    ) -> bool {
        let reach = Reach { switch: self, bridge, datapath, now_ms };
        let mut state = bridge.lock();
        let mut conns = std::mem::take(&mut state.conns);
        let more = conns.run(&mut state, &reach);
        state.conns = conns;
        drop(state);
        self.learner.apply_queued(now_ms);
        if self.stale.swap(false, Ordering::Relaxed) {
            self.publish();
        }
        more
    }

    /// Gives the packets that wait for controllers to their connections.
    pub fn deliver_packet_ins(&self) {
        let bridges = self.bridges();
        for packet in self.take_packet_ins() {
            if let Some(bridge) = bridges.iter().find(|b| b.id == packet.state.bridge) {
                bridge.lock().conns.packet_in(&packet);
            }
        }
    }

    /// Says whether a bridge has controllers configured. Without any, a standalone bridge forwards
    /// as an ordinary switch.
    pub fn set_controllers(&self, bridge: &Bridge, configured: bool, now_ms: u64) {
        let mut state = bridge.lock();
        let mut conns = std::mem::take(&mut state.conns);
        conns.set_controllers(&mut state, configured, now_ms);
        state.conns = conns;
        state.flows.publish(&bridge.shared);
    }

    /// Says whether a standalone bridge's controllers have been away for too long.
    pub fn set_fail_open(&self, bridge: &Bridge, on: bool, now_ms: u64) {
        let mut state = bridge.lock();
        let mut conns = std::mem::take(&mut state.conns);
        conns.set_fail_open(&mut state, on, now_ms);
        state.conns = conns;
        state.flows.publish(&bridge.shared);
    }

    /// Does the housekeeping of about once a second: forgets old stations, lets flows time out,
    /// takes flows that packets taught, drops what no reader sees any more.
    pub fn run(&self, now_ms: u64) {
        self.learner.apply_queued(now_ms);
        for bridge in self.bridges() {
            let mut state = bridge.lock();
            state.flows.expire(now_ms);
            state.flows.publish(&bridge.shared);
            drop(state);
            let expired = bridge.shared.macs.write().is_ok_and(|mut m| m.expire(now_ms));
            if expired {
                self.generation.bump();
            }
        }
        self.recirc.sweep();
        weir_rcu::collect();
    }

    fn wake(&self) {
        if let Ok(waker) = self.waker.read()
            && let Some(wake) = waker.as_ref()
        {
            wake();
        }
    }

    /// The datapath port of a bridge's port.
    #[must_use]
    pub fn datapath_port(&self, bridge: BridgeId, port: OfPort) -> Option<PortNo> {
        let guard = weir_rcu::pin();
        let view = self.view.load(&guard);
        match view.bridges.get(&bridge)?.ports.get(&port)?.to {
            crate::view::PortTarget::Datapath(p) => Some(p),
            crate::view::PortTarget::Patch { .. } => None,
        }
    }
}

impl SlowPath for Switch {
    fn translate(&self, guard: &Guard, miss: &Miss<'_>) -> Translation {
        if self.held.load(Ordering::Relaxed) {
            return Outcome::refusal();
        }
        let outcome =
            self.translate_key(guard, miss.key, Start::Ingress, miss.now_ms, true, Tracing::Off);
        let mut translation = outcome.into_translation();
        if self.exact.load(Ordering::Relaxed) {
            translation.mask = xlate::whole(miss.key);
        }
        translation
    }

    fn packet_in(
        &self,
        cookie: &Arc<ControllerCookie>,
        key: &Flow,
        packet: &[u8],
    ) -> Result<(), QueueFull> {
        let Ok(state) = cookie.state.clone().downcast::<PacketInState>() else {
            return Err(QueueFull);
        };
        let mut queue = self.packet_ins.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.len() >= MAX_PACKET_INS {
            self.packet_ins_dropped.fetch_add(1, Ordering::Relaxed);
            return Err(QueueFull);
        }
        let first = queue.is_empty();
        queue.push_back(PacketIn {
            cookie: cookie.clone(),
            state,
            key: Box::new(*key),
            packet: packet.to_vec(),
        });
        drop(queue);
        if first {
            self.wake();
        }
        Ok(())
    }

    fn sample(
        &self,
        _cookie: &Arc<SampleCookie>,
        _key: &Flow,
        _packet: &[u8],
    ) -> Result<(), QueueFull> {
        // Translation makes no samples, since no collector can be configured; one that arrives has
        // nowhere to go.
        Err(QueueFull)
    }
}

/// Adds flows that packets taught: at once if the bridge is free, else when the control side next
/// runs. PMD threads never wait here.
#[derive(Debug, Default)]
struct Learner {
    bridges: RwLock<HashMap<BridgeId, Weak<Bridge>>>,
    queue: Mutex<VecDeque<(Learned, u64)>>,
}

impl Learner {
    fn set_bridges<'b>(&self, bridges: impl Iterator<Item = &'b Arc<Bridge>>) {
        let map = bridges.map(|b| (b.id, Arc::downgrade(b))).collect();
        *self.bridges.write().unwrap_or_else(PoisonError::into_inner) = map;
    }

    fn bridge(&self, id: BridgeId) -> Option<Arc<Bridge>> {
        self.bridges.read().ok()?.get(&id)?.upgrade()
    }

    fn apply_queued(&self, now_ms: u64) {
        let queue = std::mem::take(&mut *self.queue.lock().unwrap_or_else(PoisonError::into_inner));
        for (learned, _) in queue {
            if let Some(bridge) = self.bridge(learned.bridge) {
                let mut state = bridge.lock();
                // A flow that cannot be added is like one that was not learned.
                let _ = state.flows.learn(&learned, now_ms);
                state.flows.publish(&bridge.shared);
            }
        }
    }
}

impl LearnSink for Learner {
    fn learn(&self, learned: &Learned, now_ms: u64) {
        let Some(bridge) = self.bridge(learned.bridge) else { return };
        if let Some(mut state) = bridge.try_lock() {
            if state.flows.learn(learned, now_ms) == Ok(true) {
                state.flows.publish(&bridge.shared);
            }
            return;
        }
        if let Ok(mut queue) = self.queue.lock()
            && queue.len() < MAX_LEARNED
        {
            queue.push_back((learned.clone(), now_ms));
        }
    }

    fn has_room(&self, learned: &Learned) -> bool {
        let Some(bridge) = self.bridge(learned.bridge) else { return false };
        bridge.try_lock().is_none_or(|state| state.flows.has_room_to_learn(learned))
    }
}

#[cfg(test)]
mod tests;
