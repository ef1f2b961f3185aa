//! Which receive queue goes to which PMD thread (`other_config:pmd-rxq-assign`, `pmd-rxq-affinity`,
//! `pmd-rxq-isolate`): plain functions over data.

use std::collections::BTreeMap;

/// `other_config:pmd-rxq-assign`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Algorithm {
    /// In turn, in the order of the queues.
    RoundRobin,
    /// The busiest first, in turn forwards and backwards.
    #[default]
    Cycles,
    /// The busiest first, each to the thread with the least load.
    Group,
}

impl Algorithm {
    /// Its name in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RoundRobin => "roundrobin",
            Self::Cycles => "cycles",
            Self::Group => "group",
        }
    }
}

/// A queue to be assigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueDemand {
    /// NUMA node of its port.
    pub numa: i32,
    /// Cycles it used lately.
    pub cycles: u64,
    /// The core it is tied to (`pmd-rxq-affinity`).
    pub pinned: Option<u32>,
}

/// A thread queues can go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PmdSlot {
    /// Its core.
    pub core: u32,
    /// The core's NUMA node.
    pub numa: i32,
}

/// The threads of one NUMA node that take queues in turn.
struct Node {
    pmds: Vec<Slot>,
    next: usize,
    backwards: bool,
}

struct Slot {
    core: u32,
    cycles: u64,
    queues: usize,
}

impl Node {
    fn take(&mut self, algorithm: Algorithm, cycles: u64) -> Option<u32> {
        let last = self.pmds.len().checked_sub(1)?;
        let index = match algorithm {
            Algorithm::Group => {
                let load = |(_, s): &(usize, &Slot)| (s.cycles, s.queues);
                self.pmds.iter().enumerate().min_by_key(load)?.0
            }
            Algorithm::RoundRobin => {
                let index = self.next;
                self.next = if index == last { 0 } else { index + 1 };
                index
            }
            Algorithm::Cycles => {
                let index = self.next;
                match (self.backwards, index) {
                    (false, i) if i == last => self.backwards = true,
                    (false, i) => self.next = i + 1,
                    (true, 0) => self.backwards = false,
                    (true, i) => self.next = i - 1,
                }
                index
            }
        };
        let slot = self.pmds.get_mut(index)?;
        slot.cycles += cycles;
        slot.queues += 1;
        Some(slot.core)
    }
}

/// The core for each queue; `None` when there is no thread for it. With `isolate`, threads that have
/// pinned queues get no others.
#[must_use]
pub fn assign(
    queues: &[QueueDemand],
    pmds: &[PmdSlot],
    algorithm: Algorithm,
    isolate: bool,
) -> Vec<Option<u32>> {
    let has = |core| pmds.iter().any(|p| p.core == core);
    let mut result: Vec<_> = queues.iter().map(|q| q.pinned.filter(|&c| has(c))).collect();

    let mut nodes = BTreeMap::<i32, Node>::new();
    for pmd in pmds {
        let pinned = |q: &QueueDemand| q.pinned == Some(pmd.core);
        if isolate && queues.iter().any(pinned) {
            continue;
        }
        let mine = queues.iter().filter(|q| pinned(q));
        let slot = Slot {
            core: pmd.core,
            cycles: mine.clone().map(|q| q.cycles).sum(),
            queues: mine.count(),
        };
        let node = nodes.entry(pmd.numa);
        node.or_insert_with(|| Node { pmds: Vec::new(), next: 0, backwards: false })
            .pmds
            .push(slot);
    }

    let mut order: Vec<usize> =
        (0..queues.len()).filter(|&i| result.get(i).is_some_and(Option::is_none)).collect();
    if algorithm != Algorithm::RoundRobin {
        order.sort_by_key(|&i| std::cmp::Reverse(queues.get(i).map_or(0, |q| q.cycles)));
    }
    // Queues of nodes without threads go to the other nodes in turn.
    let numas: Vec<i32> = nodes.keys().copied().collect();
    let mut foreign = 0;
    for index in order {
        let (Some(queue), Some(place)) = (queues.get(index), result.get_mut(index)) else {
            continue;
        };
        let numa = if nodes.contains_key(&queue.numa) {
            queue.numa
        } else {
            let Some(&numa) = numas.get(foreign % numas.len().max(1)) else {
                continue;
            };
            foreign += 1;
            numa
        };
        *place = nodes.get_mut(&numa).and_then(|node| node.take(algorithm, queue.cycles));
    }
    result
}

/// A thread that a queue without a home may go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Host {
    /// Its core.
    pub(crate) core: u32,
    /// Whether pinned queues keep others away.
    pub(crate) isolated: bool,
    /// TSC cycles that its queues used lately.
    pub(crate) cycles: u64,
    /// Its queues.
    pub(crate) queues: usize,
}

