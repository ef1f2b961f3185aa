//! The contest: one PMD thread forwards from an endless capture (`net_pcap`, `infinite_rx=1`) to a
//! sink (`net_null`), in Weir, in OVS-DPDK and in testpmd, in turn on the same CPU. The two switches
//! are driven by the same commands; only the paths of the programs differ.
//!
//! `scripts/versus` builds, installs the peers and runs this.
#![forbid(unsafe_code)]

mod acl;
mod error;
mod explosion;
mod hugepages;
mod masks;
mod packet;
mod pcap;
mod pipeline;
mod process;
mod random;
mod report;
mod row;
mod source;
mod stream;
mod switch;
mod table;
mod testpmd;
mod traffic;

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, Command, value_parser};

use crate::acl::Acl;
use crate::error::RunError;
use crate::report::Report;
use crate::row::{ROWS, Row};
use crate::source::Feed;
use crate::switch::{Programs, Switch};
use crate::testpmd::Testpmd;
use crate::traffic::World;

/// The names of what meets an access control list: does each packet have a rule?
static TRAFFIC: &[(&str, bool)] = &[("random", false), ("matching", true)];

/// How a run is made, from the command line.
struct Plan {
    rounds: usize,
    warm_up: Duration,
    measure: Duration,
    rows: Vec<String>,
    weir: PathBuf,
    ovs: PathBuf,
    cpu: usize,
    sides: String,
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
        .arg(Arg::new("quick").long("quick").action(ArgAction::SetTrue).help("one short round"))
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
        rounds: if quick { 1 } else { get("rounds") as usize },
        warm_up: Duration::from_secs(if quick { 2 } else { get("warm-up") }),
        measure: Duration::from_secs(if quick { 2 } else { get("seconds") }),
        rows: m.get_many::<String>("rows").unwrap_or_default().cloned().collect(),
        weir: path("weir"),
        ovs: path("ovs"),
        cpu: get("cpu") as usize,
        sides: text("sides").to_owned(),
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

fn run(plan: &Plan) -> Result<(), RunError> {
    let _pages = hugepages::Reservation::at_least(1536)?;
    let work = process::WorkDir::new()?;
    let weir = Programs::weir(&plan.weir);
    let ovs = Programs::debian(&plan.ovs);
    let mut report = Report::default();
    let outcome = contest(plan, &work, &weir, &ovs, &mut report);
    // What was measured before something failed is worth seeing.
    print!("{report}");
    outcome
}

/// Runs every row as often as planned.
fn contest(
    plan: &Plan,
    work: &process::WorkDir,
    weir: &Programs,
    ovs: &Programs,
    report: &mut Report,
) -> Result<(), RunError> {
    let wanted = |row: &&Row| plan.rows.is_empty() || plan.rows.iter().any(|n| row.is(n));
    for row in ROWS.iter().filter(wanted) {
        let feed = Feed::new(row, &plan.world, work.path())?;
        for round in 1..=plan.rounds {
            eprintln!("{} ({}), round {round} of {}", row.name, row.title, plan.rounds);
            let line = report.row(row);
            if plan.has("testpmd") {
                let (cpu, warm_up, window) = (plan.cpu, plan.warm_up, plan.measure);
                line.testpmd.push(Testpmd::run(work, &feed, cpu, warm_up, window)?);
            }
            for (programs, samples) in [(weir, &mut line.weir), (ovs, &mut line.ovs)] {
                if !plan.has(programs.name()) {
                    continue;
                }
                let switch = Switch::start(programs, work, &feed, plan.cpu)?;
                samples.push(switch.measure(row, plan.warm_up, plan.measure)?);
            }
        }
    }
    Ok(())
}

fn main() -> std::process::ExitCode {
    match run(&plan()) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("versus: {e}");
            std::process::ExitCode::FAILURE
        }
    }
}
