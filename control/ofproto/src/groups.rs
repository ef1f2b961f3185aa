//! Groups (OpenFlow 1.3 section 5.6): lists of buckets, each a set of actions, of which a packet
//! gets one, some or all. They are part of a bridge's [`TableSet`](crate::view::TableSet): whoever
//! translates sees flows and groups of one version.
//!
//! | file | is |
//! | --- | --- |
//! | `buckets.rs` | adding and removing single buckets |
//! | `selection.rs` | how a select group picks a bucket |
//!
//! Group-mods are executed by [`FlowTables::group_mod`](crate::flows::FlowTables::group_mod), since
//! flows go with the groups they use.

pub mod buckets;
pub mod selection;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use imbl::OrdMap;
use weir_openflow::messages::group::{self, GroupDesc, GroupProps, GroupStats, GroupType};

pub use selection::Selection;

/// Packets and bytes, shared by the versions of a group or bucket and by megaflows' credits.
#[derive(Debug, Default)]
pub struct Counters {
    packets: AtomicU64,
    bytes: AtomicU64,
}

impl Counters {
    /// Adds packets and bytes.
    pub fn credit(&self, packets: u64, bytes: u64) {
        self.packets.fetch_add(packets, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Packets and bytes.
    #[must_use]
    pub fn get(&self) -> (u64, u64) {
        (self.packets.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed))
    }
}

/// One bucket.
#[derive(Clone, Debug)]
pub struct Bucket {
    /// What the controller said.
    pub config: group::Bucket,
    /// Packets that it was executed on.
    pub counters: Arc<Counters>,
}

impl From<group::Bucket> for Bucket {
    fn from(config: group::Bucket) -> Self {
        Self { config, counters: Arc::default() }
    }
}

/// One group. Immutable once in a table, but for its counters.
#[derive(Debug)]
pub struct Group {
    /// Its number.
    pub id: u32,
    /// What it does with its buckets.
    pub kind: GroupType,
    /// How one is to be picked, as the controller said.
    pub props: GroupProps,
    /// Its buckets, in order.
    pub buckets: Vec<Bucket>,
    /// How one is picked.
    pub selection: Selection,
    /// When it was made, in monotonic milliseconds; a modified group keeps it.
    pub created_ms: u64,
    /// Packets that came to it.
    pub counters: Arc<Counters>,
}

impl Group {
    /// A group with zero counters of its own.
    #[must_use]
    pub fn new(
        id: u32,
        kind: GroupType,
        props: GroupProps,
        buckets: Vec<Bucket>,
        created_ms: u64,
    ) -> Self {
        let selection = match kind {
            GroupType::Select => Selection::new(&props, &buckets),
            _ => Selection::SymmetricL4,
        };
        Self { id, kind, props, buckets, selection, created_ms, counters: Arc::default() }
    }

    /// Its description.
    #[must_use]
    pub fn desc(&self) -> GroupDesc {
        GroupDesc {
            group_id: self.id,
            kind: self.kind,
            buckets: self.buckets.iter().map(|b| b.config.clone()).collect(),
            props: self.props.clone(),
        }
    }

    /// Its statistics, given how many flows use it.
    #[must_use]
    pub fn stats(&self, ref_count: u32, now_ms: u64) -> GroupStats {
        use weir_openflow::messages::duration::Duration;
        let (packet_count, byte_count) = self.counters.get();
        GroupStats {
            group_id: self.id,
            ref_count,
            packet_count,
            byte_count,
            duration: Some(Duration::from_millis(now_ms.saturating_sub(self.created_ms))),
            buckets: self.buckets.iter().map(|b| b.counters.get()).collect(),
        }
    }
}

/// The groups of a bridge. Copies share what did not change since.
#[derive(Clone, Debug, Default)]
pub struct GroupTable(OrdMap<u32, Arc<Group>>);

impl GroupTable {
    /// A group.
    #[must_use]
    pub fn get(&self, id: u32) -> Option<&Arc<Group>> {
        self.0.get(&id)
    }

    /// All groups, by number.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Group>> {
        self.0.values()
    }

    /// The groups that a request for one or `OFPG_ALL` means.
    pub fn select(&self, id: u32) -> impl Iterator<Item = &Arc<Group>> {
        let all = id == group::group_id::ALL;
        let range = if all { 0..=u32::MAX } else { id..=id };
        self.0.range(range).map(|(_, g)| g)
    }

    /// Adds a group, or puts it in the place of the one of its number.
    pub fn put(&mut self, group: Group) {
        self.0.insert(group.id, Arc::new(group));
    }

    /// Removes a group. True if it was there.
    pub fn remove(&mut self, id: u32) -> bool {
        self.0.remove(&id).is_some()
    }

    /// Is there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
