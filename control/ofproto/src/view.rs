//! What translation sees of the switch: immutable values behind [`Rcu`] cells, published whole by
//! the control side. Nothing here is locked but the MAC table (briefly).

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, RwLock};

use weir_flow::PortNo;
use weir_openflow::{NameMap, OfPort};
use weir_protocols::mac_learning::{Change, MacTable, Sighting, Station};
use weir_rcu::{Guard, Rcu};

use crate::config::{PriorityTags, VlanMode};
use crate::groups::GroupTable;
use crate::ports::PortFlags;
use crate::table::Classifier;

/// Number of OpenFlow tables, the internal one (254) included.
pub const N_TABLES: usize = 255;
/// The table of the switch's own flows.
pub const INTERNAL_TABLE: u8 = 254;

/// `reg0` of the internal table's flow for packets without a flow that a controller is asked about.
pub const ASKS_CONTROLLER: u32 = 1;
/// `reg0` of the one for packets without a flow that are dropped.
pub const DROPS_MISS: u32 = 2;
/// `reg0` of the one for fragments that are dropped.
pub const DROPS_FRAGMENT: u32 = 3;

/// Identifies a bridge for the life of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BridgeId(pub u32);

/// Identifies a bundle (a `Port` row) within a bridge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BundleId(pub u32);

/// All bridges that share the datapath.
#[derive(Debug, Default)]
pub struct SwitchView {
    /// The bridges.
    pub bridges: HashMap<BridgeId, Arc<BridgeView>>,
    /// Which port of which bridge a datapath port is.
    pub by_datapath: HashMap<PortNo, (BridgeId, OfPort)>,
    /// Outer VLAN tags that are looked at; 0 is all.
    pub vlan_limit: usize,
}

impl SwitchView {
    /// The bridge and port behind a datapath port.
    #[must_use]
    pub fn ingress(&self, port: PortNo) -> Option<(&Arc<BridgeView>, OfPort)> {
        let (bridge, ofport) = self.by_datapath.get(&port)?;
        Some((self.bridges.get(bridge)?, *ofport))
    }
}

/// One bridge.
#[derive(Debug)]
pub struct BridgeView {
    /// Its identifier.
    pub id: BridgeId,
    /// Its name.
    pub name: String,
    /// Its ports by number.
    pub ports: HashMap<OfPort, PortView>,
    /// Its bundles, in the order of their first port's number.
    pub bundles: Vec<BundleView>,
    /// Forward frames to reserved addresses.
    pub forward_bpdu: bool,
    /// Names of ports, for texts.
    pub port_names: NameMap,
    /// What outlives a change of configuration.
    pub shared: Arc<BridgeShared>,
}

impl BridgeView {
    /// A bundle by identifier.
    #[must_use]
    pub fn bundle(&self, id: BundleId) -> Option<&BundleView> {
        self.bundles.iter().find(|b| b.id == id)
    }
}

/// The parts of a bridge that change apart from its configuration.
#[derive(Debug)]
pub struct BridgeShared {
    /// The flows. A bundle or a batch of flow-mods is one new value.
    pub tables: Rcu<TableSet>,
    /// Learned addresses.
    pub macs: RwLock<MacTable<BundleId>>,
    /// Lookups of each table.
    pub counters: Box<[TableCounters]>,
    /// Packets without a flow go to the controller if the table does not say otherwise.
    pub miss_to_controller: AtomicBool,
    /// What becomes of IP fragments: see [`BridgeShared::fragments`].
    pub fragments: AtomicU8,
    /// Told whenever translations may come out differently than before.
    pub forwarding_changed: Arc<Generation>,
}

