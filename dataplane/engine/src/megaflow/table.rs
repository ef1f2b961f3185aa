//! [`MegaflowTable`]: the megaflows of one thread. Per ingress port a list of subtables, most used
//! first, and the union of the bits they look at ("project before hashing", see `cache::emc`).

use std::collections::HashMap;
use std::sync::Arc;

use weir_flow::flow::{HOT_WORDS, WIDE_WORDS};
use weir_flow::slowpath::Translation;
use weir_flow::{Flow, Mask};

use crate::hash::HashKey;
use crate::megaflow::entry::Megaflow;
use crate::megaflow::mask_budget;
use crate::megaflow::subtable::{Key, Subtable};

/// Words of a hot packet that differ between packets of one port: all but the first.
pub(crate) const HOT_KEY_WORDS: usize = HOT_WORDS - 1;
/// The same of packets that take [`WIDE_WORDS`].
pub(crate) const WIDE_KEY_WORDS: usize = WIDE_WORDS - 1;

/// The bits of hot packets that some megaflow of a port looks at, and the version of that set: what
/// was learned under another version is void.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Projection {
    pub(crate) bits: [u64; WIDE_KEY_WORDS],
    pub(crate) epoch: u32,
}

impl Projection {
    /// For ports without megaflows: all packets differ, none is known.
    pub(crate) const NOTHING: Self = Self { bits: [u64::MAX; WIDE_KEY_WORDS], epoch: 0 };
}

/// The megaflows of one ingress port.
#[derive(Debug)]
struct PortFlows {
    projection: Projection,
    subtables: Vec<PortSubtable>,
}

#[derive(Debug)]
struct PortSubtable {
    table: Subtable,
    /// Has it ever held a megaflow for packets fresh from the port?
    fresh: bool,
}

/// What a look-up found, and how many subtables it asked.
#[derive(Debug)]
pub(crate) struct Found<'a> {
    pub(crate) flow: Option<&'a Arc<Megaflow>>,
    pub(crate) probes: u32,
}

/// See the [module documentation](self).
#[derive(Debug)]
pub(crate) struct MegaflowTable {
    ports: HashMap<u32, PortFlows>,
    secret: HashKey,
    next_epoch: u32,
}

fn hot_bits(mask: &Mask) -> [u64; WIDE_KEY_WORDS] {
    let words = mask.0.words();
    std::array::from_fn(|i| words[i + 1])
}

impl PortFlows {
    fn union(&self) -> [u64; WIDE_KEY_WORDS] {
        let fresh = self.subtables.iter().filter(|s| s.fresh);
        fresh.fold([0; WIDE_KEY_WORDS], |union, s| {
            let bits = hot_bits(&s.table.mask);
            std::array::from_fn(|i| union[i] | bits[i])
        })
    }
}

impl MegaflowTable {
    pub(crate) fn new(secret: HashKey) -> Self {
        Self { ports: HashMap::new(), secret, next_epoch: 1 }
    }

    fn epoch(next: &mut u32) -> u32 {
        let epoch = *next;
        // Epoch 0 marks empty cache entries.
        *next = next.wrapping_add(1).max(1);
        epoch
    }

    /// The projection of a port with megaflows.
    pub(crate) fn projection(&self, in_port: u32) -> Option<&Projection> {
        self.ports.get(&in_port).map(|p| &p.projection)
    }

