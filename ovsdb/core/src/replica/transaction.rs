//! A [`Transaction`]: changes on top of a replica, turned into the operations of a `transact`
//! request that fails cleanly when the database has moved on under it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use uuid::Uuid;
use weir_jsonrpc::Json;

use super::Replica;
use crate::atom::uuid_to_json;
use crate::{Datum, Schema};

/// Names a transaction that was handed to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TxnId(pub u64);

/// How a transaction ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Nothing was to be changed; nothing was sent.
    Unchanged,
    /// It is in the database.
    Success {
        /// The UUIDs that inserted rows got, by the ones they had in the transaction.
        inserted: BTreeMap<Uuid, Uuid>,
        /// The value of the incremented column after the transaction.
        increment: Option<i64>,
    },
    /// What was read has changed meanwhile, or the connection was lost: do it again on the current
    /// replica.
    TryAgain,
    /// The client has not the lock it asked for.
    NotLocked,
    /// The server refused it.
    Error(String),
}

/// What happens to one row.
#[derive(Clone, Debug, Default)]
struct Edit {
    inserted: bool,
    deleted: bool,
    columns: BTreeMap<Arc<str>, Datum>,
    /// Those of `columns` of which only elements were added and removed: the rest of the value may
    /// change meanwhile.
    by_element: BTreeSet<Arc<str>>,
    /// Columns whose value in the replica the change depends on.
    verified: BTreeSet<Arc<str>>,
}

/// Changes to be made at once.
#[derive(Clone, Debug, Default)]
pub struct Transaction {
    edits: BTreeMap<(Arc<str>, Uuid), Edit>,
    /// The order of insertion, so that operations are stable.
    inserts: Vec<(Arc<str>, Uuid)>,
    /// Which UUIDs stand for rows to be inserted.
    inserted: BTreeSet<Uuid>,
    /// Which of them the database shall keep.
    kept: BTreeSet<Uuid>,
    comments: Vec<String>,
    increment: Option<(Arc<str>, Uuid, Arc<str>)>,
    /// Abort instead of committing, once everything was checked.
    pub dry_run: bool,
    /// Send columns that were set to the value that they have.
    pub write_unchanged: bool,
}

