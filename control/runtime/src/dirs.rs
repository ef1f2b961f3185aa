//! Where files live: `OVS_RUNDIR` and its siblings, with Debian's defaults.

use std::path::{Path, PathBuf};

/// A directory that an environment variable can move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Dir {
    variable: &'static str,
    default: &'static str,
}

const RUNDIR: Dir = Dir { variable: "OVS_RUNDIR", default: "/var/run/openvswitch" };
const LOGDIR: Dir = Dir { variable: "OVS_LOGDIR", default: "/var/log/openvswitch" };
const SYSCONFDIR: Dir = Dir { variable: "OVS_SYSCONFDIR", default: "/etc" };
const PKGDATADIR: Dir = Dir { variable: "OVS_PKGDATADIR", default: "/usr/share/openvswitch" };
const BINDIR: Dir = Dir { variable: "OVS_BINDIR", default: "/usr/bin" };

impl Dir {
    fn get(self) -> PathBuf {
        self.set_value().unwrap_or_else(|| self.default.into())
    }

    fn set_value(self) -> Option<PathBuf> {
        std::env::var_os(self.variable).filter(|value| !value.is_empty()).map(PathBuf::from)
    }
}

/// Sockets and pid files: `OVS_RUNDIR`, or `/var/run/openvswitch`.
pub fn rundir() -> PathBuf {
    RUNDIR.get()
}

/// Log files: `OVS_LOGDIR`, or `/var/log/openvswitch`.
pub fn logdir() -> PathBuf {
    LOGDIR.get()
}

/// Configuration of the machine: `OVS_SYSCONFDIR`, or `/etc`.
pub fn sysconfdir() -> PathBuf {
    SYSCONFDIR.get()
}

/// The database: `OVS_DBDIR`, or `openvswitch` in `OVS_SYSCONFDIR`, or `/etc/openvswitch`.
pub fn dbdir() -> PathBuf {
    let dbdir = std::env::var_os("OVS_DBDIR").filter(|value| !value.is_empty());
    dbdir.map_or_else(|| sysconfdir().join("openvswitch"), PathBuf::from)
}

/// Schemas and scripts: `OVS_PKGDATADIR`, or `/usr/share/openvswitch`.
pub fn pkgdatadir() -> PathBuf {
    PKGDATADIR.get()
}

/// Programs: `OVS_BINDIR`, or `/usr/bin`.
pub fn bindir() -> PathBuf {
    BINDIR.get()
}

/// `name` itself if it is absolute, else `name` in `dir`.
pub fn absolute(dir: &Path, name: impl AsRef<Path>) -> PathBuf {
    dir.join(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absolute_names_stay() {
        assert_eq!(absolute(Path::new("/run"), "a.ctl"), Path::new("/run/a.ctl"));
        assert_eq!(absolute(Path::new("/run"), "/tmp/a.ctl"), Path::new("/tmp/a.ctl"));
    }
}
