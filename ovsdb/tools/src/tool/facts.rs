//! What is in a file: names, versions, checksums, kinds.

use std::cmp::Ordering;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use weir_ovsdb::schema::parse_version;
use weir_ovsdb::{Schema, file, log, schemas};
use weir_runtime::program::Fatal;

use super::{Options, fatal, options};

/// The answer "no" of a test; 1 is an error.
const NO: u8 = 2;

/// The argument at `index`, or the default database.
pub(super) fn db_path(args: &[String], index: usize) -> PathBuf {
    args.get(index).map_or_else(options::default_db, PathBuf::from)
}

/// The schema in the file at `index` of the arguments, or the default one: that of the installed
/// file, or the one this program was built with where none is installed.
pub(super) fn schema(args: &[String], index: usize) -> Result<Schema, Fatal> {
    let default = options::default_schema();
    match args.get(index) {
        Some(path) => Schema::from_file(Path::new(path)).map_err(fatal),
        None if default.exists() => Schema::from_file(&default).map_err(fatal),
        None => Ok(Schema::clone(&schemas::vswitch())),
    }
}

fn db_schema(args: &[String]) -> Result<Schema, Fatal> {
    file::schema_of(&db_path(args, 0)).map_err(fatal)
}

fn show(text: &str) -> Result<ExitCode, Fatal> {
    println!("{text}");
    Ok(ExitCode::SUCCESS)
}

fn answer(yes: bool) -> Result<ExitCode, Fatal> {
    Ok(if yes { ExitCode::SUCCESS } else { ExitCode::from(NO) })
}

pub(super) fn db_name(_: &Options, args: &[String]) -> Result<ExitCode, Fatal> {
    show(&db_schema(args)?.name)
}

pub(super) fn db_version(_: &Options, args: &[String]) -> Result<ExitCode, Fatal> {
    show(&db_schema(args)?.version)
}

pub(super) fn db_cksum(_: &Options, args: &[String]) -> Result<ExitCode, Fatal> {
    show(&db_schema(args)?.cksum)
}

pub(super) fn schema_name(_: &Options, args: &[String]) -> Result<ExitCode, Fatal> {
    show(&schema(args, 0)?.name)
}

pub(super) fn schema_version(_: &Options, args: &[String]) -> Result<ExitCode, Fatal> {
    show(&schema(args, 0)?.version)
}

pub(super) fn schema_cksum(_: &Options, args: &[String]) -> Result<ExitCode, Fatal> {
    show(&schema(args, 0)?.cksum)
}

pub(super) fn db_is_clustered(_: &Options, args: &[String]) -> Result<ExitCode, Fatal> {
    answer(magic(args)? == log::MAGIC_CLUSTER)
}

pub(super) fn db_is_standalone(_: &Options, args: &[String]) -> Result<ExitCode, Fatal> {
    answer(magic(args)? == log::MAGIC_STANDALONE)
}

fn magic(args: &[String]) -> Result<String, Fatal> {
    log::magic_of(&db_path(args, 0)).map_err(fatal)
}

pub(super) fn compare_versions(_: &Options, args: &[String]) -> Result<ExitCode, Fatal> {
    let [a, operator, b] = args else { return answer(false) };
    let version = |text: &str| {
        parse_version(text).ok_or_else(|| {
            Fatal::new(format!("{text}: not an OVSDB version number in format x.y.z"))
        })
    };
    let order = version(a)?.cmp(&version(b)?);
    answer(holds(order, operator)?)
}

fn holds(order: Ordering, operator: &str) -> Result<bool, Fatal> {
    Ok(match operator {
        "<" => order.is_lt(),
        "<=" => order.is_le(),
        "==" => order.is_eq(),
        ">=" => order.is_ge(),
        ">" => order.is_gt(),
        "!=" => order.is_ne(),
        _ => return Err(Fatal::new(format!("{operator}: not a relational operator"))),
    })
}
