//! The options that stand before the first command: the tool's own, and those of that command.

use weir_runtime::argv::{self, Opt, Order};
use weir_runtime::program::Fatal;
use weir_runtime::{dirs, timeout, version, vlog};

use super::{CommandTables, listing};
use crate::table::{self, Style};

/// The options of the `*ctl` tools.
pub(super) const OPTIONS: &[Opt] = &[
    Opt::required("db"),
    Opt::flag("no-syslog"),
    Opt::flag("no-wait"),
    Opt::flag("dry-run"),
    Opt::flag("oneline"),
    Opt::required("timeout").short('t'),
    Opt::flag("retry"),
    Opt::flag("help").short('h'),
    Opt::flag("commands"),
    Opt::flag("options"),
    Opt::flag("leader-only"),
    Opt::flag("no-leader-only"),
    Opt::flag("shuffle-remotes"),
    Opt::flag("no-shuffle-remotes"),
    Opt::flag("version").short('V'),
];

/// What the options said.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the database is.
    pub db: String,
    /// Wait until the daemon has obeyed?
    pub wait: bool,
    /// Change nothing?
    pub dry_run: bool,
    /// One line of output a command?
    pub oneline: bool,
    /// Connect until it works?
    pub retry: bool,
    /// How to print tables.
    pub style: Style,
}

/// The command line, taken apart.
pub(super) enum CommandLine {
    /// Print this and succeed.
    Print(String),
    /// Carry out commands.
    Run {
        /// The options.
        settings: Settings,
        /// Options of the first command.
        leading: Vec<(String, Option<String>)>,
        /// The commands.
        args: Vec<String>,
    },
}

/// Reads the options and obeys those of logging.
pub(super) fn parse<S>(
    args: &[String],
    tables: CommandTables<S>,
    module: &'static str,
    db_version: &str,
    usage: impl FnOnce() -> String,
) -> Result<CommandLine, Fatal> {
    let of_commands = command_options(tables);
    let known: &[&[Opt]] = &[OPTIONS, vlog::OPTIONS, table::OPTIONS, &of_commands];
    let parsed = argv::parse(args, known, Order::StopAtFirst)?;
    let mut settings = Settings {
        db: format!("unix:{}/db.sock", dirs::rundir().display()),
        wait: true,
        dry_run: false,
        oneline: false,
        retry: false,
        style: Style::default(),
    };
    let mut leading = Vec::new();
    for given in &parsed.options {
        if vlog::handle_option(given)? || table::handle_option(given, &mut settings.style)? {
            continue;
        }
        if of_commands.iter().any(|o| o.id == given.id) {
            leading.push((format!("--{}", given.id), given.value.clone()));
            continue;
        }
        match given.id {
            "db" => given.text().clone_into(&mut settings.db),
            "no-syslog" => {
                let spec = format!("{module}:syslog:warn");
                vlog::set_from_spec(&spec).map_err(|error| Fatal::new(error.to_string()))?;
            }
            "no-wait" => settings.wait = false,
            "dry-run" => settings.dry_run = true,
            "oneline" => settings.oneline = true,
            "timeout" => timeout::arm(timeout::parse(given.text(), "-t or --timeout")?)?,
            "retry" => settings.retry = true,
            "help" => return Ok(CommandLine::Print(usage())),
            "commands" => return Ok(CommandLine::Print(listing::commands(tables))),
            "options" => {
                return Ok(CommandLine::Print(listing::options(&[
                    OPTIONS,
                    vlog::OPTIONS,
                    table::OPTIONS,
                ])));
            }
            "version" => {
                let text = format!("{}DB Schema {db_version}\n", version::version_text());
                return Ok(CommandLine::Print(text));
            }
            // Which server of a cluster, and in which order.
            _ => {}
        }
    }
    Ok(CommandLine::Run { settings, leading, args: parsed.args })
}

/// The options of all commands, each once.
fn command_options<S>(tables: CommandTables<S>) -> Vec<Opt> {
    let mut options: Vec<Opt> = Vec::new();
    let words = tables.iter().flat_map(|t| t.iter()).flat_map(|c| c.options.split(','));
    for word in words {
        let Some(name) = word.strip_prefix("--") else { continue };
        let opt = match name.strip_suffix('=') {
            Some(name) => Opt::required(name),
            None => Opt::flag(name),
        };
        if !options.contains(&opt) {
            options.push(opt);
        }
    }
    options
}
