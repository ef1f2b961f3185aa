//! The command line of `ovsdb-tool`.

use std::path::PathBuf;

use weir_runtime::argv::{self, Opt, Order};
use weir_runtime::program::{self, Fatal};
use weir_runtime::{dirs, version, vlog};

const OPTIONS: &[Opt] = &[
    Opt::flag("more").short('m'),
    Opt::required("rbac-role"),
    Opt::flag("help").short('h'),
    Opt::flag("version").short('V'),
];

/// What the options say.
#[derive(Debug, Default)]
pub(super) struct Options {
    /// How often `--more` was given.
    pub(super) more: usize,
    /// `--rbac-role`
    pub(super) rbac_role: Option<String>,
}

/// What the command line asks for.
#[derive(Debug)]
pub(super) enum Request {
    /// A text.
    Print(String),
    /// A command and its arguments.
    Run(Options, Vec<String>),
}

/// Reads the command line.
///
/// # Errors
/// It is wrong.
pub(super) fn parse(args: &[String]) -> Result<Request, Fatal> {
    let parsed = argv::parse(args, &[OPTIONS, vlog::OPTIONS], Order::Permute)?;
    let mut options = Options::default();
    for given in &parsed.options {
        if vlog::handle_option(given)? {
            continue;
        }
        match given.id {
            "more" => options.more += 1,
            "rbac-role" => options.rbac_role = Some(given.text().to_owned()),
            "help" => return Ok(Request::Print(usage())),
            "version" => return Ok(Request::Print(version::version_text())),
            _ => {}
        }
    }
    Ok(Request::Run(options, parsed.args))
}

/// The database that is meant when none is named.
pub(super) fn default_db() -> PathBuf {
    dirs::dbdir().join("conf.db")
}

/// The schema that is meant when none is named.
pub(super) fn default_schema() -> PathBuf {
    dirs::pkgdatadir().join("vswitch.ovsschema")
}

/// The text of `--help`.
pub(super) fn usage() -> String {
    format!(
        "\
{name}: Open vSwitch database management utility
usage: {name} [OPTIONS] COMMAND [ARG...]
  create [DB [SCHEMA]]    create DB with the given SCHEMA
  compact [DB [DST]]      compact DB in-place (or to DST)
  convert [DB [SCHEMA [DST]]]   convert DB to SCHEMA (to DST)
  needs-conversion [DB [SCHEMA]]   tell whether DB differs from SCHEMA
  db-name [DB]            report name of schema used by DB
  db-version [DB]         report version of schema used by DB
  db-cksum [DB]           report checksum of schema used by DB
  db-is-clustered DB      test whether DB is clustered
  db-is-standalone DB     test whether DB is standalone
  schema-name [SCHEMA]    report SCHEMA's name
  schema-version [SCHEMA] report SCHEMA's schema version
  schema-cksum [SCHEMA]   report SCHEMA's checksum
  compare-versions A OP B  compare OVSDB schema version numbers
  query [DB] TRNS         execute read-only transaction on DB
  transact [DB] TRNS      execute read/write transaction on DB
  [-m]... show-log [DB]   print DB's log entries
The default DB is {db}.
The default SCHEMA is {schema}.
{vlog}
Other options:
  -m, --more                  increase show-log verbosity
  --rbac-role=ROLE            RBAC role for transact and query commands
  -h, --help                  display this help message
  -V, --version               display version information
",
        name = program::name(),
        db = default_db().display(),
        schema = default_schema().display(),
        vlog = vlog::usage(),
    )
}
