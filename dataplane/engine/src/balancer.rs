//! Automatic load balancing (`other_config:pmd-auto-lb`): looks at the threads' loads now and then and
//! has the queues assigned anew when [`crate::pmd::auto_lb`] says that it pays.

use crate::engine::{Engine, lock};
use crate::pmd::auto_lb::{AutoLb, Judgement, ThreadLoad, judge};

const MINUTE_MS: u64 = 60_000;

/// When to look next.
#[derive(Debug, Default)]
pub(crate) struct Balancer {
    /// The settings the deadline was made with.
    settings: Option<AutoLb>,
    due_ms: u64,
}

impl Balancer {
    /// Is it time to look at the loads?
    pub(crate) fn is_due(&mut self, settings: &AutoLb, now_ms: u64) -> bool {
        let wait = settings.interval_min.max(1) * MINUTE_MS;
        if self.settings != Some(*settings) {
            self.settings = Some(*settings);
            self.due_ms = now_ms + wait;
        }
        if !settings.enabled || now_ms < self.due_ms {
            return false;
        }
        self.due_ms = now_ms + wait;
        true
    }
}

impl Engine {
    /// One round. The caller holds `changing`.
    pub(crate) fn balance(&self, balancer: &mut Balancer) {
        let (settings, algorithm, isolates) = {
            let tuning = &lock(&self.state).tuning;
            (tuning.auto_lb, tuning.rxq_assign, tuning.isolates())
        };
        if !balancer.is_due(&settings, self.time.now_ms()) {
            return;
        }
        let demands = self.demands();
        let pinned = |core| demands.iter().any(|d| d.demand.pinned == Some(core));
        let stays = |core| {
            let fixed = demands.iter().filter(move |d| !d.is_assigned() && d.core == Some(core));
            fixed.map(|d| d.demand.cycles).sum()
        };
        let threads: Vec<ThreadLoad> = self
            .slots()
            .into_iter()
            .zip(self.pmds())
            .map(|(slot, pmd)| ThreadLoad {
                slot,
                isolated: isolates && pinned(slot.core),
                load: pmd.shared.load.snapshot(),
                fixed: stays(slot.core),
            })
            .collect();
        let assigned = demands.iter().filter(|d| d.is_assigned());
        let queues: Vec<_> = assigned.map(|d| (d.demand, d.core)).collect();
        let judgement = judge(&threads, &queues, algorithm, isolates, &settings);
        say(&judgement);
        let pays = judgement.pays(&settings);
        if let Judgement::Estimate(_) = judgement {
            let percent = settings.improvement_threshold;
            let met = if pays { "is" } else { "is not" };
            log::debug!(target: "dpif_netdev", "PMD load variance improvement threshold {percent}% {met} met.");
        }
        if pays {
            log::info!(target: "dpif_netdev", "PMD auto load balance dry run. Requesting datapath reconfigure.");
            self.rebalance();
        }
    }
}

fn say(judgement: &Judgement) {
    match judgement {
        Judgement::Quiet => {}
        Judgement::Unfit(why) => {
            log::debug!(target: "dpif_netdev", "PMD auto load balance does nothing: {why}.");
        }
        Judgement::Estimate(nodes) => {
            for node in nodes {
                log::debug!(target: "dpif_netdev", "{node}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_once_an_interval() {
        let mut balancer = Balancer::default();
        let two = AutoLb { enabled: true, interval_min: 2, ..AutoLb::default() };
        assert!(!balancer.is_due(&two, 1_000));
        assert!(!balancer.is_due(&two, 120_999));
        assert!(balancer.is_due(&two, 121_000));
        assert!(!balancer.is_due(&two, 121_001));
        // Other settings start a new interval; 0 minutes are one.
        let zero = AutoLb { interval_min: 0, ..two };
        assert!(!balancer.is_due(&zero, 200_000));
        assert!(balancer.is_due(&zero, 260_000));
        assert!(!balancer.is_due(&AutoLb::default(), 999_999));
    }
}
