//! How a run is made, from the command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, Command, value_parser};

use crate::acl::{self, Acl};
use crate::config::{self, Config};
use crate::explosion;
use crate::measure::Times;
use crate::traffic::World;

/// The names of what meets an access control list: does each packet have a rule?
static TRAFFIC: &[(&str, bool)] = &[("random", false), ("matching", true)];

/// The peer's configurations in plots, which would take too long in all.
const PLOTTED: &[&str] = &["default", "smc"];

/// Warm-up and window of a short run.
const QUICK: Duration = Duration::from_millis(500);
/// What such a run is, and is not.
pub(crate) const SHORT: &str = "one round of half a second a row, right after its tables were filled; \
     leaves out all configurations of OVS-DPDK but the default, testpmd but in io mode where a goal \
     asks for it, and the storm's minute";

/// How a run is made, from the command line.
pub(crate) struct Plan {
    pub(crate) quick: bool,
    pub(crate) rounds: usize,
    pub(crate) times: Times,
    pub(crate) rows: Vec<String>,
    pub(crate) weir: PathBuf,
    pub(crate) ovs: PathBuf,
    pub(crate) cpu: usize,
    pub(crate) sides: String,
    pub(crate) configs: Vec<&'static Config>,
    pub(crate) world: World,
    /// Where to draw sweeps, instead of running rows.
    pub(crate) plots: Option<PathBuf>,
}

impl Plan {
    /// Does the side run?
    pub(crate) fn has(&self, side: &str) -> bool {
        self.sides.split(',').any(|s| s == side)
    }
}

/// Reads the command line.
pub(crate) fn plan() -> Plan {
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
        .arg(
            Arg::new("seconds")
                .long("seconds")
                .value_parser(value_parser!(u64))
                .help("seconds measured [default: 4; of plots, 2]"),
        )
        .arg(number("hold", "60", "seconds that Weir's last storm is measured, one by one; 0: not"))
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
                .default_value("default,smc,emc,avx512")
                .help(
                    "configurations of OVS-DPDK; in each row the best one counts; what the CPU or the \
                     build does not have is left out",
                ),
        )
        .arg(
            Arg::new("quick")
                .long("quick")
                .action(ArgAction::SetTrue)
                .help(SHORT),
        )
        .arg(number("seed", "1", "what traffic and tables are made from"))
        .arg(number("acl-rules", "1000", "rules of the access control list"))
        .arg(choice("acl-shape", acl::SHAPES, "what those rules look at"))
        .arg(choice("acl-traffic", TRAFFIC, "random 5-tuples, or one for a random rule each"))
        .arg(choice("attack", explosion::ATTACKS, "the fields of the attacker's rules and packets"))
        .arg(
            Arg::new("plots")
                .long("plots")
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("docs/plots")
                .value_name("DIR")
                .value_parser(value_parser!(PathBuf))
                .help("instead of rows, measure sweeps and draw them into DIR (docs/plots)"),
        )
        .arg(
            Arg::new("rows")
                .num_args(0..)
                .help("rows to run, or sweeps with --plots; all when none is named"),
        )
        .get_matches();
    let get = |name: &str| m.get_one::<u64>(name).copied().unwrap_or(1);
    let path = |name: &str| m.get_one::<PathBuf>(name).cloned().unwrap_or_default();
    let text = |name: &str| m.get_one::<String>(name).map_or("", String::as_str);
    let quick = m.get_flag("quick");
    let seed = get("seed");
    let shape = chosen(acl::SHAPES, text("acl-shape"));
    let plots = m.get_one::<PathBuf>("plots").cloned();
    let window = m.get_one::<u64>("seconds").copied();
    let window = window.unwrap_or_else(|| if plots.is_some() { 2 } else { 4 });
    let seconds = |name| Duration::from_secs(get(name));
    let times = if quick {
        Times { warm_up: QUICK, window: QUICK, hold: None }
    } else {
        let hold = Some(seconds("hold")).filter(|h| !h.is_zero());
        Times { warm_up: seconds("warm-up"), window: Duration::from_secs(window), hold }
    };
    let mut configs = config::named(if quick { "default" } else { text("ovs-configs") });
    configs.retain(|c| plots.is_none() || PLOTTED.contains(&c.name));
    let world = World {
        seed,
        acl: Acl::random(seed, shape, get("acl-rules") as u32),
        matching: chosen(TRAFFIC, text("acl-traffic")),
        attack: chosen(explosion::ATTACKS, text("attack")),
    };
    Plan {
        quick,
        rounds: if quick { 1 } else { get("rounds") as usize },
        times,
        rows: m.get_many::<String>("rows").unwrap_or_default().cloned().collect(),
        weir: path("weir"),
        ovs: path("ovs"),
        cpu: get("cpu") as usize,
        sides: text("sides").to_owned(),
        configs,
        world,
        plots,
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
