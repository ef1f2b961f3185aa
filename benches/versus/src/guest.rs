//! A guest that sends back what it gets, on a vhost-user port: testpmd behind `net_virtio_user`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::RunError;
use crate::process::Daemon;

/// A running guest; ended on drop.
#[derive(Debug)]
pub(crate) struct Guest {
    /// Where the switch meets it.
    pub(crate) socket: PathBuf,
    _testpmd: Daemon,
}

impl Guest {
    /// Begins to listen. It polls CPU 0, like everything that is not the switch's thread.
    pub(crate) fn start(dir: &Path) -> Result<Self, RunError> {
        let socket = dir.join("guest.sock");
        let mut cmd = Command::new("dpdk-testpmd");
        cmd.args(["--lcores=0@0,1@0", "--no-pci", "--in-memory", "--single-file-segments"]);
        cmd.args(["--file-prefix=versus-guest", "-m", "256"]);
        cmd.arg(format!("--vdev=net_virtio_user0,path={},server=1,queues=1", socket.display()));
        cmd.args(["--", "--forward-mode=io", "--port-topology=loop", "--stats-period=5"]);
        cmd.args(["--total-num-mbufs=16384", "--no-lsc-interrupt"]);
        let testpmd = Daemon::spawn(&mut cmd, &dir.join("guest.out"))?;
        Ok(Self { socket, _testpmd: testpmd })
    }
}
