//! What a committed transaction changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;

use crate::row::Row;

/// One row before and after; at least one of the two is there.
#[derive(Clone, Debug)]
pub struct RowChange {
    /// The row before, unless it was inserted.
    pub old: Option<Arc<Row>>,
    /// The row after, unless it was deleted.
    pub new: Option<Arc<Row>>,
}

/// The rows that a transaction changed, by the position of their table in the schema.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// The changes.
    pub tables: BTreeMap<usize, BTreeMap<Uuid, RowChange>>,
    /// The transaction's comments, a line each.
    pub comment: String,
}

impl Changes {
    /// Nothing changed?
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    /// Every change with the position of its table.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &Uuid, &RowChange)> {
        self.tables
            .iter()
            .flat_map(|(table, rows)| rows.iter().map(|(uuid, change)| (*table, uuid, change)))
    }

    /// The number of rows changed.
    pub fn len(&self) -> usize {
        self.tables.values().map(BTreeMap::len).sum()
    }
}
