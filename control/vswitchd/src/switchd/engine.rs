//! Starting the packet engine, with the first bridge, and handing it its settings.

use std::sync::Arc;

use weir_engine::{Engine, EngineConfig, PmdStats, TimeSource, Topology};
use weir_flow::{DropReason, SlowPath};
use weir_runtime::clock::Clock;
use weir_runtime::coverage;

use super::Switchd;
use crate::desired::{self, Desired};
use crate::eal;

/// Packets of a pool when memory is not in huge pages: enough for a demonstration.
const PLAIN_MBUFS: u32 = 32_768;

/// The engine's clock: ours, so that `time/stop` stops it.
#[derive(Debug)]
struct EngineClock(Clock);

impl TimeSource for EngineClock {
    fn now_ms(&self) -> u64 {
        u64::try_from(self.0.now()).unwrap_or(0).max(1)
    }
}

impl Switchd {
    pub(super) fn start_engine(&mut self, desired: &Desired) {
        match self.make_engine(&desired.switch) {
            Ok(engine) => {
                count_drops(&engine);
                count_uninstalled(&engine);
                self.engine = Some(engine);
                self.engine_error = None;
            }
            Err(text) => {
                if self.engine_error.as_ref() != Some(&text) {
                    log::error!(target: "dpdk", "{text}");
                }
                self.engine_error = Some(text);
            }
        }
    }

    fn make_engine(&self, switch: &desired::OpenVSwitch) -> Result<Arc<Engine>, String> {
        let plain = match eal::start(switch) {
            Ok(eal) => matches!(eal.memory(), weir_dpdk::Memory::Plain { .. }),
            Err(e) => return Err(format!("DPDK's environment does not start: {e}")),
        };
        let mut config = EngineConfig::new(Arc::new(EngineClock(self.clock.clone())));
        config.pmd_cores = pmd_cores(switch);
        config.flow_limit = switch.flow_limit;
        config.mbufs = plain.then_some(PLAIN_MBUFS);
        config.vlan_limit = vlan_limit(switch);
        config.vhost_sock_dir = vhost_sock_dir(&switch.vhost_sock_dir);
        if let Some(nodes) = &self.options.dummy_numa {
            config.topology = Topology::dummy(nodes);
        }
        let slow_path: Arc<dyn SlowPath> = self.switch.clone();
        Engine::new(&config, slow_path).map_err(|e| e.to_string())
    }
}

/// Makes `coverage/show` count the packets dropped for each reason.
fn count_drops(engine: &Arc<Engine>) {
    for reason in DropReason::ALL {
        let engine = Arc::downgrade(engine);
        coverage::add_reader(reason.counter(), move || {
            let drops = engine.upgrade().map(|e| e.drops()).unwrap_or_default();
            drops.iter().find(|(r, _)| r == reason).map_or(0, |(_, n)| *n)
        });
    }
}

/// Makes `coverage/show` count the misses for which no megaflow was installed, and why not: there are
/// too many megaflows, or too many new ones at once.
fn count_uninstalled(engine: &Arc<Engine>) {
    type Of = fn(&PmdStats) -> u64;
    let counters: [(&str, Of); 2] =
        [("upcall_flow_limit_hit", |s| s.not_installed), ("upcall_flow_deferred", |s| s.deferred)];
    for (name, of) in counters {
        let engine = Arc::downgrade(engine);
        coverage::add_reader(name, move || {
            let pmds = engine.upgrade().map(|e| e.pmd_snapshots()).unwrap_or_default();
            pmds.iter().map(|pmd| of(&pmd.stats)).sum()
        });
    }
}

/// Where the sockets of `dpdkvhostuser` ports are: in the run directory, or a directory of it.
fn vhost_sock_dir(below: &str) -> String {
    let rundir = weir_runtime::dirs::rundir();
    let below = std::path::Path::new(below);
    let inside = below.components().all(|c| matches!(c, std::path::Component::Normal(_)));
    let directory = rundir.join(if inside { below } else { "".as_ref() });
    if inside && directory.is_dir() {
        return directory.display().to_string();
    }
    let (rundir, below) = (rundir.display(), below.display());
    log::error!(target: "dpdk", "vhost-user sock directory '{rundir}/{below}' does not exist.");
    rundir.to_string()
}

fn pmd_cores(switch: &desired::OpenVSwitch) -> Vec<u32> {
    switch.pmds.cpus.iter().flatten().copied().collect()
}

/// Tags that are parsed: two at most, and none of the limits means all.
fn vlan_limit(switch: &desired::OpenVSwitch) -> usize {
    match switch.vlan_limit {
        0 => weir_flow::flow::MAX_VLANS,
        n => n as usize,
    }
}

/// Hands the engine its settings.
pub(super) fn tune(engine: &Engine, switch: &desired::OpenVSwitch) {
    engine.tune(&switch.pmds.tuning);
    engine.set_flow_limit(switch.flow_limit);
    engine.set_vlan_limit(vlan_limit(switch));
    if let Err(e) = engine.set_pmd_cores(&pmd_cores(switch)) {
        log::error!(target: "dpif_netdev", "{e}");
    }
}
