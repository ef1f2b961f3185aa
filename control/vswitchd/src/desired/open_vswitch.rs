//! Settings of the whole switch: table `Open_vSwitch`.

use std::collections::BTreeMap;

use weir_ovsdb::Uuid;
use weir_ovsdb::replica::Row;

use super::{Pmds, Reader};

/// What table `Open_vSwitch` asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenVSwitch {
    /// The row.
    pub uuid: Uuid,
    /// Changed by each configuration that wants to be waited for.
    pub next_cfg: i64,
    /// The PMD threads.
    pub pmds: Pmds,
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
            pmds: Pmds::default(),
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
            enable_statistics: flag("enable-statistics", false),
            flow_restore_wait: flag("flow-restore-wait", false),
            vhost_iommu: flag("vhost-iommu-support", false),
            vhost_postcopy: flag("vhost-postcopy-support", false),
            pmds: Pmds::read(reader, row),
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
