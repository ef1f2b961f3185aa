//! The last transactions of a database, so that a client that was away for a moment need not be
//! told everything again (`monitor_cond_since`).

use std::collections::VecDeque;
use std::sync::Arc;

use uuid::Uuid;

use crate::txn::Changes;

/// The most transactions kept.
const MAX_TXNS: usize = 100;
/// The most changed rows kept, over all transactions.
const MAX_ROWS: usize = 100_000;

/// The last transactions.
#[derive(Clone, Debug, Default)]
pub struct History {
    txns: VecDeque<(Uuid, Arc<Changes>)>,
    rows: usize,
    /// The transaction just before the oldest one kept.
    before: Uuid,
}

impl History {
    /// The name of the last transaction; all zeros before the first.
    pub fn last_id(&self) -> Uuid {
        self.txns.back().map_or(self.before, |(id, _)| *id)
    }

    /// Adds a transaction and returns its name.
    pub fn push(&mut self, changes: Arc<Changes>) -> Uuid {
        let id = Uuid::new_v4();
        self.rows += changes.len();
        self.txns.push_back((id, changes));
        while self.txns.len() > MAX_TXNS || (self.rows > MAX_ROWS && self.txns.len() > 1) {
            if let Some((id, changes)) = self.txns.pop_front() {
                self.rows -= changes.len();
                self.before = id;
            }
        }
        id
    }

    /// The transactions after `id`, or `None` if it is not known (any more). All zeros are never
    /// known.
    pub fn since(&self, id: Uuid) -> Option<impl Iterator<Item = &Changes>> {
        let skip = match self.txns.iter().position(|(known, _)| *known == id) {
            _ if id.is_nil() => return None,
            Some(at) => at + 1,
            None if id == self.before => 0,
            None => return None,
        };
        Some(self.txns.iter().skip(skip).map(|(_, changes)| &**changes))
    }

    /// The number of transactions kept.
    pub fn len(&self) -> usize {
        self.txns.len()
    }

    /// No transactions?
    pub fn is_empty(&self) -> bool {
        self.txns.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_last_transactions() {
        let mut history = History::default();
        assert!(history.since(Uuid::nil()).is_none());
        let ids: Vec<Uuid> = (0..MAX_TXNS + 5).map(|_| history.push(Arc::default())).collect();
        assert_eq!(history.len(), MAX_TXNS);
        assert_eq!(history.last_id(), ids[MAX_TXNS + 4]);
        assert_eq!(history.since(history.last_id()).unwrap().count(), 0);
        assert_eq!(history.since(ids[4]).unwrap().count(), MAX_TXNS);
        assert!(history.since(ids[3]).is_none());
    }
}
