//! Starts DPDK's environment as `other_config:dpdk-*` asks. Packet buffers come from it whatever
//! the port types are, so it starts with the first bridge, with or without `dpdk-init`.

use weir_dpdk::{DpdkError, Eal, EalConfig};

use crate::desired::OpenVSwitch;

/// Starts the EAL, once a process.
///
/// # Errors
/// DPDK refuses; only a new process can try again.
pub fn start(switch: &OpenVSwitch) -> Result<&'static Eal, DpdkError> {
    Eal::init(&config(switch))
}

fn config(switch: &OpenVSwitch) -> EalConfig {
    let text = |key: &str| switch.dpdk.get(key).cloned();
    EalConfig {
        lcore_mask: text("lcore-mask"),
        alloc_mem: text("alloc-mem").and_then(|t| t.parse().ok()),
        socket_mem: text("socket-mem"),
        socket_limit: text("socket-limit"),
        hugepage_dir: text("hugepage-dir"),
        extra: text("extra").unwrap_or_default(),
        probe_at_init: text("probe-at-init").as_deref() == Some("true"),
        ..EalConfig::default()
    }
}
