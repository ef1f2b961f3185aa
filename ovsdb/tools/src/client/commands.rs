//! The table of commands, and which of the arguments are the server and the database.

use std::cell::Cell;
use std::process::ExitCode;

use weir_jsonrpc::Json;
use weir_runtime::daemon::Daemon;
use weir_runtime::dirs;
use weir_runtime::program::Fatal;
use weir_runtime::stream::Target;

use super::options::Settings;
use super::rpc::Rpc;
use super::{backup, conversion, data, lock, monitor, schema, usage, wait};

/// What a command connects to before it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Needs {
    /// Nothing.
    Nothing,
    /// A server, whose name the command gets as it is.
    ServerName,
    /// A server.
    Server,
    /// A database of a server.
    Database,
}

/// What a command works on.
pub(super) struct Call<'a> {
    pub(super) settings: Settings,
    /// The server's name.
    pub(super) server: String,
    /// The database; empty when the command needs none.
    pub(super) database: String,
    /// The other arguments.
    pub(super) args: &'a [String],
    /// Of a command that stays: the process on its way to serve.
    pub(super) daemon: Cell<Option<Daemon>>,
}

/// A command.
struct Command {
    name: &'static str,
    needs: Needs,
    /// How many arguments follow server and database.
    min: usize,
    max: usize,
    /// Does it stay until it is told to end?
    stays: bool,
    run: Run,
}

enum Run {
    /// On a connection.
    Connected(fn(&Call<'_>, Rpc) -> Result<ExitCode, Fatal>),
    /// Without.
    Alone(fn(&Call<'_>) -> Result<ExitCode, Fatal>),
}

const ANY: usize = usize::MAX;

const fn on(
    name: &'static str,
    needs: Needs,
    (min, max): (usize, usize),
    run: fn(&Call<'_>, Rpc) -> Result<ExitCode, Fatal>,
) -> Command {
    Command { name, needs, min, max, stays: false, run: Run::Connected(run) }
}

const fn staying(command: Command) -> Command {
    Command { stays: true, ..command }
}

const COMMANDS: &[Command] = &[
    on("list-dbs", Needs::Server, (0, 0), schema::list_dbs),
    on("get-schema", Needs::Database, (0, 0), schema::get_schema),
    on("get-schema-version", Needs::Database, (0, 0), schema::get_schema_version),
    on("get-schema-cksum", Needs::Database, (0, 0), schema::get_schema_cksum),
    on("list-tables", Needs::Database, (0, 0), schema::list_tables),
    on("list-columns", Needs::Database, (0, 1), schema::list_columns),
    on("transact", Needs::Server, (1, 1), data::transact),
    on("query", Needs::Server, (1, 1), data::query),
    staying(on("monitor", Needs::Database, (1, ANY), monitor::monitor)),
    staying(on("monitor-cond", Needs::Database, (2, ANY), monitor::monitor_cond)),
    staying(on("monitor-cond-since", Needs::Database, (2, ANY), monitor::monitor_cond_since)),
    Command {
        name: "wait",
        needs: Needs::ServerName,
        min: 2,
        max: 2,
        stays: false,
        run: Run::Alone(wait::wait),
    },
    on("convert", Needs::Server, (1, 1), conversion::convert),
    on("needs-conversion", Needs::Server, (1, 1), conversion::needs_conversion),
    on("dump", Needs::Database, (0, ANY), data::dump),
    on("backup", Needs::Database, (0, 0), backup::backup),
    on("restore", Needs::Database, (0, 0), backup::restore),
    staying(on("lock", Needs::Server, (1, 1), lock::lock)),
    staying(on("steal", Needs::Server, (1, 1), lock::steal)),
    staying(on("unlock", Needs::Server, (1, 1), lock::unlock)),
    Command {
        name: "help",
        needs: Needs::Nothing,
        min: 0,
        max: ANY,
        stays: false,
        run: Run::Alone(help),
    },
];

fn help(_: &Call<'_>) -> Result<ExitCode, Fatal> {
    super::print(&usage::usage());
    Ok(ExitCode::SUCCESS)
}

/// The server that is meant when none is named.
pub(super) fn default_server() -> String {
    format!("unix:{}/db.sock", dirs::rundir().display())
}

/// The database that is meant when none is named.
const DEFAULT_DATABASE: &str = "Open_vSwitch";

/// Runs the command that `args` name.
pub(super) fn run(settings: Settings, args: &[String]) -> Result<ExitCode, Fatal> {
    let Some((name, mut args)) = args.split_first() else {
        return Err(Fatal::new("missing command name; use --help for help"));
    };
    let Some(command) = COMMANDS.iter().find(|c| c.name == name) else {
        return Err(Fatal::new(format!("unknown command '{name}'; use --help for help")));
    };
    let mut server = default_server();
    if command.needs != Needs::Nothing
        && args.len() > command.min
        && let Some((first, rest)) = args.split_first()
        && (Target::is_active(first) || Target::is_passive(first))
    {
        server.clone_from(first);
        args = rest;
    }
    // Only the process that serves comes back from this.
    let daemon = Cell::new(match command.stays {
        true => Some(settings.daemon.clone().start()?),
        false => None,
    });
    let leader_only = settings.leader_only;
    let call = |database, args| Call { settings, server: server.clone(), database, args, daemon };
    let bad_count = |args: &[String]| args.len() < command.min || args.len() > command.max;
    let bad_syntax = || Fatal::new(format!("invalid syntax for '{name}' (use --help for help)"));
    match command.run {
        Run::Alone(run) => match bad_count(args) {
            true => Err(bad_syntax()),
            false => run(&call(String::new(), args)),
        },
        Run::Connected(_) if args.len() < command.min => Err(bad_syntax()),
        Run::Connected(run) => {
            let mut rpc = Rpc::connect(&server)?;
            let mut database = String::new();
            if command.needs == Needs::Database {
                let known = databases(&mut rpc)?;
                match args.split_first() {
                    Some((first, rest)) if args.len() > command.min && known.contains(first) => {
                        database.clone_from(first);
                        args = rest;
                    }
                    _ => database = default_database(&known)?,
                }
                if leader_only && !rpc.is_leader(&database)? {
                    rpc = Rpc::connect_leader(&server, &database)?;
                }
            }
            if bad_count(args) {
                return Err(bad_syntax());
            }
            run(&call(database, args), rpc)
        }
    }
}

/// The databases of the server.
pub(super) fn databases(rpc: &mut Rpc) -> Result<Vec<String>, Fatal> {
    let reply = rpc.call("list_dbs", Vec::new())?;
    let names = reply.as_array().unwrap_or_default();
    Ok(names.iter().filter_map(Json::as_str).map(str::to_owned).collect())
}

/// `Open_vSwitch` if there is one, else the only one.
fn default_database(known: &[String]) -> Result<String, Fatal> {
    if known.iter().any(|d| d == DEFAULT_DATABASE) {
        return Ok(DEFAULT_DATABASE.to_owned());
    }
    let mut candidates = known.iter().filter(|d| !d.starts_with('_'));
    match (candidates.next(), candidates.next()) {
        (Some(only), None) => Ok(only.clone()),
        _ => Err(Fatal::new("no default database for this server; please specify a database name")),
    }
}