impl Transaction {
    /// An empty transaction.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn edit(&mut self, table: &str, uuid: Uuid) -> &mut Edit {
        self.edits.entry((table.into(), uuid)).or_default()
    }

    /// Adds a row. The UUID stands for it in this transaction; the database gives it another.
    pub fn insert(&mut self, table: &str) -> Uuid {
        let uuid = Uuid::new_v4();
        self.insert_as(table, uuid);
        uuid
    }

    /// As [`Transaction::insert`], with a UUID that others may already refer to.
    pub fn insert_as(&mut self, table: &str, uuid: Uuid) {
        self.edit(table, uuid).inserted = true;
        self.inserts.push((table.into(), uuid));
        self.inserted.insert(uuid);
    }

    /// As [`Transaction::insert_as`], and the row keeps the UUID in the database. Servers older
    /// than Open vSwitch 3.2 refuse that.
    pub fn insert_with_uuid(&mut self, table: &str, uuid: Uuid) {
        self.insert_as(table, uuid);
        self.kept.insert(uuid);
    }

    /// Removes a row.
    pub fn delete(&mut self, table: &str, uuid: Uuid) {
        let edit = self.edit(table, uuid);
        if edit.inserted {
            self.edits.remove(&(Arc::from(table), uuid));
            self.inserts.retain(|(t, u)| &**t != table || *u != uuid);
            self.inserted.remove(&uuid);
            self.kept.remove(&uuid);
        } else {
            edit.deleted = true;
            edit.columns.clear();
            edit.by_element.clear();
        }
    }

    /// Replaces the value of a column.
    pub fn set(&mut self, table: &str, uuid: Uuid, column: &str, value: Datum) {
        let edit = self.edit(table, uuid);
        edit.by_element.remove(column);
        edit.columns.insert(column.into(), value);
    }

    /// Adds elements to a set or pairs to a map, where the value of a key that is there already
    /// stays. Others may change other elements at the same time.
    pub fn add_elements(
        &mut self,
        replica: &Replica,
        table: &str,
        uuid: Uuid,
        column: &str,
        more: &Datum,
    ) {
        let old = self.get(replica, table, uuid, column).map(Cow::into_owned).unwrap_or_default();
        self.set_by_element(table, uuid, column, old.union(more));
    }

    /// As [`Transaction::add_elements`], but pairs replace those with the same key.
    pub fn put_pairs(
        &mut self,
        replica: &Replica,
        table: &str,
        uuid: Uuid,
        column: &str,
        more: &Datum,
    ) {
        let old = self.get(replica, table, uuid, column).map(Cow::into_owned).unwrap_or_default();
        self.set_by_element(table, uuid, column, more.union(&old));
    }

    /// Takes elements from a set or pairs from a map; a set of keys takes the pairs of these keys.
    pub fn remove_elements(
        &mut self,
        replica: &Replica,
        table: &str,
        uuid: Uuid,
        column: &str,
        gone: &Datum,
    ) {
        let old = self.get(replica, table, uuid, column).map(Cow::into_owned).unwrap_or_default();
        self.set_by_element(table, uuid, column, old.subtract(gone));
    }

    fn set_by_element(&mut self, table: &str, uuid: Uuid, column: &str, value: Datum) {
        let edit = self.edit(table, uuid);
        let first = edit.columns.insert(column.into(), value).is_none();
        if first && !edit.inserted {
            edit.by_element.insert(column.into());
        }
    }

    /// Makes the transaction fail if the column is no longer as the replica has it.
    pub fn verify(&mut self, table: &str, uuid: Uuid, column: &str) {
        self.edit(table, uuid).verified.insert(column.into());
    }

    /// A line for the log of the database.
    pub fn comment(&mut self, text: impl Into<String>) {
        self.comments.push(text.into());
    }

    /// Adds one to an integer column, such as `next_cfg`, and reports the result.
    pub fn increment(&mut self, table: &str, uuid: Uuid, column: &str) {
        self.increment = Some((table.into(), uuid, column.into()));
    }

    /// Was the row added by this transaction?
    #[must_use]
    pub fn is_inserted(&self, table: &str, uuid: Uuid) -> bool {
        self.edits.get(&(Arc::from(table), uuid)).is_some_and(|e| e.inserted)
    }

    /// The rows of a table as they would be after this transaction.
    #[must_use]
    pub fn rows(&self, replica: &Replica, table: &str) -> Vec<Uuid> {
        let shared: Arc<str> = table.into();
        let gone = |u: &Uuid| self.edits.get(&(shared.clone(), *u)).is_some_and(|e| e.deleted);
        let old = replica.rows(table).map(|(u, _)| u).filter(|u| !gone(u));
        let new = self.inserts.iter().filter(|(t, _)| &**t == table).map(|(_, u)| *u);
        old.chain(new).collect()
    }

    /// The value of a column as it would be after this transaction; `None` when there is no such
    /// row or column.
    #[must_use]
    pub fn get<'a>(
        &'a self,
        replica: &'a Replica,
        table: &str,
        uuid: Uuid,
        column: &str,
    ) -> Option<Cow<'a, Datum>> {
        let edit = self.edits.get(&(Arc::from(table), uuid));
        if edit.is_some_and(|e| e.deleted) {
            return None;
        }
        if let Some(datum) = edit.and_then(|e| e.columns.get(column)) {
            return Some(Cow::Borrowed(datum));
        }
        if edit.is_some_and(|e| e.inserted) {
            let column = replica.schema().table(table)?.column(column)?;
            return Some(Cow::Owned(Datum::default_of(&column.type_)));
        }
        replica.row(table, uuid)?.get(column).map(Cow::Borrowed)
    }

    /// The operations for a `transact` request, or `None` when nothing changes. `lock` is asserted.
    pub(super) fn operations(&self, replica: &Replica, lock: Option<&str>) -> Option<Operations> {
        let schema = replica.schema();
        let mut ops = Operations { list: Vec::new(), inserts: Vec::new(), increment: None };
        if let Some(name) = lock {
            ops.list.push(op("assert", [("lock", Json::str(name))]));
        }
        for ((table, uuid), edit) in &self.edits {
            if let Some(wait) = self.wait(replica, table, *uuid, edit) {
                ops.list.push(wait);
            }
        }
        // Writing the value that a column has changes nothing; but it goes along with what does, or
        // the transaction would not be atomic.
        let mut changes = !self.inserts.is_empty();
        for ((table, uuid), edit) in self.edits.iter().filter(|(_, e)| !e.inserted) {
            if edit.deleted {
                // Rows outside the root set go when nothing refers to them any more; whether that
                // is so the server knows best.
                if schema.table(table).is_none_or(|t| t.is_root) {
                    let members = [("table", table.clone().into()), where_row(*uuid)];
                    ops.list.push(op("delete", members));
                    changes = true;
                }
                continue;
            }
            let old = replica.row(table, *uuid);
            let sent = |(c, d): &(&Arc<str>, &Datum)| {
                !edit.by_element.contains(*c)
                    && (self.write_unchanged || old.and_then(|r| r.get(c)) != Some(*d))
            };
            let row = self.row_json(schema, table, edit.columns.iter().filter(sent));
            if row.as_object().is_some_and(|r| !r.is_empty()) {
                let is_new = |pair: &(&Arc<str>, &Datum)| {
                    sent(pair) && old.and_then(|r| r.get(pair.0)) != Some(pair.1)
                };
                changes |= edit.columns.iter().any(|pair| is_new(&pair));
                let members = [("table", table.clone().into()), where_row(*uuid), ("row", row)];
                ops.list.push(op("update", members));
            }
            let mutations = self.mutations(replica, table, *uuid, edit);
            if !mutations.is_empty() {
                changes = true;
                let mutations = ("mutations", Json::Array(mutations));
                let members = [("table", table.clone().into()), where_row(*uuid), mutations];
                ops.list.push(op("mutate", members));
            }
        }
        for (table, uuid) in &self.inserts {
            let Some(edit) = self.edits.get(&(table.clone(), *uuid)) else { continue };
            ops.inserts.push((ops.list.len(), *uuid));
            let row = self.row_json(schema, table, edit.columns.iter());
            let name = Json::str(row_name(uuid));
            let mut members =
                vec![("table", table.clone().into()), ("uuid-name", name), ("row", row)];
            if self.kept.contains(uuid) {
                members.push(("uuid", Json::str(uuid.to_string())));
            }
            ops.list.push(op("insert", members));
        }
        if let (Some((table, uuid, column)), true) = (&self.increment, changes) {
            let mutation = Json::array([Json::Str(column.clone()), Json::str("+="), Json::Int(1)]);
            let mutations = Json::array([mutation]);
            let (where_, clauses) = where_row(*uuid);
            let table = ("table", Json::Str(table.clone()));
            // The row may be a new one.
            let row = (where_, self.name_inserted(clauses));
            ops.list.push(op("mutate", [table.clone(), row.clone(), ("mutations", mutations)]));
            ops.increment = Some((ops.list.len(), column.clone()));
            let columns = Json::array([Json::Str(column.clone())]);
            ops.list.push(op("select", [table, row, ("columns", columns)]));
        }
        if !changes {
            return None;
        }
        if !self.comments.is_empty() {
            let text = Json::str(self.comments.join("\n"));
            ops.list.push(op("comment", [("comment", text)]));
        }
        if self.dry_run {
            ops.list.push(op("abort", []));
        }
        Some(ops)
    }

    /// The `mutations` of columns that were changed by element.
    fn mutations(&self, replica: &Replica, table: &str, uuid: Uuid, edit: &Edit) -> Vec<Json> {
        let mut list = Vec::new();
        for column in &edit.by_element {
            let schema = replica.schema().table(table).and_then(|t| t.column(column));
            let (Some(schema), Some(new)) = (schema, edit.columns.get(column)) else { continue };
            let old = replica.row(table, uuid).and_then(|r| r.get(column));
            let old = old.cloned().unwrap_or_default();
            let mutation = |mutator: &str, value: &Datum, type_: &crate::ColumnType| {
                let value = self.name_inserted(value.to_json(type_));
                Json::array([Json::Str(column.clone()), Json::str(mutator), value])
            };
            // Neither "insert" nor "delete" changes the value of a key that stays.
            let gone = old.subtract(new);
            if !gone.is_empty() {
                let keys = crate::ColumnType { value: None, min: 0, ..schema.type_.clone() };
                let gone = Datum::set(gone.keys().iter().cloned());
                list.push(mutation("delete", &gone, &keys));
            }
            let more = new.subtract(&old);
            if !more.is_empty() {
                list.push(mutation("insert", &more, &schema.type_));
            }
        }
        list
    }

    fn wait(&self, replica: &Replica, table: &Arc<str>, uuid: Uuid, edit: &Edit) -> Option<Json> {
        let row = replica.row(table, uuid)?;
        let known = edit.verified.iter().filter_map(|c| Some((c, row.get(c)?)));
        let values = self.row_json(replica.schema(), table, known);
        let columns: Vec<Json> = values.as_object()?.keys().cloned().map(Json::Str).collect();
        if columns.is_empty() {
            return None;
        }
        Some(op(
            "wait",
            [
                ("table", Json::Str(table.clone())),
                where_row(uuid),
                ("columns", Json::array(columns)),
                ("until", Json::str("==")),
                ("rows", Json::array([values])),
                ("timeout", Json::Int(0)),
            ],
        ))
    }

    fn row_json<'a>(
        &self,
        schema: &Schema,
        table: &str,
        columns: impl Iterator<Item = (&'a Arc<str>, &'a Datum)>,
    ) -> Json {
        let table = schema.table(table);
        let typed = columns.filter_map(|(name, datum)| {
            let column = table?.column(name)?;
            Some((name.clone(), self.name_inserted(datum.to_json(&column.type_))))
        });
        Json::object(typed)
    }

    /// Writes `named-uuid` where a value refers to a row that this transaction inserts.
    fn name_inserted(&self, json: Json) -> Json {
        let Json::Array(elements) = &json else { return json };
        if let [Json::Str(tag), Json::Str(text)] = &elements[..]
            && &**tag == "uuid"
        {
            let uuid = crate::atom::uuid_from_string(text);
            let new = uuid.filter(|u| self.inserted.contains(u));
            return match new {
                Some(u) => Json::array([Json::str("named-uuid"), Json::str(row_name(&u))]),
                None => json,
            };
        }
        Json::array(elements.iter().map(|e| self.name_inserted(e.clone())).collect::<Vec<_>>())
    }
}

/// The operations of a transaction and where in the reply to find what it needs.
pub(super) struct Operations {
    pub(super) list: Vec<Json>,
    /// Index of each insert, and the UUID it had here.
    pub(super) inserts: Vec<(usize, Uuid)>,
    /// Index of the `select` of the incremented column.
    pub(super) increment: Option<(usize, Arc<str>)>,
}

fn op<'a>(name: &str, members: impl IntoIterator<Item = (&'a str, Json)>) -> Json {
    let named = [("op", Json::str(name))];
    Json::object(named.into_iter().chain(members))
}

fn where_row(uuid: Uuid) -> (&'static str, Json) {
    let clause = Json::array([Json::str("_uuid"), Json::str("=="), uuid_to_json(&uuid)]);
    ("where", Json::array([clause]))
}

fn row_name(uuid: &Uuid) -> String {
    format!("row{}", uuid.to_string().replace('-', "_"))
}
