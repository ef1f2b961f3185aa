//! A database: a schema and its tables. A clone is a snapshot; transactions work on one and put it
//! in the place of the original when they commit.

use std::sync::Arc;

use uuid::Uuid;

use crate::row::Row;
use crate::schema::Schema;
use crate::table::{RowId, Table};
use crate::types::RefType;

/// One place in a table from which references start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RefColumn {
    /// The column.
    pub column: usize,
    /// In the values of the map; else in the keys.
    pub in_values: bool,
    /// The table that the references point to.
    pub target: usize,
}

/// From where the rows of one table refer to others.
#[derive(Clone, Debug, Default)]
pub(crate) struct RefColumns {
    pub strong: Vec<RefColumn>,
    pub weak: Vec<RefColumn>,
}

/// The content of a database.
#[derive(Clone, Debug)]
pub struct Database {
    schema: Arc<Schema>,
    refs: Arc<Vec<RefColumns>>,
    tables: Vec<Arc<Table>>,
}

impl Database {
    /// A database without rows.
    pub fn new(schema: Arc<Schema>) -> Self {
        let tables = schema.tables.iter().map(|t| Arc::new(Table::new(t.clone()))).collect();
        let refs = schema.tables.iter().map(|table| ref_columns(&schema, table)).collect();
        Self { schema, refs: Arc::new(refs), tables }
    }

    /// Its schema.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.schema.name
    }

    /// The tables, sorted by name.
    pub fn tables(&self) -> impl Iterator<Item = &Table> {
        self.tables.iter().map(|table| &**table)
    }

    /// The table called `name`.
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.at(self.schema.table_index(name)?)
    }

    /// The table at position `index` of the schema.
    pub fn at(&self, index: usize) -> Option<&Table> {
        self.tables.get(index).map(|table| &**table)
    }

    /// The row `id`.
    pub fn row(&self, id: RowId) -> Option<&Arc<Row>> {
        self.at(id.0)?.get(&id.1)
    }

    /// The number of cells, as `memory/show` counts them.
    pub fn cells(&self) -> usize {
        self.tables().map(|table| table.len() * table.schema().columns.len()).sum()
    }

    pub(crate) fn at_mut(&mut self, index: usize) -> Option<&mut Table> {
        self.tables.get_mut(index).map(Arc::make_mut)
    }

    pub(crate) fn refs(&self, table: usize) -> Arc<Vec<RefColumns>> {
        debug_assert!(table < self.refs.len());
        self.refs.clone()
    }
}

impl RefColumn {
    /// The names of the rows that `row` refers to from this place, the row itself aside.
    pub(crate) fn targets<'a>(&self, row: &'a Row) -> impl Iterator<Item = Uuid> + 'a {
        let datum = row.get(self.column);
        let atoms = if self.in_values { datum.values() } else { datum.keys() };
        atoms.iter().filter_map(super::atom::Atom::as_uuid).filter(|uuid| *uuid != row.uuid())
    }
}

fn ref_columns(schema: &Schema, table: &crate::schema::TableSchema) -> RefColumns {
    let mut refs = RefColumns::default();
    for (index, column) in table.columns.iter().enumerate() {
        for (in_values, base) in [false, true].into_iter().zip(column.type_.bases()) {
            let Some((name, kind)) = base.reference() else { continue };
            let Some(target) = schema.table_index(name) else { continue };
            let place = RefColumn { column: index, in_values, target };
            match kind {
                RefType::Strong => refs.strong.push(place),
                RefType::Weak => refs.weak.push(place),
            }
        }
    }
    refs
}
