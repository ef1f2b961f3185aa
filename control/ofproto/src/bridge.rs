//! [`Bridge`]: one bridge as the control side holds it: configuration, ports, flows, connections.
//! What translation needs of it is published as a [`BridgeView`].

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU8};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use weir_openflow::{Action, FlowMod, NameMap, OfPort};
use weir_protocols::mac_learning::MacTable;
use weir_rcu::Rcu;

use crate::config::{Behind, BridgeConfig, PortConfig, PortCounters, VlanMode};
use crate::connection::ConnManager;
use crate::flows::FlowTables;
use crate::ports::{PortFlags, PortState};
use crate::view::{
    ASKS_CONTROLLER, BridgeId, BridgeShared, BridgeView, BundleId, BundleView, DROPS_FRAGMENT,
    DROPS_MISS, Generation, INTERNAL_TABLE, N_TABLES, PatchCounters, PortTarget, PortView,
    TableCounters, TableSet, VlanSet,
};

/// A port of a bridge.
#[derive(Clone, Debug)]
pub struct Port {
    /// As configured.
    pub config: PortConfig,
    /// Configuration bits, as port-mods set them.
    pub flags: PortFlags,
    /// When it was added, in monotonic milliseconds.
    pub created_ms: u64,
    /// Counters of the device, as last told.
    pub counters: PortCounters,
    /// Counters of a patch port.
    pub patch: Arc<PatchCounters>,
}

impl Port {
    /// State bits, as controllers see them.
    #[must_use]
    pub fn state(&self) -> PortState {
        if self.config.link_up { PortState::LIVE } else { PortState::LINK_DOWN }
    }

    /// Its counters: the device's, or those of a patch port.
    #[must_use]
    pub fn counters(&self) -> PortCounters {
        match self.config.behind {
            Behind::Datapath(_) => self.counters,
            Behind::Patch { .. } => {
                let [rx_packets, rx_bytes, tx_packets, tx_bytes] = self.patch.get();
                PortCounters { rx_packets, rx_bytes, tx_packets, tx_bytes, ..PortCounters::UNKNOWN }
            }
        }
    }
}

/// What changed about a port, for controllers.
#[derive(Clone, Debug)]
pub enum PortEvent {
    /// It is new.
    Added(Box<Port>),
    /// It is gone.
    Deleted(Box<Port>),
    /// Its name, address, state or configuration changed.
    Modified(Box<Port>),
}

/// See the [module documentation](self).
#[derive(Debug)]
pub struct Bridge {
    /// Its identifier.
    pub id: BridgeId,
    /// What translation also uses.
    pub shared: Arc<BridgeShared>,
    state: Mutex<BridgeState>,
}

/// Finds the bridge and port of a patch port's peer, by the names of the port and the peer.
pub(crate) type FindPeer<'a> = &'a dyn Fn(&str, &str) -> Option<(BridgeId, OfPort)>;

/// The parts that only the control side touches.
#[derive(Debug)]
pub struct BridgeState {
    /// As last applied.
    pub config: BridgeConfig,
    /// Its ports by number.
    pub ports: BTreeMap<OfPort, Port>,
    /// Its flows.
    pub flows: FlowTables,
    /// Its OpenFlow connections.
    pub conns: ConnManager,
    bundle_ids: HashMap<String, BundleId>,
    next_bundle: u32,
    port_events: Vec<PortEvent>,
}

impl Bridge {
    /// A bridge without ports.
    #[must_use]
    pub fn new(id: BridgeId, name: &str, generation: &Arc<Generation>, now_ms: u64) -> Self {
        let shared = Arc::new(BridgeShared {
            tables: Rcu::new(TableSet::default()),
            macs: RwLock::new(MacTable::new()),
            counters: (0..N_TABLES).map(|_| TableCounters::default()).collect(),
            miss_to_controller: AtomicBool::new(false),
            fragments: AtomicU8::new(0),
            forwarding_changed: generation.clone(),
        });
        let mut state = BridgeState {
            config: BridgeConfig::new(name),
            ports: BTreeMap::new(),
            flows: FlowTables::new(),
            conns: ConnManager::default(),
            bundle_ids: HashMap::new(),
            next_bundle: 1,
            port_events: Vec::new(),
        };
        add_internal_flows(&mut state.flows, now_ms);
        state.flows.publish(&shared);
        Self { id, shared, state: Mutex::new(state) }
    }

