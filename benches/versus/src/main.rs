//! The contest: one PMD thread forwards from an endless capture (`net_pcap`, `infinite_rx=1`) to a
//! sink (`net_null`), in Weir, in OVS-DPDK and in testpmd, in turn on the same CPU. The two switches
//! are driven by the same commands; only the paths of the programs differ.
//!
//! `scripts/versus` builds, installs the peers and runs this.
#![forbid(unsafe_code)]

mod account;
mod acl;
mod config;
mod disturber;
mod error;
mod explosion;
mod goal;
mod guest;
mod hugepages;
mod json;
mod masks;
mod measure;
mod namespace;
mod openflow;
mod pace;
mod packet;
mod pcap;
mod pin;
mod pipeline;
mod process;
mod progress;
mod random;
mod report;
mod row;
mod source;
mod stream;
mod switch;
mod table;
mod testpmd;
mod traffic;
mod wire;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, Command, value_parser};

use crate::acl::Acl;
use crate::config::{CONFIGS, Config};
use crate::error::RunError;
use crate::goal::Goal;
use crate::progress::Progress;
use crate::report::Report;
use crate::row::{ROWS, Row};
use crate::source::Feed;
use crate::switch::{Programs, Switch};
use crate::testpmd::Testpmd;
use crate::traffic::World;

/// The names of what meets an access control list: does each packet have a rule?
static TRAFFIC: &[(&str, bool)] = &[("random", false), ("matching", true)];

/// Warm-up and window of a short run.
const QUICK: Duration = Duration::from_millis(500);

/// How a run is made, from the command line.
struct Plan {
    quick: bool,
    rounds: usize,
    warm_up: Duration,
    measure: Duration,
    rows: Vec<String>,
    weir: PathBuf,
    ovs: PathBuf,
    cpu: usize,
    sides: String,
    configs: Vec<&'static Config>,
    world: World,
}

impl Plan {
    fn has(&self, side: &str) -> bool {
        self.sides.split(',').any(|s| s == side)
    }
}

fn plan() -> Plan {
    let number = |name: &'static str, default: &'static str, help: &'static str| {
        Arg::new(name).long(name).default_value(default).value_parser(value_parser!(u64)).help(help)
    };
    let path = |name: &'static str, default: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .default_value(default)
            .value_parser(value_parser!(PathBuf))
            .help(help)
    };
    let m = Command::new("versus")
        .about("Weir, OVS-DPDK and testpmd in turn on the same virtual devices")
        .arg(number("rounds", "5", "how often each side runs"))
        .arg(number("warm-up", "3", "seconds before measuring"))
        .arg(number("seconds", "4", "seconds measured"))
        .arg(number("cpu", "1", "the CPU of the PMD thread; everything else gets CPU 0"))
        .arg(path("weir", "target/release", "folder with Weir's programs"))
        .arg(path(
            "ovs",
            "/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk",
            "the peer's ovs-vswitchd",
        ))
        .arg(
            Arg::new("sides")
                .long("sides")
                .default_value("testpmd,weir,ovs")
                .help("which sides run"),
        )
        .arg(
            Arg::new("ovs-configs")
                .long("ovs-configs")
                .default_value("default,smc,emc")
                .help("configurations of OVS-DPDK; in each row the best one counts"),
        )
        .arg(
            Arg::new("quick")
                .long("quick")
                .action(ArgAction::SetTrue)
                .help("one short round, one configuration"),
        )
        .arg(number("seed", "1", "what traffic and tables are made from"))
        .arg(number("acl-rules", "1000", "rules of the access control list"))
        .arg(choice("acl-shape", acl::SHAPES, "what those rules look at"))
        .arg(choice("acl-traffic", TRAFFIC, "random 5-tuples, or one for a random rule each"))
        .arg(choice("attack", explosion::ATTACKS, "the fields of the attacker's rules and packets"))
        .arg(Arg::new("rows").num_args(0..).help("rows to run; all when none is named"))
        .get_matches();
    let get = |name: &str| m.get_one::<u64>(name).copied().unwrap_or(1);
    let path = |name: &str| m.get_one::<PathBuf>(name).cloned().unwrap_or_default();
    let text = |name: &str| m.get_one::<String>(name).map_or("", String::as_str);
    let quick = m.get_flag("quick");
    let seed = get("seed");
    let shape = chosen(acl::SHAPES, text("acl-shape"));
    let world = World {
        seed,
        acl: Acl::random(seed, shape, get("acl-rules") as u32),
        matching: chosen(TRAFFIC, text("acl-traffic")),
        attack: chosen(explosion::ATTACKS, text("attack")),
    };
    Plan {
        quick,
        rounds: if quick { 1 } else { get("rounds") as usize },
        warm_up: if quick { QUICK } else { Duration::from_secs(get("warm-up")) },
        measure: if quick { QUICK } else { Duration::from_secs(get("seconds")) },
        rows: m.get_many::<String>("rows").unwrap_or_default().cloned().collect(),
        weir: path("weir"),
        ovs: path("ovs"),
        cpu: get("cpu") as usize,
        sides: text("sides").to_owned(),
        configs: config::named(if quick { "default" } else { text("ovs-configs") }),
        world,
    }
}

