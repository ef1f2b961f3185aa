//! The rows, side after side.

use crate::config::{CONFIGS, Config};
use crate::error::RunError;
use crate::goal::Goal;
use crate::measure::Times;
use crate::plan::Plan;
use crate::process::WorkDir;
use crate::programs::Programs;
use crate::progress::Progress;
use crate::report::Report;
use crate::row::{ROWS, Row};
use crate::source::Feed;
use crate::switch::Switch;
use crate::testpmd::{self, Testpmd};

/// What is measured.
pub(crate) enum Side {
    /// testpmd in a mode.
    Testpmd(&'static str),
    /// A switch in a configuration.
    Switch(Programs, &'static Config),
}

impl Side {
    fn names(&self) -> (&'static str, &'static str) {
        match self {
            Self::Testpmd(mode) => ("testpmd", mode),
            Self::Switch(programs, config) => (programs.name, config.name),
        }
    }

    /// Does it run in the row? In a short run testpmd does only where a goal asks for it.
    fn runs(&self, row: &Row, quick: bool) -> bool {
        let asked = |mode| mode == "io" && row.goals.iter().any(|g| matches!(g, Goal::Io(_)));
        match self {
            Self::Testpmd(mode) => row.plain() && (!quick || asked(*mode)),
            Self::Switch(..) => true,
        }
    }
}

/// The switches that run, in all configurations that they can; says which they cannot.
pub(crate) fn switches(plan: &Plan, work: &WorkDir) -> Result<Vec<Side>, RunError> {
    let mut sides = Vec::new();
    if plan.has("weir") {
        let first = CONFIGS.iter().take(1);
        sides.extend(first.map(|c| Side::Switch(Programs::weir(&plan.weir), c)));
    }
    let configs = if plan.has("ovs") { plan.configs.as_slice() } else { &[] };
    for config in configs {
        let programs = Programs::debian(&plan.ovs);
        match config.missing(&programs, work)? {
            None => sides.push(Side::Switch(programs, config)),
            Some(why) => eprintln!("OVS-DPDK's configuration {} is left out: {why}", config.name),
        }
    }
    Ok(sides)
}

/// Runs every row as often as planned.
pub(crate) fn run(plan: &Plan, work: &WorkDir, report: &mut Report) -> Result<(), RunError> {
    let wanted = |row: &&Row| plan.rows.is_empty() || plan.rows.iter().any(|n| row.is(n));
    let rows: Vec<&'static Row> = ROWS.iter().filter(wanted).collect();
    let modes = if plan.has("testpmd") { testpmd::MODES } else { &[] };
    let mut sides: Vec<_> = modes.iter().map(|mode| Side::Testpmd(mode)).collect();
    sides.extend(switches(plan, work)?);
    let all = rows.iter().map(|r| sides.iter().filter(|s| s.runs(r, plan.quick)).count());
    let mut progress = Progress::new(all.sum::<usize>() * plan.rounds);
    for row in rows {
        let feed = Feed::new(row, &plan.world, work.path())?;
        for round in 1..=plan.rounds {
            for side in sides.iter().filter(|s| s.runs(row, plan.quick)) {
                let (name, config) = side.names();
                progress.next(&format!("{} {name} {config}, round {round}", row.name));
                let held = row.held && name == "weir" && round == plan.rounds;
                let times = Times { hold: plan.times.hold.filter(|_| held), ..plan.times };
                let sample = match side {
                    Side::Testpmd(mode) => Testpmd::run(work, &feed, plan.cpu, times, mode)?,
                    Side::Switch(programs, config) => {
                        let switch = Switch::start(programs, work, &feed, config, plan.cpu)?;
                        switch.measure(row, &plan.world, times)?
                    }
                };
                report.add(row, sample);
            }
        }
    }
    Ok(())
}
