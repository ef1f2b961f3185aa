//! A database in a file: the schema is the first record of the log, every transaction one more.

use std::path::Path;
use std::sync::Arc;

use weir_jsonrpc::{Json, Object};

use crate::atom::uuid_from_string;
use crate::database::Database;
use crate::datum::Datum;
use crate::error::{OvsdbError, Result, tag};
use crate::log::{Log, OpenMode};
use crate::row::Row;
use crate::schema::{COL_UUID, Schema};
use crate::txn::{Changes, RowChange, Txn};

/// A log is not compacted before it is this long, in bytes.
pub const COMPACT_MIN_SIZE: u64 = 10 << 20;
/// A log is not compacted before it has this many transactions since the last time.
pub const COMPACT_MIN_TXNS: u64 = 100;
/// Milliseconds between compactions at the least.
pub const COMPACT_MIN_MS: i64 = 10 * 60 * 1000;
/// Milliseconds until a compaction that failed is tried again.
pub const COMPACT_RETRY_MS: i64 = 60 * 1000;
/// Milliseconds after which a log is compacted whatever its size.
pub const COMPACT_MAX_MS: i64 = 24 * 60 * 60 * 1000;

/// The log of an open database, and when it is to be compacted.
#[derive(Debug)]
pub struct Storage {
    log: Log,
    /// The size of the log just after its snapshot.
    base: u64,
    /// Transactions since the snapshot.
    transactions: u64,
    last_compaction_ms: i64,
    next_compaction_ms: i64,
}

/// A database that was read from a file.
#[derive(Debug)]
pub struct Opened {
    /// Its content.
    pub database: Database,
    /// Its log; none if it was opened to be read.
    pub storage: Option<Storage>,
    /// What was wrong with the end of the file. The database is what came before.
    pub damage: Option<OvsdbError>,
}

/// Opens the database at `path` at `now_ms`; locks it unless `read_only`.
///
/// # Errors
/// The file cannot be opened or locked, or its schema cannot be read.
pub fn open(path: &Path, read_only: bool, now_ms: i64) -> Result<Opened> {
    let mode = if read_only { OpenMode::ReadOnly } else { OpenMode::ReadWrite };
    let mut log = Log::open(path, mode)?;
    let schema = read_schema(&mut log)?;
    let mut database = Database::new(Arc::new(schema));
    let (mut transactions, mut base) = (0, log.offset());
    let damage = loop {
        let record = match log.read() {
            Ok(Some(record)) => record,
            Ok(None) => break None,
            Err(e) => break Some(e),
        };
        match apply_record(&database, &record, false) {
            Ok(next) => database = next,
            Err(e) => {
                log.unread();
                break Some(e);
            }
        }
        transactions += 1;
        if transactions == 1 {
            base = log.offset();
        }
    };
    let storage = (!read_only).then(|| Storage::new(log, base, transactions, now_ms));
    Ok(Opened { database, storage, damage })
}

/// Reads the data of the database at `path` as if `schema` were its own: tables and columns that
/// `schema` does not have are dropped, those that the file does not have get their defaults.
///
/// # Errors
/// The file cannot be read, or its data does not fit `schema`.
pub fn open_as_schema(path: &Path, schema: Arc<Schema>) -> Result<Database> {
    let opened = open(path, true, 0)?;
    match opened.damage {
        Some(damage) => Err(damage),
        None => convert(&opened.database, schema),
    }
}

/// `database` with `schema` in the place of its own.
///
/// # Errors
/// A value does not fit, or a constraint of `schema` is broken.
pub fn convert(database: &Database, schema: Arc<Schema>) -> Result<Database> {
    apply_record(&Database::new(schema), &snapshot(database), true)
}

/// The schema of the database at `path`.
///
/// # Errors
/// The file cannot be read, or its first record is no schema.
pub fn schema_of(path: &Path) -> Result<Schema> {
    read_schema(&mut Log::open(path, OpenMode::ReadOnly)?)
}

/// Creates a database at `path` with the content of `database` and, if it has rows or there is a
/// `comment`, a first transaction dated `date_ms`.
///
/// # Errors
/// The file exists, or cannot be written.
pub fn create(
    path: &Path,
    database: &Database,
    comment: Option<&str>,
    date_ms: i64,
) -> Result<Storage> {
    let mut log = Log::open(path, OpenMode::Create)?;
    let has_rows = database.tables().any(|table| !table.is_empty());
    let written = log.write(&database.schema().to_json()).and_then(|()| {
        if has_rows || comment.is_some() {
            log.write(&annotate(snapshot(database), comment.unwrap_or_default(), date_ms))?;
        }
        log.sync()
    });
    if let Err(e) = written {
        let _ = std::fs::remove_file(path);
        return Err(e);
    }
    let base = log.offset();
    Ok(Storage::new(log, base, 1, date_ms))
}

