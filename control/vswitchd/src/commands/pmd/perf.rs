//! `dpif-netdev/pmd-perf-show` and `pmd-perf-log-set`: what the threads' iterations were like.

use weir_engine::PerfLog;
use weir_runtime::unixctl::{CommandResult, Outcome};

use super::args::Args;
use super::{engine, selected};
use crate::perf::Parts;
use crate::switchd::Switchd;

pub(super) const LOG_USAGE: &str = "on|off [-b before] [-a after] [-e|-ne] [-us usec] [-q qlen]";

/// Most rows that are shown.
const MAX_ROWS: usize = 1000;

pub(super) fn show(state: &mut Switchd, args: &[String]) -> CommandResult {
    let args = Args::read(args, (&["-pmd", "-it", "-ms"], &["-nh"]));
    let rows = |option| args.number::<usize>(option).unwrap_or(0).min(MAX_ROWS);
    let parts =
        Parts { histograms: !args.has("-nh"), iterations: rows("-it"), milliseconds: rows("-ms") };
    let engine = engine(state)?;
    let metrics = state.desired.as_ref().is_some_and(|d| d.switch.pmds.tuning.perf_metrics);
    let time = state.wall_time_text();
    let mut out = String::new();
    for pmd in selected(state, args.core())?.iter().filter(|p| p.core.is_some()) {
        state.perf.write_perf(&mut out, pmd, &time);
        if metrics {
            state.perf.write_metrics(&mut out, &engine, pmd, parts);
        }
    }
    Outcome::text(out)
}

pub(super) fn log_set(state: &mut Switchd, args: &[String]) -> CommandResult {
    let engine = engine(state)?;
    let settings = read_log_set(args, engine.perf_log()).ok_or_else(|| {
        "Usage: ovs-appctl dpif-netdev/pmd-perf-log-set [on|off] [-b before] [-a after] [-e|-ne] \
         [-us usec] [-q qlen]"
            .to_owned()
    })?;
    engine.set_perf_log(settings);
    Outcome::empty()
}

/// The settings that the arguments make of those before.
fn read_log_set(args: &[String], mut settings: PerfLog) -> Option<PerfLog> {
    let mut words = args.iter().map(String::as_str);
    while let Some(word) = words.next() {
        let mut number = || words.next()?.parse::<u32>().ok();
        match word {
            "on" => settings.on = true,
            "off" => settings.on = false,
            "-e" => settings.extend = true,
            "-ne" => settings.extend = false,
            "-b" => settings.before = number()? as usize,
            "-a" => settings.after = number()? as usize,
            "-us" => settings.us = number()?.into(),
            "-q" => settings.queue_length = number()?.into(),
            _ => return None,
        }
    }
    Some(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(args: &str) -> Option<String> {
        let args: Vec<String> = args.split_whitespace().map(str::to_owned).collect();
        read_log_set(&args, PerfLog::default()).map(|settings| settings.within_memory().to_string())
    }

    #[test]
    fn as_open_vswitch_reads_it() {
        let tail = "extend=false, us_thr=250, q_thr=128";
        assert_eq!(read("on"), Some(format!("on, before=5, after=5, {tail}")));
        assert_eq!(read(""), Some(format!("off, before=5, after=5, {tail}")));
        assert_eq!(read("on -b 1000 -a 3"), Some(format!("on, before=998, after=0, {tail}")));
        assert_eq!(
            read("-e -ne -b 3 off -us 30 -q 0 -e").as_deref(),
            Some("off, before=3, after=5, extend=true, us_thr=30, q_thr=0")
        );
        for bad in ["frob", "on -b", "on -b -1", "on -b x", "off foo", "on -foo"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
