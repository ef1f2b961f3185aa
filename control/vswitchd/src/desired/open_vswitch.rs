//! Settings of the whole switch: table `Open_vSwitch`.

use std::collections::{BTreeMap, BTreeSet};

use weir_ovsdb::Uuid;
use weir_ovsdb::replica::Row;

use super::{Reader, parse_cpu_mask};

/// `other_config:pmd-rxq-assign`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RxqAssign {
    /// By measured cycles.
    #[default]
    Cycles,
    /// In turn.
    RoundRobin,
    /// To the PMD with the least estimated load.
    Group,
}

/// `other_config:pmd-sleep-max`: longest sleep in microseconds, by core or for all others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PmdSleep {
    /// For cores that are not named.
    pub default_us: u64,
    /// For named cores.
    pub cores: BTreeMap<u32, u64>,
}

/// What table `Open_vSwitch` asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenVSwitch {
    /// The row.
    pub uuid: Uuid,
    /// Changed by each configuration that wants to be waited for.
    pub next_cfg: i64,
    /// Cores with a PMD thread; `None` is one a NUMA node.
    pub pmd_cpus: Option<BTreeSet<u32>>,
    /// See [`PmdSleep`].
    pub pmd_sleep: PmdSleep,
    /// How rx queues find their PMD.
    pub rxq_assign: RxqAssign,
    /// Do pinned queues keep others off their PMD?
    pub rxq_isolate: bool,
    /// One in so many misses of the exact-match cache inserts; 0 never.
    pub emc_insert_inv_prob: u32,
    /// Signature-match cache wanted.
    pub smc: bool,
    /// How long output may wait for a fuller burst, microseconds.
    pub tx_flush_interval_us: u32,
    /// Most megaflows.
    pub flow_limit: usize,
    /// Milliseconds after which an unused megaflow goes.
    pub max_idle_ms: u64,
    /// Longest wait between revalidations, milliseconds.
    pub max_revalidator_ms: u64,
    /// Slow flows below this rate are not revalidated when time is short.
    pub min_revalidate_pps: u64,
    /// Neither controllers nor packets until it is cleared.
    pub flow_restore_wait: bool,
    /// Statistics of the machine wanted.
    pub enable_statistics: bool,
    /// Rows of table `Datapath`, by type of datapath.
    pub datapaths: BTreeMap<String, Uuid>,
    /// How often statistics are written, milliseconds.
    pub stats_interval_ms: u64,
    /// VLAN headers that are parsed; 0 is all there are.
    pub vlan_limit: u32,
    /// The EAL's settings, `dpdk-*` without the prefix.
    pub dpdk: BTreeMap<String, String>,
    /// Folder of vhost-user sockets below the run directory.
    pub vhost_sock_dir: String,
    /// vhost with IOMMU.
    pub vhost_iommu: bool,
    /// vhost with post-copy migration.
    pub vhost_postcopy: bool,
}

impl Default for OpenVSwitch {
    fn default() -> Self {
        Self {
            uuid: Uuid::nil(),
            next_cfg: 0,
            pmd_cpus: None,
            pmd_sleep: PmdSleep::default(),
            rxq_assign: RxqAssign::Cycles,
            rxq_isolate: true,
            emc_insert_inv_prob: 100,
            smc: false,
            tx_flush_interval_us: 0,
            flow_limit: 200_000,
            max_idle_ms: 10_000,
            max_revalidator_ms: 500,
            min_revalidate_pps: 5,
            flow_restore_wait: false,
            enable_statistics: false,
            datapaths: BTreeMap::new(),
            stats_interval_ms: 5_000,
            vlan_limit: 1,
            dpdk: BTreeMap::new(),
            vhost_sock_dir: String::new(),
            vhost_iommu: false,
            vhost_postcopy: false,
        }
    }
}

const RECORD: &str = "Open_vSwitch .";