fn read_schema(log: &mut Log) -> Result<Schema> {
    let name = log.path().display().to_string();
    let json = log.read()?.ok_or_else(|| {
        let end = std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
        OvsdbError::io(&end, format!("{name}: database file contains no schema"))
    })?;
    Schema::from_json(&json)
        .map_err(|e| e.wrap(format_args!("failed to parse \"{name}\" as ovsdb schema")))
}

impl Storage {
    fn new(log: Log, base: u64, transactions: u64, now_ms: i64) -> Self {
        Self {
            log,
            base,
            transactions: transactions.saturating_sub(1),
            last_compaction_ms: now_ms,
            next_compaction_ms: now_ms.saturating_add(COMPACT_MIN_MS),
        }
    }

    /// The log.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Writes down `changes`, dated `date_ms`. Changes that leave no trace on disk write nothing.
    ///
    /// # Errors
    /// The operating system's refusal; nothing was written.
    pub fn write(&mut self, database: &Database, changes: &Changes, date_ms: i64) -> Result<()> {
        let Some(record) = record(database, changes) else { return Ok(()) };
        self.log.write(&annotate(record, &changes.comment, date_ms))?;
        self.transactions += 1;
        Ok(())
    }

    /// Waits until everything written is on the disk.
    ///
    /// # Errors
    /// The disk failed; nothing can be written any more.
    pub fn sync(&mut self) -> Result<()> {
        self.log.sync()
    }

    /// Is it time to compact?
    pub fn wants_compaction(&self, now_ms: i64) -> bool {
        let offset = self.log.offset();
        let grown = offset >= COMPACT_MIN_SIZE && offset / 2 >= self.base;
        let aged = now_ms >= self.last_compaction_ms.saturating_add(COMPACT_MAX_MS);
        now_ms >= self.next_compaction_ms
            && self.transactions >= COMPACT_MIN_TXNS
            && (grown || aged)
    }

    /// When [`Storage::wants_compaction`] is worth asking again.
    pub fn poll_at(&self) -> Option<i64> {
        (self.transactions >= COMPACT_MIN_TXNS).then_some(self.next_compaction_ms)
    }

    /// Replaces the log by a snapshot of `database`.
    ///
    /// # Errors
    /// The operating system's refusal; the old log is still in place.
    pub fn compact(
        &mut self,
        database: &Database,
        comment: &str,
        date_ms: i64,
        now_ms: i64,
    ) -> Result<()> {
        let schema = database.schema().to_json();
        let data = annotate(snapshot(database), comment, date_ms);
        let done = self.log.replace([&schema, &data]);
        match &done {
            Ok(()) => {
                self.base = self.log.offset();
                self.transactions = 0;
                self.last_compaction_ms = now_ms;
                self.next_compaction_ms = now_ms.saturating_add(COMPACT_MIN_MS);
            }
            Err(_) => self.next_compaction_ms = now_ms.saturating_add(COMPACT_RETRY_MS),
        }
        done
    }
}

/// The record of one transaction, without date; `None` if nothing of it is persistent.
fn record(database: &Database, changes: &Changes) -> Option<Json> {
    let mut tables = Object::new();
    for (&index, rows) in &changes.tables {
        let table = database.schema().tables.get(index)?;
        let mut json = Object::new();
        for (uuid, RowChange { old, new }) in rows {
            let Some(new) = new else {
                json.insert(uuid.to_string().into(), Json::Null);
                continue;
            };
            let mut columns = Object::new();
            for (i, column) in table.columns.iter().enumerate() {
                if !column.persistent || i == COL_UUID {
                    continue;
                }
                let value = match old {
                    Some(old) if old.same(new, i) => continue,
                    Some(old) => new.get(i).diff_from(old.get(i), &column.type_),
                    None if new.get(i).is_default(&column.type_) => continue,
                    None => std::borrow::Cow::Borrowed(new.get(i)),
                };
                columns.insert(column.name.clone(), value.to_json(&column.type_));
            }
            if old.is_none() || !columns.is_empty() {
                json.insert(uuid.to_string().into(), Json::Object(columns));
            }
        }
        if !json.is_empty() {
            tables.insert(table.name.clone(), Json::Object(json));
        }
    }
    if tables.is_empty() {
        return None;
    }
    tables.insert("_is_diff".into(), true.into());
    Some(Json::Object(tables))
}