impl BridgeShared {
    /// The flows, as of now.
    pub fn tables<'g>(&self, guard: &'g Guard) -> &'g TableSet {
        self.tables.load(guard)
    }

    /// What becomes of IP fragments, as `ofp_config_flags` numbers it: 0 normal, 1 dropped,
    /// 3 `nx-match`: flows see the ports of first fragments.
    #[must_use]
    pub fn fragments(&self) -> u8 {
        self.fragments.load(Ordering::Relaxed)
    }

    /// Changes that. True if it is a change; reassembly (2) is not on offer.
    pub fn set_fragments(&self, handling: u8) -> bool {
        handling != 2 && self.fragments.swap(handling, Ordering::Relaxed) != handling
    }

    /// Learns where a station is. True if that is news.
    pub fn see_station(&self, seen: &Sighting<BundleId>, now_ms: u64) -> bool {
        let needs_update = self.macs.read().is_ok_and(|t| t.needs_update(seen, now_ms));
        if !needs_update {
            return false;
        }
        let change = self.macs.write().map_or(Change::None, |mut t| t.learn(seen, now_ms));
        if change != Change::None {
            self.forwarding_changed.bump();
        }
        change != Change::None
    }

    /// Where is a station?
    #[must_use]
    pub fn locate(&self, station: Station) -> Option<BundleId> {
        self.macs.read().ok()?.lookup(station)
    }
}

/// Counts changes of what translation depends on. Megaflows made before the last one are looked at
/// again.
#[derive(Debug, Default)]
pub struct Generation(AtomicU64);

impl Generation {
    /// Something changed.
    pub fn bump(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }

    /// How often something changed.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

/// Lookups of a table.
#[derive(Debug, Default)]
pub struct TableCounters {
    matched: AtomicU64,
    missed: AtomicU64,
}

impl TableCounters {
    /// Counts packets that found a flow, or none.
    pub fn credit(&self, packets: u64, found: bool) {
        let counter = if found { &self.matched } else { &self.missed };
        counter.fetch_add(packets, Ordering::Relaxed);
    }

    /// Packets that found a flow, and all that looked for one.
    #[must_use]
    pub fn matched_and_lookups(&self) -> (u64, u64) {
        let matched = self.matched.load(Ordering::Relaxed);
        (matched, matched + self.missed.load(Ordering::Relaxed))
    }
}

/// Packets through one patch port.
#[derive(Debug, Default)]
pub struct PatchCounters {
    rx_packets: AtomicU64,
    rx_bytes: AtomicU64,
    tx_packets: AtomicU64,
    tx_bytes: AtomicU64,
}

impl PatchCounters {
    /// Counts packets out of the port's bridge.
    pub fn credit_tx(&self, packets: u64, bytes: u64) {
        self.tx_packets.fetch_add(packets, Ordering::Relaxed);
        self.tx_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts packets into the port's bridge.
    pub fn credit_rx(&self, packets: u64, bytes: u64) {
        self.rx_packets.fetch_add(packets, Ordering::Relaxed);
        self.rx_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Received packets and bytes, sent packets and bytes.
    #[must_use]
    pub fn get(&self) -> [u64; 4] {
        [&self.rx_packets, &self.rx_bytes, &self.tx_packets, &self.tx_bytes]
            .map(|c| c.load(Ordering::Relaxed))
    }
}

/// The flows of all tables, and the groups.
#[derive(Clone, Debug)]
pub struct TableSet {
    tables: Box<[Option<Arc<Classifier>>]>,
    /// What each table does with a packet that no flow matches.
    pub miss: Arc<[TableMiss]>,
    /// The groups.
    pub groups: GroupTable,
    /// Counts the changes.
    pub version: u64,
}

impl Default for TableSet {
    fn default() -> Self {
        Self {
            tables: vec![None; N_TABLES].into(),
            miss: vec![TableMiss::default(); N_TABLES].into(),
            groups: GroupTable::default(),
            version: 0,
        }
    }
}

impl TableSet {
    /// A table; `None` if it is empty and has the default settings.
    #[must_use]
    pub fn get(&self, id: u8) -> Option<&Classifier> {
        self.tables.get(usize::from(id))?.as_deref()
    }

    /// A table to change; `None` for table 255, which does not exist.
    pub fn get_mut(&mut self, id: u8) -> Option<&mut Classifier> {
        let slot = self.tables.get_mut(usize::from(id))?;
        Some(Arc::make_mut(slot.get_or_insert_default()))
    }

    /// The tables that are not empty, by number.
    pub fn iter(&self) -> impl Iterator<Item = (u8, &Classifier)> {
        let some =
            (0..=u8::MAX).zip(self.tables.iter()).filter_map(|(n, t)| Some((n, t.as_deref()?)));
        some.filter(|(_, t)| !t.is_empty())
    }

    /// What the table does with a packet that no flow matches.
    #[must_use]
    pub fn miss(&self, id: u8) -> TableMiss {
        self.miss.get(usize::from(id)).copied().unwrap_or_default()
    }
}

/// What becomes of a packet that no flow of a table matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum TableMiss {
    /// To the controller for connections before OpenFlow 1.3, else dropped.
    #[default]
    Default,
    /// To the controller.
    Controller,
    /// On to the next table.
    Continue,
    /// Dropped.
    Drop,
}

/// One port.
#[derive(Clone, Debug)]
pub struct PortView {
    /// Its number.
    pub ofport: OfPort,
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: String,
    /// Where packets sent to it go.
    pub to: PortTarget,
    /// The bundle it is a member of.
    pub bundle: Option<BundleId>,
    /// Port configuration bits.
    pub flags: PortFlags,
    /// Can packets be sent to it: link and device up?
    pub up: bool,
}

/// Where packets sent to a port go.
#[derive(Clone, Debug)]
pub enum PortTarget {
    /// To a port of the datapath.
    Datapath(PortNo),
    /// Into another bridge.
    Patch {
        /// The peer's bridge and port, if it exists.
        peer: Option<(BridgeId, OfPort)>,
        /// Counters of this end.
        counters: Arc<PatchCounters>,
    },
}

/// One bundle.
#[derive(Clone, Debug)]
pub struct BundleView {
    /// Its identifier.
    pub id: BundleId,
    /// Its name.
    pub name: String,
    /// Its ports; never empty.
    pub members: Vec<OfPort>,
    /// How it treats VLAN tags.
    pub mode: VlanMode,
    /// Access, native or tunnel VLAN.
    pub vlan: u16,
    /// VLANs carried; with a native VLAN that one always, and never VLAN 0.
    pub trunks: Option<VlanSet>,
    /// Customer VLANs accepted.
    pub cvlans: Option<VlanSet>,
    /// Ethernet type of the outer tag of `dot1q-tunnel`.
    pub qinq_ethtype: u16,
    /// When frames leave with a priority-only tag.
    pub priority_tags: PriorityTags,
    /// Not to other protected bundles.
    pub protected: bool,
    /// May packets be flooded to it: no member forbids it?
    pub floodable: bool,
}

impl BundleView {
    /// Does it carry this VLAN as a trunk?
    #[must_use]
    pub fn trunks_vlan(&self, vid: u16) -> bool {
        self.trunks.as_ref().is_none_or(|t| t.has(vid))
    }