impl OpenVSwitch {
    pub(super) fn read(reader: &mut Reader<'_>, uuid: Uuid, row: &Row) -> Self {
        let d = Self::default();
        let mut int = |key: &str, range, default: u64| {
            reader.int(RECORD, row, ("other_config", key), range, default as i64) as u64
        };
        let emc_insert_inv_prob = int("emc-insert-inv-prob", 0..=u32::MAX.into(), 100) as u32;
        let tx_flush_interval_us = int("tx-flush-interval", 0..=1_000_000, 0) as u32;
        let flow_limit = int("flow-limit", 0..=u32::MAX.into(), d.flow_limit as u64) as usize;
        let max_idle_ms = int("max-idle", 500..=i64::MAX, d.max_idle_ms);
        let max_revalidator_ms = int("max-revalidator", 100..=i64::MAX, d.max_revalidator_ms);
        let min_revalidate_pps = int("min-revalidate-pps", 0..=i64::MAX, d.min_revalidate_pps);
        let stats_interval_ms = int("stats-update-interval", 5_000..=i64::MAX, d.stats_interval_ms);
        let vlan_limit = int("vlan-limit", 0..=i64::MAX, 1).min(u32::MAX.into()) as u32;
        let mut flag = |key, default| reader.bool(RECORD, row, ("other_config", key), default);
        Self {
            uuid,
            next_cfg: row.int("next_cfg").unwrap_or(0),
            rxq_isolate: flag("pmd-rxq-isolate", true),
            smc: flag("smc-enable", false),
            enable_statistics: flag("enable-statistics", false),
            flow_restore_wait: flag("flow-restore-wait", false),
            vhost_iommu: flag("vhost-iommu-support", false),
            vhost_postcopy: flag("vhost-postcopy-support", false),
            pmd_cpus: pmd_cpus(reader, row),
            pmd_sleep: pmd_sleep(reader, row),
            rxq_assign: rxq_assign(reader, row),
            emc_insert_inv_prob,
            tx_flush_interval_us,
            flow_limit,
            max_idle_ms,
            max_revalidator_ms,
            min_revalidate_pps,
            stats_interval_ms,
            datapaths: datapaths(row),
            vlan_limit,
            dpdk: dpdk(row),
            vhost_sock_dir: row.key("other_config", "vhost-sock-dir").unwrap_or("").to_owned(),
        }
    }
}

fn dpdk(row: &Row) -> BTreeMap<String, String> {
    let pairs = row.get("other_config").into_iter().flat_map(weir_ovsdb::Datum::pairs);
    let texts = pairs.filter_map(|(k, v)| Some((k.as_str()?.strip_prefix("dpdk-")?, v.as_str()?)));
    texts.map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
}

fn datapaths(row: &Row) -> BTreeMap<String, Uuid> {
    let pairs = row.get("datapaths").into_iter().flat_map(weir_ovsdb::Datum::pairs);
    pairs.filter_map(|(k, v)| Some((k.as_str()?.to_owned(), v.as_uuid()?))).collect()
}

fn pmd_cpus(reader: &mut Reader<'_>, row: &Row) -> Option<BTreeSet<u32>> {
    let text = row.key("other_config", "pmd-cpu-mask")?;
    let cpus = parse_cpu_mask(text).filter(|c| !c.is_empty());
    if cpus.is_none() {
        let text = format!("other_config:pmd-cpu-mask={text} is not a CPU mask; using the default");
        reader.complain(RECORD, text);
    }
    cpus
}

/// `MAX`, or a list of `CORE:MAX` with or without a `MAX` for the other cores.
fn pmd_sleep(reader: &mut Reader<'_>, row: &Row) -> PmdSleep {
    let key = |name| row.key("other_config", name);
    let Some(text) = key("pmd-sleep-max").or_else(|| key("pmd-maxsleep")) else {
        return PmdSleep::default();
    };
    let mut sleep = PmdSleep::default();
    for part in text.split([',', ' ']).filter(|p| !p.is_empty()) {
        let (core, max) = match part.split_once(':') {
            Some((core, max)) => (Some(core.parse::<u32>()), max.parse::<u64>()),
            None => (None, part.parse::<u64>()),
        };
        match (core, max) {
            (None, Ok(max)) if max <= 10_000 => sleep.default_us = max,
            (Some(Ok(core)), Ok(max)) if max <= 10_000 => drop(sleep.cores.insert(core, max)),
            _ => reader.complain(
                RECORD,
                format!("other_config:pmd-sleep-max: {part} is not MAX or CORE:MAX with MAX from 0 to 10000 us; ignored"),
            ),
        }
    }
    sleep
}

fn rxq_assign(reader: &mut Reader<'_>, row: &Row) -> RxqAssign {
    match row.key("other_config", "pmd-rxq-assign") {
        None | Some("cycles") => RxqAssign::Cycles,
        Some("roundrobin") => RxqAssign::RoundRobin,
        Some("group") => RxqAssign::Group,
        Some(other) => {
            let text = format!(
                "other_config:pmd-rxq-assign={other} is not cycles, roundrobin or group; using cycles"
            );
            reader.complain(RECORD, text);
            RxqAssign::Cycles
        }
    }
}
