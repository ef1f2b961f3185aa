//! The command line of ovs-dpctl(8).

use weir_runtime::argv::{self, Opt, Order, Value};
use weir_runtime::program::{self, Fatal};
use weir_runtime::{timeout, version, vlog};

/// In the order in which `--option` lists them.
const OPTIONS: &[Opt] = &[
    Opt::flag("statistics").short('s'),
    Opt::flag("clear"),
    Opt::flag("may-create"),
    Opt::flag("read-only"),
    Opt::flag("more").short('m'),
    Opt::flag("names"),
    Opt::flag("no-names"),
    Opt::required("timeout").short('t'),
    Opt::flag("help").short('h'),
    Opt::flag("option").short('o'),
    Opt::flag("version").short('V'),
];

/// What a command line asks for.
#[derive(Debug)]
pub(super) enum Action {
    /// This text.
    Print(String),
    /// A command.
    Run(Settings),
}

/// A command and how it is to run.
#[derive(Debug, Default)]
pub(super) struct Settings {
    /// The command's name and its arguments.
    pub args: Vec<String>,
    /// The options that the daemon's command takes, too.
    pub forwarded: Vec<&'static str>,
    /// Commands that change something are refused.
    pub read_only: bool,
}

/// Reads a command line, and starts the timeout if it has one.
///
/// # Errors
/// An option is unknown or has no valid value.
pub(super) fn parse(args: &[String]) -> Result<Action, Fatal> {
    let parsed = argv::parse(args, &[OPTIONS, vlog::OPTIONS], Order::StopAtFirst)?;
    let mut settings = Settings { args: parsed.args, ..Settings::default() };
    for given in &parsed.options {
        if vlog::handle_option(given)? {
            continue;
        }
        match given.id {
            "statistics" => settings.forwarded.push("--statistics"),
            "clear" => settings.forwarded.push("--clear"),
            "may-create" => settings.forwarded.push("--may-create"),
            "more" => settings.forwarded.push("--more"),
            "names" => settings.forwarded.push("--names"),
            "no-names" => settings.forwarded.push("--no-names"),
            "read-only" => settings.read_only = true,
            "timeout" => timeout::arm(timeout::parse(given.text(), "-t or --timeout")?)?,
            "help" => return Ok(Action::Print(usage())),
            "version" => return Ok(Action::Print(version::version_text())),
            _ => return Ok(Action::Print(option_list())),
        }
    }
    Ok(Action::Run(settings))
}

fn option_list() -> String {
    let mut text = String::new();
    for opt in OPTIONS.iter().chain(vlog::OPTIONS) {
        let (long, short) = match opt.value {
            Value::No => ("", " "),
            Value::Required => ("=ARG", " ARG"),
            Value::Optional => ("=[ARG]", " [ARG]"),
        };
        text.push_str(&format!("--{}{long}\n", opt.long));
        if let Some(c) = opt.short {
            text.push_str(&format!("-{c}{short}\n"));
        }
    }
    text
}

/// What `--help` prints.
pub(super) fn usage() -> String {
    let name = program::name();
    let logging = vlog::usage();
    format!(
        "\
{name}: Open vSwitch datapath management utility
usage: {name} [OPTIONS] COMMAND [ARG...]
  add-dp DP [IFACE...]     add new datapath DP (with IFACEs)
  del-dp DP                delete local datapath DP
  add-if DP IFACE...       add each IFACE as a port on DP
  set-if DP IFACE...       reconfigure each IFACE within DP
  del-if DP IFACE...       delete each IFACE from DP
  dump-dps                 display names of all datapaths
  show                     show basic info on all datapaths
  show DP...               show basic info on each DP
  dump-flows [DP]          display flows in DP
  add-flow [DP] FLOW ACTIONS add FLOW with ACTIONS to DP
  add-flows [DP] FILE        add flows from FILE
  mod-flow [DP] FLOW ACTIONS change FLOW actions to ACTIONS in DP
  mod-flows [DP] FILE        change flows from FILE
  get-flow [DP] ufid:UFID    fetch flow corresponding to UFID
  del-flow [DP] FLOW         delete FLOW from DP
  del-flows [DP] [FILE]      delete all or specified flows from DP
  cache-get-size [DP]             Show the current size for all caches
  cache-set-size DP CACHE SIZE  Set cache size for a specific cache
  dump-conntrack [DP] [zone=ZONE]  display conntrack entries for ZONE
  flush-conntrack [DP] [zone=ZONE] [ct-tuple]delete matched conntrack entries in ZONE
  ct-stats-show [DP] [zone=ZONE] [verbose] CT connections grouped by protocol
  ct-bkts [DP] [gt=N] display connections per CT bucket
Each IFACE on add-dp, add-if, and set-if may be followed by
comma-separated options.  See ovs-dpctl(8) for syntax, or the
Interface table in ovs-vswitchd.conf.db(5) for an options list.
For COMMAND dump-flows, add-flow, add-flows, mod-flow,
mod-flows, del-flow and del-flows, DP is optional if there is
only one datapath.
{logging}
Options for show and mod-flow:
  -s,  --statistics           print statistics for port or flow

Options for dump-flows:
  -m, --more                  increase verbosity of output
  --names                     use port names in output

Options for mod-flow:
  --may-create                create flow if it doesn't exist
  --read-only                 do not run read/write commands
  --clear                     reset existing stats to zero

Other options:
  -t, --timeout=SECS          give up after SECS seconds
  -h, --help                  display this help message
  -V, --version               display version information
"
    )
}