/// The record that makes all of `database` out of nothing.
fn snapshot(database: &Database) -> Json {
    let mut changes = Changes::default();
    for (index, table) in database.tables().enumerate() {
        for row in table.rows() {
            let change = RowChange { old: None, new: Some(row.clone()) };
            changes.tables.entry(index).or_default().insert(row.uuid(), change);
        }
    }
    record(database, &changes).unwrap_or_else(|| Json::Object(Object::new()))
}

fn annotate(record: Json, comment: &str, date_ms: i64) -> Json {
    let Json::Object(mut members) = record else { return record };
    if !comment.is_empty() {
        members.insert("_comment".into(), comment.into());
    }
    members.insert("_date".into(), Json::Int(date_ms));
    Json::Object(members)
}

/// `database` after the transaction that `record` tells of. When `converting`, tables and columns
/// that it does not have are passed over.
///
/// # Errors
/// The record does not fit the database.
pub fn apply_record(database: &Database, record: &Json, converting: bool) -> Result<Database> {
    let members =
        record.as_object().ok_or_else(|| OvsdbError::syntax(record, "object expected"))?;
    let is_diff = members.get("_is_diff").and_then(Json::as_bool).unwrap_or(false);
    let mut txn = Txn::new(database);
    for (name, rows) in members {
        match &**name {
            "_date" | "_comment" | "_is_diff" => continue,
            _ => {}
        }
        let Some(index) = database.schema().table_index(name) else {
            if converting {
                continue;
            }
            let text = format!("No table named {name}.");
            return Err(OvsdbError::at(record, tag::UNKNOWN_TABLE, text));
        };
        let rows = rows.as_object().ok_or_else(|| OvsdbError::syntax(rows, "object expected"))?;
        for (uuid, row) in rows {
            let Some(uuid) = uuid_from_string(uuid) else {
                let text = format!("\"{uuid}\" is not a valid UUID");
                return Err(OvsdbError::syntax(&Json::Object(rows.clone()), text));
            };
            apply_row(&mut txn, (index, uuid), row, is_diff, converting)?;
        }
    }
    Ok(txn.prepare()?.0)
}

fn apply_row(
    txn: &mut Txn,
    id: crate::table::RowId,
    json: &Json,
    is_diff: bool,
    converting: bool,
) -> Result<()> {
    if json.is_null() {
        return match txn.delete(id) {
            Some(_) => Ok(()),
            None => {
                let text = format!("transaction deletes row {} that does not exist", id.1);
                Err(OvsdbError::new(tag::SYNTAX, text))
            }
        };
    }
    let members =
        json.as_object().ok_or_else(|| OvsdbError::syntax(json, "row must be JSON object"))?;
    let Some(table) = txn.state().schema().tables.get(id.0).cloned() else { return Ok(()) };
    let old = txn.state().row(id).cloned();
    let mut row = match &old {
        Some(old) => Row::clone(old),
        None => Row::new(&table, id.1),
    };
    for (name, value) in members {
        let column =
            table.column_index(name).and_then(|index| Some((index, table.columns.get(index)?)));
        let Some((index, column)) = column else {
            if converting {
                continue;
            }
            let text = format!("No column {name} in table {}.", table.name);
            return Err(OvsdbError::at(json, tag::UNKNOWN_COLUMN, text));
        };
        if index == COL_UUID {
            continue;
        }
        let datum = if is_diff && old.is_some() {
            let diff = Datum::from_json_any_size(&column.type_, value)?;
            let datum = row.get(index).apply_diff(&diff, &column.type_);
            if !datum.conforms_to(&column.type_) {
                let text =
                    format!("Attempted to store {} elements in {}.", datum.len(), column.type_);
                return Err(OvsdbError::constraint(text));
            }
            datum
        } else {
            Datum::from_json(&column.type_, value, None)?
        };
        row.set(index, Arc::new(datum));
    }
    match old {
        Some(_) => txn.put(id.0, row),
        None => txn.insert(id.0, row),
    }
    Ok(())
}
