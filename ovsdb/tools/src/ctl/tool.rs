//! A `*ctl` tool from start to end.

use std::io::{self, Write};
use std::process::ExitCode;

use weir_ovsdb::replica::Outcome;
use weir_ovsdb::{Schema, Uuid};
use weir_runtime::argv;
use weir_runtime::program::{self, Fatal};
use weir_runtime::vlog::{self, Destination, Level};

use super::db::ShowTable;
use super::options::{self, CommandLine};
use super::{
    Attempt, CommandTables, CtlError, Database, Invocation, Output, Settings, TableNames,
    ToolState, interest, parse_commands,
};

/// What a tool does after its transaction: given the database, what [`Attempt`] left, what the
/// commit brought.
pub type AfterCommit<S> =
    fn(&mut Database, &Settings, &S, Uuid, &Outcome) -> Result<ExitCode, Fatal>;

/// A tool, as data.
#[derive(Debug)]
pub struct Tool<S: 'static> {
    /// The name in the database's log: `ovs-vsctl`.
    pub name: &'static str,
    /// The name in log lines: `vsctl`.
    pub module: &'static str,
    /// The database.
    pub database: &'static str,
    /// The schema that the tool was made for: it tells what to ask for before the server's schema
    /// is known.
    pub schema: fn() -> std::sync::Arc<Schema>,
    /// The table with the one row that holds everything.
    pub root_table: &'static str,
    /// The column of that row that is incremented to have the daemon look.
    pub sequence_column: &'static str,
    /// What [`Tool::after_commit`] looks at when it waits.
    pub reported: &'static [(&'static str, &'static [&'static str])],
    /// The commands.
    pub commands: CommandTables<S>,
    /// How records may be called.
    pub names: TableNames,
    /// What `show` shows.
    pub show: &'static [ShowTable],
    /// The text of `--help`.
    pub usage: fn() -> String,
    /// What follows the transaction.
    pub after_commit: AfterCommit<S>,
}

/// Runs a tool.
///
/// # Errors
/// Anything that makes it fail, in OVS's words.
pub fn main<S: ToolState>(tool: &'static Tool<S>) -> Result<ExitCode, Fatal> {
    vlog::init();
    vlog::register_modules(&["reconnect", "db_ctl_base", "ovsdb_idl", tool.module]);
    vlog::set_levels(None, Some(Destination::Console), Level::Warn);
    vlog::set_levels(Some("reconnect"), None, Level::Warn);
    let argv = argv::process_args()?;
    let schema = (tool.schema)();
    let version = &schema.version;
    let line = options::parse(&argv, tool.commands, tool.module, version, tool.usage)?;
    let (settings, leading, args) = match line {
        CommandLine::Print(text) => {
            print(&text);
            return Ok(ExitCode::SUCCESS);
        }
        CommandLine::Run { settings, leading, args } => (settings, leading, args),
    };
    let called = called_as(&argv);
    let level = match might_write(tool, &args) {
        true => log::Level::Info,
        false => log::Level::Debug,
    };
    log::log!(target: tool.module, level, "Called as {called}");
    let result = parse_commands(&args, &leading, tool.commands)
        .and_then(|invocations| {
            let needs = interest::of(tool, &schema, &settings, &invocations)?;
            Ok((invocations, needs))
        })
        .map_err(Failure::from)
        .and_then(|(invocations, needs)| {
            let mut db = Database::open(&settings.db, tool.database, needs, settings.retry)?;
            carry_out(tool, &mut db, &settings, &invocations, &called)
        });
    match result {
        Ok(code) => Ok(code),
        Err(Failure::Exit(code)) => Ok(ExitCode::from(code)),
        Err(Failure::Fatal(fatal)) => {
            // The text goes to the console anyway.
            vlog::set_levels(Some("db_ctl_base"), Some(Destination::Console), Level::Off);
            log::error!(target: "db_ctl_base", "{fatal}");
            Err(fatal)
        }
    }
}

/// Why the tool ends early.
enum Failure {
    Fatal(Fatal),
    Exit(u8),
}

impl From<Fatal> for Failure {
    fn from(fatal: Fatal) -> Self {
        Self::Fatal(fatal)
    }
}

