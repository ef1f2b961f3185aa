//! The rows of a table and what is kept beside them: reference counts, back references and indexes.
//! All of it lives in persistent maps: a clone costs nothing and shares everything.

use std::sync::Arc;

use imbl::{OrdMap, OrdSet};
use uuid::Uuid;

use crate::condition::Condition;
use crate::datum::Datum;
use crate::row::Row;
use crate::schema::TableSchema;

/// The values of an index's columns.
pub type IndexKey = Vec<Arc<Datum>>;

/// A row somewhere: its table, by position, and its name.
pub type RowId = (usize, Uuid);

/// A table.
#[derive(Clone, Debug)]
pub struct Table {
    schema: Arc<TableSchema>,
    rows: OrdMap<Uuid, Arc<Row>>,
    /// How many strong references point to each row; rows without any are not in it.
    pub(crate) strong: OrdMap<Uuid, usize>,
    /// The rows that refer weakly to each row.
    pub(crate) weak: OrdMap<Uuid, OrdSet<RowId>>,
    /// For each index of the schema, the row with each key.
    pub(crate) indexes: Vec<OrdMap<IndexKey, Uuid>>,
}

impl Table {
    /// An empty table.
    pub fn new(schema: Arc<TableSchema>) -> Self {
        Self {
            indexes: schema.indexes.iter().map(|_| OrdMap::new()).collect(),
            schema,
            rows: OrdMap::new(),
            strong: OrdMap::new(),
            weak: OrdMap::new(),
        }
    }

    /// Its schema.
    pub fn schema(&self) -> &Arc<TableSchema> {
        &self.schema
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.schema.name
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// No rows?
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The row called `uuid`.
    pub fn get(&self, uuid: &Uuid) -> Option<&Arc<Row>> {
        self.rows.get(uuid)
    }

    /// All rows, in the order of their names.
    pub fn rows(&self) -> impl Iterator<Item = &Arc<Row>> {
        self.rows.values()
    }

    /// The rows that meet `condition`. Where clauses name the row, or give the values of an index,
    /// there is no search.
    pub fn select(&self, condition: &Condition) -> Vec<Arc<Row>> {
        let meets = |row: &&Arc<Row>| condition.matches(row);
        if let Some(uuid) = condition.only_uuid() {
            return self.get(&uuid).filter(meets).cloned().into_iter().collect();
        }
        match self.find_by_index(condition) {
            Some(found) => {
                found.and_then(|uuid| self.get(&uuid)).filter(meets).cloned().into_iter().collect()
            }
            None => self.rows().filter(meets).cloned().collect(),
        }
    }

    /// The name of the only row that can meet `condition`, looked up in an index that clauses give
    /// the values of; `None` if there is no such index.
    pub(crate) fn find_by_index(&self, condition: &Condition) -> Option<Option<Uuid>> {
        let mut indexes = self.schema.indexes.iter().zip(&self.indexes);
        indexes.find_map(|(columns, index)| {
            let key = condition.required_values(columns)?;
            Some(index.get(&key).copied())
        })
    }

    pub(crate) fn put(&mut self, row: Arc<Row>) {
        self.rows.insert(row.uuid(), row);
    }

    pub(crate) fn remove(&mut self, uuid: &Uuid) -> Option<Arc<Row>> {
        self.rows.remove(uuid)
    }

    /// The number of strong references to the row called `uuid`.
    pub(crate) fn strong_count(&self, uuid: &Uuid) -> usize {
        self.strong.get(uuid).copied().unwrap_or(0)
    }
}
