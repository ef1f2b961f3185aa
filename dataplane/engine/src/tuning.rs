//! [`Tuning`]: the settings of the PMD threads that can change at any time.

use std::collections::BTreeMap;

use crate::pmd::assign::Algorithm;
use crate::pmd::auto_lb::AutoLb;
use crate::pmd::fairness::DEFAULT_SHARE;

/// Settings of the threads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tuning {
    /// `other_config:emc-insert-inv-prob`.
    pub emc_insert_inv_prob: u32,
    /// `other_config:smc-enable`; there is no such cache.
    pub smc: bool,
    /// `other_config:pmd-sleep-max` in microseconds, for all cores not in `sleep_max_us_of`.
    pub sleep_max_us: u64,
    /// The same for single cores.
    pub sleep_max_us_of: BTreeMap<u32, u64>,
    /// `other_config:pmd-rxq-assign`.
    pub rxq_assign: Algorithm,
    /// `other_config:pmd-rxq-isolate`; false has an effect with [`Algorithm::Group`] only.
    pub rxq_isolate: bool,
    /// `other_config:pmd-auto-lb*`.
    pub auto_lb: AutoLb,
    /// `other_config:pmd-perf-metrics`.
    pub perf_metrics: bool,
    /// `other_config:pmd-latency-sampling`: one burst in how many is timed; 0 for none.
    pub latency_sampling: u32,
    /// `other_config:tx-flush-interval` in microseconds.
    pub tx_flush_us: u32,
    /// `other_config:pmd-miss-share`: percent of a thread's time that the misses of one port may take
    /// while other ports wait; 100 for any.
    pub miss_share: u32,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            emc_insert_inv_prob: 100,
            smc: false,
            sleep_max_us: 0,
            sleep_max_us_of: BTreeMap::new(),
            rxq_assign: Algorithm::Cycles,
            rxq_isolate: true,
            auto_lb: AutoLb::default(),
            perf_metrics: false,
            latency_sampling: 0,
            tx_flush_us: 0,
            miss_share: DEFAULT_SHARE,
        }
    }
}

impl Tuning {
    /// Do pinned queues keep others off their thread?
    #[must_use]
    pub fn isolates(&self) -> bool {
        self.rxq_isolate || self.rxq_assign != Algorithm::Group
    }

    /// Longest sleep in microseconds of the thread on a core.
    #[must_use]
    pub fn sleep_max_us_on(&self, core: u32) -> u64 {
        self.sleep_max_us_of.get(&core).copied().unwrap_or(self.sleep_max_us)
    }

    /// What changes from these settings to `new`, in the log's words.
    pub(crate) fn changes(&self, new: &Self) -> Vec<String> {
        let mut lines = Vec::new();
        let on = |on| if on { "enabled" } else { "disabled" };
        if self.emc_insert_inv_prob != new.emc_insert_inv_prob {
            lines.push(match new.emc_insert_inv_prob {
                0 => "EMC insertion probability changed to zero".to_owned(),
                n => {
                    let percent = 100.0 / f64::from(n);
                    format!("EMC insertion probability changed to 1/{n} (~{percent:.2}%)")
                }
            });
        }
        if !self.smc && new.smc {
            lines.push(
                "smc-enable=true changes nothing: there is no SMC, the EMC grows with the flows \
                 instead"
                    .to_owned(),
            );
        }
        if self.rxq_assign != new.rxq_assign {
            let name = new.rxq_assign.name();
            lines.push(format!("Rxq to PMD assignment mode changed to: '{name}'."));
        }
        if self.isolates() != new.isolates() {
            let verb = if new.isolates() { "isolates" } else { "does not isolate" };
            lines.push(format!("pmd-rxq-affinity {verb} PMD core"));
        }
        if self.sleep_max_us != new.sleep_max_us {
            let max = new.sleep_max_us;
            lines.push(format!("PMD max sleep request is {max} usecs by default."));
            lines.push(format!("PMD load based sleeps are {} by default.", on(max != 0)));
        }
        if self.perf_metrics != new.perf_metrics {
            let on = on(new.perf_metrics);
            lines.push(format!("PMD performance metrics collection {on}"));
        }
        if self.tx_flush_us != new.tx_flush_us {
            let us = new.tx_flush_us;
            lines.push(format!("Flushing interval for tx packets set to {us} us"));
        }
        if self.miss_share != new.miss_share {
            let share = new.miss_share;
            lines.push(format!(
                "The misses of a port may take {share} % of a PMD's time while others wait"
            ));
        }
        lines.extend(auto_lb_changes(&self.auto_lb, &new.auto_lb));
        lines
    }
}

fn auto_lb_changes(old: &AutoLb, new: &AutoLb) -> Vec<String> {
    if old == new {
        return Vec::new();
    }
    let AutoLb { enabled, interval_min, load_threshold, improvement_threshold } = *new;
    let mut lines = Vec::new();
    if old.interval_min != interval_min {
        lines.push(format!("PMD auto load balance interval set to {interval_min} mins"));
    }
    if old.improvement_threshold != improvement_threshold {
        let percent = improvement_threshold;
        lines.push(format!("PMD auto load balance improvement threshold set to {percent}%"));
    }
    if old.load_threshold != load_threshold {
        lines.push(format!("PMD auto load balance load threshold set to {load_threshold}%"));
    }
    lines.push(if enabled {
        format!(
            "PMD auto load balance is enabled, interval {interval_min} mins, pmd load threshold \
             {load_threshold}%, improvement threshold {improvement_threshold}%."
        )
    } else {
        "PMD auto load balance is disabled.".to_owned()
    });
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_is_said() {
        let old = Tuning::default();
        assert!(old.changes(&old).is_empty());
        let new = Tuning {
            emc_insert_inv_prob: 1,
            sleep_max_us: 50,
            auto_lb: AutoLb { enabled: true, load_threshold: 70, ..AutoLb::default() },
            // Without effect, as the assignment is by cycles.
            rxq_isolate: false,
            ..old.clone()
        };
        assert_eq!(
            old.changes(&new),
            [
                "EMC insertion probability changed to 1/1 (~100.00%)",
                "PMD max sleep request is 50 usecs by default.",
                "PMD load based sleeps are enabled by default.",
                "PMD auto load balance load threshold set to 70%",
                "PMD auto load balance is enabled, interval 1 mins, pmd load threshold 70%, \
                 improvement threshold 25%.",
            ]
        );
        let group = Tuning { rxq_assign: Algorithm::Group, ..new.clone() };
        assert_eq!(
            new.changes(&group),
            [
                "Rxq to PMD assignment mode changed to: 'group'.",
                "pmd-rxq-affinity does not isolate PMD core"
            ]
        );
    }

    #[test]
    fn sleep_is_a_core_s_or_the_default() {
        let sleep_max_us_of = BTreeMap::from([(8, 0), (9, 70)]);
        let tuning = Tuning { sleep_max_us: 50, sleep_max_us_of, ..Tuning::default() };
        assert_eq!([8, 9, 10].map(|core| tuning.sleep_max_us_on(core)), [0, 70, 50]);
    }
}