    /// The control side's parts. Not for PMD threads: they use [`Bridge::try_lock`].
    pub fn lock(&self) -> MutexGuard<'_, BridgeState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The control side's parts, if nobody is using them.
    pub fn try_lock(&self) -> Option<MutexGuard<'_, BridgeState>> {
        match self.state.try_lock() {
            Ok(guard) => Some(guard),
            Err(std::sync::TryLockError::Poisoned(e)) => Some(e.into_inner()),
            Err(std::sync::TryLockError::WouldBlock) => None,
        }
    }

    /// Takes over a configuration. True if translation is concerned.
    pub fn apply(&self, config: &BridgeConfig, now_ms: u64) -> bool {
        let mut state = self.lock();
        if state.config == *config {
            return false;
        }
        state.apply_ports(config, now_ms);
        state.flows.configure(&config.tables);
        state.flows.publish(&self.shared);
        if let Ok(mut macs) = self.shared.macs.write() {
            let ml = &config.mac_learning;
            macs.configure(ml.aging_secs, ml.table_size);
            macs.set_flood_vlans(&ml.flood_vlans);
            state.forget_stations_of_removed_bundles(config, &mut macs);
        }
        state.config = config.clone();
        true
    }
}

impl BridgeState {
    fn apply_ports(&mut self, config: &BridgeConfig, now_ms: u64) {
        let mut wanted: BTreeMap<OfPort, &PortConfig> = BTreeMap::new();
        for p in &config.ports {
            if wanted.insert(p.ofport, p).is_some() {
                log::warn!(
                    target: "ofproto",
                    "{}: ignoring port {} with the number of another one", config.name, p.name
                );
            }
        }
        let gone = self.ports.keys().filter(|n| !wanted.contains_key(n)).copied();
        for number in gone.collect::<Vec<_>>() {
            if let Some(port) = self.ports.remove(&number) {
                self.port_events.push(PortEvent::Deleted(Box::new(port)));
            }
        }
        for (number, config) in wanted {
            match self.ports.get_mut(&number) {
                Some(port) if port.config.name == config.name => {
                    if port.config != *config {
                        let visible = is_visible_change(&port.config, config);
                        port.config = config.clone();
                        port.flags = with_admin_state(port.flags, config.admin_up);
                        if visible {
                            self.port_events.push(PortEvent::Modified(Box::new(port.clone())));
                        }
                    }
                }
                other => {
                    let port = Port {
                        config: config.clone(),
                        flags: with_admin_state(PortFlags::default(), config.admin_up),
                        created_ms: now_ms,
                        counters: PortCounters::default(),
                        patch: Arc::default(),
                    };
                    let old = other.map(|slot| std::mem::replace(slot, port.clone()));
                    match old {
                        Some(old) => self.port_events.push(PortEvent::Deleted(Box::new(old))),
                        None => {
                            self.ports.insert(number, port.clone());
                        }
                    }
                    self.port_events.push(PortEvent::Added(Box::new(port)));
                }
            }
        }
    }

    fn forget_stations_of_removed_bundles(
        &mut self,
        config: &BridgeConfig,
        macs: &mut MacTable<BundleId>,
    ) {
        let next = &mut self.next_bundle;
        let mut ids = HashMap::new();
        for b in &config.bundles {
            let id = self.bundle_ids.remove(&b.name).unwrap_or_else(|| {
                *next += 1;
                BundleId(*next)
            });
            ids.insert(b.name.clone(), id);
        }
        for gone in self.bundle_ids.values() {
            macs.flush_port(*gone);
        }
        // A bundle that changed its VLANs may not have the stations it had.
        for b in &config.bundles {
            let old = self.config.bundles.iter().find(|o| o.name == b.name);
            if old.is_some_and(|o| o.vlan != b.vlan)
                && let Some(id) = ids.get(&b.name)
            {
                macs.flush_port(*id);
            }
        }
        self.bundle_ids = ids;
    }

    /// Takes the port events since the last call.
    pub fn take_port_events(&mut self) -> Vec<PortEvent> {
        std::mem::take(&mut self.port_events)
    }

    /// Changes configuration bits of a port. True if that is a change.
    pub fn set_port_flags(&mut self, port: OfPort, flags: PortFlags) -> bool {
        let Some(p) = self.ports.get_mut(&port) else { return false };
        if p.flags == flags {
            return false;
        }
        p.flags = flags;
        self.port_events.push(PortEvent::Modified(Box::new(p.clone())));
        true
    }

    /// The port with this name.
    #[must_use]
    pub fn port_by_name(&self, name: &str) -> Option<&Port> {
        self.ports.values().find(|p| p.config.name == name)
    }

