//! Applies `update`, `update2` and `update3` to a replica.

use std::sync::Arc;

use uuid::Uuid;
use weir_jsonrpc::Json;

use super::{Replica, Row};
use crate::atom::uuid_from_string;
use crate::error::{OvsdbError, Result};
use crate::{Datum, TableSchema};

/// Which form of `<table-updates>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// RFC 7047 section 4.1.6: `old` and `new`.
    Update,
    /// The extension of ovsdb-server(7): `initial`, `insert`, `modify`, `delete`.
    Update2,
}

impl Replica {
    /// Applies a `<table-updates>` or `<table-updates2>`: all of it, or nothing on an error.
    pub(super) fn apply(&mut self, form: Form, updates: &Json) -> Result<()> {
        let tables = object(updates, "table updates")?;
        let mut next = Vec::new();
        for (name, rows) in tables {
            let Some(schema) = self.schema.table(name) else {
                return Err(OvsdbError::syntax(rows, format!("update of unknown table {name}")));
            };
            for (uuid, update) in object(rows, "row updates")? {
                let id = uuid_from_string(uuid).ok_or_else(|| {
                    OvsdbError::syntax(rows, format!("\"{uuid}\" is not a valid UUID"))
                })?;
                let old = self.row(name, id);
                let row = match form {
                    Form::Update => row_after_update(schema, old, update)?,
                    Form::Update2 => row_after_update2(schema, old, update)?,
                };
                next.push((name.clone(), id, row));
            }
        }
        let changed = !next.is_empty();
        for (table, id, row) in next {
            self.put(table, id, row);
        }
        self.seqno += u64::from(changed);
        Ok(())
    }

    fn put(&mut self, table: Arc<str>, id: Uuid, row: Option<Row>) {
        let rows = self.tables.entry(table).or_default();
        match row {
            Some(row) => drop(rows.insert(id, row)),
            None => drop(rows.remove(&id)),
        }
    }
}

fn object<'a>(json: &'a Json, what: &str) -> Result<&'a weir_jsonrpc::Object> {
    json.as_object().ok_or_else(|| OvsdbError::syntax(json, format!("{what} are not an object")))
}

fn columns(schema: &TableSchema, row: &Json, mut put: impl FnMut(Arc<str>, Datum)) -> Result<()> {
    for (name, value) in object(row, "columns of a row")? {
        // A column that the schema lacks was not asked for: it is ignored, as OVS's IDL does.
        let Some(column) = schema.column(name) else { continue };
        put(name.clone(), Datum::from_json_any_size(&column.type_, value)?);
    }
    Ok(())
}

fn row_after_update(schema: &TableSchema, old: Option<&Row>, json: &Json) -> Result<Option<Row>> {
    let Some(new) = json.get("new").filter(|n| !n.is_null()) else { return Ok(None) };
    let mut row = old.cloned().unwrap_or_default();
    columns(schema, new, |name, datum| drop(row.columns.insert(name, datum)))?;
    Ok(Some(row))
}

fn row_after_update2(schema: &TableSchema, old: Option<&Row>, json: &Json) -> Result<Option<Row>> {
    if json.get("delete").is_some() {
        return Ok(None);
    }
    if let Some(new) = json.get("initial").or_else(|| json.get("insert")) {
        // Columns with default values are left out.
        let mut row = Row::default();
        for column in schema.own_columns() {
            row.columns.insert(column.name.clone(), (*column.default).clone());
        }
        columns(schema, new, |name, datum| drop(row.columns.insert(name, datum)))?;
        return Ok(Some(row));
    }
    let diff = json.get("modify").ok_or_else(|| OvsdbError::syntax(json, "unknown row update"))?;
    let mut row =
        old.cloned().ok_or_else(|| OvsdbError::syntax(json, "modifies a row that is not"))?;
    let mut diffs = Vec::new();
    columns(schema, diff, |name, datum| diffs.push((name, datum)))?;
    for (name, diff) in diffs {
        let Some(column) = schema.column(&name) else { continue };
        let old = row.columns.entry(name).or_insert_with(|| Datum::default_of(&column.type_));
        *old = old.apply_diff(&diff, &column.type_);
    }
    Ok(Some(row))
}
