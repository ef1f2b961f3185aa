//! Weak references: they disappear from a column when the row they point to does.

use std::collections::BTreeSet;
use std::sync::Arc;

use uuid::Uuid;

use super::Txn;
use crate::database::RefColumn;
use crate::error::{OvsdbError, Result};
use crate::row::Row;
use crate::table::RowId;

impl Txn {
    /// Removes weak references to rows that do not exist, and records who refers to whom.
    pub(super) fn assess_weak_references(&mut self) -> Result<()> {
        // Rows that refer to a deleted row change, too.
        let deleted: Vec<RowId> =
            self.touched.iter().copied().filter(|&id| self.new_row(id).is_none()).collect();
        for (index, uuid) in deleted {
            let sources = self.base.at(index).and_then(|table| table.weak.get(&uuid)).cloned();
            for (table, source) in sources.unwrap_or_default() {
                self.touch(table, source);
            }
        }
        let touched: Vec<RowId> = self.touched.iter().copied().collect();
        for &id in &touched {
            self.prune(id)?;
        }
        for &id in &touched {
            self.record(id);
        }
        Ok(())
    }

    /// Removes the dead references of the row `id`.
    fn prune(&mut self, id: RowId) -> Result<()> {
        let refs = self.state.refs(id.0);
        for place in refs.get(id.0).into_iter().flat_map(|refs| &refs.weak) {
            let Some(row) = self.new_row(id).cloned() else { return Ok(()) };
            let datum = row.get(place.column);
            let atoms = if place.in_values { datum.values() } else { datum.keys() };
            let dead: Vec<(usize, Uuid)> = atoms
                .iter()
                .enumerate()
                .filter_map(|(i, atom)| Some((i, atom.as_uuid()?)))
                .filter(|(_, uuid)| self.new_row((place.target, *uuid)).is_none())
                .collect();
            if dead.is_empty() {
                continue;
            }
            let mut datum = datum.clone();
            for (i, _) in dead.iter().rev() {
                datum.remove(*i);
            }
            let schema = self.state.schema().clone();
            let table = schema.tables.get(id.0);
            let column = table.and_then(|table| table.columns.get(place.column));
            if let (Some(table), Some(column)) = (table, column)
                && datum.len() < column.type_.min as usize
            {
                let zero = dead.iter().any(|(_, uuid)| uuid.is_nil());
                let inserted = self.old(id).is_none();
                return Err(emptied(&column.name, &table.name, id.1, dead.len(), zero, inserted));
            }
            let mut row = Row::clone(&row);
            row.set(place.column, Arc::new(datum));
            self.put(id.0, row);
        }
        Ok(())
    }

    /// Replaces what the old row `id` referred to by what the new one refers to.
    fn record(&mut self, id: RowId) {
        let refs = self.state.refs(id.0);
        let Some(refs) = refs.get(id.0) else { return };
        let targets = |row: &Arc<Row>| -> BTreeSet<RowId> {
            let of = |place: &RefColumn| {
                let table = place.target;
                place.targets(row).map(move |uuid| (table, uuid)).collect::<Vec<_>>()
            };
            refs.weak.iter().flat_map(of).collect()
        };
        let old = self.old(id).map(targets).unwrap_or_default();
        let new = self.new_row(id).map(targets).unwrap_or_default();
        for &(table, uuid) in old.difference(&new) {
            let Some(table) = self.state.at_mut(table) else { continue };
            if let Some(sources) = table.weak.get_mut(&uuid) {
                sources.remove(&id);
                if sources.is_empty() {
                    table.weak.remove(&uuid);
                }
            }
        }
        for &(table, uuid) in new.difference(&old) {
            if let Some(table) = self.state.at_mut(table) {
                table.weak.entry(uuid).or_default().insert(id);
            }
        }
        // Whoever referred to a row that is gone has been pruned above.
        if self.new_row(id).is_none()
            && let Some(table) = self.state.at_mut(id.0)
        {
            table.weak.remove(&id.1);
        }
    }
}

/// OVS's words, its spelling included.
fn emptied(
    column: &str,
    table: &str,
    row: Uuid,
    dead: usize,
    zero: bool,
    inserted: bool,
) -> OvsdbError {
    let inside = if inserted { "(inserted within this transaction) " } else { "" };
    OvsdbError::constraint(if zero && inserted {
        format!(
            "Weak reference column \"{column}\" in \"{table}\" row {row} {inside}contained \
             all-zeros UUID (probably as the default value for this column) but deleting this \
             value caused a constraint volation because this column is not allowed to be empty."
        )
    } else {
        format!(
            "Deletion of {dead} weak reference(s) to deleted (or never-existing) rows from column \
             \"{column}\" in \"{table}\" row {row} {inside}caused this column to become empty, \
             but constraints on this column disallow an empty column."
        )
    })
}
