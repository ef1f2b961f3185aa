//! The engine's PMD threads: starting and ending.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::engine::{Engine, EngineError, lock};
use crate::pmd::thread::{Place, Pmd, PmdCommand};
use crate::worker::{Common, WorkerCommand};

static NEXT_THREAD: AtomicU32 = AtomicU32::new(1);

impl Engine {
    /// Of these cores those that exist; the first core of each NUMA node if that is none.
    fn usable(&self, cores: &[u32]) -> BTreeSet<u32> {
        let (there, missing): (Vec<u32>, Vec<u32>) =
            cores.iter().partition(|core| self.topology.has(**core));
        for core in missing {
            log::warn!(target: "dpif_netdev", "core {core} in pmd-cpu-mask does not exist; there is no PMD thread on it");
        }
        if there.is_empty() {
            return self.topology.default_cores().iter().copied().collect();
        }
        there.into_iter().collect()
    }

    /// Makes the PMD threads those of these cores (`other_config:pmd-cpu-mask`); an empty list is the
    /// first core of each NUMA node. Queues of threads that end move to others.
    ///
    /// # Errors
    /// A thread could not be started; those that could are there.
    pub fn set_pmd_cores(&self, cores: &[u32]) -> Result<(), EngineError> {
        let _changing = lock(&self.changing);
        let wanted = self.usable(cores);
        let old = self.pmds();
        if old.iter().map(|pmd| pmd.shared.core).eq(wanted.iter().copied()) {
            return Ok(());
        }
        let mut failed = Ok(());
        for &core in &wanted {
            if old.iter().any(|pmd| pmd.shared.core == core) {
                continue;
            }
            let thread_id = NEXT_THREAD.fetch_add(1, Ordering::Relaxed);
            let vlan_limit = lock(&self.state).vlan_limit;
            let common = Common { vlan_limit, ..self.common.clone() };
            let place =
                Place { core, numa: self.topology.node_of(core), pinned: self.topology.is_real() };
            match Pmd::start(place, thread_id, &common, &self.time) {
                Ok(pmd) => self.welcome(Arc::new(pmd)),
                Err(error) => failed = Err(EngineError::Thread { core, error }),
            }
        }
        let (gone, stay): (Vec<_>, Vec<_>) =
            self.pmds().into_iter().partition(|pmd| !wanted.contains(&pmd.shared.core));
        // Better the old threads than none.
        if !stay.is_empty() {
            lock(&self.state).pmds = stay;
            self.rebalance_from(&gone, false);
            for pmd in gone {
                self.dismiss(pmd);
            }
        }
        self.count_threads();
        failed
    }

    fn count_threads(&self) {
        let nodes: Vec<i32> = self.pmds().iter().map(|pmd| pmd.numa).collect();
        for node in nodes.iter().copied().collect::<BTreeSet<_>>() {
            let n = nodes.iter().filter(|&&numa| numa == node).count();
            log::info!(target: "dpif_netdev", "There are {n} pmd threads on numa node {node}");
        }
    }

    /// Lets a new thread reach all ports.
    fn welcome(&self, pmd: Arc<Pmd>) {
        let mut state = lock(&self.state);
        let index = state.pmds.len() + 1;
        for port in state.ports.values() {
            if let Some(lane) = port.lane(index) {
                let attach = WorkerCommand::AttachTx(port.no, Arc::clone(lane));
                pmd.send(PmdCommand::Worker(attach));
            }
        }
        Self::tune_pmd(&pmd, &state.tuning);
        pmd.send(PmdCommand::LatencySampling(state.latency_sampling));
        pmd.send(PmdCommand::PerfMetrics(state.tuning.perf_metrics));
        if let Some(desk) = self.desk.get() {
            pmd.send(PmdCommand::PerfLog(state.perf_log, Arc::clone(desk)));
        }
        log::info!(target: "dpif_netdev", "PMD thread on numa_id: {}, core id: {:2} created.", pmd.numa, pmd.shared.core);
        state.pmds.push(pmd);
        state.pmds.sort_by_key(|pmd| pmd.shared.core);
    }

    /// Ends a thread that has no queues any more, and credits its megaflows' packets.
    fn dismiss(&self, pmd: Arc<Pmd>) {
        let (core, numa) = (pmd.shared.core, pmd.numa);
        let worker = Arc::clone(&pmd.shared.worker);
        // A visit under way holds it too: it ends with the visit.
        let mut registries = lock(&self.registries);
        pmd.stop();
        registries.bury(&worker);
        log::info!(target: "dpif_netdev", "PMD thread on numa_id: {numa}, core id: {core:2} destroyed.");
    }
}
