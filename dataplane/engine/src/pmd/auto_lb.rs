//! Automatic load balancing (`other_config:pmd-auto-lb`): would assigning the queues anew pay? Plain
//! functions over data; [`crate::balancer`] asks them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::pmd::assign::{Algorithm, PmdSlot, QueueDemand, assign};
use crate::pmd::history::INTERVALS;
use crate::pmd::load::LoadSnapshot;

/// `other_config:pmd-auto-lb` and its thresholds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AutoLb {
    /// Whether it is wanted.
    pub enabled: bool,
    /// Least time between two rounds, in minutes (`pmd-auto-lb-rebal-interval`).
    pub interval_min: u64,
    /// How busy a thread must be, in percent (`pmd-auto-lb-load-threshold`).
    pub load_threshold: u64,
    /// By how much the variance of the loads must shrink, in percent
    /// (`pmd-auto-lb-improvement-threshold`).
    pub improvement_threshold: u64,
}

impl Default for AutoLb {
    fn default() -> Self {
        Self { enabled: false, interval_min: 1, load_threshold: 95, improvement_threshold: 25 }
    }
}

/// A PMD thread and its load.
#[derive(Clone, Debug)]
pub(crate) struct ThreadLoad {
    pub(crate) slot: PmdSlot,
    pub(crate) isolated: bool,
    pub(crate) load: LoadSnapshot,
    /// TSC cycles of the last minute that stay with it whatever happens.
    pub(crate) fixed: u64,
}

/// What came of a look at the loads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// No thread is over the threshold.
    Quiet,
    /// One is, but balancing is not for this configuration.
    Unfit(&'static str),
    /// What a new assignment would change on each NUMA node.
    Estimate(Vec<NodeEstimate>),
}

/// Variance of the threads' loads, in percent squared, as it is and as it would be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NodeEstimate {
    pub(crate) numa: i32,
    pub(crate) current: u64,
    pub(crate) estimated: u64,
}

impl NodeEstimate {
    /// By how many percent the variance would shrink.
    pub(crate) fn improvement(&self) -> u64 {
        let less = self.current.saturating_sub(self.estimated);
        (less * 100).checked_div(self.current).unwrap_or(0)
    }
}

impl fmt::Display for NodeEstimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Numa node {}. Current variance {} Estimated variance {}. Variance improvement {}%.",
            self.numa,
            self.current,
            self.estimated,
            self.improvement()
        )
    }
}

impl Judgement {
    /// Is a new assignment worth it?
    pub(crate) fn pays(&self, settings: &AutoLb) -> bool {
        let enough = |node: &NodeEstimate| node.improvement() >= settings.improvement_threshold;
        matches!(self, Self::Estimate(nodes) if nodes.iter().any(enough))
    }
}

/// Looks at the loads. Each queue comes with the core it is polled on.
pub(crate) fn judge(
    threads: &[ThreadLoad],
    queues: &[(QueueDemand, Option<u32>)],
    algorithm: Algorithm,
    isolate: bool,
    settings: &AutoLb,
) -> Judgement {
    let open: Vec<&ThreadLoad> = threads.iter().filter(|t| !t.isolated).collect();
    if !open.iter().any(|t| t.load.is_over(settings.load_threshold)) {
        return Judgement::Quiet;
    }
    if algorithm == Algorithm::RoundRobin {
        return Judgement::Unfit("pmd-rxq-assign=roundrobin does not look at the load");
    }
    let polled = |core: u32| queues.iter().filter(|(_, at)| *at == Some(core)).count();
    if open.len() < 2 || !open.iter().any(|t| polled(t.slot.core) > 1) {
        return Judgement::Unfit("no other non-isolated thread, or none with more than one queue");
    }
    let node_of = |core: u32| threads.iter().find(|t| t.slot.core == core).map(|t| t.slot.numa);
    let nodes: BTreeSet<i32> = threads.iter().map(|t| t.slot.numa).collect();
    let abroad = |(demand, core): &(QueueDemand, Option<u32>)| {
        core.and_then(node_of).is_some_and(|numa| numa != demand.numa)
    };
    if nodes.len() > 1 && queues.iter().any(abroad) {
        return Judgement::Unfit("a queue is polled from another NUMA node");
    }
    let slots: Vec<PmdSlot> = threads.iter().map(|t| t.slot).collect();
    let demands: Vec<QueueDemand> = queues.iter().map(|(demand, _)| *demand).collect();
    let now = queues.iter().map(|(demand, core)| (*core, demand.cycles));
    let then = assign(&demands, &slots, algorithm, isolate);
    let then = then.into_iter().zip(&demands).map(|(core, demand)| (core, demand.cycles));
    let now = variances(&open, now);
    let then = variances(&open, then);
    let estimate = |(&numa, &current): (&i32, &u64)| {
        let estimated = then.get(&numa).copied().unwrap_or(0);
        NodeEstimate { numa, current, estimated }
    };
    Judgement::Estimate(now.iter().map(estimate).collect())
}

