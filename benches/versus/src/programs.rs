//! The programs of the two switches.

use std::path::{Path, PathBuf};

/// Where a switch's programs are.
#[derive(Debug)]
pub(crate) struct Programs {
    /// `weir` or `ovs`.
    pub(crate) name: &'static str,
    pub(crate) vswitchd: PathBuf,
    pub(crate) ovsdb_server: PathBuf,
    pub(crate) ovsdb_tool: PathBuf,
    pub(crate) vsctl: PathBuf,
    pub(crate) ofctl: PathBuf,
    pub(crate) appctl: PathBuf,
    /// What its database is made from, if the switch does not serve its own.
    pub(crate) schema: Option<PathBuf>,
}

impl Programs {
    /// Weir's, in one folder.
    pub(crate) fn weir(dir: &Path) -> Self {
        Self {
            name: "weir",
            vswitchd: dir.join("ovs-vswitchd"),
            ovsdb_server: dir.join("ovsdb-server"),
            ovsdb_tool: dir.join("ovsdb-tool"),
            vsctl: dir.join("ovs-vsctl"),
            ofctl: dir.join("ovs-ofctl"),
            appctl: dir.join("ovs-appctl"),
            schema: None,
        }
    }

    /// The distribution's.
    pub(crate) fn debian(vswitchd: &Path) -> Self {
        Self {
            name: "ovs",
            vswitchd: vswitchd.to_owned(),
            ovsdb_server: "/usr/sbin/ovsdb-server".into(),
            ovsdb_tool: "/usr/bin/ovsdb-tool".into(),
            vsctl: "/usr/bin/ovs-vsctl".into(),
            ofctl: "/usr/bin/ovs-ofctl".into(),
            appctl: "/usr/bin/ovs-appctl".into(),
            schema: Some("/usr/share/openvswitch/vswitch.ovsschema".into()),
        }
    }
}
