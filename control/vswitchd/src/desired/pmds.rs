//! Settings of the PMD threads: the keys `pmd-*`, `emc-*`, `smc-*` of `Open_vSwitch.other_config`.

use std::collections::{BTreeMap, BTreeSet};

use weir_engine::{Algorithm, AutoLb, Tuning};
use weir_ovsdb::replica::Row;

use super::{Reader, parse_cpu_mask, parse_int};

/// What is asked of the PMD threads.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pmds {
    /// Cores with a PMD thread; `None` is one a NUMA node.
    pub cpus: Option<BTreeSet<u32>>,
    /// What the engine is told.
    pub tuning: Tuning,
}

const RECORD: &str = "Open_vSwitch .";
/// Bursts of which one is timed, at most.
pub const MAX_SAMPLING: u32 = 1_000_000;
/// Longest that packets wait for others to leave with them, in microseconds.
const MAX_TX_FLUSH_US: i64 = 1_000_000;
/// Longest sleep, in microseconds.
const MAX_SLEEP_US: i64 = 10_000;

impl Pmds {
    pub(super) fn read(reader: &mut Reader<'_>, row: &Row) -> Self {
        let d = Tuning::default();
        let key = |key| ("other_config", key);
        let inv_prob = i64::from(d.emc_insert_inv_prob);
        let range = 0..=u32::MAX.into();
        let inv_prob = reader.int(RECORD, row, key("emc-insert-inv-prob"), range, inv_prob);
        let rxq_assign = rxq_assign(reader, row);
        let (sleep_max_us, sleep_max_us_of) = sleep(reader, row);
        let tuning = Tuning {
            emc_insert_inv_prob: inv_prob as u32,
            smc: reader.bool(RECORD, row, key("smc-enable"), d.smc),
            sleep_max_us,
            sleep_max_us_of,
            rxq_assign,
            rxq_isolate: rxq_isolate(reader, row, rxq_assign),
            auto_lb: auto_lb(reader, row),
            latency_sampling: reader.int(
                RECORD,
                row,
                key("pmd-latency-sampling"),
                0..=i64::from(MAX_SAMPLING),
                0,
            ) as u32,
            tx_flush_us: reader.int(RECORD, row, key("tx-flush-interval"), 0..=MAX_TX_FLUSH_US, 0)
                as u32,
            miss_share: reader.int(
                RECORD,
                row,
                key("pmd-miss-share"),
                1..=100,
                i64::from(d.miss_share),
            ) as u32,
            perf_metrics: reader.bool(RECORD, row, key("pmd-perf-metrics"), d.perf_metrics),
        };
        Self { cpus: cpus(reader, row), tuning }
    }
}

fn cpus(reader: &mut Reader<'_>, row: &Row) -> Option<BTreeSet<u32>> {
    let text = row.key("other_config", "pmd-cpu-mask")?;
    let cpus = parse_cpu_mask(text).filter(|c| !c.is_empty());
    if cpus.is_none() {
        let text = format!("other_config:pmd-cpu-mask={text} is not a CPU mask; using the default");
        reader.complain(RECORD, text);
    }
    cpus
}

/// `MAX`, or a list of `CORE:MAX` with or without a `MAX` for the other cores, in microseconds.
fn sleep(reader: &mut Reader<'_>, row: &Row) -> (u64, BTreeMap<u32, u64>) {
    let (mut default, mut cores) = (0, BTreeMap::new());
    let key = |name| row.key("other_config", name);
    let text = key("pmd-sleep-max").or_else(|| key("pmd-maxsleep")).unwrap_or_default();
    for part in text.split([',', ' ']).filter(|p| !p.is_empty()) {
        let (core, max) = match part.split_once(':') {
            Some((core, max)) => (Some(core.parse::<u32>().ok()), parse_int(max)),
            None => (None, parse_int(part)),
        };
        let max = max.filter(|max| *max >= 0);
        let (Some(max), false) = (max, core == Some(None)) else {
            let text = format!(
                "other_config:pmd-sleep-max: {part} is not MAX or CORE:MAX with MAX from 0 to \
                 {MAX_SLEEP_US} us; ignored"
            );
            reader.complain(RECORD, text);
            continue;
        };
        if max > MAX_SLEEP_US {
            let text =
                format!("other_config:pmd-sleep-max: {part} is too long; using {MAX_SLEEP_US} us");
            reader.complain(RECORD, text);
        }
        let max = max.min(MAX_SLEEP_US) as u64;
        match core.flatten() {
            Some(core) => drop(cores.insert(core, max)),
            None => default = max,
        }
    }
    (default, cores)
}

fn rxq_assign(reader: &mut Reader<'_>, row: &Row) -> Algorithm {
    let Some(text) = row.key("other_config", "pmd-rxq-assign") else {
        return Algorithm::default();
    };
    let all = [Algorithm::Cycles, Algorithm::RoundRobin, Algorithm::Group];
    all.into_iter().find(|algorithm| algorithm.name() == text).unwrap_or_else(|| {
        let text = format!(
            "other_config:pmd-rxq-assign={text} is not cycles, roundrobin or group; using cycles"
        );
        reader.complain(RECORD, text);
        Algorithm::Cycles
    })
}

/// False has a meaning with `pmd-rxq-assign=group` only.
fn rxq_isolate(reader: &mut Reader<'_>, row: &Row, assign: Algorithm) -> bool {
    let isolate = reader.bool(RECORD, row, ("other_config", "pmd-rxq-isolate"), true);
    if !isolate && assign != Algorithm::Group {
        let text = "pmd-rxq-isolate can only be set false when using pmd-rxq-assign=group";
        reader.complain(RECORD, text.to_owned());
    }
    isolate
}

fn auto_lb(reader: &mut Reader<'_>, row: &Row) -> AutoLb {
    let d = AutoLb::default();
    let enabled = reader.bool(RECORD, row, ("other_config", "pmd-auto-lb"), d.enabled);
    let mut int = |key, max, default: u64| {
        reader.int(RECORD, row, ("other_config", key), 0..=max, default as i64) as u64
    };
    AutoLb {
        enabled,
        // 0 is the default.
        interval_min: int("pmd-auto-lb-rebal-interval", 20_000, d.interval_min).max(1),
        load_threshold: int("pmd-auto-lb-load-threshold", 100, d.load_threshold),
        improvement_threshold: int(
            "pmd-auto-lb-improvement-threshold",
            100,
            d.improvement_threshold,
        ),
    }
}
