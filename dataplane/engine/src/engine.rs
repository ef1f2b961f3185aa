//! [`Engine`]: the packet engine as its owner sees it. Every method may be called from any control
//! thread; none stops the packets of ports it does not name.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::Thread;
use std::time::Instant;

use weir_dpdk::{DpdkError, Mempool};
use weir_flow::{PortNo, SlowPath};

use crate::balancer::Balancer;
use crate::datapath::Registries;
use crate::housekeeping;
use crate::meter::{MeterConfig, MeterStats, Meters};
use crate::pmd::perf::PerfLog;
use crate::pmd::perf::watch::Desk;
use crate::pmd::thread::{Pmd, PmdCommand};
use crate::port::lane::TxLane;
use crate::port::{Device, ETHERNET_LEN, Pools, PortConfig};
use crate::rxq_table::Rxq;
use crate::slow_path::SharedSlowPath;
use crate::time::TimeSource;
use crate::topology::Topology;
use crate::tuning::Tuning;
use crate::worker::{Common, FlowCount, Worker, WorkerCommand, WorkerShared};

/// What an engine is made with.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// Cores of the PMD threads; the first core of each NUMA node if empty.
    pub pmd_cores: Vec<u32>,
    /// Most megaflows (`other_config:flow-limit`).
    pub flow_limit: usize,
    /// Packets of each pool; OVS's numbers if none is given.
    pub mbufs: Option<u32>,
    /// The clock.
    pub time: Arc<dyn TimeSource>,
    /// How many VLAN tags are parsed, 1 or 2 (`other_config:vlan-limit`).
    pub vlan_limit: usize,
    /// Directory of the sockets of `dpdkvhostuser` ports.
    pub vhost_sock_dir: String,
    /// The cores there are.
    pub topology: Topology,
}

impl EngineConfig {
    /// OVS's defaults.
    #[must_use]
    pub fn new(time: Arc<dyn TimeSource>) -> Self {
        Self {
            pmd_cores: Vec::new(),
            flow_limit: 200_000,
            mbufs: None,
            time,
            vlan_limit: 1,
            vhost_sock_dir: "/var/run/openvswitch".to_owned(),
            topology: Topology::machine(),
        }
    }
}

/// Why there is no engine, or no PMD thread.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// DPDK refused.
    #[error(transparent)]
    Dpdk(#[from] DpdkError),
    /// A thread could not be started.
    #[error("PMD thread on core {core}: {error}")]
    Thread {
        /// Its core.
        core: u32,
        /// The operating system's reason.
        error: std::io::Error,
    },
    /// The thread for housekeeping could not be started.
    #[error("housekeeping thread: {error}")]
    Housekeeping {
        /// The operating system's reason.
        error: std::io::Error,
    },
}

/// A port and all that belongs to it.
#[derive(Debug)]
pub(crate) struct Port {
    pub(crate) no: PortNo,
    pub(crate) config: PortConfig,
    pub(crate) mac: [u8; 6],
    pub(crate) mtu: u16,
    pub(crate) numa: i32,
    pub(crate) up: bool,
    pub(crate) lanes: Vec<Arc<TxLane>>,
    /// How many of them, from the front, lead anywhere.
    pub(crate) active_lanes: usize,
    pub(crate) rxqs: Vec<Rxq>,
    /// Whether Open vSwitch would have PMD threads poll it.
    pub(crate) is_pmd: bool,
    pub(crate) device: Arc<Mutex<Device>>,
}

impl Port {
    /// May packets pass? Open vSwitch's dummies let them while they are down.
    fn is_open(&self) -> bool {
        self.up || self.config.kind.starts_with("dummy")
    }

    /// Bytes of the longest frame that may leave; 0 while none may.
    pub(crate) fn max_frame(&self) -> u32 {
        if self.is_open() { u32::from(self.mtu) + ETHERNET_LEN } else { 0 }
    }

    /// Makes lanes and queues what the port's state and MTU say.
    pub(crate) fn apply_state(&self) {
        self.lanes.iter().for_each(|lane| lane.set_max_frame(self.max_frame()));
        self.rxqs.iter().for_each(|rxq| rxq.load.set_paused(!self.is_open()));
    }
}

/// What changes when ports or threads do.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) ports: BTreeMap<PortNo, Port>,
    pub(crate) pmds: Vec<Arc<Pmd>>,
    pub(crate) tuning: Tuning,
    pub(crate) perf_log: PerfLog,
    /// One burst in how many is timed; the last who said so counts.
    pub(crate) latency_sampling: u32,
    /// Of threads that start from now on.
    pub(crate) vlan_limit: usize,
}

