//! Remotes that are configured in a database: `db:DB,TABLE,COLUMN`, where the column holds names
//! of remotes or refers to rows that describe them, such as those of `Manager`.

use std::collections::BTreeMap;
use std::sync::Arc;

use weir_jsonrpc::{Json, array, object};
use weir_runtime::clock::Msec;
use weir_runtime::vlog::RateLimit;
use weir_runtime::warn_rl;

use super::options::RemoteOptions;
use super::remotes::Remotes;
use super::server_io::RemoteError;
use crate::atom::{Atom, uuid_to_json};
use crate::database::Database;
use crate::datum::Datum;
use crate::row::Row;
use crate::schema::TableSchema;
use crate::server::{Now, Server};
use crate::table::Table;
use crate::types::AtomicType;

static RL: RateLimit = RateLimit::new(1, 1);

/// A column that holds remotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DbRemote {
    database: String,
    table: String,
    column: String,
}

/// The column of a row that describes a remote.
fn column<'a>(table: &TableSchema, row: &'a Row, name: &str) -> Option<&'a Datum> {
    table.column_index(name).map(|index| row.get(index))
}

fn string<'a>(table: &TableSchema, row: &'a Row, name: &str) -> Option<&'a str> {
    column(table, row, name)?.single()?.as_str()
}

fn integer(table: &TableSchema, row: &Row, name: &str) -> Option<i64> {
    column(table, row, name)?.single()?.as_integer()
}

fn boolean(table: &TableSchema, row: &Row, name: &str) -> Option<bool> {
    column(table, row, name)?.single()?.as_bool()
}

impl DbRemote {
    /// Reads `db:DB,TABLE,COLUMN`, without asking whether there is such a column.
    ///
    /// # Errors
    /// The name does not have this form.
    pub fn parse(name: &str) -> Result<Self, RemoteError> {
        let invalid = || RemoteError::Syntax(name.into());
        let mut parts = name.strip_prefix("db:").ok_or_else(invalid)?.splitn(3, ',');
        let mut part =
            || parts.next().filter(|part| !part.is_empty()).map(str::to_owned).ok_or_else(invalid);
        Ok(Self { database: part()?, table: part()?, column: part()? })
    }

    /// Whether `name` is of this kind.
    pub fn is_one(name: &str) -> bool {
        name.starts_with("db:")
    }

    /// Looks the column up.
    ///
    /// # Errors
    /// There is no such database, table or column. `name` is how the error calls the remote.
    pub fn check(&self, name: &str, server: &Server) -> Result<(), RemoteError> {
        self.find(name, server).map(drop)
    }

    fn find<'a>(
        &self,
        name: &str,
        server: &'a Server,
    ) -> Result<(&'a Database, &'a Arc<TableSchema>, usize), RemoteError> {
        let db = server.db(&self.database).ok_or_else(|| RemoteError::NoDatabase {
            remote: name.into(),
            database: self.database.clone(),
        })?;
        let database = db.database();
        let table = database.schema().table(&self.table).ok_or_else(|| RemoteError::NoTable {
            remote: name.into(),
            table: self.table.clone(),
        })?;
        let index = table.column_index(&self.column).ok_or_else(|| RemoteError::NoColumn {
            remote: name.into(),
            table: self.table.clone(),
            column: self.column.clone(),
        })?;
        Ok((database, table, index))
    }

    /// Adds the remotes that the column holds now to `remotes`.
    pub fn query(
        &self,
        name: &str,
        server: &Server,
        remotes: &mut BTreeMap<String, RemoteOptions>,
    ) {
        let Ok((database, table, index)) = self.find(name, server) else { return };
        let Some(type_) = table.columns.get(index).map(|column| &column.type_) else { return };
        let rows = database.table(&self.table).into_iter().flat_map(Table::rows);
        match (type_.key.atomic, type_.key.reference()) {
            (AtomicType::String, _) => {
                let targets = rows.flat_map(|row| row.get(index).keys());
                for target in targets.filter_map(Atom::as_str) {
                    let options = RemoteOptions::default_for(target);
                    remotes.entry(target.into()).or_insert(options);
                }
            }
            (AtomicType::Uuid, Some((target_table, _))) => {
                let Some(described) = database.table(target_table) else { return };
                let references = rows.flat_map(|row| row.get(index).keys());
                for row in
                    references.filter_map(Atom::as_uuid).filter_map(|uuid| described.get(&uuid))
                {
                    if let Some((target, options)) = describe(described.schema(), row) {
                        remotes.entry(target).or_insert(options);
                    }
                }
            }
            _ => {}
        }
    }

    /// Writes `is_connected` and `status` of the remotes that the column refers to.
    pub fn write_status(&self, name: &str, now: Now, server: &mut Server, remotes: &Remotes) {
        let operations = self.status_updates(name, now.mono, server, remotes);
        if operations.is_empty() {
            return;
        }
        let results = server.transact(now, &self.database, &operations);
        let failed = match &results {
            Err(error) => Some(error.to_string()),
            Ok(results) => results
                .iter()
                .find(|result| result.get("error").is_some_and(|error| !error.is_null()))
                .map(Json::to_string),
        };
        if let Some(text) = failed {
            warn_rl!(RL, target: "ovsdb_server", "Failed to update remote status: {text}");
        }
    }

    /// The operations that bring the rows up to date.
    fn status_updates(
        &self,
        name: &str,
        now: Msec,
        server: &Server,
        remotes: &Remotes,
    ) -> Vec<Json> {
        let Ok((database, table, index)) = self.find(name, server) else { return Vec::new() };
        let reference = table.columns.get(index).and_then(|column| column.type_.key.reference());
        let Some(described) = reference.and_then(|(target, _)| database.table(target)) else {
            return Vec::new();
        };
        let schema = described.schema();
        let mut operations = Vec::new();
        let rows = database.table(&self.table).into_iter().flat_map(Table::rows);
        for row in rows
            .flat_map(|row| row.get(index).keys())
            .filter_map(Atom::as_uuid)
            .filter_map(|uuid| described.get(&uuid))
        {
            let Some(target) = string(schema, row, "target") else { continue };
            let status = remotes.status(now, target, server).unwrap_or_default();
            let mut changed = weir_jsonrpc::Object::new();
            for (name, datum) in [
                ("is_connected", Datum::scalar(status.is_connected)),
                ("status", status.to_datum()),
            ] {
                if let Some(column) = schema.column(name)
                    && self::column(schema, row, name) != Some(&datum)
                {
                    changed.insert(name.into(), datum.to_json(&column.type_));
                }
            }
            if !changed.is_empty() {
                operations.push(object! {
                    "op" => "update",
                    "table" => schema.name.clone(),
                    "where" => array![array!["_uuid", "==", uuid_to_json(&row.uuid())]],
                    "row" => Json::Object(changed),
                });
            }
        }
        operations
    }
}

/// What a row such as `Manager`'s says.
fn describe(table: &TableSchema, row: &Row) -> Option<(String, RemoteOptions)> {
    let Some(target) = string(table, row, "target").filter(|target| !target.is_empty()) else {
        warn_rl!(RL, target: "ovsdb_server", "Table `{}' has invalid or missing target", table.name);
        return None;
    };
    let mut options = RemoteOptions::default_for(target);
    if let Some(max_backoff) = integer(table, row, "max_backoff") {
        options.max_backoff = max_backoff;
    }
    if let Some(interval) = integer(table, row, "inactivity_probe") {
        options.probe_interval = interval;
    }
    if let Some(read_only) = boolean(table, row, "read_only") {
        options.read_only = read_only;
    }
    Some((target.into(), options))
}
