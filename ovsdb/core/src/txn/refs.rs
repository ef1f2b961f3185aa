//! Strong references: a row that something refers to cannot go away, and a row outside the root set
//! goes away with the last reference to it.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use uuid::Uuid;

use super::Txn;
use crate::error::{OvsdbError, Result, tag};
use crate::row::Row;
use crate::table::RowId;

impl Txn {
    /// Brings the reference counts up to date, checks them, and collects garbage.
    pub(super) fn count_references(&mut self) -> Result<()> {
        let touched: Vec<RowId> = self.touched.iter().copied().collect();
        let mut recounted: BTreeSet<RowId> = touched.iter().copied().collect();
        for &id in &touched {
            self.recount_row(id, &mut recounted)?;
        }
        for &(index, uuid) in &recounted {
            let Some(table) = self.state.at(index) else { continue };
            let n = table.strong_count(&uuid);
            if n > 0 && table.get(&uuid).is_none() {
                return Err(OvsdbError::new(
                    tag::REFERENTIAL,
                    format!(
                        "cannot delete {} row {uuid} because of {n} remaining reference(s)",
                        table.name()
                    ),
                ));
            }
        }
        self.collect_garbage(recounted);
        Ok(())
    }

    /// Takes back the references of the old row `id` and counts those of the new one.
    fn recount_row(&mut self, id: RowId, recounted: &mut BTreeSet<RowId>) -> Result<()> {
        let refs = self.state.refs(id.0);
        let Some(refs) = refs.get(id.0) else { return Ok(()) };
        let (old, new) = (self.old(id).cloned(), self.new_row(id).cloned());
        for place in &refs.strong {
            if let (Some(old), Some(new)) = (&old, &new)
                && old.same(new, place.column)
            {
                continue;
            }
            // A row may refer to thousands and change one: only the difference is counted.
            let sorted = |row: &Option<Arc<Row>>| {
                let mut targets: Vec<Uuid> =
                    row.iter().flat_map(|row| place.targets(row)).collect();
                targets.sort_unstable();
                targets
            };
            let (gone, came) = difference(&sorted(&old), &sorted(&new));
            for uuid in gone {
                self.adjust(place.target, uuid, -1);
                recounted.insert((place.target, uuid));
            }
            for uuid in came {
                if !self.is_taken((place.target, uuid)) {
                    return Err(self.dangling(id, place.column, place.target, uuid));
                }
                self.adjust(place.target, uuid, 1);
                recounted.insert((place.target, uuid));
            }
        }
        Ok(())
    }

    fn adjust(&mut self, table: usize, uuid: Uuid, delta: isize) {
        let Some(table) = self.state.at_mut(table) else { return };
        match table.strong_count(&uuid).saturating_add_signed(delta) {
            0 => table.strong.remove(&uuid),
            n => table.strong.insert(uuid, n),
        };
    }

    fn dangling(&self, id: RowId, column: usize, target: usize, uuid: Uuid) -> OvsdbError {
        let schema = self.state.schema();
        let table = schema.tables.get(id.0);
        let column = table.and_then(|table| table.columns.get(column));
        OvsdbError::new(
            tag::REFERENTIAL,
            format!(
                "Table {} column {} row {} references nonexistent row {uuid} in table {}.",
                table.map_or("", |table| &table.name),
                column.map_or("", |column| &column.name),
                id.1,
                schema.tables.get(target).map_or("", |table| &table.name),
            ),
        )
    }

    /// Deletes the rows outside the root set that nothing refers to, and what that leaves behind.
    fn collect_garbage(&mut self, candidates: BTreeSet<RowId>) {
        let mut candidates: Vec<RowId> = candidates.into_iter().collect();
        while let Some(id) = candidates.pop() {
            let is_garbage = self.state.at(id.0).is_some_and(|table| {
                !table.schema().is_root
                    && table.get(&id.1).is_some()
                    && table.strong_count(&id.1) == 0
            });
            if !is_garbage {
                continue;
            }
            let Some(row) = self.delete(id) else { continue };
            let refs = self.state.refs(id.0);
            for place in refs.get(id.0).into_iter().flat_map(|refs| &refs.strong) {
                for uuid in place.targets(&row) {
                    self.adjust(place.target, uuid, -1);
                    candidates.push((place.target, uuid));
                }
            }
        }
    }
}

/// What only `old` has and what only `new` has; both are sorted, and may have repetitions.
fn difference(old: &[Uuid], new: &[Uuid]) -> (Vec<Uuid>, Vec<Uuid>) {
    let (mut gone, mut came) = (Vec::new(), Vec::new());
    let (mut old, mut new) = (old.iter().copied().peekable(), new.iter().copied().peekable());
    loop {
        let order = match (old.peek(), new.peek()) {
            (None, None) => return (gone, came),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => a.cmp(b),
        };
        if order.is_le() {
            let uuid = old.next();
            gone.extend(uuid.filter(|_| order.is_lt()));
        }
        if order.is_ge() {
            let uuid = new.next();
            came.extend(uuid.filter(|_| order.is_gt()));
        }
    }
}
