//! A row: one datum for each column of its table. Rows are immutable and shared; a changed row is a
//! new row, so that snapshots, monitors and transactions can hold on to the old one at no cost.

use std::sync::Arc;

use uuid::Uuid;
use weir_jsonrpc::{Json, Object};

use crate::datum::Datum;
use crate::error::{OvsdbError, Result, tag};
use crate::schema::{COL_UUID, COL_VERSION, TableSchema};
use crate::symbol::SymbolTable;

/// A row of a table.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Row {
    uuid: Uuid,
    fields: Vec<Arc<Datum>>,
}

impl Row {
    /// A row called `uuid` with the default value in every column.
    pub fn new(table: &TableSchema, uuid: Uuid) -> Self {
        let mut row = Self {
            uuid,
            fields: table.columns.iter().map(|column| column.default.clone()).collect(),
        };
        row.set(COL_UUID, Arc::new(Datum::scalar(uuid)));
        row
    }

    /// Its name.
    pub fn uuid(&self) -> Uuid {
        self.uuid
    }

    /// The datum of the column at `column`; the empty datum if there is no such column.
    pub fn get(&self, column: usize) -> &Datum {
        static EMPTY: std::sync::LazyLock<Datum> = std::sync::LazyLock::new(Datum::empty);
        self.fields.get(column).map_or(&EMPTY, |datum| datum)
    }

    /// The shared datum of the column at `column`.
    pub fn shared(&self, column: usize) -> Arc<Datum> {
        self.fields.get(column).cloned().unwrap_or_default()
    }

    /// Changes the datum of the column at `column`.
    pub(crate) fn set(&mut self, column: usize, datum: Arc<Datum>) {
        if let Some(field) = self.fields.get_mut(column) {
            *field = datum;
        }
    }

    /// Gives the row a new version.
    pub(crate) fn renew_version(&mut self) {
        self.set(COL_VERSION, Arc::new(Datum::scalar(Uuid::new_v4())));
    }

    /// Does the column at `column` have the same value in `other`?
    pub fn same(&self, other: &Self, column: usize) -> bool {
        match (self.fields.get(column), other.fields.get(column)) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b) || a == b,
            _ => false,
        }
    }

    /// The columns, `_version` aside, that `other` has different.
    pub fn changed_columns<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = usize> + 'a {
        (0..self.fields.len()).filter(move |&c| c != COL_VERSION && !self.same(other, c))
    }

    /// The datums of `columns`.
    pub fn project(&self, columns: &[usize]) -> Vec<Arc<Datum>> {
        columns.iter().map(|&c| self.shared(c)).collect()
    }

    /// The `<row>` object with `columns`.
    pub fn to_json(&self, table: &TableSchema, columns: &[usize]) -> Json {
        let member = |&c: &usize| {
            let column = table.columns.get(c)?;
            Some((column.name.clone(), self.get(c).to_json(&column.type_)))
        };
        Json::Object(columns.iter().filter_map(member).collect())
    }
}

/// Reads a `<row>`: the columns it has, by position, with their datums.
///
/// # Errors
/// A column that the table does not have, or a value that does not fit its column.
pub fn parse_row(
    table: &TableSchema,
    json: &Json,
    mut symbols: Option<&mut SymbolTable>,
) -> Result<Vec<(usize, Arc<Datum>)>> {
    let members: &Object =
        json.as_object().ok_or_else(|| OvsdbError::syntax(json, "row must be JSON object"))?;
    let mut values = Vec::with_capacity(members.len());
    for (name, value) in members {
        let (index, column) = table
            .column_index(name)
            .and_then(|index| Some((index, table.columns.get(index)?)))
            .ok_or_else(|| {
                let text = format!("No column {name} in table {}.", table.name);
                OvsdbError::at(json, tag::UNKNOWN_COLUMN, text)
            })?;
        let datum = Datum::from_json(&column.type_, value, symbols.as_deref_mut())?;
        values.push((index, Arc::new(datum)));
    }
    Ok(values)
}
