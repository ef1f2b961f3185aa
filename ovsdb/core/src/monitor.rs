//! A monitor: what one client wants to know about the tables of a database, and what has changed
//! since it was last told.
//!
//! | file | is |
//! | --- | --- |
//! | `monitor/request.rs` | reads `monitor`, `monitor_cond` and `monitor_cond_change` requests |
//! | `monitor/update.rs` | composes `<table-updates>` and `<table-updates2>` |
//! | `monitor/history.rs` | the last transactions, for `monitor_cond_since` |

use std::collections::BTreeMap;
use std::sync::Arc;

use weir_jsonrpc::Json;

use crate::condition::Condition;
use crate::database::Database;
use crate::row::Row;
use crate::table::RowId;
use crate::txn::Changes;

mod history;
mod request;
mod update;

pub use history::History;
pub use request::{parse_condition_change, parse_requests};

/// Which kinds of changes a client wants to hear of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Select(u8);

impl Select {
    /// Rows that are there already.
    pub const INITIAL: Self = Self(1);
    /// Rows that appear.
    pub const INSERT: Self = Self(2);
    /// Rows that disappear.
    pub const DELETE: Self = Self(4);
    /// Rows that change.
    pub const MODIFY: Self = Self(8);
    /// All of these.
    pub const ALL: Self = Self(15);

    /// Both sets together.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Is any kind of `other` in this set?
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// The form of the notifications.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// `monitor`, `update`.
    V1,
    /// `monitor_cond`, `update2`.
    V2,
    /// `monitor_cond_since`, `update3`.
    V3,
}

impl Version {
    /// The method of the notification.
    pub fn method(self) -> &'static str {
        match self {
            Self::V1 => "update",
            Self::V2 => "update2",
            Self::V3 => "update3",
        }
    }
}

/// What a client wants to know about one table.
#[derive(Clone, Debug, Default)]
pub struct MonitoredTable {
    /// The columns, by position, each with what it is wanted for.
    pub columns: Vec<(usize, Select)>,
    /// What the rows are wanted for.
    pub select: Select,
    /// The rows that are wanted; `None` for a version 1 monitor.
    pub condition: Option<Condition>,
}

impl MonitoredTable {
    /// Does the client see `row`?
    fn sees(&self, row: &Row) -> bool {
        self.condition.as_ref().is_none_or(|condition| condition.matches_any(row))
    }

    /// Can the client notice the difference?
    fn can_notice(&self, old: &Row, new: &Row) -> bool {
        let differs = |c: usize| !old.same(new, c);
        self.columns.iter().any(|(c, _)| differs(*c))
            || self.condition.iter().flat_map(Condition::columns).any(differs)
    }
}

/// A monitor.
#[derive(Clone, Debug)]
pub struct Monitor {
    /// What the client calls it.
    pub id: Json,
    /// The name of its database.
    pub database: Arc<str>,
    /// The form of its notifications.
    pub version: Version,
    tables: BTreeMap<usize, MonitoredTable>,
    /// The rows that may have changed since the client was last told, as it knows them. However
    /// slow the client is, this is never more than one entry a row.
    pending: BTreeMap<RowId, Option<Arc<Row>>>,
}

impl Monitor {
    /// A monitor of `tables`, by position.
    pub fn new(
        id: Json,
        database: Arc<str>,
        version: Version,
        tables: BTreeMap<usize, MonitoredTable>,
    ) -> Self {
        Self { id, database, version, tables, pending: BTreeMap::new() }
    }

    /// Notes what a transaction changed.
    pub fn note(&mut self, changes: &Changes) {
        for (&index, table) in &self.tables {
            for (uuid, change) in changes.tables.get(&index).into_iter().flatten() {
                if let (Some(old), Some(new)) = (&change.old, &change.new)
                    && !table.can_notice(old, new)
                {
                    continue;
                }
                self.pending.entry((index, *uuid)).or_insert_with(|| change.old.clone());
            }
        }
    }

    /// Is there something to tell?
    pub fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// What a new client has to be told first.
    pub fn initial(&mut self, database: &Database) -> Json {
        self.pending.clear();
        update::initial(&self.tables, self.version, database)
    }

    /// What has changed since the client was last told, if it can see any of it.
    pub fn flush(&mut self, database: &Database) -> Option<Json> {
        let pending = std::mem::take(&mut self.pending);
        update::changes(&self.tables, self.version, database, &pending)
    }

    /// Puts other conditions in the place of those of some tables; returns what the client has to
    /// be told in consequence, with everything else that was pending.
    pub fn change_conditions(
        &mut self,
        conditions: BTreeMap<usize, Condition>,
        database: &Database,
    ) -> Option<Json> {
        let pending = std::mem::take(&mut self.pending);
        let before = self.tables.clone();
        let mut updates = update::Updates::new(self.version, database);
        for (index, condition) in conditions {
            let Some(table) = self.tables.get_mut(&index) else { continue };
            table.condition = Some(condition);
            // Every row may have come into sight or gone out of it.
            let Some(was) = before.get(&index) else { continue };
            for row in database.at(index).into_iter().flat_map(super::table::Table::rows) {
                if !pending.contains_key(&(index, row.uuid())) {
                    updates.add((index, row.uuid()), was, table, Some(row), Some(row));
                }
            }
        }
        for (&id, old) in &pending {
            if let (Some(was), Some(table)) = (before.get(&id.0), self.tables.get(&id.0)) {
                updates.add(id, was, table, old.as_ref(), database.row(id));
            }
        }
        updates.finish()
    }

    /// The tables, by position.
    pub fn tables(&self) -> &BTreeMap<usize, MonitoredTable> {
        &self.tables
    }
}