    /// Are packets with these VLAN identifiers, 0 for no tag, on the bundle?
    #[must_use]
    pub fn includes_vlans(&self, vid: u16, inner: u16) -> bool {
        match self.mode {
            VlanMode::Access => vid == self.vlan && inner == 0,
            VlanMode::Dot1qTunnel => vid == self.vlan,
            VlanMode::Trunk | VlanMode::NativeTagged | VlanMode::NativeUntagged => {
                self.trunks_vlan(vid)
            }
        }
    }
}

/// A set of VLAN identifiers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VlanSet(Arc<[u64; 64]>);

impl VlanSet {
    /// The set of these.
    #[must_use]
    pub fn new(vids: &[u16]) -> Self {
        let mut set = Self(Arc::new([0; 64]));
        for vid in vids {
            set.insert(*vid);
        }
        set
    }

    /// Every VLAN.
    #[must_use]
    pub fn all() -> Self {
        Self(Arc::new([u64::MAX; 64]))
    }

    /// Adds a VLAN.
    pub fn insert(&mut self, vid: u16) {
        if let Some(word) = Arc::make_mut(&mut self.0).get_mut(usize::from(vid / 64)) {
            *word |= 1 << (vid % 64);
        }
    }

    /// Takes a VLAN out.
    pub fn remove(&mut self, vid: u16) {
        if let Some(word) = Arc::make_mut(&mut self.0).get_mut(usize::from(vid / 64)) {
            *word &= !(1 << (vid % 64));
        }
    }

    /// Is it in the set?
    #[must_use]
    pub fn has(&self, vid: u16) -> bool {
        self.0.get(usize::from(vid / 64)).is_some_and(|w| w >> (vid % 64) & 1 == 1)
    }
}
