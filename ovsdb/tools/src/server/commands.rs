//! The unixctl commands of `ovsdb-server`.

use std::path::Path;

use weir_jsonrpc::Json;
use weir_runtime::memory;
use weir_runtime::unixctl::{self, CommandResult, Commands, Outcome};

use super::process::State;

/// All commands.
pub(super) fn table() -> Commands<State> {
    let mut commands = Commands::new();
    unixctl::register(&mut commands, false);
    commands.add("exit", "", 0, 0, |state: &mut State, _| {
        state.exiting = true;
        Outcome::empty()
    });
    commands.add("memory/show", "", 0, 0, |state: &mut State, _| {
        let usage = state.memory_usage();
        let json = Json::object(
            usage.iter().map(|(name, n)| (name.as_str(), i64::try_from(*n).unwrap_or(i64::MAX))),
        );
        Outcome::with_json(memory::format_usage(&usage), json)
    });
    add_remotes(&mut commands);
    add_databases(&mut commands);
    commands
}

fn first(args: &[String]) -> &str {
    args.first().map(String::as_str).unwrap_or_default()
}

/// One name a line, and an array of names.
fn list<'a>(names: impl Iterator<Item = &'a str>) -> CommandResult {
    let names: Vec<&str> = names.collect();
    let text = names.iter().map(|name| format!("{name}\n")).collect::<String>();
    Outcome::with_json(text, Json::array(names.into_iter().map(Json::str)))
}

fn add_remotes(commands: &mut Commands<State>) {
    commands.add("ovsdb-server/add-remote", "REMOTE", 1, 1, |state: &mut State, args| {
        state.io.add_remote(first(args)).map_err(|error| error.to_string())?;
        Outcome::empty()
    });
    commands.add("ovsdb-server/remove-remote", "REMOTE", 1, 1, |state: &mut State, args| {
        if state.io.remove_remote(first(args)) {
            Outcome::empty()
        } else {
            Err("no such remote".into())
        }
    });
    commands.add("ovsdb-server/list-remotes", "", 0, 0, |state: &mut State, _| {
        list(state.io.remotes())
    });
    commands.add("ovsdb-server/reconnect", "", 0, 0, |state: &mut State, _| {
        state.io.reconnect();
        Outcome::empty()
    });
}

fn add_databases(commands: &mut Commands<State>) {
    commands.add("ovsdb-server/add-db", "DB", 1, 1, |state: &mut State, args| {
        state.open_db(Path::new(first(args))).map_err(|error| error.to_string())?;
        Outcome::empty()
    });
    commands.add("ovsdb-server/remove-db", "DB", 1, 1, |state: &mut State, args| {
        let name = first(args);
        let now = state.io.now();
        if name.starts_with('_') {
            Err("Cannot remove reserved database.".into())
        } else if state.io.server_mut().remove_db(now, name) {
            Outcome::empty()
        } else {
            Err("Failed to find the database.".into())
        }
    });
    commands.add("ovsdb-server/list-dbs", "", 0, 0, |state: &mut State, _| {
        list(state.io.server().db_names().map(|name| &**name))
    });
    commands.add("ovsdb-server/compact", "", 0, 1, |state: &mut State, args| compact(state, args));
    commands.add("ovsdb-server/get-db-storage-status", "DB", 1, 1, |state: &mut State, args| {
        let db = state.io.server().db(first(args)).ok_or("Failed to find the database.")?;
        let failure = db.storage().and_then(|storage| storage.log().failure());
        Outcome::text(match failure {
            None => "status: ok\n".to_owned(),
            Some(error) => format!("status: {error}\n"),
        })
    });
    // Hardware counters are not read; this is what OVS says where there are none.
    commands.add("ovsdb-server/perf-counters-show", "", 0, 0, |_, _| {
        Outcome::text("performance counter is not supported on this platform")
    });
    commands.add("ovsdb-server/perf-counters-clear", "", 0, 0, |_, _| Outcome::empty());
    commands.add("ovsdb-server/sync-status", "", 0, 0, |_, _| Outcome::text("state: active\n"));
}

fn compact(state: &mut State, args: &[String]) -> CommandResult {
    let all = || state.io.server().db_names().filter(|name| !name.starts_with('_'));
    let names: Vec<String> = match args.first() {
        Some(name) if name.starts_with('_') => {
            return Err("cannot compact built-in databases".into());
        }
        Some(name) if state.io.server().db(name).is_none() => {
            return Err("not a valid database name".into());
        }
        Some(name) => vec![name.clone()],
        None => all().map(ToString::to_string).collect(),
    };
    let now = state.io.now();
    let mut failures = String::new();
    for name in names {
        log::info!(target: "ovsdb_server", "compacting {name} database by user request");
        if let Err(error) = state.io.server_mut().compact(now, &name) {
            failures.push_str(&format!("{error}\n"));
        }
    }
    if failures.is_empty() { Outcome::empty() } else { Err(failures) }
}
