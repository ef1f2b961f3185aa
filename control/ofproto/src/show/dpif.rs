//! The bridges' part of `dpif/show`.

use std::collections::BTreeMap;

use weir_openflow::OfPort;

use crate::Switch;
use crate::config::Behind;

/// The lines below the datapath's: its bridges and their ports. `options` tells a port's
/// configuration, as `peer=q0`, by the port's name.
#[must_use]
pub fn bridges(switch: &Switch, options: &dyn Fn(&str) -> String) -> String {
    let mut out = String::new();
    for bridge in switch.bridges() {
        let state = bridge.lock();
        out.push_str(&format!("  {}:\n", state.config.name));
        let by_name: BTreeMap<_, _> = state.ports.values().map(|p| (&p.config.name, p)).collect();
        for (name, port) in by_name {
            let number = match port.config.ofport {
                OfPort(n) => n.to_string(),
            };
            let datapath = match &port.config.behind {
                Behind::Datapath(p) => p.0.to_string(),
                Behind::Patch { .. } => "none".to_owned(),
            };
            let kind = &port.config.kind;
            let options = options(name);
            let options = if options.is_empty() { options } else { format!(": {options}") };
            out.push_str(&format!("    {name} {number}/{datapath}: ({kind}{options})\n"));
        }
    }
    out
}
