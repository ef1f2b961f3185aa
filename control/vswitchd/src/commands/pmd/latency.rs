//! `dpif-netdev/latency-show` and `latency-set`: how long packets stay in the switch.

use std::fmt::Write as _;

use hdrhistogram::{CreationError, Histogram};
use weir_engine::{LatencySnapshot, PmdSnapshot, Stage};
use weir_jsonrpc::Json;
use weir_runtime::unixctl::{CommandResult, Commands, Outcome};

use super::args::Args;
use super::{engine, heading, selected, thread_json};
use crate::desired::MAX_SAMPLING;
use crate::switchd::Switchd;

/// One burst in so many is timed when nothing else is said.
const DEFAULT_SAMPLING: u32 = 64;
/// Quantiles that are shown, and their names.
const QUANTILES: [(&str, f64); 6] =
    [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("p99.99", 0.9999), ("max", 1.0)];

pub(super) fn register(commands: &mut Commands<Switchd>) {
    let usage = "[-pmd core] [dp]";
    commands.add("dpif-netdev/latency-show", usage, 0, 3, show);
    commands.add("dpif-netdev/latency-set", "on|off [1/N]", 1, 2, |s: &mut Switchd, args| {
        let one_in = sampling(args).ok_or_else(|| {
            format!("{}: neither off nor on [1/N] with N up to {MAX_SAMPLING}", args.join(" "))
        })?;
        engine(s)?.set_latency_sampling(one_in);
        Outcome::empty()
    });
}

/// One burst in how many, 0 for none.
fn sampling(args: &[String]) -> Option<u32> {
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words[..] {
        ["off"] => Some(0),
        ["on"] => Some(DEFAULT_SAMPLING),
        ["on", n] => {
            let n = n.strip_prefix("1/").unwrap_or(n).parse().ok()?;
            (1..=MAX_SAMPLING).contains(&n).then_some(n)
        }
        _ => None,
    }
}

fn show(state: &mut Switchd, args: &[String]) -> CommandResult {
    let args = Args::read(args, (&["-pmd"], &[]));
    let engine = engine(state)?;
    let sampling = engine.latency_sampling();
    let mut text = match sampling {
        0 => "Latency is not measured (dpif-netdev/latency-set on).\n".to_owned(),
        n => format!("Latency in nanoseconds, one burst in {n} measured\n"),
    };
    let mut threads = Vec::new();
    for pmd in selected(state, args.core())?.iter().filter(|pmd| pmd.core.is_some()) {
        let latency = state.perf.latency_since_clear(&engine, pmd);
        let stages = Stage::ALL.map(|stage| in_nanoseconds(&latency, stage));
        let [Ok(poll), Ok(miss), Ok(translation)] = stages else {
            return Err("the histograms cannot be made".to_owned());
        };
        let stages = [poll, miss, translation];
        write(&mut text, pmd, &stages);
        threads.extend(json(pmd, &stages));
    }
    let json =
        Json::object([("one-burst-in", Json::from(sampling)), ("threads", Json::array(threads))]);
    Outcome::with_json(text, json)
}

/// In the order of [`Stage::ALL`].
type Stages = [Histogram<u64>; Stage::ALL.len()];

/// The thread's buckets as a histogram; a value stands for its bucket's greatest.
fn in_nanoseconds(
    latency: &LatencySnapshot,
    stage: Stage,
) -> Result<Histogram<u64>, CreationError> {
    let hz = u128::from(weir_dpdk::tsc_hz().max(1));
    let nanoseconds =
        |cycles: u64| u64::try_from(u128::from(cycles) * 1_000_000_000 / hz).unwrap_or(u64::MAX);
    histogram(latency.buckets(stage).map(|(cycles, packets)| (nanoseconds(cycles), packets)))
}

fn histogram(values: impl Iterator<Item = (u64, u64)>) -> Result<Histogram<u64>, CreationError> {
    // The buckets have two digits.
    let mut histogram = Histogram::new(3)?;
    for (value, packets) in values {
        // It grows as is needed.
        let _ = histogram.record_n(value, packets);
    }
    Ok(histogram)
}

fn write(out: &mut String, pmd: &PmdSnapshot, stages: &Stages) {
    heading(out, pmd);
    let names: Vec<String> = QUANTILES.iter().map(|(name, _)| format!("{name:>10}")).collect();
    let _ = writeln!(out, "  {:<16} {:>12} {}", "stage", "packets", names.join(" "));
    for (stage, histogram) in Stage::ALL.iter().zip(stages) {
        let value = |(_, q): &(&str, f64)| match histogram.len() {
            0 => format!("{:>10}", "-"),
            _ => format!("{:>10}", histogram.value_at_quantile(*q)),
        };
        let values: Vec<String> = QUANTILES.iter().map(value).collect();
        let (name, packets) = (stage.name(), histogram.len());
        let _ = writeln!(out, "  {name:<16} {packets:>12} {}", values.join(" "));
    }
}

fn json(pmd: &PmdSnapshot, stages: &Stages) -> Option<Json> {
    let clip = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let stages = Stage::ALL.iter().zip(stages).map(|(stage, histogram)| {
        let value = |(name, q): &(&'static str, f64)| {
            (*name, Json::from(clip(histogram.value_at_quantile(*q))))
        };
        let values = QUANTILES.iter().filter(|_| !histogram.is_empty()).map(value);
        let packets = ("packets", Json::from(clip(histogram.len())));
        (stage.name(), Json::object(values.chain([packets])))
    });
    let stages = Json::object(stages);
    Some(Json::object(thread_json(pmd)?.into_iter().chain([("nanoseconds", stages)])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(args: &str) -> Option<u32> {
        sampling(&args.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn what_can_be_set() {
        assert_eq!(
            (set("off"), set("on"), set("on 1/8"), set("on 9")),
            (Some(0), Some(64), Some(8), Some(9))
        );
        for bad in ["frob", "on 0", "on 1/x", "on 1000001", "off 3", "on 1 2"] {
            assert_eq!(set(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_thread_s_table() {
        let stages = [
            histogram([(1_000, 990), (90_000, 9), (5_000_000, 1)].into_iter()).unwrap(),
            histogram(std::iter::once((1_500, 3))).unwrap(),
            histogram(std::iter::empty()).unwrap(),
        ];
        let mut text = String::new();
        let pmd = PmdSnapshot { core: Some(3), ..PmdSnapshot::default() };
        write(&mut text, &pmd, &stages);
        let words: Vec<Vec<&str>> =
            text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(text.lines().next(), Some("pmd thread numa_id 0 core_id 3:"));
        assert_eq!(words[1].join(" "), "stage packets p50 p90 p99 p99.9 p99.99 max");
        assert_eq!(words[2][..5].join(" "), "poll-to-transmit 1000 1000 1000 1000");
        assert_eq!(words[3].join(" "), "miss 3 1500 1500 1500 1500 1500 1500");
        assert_eq!(words[4].join(" "), "translation 0 - - - - - -");
        let json = json(&pmd, &stages).unwrap();
        let miss = json.get("nanoseconds").and_then(|stages| stages.get("miss")).unwrap();
        assert_eq!(miss.get("p99.9").and_then(Json::as_int), Some(1_500));
        assert_eq!(miss.get("packets").and_then(Json::as_int), Some(3));
    }
}
