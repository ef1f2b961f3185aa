//! [`Topology`]: the cores PMD threads may run on and their NUMA nodes, those of the machine or those
//! a test made up.

use std::collections::BTreeMap;

/// See the [module documentation](self).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topology {
    /// NUMA node of each core.
    nodes: BTreeMap<u32, i32>,
    /// Cores that get a PMD thread when none was asked for.
    default: Vec<u32>,
    /// Whether the cores exist, so that threads can be pinned to them.
    real: bool,
}

impl Topology {
    /// The machine's.
    #[must_use]
    pub fn machine() -> Self {
        let allowed = weir_dpdk::lcore::affinity();
        let cpus = weir_dpdk::lcore::cpus();
        let nodes: BTreeMap<u32, i32> = cpus.iter().map(|cpu| (cpu.id as u32, cpu.node)).collect();
        let mine = cpus.iter().filter(|cpu| allowed.contains(&cpu.id));
        let mut default = first_of_each(mine.map(|cpu| (cpu.id as u32, cpu.node)));
        if default.is_empty() {
            default.push(allowed.first().map_or(0, |&cpu| cpu as u32));
        }
        Self { nodes, default, real: true }
    }

    /// Cores that only a test knows (`--dummy-numa`): the node of each, by core. Threads go where the
    /// operating system lets them.
    #[must_use]
    pub fn dummy(nodes: &[i32]) -> Self {
        let nodes: BTreeMap<u32, i32> = (0..).zip(nodes.iter().copied()).collect();
        let default = first_of_each(nodes.iter().map(|(&core, &node)| (core, node)));
        Self { nodes, default, real: false }
    }

    /// Whether there is such a core.
    #[must_use]
    pub fn has(&self, core: u32) -> bool {
        self.nodes.contains_key(&core)
    }

    /// The NUMA node of a core; 0 when nobody knows.
    #[must_use]
    pub fn node_of(&self, core: u32) -> i32 {
        self.nodes.get(&core).copied().unwrap_or(0)
    }

    /// The first core of each NUMA node that the process may run on.
    #[must_use]
    pub fn default_cores(&self) -> &[u32] {
        &self.default
    }

    /// Whether threads are pinned to their cores.
    #[must_use]
    pub fn is_real(&self) -> bool {
        self.real
    }
}

fn first_of_each(cores: impl Iterator<Item = (u32, i32)>) -> Vec<u32> {
    let mut first = BTreeMap::new();
    for (core, node) in cores {
        first.entry(node).or_insert(core);
    }
    first.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_up_machine() {
        let topology = Topology::dummy(&[0, 0, 8, 8, 1]);
        assert_eq!(topology.default_cores(), [0, 4, 2]);
        assert_eq!((topology.node_of(3), topology.node_of(4)), (8, 1));
        assert!(topology.has(4) && !topology.has(5) && !topology.is_real());
    }

    #[test]
    fn this_machine_has_a_default_core() {
        let topology = Topology::machine();
        assert!(topology.is_real() && !topology.default_cores().is_empty());
        assert!(topology.default_cores().iter().all(|&core| topology.has(core)));
    }
}
