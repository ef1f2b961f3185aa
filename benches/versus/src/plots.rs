//! Measures the sweeps and draws them.

use std::fs;
use std::path::Path;

use plotters::style::RGBColor;
use serde_json::{Map, Value, json};

use crate::account::Account;
use crate::contest::{self, Side};
use crate::drawing::{self, COLOURS, Curve, Picture};
use crate::error::{RunError, Step as _};
use crate::json;
use crate::measure::Times;
use crate::plan::Plan;
use crate::process::WorkDir;
use crate::progress::Progress;
use crate::report::Sample;
use crate::row::Source;
use crate::source::Feed;
use crate::summary::Shape;
use crate::sweep::{Point, SWEEPS, Sweep};
use crate::switch::Switch;

/// The sides, their names in legends and their colours.
static LINES: [(&str, &str, RGBColor); 2] = [
    ("weir", "Weir", COLOURS[0]),
    ("ovs", "OVS-DPDK, the better of two configurations", COLOURS[1]),
];

/// What was measured at a point.
struct Measured {
    point: Point,
    samples: Vec<Sample>,
}

impl Measured {
    /// The side's best rate.
    fn rate(&self, side: &str) -> Option<f64> {
        let rates = self.samples.iter().filter(|s| s.side == side).map(|s| s.rate);
        rates.reduce(f64::max)
    }
}

/// Runs the planned sweeps, draws each into `dir` and keeps its numbers in `numbers`, beside those of
/// sweeps that did not run. False if a packet of Weir's is missing.
pub(crate) fn run(
    plan: &Plan,
    work: &WorkDir,
    dir: &Path,
    numbers: &Path,
) -> Result<bool, RunError> {
    let wanted = |s: &&Sweep| plan.rows.is_empty() || plan.rows.iter().any(|n| n == s.name);
    let sweeps: Vec<_> = SWEEPS.iter().filter(wanted).collect();
    let sides = contest::switches(plan, work)?;
    let points = sweeps.iter().map(|s| s.points().len()).sum::<usize>();
    let mut progress = Progress::new(points * sides.len());
    fs::create_dir_all(dir).step(format!("creating {}", dir.display()))?;
    let mut complete = true;
    for sweep in sweeps {
        let measured = measure(sweep, plan, work, &sides, &mut progress)?;
        draw(&dir.join(format!("{}.svg", sweep.name)), sweep, &measured)?;
        keep(numbers, sweep, &measured)?;
        print!("{}", summary(sweep, &measured));
        let accounts = measured.iter().flat_map(|m| &m.samples).filter(|s| s.side == "weir");
        complete &= accounts.filter_map(|s| s.account.as_ref()).all(Account::balanced);
    }
    Ok(complete)
}

fn measure(
    sweep: &Sweep,
    plan: &Plan,
    work: &WorkDir,
    sides: &[Side],
    progress: &mut Progress,
) -> Result<Vec<Measured>, RunError> {
    let times = Times { hold: None, ..plan.times };
    let mut all = Vec::new();
    for point in sweep.points() {
        let feed = Feed::new(&point.row, &plan.world, work.path())?;
        let mut samples = Vec::new();
        for side in sides {
            let Side::Switch(programs, config) = side else { continue };
            let at = sweep.tick(point.x);
            progress.next(&format!("{} {at} {} {}", sweep.name, programs.name, config.name));
            let switch = Switch::start(programs, work, &feed, config, plan.cpu)?;
            samples.push(switch.measure(&point.row, &plan.world, times)?);
        }
        all.push(Measured { point, samples });
    }
    Ok(all)
}

/// The side's points from one kind of source, in millions a second.
fn points(measured: &[Measured], side: &str, source: Source) -> Vec<(f64, f64)> {
    let of = measured.iter().filter(|m| m.point.row.source == source);
    of.filter_map(|m| Some((m.point.x, m.rate(side)? / 1e6))).collect()
}

/// The kinds of sources, the sweep's main one first.
fn sources(measured: &[Measured]) -> Vec<Source> {
    let mut sources: Vec<_> = measured.iter().map(|m| m.point.row.source).collect();
    sources.dedup();
    sources
}

fn draw(path: &Path, sweep: &Sweep, measured: &[Measured]) -> Result<(), RunError> {
    let mut curves = Vec::new();
    for (i, source) in sources(measured).into_iter().enumerate() {
        for (side, name, colour) in LINES {
            let points = points(measured, side, source);
            let name = (i == 0).then(|| name.to_owned());
            curves.extend((!points.is_empty()).then_some(Curve { name, colour, points }));
        }
    }
    let picture = Picture {
        title: sweep.title,
        x_axis: sweep.axis,
        y_axis: "million packets a second",
        note: sweep.note,
        tick: &|x| sweep.tick(x),
        curves: &curves,
    };
    drawing::write(path, &picture)
}

/// A line a side and kind of source: how much slower its slowest point is than its fastest.
fn summary(sweep: &Sweep, measured: &[Measured]) -> String {
    let mut text = String::new();
    for (side, _, _) in LINES {
        for source in sources(measured) {
            let points = points(measured, side, source);
            let Some(shape) = Shape::of(&points) else { continue };
            let goal = sweep.cliff.filter(|_| side == "weir").map(|c| shape.goal(c));
            let how = if source == Source::Pipe { ", through the pipe" } else { "" };
            let shape = shape.text(&|x| sweep.tick(x));
            text += &format!("{} {side}{how}: {shape}{}\n", sweep.name, goal.unwrap_or_default());
        }
    }
    text
}

/// Puts the sweep's numbers among those that are kept.
fn keep(path: &Path, sweep: &Sweep, measured: &[Measured]) -> Result<(), RunError> {
    let old = fs::read_to_string(path).ok().and_then(|t| serde_json::from_str(&t).ok());
    let mut all: Map<String, Value> = old.unwrap_or_default();
    let points: Vec<_> = measured
        .iter()
        .map(|m| {
            let samples: Vec<_> = m.samples.iter().map(json::sample).collect();
            let source = if m.point.row.source == Source::Pipe { "pipe" } else { "ring" };
            json!({ "x": sweep.tick(m.point.x), "source": source, "samples": samples })
        })
        .collect();
    let value = json!({
        "title": sweep.title, "axis": sweep.axis, "machine": json::machine(), "points": points,
    });
    all.insert(sweep.name.to_owned(), value);
    json::save(path, &Value::Object(all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_is_summed_up_by_side_and_source() {
        let sweep = &SWEEPS[0];
        let sample = |side, rate| Sample { side, config: "default", rate, ..Sample::default() };
        let rates = [40e6, 39e6, 38e6, 37e6, 30e6, 9e6, 4e6, 3e6];
        let measured: Vec<_> = sweep
            .points()
            .into_iter()
            .zip(rates)
            .map(|(point, rate)| {
                let samples = vec![
                    sample("weir", rate),
                    sample("ovs", rate / 4.0),
                    sample("ovs", rate / 2.0),
                ];
                Measured { point, samples }
            })
            .collect();
        let text = summary(sweep, &measured);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 4);
        assert!(
            lines[0].starts_with("flows-rule weir: 40.00 Mpps at 1, 9.00 at 100k: 4.4 times"),
            "{text}"
        );
        assert!(lines[0].ends_with("missed") && lines[1].ends_with("met"), "{text}");
        assert!(lines[3].contains("2.00 Mpps at 1k, 1.50 at 1M"), "{text}");
    }
}
