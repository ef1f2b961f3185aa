//! testpmd `io`: what the devices cost when nobody looks at the packets.

use std::fs;
use std::process::Command;
use std::time::Duration;

use crate::error::{RunError, Step as _};
use crate::process::{Daemon, WorkDir};
use crate::report::Sample;
use crate::row::Ports;
use crate::source::Feed;

/// The yardstick.
pub(crate) struct Testpmd;

impl Testpmd {
    /// Forwards for `warm_up + window` and takes the median of the seconds after the warm-up.
    pub(crate) fn run(
        work: &WorkDir,
        feed: &Feed<'_>,
        cpu: usize,
        warm_up: Duration,
        window: Duration,
    ) -> Result<Sample, RunError> {
        let log = work.path().join("testpmd.out");
        let mut cmd = Command::new("dpdk-testpmd");
        cmd.arg(format!("--lcores=0@0,{cpu}@{cpu}"));
        cmd.args(["--no-pci", "--file-prefix=versus", "--in-memory", "-m", "1024"]);
        let sources = feed.open()?;
        cmd.args(sources.devices.iter().map(|d| format!("--vdev={}", d.arguments)));
        let both = feed.row().ports == Ports::BothWays;
        cmd.args((!both).then_some("--vdev=net_null0,no-rx=1"));
        cmd.args(["--", "--forward-mode=io", "--stats-period=1"]);
        cmd.args(["--total-num-mbufs=262144", "--no-lsc-interrupt"]);
        let daemon = Daemon::spawn(&mut cmd, &log)?;
        std::thread::sleep(Duration::from_secs(2) + warm_up + window);
        drop(daemon);
        drop(sources);
        let text = fs::read_to_string(&log).step("reading testpmd's output")?;
        let rates = if both {
            sink_rates(&text, 0).iter().zip(sink_rates(&text, 1)).map(|(a, b)| a + b).collect()
        } else {
            sink_rates(&text, 1)
        };
        let keep = (window.as_secs() as usize).max(1);
        let mut last: Vec<f64> = rates.into_iter().rev().filter(|r| *r > 0.0).take(keep).collect();
        last.sort_by(f64::total_cmp);
        let wanted = "Tx-pps";
        let command = "dpdk-testpmd".to_owned();
        let rate = *last.get(last.len() / 2).ok_or(RunError::Output { wanted, command })?;
        Ok(Sample { side: "testpmd", config: "io", rate, ..Sample::default() })
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
