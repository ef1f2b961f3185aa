//! [`MegaflowTable`]: the megaflows of one thread. Per ingress port a list of subtables, most used
//! first, and the union of the bits that its megaflows look at.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::sync::Arc;

use hashbrown::HashTable;
use weir_flow::slowpath::Translation;
use weir_flow::{Flow, Mask};

use crate::hash::{HashKey, PortHasher};
use crate::megaflow::action_lists::ActionLists;
use crate::megaflow::entry::Megaflow;
use crate::megaflow::mask::{InstalledMask, Key, same};
use crate::megaflow::placement::{At, place};
use crate::megaflow::projection::Projection;
use crate::megaflow::subtable::Subtable;

/// The megaflows of one ingress port.
#[derive(Debug)]
struct PortFlows {
    projection: Projection,
    subtables: Vec<Subtable>,
    masks: HashTable<PortMask>,
}

/// A mask that megaflows of a port have, or had lately.
#[derive(Debug)]
struct PortMask {
    mask: Arc<InstalledMask>,
    /// Has it ever been a megaflow's for packets fresh from the port?
    fresh: bool,
}

impl PortMask {
    /// Does no megaflow have it?
    fn is_unused(&self) -> bool {
        Arc::strong_count(&self.mask) == 1
    }
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
    ports: HashMap<u32, PortFlows, BuildHasherDefault<PortHasher>>,
    lists: ActionLists,
    secret: HashKey,
    epochs: Epochs,
    next_subtable: u32,
}

/// Classes of epochs.
const EPOCH_CLASSES: usize = 1024;

/// Gives out versions of projections, and knows which are in use.
#[derive(Debug)]
struct Epochs {
    next: u32,
    /// How many of each class are in use.
    live: Vec<u16>,
}

impl Epochs {
    fn new() -> Self {
        Self { next: 1, live: vec![0; EPOCH_CLASSES] }
    }

    /// A new one.
    fn begin(&mut self) -> u32 {
        let epoch = next(&mut self.next);
        if let Some(n) = self.live.get_mut(epoch as usize % EPOCH_CLASSES) {
            *n += 1;
        }
        epoch
    }

    fn end(&mut self, epoch: u32) {
        if let Some(n) = self.live.get_mut(epoch as usize % EPOCH_CLASSES) {
            *n -= 1;
        }
    }

    /// A new one in the place of this.
    fn renew(&mut self, epoch: &mut u32) {
        self.end(*epoch);
        *epoch = self.begin();
    }

    fn is_live(&self, epoch: u32) -> bool {
        self.live.get(epoch as usize % EPOCH_CLASSES).is_some_and(|n| *n != 0)
    }
}

/// The next number after `counter`; 0 is none.
fn next(counter: &mut u32) -> u32 {
    let n = *counter;
    *counter = n.wrapping_add(1).max(1);
    n
}

impl PortFlows {
    /// The mask in the form to install, as others have it or new.
    fn intern(&mut self, secret: &HashKey, mask: &Mask) -> &mut PortMask {
        let hash = |mask: &Mask| {
            let words = mask.0.words().iter().zip(0u64..).filter(|(word, _)| **word != 0);
            words.fold(secret.start(), |hash, (word, at)| secret.step(hash, word ^ at << 56))
        };
        let entry = self.masks.entry(
            hash(mask),
            |known| same(&known.mask.mask, mask),
            |known| hash(&known.mask.mask),
        );
        let new = || PortMask { mask: Arc::new(InstalledMask::new(*mask)), fresh: false };
        entry.or_insert_with(new).into_mut()
    }
}

impl MegaflowTable {
    pub(crate) fn new(secret: HashKey) -> Self {
        let (ports, lists) = (HashMap::default(), ActionLists::default());
        Self { ports, lists, secret, epochs: Epochs::new(), next_subtable: 1 }
    }

    /// The projection of a port with megaflows.
    pub(crate) fn projection(&self, in_port: u32) -> Option<&Projection> {
        self.ports.get(&in_port).map(|p| &p.projection)
    }

    /// Is it void what a cache learned of a megaflow under this version of its port's projection?
    pub(crate) fn is_void(&self, flow: &Megaflow, epoch: u32) -> bool {
        self.projection(flow.in_port).is_none_or(|p| p.epoch != epoch)
    }

