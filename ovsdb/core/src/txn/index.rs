//! Indexes: no two rows of a table may have the same values in the columns of an index.

use std::sync::Arc;

use super::Txn;
use crate::error::{OvsdbError, Result};
use crate::row::Row;
use crate::schema::TableSchema;
use crate::table::RowId;
use crate::text::{datum_to_string, english_list};

impl Txn {
    /// Moves the indexes from the old rows to the new ones.
    pub(super) fn update_indexes(&mut self) -> Result<()> {
        let touched: Vec<RowId> = self.touched.iter().copied().collect();
        for &id in &touched {
            let Some(old) = self.old(id).cloned() else { continue };
            let Some(table) = self.state.at_mut(id.0) else { continue };
            let schema = table.schema().clone();
            for (index, columns) in table.indexes.iter_mut().zip(&schema.indexes) {
                index.remove(&old.project(columns));
            }
        }
        for &id in &touched {
            let Some(new) = self.new_row(id).cloned() else { continue };
            let Some(table) = self.state.at_mut(id.0) else { continue };
            let schema = table.schema().clone();
            for (index, columns) in table.indexes.iter_mut().zip(&schema.indexes) {
                if let Some(other) = index.insert(new.project(columns), id.1) {
                    return Err(self.duplicate(&schema, columns, (id.0, other), id));
                }
            }
        }
        Ok(())
    }

    fn duplicate(&self, schema: &TableSchema, columns: &[usize], a: RowId, b: RowId) -> OvsdbError {
        let (Some(mut first), Some(mut second)) = (self.new_row(a), self.new_row(b)) else {
            return OvsdbError::constraint("duplicate index");
        };
        // In a fixed order, so that the message can be foreseen.
        let all: Vec<usize> = (2..schema.columns.len()).chain(0..2).collect();
        if first.project(&all) < second.project(&all) {
            (first, second) = (second, first);
        }
        let names: Vec<String> = columns
            .iter()
            .filter_map(|&c| schema.columns.get(c))
            .map(|column| column.name.to_string())
            .collect();
        OvsdbError::constraint(format!(
            "Transaction causes multiple rows in \"{}\" table to have identical values ({}) for \
             index on column{} {}.  {}  {}",
            schema.name,
            values(schema, columns, first),
            if names.len() > 1 { "s" } else { "" },
            english_list(&names, true),
            self.describe("First", schema, columns, a.0, first),
            self.describe("Second", schema, columns, a.0, second),
        ))
    }

    fn describe(
        &self,
        title: &str,
        schema: &TableSchema,
        columns: &[usize],
        table: usize,
        row: &Arc<Row>,
    ) -> String {
        let old = self.old((table, row.uuid()));
        let what = match old {
            None => "was inserted by this transaction.".to_owned(),
            Some(old) if old.changed_columns(row).next().is_none() => {
                "existed in the database before this transaction and was not modified by the \
                 transaction."
                    .to_owned()
            }
            Some(old) if columns.iter().all(|&c| old.same(row, c)) => {
                "existed in the database before this transaction, which modified some of the \
                 row's columns but not any columns in this index."
                    .to_owned()
            }
            Some(old) => format!(
                "had the following index values before the transaction: {}.",
                values(schema, columns, old)
            ),
        };
        format!("{title} row, with UUID {}, {what}", row.uuid())
    }
}

fn values(schema: &TableSchema, columns: &[usize], row: &Row) -> String {
    let text = |&c: &usize| {
        let column = schema.columns.get(c)?;
        Some(datum_to_string(row.get(c), &column.type_))
    };
    english_list(&columns.iter().filter_map(text).collect::<Vec<_>>(), false)
}
