//! [`ActionLists`]: megaflows that do the same share one list, so that it is in the CPU's cache when
//! they are many.

use std::sync::Arc;

use hashbrown::HashTable;
use weir_flow::Flow;
use weir_flow::action::{Action, Actions, same_actions};

use crate::hash::HashKey;

/// Lists without a megaflow that are not worth going through all of them.
const MAX_UNUSED: usize = 1024;

/// See the [module documentation](self).
#[derive(Debug, Default)]
pub(crate) struct ActionLists {
    lists: HashTable<Actions>,
}

impl ActionLists {
    /// The list as another megaflow has it, or this one.
    pub(crate) fn share(&mut self, secret: &HashKey, actions: &Actions) -> Actions {
        // A single output is not looked up at all; what goes to user space is rarely the same.
        if actions.len() < 2 || asks_userspace(actions) {
            return Arc::clone(actions);
        }
        let entry = self.lists.entry(
            hash(secret, actions),
            |known| same_actions(known, actions, &|_, _| false),
            |known| hash(secret, known),
        );
        Arc::clone(entry.or_insert_with(|| Arc::clone(actions)).get())
    }

    /// A megaflow with this list, which it still holds, is out of the table.
    pub(crate) fn release(&mut self, secret: &HashKey, actions: &Actions) {
        if actions.len() < 2 || Arc::strong_count(actions) > 2 {
            return;
        }
        let same = |known: &Actions| Arc::ptr_eq(known, actions);
        if let Ok(entry) = self.lists.find_entry(hash(secret, actions), same) {
            entry.remove();
        }
    }

    /// Forgets the lists that no megaflow has, of those that somebody else had when the last one went, once
    /// there are a thousand or so.
    pub(crate) fn tidy(&mut self, n_flows: usize) {
        if self.lists.len() > n_flows + MAX_UNUSED {
            self.lists.retain(|list| Arc::strong_count(list) > 1);
        }
    }
}

fn asks_userspace(actions: &[Action]) -> bool {
    actions.iter().any(|action| match action {
        Action::Userspace(_) => true,
        Action::Clone(list) | Action::Sample { actions: list, .. } => asks_userspace(list),
        Action::CheckPktLen { greater, less_equal, .. } => {
            asks_userspace(greater) || asks_userspace(less_equal)
        }
        _ => false,
    })
}

/// Equal for equal lists; what seldom tells lists apart does not count.
fn hash(secret: &HashKey, actions: &[Action]) -> u64 {
    let step = |hash, word| secret.step(hash, word);
    let flow = |start: u64, flow: &Flow| {
        let words = flow.words().iter().zip(0u64..).filter(|(word, _)| **word != 0);
        words.fold(start, |hash, (word, at)| step(hash, word ^ at << 56))
    };
    actions.iter().fold(secret.start(), |hash, action| match action {
        Action::Output(port) => step(hash, 1 << 32 | u64::from(port.0)),
        Action::Set(set) => {
            flow(flow(step(hash, 2 << 32 | set.header as u64), &set.value), &set.mask)
        }
        Action::PushVlan { tpid, tci } => {
            step(hash, 3 << 32 | u64::from(*tpid) << 16 | u64::from(*tci))
        }
        Action::PopVlan => step(hash, 4 << 32),
        Action::PushMpls { lse, .. } => step(hash, 5 << 32 | u64::from(*lse)),
        Action::Recirc(id) => step(hash, 6 << 32 | u64::from(*id)),
        Action::Meter(id) => step(hash, 7 << 32 | u64::from(*id)),
        Action::Truncate(len) => step(hash, 8 << 32 | u64::from(*len)),
        _ => step(hash, 9 << 32),
    })
}

#[cfg(test)]
mod tests {
    use weir_flow::PortNo;
    use weir_flow::action::{Header, SetHeader};

    use super::*;

    #[test]
    fn lists_that_do_the_same_are_one_while_somebody_has_them() {
        let secret = HashKey::random();
        let list = |ttl: u8, port| -> Actions {
            let mut set = SetHeader { header: Header::Ipv4, value: Flow::ZERO, mask: Flow::ZERO };
            (set.value.nw_ttl, set.mask.nw_ttl) = (ttl, 0xff);
            Arc::new([Action::Set(Box::new(set)), Action::Output(PortNo(port))])
        };
        let mut lists = ActionLists::default();
        let first = lists.share(&secret, &list(1, 1));
        assert!(Arc::ptr_eq(&first, &lists.share(&secret, &list(1, 1))));
        for other in [list(2, 1), list(1, 2)] {
            assert!(!Arc::ptr_eq(&first, &lists.share(&secret, &other)));
        }
        // Nobody has the two others; those that a megaflow had went with it.
        assert_eq!(lists.lists.len(), 3);
        let second = lists.share(&secret, &first);
        lists.release(&secret, &first);
        assert_eq!(lists.lists.len(), 3);
        drop(second);
        lists.release(&secret, &first);
        assert_eq!(lists.lists.len(), 2);
        for port in 0..MAX_UNUSED as u32 {
            lists.share(&secret, &list(3, port));
        }
        lists.tidy(2);
        assert_eq!(lists.lists.len(), MAX_UNUSED + 2);
        lists.tidy(0);
        assert_eq!(lists.lists.len(), 0);
    }
}