    /// May some port's projection have this version?
    #[inline]
    pub(crate) fn is_live(&self, epoch: u32) -> bool {
        self.epochs.is_live(epoch)
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
            if let Some(flow) = subtable.find(&self.secret, key) {
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
        let Self { ports, lists, secret, epochs, next_subtable } = self;
        let port = ports.entry(key.in_port.get()).or_insert_with(|| PortFlows {
            projection: Projection::empty(epochs.begin()),
            subtables: Vec::new(),
            masks: HashTable::new(),
        });
        let placement = place(secret, &port.subtables, key, &wanted);
        let at = match placement.at {
            At::Place(at) => at,
            At::New(index) => {
                port.subtables.push(Subtable::new(next(next_subtable), *index));
                port.subtables.len() - 1
            }
        };
        let mask = port.intern(secret, &placement.mask);
        let is_new = key.recirc_id.get() == 0 && !std::mem::replace(&mut mask.fresh, true);
        let mask = Arc::clone(&mask.mask);
        if is_new && port.projection.add(&mask.mask) {
            epochs.renew(&mut port.projection.epoch);
        }
        let subtable = &mut port.subtables[at];
        let actions = lists.share(secret, &t.actions);
        let flow = Arc::new(Megaflow::new(key, mask, subtable.id, actions, t, now_ms));
        subtable.insert(secret, Arc::clone(&flow));
        flow
    }

    fn subtable_of(&mut self, flow: &Megaflow) -> Option<&mut Subtable> {
        let port = self.ports.get_mut(&flow.in_port)?;
        port.subtables.iter_mut().find(|s| s.id == flow.home)
    }

    /// Takes a megaflow out; false when it is not here (any more).
    pub(crate) fn remove(&mut self, flow: &Arc<Megaflow>) -> bool {
        let secret = self.secret;
        let removed = self.subtable_of(flow).is_some_and(|s| s.remove(&secret, flow));
        if removed {
            flow.bury();
            self.lists.release(&secret, &flow.actions);
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
        let actions = self.lists.share(&secret, &t.actions);
        let new = Arc::new(old.with_translation(actions, t));
        let subtable = self.subtable_of(old)?;
        if !subtable.replace(&secret, old, &new) {
            return None;
        }
        old.bury();
        self.lists.release(&secret, &old.actions);
        Some(new)
    }

    /// Takes out all megaflows of an ingress port.
    pub(crate) fn flush_port(&mut self, in_port: u32) -> Vec<Arc<Megaflow>> {
        let Some(mut port) = self.ports.remove(&in_port) else {
            return Vec::new();
        };
        self.epochs.end(port.projection.epoch);
        let flows: Vec<_> = port.subtables.iter_mut().flat_map(Subtable::drain).collect();
        for flow in &flows {
            flow.bury();
            self.lists.release(&self.secret, &flow.actions);
        }
        flows
    }

    /// How many subtables a look-up for a port may ask.
    #[cfg(test)]
    pub(crate) fn n_subtables(&self, in_port: u32) -> usize {
        self.ports.get(&in_port).map_or(0, |port| port.subtables.len())
    }

    /// Ingress ports that have megaflows.
    pub(crate) fn in_ports(&self) -> Vec<u32> {
        self.ports.keys().copied().collect()
    }

    /// Sorts the subtables by use, drops empty ones and forgets bits nobody looks at any more.
    /// To be called about once a second.
    pub(crate) fn maintain(&mut self) {
        let subtables = self.ports.values().flat_map(|port| &port.subtables);
        self.lists.tidy(subtables.map(Subtable::len).sum());
        let epochs = &mut self.epochs;
        self.ports.retain(|_, port| {
            port.subtables.retain(|s| s.len() != 0);
            port.subtables.sort_by_key(|s| std::cmp::Reverse(s.hits.get()));
            for subtable in &port.subtables {
                subtable.hits.set(subtable.hits.get() / 2);
            }
            port.masks.retain(|mask| !mask.is_unused());
            let fresh = port.masks.iter().filter(|m| m.fresh).map(|m| &m.mask.mask);
            if port.projection.tidy(fresh) {
                epochs.renew(&mut port.projection.epoch);
            }
            let is_used = !port.subtables.is_empty();
            if !is_used {
                epochs.end(port.projection.epoch);
            }
            is_used
        });
    }
}
