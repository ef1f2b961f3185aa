//! What happens, in order, when a transaction commits.

use std::sync::Arc;

use super::{Changes, RowChange, Txn};
use crate::database::Database;
use crate::error::{OvsdbError, Result};
use crate::schema::NO_MAX_ROWS;

impl Txn {
    /// Checks everything that can only be known at the end, and works out the consequences.
    ///
    /// Returns the new database, which the caller puts in the place of the old one once it has
    /// written the changes down. Without changes the database is the one that it was.
    ///
    /// # Errors
    /// The constraint that the transaction breaks; then nothing has happened.
    pub fn prepare(mut self) -> Result<(Database, Changes)> {
        self.drop_unchanged();
        if self.touched.is_empty() {
            return Ok((self.base, Changes::default()));
        }
        self.count_references()?;
        self.check_max_rows()?;
        self.assess_weak_references()?;
        self.update_indexes()?;
        let mut changes = self.collect();
        changes.comment = self.comment;
        Ok((self.state, changes))
    }

    /// Forgets rows that ended up as they began.
    fn drop_unchanged(&mut self) {
        let Self { base, state, touched, .. } = self;
        touched.retain(|&id| match (base.row(id), state.row(id)) {
            (None, None) => false,
            (Some(old), Some(new)) => old.changed_columns(new).next().is_some(),
            _ => true,
        });
    }

    fn check_max_rows(&self) -> Result<()> {
        let mut last = None;
        for &(index, _) in &self.touched {
            if last.replace(index) == Some(index) {
                continue;
            }
            let Some(table) = self.state.at(index) else { continue };
            let (n, max) = (table.len(), table.schema().max_rows);
            if max != NO_MAX_ROWS && n > max as usize {
                return Err(OvsdbError::constraint(format!(
                    "transaction causes \"{}\" table to contain {n} rows, \
                     greater than the schema-defined limit of {max} row(s)",
                    table.name()
                )));
            }
        }
        Ok(())
    }

    /// Gathers the changes and gives changed rows a new version.
    fn collect(&mut self) -> Changes {
        let mut changes = Changes::default();
        for &id in &self.touched {
            let old = self.base.row(id).cloned();
            let mut new = self.state.row(id).cloned();
            match (&old, &mut new) {
                (None, None) => continue,
                (Some(old), Some(new)) => {
                    if old.changed_columns(new).next().is_none() {
                        continue;
                    }
                    Arc::make_mut(new).renew_version();
                    if let Some(table) = self.state.at_mut(id.0) {
                        table.put(new.clone());
                    }
                }
                _ => {}
            }
            changes.tables.entry(id.0).or_default().insert(id.1, RowChange { old, new });
        }
        changes
    }
}