impl From<CtlError> for Failure {
    fn from(error: CtlError) -> Self {
        match error {
            CtlError::Exit(code) => Self::Exit(code),
            other => Self::Fatal(Fatal::new(other.to_string())),
        }
    }
}

/// Tries until the transaction fits the database.
fn carry_out<S: ToolState>(
    tool: &Tool<S>,
    db: &mut Database,
    settings: &Settings,
    invocations: &[Invocation<S>],
    called: &str,
) -> Result<ExitCode, Failure> {
    let mut tried = None;
    loop {
        let seqno = db.replica().map(weir_ovsdb::replica::Replica::seqno);
        let (Some(replica), true) = (db.replica(), tried != seqno) else {
            db.next_event()?;
            continue;
        };
        tried = seqno;
        let mut attempt = match Attempt::run(tool, replica, invocations) {
            Ok(attempt) => attempt,
            Err(CtlError::NotYet) => continue,
            Err(error) => return Err(error.into()),
        };
        for (module, warning) in attempt.warnings.drain(..) {
            log::warn!(target: module, "{warning}");
        }
        attempt.txn.dry_run = settings.dry_run;
        attempt.txn.comment(comment(tool, called));
        if settings.wait {
            attempt.txn.increment(tool.root_table, attempt.root, tool.sequence_column);
        }
        let outcome = db.commit(&attempt.txn)?;
        match &outcome {
            Outcome::TryAgain => continue,
            Outcome::NotLocked => return Err(Fatal::new("database not locked").into()),
            Outcome::Error(error) => {
                log::warn!(target: "ovsdb_idl", "transaction error: {error}");
                return Err(Fatal::new(format!("transaction error: {error}")).into());
            }
            Outcome::Unchanged | Outcome::Success { .. } => {}
        }
        print(&printed(&attempt.outputs, settings, &outcome));
        return Ok((tool.after_commit)(db, settings, &attempt.state, attempt.root, &outcome)?);
    }
}

/// What the commands print, together.
fn printed(outputs: &[Output], settings: &Settings, outcome: &Outcome) -> String {
    let mut text = String::new();
    let mut first_table = true;
    for output in outputs {
        if let Some(table) = &output.table {
            text.push_str(&table.format(&settings.style, first_table));
            first_table = false;
            continue;
        }
        let mut own = output.text.clone();
        if let Some(row) = output.new_row {
            let real = match outcome {
                Outcome::Success { inserted, .. } => inserted.get(&row).copied(),
                _ => None,
            };
            own.push_str(&format!("{}\n", real.unwrap_or(row)));
        }
        if settings.oneline {
            let line = own.strip_suffix('\n').unwrap_or(&own);
            text.push_str(&line.replace('\\', "\\\\").replace('\n', "\\n"));
            text.push('\n');
        } else {
            text.push_str(&own);
        }
    }
    text
}

/// Whoever reads may have gone away; that is no error of the tool.
fn print(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// The command line as a shell would take it.
fn called_as(argv: &[String]) -> String {
    let mut text = program::name().to_owned();
    for arg in argv {
        text.push(' ');
        text.push_str(&escape_arg(arg));
    }
    text
}

/// Quotes an argument that a shell would not take as one word.
pub(crate) fn escape_arg(arg: &str) -> String {
    if !arg.contains([' ', '\t', '\r', '\n', '\u{b}', '\\', '\'', '"']) {
        return arg.to_owned();
    }
    format!("\"{}\"", arg.replace('\\', "\\\\").replace('"', "\\\""))
}

fn might_write<S>(tool: &Tool<S>, args: &[String]) -> bool {
    let mut commands = tool.commands.iter().flat_map(|t| t.iter());
    commands.any(|c| !c.read_only && args.iter().any(|a| a == c.name))
}

/// The comment in the database's log: who did this. The caller is known by the first word of its
/// command line.
fn comment<S>(tool: &Tool<S>, called: &str) -> String {
    let parent = std::os::unix::process::parent_id();
    let command_line = std::fs::read(format!("/proc/{parent}/cmdline")).unwrap_or_default();
    let word = command_line.split(|b| *b == 0).next().unwrap_or_default();
    if word.is_empty() {
        return format!("{}: {called}", tool.name);
    }
    format!("{} (invoked by {}): {called}", tool.name, String::from_utf8_lossy(word))
}
