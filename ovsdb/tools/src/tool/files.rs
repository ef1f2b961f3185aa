//! Makes and remakes database files: `create`, `compact`, `convert`, `needs-conversion`.

use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use weir_ovsdb::error::tag;
use weir_ovsdb::file::{self, Opened, Storage};
use weir_ovsdb::lockfile::lock_name;
use weir_ovsdb::{Database, OvsdbError};
use weir_runtime::program::Fatal;

use super::facts::{db_path, schema};
use super::{Options, comment, fatal, wall};

pub(super) fn create(_: &Options, args: &[String]) -> Result<ExitCode, Fatal> {
    let database = Database::new(Arc::new(schema(args, 1)?));
    file::create(&db_path(args, 0), &database, None, wall()).map_err(fatal)?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn compact(_: &Options, args: &[String]) -> Result<ExitCode, Fatal> {
    rewrite(&db_path(args, 0), args.get(1), "compacted", |database| Ok(database.clone()))
}

pub(super) fn convert(_: &Options, args: &[String]) -> Result<ExitCode, Fatal> {
    let schema = Arc::new(schema(args, 1)?);
    rewrite(&db_path(args, 0), args.get(2), "converted", |database| file::convert(database, schema))
}

/// Writes what `change` makes of the database at `path` to `target`, or in its own place.
fn rewrite(
    path: &Path,
    target: Option<&String>,
    what: &str,
    change: impl FnOnce(&Database) -> Result<Database, OvsdbError>,
) -> Result<ExitCode, Fatal> {
    // A copy can be made while a server writes the original.
    let (database, storage) = read(path, target.is_some())?;
    let changed = change(&database).map_err(fatal)?;
    let comment = comment(what);
    match (target, storage) {
        (None, Some(mut storage)) => {
            storage.compact(&changed, &comment, wall(), 0).map_err(fatal)?;
        }
        (None, None) => {}
        (Some(target), _) => save(Path::new(target), &changed, &comment)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes `database` to `target`, whole or not at all.
fn save(target: &Path, database: &Database, comment: &str) -> Result<(), Fatal> {
    let mut temporary = target.as_os_str().to_owned();
    temporary.push(".tmp");
    let temporary = Path::new(&temporary);
    match std::fs::remove_file(temporary) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => {
            return Err(Fatal::os(&e, temporary.display()));
        }
        _ => {}
    }
    let storage = file::create(temporary, database, Some(comment), wall()).map_err(fatal)?;
    let renamed = std::fs::rename(temporary, target);
    // Nobody will look for the lock of a file that is called otherwise now.
    let _ = std::fs::remove_file(lock_name(temporary));
    drop(storage);
    renamed.map_err(|e| {
        let (from, to) = (temporary.display(), target.display());
        Fatal::os(&e, format_args!("failed to rename \"{from}\" to \"{to}\""))
    })
}

fn read(path: &Path, read_only: bool) -> Result<(Database, Option<Storage>), Fatal> {
    let Opened { database, storage, damage } =
        file::open(path, read_only, 0).map_err(without_kind)?;
    match damage {
        // Rewriting would make the loss final.
        Some(damage) => Err(fatal(damage)),
        None => Ok((database, storage)),
    }
}

/// That a file is locked is told without `I/O error: ` before it, as `ovsdb-tool compact` does.
fn without_kind(error: OvsdbError) -> Fatal {
    let details = error.details.as_deref().unwrap_or_default();
    match &error.io_error {
        Some(why) if error.tag == tag::IO && details.ends_with("failed to lock lockfile") => {
            Fatal::new(format!("{details} ({why})"))
        }
        _ => fatal(error),
    }
}

pub(super) fn needs_conversion(_: &Options, args: &[String]) -> Result<ExitCode, Fatal> {
    let of_db = file::schema_of(&db_path(args, 0)).map_err(fatal)?;
    let wanted = schema(args, 1)?;
    println!("{}", if of_db == wanted { "no" } else { "yes" });
    Ok(ExitCode::SUCCESS)
}