    /// The names of the ports.
    #[must_use]
    pub fn port_names(&self) -> NameMap {
        let mut names = NameMap::default();
        for p in self.ports.values() {
            names.insert(u32::from(p.config.ofport.0), &p.config.name);
        }
        names
    }

    /// What translation needs. `peer` finds the bridge and port of a patch port's peer.
    pub(crate) fn view(&self, bridge: &Bridge, peer: FindPeer<'_>) -> BridgeView {
        let mut ports = HashMap::new();
        for (number, p) in &self.ports {
            let to = match &p.config.behind {
                Behind::Datapath(port) => PortTarget::Datapath(*port),
                Behind::Patch { peer: name } => PortTarget::Patch {
                    peer: peer(&p.config.name, name),
                    counters: p.patch.clone(),
                },
            };
            let view = PortView {
                ofport: *number,
                name: p.config.name.clone(),
                kind: p.config.kind.clone(),
                to,
                bundle: None,
                flags: p.flags,
                up: p.config.link_up && p.config.admin_up,
            };
            ports.insert(*number, view);
        }
        let mut bundles = Vec::new();
        for b in &self.config.bundles {
            let Some(id) = self.bundle_ids.get(&b.name).copied() else { continue };
            let there = b.members.iter().filter(|m| ports.contains_key(m)).copied();
            let members: Vec<OfPort> = there.collect();
            if members.is_empty() {
                continue;
            }
            let mut floodable = true;
            for m in &members {
                if let Some(p) = ports.get_mut(m) {
                    p.bundle = Some(id);
                    floodable &= !p.flags.has(PortFlags::NO_FLOOD);
                }
            }
            let set = |v: &Option<Vec<u16>>| v.as_ref().map(|v| VlanSet::new(v));
            let mut trunks = set(&b.vlan.trunks);
            if b.vlan.mode.is_native() && b.vlan.tag != 0 {
                // Untagged packets are of the native VLAN, so VLAN 0 has none.
                let set = trunks.get_or_insert_with(VlanSet::all);
                set.insert(b.vlan.tag);
                set.remove(0);
            }
            bundles.push(BundleView {
                id,
                name: b.name.clone(),
                members,
                mode: b.vlan.mode,
                vlan: if b.vlan.mode == VlanMode::Trunk { 0 } else { b.vlan.tag },
                trunks,
                cvlans: set(&b.vlan.cvlans),
                qinq_ethtype: b.vlan.qinq_ethtype,
                priority_tags: b.vlan.priority_tags,
                protected: b.protected,
                floodable,
            });
        }
        BridgeView {
            id: bridge.id,
            name: self.config.name.clone(),
            ports,
            bundles,
            forward_bpdu: self.config.forward_bpdu,
            port_names: self.port_names(),
            shared: bridge.shared.clone(),
        }
    }
}

fn with_admin_state(flags: PortFlags, up: bool) -> PortFlags {
    let down = if up { 0 } else { PortFlags::PORT_DOWN.0 };
    PortFlags(flags.0 & !PortFlags::PORT_DOWN.0 | down)
}

fn is_visible_change(old: &PortConfig, new: &PortConfig) -> bool {
    (old.mac, old.link_up, old.admin_up, old.features)
        != (new.mac, new.link_up, new.admin_up, new.features)
}

/// The flows of the internal table, which `bridge/dump-flows` shows: packets that come back with a
/// recirculation identifier, and what becomes of packets that no flow matches.
fn add_internal_flows(flows: &mut FlowTables, now_ms: u64) {
    let to_controller = weir_openflow::actions::action::ControllerAction {
        reason: crate::xlate::output::reason::IMPLICIT_MISS,
        ..Default::default()
    };
    let with_reg = |n: u32, actions: Vec<Action>| {
        let mut fm = FlowMod { actions, ..FlowMod::default() };
        fm.matched.mask.0.regs[0] = u32::MAX.into();
        fm.matched.flow.regs[0] = n.into();
        fm
    };
    flows.add_hidden(
        INTERNAL_TABLE,
        0,
        &with_reg(ASKS_CONTROLLER, vec![Action::Controller(Box::new(to_controller))]),
        now_ms,
    );
    flows.add_hidden(INTERNAL_TABLE, 0, &with_reg(DROPS_MISS, Vec::new()), now_ms);
    flows.add_hidden(INTERNAL_TABLE, 0, &with_reg(DROPS_FRAGMENT, Vec::new()), now_ms);
    let mut fresh = FlowMod::default();
    fresh.matched.mask.0.recirc_id = u32::MAX.into();
    flows.add_hidden(INTERNAL_TABLE, 2, &fresh, now_ms);
}