/// The core for each queue that any thread can serve, given where it is and the cycles it used lately.
/// It stays if it can; else it goes to the thread with the least load. Isolated threads are the last
/// resort: somebody must serve it.
pub(crate) fn settle(queues: &[(Option<u32>, u64)], hosts: &[Host]) -> Vec<Option<u32>> {
    let mut hosts = hosts.to_vec();
    let refuge = hosts.iter().all(|host| host.isolated);
    let mut choose = |place: Option<u32>, cycles: u64| {
        let open = |host: &&mut Host| refuge || !host.isolated;
        let load = |host: &&mut Host| (host.cycles, host.queues);
        let stays = hosts.iter().any(|h| Some(h.core) == place && (refuge || !h.isolated));
        let host = if stays {
            hosts.iter_mut().find(|host| Some(host.core) == place)
        } else {
            hosts.iter_mut().filter(open).min_by_key(load)
        }?;
        host.cycles += cycles;
        host.queues += 1;
        Some(host.core)
    };
    queues.iter().map(|&(place, cycles)| choose(place, cycles)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PMDS: [PmdSlot; 3] =
        [PmdSlot { core: 1, numa: 0 }, PmdSlot { core: 2, numa: 0 }, PmdSlot { core: 3, numa: 0 }];

    fn queue(cycles: u64) -> QueueDemand {
        QueueDemand { numa: 0, cycles, pinned: None }
    }

    fn cores(queues: &[QueueDemand], algorithm: Algorithm, isolate: bool) -> Vec<u32> {
        let result = assign(queues, &PMDS, algorithm, isolate);
        result.into_iter().map(|core| core.unwrap_or(0)).collect()
    }

    #[test]
    fn round_robin_keeps_the_order_and_ignores_load() {
        let queues = [5, 80, 1, 9].map(queue);
        assert_eq!(cores(&queues, Algorithm::RoundRobin, true), [1, 2, 3, 1]);
    }

    #[test]
    fn cycles_go_forwards_and_backwards_from_the_busiest() {
        // The example of ovs-vswitchd's documentation of pmd-rxq-assign=cycles.
        let queues = [80, 70, 60, 50, 40, 30].map(queue);
        assert_eq!(cores(&queues, Algorithm::Cycles, true), [1, 2, 3, 3, 2, 1]);
    }

    #[test]
    fn group_fills_the_least_loaded() {
        let queues = [80, 70, 60, 50, 40, 30].map(queue);
        assert_eq!(cores(&queues, Algorithm::Group, true), [1, 2, 3, 3, 2, 1]);
        let queues = [100, 10, 10, 10].map(queue);
        assert_eq!(cores(&queues, Algorithm::Group, true), [1, 2, 3, 2]);
    }

    #[test]
    fn pinned_queues_isolate_their_thread_unless_told_otherwise() {
        let mut queues = [80, 70, 60, 50].map(queue);
        queues[0].pinned = Some(2);
        assert_eq!(cores(&queues, Algorithm::Cycles, true), [2, 1, 3, 3]);
        assert_eq!(cores(&queues, Algorithm::Group, false), [2, 1, 3, 3]);
        // A core without a thread: as if it were not pinned.
        queues[0].pinned = Some(9);
        assert_eq!(cores(&queues, Algorithm::Cycles, true), [1, 2, 3, 3]);
    }

    #[test]
    fn queues_of_nodes_without_threads_go_elsewhere() {
        let mut queues = [1, 1, 1].map(queue);
        queues[1].numa = 1;
        assert_eq!(cores(&queues, Algorithm::RoundRobin, true), [1, 2, 3]);
        assert_eq!(assign(&queues, &[], Algorithm::Cycles, true), [None, None, None]);
        // Two nodes, none of them the queues': in turn.
        let pmds = [PmdSlot { core: 1, numa: 0 }, PmdSlot { core: 4, numa: 1 }];
        let queues = [1, 1, 1, 1].map(|cycles| QueueDemand { numa: 2, ..queue(cycles) });
        let places = assign(&queues, &pmds, Algorithm::Cycles, true);
        assert_eq!(places, [Some(1), Some(4), Some(1), Some(4)]);
    }

    #[test]
    fn the_examples_of_the_documentation() {
        let pmds = [3, 7, 8].map(|core| PmdSlot { core, numa: 0 });
        let of = |cycles: [u64; 5], algorithm| {
            let places = assign(&cycles.map(queue), &pmds, algorithm, true);
            places.into_iter().map(|core| core.unwrap_or(0)).collect::<Vec<_>>()
        };
        assert_eq!(of([30, 80, 60, 70, 10], Algorithm::Cycles), [8, 3, 8, 7, 7]);
        assert_eq!(of([10, 80, 50, 70, 10], Algorithm::Group), [8, 3, 8, 7, 8]);
        assert_eq!(of([0; 5], Algorithm::RoundRobin), [3, 7, 8, 3, 7]);
    }

    #[test]
    fn nobody_polls_what_is_not_pinned_when_all_threads_are_isolated() {
        let mut queues = [1, 1, 1, 1].map(queue);
        for (queue, core) in queues.iter_mut().zip([1, 2, 3]) {
            queue.pinned = Some(core);
        }
        let places = assign(&queues, &PMDS, Algorithm::Cycles, true);
        assert_eq!(places, [Some(1), Some(2), Some(3), None]);
        let places = assign(&queues, &PMDS, Algorithm::Group, false);
        assert_eq!(places[3], Some(1));
    }

    #[test]
    fn queues_for_any_thread_stay_or_go_where_there_is_least_to_do() {
        let host = |core, isolated, cycles| Host { core, isolated, cycles, queues: 0 };
        let hosts = [host(1, true, 0), host(2, false, 50), host(3, false, 10)];
        let at = |core, cycles| (Some(core), cycles);
        assert_eq!(settle(&[at(2, 5), (None, 100), (None, 1)], &hosts), [2, 3, 2].map(Some));
        assert_eq!(settle(&[at(1, 5), at(9, 5)], &hosts), [3, 3].map(Some), "driven out, gone");
        let hosts = [host(1, true, 9), host(2, true, 5)];
        assert_eq!(settle(&[at(1, 5), (None, 1)], &hosts), [1, 2].map(Some));
        assert_eq!(settle(&[(None, 1)], &[]), [None]);
    }
}
