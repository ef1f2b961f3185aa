//! Locks: RFC 7047 section 4.1.8. A lock has one owner and a queue of sessions that wait for it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::SessionId;

/// How a session stands to a lock that it asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It has the lock.
    Owner,
    /// It will get the lock.
    Waiting,
    /// It had the lock until it was stolen.
    Lost,
}

/// The locks of a server.
#[derive(Debug, Default)]
pub(crate) struct Locks {
    /// The owner first, then who waits.
    queues: BTreeMap<Arc<str>, VecDeque<SessionId>>,
    /// Who lost which lock and did not unlock it yet.
    lost: BTreeSet<(SessionId, Arc<str>)>,
}

impl Locks {
    /// How `session` stands to the lock `name`, if it asked for it.
    pub(crate) fn standing(&self, session: SessionId, name: &str) -> Option<Standing> {
        let queue = self.queues.get(name);
        if let Some(at) = queue.and_then(|queue| queue.iter().position(|s| *s == session)) {
            return Some(if at == 0 { Standing::Owner } else { Standing::Waiting });
        }
        self.lost.contains(&(session, name.into())).then_some(Standing::Lost)
    }

    /// Asks for a lock; returns whether `session` has it now.
    pub(crate) fn lock(&mut self, session: SessionId, name: &str) -> bool {
        let queue = self.queues.entry(name.into()).or_default();
        queue.push_back(session);
        queue.len() == 1
    }

    /// Takes a lock away from its owner, who is returned.
    pub(crate) fn steal(&mut self, session: SessionId, name: &str) -> Option<SessionId> {
        let name: Arc<str> = name.into();
        let queue = self.queues.entry(name.clone()).or_default();
        let victim = queue.pop_front();
        queue.push_front(session);
        if let Some(victim) = victim {
            self.lost.insert((victim, name));
        }
        victim
    }

    /// Gives up a lock, or the wait for it; returns the new owner if that changed.
    pub(crate) fn unlock(&mut self, session: SessionId, name: &str) -> Option<SessionId> {
        self.lost.remove(&(session, name.into()));
        let queue = self.queues.get_mut(name)?;
        let at = queue.iter().position(|s| *s == session)?;
        queue.remove(at);
        let next = queue.front().copied();
        if queue.is_empty() {
            self.queues.remove(name);
        }
        next.filter(|_| at == 0)
    }

    /// The names of the locks that `session` asked for, with its standing.
    pub(crate) fn of(&self, session: SessionId) -> Vec<(Arc<str>, Standing)> {
        let queued = self.queues.iter().filter_map(|(name, queue)| {
            let at = queue.iter().position(|s| *s == session)?;
            let standing = if at == 0 { Standing::Owner } else { Standing::Waiting };
            Some((name.clone(), standing))
        });
        let lost = self.lost.iter().filter(|(s, _)| *s == session);
        queued.chain(lost.map(|(_, name)| (name.clone(), Standing::Lost))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lock_steal_unlock() {
        let [a, b, c] = [1, 2, 3].map(SessionId);
        let mut locks = Locks::default();
        assert!(locks.lock(a, "x"));
        assert!(!locks.lock(b, "x"));
        assert_eq!(locks.steal(c, "x"), Some(a));
        assert_eq!(locks.standing(a, "x"), Some(Standing::Lost));
        assert_eq!(locks.standing(b, "x"), Some(Standing::Waiting));
        assert_eq!(locks.standing(c, "x"), Some(Standing::Owner));
        assert_eq!(locks.unlock(a, "x"), None);
        assert_eq!(locks.standing(a, "x"), None);
        assert_eq!(locks.unlock(c, "x"), Some(b));
        assert_eq!(locks.of(b), [("x".into(), Standing::Owner)]);
        assert_eq!(locks.unlock(b, "x"), None);
        assert!(locks.queues.is_empty() && locks.lost.is_empty());
    }
}
