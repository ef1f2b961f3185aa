//! CPUs and their NUMA nodes, from the kernel.

use std::collections::BTreeMap;
use std::path::Path;

/// A CPU that is online.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cpu {
    /// The kernel's number.
    pub id: usize,
    /// Its NUMA node; 0 on machines without.
    pub node: i32,
    /// Its core within the package: equal for hyper-threads of one core.
    pub core: i32,
}

/// The CPUs that are online, by number.
#[must_use]
pub fn cpus() -> Vec<Cpu> {
    cpus_in(Path::new("/sys/devices/system"))
}

/// The NUMA node of a CPU; `None` when it is not online.
#[must_use]
pub fn node_of(cpu: usize) -> Option<i32> {
    cpus().into_iter().find(|c| c.id == cpu).map(|c| c.node)
}

fn cpus_in(system: &Path) -> Vec<Cpu> {
    let read = |path: &Path| std::fs::read_to_string(path).unwrap_or_default();
    let mut nodes = BTreeMap::new();
    for entry in std::fs::read_dir(system.join("node")).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let node = name.to_str().and_then(|name| name.strip_prefix("node")?.parse::<i32>().ok());
        if let Some(node) = node {
            for cpu in parse_list(&read(&entry.path().join("cpulist"))) {
                nodes.insert(cpu, node);
            }
        }
    }
    let core_of = |cpu: usize| {
        let path = system.join(format!("cpu/cpu{cpu}/topology/core_id"));
        read(&path).trim().parse().unwrap_or_else(|_| i32::try_from(cpu).unwrap_or(i32::MAX))
    };
    parse_list(&read(&system.join("cpu/online")))
        .into_iter()
        .map(|id| Cpu { id, node: nodes.get(&id).copied().unwrap_or(0), core: core_of(id) })
        .collect()
}

/// Most CPUs a list of the kernel is believed to hold.
const MAX_CPUS: usize = 8192;

/// A list such as `0-3,8`; what cannot be read is left out.
fn parse_list(text: &str) -> Vec<usize> {
    let mut list = Vec::new();
    for part in text.trim().split(',') {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        if let (Ok(from), Ok(to)) = (from.parse::<usize>(), to.parse::<usize>()) {
            list.extend(from..=to.min(MAX_CPUS));
        }
    }
    list
}

/// The CPUs that the calling thread may run on.
#[must_use]
pub fn affinity() -> Vec<usize> {
    // SAFETY: an all-zero CPU set is the empty one.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: fills the set for the calling thread.
    if unsafe { libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &raw mut set) } != 0 {
        return Vec::new();
    }
    let bits = 8 * size_of::<libc::cpu_set_t>();
    // SAFETY: within the set's size.
    (0..bits).filter(|&cpu| unsafe { libc::CPU_ISSET(cpu, &set) }).collect()
}

/// Pins the calling thread to these CPUs; false when the kernel refuses (none of them online or
/// allowed).
#[must_use]
pub fn set_affinity(cpus: &[usize]) -> bool {
    // SAFETY: an all-zero CPU set is the empty one.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    let bits = 8 * size_of::<libc::cpu_set_t>();
    for &cpu in cpus.iter().filter(|&&cpu| cpu < bits) {
        // SAFETY: within the set's size.
        unsafe { libc::CPU_SET(cpu, &mut set) };
    }
    // SAFETY: reads the set for the calling thread.
    unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set) == 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists() {
        assert_eq!(parse_list("0-3,8\n"), [0, 1, 2, 3, 8]);
        assert_eq!(parse_list("5"), [5]);
        assert!(parse_list("").is_empty());
        assert!(parse_list("x-2,").is_empty());
    }

    #[test]
    fn this_machine_has_the_cpu_we_run_on() {
        let all = cpus();
        let mine = affinity();
        assert!(!mine.is_empty());
        assert!(mine.iter().all(|id| all.iter().any(|cpu| cpu.id == *id)));
        assert!(node_of(mine[0]).is_some());
        assert!(set_affinity(&mine));
        assert!(!set_affinity(&[]));
    }
}
