//! The client side of OVSDB: a [`Replica`] of a database's tables, kept current by a [`Client`]
//! that speaks JSON-RPC without doing any I/O, and [`Transaction`]s built on top of it.
//!
//! `handle` takes what came in, `poll_transmit` gives what is to be sent; the owner of the socket
//! calls `connected` and `disconnected`. The replica is whole at any time: an update is applied
//! entirely or, if it does not fit the schema, the client asks to be reconnected.

mod client;
mod transaction;
mod update;

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;

use crate::{Atom, Datum, Schema};

pub use client::{Client, Event, Interest};
pub use transaction::{Outcome, Transaction, TxnId};

/// The columns of one row that are monitored.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    columns: BTreeMap<Arc<str>, Datum>,
}

impl Row {
    /// The value of a column; `None` when the column is not in the server's schema or not
    /// monitored.
    #[must_use]
    pub fn get(&self, column: &str) -> Option<&Datum> {
        self.columns.get(column)
    }

    /// The columns, by name.
    pub fn columns(&self) -> impl Iterator<Item = (&Arc<str>, &Datum)> {
        self.columns.iter()
    }

    /// The one string of a column, if there is exactly one.
    #[must_use]
    pub fn str(&self, column: &str) -> Option<&str> {
        self.get(column)?.single()?.as_str()
    }

    /// The one integer of a column, if there is exactly one.
    #[must_use]
    pub fn int(&self, column: &str) -> Option<i64> {
        self.get(column)?.single()?.as_integer()
    }

    /// The one boolean of a column, if there is exactly one.
    #[must_use]
    pub fn bool(&self, column: &str) -> Option<bool> {
        self.get(column)?.single()?.as_bool()
    }

    /// The UUIDs in a column: what its rows refer to.
    pub fn uuids(&self, column: &str) -> impl Iterator<Item = Uuid> + '_ {
        self.get(column).into_iter().flat_map(|d| d.keys().iter().filter_map(Atom::as_uuid))
    }

    /// A value of a map from strings to strings (`other_config`, `external_ids`, `options`).
    #[must_use]
    pub fn key<'a>(&'a self, column: &str, key: &str) -> Option<&'a str> {
        self.get(column)?.get_str(key)
    }
}

/// A copy of the monitored part of a database.
#[derive(Clone, Debug)]
pub struct Replica {
    schema: Arc<Schema>,
    tables: BTreeMap<Arc<str>, BTreeMap<Uuid, Row>>,
    seqno: u64,
}

impl Replica {
    /// A replica without rows.
    #[must_use]
    pub fn new(schema: Arc<Schema>) -> Self {
        Self { schema, tables: BTreeMap::new(), seqno: 0 }
    }

    /// The server's schema: it may be older or newer than ours.
    #[must_use]
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// Grows with each change, so that a reader can tell whether to look again.
    #[must_use]
    pub fn seqno(&self) -> u64 {
        self.seqno
    }

    /// The rows of a table, ordered by UUID.
    pub fn rows(&self, table: &str) -> impl Iterator<Item = (Uuid, &Row)> {
        self.tables.get(table).into_iter().flatten().map(|(uuid, row)| (*uuid, row))
    }

    /// One row.
    #[must_use]
    pub fn row(&self, table: &str, uuid: Uuid) -> Option<&Row> {
        self.tables.get(table)?.get(&uuid)
    }

    /// The only row of a table such as `Open_vSwitch`.
    #[must_use]
    pub fn first(&self, table: &str) -> Option<(Uuid, &Row)> {
        self.rows(table).next()
    }

    /// Does the server's schema have this column?
    #[must_use]
    pub fn has_column(&self, table: &str, column: &str) -> bool {
        self.schema.table(table).is_some_and(|t| t.column(column).is_some())
    }
}
