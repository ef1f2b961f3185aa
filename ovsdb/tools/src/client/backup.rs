//! `backup` and `restore`: a database as a file of ovsdb(5).

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use weir_jsonrpc::Json;
use weir_ovsdb::{Database, OvsdbError, Schema, Uuid, file, log};
use weir_runtime::clock::Clock;
use weir_runtime::program::Fatal;

use super::commands::Call;
use super::data::{Dumped, read_tables};
use super::rpc::Rpc;
use super::schema;

pub(super) fn backup(call: &Call<'_>, mut rpc: Rpc) -> Result<ExitCode, Fatal> {
    use std::io::IsTerminal;
    let mut out = std::io::stdout();
    if out.is_terminal() {
        return Err(Fatal::new(
            "not writing backup to a terminal; please redirect stdout to a file",
        ));
    }
    let schema = schema::fetch(&mut rpc, &call.database)?;
    let dumped: Vec<Dumped<'_>> = schema::sorted_tables(&schema)
        .into_iter()
        .map(|table| {
            let kept = |c: &&weir_ovsdb::ColumnSchema| c.persistent && &*c.name != "_version";
            Dumped { table, columns: table.columns.iter().filter(kept).collect() }
        })
        .collect();
    let read = read_tables(&mut rpc, &call.database, &dumped)?;
    let mut record = vec![(Arc::from("_date"), Json::Int(Clock::process().wall()))];
    for (dumped, rows) in dumped.iter().zip(read) {
        let rows: BTreeMap<Arc<str>, Json> = rows.into_iter().filter_map(by_uuid).collect();
        if !rows.is_empty() {
            record.push((dumped.table.name.clone(), Json::object(rows)));
        }
    }
    let mut bytes = log::compose(&schema.to_json());
    bytes.extend(log::compose(&Json::object(record)));
    out.write_all(&bytes)
        .and_then(|()| out.flush())
        .map_err(|error| Fatal::os(&error, "write to stdout failed"))?;
    Ok(ExitCode::SUCCESS)
}

/// A row without its `_uuid`, under it.
fn by_uuid(row: Json) -> Option<(Arc<str>, Json)> {
    let Json::Object(mut members) = row else { return None };
    let uuid = members.remove("_uuid")?.at(1)?.as_shared_str()?.clone();
    Some((uuid, Json::Object(members)))
}

pub(super) fn restore(call: &Call<'_>, mut rpc: Rpc) -> Result<ExitCode, Fatal> {
    let backup = read_backup()?;
    let schema = schema::fetch(&mut rpc, &call.database)?;
    check_schema(backup.schema(), &schema, call.settings.force)?;
    let mut operations = vec![Json::Str(schema.name.clone())];
    for table in &backup.schema().tables {
        operations.push(Json::object([
            ("op", Json::str("delete")),
            ("table", Json::Str(table.name.clone())),
            ("where", Json::array::<Json>([])),
        ]));
    }
    operations.extend(inserts(&backup));
    let comment = Json::str("Restored by ovsdb-client");
    operations.push(Json::object([("op", Json::str("comment")), ("comment", comment)]));
    operations.push(Json::object([("op", Json::str("commit")), ("durable", Json::Bool(true))]));
    let failed = |error: &Json| Fatal::new(format!("server returned error reply: {error}"));
    let result = rpc.try_call("transact", operations)?.map_err(|error| failed(&error))?;
    let errors = result.as_array().unwrap_or_default().iter();
    match errors.into_iter().find(|r| r.get("error").is_some()) {
        Some(error) => Err(failed(error)),
        None => Ok(ExitCode::SUCCESS),
    }
}

/// Reads a database file from standard input.
fn read_backup() -> Result<Database, Fatal> {
    // The input may be a pipe, and a log is read forth and back.
    let copy = TemporaryFile::new()?;
    let result = file::open(&copy.0, true, Clock::process().wall());
    let opened = result.map_err(|error: OvsdbError| {
        let text = error.to_string().replace(&copy.0.display().to_string(), "/dev/stdin");
        Fatal::new(text)
    })?;
    match opened.damage {
        Some(error) => Err(Fatal::new(error.to_string())),
        None => Ok(opened.database),
    }
}

struct TemporaryFile(PathBuf);

impl TemporaryFile {
    /// A copy of standard input.
    fn new() -> Result<Self, Fatal> {
        let name = format!("ovsdb-client-{}-{}", std::process::id(), Uuid::new_v4());
        let path = std::env::temp_dir().join(name);
        let failed = |error: std::io::Error| Fatal::os(&error, "failed to read backup from stdin");
        let mut data = Vec::new();
        std::io::stdin().read_to_end(&mut data).map_err(failed)?;
        write_private(&path, &data).map_err(failed)?;
        Ok(Self(path))
    }
}

fn write_private(path: &Path, data: &[u8]) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = std::fs::File::options();
    options.write(true).create_new(true).mode(0o600).open(path)?.write_all(data)
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A backup of another schema is restored only when that is wanted.
fn check_schema(backup: &Schema, database: &Schema, force: bool) -> Result<(), Fatal> {
    let differs = |what: &str, a: &str, b: &str| {
        (a != b).then(|| {
            format!("backup schema has {what} \"{a}\" but database schema has {what} \"{b}\"")
        })
    };
    let difference = differs("name", &backup.name, &database.name)
        .or_else(|| differs("version", &backup.version, &database.version))
        .or_else(|| differs("checksum", &backup.cksum, &database.cksum));
    match difference {
        None => Ok(()),
        Some(text) if force => {
            ::log::info!(target: "ovsdb_client", "{text}");
            Ok(())
        }
        Some(text) => Err(Fatal::new(format!(
            "{text} (use --force to override differences, or \"ovsdb-client convert\" to change \
             the schema)"
        ))),
    }
}

/// The operations that insert all rows. Their UUIDs become names, for the server gives others.
fn inserts(backup: &Database) -> Vec<Json> {
    let rows_of =
        |table: &weir_ovsdb::Table| table.rows().map(|row| row.uuid()).collect::<Vec<_>>();
    let known: BTreeSet<Uuid> = backup.tables().flat_map(rows_of).collect();
    let mut operations = Vec::new();
    for table in backup.tables() {
        let schema = table.schema();
        for row in table.rows() {
            let values = schema.columns.iter().enumerate().filter_map(|(i, column)| {
                let datum = row.get(i);
                let own = !column.name.starts_with('_') && column.persistent;
                (own && !datum.is_default(&column.type_)).then(|| {
                    (column.name.clone(), with_names(datum.to_json(&column.type_), &known))
                })
            });
            operations.push(Json::object([
                ("op", Json::str("insert")),
                ("table", Json::Str(schema.name.clone())),
                ("uuid-name", Json::str(row_name(row.uuid()))),
                ("row", Json::object(values)),
            ]));
        }
    }
    operations
}

fn row_name(uuid: Uuid) -> String {
    format!("row{}", uuid.to_string().replace('-', "_"))
}

/// The value with the names of rows in the place of their UUIDs.
fn with_names(json: Json, known: &BTreeSet<Uuid>) -> Json {
    let Json::Array(elements) = &json else { return json };
    if let [Json::Str(tag), Json::Str(text)] = &elements[..]
        && &**tag == "uuid"
    {
        return match Uuid::try_parse(text).ok().filter(|uuid| known.contains(uuid)) {
            Some(uuid) => Json::array(["named-uuid".to_owned(), row_name(uuid)].map(Json::str)),
            None => json,
        };
    }
    Json::array(elements.iter().map(|e| with_names(e.clone(), known)).collect::<Vec<_>>())
}