/// The variance of the loads on each NUMA node, from the queues' cycles and where they are.
fn variances(
    threads: &[&ThreadLoad],
    queues: impl Iterator<Item = (Option<u32>, u64)>,
) -> BTreeMap<i32, u64> {
    let mut cycles = BTreeMap::<u32, u64>::new();
    for (core, used) in queues {
        if let Some(core) = core {
            *cycles.entry(core).or_default() += used;
        }
    }
    let mut loads = BTreeMap::<i32, Vec<u64>>::new();
    for thread in threads {
        let minute = thread.load.interval.saturating_mul(INTERVALS as u64);
        let used = thread.fixed + cycles.get(&thread.slot.core).copied().unwrap_or(0);
        let percent = (used * 100).checked_div(minute).unwrap_or(0);
        loads.entry(thread.slot.numa).or_default().push(percent);
    }
    loads.into_iter().map(|(numa, loads)| (numa, variance(&loads))).collect()
}

fn variance(values: &[u64]) -> u64 {
    let n = values.len().max(1) as u64;
    let mean = values.iter().sum::<u64>() / n;
    values.iter().map(|value| value.abs_diff(mean).pow(2)).sum::<u64>() / n
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A thread whose every interval has 100 cycles, `busy` of them spent.
    fn thread(core: u32, numa: i32, busy: u64) -> ThreadLoad {
        let load =
            LoadSnapshot { interval: 100, busy: vec![busy; INTERVALS], overhead: Vec::new() };
        ThreadLoad { slot: PmdSlot { core, numa }, isolated: false, load, fixed: 0 }
    }

    /// A queue that uses `percent` of a thread.
    fn queue(percent: u64, core: u32) -> (QueueDemand, Option<u32>) {
        let cycles = percent * INTERVALS as u64;
        (QueueDemand { numa: 0, cycles, pinned: None }, Some(core))
    }

    fn look(threads: &[ThreadLoad], queues: &[(QueueDemand, Option<u32>)]) -> Judgement {
        judge(threads, queues, Algorithm::Cycles, true, &AutoLb::default())
    }

    #[test]
    fn two_busy_queues_on_one_thread_are_parted() {
        // The figures of an Open vSwitch in this state.
        let threads = [thread(1, 0, 0), thread(2, 0, 100)];
        let queues = [queue(0, 1), queue(48, 2), queue(45, 2)];
        let judgement = look(&threads, &queues);
        let Judgement::Estimate(nodes) = &judgement else { panic!("{judgement:?}") };
        assert_eq!(
            nodes[0].to_string(),
            "Numa node 0. Current variance 2162 Estimated variance 2. Variance improvement 99%."
        );
        assert!(judgement.pays(&AutoLb::default()));
        assert!(!judgement.pays(&AutoLb { improvement_threshold: 100, ..AutoLb::default() }));
    }

    #[test]
    fn one_busy_queue_stays_where_it_is() {
        let threads = [thread(1, 0, 100), thread(2, 0, 10)];
        let judgement = look(&threads, &[queue(97, 1), queue(1, 1), queue(8, 2)]);
        let Judgement::Estimate(nodes) = &judgement else { panic!("{judgement:?}") };
        assert!(nodes[0].improvement() < 25);
        assert!(!judgement.pays(&AutoLb::default()));
        // "0 will always allow an auto load balance to occur".
        assert!(judgement.pays(&AutoLb { improvement_threshold: 0, ..AutoLb::default() }));
    }

    #[test]
    fn below_the_threshold_nothing_is_done() {
        let threads = [thread(1, 0, 94), thread(2, 0, 0)];
        let queues = [queue(47, 1), queue(47, 1)];
        assert_eq!(look(&threads, &queues), Judgement::Quiet);
        let low = AutoLb { load_threshold: 90, ..AutoLb::default() };
        assert!(judge(&threads, &queues, Algorithm::Group, true, &low).pays(&low));
    }

    #[test]
    fn configurations_that_are_left_alone() {
        let threads = [thread(1, 0, 100), thread(2, 0, 0)];
        let queues = [queue(50, 1), queue(50, 1)];
        let unfit = |judgement| assert!(matches!(judgement, Judgement::Unfit(_)), "{judgement:?}");
        let settings = AutoLb::default();
        unfit(judge(&threads, &queues, Algorithm::RoundRobin, true, &settings));
        unfit(look(&threads[..1], &queues));
        unfit(look(&threads, &queues[..1]));
        let isolated = [threads[0].clone(), ThreadLoad { isolated: true, ..threads[1].clone() }];
        unfit(look(&isolated, &queues));
        // A queue of the other node; with all threads on one node that does not matter.
        let mut abroad = queues;
        abroad[0].0.numa = 1;
        unfit(look(&[threads[0].clone(), thread(2, 1, 0)], &abroad));
        assert!(look(&threads, &abroad).pays(&settings));
    }

    #[test]
    fn what_cannot_move_counts() {
        let mut threads = [thread(1, 0, 100), thread(2, 0, 100)];
        threads[1].fixed = 90 * INTERVALS as u64;
        // Parting them would only make it worse.
        assert!(
            !look(&threads, &[queue(50, 1), queue(45, 1), queue(0, 2)]).pays(&AutoLb::default())
        );
    }
}