/// An option with one of the names.
fn choice<T>(name: &'static str, names: &'static [(&str, T)], help: &'static str) -> Arg {
    let names: Vec<&str> = names.iter().map(|(n, _)| *n).collect();
    let first = names.first().copied().unwrap_or_default();
    Arg::new(name)
        .long(name)
        .value_parser(PossibleValuesParser::new(names))
        .default_value(first)
        .help(help)
}

fn chosen<T: Copy + Default>(names: &[(&str, T)], name: &str) -> T {
    names.iter().find(|(n, _)| *n == name).map_or_else(T::default, |(_, value)| *value)
}

fn run(plan: &Plan) -> Result<bool, RunError> {
    pin::away_from(plan.cpu)?;
    let _pages = hugepages::Reservation::at_least(1536)?;
    let work = process::WorkDir::new()?;
    let mut report = Report::default();
    let outcome = contest(plan, &work, &mut report);
    // What was measured before something failed is worth seeing.
    print!("{report}");
    json::write(Path::new("target/versus/result.json"), &report)?;
    outcome.map(|()| !report.lost())
}

/// A side in one of its configurations.
type Side = (Option<Programs>, &'static Config);

fn sides(plan: &Plan) -> Vec<Side> {
    let mut sides = Vec::new();
    let default = CONFIGS.first().into_iter();
    if plan.has("testpmd") {
        sides.extend(default.clone().map(|c| (None, c)));
    }
    if plan.has("weir") {
        sides.extend(default.map(|c| (Some(Programs::weir(&plan.weir)), c)));
    }
    if plan.has("ovs") {
        sides.extend(plan.configs.iter().map(|c| (Some(Programs::debian(&plan.ovs)), *c)));
    }
    sides
}

/// Runs every row as often as planned.
fn contest(plan: &Plan, work: &process::WorkDir, report: &mut Report) -> Result<(), RunError> {
    let wanted = |row: &&Row| plan.rows.is_empty() || plan.rows.iter().any(|n| row.is(n));
    let rows: Vec<&'static Row> = ROWS.iter().filter(wanted).collect();
    let sides = sides(plan);
    // A short run asks testpmd only where a goal does.
    let runs = |row: &Row, side: &Side| {
        side.0.is_some() || !plan.quick || row.goals.iter().any(|g| matches!(g, Goal::Io(_)))
    };
    let all = rows.iter().map(|r| sides.iter().filter(|s| runs(r, s)).count()).sum::<usize>();
    let mut progress = Progress::new(all * plan.rounds);
    for row in rows {
        let feed = Feed::new(row, &plan.world, work.path())?;
        for round in 1..=plan.rounds {
            for (programs, config) in sides.iter().filter(|s| runs(row, s)) {
                let side = programs.as_ref().map_or("testpmd", Programs::name);
                progress.next(&format!("{} {side} {}, round {round}", row.name, config.name));
                let (warm_up, window) = (plan.warm_up, plan.measure);
                let sample = if let Some(programs) = programs {
                    let switch = Switch::start(programs, work, &feed, config, plan.cpu)?;
                    switch.measure(row, &plan.world, warm_up, window)?
                } else {
                    Testpmd::run(work, &feed, plan.cpu, warm_up, window)?
                };
                report.add(row, sample);
            }
        }
    }
    Ok(())
}

fn main() -> std::process::ExitCode {
    let plan = plan();
    match namespace::enter().and_then(|()| run(&plan)) {
        Ok(true) => std::process::ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("versus: packets of Weir's are missing, see the accounts");
            std::process::ExitCode::FAILURE
        }
        Err(e) => {
            eprintln!("versus: {e}");
            std::process::ExitCode::FAILURE
        }
    }
}
