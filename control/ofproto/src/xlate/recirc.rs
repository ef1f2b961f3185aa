//! Recirculation: translation that stops half way, because the rest needs the packet to be parsed
//! again, and goes on when the packet comes back with the identifier given here.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock, Weak};

use weir_openflow::matching::FieldValue;
use weir_openflow::{Actions, OfPort};

use crate::view::BridgeId;

/// All that translation needs to go on where it stopped.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Frozen {
    /// The bridge.
    pub bridge: BridgeId,
    /// The table whose flow was executing.
    pub table_id: u8,
    /// The packet's in_port, as flows see it.
    pub in_port: OfPort,
    /// Registers.
    pub regs: [u32; 32],
    /// Metadata.
    pub metadata: u64,
    /// Tunnel identifier that will be set.
    pub tun_id: u64,
    /// The action set's output.
    pub actset_output: u32,
    /// Has the datapath computed a hash of the packet?
    pub hashed: bool,
    /// The stack, bottom first.
    pub stack: Vec<FieldValue>,
    /// The action set.
    pub action_set: Actions,
    /// What is left to do, the next action first; see [`Step`].
    pub rest: Vec<Step>,
}

/// Some actions that are left to do, and whose they are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Step {
    /// The table of the flow with the actions.
    pub table_id: u8,
    /// Its cookie.
    pub cookie: u64,
    /// Was it a table-miss flow?
    pub table_miss: bool,
    /// The actions.
    pub actions: Actions,
}

/// An identifier in use. It is given back when the last handle is dropped.
#[derive(Debug)]
pub struct RecircHandle {
    /// The identifier; never 0.
    pub id: u32,
    /// What it stands for.
    pub frozen: Frozen,
}

/// All identifiers in use.
#[derive(Debug, Default)]
pub struct RecircTable {
    last: AtomicU32,
    maps: RwLock<Maps>,
}

#[derive(Debug, Default)]
struct Maps {
    by_id: HashMap<u32, Weak<RecircHandle>>,
    by_state: HashMap<Frozen, Weak<RecircHandle>>,
}

/// Most identifiers in use at once.
const MAX_IDS: usize = 1 << 20;

impl RecircTable {
    /// An identifier for this state: the same one as before if it is still in use. `None` when all
    /// are taken.
    pub fn freeze(&self, frozen: Frozen) -> Option<Arc<RecircHandle>> {
        let mut maps = self.maps.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(handle) = maps.by_state.get(&frozen).and_then(Weak::upgrade) {
            return Some(handle);
        }
        if maps.by_id.len() >= MAX_IDS {
            maps.sweep();
            if maps.by_id.len() >= MAX_IDS {
                return None;
            }
        }
        let id = loop {
            let id = self.last.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
            if id != 0 && !maps.by_id.contains_key(&id) {
                break id;
            }
        };
        let handle = Arc::new(RecircHandle { id, frozen: frozen.clone() });
        maps.by_id.insert(id, Arc::downgrade(&handle));
        maps.by_state.insert(frozen, Arc::downgrade(&handle));
        Some(handle)
    }

    /// The state an identifier stands for.
    #[must_use]
    pub fn thaw(&self, id: u32) -> Option<Arc<RecircHandle>> {
        let maps = self.maps.read().unwrap_or_else(PoisonError::into_inner);
        maps.by_id.get(&id).and_then(Weak::upgrade)
    }

    /// Forgets identifiers that nothing uses any more. Called now and then.
    pub fn sweep(&self) {
        self.maps.write().unwrap_or_else(PoisonError::into_inner).sweep();
    }

    /// Identifiers known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.maps.read().unwrap_or_else(PoisonError::into_inner).by_id.len()
    }

    /// Is none in use?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Maps {
    fn sweep(&mut self) {
        self.by_id.retain(|_, h| h.strong_count() > 0);
        self.by_state.retain(|_, h| h.strong_count() > 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(metadata: u64) -> Frozen {
        Frozen {
            bridge: BridgeId(1),
            table_id: 0,
            in_port: OfPort(1),
            regs: [0; 32],
            metadata,
            tun_id: 0,
            actset_output: 0,
            hashed: false,
            stack: Vec::new(),
            action_set: Vec::new(),
            rest: Vec::new(),
        }
    }

    #[test]
    fn equal_states_share_an_identifier_while_it_is_in_use() {
        let t = RecircTable::default();
        let a = t.freeze(state(1)).unwrap();
        let b = t.freeze(state(1)).unwrap();
        let c = t.freeze(state(2)).unwrap();
        assert!(a.id == b.id && a.id != c.id && a.id != 0);
        assert_eq!(t.thaw(c.id).unwrap().frozen, state(2));
        drop((a, b));
        assert!(t.thaw(1).is_none());
        t.sweep();
        assert_eq!(t.len(), 1);
    }
}
