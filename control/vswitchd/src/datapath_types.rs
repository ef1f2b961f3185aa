//! Types of datapaths and interfaces: what exists, and what takes the place of what under
//! `--enable-dummy`.

use crate::options::Dummy;

/// Interface types of the engine, and `patch`, which translation resolves.
const TYPES: &[&str] =
    &["dpdk", "dpdkvhostuser", "dpdkvhostuserclient", "internal", "patch", "system", "tap"];
/// Types with `--enable-dummy`.
const DUMMY_TYPES: &[&str] = &["dummy", "dummy-internal", "dummy-pmd"];

/// `Open_vSwitch.iface_types`.
#[must_use]
pub fn interface_types(dummy: Dummy) -> Vec<&'static str> {
    let mut types = TYPES.to_vec();
    if dummy != Dummy::Off {
        types.extend(DUMMY_TYPES);
    }
    types.sort_unstable();
    types
}

/// `Open_vSwitch.datapath_types`. `system` is accepted so that configurations for the kernel's
/// datapath run; its packets go through the same engine.
#[must_use]
pub fn datapath_types(dummy: Dummy) -> Vec<&'static str> {
    match dummy {
        Dummy::Off => vec!["netdev", "system"],
        _ => vec!["dummy", "netdev", "system"],
    }
}

/// Is the bridge's datapath made of dummies?
#[must_use]
pub fn is_dummy_datapath(datapath_type: &str, dummy: Dummy) -> bool {
    match dummy {
        Dummy::Off => false,
        Dummy::Override => true,
        Dummy::On | Dummy::System => datapath_type == "dummy",
    }
}

/// The type of device that an interface of type `kind` gets.
#[must_use]
pub fn device_kind(kind: &str, dummy_datapath: bool, dummy: Dummy) -> &str {
    match (kind, dummy) {
        ("patch", _) | ("dummy" | "dummy-internal" | "dummy-pmd", _) => kind,
        ("internal", _) if dummy_datapath => "dummy-internal",
        ("system", Dummy::System | Dummy::Override) => "dummy",
        ("internal", Dummy::Override) => "dummy-internal",
        (_, Dummy::Override) => "dummy",
        _ => kind,
    }
}

/// The type as `dpctl/show` and `dpif/show` print it: in a datapath in user space an internal port
/// is a tap.
#[must_use]
pub fn shown_kind(device_kind: &str) -> &str {
    if device_kind == "internal" { "tap" } else { device_kind }
}

/// Does anybody know this type?
#[must_use]
pub fn is_known(kind: &str, dummy: Dummy) -> bool {
    TYPES.contains(&kind) || (dummy != Dummy::Off && DUMMY_TYPES.contains(&kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dummies_take_the_place_they_were_told_to() {
        assert_eq!(device_kind("system", false, Dummy::Override), "dummy");
        assert_eq!(device_kind("system", true, Dummy::On), "system");
        assert_eq!(device_kind("internal", true, Dummy::On), "dummy-internal");
        assert_eq!(device_kind("internal", false, Dummy::Off), "internal");
        assert_eq!(device_kind("patch", true, Dummy::Override), "patch");
        assert!(!is_known("dummy", Dummy::Off));
        assert!(interface_types(Dummy::Off).contains(&"dpdkvhostuser"));
    }
}
