//! The options of ovsdb-client.

use weir_runtime::argv::{self, Opt, Order};
use weir_runtime::program::Fatal;
use weir_runtime::{daemon, timeout, version, vlog};

use super::usage;
use crate::table::{self, Style};

const OPTIONS: &[Opt] = &[
    Opt::flag("help").short('h'),
    Opt::flag("version").short('V'),
    Opt::flag("timestamp"),
    Opt::flag("force"),
    Opt::required("timeout").short('t'),
    Opt::flag("db-change-aware"),
    Opt::flag("no-db-change-aware"),
    Opt::flag("leader-only"),
    Opt::flag("no-leader-only"),
    Opt::required("unixctl"),
];

/// What the options said.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) style: Style,
    /// Print the time before each update of a monitor.
    pub(super) timestamp: bool,
    /// Restore a backup although its schema differs.
    pub(super) force: bool,
    /// Ask to be told of changes of databases; `None` for the command's own choice.
    pub(super) db_change_aware: Option<bool>,
    /// Of a cluster, only the leader will do.
    pub(super) leader_only: bool,
    pub(super) daemon: daemon::Options,
    pub(super) unixctl: Option<String>,
}

/// What the command line asks for.
pub(super) enum CommandLine {
    Print(String),
    Run(Settings, Vec<String>),
}

pub(super) fn parse(args: &[String]) -> Result<CommandLine, Fatal> {
    let tables = [OPTIONS, vlog::OPTIONS, table::OPTIONS, daemon::OPTIONS];
    let parsed = argv::parse(args, &tables, Order::Permute)?;
    let mut settings = Settings {
        style: Style { format: table::Format::Table, ..Style::default() },
        timestamp: false,
        force: false,
        db_change_aware: None,
        leader_only: true,
        daemon: daemon::Options::default(),
        unixctl: None,
    };
    for given in &parsed.options {
        if vlog::handle_option(given)?
            || settings.daemon.handle_option(given)?
            || table::handle_option(given, &mut settings.style)?
        {
            continue;
        }
        match given.id {
            "help" => return Ok(CommandLine::Print(usage::usage())),
            "version" => return Ok(CommandLine::Print(version::version_text())),
            "timestamp" => settings.timestamp = true,
            "force" => settings.force = true,
            "timeout" => timeout::arm(timeout::parse(given.text(), "-t or --timeout")?)?,
            "db-change-aware" => settings.db_change_aware = Some(true),
            "no-db-change-aware" => settings.db_change_aware = Some(false),
            "leader-only" => settings.leader_only = true,
            "no-leader-only" => settings.leader_only = false,
            _ => settings.unixctl = given.value.clone(),
        }
    }
    Ok(CommandLine::Run(settings, parsed.args))
}
