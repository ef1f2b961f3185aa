//! The commands of `ovsdb-tool`: names, arguments, functions.

use std::process::ExitCode;

use weir_runtime::program::Fatal;

use super::{Options, facts, files, options, show_log, transactions};

type Run = fn(&Options, &[String]) -> Result<ExitCode, Fatal>;

struct Command {
    name: &'static str,
    /// As `list-commands` shows them.
    arguments: &'static str,
    min: usize,
    max: usize,
    run: Run,
}

const fn command(
    name: &'static str,
    arguments: &'static str,
    (min, max): (usize, usize),
    run: Run,
) -> Command {
    Command { name, arguments, min, max, run }
}

const COMMANDS: &[Command] = &[
    command("create", "[db [schema]]", (0, 2), files::create),
    command("compact", "[db [dst]]", (0, 2), files::compact),
    command("convert", "[db [schema [dst]]]", (0, 3), files::convert),
    command("needs-conversion", "[db [schema]]", (0, 2), files::needs_conversion),
    command("db-name", "[db]", (0, 1), facts::db_name),
    command("db-version", "[db]", (0, 1), facts::db_version),
    command("db-cksum", "[db]", (0, 1), facts::db_cksum),
    command("db-is-clustered", "db", (1, 1), facts::db_is_clustered),
    command("db-is-standalone", "db", (1, 1), facts::db_is_standalone),
    command("schema-name", "[schema]", (0, 1), facts::schema_name),
    command("schema-version", "[schema]", (0, 1), facts::schema_version),
    command("schema-cksum", "[schema]", (0, 1), facts::schema_cksum),
    command("query", "[db] trns", (1, 2), transactions::query),
    command("transact", "[db] trns", (1, 2), transactions::transact),
    command("show-log", "[db]", (0, 1), show_log::show_log),
    command("compare-versions", "a op b", (3, 3), facts::compare_versions),
    command("help", "", (0, usize::MAX), help),
    command("list-commands", "", (0, usize::MAX), list_commands),
];

/// Runs the command that `args` name.
///
/// # Errors
/// There is no such command, its arguments are too few or too many, or it failed.
pub(super) fn run(options: &Options, args: &[String]) -> Result<ExitCode, Fatal> {
    let Some((name, args)) = args.split_first() else {
        return Err(Fatal::new("missing command name; use --help for help"));
    };
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        return Err(Fatal::new(format!("unknown command '{name}'; use --help for help")));
    };
    let Command { min, max, .. } = *command;
    if args.len() < min {
        return Err(Fatal::new(format!("'{name}' command requires at least {min} arguments")));
    } else if args.len() > max {
        return Err(Fatal::new(format!("'{name}' command takes at most {max} arguments")));
    }
    (command.run)(options, args)
}

fn help(_: &Options, _: &[String]) -> Result<ExitCode, Fatal> {
    print!("{}", options::usage());
    Ok(ExitCode::SUCCESS)
}

fn list_commands(_: &Options, _: &[String]) -> Result<ExitCode, Fatal> {
    println!("The available commands are:");
    for command in COMMANDS {
        println!("  {:<23} {}", command.name, command.arguments);
    }
    Ok(ExitCode::SUCCESS)
}
