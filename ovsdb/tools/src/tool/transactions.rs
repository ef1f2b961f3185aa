//! `query` and `transact`.

use std::process::ExitCode;

use weir_jsonrpc::Json;
use weir_ovsdb::file::{self, Opened};
use weir_ovsdb::txn::{Execution, Outcome, execute};
use weir_ovsdb::{Database, OvsdbError};
use weir_runtime::program::Fatal;

use super::facts::db_path;
use super::{Options, fatal, wall};

pub(super) fn query(options: &Options, args: &[String]) -> Result<ExitCode, Fatal> {
    run(options, args, true)
}

pub(super) fn transact(options: &Options, args: &[String]) -> Result<ExitCode, Fatal> {
    run(options, args, false)
}

fn run(options: &Options, args: &[String], read_only: bool) -> Result<ExitCode, Fatal> {
    let (path, text) = match args {
        [text] => (db_path(&[], 0), text),
        [path, text, ..] => (path.into(), text),
        [] => return Ok(ExitCode::FAILURE),
    };
    let Opened { database, mut storage, damage } =
        file::open(&path, read_only, 0).map_err(fatal)?;
    if let Some(damage) = damage {
        return Err(fatal(damage));
    }
    if options.rbac_role.is_some() && database.table("RBAC_Role").is_some() {
        return Err(Fatal::new("role-based access control is not supported"));
    }
    let transaction = Json::parse(text).map_err(|e| Fatal::new(format!("\"{text}\": {e}")))?;
    let operations = match operations(&database, &transaction) {
        Ok(operations) => operations,
        Err(e) => return print(&e.to_json()),
    };
    let how = Execution { read_only: false, owns_lock: &|_| false, elapsed_ms: 0, may_wait: false };
    let results = match execute(&database, operations, how) {
        Outcome::Done { mut results, txn, .. } => {
            let written = txn.prepare().and_then(|(_, changes)| match &mut storage {
                Some(storage) if !changes.is_empty() => {
                    storage.write(&database, &changes, wall())?;
                    storage.sync()
                }
                _ => Ok(()),
            });
            results.extend(written.err().map(|e| e.to_json()));
            results
        }
        Outcome::Failed { results } => results,
        Outcome::Waiting { .. } => Vec::new(),
    };
    print(&Json::Array(results))
}

/// The operations of the transaction, whose first element names the database.
fn operations<'a>(database: &Database, json: &'a Json) -> Result<&'a [Json], OvsdbError> {
    match json.as_array() {
        None => Err(OvsdbError::syntax(json, "array expected")),
        Some([Json::Str(name), operations @ ..]) if **name == *database.name() => Ok(operations),
        Some(_) => Err(OvsdbError::syntax(json, "database name expected as first parameter")),
    }
}

fn print(json: &Json) -> Result<ExitCode, Fatal> {
    println!("{json}");
    Ok(ExitCode::SUCCESS)
}
