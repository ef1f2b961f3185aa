//! Composes `<table-updates>` (RFC 7047 section 4.1.6) and `<table-updates2>` (ovsdb-server(7)
//! section 4.1.14).

use std::collections::BTreeMap;
use std::sync::Arc;

use weir_jsonrpc::{Json, Object};

use super::{MonitoredTable, Select, Version};
use crate::database::Database;
use crate::row::Row;
use crate::schema::TableSchema;
use crate::table::RowId;

/// Updates in the making.
pub(super) struct Updates<'a> {
    version: Version,
    database: &'a Database,
    tables: BTreeMap<usize, Object>,
}

/// The update that tells a new client of every row that it sees.
pub(super) fn initial(
    tables: &BTreeMap<usize, MonitoredTable>,
    version: Version,
    database: &Database,
) -> Json {
    let mut updates = Updates::new(version, database);
    for (&index, table) in tables {
        let rows = database.at(index).into_iter().flat_map(super::super::table::Table::rows);
        if table.select.has(Select::INITIAL) {
            for row in rows.filter(|row| table.sees(row)) {
                updates.put((index, row.uuid()), table, Select::INITIAL, None, Some(row));
            }
        }
    }
    updates.finish().unwrap_or_else(|| Json::Object(Object::new()))
}

/// The update that tells of the rows in `pending`, which holds them as the client knows them.
pub(super) fn changes(
    tables: &BTreeMap<usize, MonitoredTable>,
    version: Version,
    database: &Database,
    pending: &BTreeMap<RowId, Option<Arc<Row>>>,
) -> Option<Json> {
    let mut updates = Updates::new(version, database);
    for (&id, old) in pending {
        if let Some(table) = tables.get(&id.0) {
            updates.add(id, table, table, old.as_ref(), database.row(id));
        }
    }
    updates.finish()
}

impl<'a> Updates<'a> {
    pub(super) fn new(version: Version, database: &'a Database) -> Self {
        Self { version, database, tables: BTreeMap::new() }
    }

    /// Adds what happened to a row: the client knows `old`, under the conditions of `was`, and now
    /// it is `new`, under those of `table`.
    pub(super) fn add(
        &mut self,
        id: RowId,
        was: &MonitoredTable,
        table: &MonitoredTable,
        old: Option<&Arc<Row>>,
        new: Option<&Arc<Row>>,
    ) {
        let old = old.filter(|row| was.sees(row));
        let new = new.filter(|row| table.sees(row));
        let kind = match (old, new) {
            (None, None) => return,
            (None, Some(_)) => Select::INSERT,
            (Some(_), None) => Select::DELETE,
            (Some(_), Some(_)) => Select::MODIFY,
        };
        if table.select.has(kind) {
            self.put(id, table, kind, old, new);
        }
    }

    fn put(
        &mut self,
        id: RowId,
        table: &MonitoredTable,
        kind: Select,
        old: Option<&Arc<Row>>,
        new: Option<&Arc<Row>>,
    ) {
        let Some(schema) = self.database.schema().tables.get(id.0) else { return };
        let update = match self.version {
            Version::V1 => row_update(schema, table, kind, old, new),
            Version::V2 | Version::V3 => row_update2(schema, table, kind, old, new),
        };
        if let Some(update) = update {
            self.tables.entry(id.0).or_default().insert(id.1.to_string().into(), update);
        }
    }

    /// The update, unless it is empty.
    pub(super) fn finish(self) -> Option<Json> {
        let schema = self.database.schema();
        let name = |index: usize| schema.tables.get(index).map(|table| table.name.clone());
        let tables: Object = self
            .tables
            .into_iter()
            .filter_map(|(index, rows)| Some((name(index)?, Json::Object(rows))))
            .collect();
        (!tables.is_empty()).then_some(Json::Object(tables))
    }
}

/// The columns of `table` that are wanted for `kind`.
fn wanted(table: &MonitoredTable, kind: Select) -> impl Iterator<Item = usize> {
    table.columns.iter().filter(move |(_, select)| select.has(kind)).map(|(c, _)| *c)
}

/// A `<row-update>`: `old` has what went, `new` what is there now.
fn row_update(
    schema: &TableSchema,
    table: &MonitoredTable,
    kind: Select,
    old: Option<&Arc<Row>>,
    new: Option<&Arc<Row>>,
) -> Option<Json> {
    let mut update = Object::new();
    if let (Some(old), Some(new)) = (old, new) {
        if table.columns.iter().all(|(c, _)| old.same(new, *c)) {
            return None;
        }
        let changed: Vec<usize> = wanted(table, kind).filter(|&c| !old.same(new, c)).collect();
        update.insert("old".into(), old.to_json(schema, &changed));
    } else if let Some(old) = old {
        let columns: Vec<usize> = wanted(table, kind).collect();
        update.insert("old".into(), old.to_json(schema, &columns));
    }
    if let Some(new) = new {
        let columns: Vec<usize> = wanted(table, kind).collect();
        update.insert("new".into(), new.to_json(schema, &columns));
    }
    Some(Json::Object(update))
}

/// A `<row-update2>`: `initial` and `insert` without default values, `modify` with differences.
fn row_update2(
    schema: &TableSchema,
    table: &MonitoredTable,
    kind: Select,
    old: Option<&Arc<Row>>,
    new: Option<&Arc<Row>>,
) -> Option<Json> {
    let columns = wanted(table, kind).filter_map(|c| Some((c, schema.columns.get(c)?)));
    let (name, row) = match (old, new) {
        (_, None) => ("delete", Json::Null),
        (None, Some(new)) => {
            let row = columns
                .filter(|(c, column)| !new.get(*c).is_default(&column.type_))
                .map(|(c, column)| (column.name.clone(), new.get(c).to_json(&column.type_)))
                .collect();
            let name = if kind == Select::INITIAL { "initial" } else { "insert" };
            (name, Json::Object(row))
        }
        (Some(old), Some(new)) => {
            if table.columns.iter().all(|(c, _)| old.same(new, *c)) {
                return None;
            }
            let row = columns
                .filter(|(c, _)| !old.same(new, *c))
                .map(|(c, column)| {
                    let diff = new.get(c).diff_from(old.get(c), &column.type_);
                    (column.name.clone(), diff.to_json(&column.type_))
                })
                .collect();
            ("modify", Json::Object(row))
        }
    };
    Some(weir_jsonrpc::object! { name => row })
}
