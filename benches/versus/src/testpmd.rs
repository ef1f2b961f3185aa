//! testpmd: what the devices cost when nobody looks at the packets (`io`), or only writes new MAC
//! addresses (`mac`).

use std::fs;
use std::process::Command;
use std::time::Duration;

use crate::error::{RunError, Step as _};
use crate::measure::Times;
use crate::process::{Daemon, WorkDir};
use crate::report::Sample;
use crate::source::Feed;

/// Its ways to forward.
pub(crate) static MODES: &[&str] = &["io", "mac"];

/// The yardstick.
pub(crate) struct Testpmd;

impl Testpmd {
    /// Forwards for `warm_up + window` and takes the median of the seconds after the warm-up.
    pub(crate) fn run(
        work: &WorkDir,
        feed: &Feed<'_>,
        cpu: usize,
        times: Times,
        mode: &'static str,
    ) -> Result<Sample, RunError> {
        let Times { warm_up, window, .. } = times;
        let log = work.path().join("testpmd.out");
        let mut cmd = Command::new("dpdk-testpmd");
        cmd.arg(format!("--lcores=0@0,{cpu}@{cpu}"));
        cmd.args(["--no-pci", "--file-prefix=versus", "--in-memory", "-m", "1024"]);
        let sources = feed.open()?;
        cmd.args(sources.devices.iter().map(|d| format!("--vdev={}", d.arguments)));
        cmd.arg("--vdev=net_null0,no-rx=1");
        cmd.args(["--", &format!("--forward-mode={mode}"), "--stats-period=1"]);
        cmd.args(["--total-num-mbufs=262144", "--no-lsc-interrupt"]);
        let daemon = Daemon::spawn(&mut cmd, &log)?;
        std::thread::sleep(Duration::from_secs(2) + warm_up + window);
        drop(daemon);
        drop(sources);
        let text = fs::read_to_string(&log).step("reading testpmd's output")?;
        let keep = (window.as_secs() as usize).max(1);
        let mut last: Vec<f64> =
            sink_rates(&text, 1).into_iter().rev().filter(|r| *r > 0.0).take(keep).collect();
        last.sort_by(f64::total_cmp);
        let wanted = "Tx-pps";
        let command = "dpdk-testpmd".to_owned();
        let rate = *last.get(last.len() / 2).ok_or(RunError::Output { wanted, command })?;
        Ok(Sample { side: "testpmd", config: mode, rate, ..Sample::default() })
    }
}

/// `Tx-pps:  N` of a port, one a second.
fn sink_rates(text: &str, sink: u32) -> Vec<f64> {
    let mut port = 0;
    let mut rates = Vec::new();
    for line in text.lines() {
        if let Some((_, rest)) = line.split_once("NIC statistics for port ") {
            port = rest.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(0);
        }
        if let (true, Some((_, rest))) = (port == sink, line.split_once("Tx-pps:")) {
            rates.extend(rest.split_whitespace().next().and_then(|n| n.parse::<f64>().ok()));
        }
    }
    rates
}