    /// The megaflow that a packet with this key (words of its flow, zero beyond the slice) hits.
    #[inline]
    pub(crate) fn find(&self, in_port: u32, key: Key<'_>) -> Found<'_> {
        let Some(port) = self.ports.get(&in_port) else {
            return Found { flow: None, probes: 0 };
        };
        let mut probes = 0;
        for subtable in &port.subtables {
            probes += 1;
            if let Some(flow) = subtable.table.find(&self.secret, key) {
                return Found { flow: Some(flow), probes };
            }
        }
        Found { flow: None, probes }
    }

    /// Installs a megaflow for a key that no megaflow matches.
    pub(crate) fn install(&mut self, key: &Flow, t: &Translation, now_ms: u64) -> Arc<Megaflow> {
        let mut wanted = t.mask.datapath();
        wanted.0.in_port = u32::MAX.into();
        wanted.0.recirc_id = u32::MAX.into();
        let next_epoch = &mut self.next_epoch;
        let port = self.ports.entry(key.in_port.get()).or_insert_with(|| PortFlows {
            projection: Projection { bits: [0; WIDE_KEY_WORDS], epoch: Self::epoch(next_epoch) },
            subtables: Vec::new(),
        });
        let mask = mask_budget::choose(port.subtables.iter().map(|s| &*s.table.mask), &wanted);
        let index = port.subtables.iter().position(|s| mask_budget::same(&s.table.mask, &mask));
        let index = index.unwrap_or_else(|| {
            port.subtables.push(PortSubtable { table: Subtable::new(mask), fresh: false });
            port.subtables.len() - 1
        });
        let subtable = &mut port.subtables[index];
        let masked = subtable.table.masked(key);
        let flow =
            Arc::new(Megaflow::new(key, Arc::clone(&subtable.table.mask), masked, t, now_ms));
        subtable.table.insert(&self.secret, Arc::clone(&flow));
        if key.recirc_id.get() == 0 && !subtable.fresh {
            subtable.fresh = true;
            let union = port.union();
            if union != port.projection.bits {
                port.projection = Projection { bits: union, epoch: Self::epoch(next_epoch) };
            }
        }
        flow
    }

    fn subtable_of(&mut self, flow: &Megaflow) -> Option<&mut Subtable> {
        let port = self.ports.get_mut(&flow.in_port)?;
        port.subtables.iter_mut().map(|s| &mut s.table).find(|s| Arc::ptr_eq(&s.mask, &flow.mask))
    }

    /// Takes a megaflow out; false when it is not here (any more).
    pub(crate) fn remove(&mut self, flow: &Arc<Megaflow>) -> bool {
        let secret = self.secret;
        let removed = self.subtable_of(flow).is_some_and(|s| s.remove(&secret, flow));
        if removed {
            flow.bury();
        }
        removed
    }

    /// Gives a megaflow another verdict; `None` when it is not here (any more).
    pub(crate) fn replace(
        &mut self,
        old: &Arc<Megaflow>,
        t: &Translation,
    ) -> Option<Arc<Megaflow>> {
        let secret = self.secret;
        let new = Arc::new(old.with_translation(t));
        let subtable = self.subtable_of(old)?;
        if !subtable.replace(&secret, old, Arc::clone(&new)) {
            return None;
        }
        old.bury();
        Some(new)
    }

    /// Takes out all megaflows of an ingress port.
    pub(crate) fn flush_port(&mut self, in_port: u32) -> Vec<Arc<Megaflow>> {
        let Some(mut port) = self.ports.remove(&in_port) else {
            return Vec::new();
        };
        let flows: Vec<_> = port.subtables.iter_mut().flat_map(|s| s.table.drain()).collect();
        for flow in &flows {
            flow.bury();
        }
        flows
    }

    /// Masks of the megaflows of a port.
    #[cfg(test)]
    pub(crate) fn n_masks(&self, in_port: u32) -> usize {
        self.ports.get(&in_port).map_or(0, |port| port.subtables.len())
    }

    /// Ingress ports that have megaflows.
    pub(crate) fn in_ports(&self) -> Vec<u32> {
        self.ports.keys().copied().collect()
    }

    /// Sorts the subtables by use, drops empty ones and forgets bits nobody looks at any more.
    /// To be called about once a second. True when the last made what caches learned void.
    pub(crate) fn maintain(&mut self) -> bool {
        let before = self.next_epoch;
        let next_epoch = &mut self.next_epoch;
        self.ports.retain(|_, port| {
            port.subtables.retain(|s| s.table.len() != 0);
            port.subtables.sort_by_key(|s| std::cmp::Reverse(s.table.hits.get()));
            for subtable in &port.subtables {
                subtable.table.hits.set(subtable.table.hits.get() / 2);
            }
            let union = port.union();
            if union != port.projection.bits {
                port.projection = Projection { bits: union, epoch: Self::epoch(next_epoch) };
            }
            !port.subtables.is_empty()
        });
        self.next_epoch != before
    }
}