/// See the [module documentation](self).
#[derive(Debug)]
pub struct Engine {
    /// Held while ports or threads are changed, which may take long.
    pub(crate) changing: Mutex<Pools>,
    /// Held for moments only.
    pub(crate) state: Mutex<State>,
    /// Serves injected packets.
    pub(crate) injector: Mutex<Worker>,
    pub(crate) injector_shared: Arc<WorkerShared>,
    pub(crate) registries: Mutex<Registries>,
    pub(crate) common: Common,
    pub(crate) time: Arc<dyn TimeSource>,
    /// For injected packets.
    pub(crate) pool: Mempool,
    pub(crate) vhost_sock_dir: String,
    pub(crate) topology: Topology,
    pub(crate) balancer: Mutex<Balancer>,
    pub(crate) started: Instant,
    /// Where reports of suspicious iterations wait, once they were asked for.
    pub(crate) desk: OnceLock<Arc<Desk>>,
    /// The thread for housekeeping.
    keeper: OnceLock<Thread>,
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Engine {
    /// An engine with its PMD threads and no ports.
    ///
    /// # Errors
    /// DPDK is not initialised or has no memory; a thread cannot be started.
    pub fn new(
        config: &EngineConfig,
        slow_path: Arc<dyn SlowPath>,
    ) -> Result<Arc<Self>, EngineError> {
        let mut pools = Pools::new(config.mbufs);
        let pool = pools.for_mtu(crate::port::DEFAULT_MTU, 0)?;
        let common = Common {
            pool: pool.clone(),
            slow_path: SharedSlowPath(slow_path),
            meters: Arc::new(Meters::new()),
            flows: Arc::new(FlowCount::new(config.flow_limit)),
            vlan_limit: config.vlan_limit.clamp(1, 2),
        };
        let injector_shared = WorkerShared::new();
        let engine = Self {
            changing: Mutex::new(pools),
            state: Mutex::new(State { vlan_limit: common.vlan_limit, ..State::default() }),
            injector: Mutex::new(Worker::new(&common, Arc::clone(&injector_shared))),
            registries: Mutex::new(Registries::default()),
            injector_shared,
            common,
            time: Arc::clone(&config.time),
            pool,
            vhost_sock_dir: config.vhost_sock_dir.clone(),
            topology: config.topology.clone(),
            balancer: Mutex::default(),
            started: Instant::now(),
            desk: OnceLock::new(),
            keeper: OnceLock::new(),
        };
        engine.set_pmd_cores(&config.pmd_cores)?;
        let engine = Arc::new(engine);
        let keeper =
            housekeeping::start(&engine).map_err(|error| EngineError::Housekeeping { error })?;
        let _ = engine.keeper.set(keeper);
        Ok(engine)
    }

    /// Changes settings of the threads; receive queues are assigned anew if that changes it.
    pub fn tune(&self, tuning: &Tuning) {
        let _changing = lock(&self.changing);
        let old = std::mem::replace(&mut lock(&self.state).tuning, tuning.clone());
        if old == *tuning {
            return;
        }
        for line in old.changes(tuning) {
            log::info!(target: "dpif_netdev", "{line}");
        }
        for pmd in self.pmds() {
            let core = pmd.shared.core;
            let max = tuning.sleep_max_us_on(core);
            if max != old.sleep_max_us_on(core) {
                let numa = pmd.numa;
                log::info!(target: "dpif_netdev", "PMD thread core {core:3} NUMA {numa:2}: Max sleep request set to {max:4} usecs.");
            }
            Self::tune_pmd(&pmd, tuning);
            if old.perf_metrics != tuning.perf_metrics {
                pmd.send(PmdCommand::PerfMetrics(tuning.perf_metrics));
            }
        }
        if old.latency_sampling != tuning.latency_sampling {
            self.set_latency_sampling(tuning.latency_sampling);
        }
        let moves = |t: &Tuning| (t.rxq_assign, t.isolates());
        if moves(&old) != moves(tuning) {
            self.rebalance();
        }
    }

    pub(crate) fn tune_pmd(pmd: &Pmd, tuning: &Tuning) {
        pmd.send(PmdCommand::SleepMax(tuning.sleep_max_us_on(pmd.shared.core)));
        let emc = WorkerCommand::EmcInsertInvProb(tuning.emc_insert_inv_prob);
        pmd.send(PmdCommand::Worker(emc));
        pmd.send(PmdCommand::MissShare(tuning.miss_share));
        pmd.send(PmdCommand::TxFlushInterval(tuning.tx_flush_us));
    }

    /// How many VLAN tags are parsed from now on, 1 or 2. All megaflows go if that changes.
    pub fn set_vlan_limit(&self, limit: usize) {
        let limit = limit.clamp(1, 2);
        let old = std::mem::replace(&mut lock(&self.state).vlan_limit, limit);
        if old == limit {
            return;
        }
        for pmd in self.pmds() {
            pmd.send(PmdCommand::Worker(WorkerCommand::VlanLimit(limit)));
            pmd.send(PmdCommand::Worker(WorkerCommand::Flush));
        }
        let mut injector = lock(&self.injector);
        injector.apply(WorkerCommand::VlanLimit(limit));
        injector.apply(WorkerCommand::Flush);
    }

    /// Most megaflows; those beyond stay until they are revalidated.
    pub fn set_flow_limit(&self, limit: usize) {
        self.common.flows.set_limit(limit);
    }

    /// Most megaflows.
    #[must_use]
    pub fn flow_limit(&self) -> usize {
        self.common.flows.limit()
    }

    /// Adds or replaces a meter.
    pub fn set_meter(&self, id: u32, config: &MeterConfig) {
        self.common.meters.set(id, config, self.time.now_ms());
    }

    /// Removes a meter and answers its last counters.
    pub fn remove_meter(&self, id: u32) -> Option<MeterStats> {
        self.common.meters.remove(id)
    }

    /// Counters of a meter.
    #[must_use]
    pub fn meter_stats(&self, id: u32) -> Option<MeterStats> {
        self.common.meters.stats(id)
    }

    /// The PMD threads.
    pub(crate) fn pmds(&self) -> Vec<Arc<Pmd>> {
        lock(&self.state).pmds.clone()
    }
}

impl Port {
    /// The lane for sending thread `index`. Threads share lanes if there are too few.
    pub(crate) fn lane(&self, index: usize) -> Option<&Arc<TxLane>> {
        self.lanes.get(index % self.active_lanes.clamp(1, self.lanes.len().max(1)))
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // Threads first, so that nobody polls what goes next.
        let ports: Vec<PortNo> = lock(&self.state).ports.keys().copied().collect();
        for port in ports {
            self.remove_port(port);
        }
        lock(&self.state).pmds.clear();
        if let Some(keeper) = self.keeper.get() {
            // It may be this very thread; it sees that the engine is gone.
            keeper.unpark();
        }
    }
}
