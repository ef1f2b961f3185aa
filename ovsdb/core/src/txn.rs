//! A transaction: changes to a snapshot of a database that become the database all at once, or not
//! at all.
//!
//! | file | is |
//! | --- | --- |
//! | `txn/execute.rs` | the operations of RFC 7047 section 5.2 |
//! | `txn/commit.rs` | what happens, in order, when a transaction commits |
//! | `txn/refs.rs` | strong reference counts and garbage collection |
//! | `txn/weak.rs` | weak references that go away with their rows |
//! | `txn/index.rs` | uniqueness of indexes |
//! | `txn/changes.rs` | what a committed transaction changed |

use std::collections::BTreeSet;
use std::sync::Arc;

use uuid::Uuid;

use crate::condition::Condition;
use crate::database::Database;
use crate::row::Row;
use crate::table::RowId;

mod changes;
mod commit;
mod execute;
mod index;
mod refs;
#[cfg(test)]
mod tests;
mod weak;

pub use changes::{Changes, RowChange};
pub use execute::{Execution, LockCheck, Outcome, execute};

/// A transaction in progress.
#[derive(Debug)]
pub struct Txn {
    /// The database as it was.
    base: Database,
    /// The database as it will be.
    state: Database,
    /// Every row that was inserted, changed or deleted, by a client or in consequence.
    touched: BTreeSet<RowId>,
    comment: String,
}

impl Txn {
    /// A transaction on a snapshot of `database`.
    pub fn new(database: &Database) -> Self {
        Self {
            base: database.clone(),
            state: database.clone(),
            touched: BTreeSet::new(),
            comment: String::new(),
        }
    }

    /// The database with the changes so far.
    pub fn state(&self) -> &Database {
        &self.state
    }

    /// Adds a line to the comment that goes into the log.
    pub fn add_comment(&mut self, comment: &str) {
        if !self.comment.is_empty() {
            self.comment.push('\n');
        }
        self.comment.push_str(comment);
    }

    /// Was a row called `uuid` in the table before, or is it now?
    pub(crate) fn is_taken(&self, id: RowId) -> bool {
        self.base.row(id).is_some() || self.state.row(id).is_some()
    }

    /// Inserts `row` into the table at `table`, under a new version.
    pub(crate) fn insert(&mut self, table: usize, mut row: Row) {
        row.renew_version();
        self.put(table, row);
    }

    /// Puts `row` in the place of the row with its name.
    pub(crate) fn put(&mut self, table: usize, row: Row) {
        self.touched.insert((table, row.uuid()));
        if let Some(table) = self.state.at_mut(table) {
            table.put(Arc::new(row));
        }
    }

    /// Deletes the row `id`.
    pub(crate) fn delete(&mut self, id: RowId) -> Option<Arc<Row>> {
        self.touched.insert(id);
        self.state.at_mut(id.0)?.remove(&id.1)
    }

    /// The rows of the table at `table` that meet `condition`, as they are in the transaction.
    pub(crate) fn select(&self, table: usize, condition: &Condition) -> Vec<Arc<Row>> {
        let (Some(now), Some(before)) = (self.state.at(table), self.base.at(table)) else {
            return Vec::new();
        };
        if condition.only_uuid().is_some() {
            return now.select(condition);
        }
        let Some(found) = before.find_by_index(condition) else {
            return now.rows().filter(|row| condition.matches(row)).cloned().collect();
        };
        // The index knows the rows as they were; those touched since are looked at one by one.
        let touched = self.touched.range((table, Uuid::nil())..=(table, Uuid::max()));
        let candidates: BTreeSet<Uuid> = touched.map(|(_, uuid)| *uuid).chain(found).collect();
        let rows = candidates.iter().filter_map(|uuid| now.get(uuid));
        rows.filter(|row| condition.matches(row)).cloned().collect()
    }

    fn old(&self, id: RowId) -> Option<&Arc<Row>> {
        self.base.row(id)
    }

    fn new_row(&self, id: RowId) -> Option<&Arc<Row>> {
        self.state.row(id)
    }

    /// Notes that the row called `uuid` has to be looked at again.
    fn touch(&mut self, table: usize, uuid: Uuid) {
        self.touched.insert((table, uuid));
    }
}
