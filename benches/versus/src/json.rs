//! Every sample of a run, and the machine that it ran on, for programs.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::error::{RunError, Step as _};
use crate::report::{Report, Sample};

/// Writes the report.
pub(crate) fn write(path: &Path, report: &Report) -> Result<(), RunError> {
    save(path, &value(report))
}

/// Writes a value.
pub(crate) fn save(path: &Path, value: &Value) -> Result<(), RunError> {
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir).step(format!("creating {}", dir.display()))?;
    }
    let text = format!("{value:#}\n");
    fs::write(path, text).step(format!("writing {}", path.display()))
}

fn value(report: &Report) -> Value {
    let rows: Vec<_> = report
        .0
        .iter()
        .map(|line| {
            let goals: Vec<_> = line.row.goals.iter().map(ToString::to_string).collect();
            let samples: Vec<_> = line.samples.iter().map(sample).collect();
            json!({
                "row": line.row.name, "title": line.row.title, "goals": goals, "samples": samples,
            })
        })
        .collect();
    json!({ "machine": machine(), "rows": rows })
}

/// One measurement.
pub(crate) fn sample(s: &Sample) -> Value {
    let account = s.account.as_ref().map(|a| {
        let dropped: serde_json::Map<_, _> =
            a.dropped.iter().map(|(reason, n)| (reason.clone(), json!(n))).collect();
        json!({
            "written": a.written, "received": a.received, "delivered": a.delivered,
            "dropped": dropped, "balanced": a.balanced(),
        })
    });
    json!({
        "side": s.side, "config": s.config, "packets_per_second": s.rate,
        "packets_of_each_second_held": s.seconds,
        "undisturbed_packets_per_second": s.clean, "disturbances_per_second": s.made,
        "attack_received_per_second": s.taken, "cycles_per_packet": s.cycles,
        "account": account,
    })
}

/// The machine.
pub(crate) fn machine() -> Value {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let count = cpus.lines().filter(|l| l.starts_with("processor")).count();
    json!({ "cpu": model(&cpus), "cpus": count, "kernel": release.trim() })
}

/// The first processor's name.
fn model(cpuinfo: &str) -> Option<&str> {
    let line = cpuinfo.lines().find(|l| l.starts_with("model name"))?;
    line.split_once(':').map(|(_, name)| name.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::ROWS;

    #[test]
    fn a_report_has_its_samples_and_the_machine() {
        assert_eq!(model("processor\t: 0\nmodel name\t: AMD EPYC\n"), Some("AMD EPYC"));
        let mut report = Report::default();
        let s = Sample {
            side: "ovs",
            config: "smc",
            rate: 2.0,
            clean: Some(4.0),
            account: Some(crate::account::Account::default()),
            ..Sample::default()
        };
        report.add(&ROWS[0], s);
        let v = value(&report);
        assert_eq!(v["rows"][0]["samples"][0]["config"], "smc");
        assert_eq!(v["rows"][0]["samples"][0]["account"]["balanced"], true);
        assert!(v["machine"]["kernel"].is_string());
    }
}
