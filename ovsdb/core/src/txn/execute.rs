//! The operations of RFC 7047 section 5.2.

use std::collections::HashSet;
use std::sync::Arc;

use uuid::Uuid;
use weir_jsonrpc::{Json, Object};

use super::Txn;
use crate::atom::{uuid_from_string, uuid_to_json};
use crate::condition::Condition;
use crate::database::Database;
use crate::datum::Datum;
use crate::error::{OvsdbError, Result, tag};
use crate::members::{Kinds, Members};
use crate::mutation::Mutation;
use crate::row::{Row, parse_row};
use crate::schema::{COL_UUID, COL_VERSION, TableSchema};
use crate::symbol::SymbolTable;

/// Tells whether the session owns the lock called so.
pub type LockCheck<'a> = &'a dyn Fn(&str) -> bool;

/// How a transaction is to be executed.
#[derive(Clone, Copy)]
pub struct Execution<'a> {
    /// Only operations that change nothing are allowed.
    pub read_only: bool,
    /// For `assert`.
    pub owns_lock: LockCheck<'a>,
    /// Milliseconds since the transaction was first tried.
    pub elapsed_ms: u64,
    /// May `wait` wait? Else one that is not true fails.
    pub may_wait: bool,
}

impl std::fmt::Debug for Execution<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Execution")
            .field("read_only", &self.read_only)
            .field("elapsed_ms", &self.elapsed_ms)
            .field("may_wait", &self.may_wait)
            .finish_non_exhaustive()
    }
}

/// What came of the operations.
#[derive(Debug)]
pub enum Outcome {
    /// They succeeded.
    Done {
        /// One result for each operation.
        results: Vec<Json>,
        /// What is to be committed.
        txn: Box<Txn>,
        /// A `commit` asked that the reply waits for the disk.
        durable: bool,
    },
    /// One failed; nothing has happened.
    Failed {
        /// The results up to the error, the error, and `null` for the rest.
        results: Vec<Json>,
    },
    /// A `wait` is not true yet; the transaction has to be tried again when the database changes.
    Waiting {
        /// Milliseconds after the first try when it has to be given up, if ever.
        timeout_ms: Option<u64>,
    },
}

/// Executes `operations` on a snapshot of `database`.
pub fn execute(database: &Database, operations: &[Json], how: Execution<'_>) -> Outcome {
    let mut run = Run {
        txn: Txn::new(database),
        symbols: SymbolTable::new(),
        durable: false,
        how,
        timeout_ms: None,
    };
    let mut results = Vec::with_capacity(operations.len());
    for (i, operation) in operations.iter().enumerate() {
        let name = format!("ovsdb operation {} of {}", i + 1, operations.len());
        match run.operation(operation, name) {
            Ok(result) => results.push(Json::Object(result)),
            Err(e) if e.tag == tag::NOT_SUPPORTED && how.may_wait => {
                return Outcome::Waiting { timeout_ms: run.timeout_ms };
            }
            Err(e) => {
                results.push(e.to_json());
                results.resize(operations.len(), Json::Null);
                return Outcome::Failed { results };
            }
        }
    }
    Outcome::Done { results, txn: Box::new(run.txn), durable: run.durable }
}

struct Run<'a> {
    txn: Txn,
    symbols: SymbolTable,
    durable: bool,
    how: Execution<'a>,
    timeout_ms: Option<u64>,
}

/// The table of an operation: its position and schema.
type TableRef = (usize, Arc<TableSchema>);

impl Run<'_> {
    fn operation(&mut self, json: &Json, name: String) -> Result<Object> {
        let mut members = Members::new(json, name);
        let op = members.required("op", Kinds::ID).and_then(Json::as_str).unwrap_or_default();
        let mut result = Object::new();
        let m = &mut members;
        let (outcome, changes) = match op {
            "insert" => (self.insert(m, &mut result), true),
            "select" => (self.select(m, &mut result), false),
            "update" => (self.update(m, &mut result), true),
            "mutate" => (self.mutate(m, &mut result), true),
            "delete" => (self.delete(m, &mut result), true),
            "wait" => (self.wait(m), false),
            "commit" => (self.commit(m), true),
            "abort" => (Err(OvsdbError::new(tag::ABORTED, "aborted by request")), false),
            "comment" => (self.comment(m), false),
            "assert" => (self.assert(m), false),
            other => {
                members.raise(&format!("No operation \"{other}\""));
                (Ok(()), false)
            }
        };
        // An operation that does not have the right form is that first of all.
        members.finish()?;
        outcome?;
        let database = self.txn.state().name();
        if changes && self.how.read_only {
            let text =
                format!("{op} operation not allowed when database server is in read only mode");
            return Err(OvsdbError::new(tag::NOT_ALLOWED, text));
        } else if changes && database.starts_with('_') {
            let text =
                format!("{op} operation not allowed on table in reserved database {database}");
            return Err(OvsdbError::new(tag::NOT_ALLOWED, text));
        }
        Ok(result)
    }

    fn table(&self, members: &mut Members<'_>) -> Option<TableRef> {
        let name = members.required("table", Kinds::ID)?.as_str()?;
        let schema = self.txn.state().schema();
        let index = schema.table_index(name);
        if index.is_none() {
            members.raise(&format!("No table named {name}."));
        }
        Some((index?, schema.tables.get(index?)?.clone()))
    }

    fn insert(&mut self, members: &mut Members<'_>, result: &mut Object) -> Result<()> {
        let table = self.table(members);
        let uuid_json = members.optional("uuid", Kinds::STRING);
        let uuid_name = members.optional("uuid-name", Kinds::ID);
        let row_json = members.required("row", Kinds::OBJECT);
        members.check()?;
        let (Some((index, table)), Some(row_json)) = (table, row_json) else { return Ok(()) };

        let given = uuid_json
            .map(|json| {
                let uuid = json
                    .as_str()
                    .and_then(uuid_from_string)
                    .ok_or_else(|| OvsdbError::syntax(json, "bad uuid"))?;
                if self.txn.is_taken((index, uuid)) {
                    let text = "This UUID would duplicate a UUID already present within the \
                                table or deleted within the same transaction.";
                    return Err(OvsdbError::at(json, tag::DUPLICATE_UUID, text));
                }
                Ok(uuid)
            })
            .transpose()?;
        let uuid = match uuid_name {
            None => given.unwrap_or_else(Uuid::new_v4),
            Some(json) => {
                let symbol = self.symbols.get_or_insert(json.as_str().unwrap_or_default());
                if symbol.created {
                    let text = "This \"uuid-name\" appeared on an earlier \"insert\" operation.";
                    return Err(OvsdbError::at(json, tag::DUPLICATE_UUID_NAME, text));
                }
                symbol.created = true;
                symbol.uuid = given.unwrap_or(symbol.uuid);
                symbol.uuid
            }
        };
        let mut row = Row::new(&table, uuid);
        for (column, datum) in parse_row(&table, row_json, Some(&mut self.symbols))? {
            if column != COL_UUID && column != COL_VERSION {
                row.set(column, datum);
            }
        }
        // A default value may break its column's constraints.
        for (i, column) in table.columns.iter().enumerate() {
            let datum = row.get(i);
            if datum.len() == 1 {
                datum.check(&column.type_)?;
            }
        }
        self.txn.insert(index, row);
        result.insert("uuid".into(), uuid_to_json(&uuid));
        Ok(())
    }

    fn select(&mut self, members: &mut Members<'_>, result: &mut Object) -> Result<()> {
        let table = self.table(members);
        let condition = members.required("where", Kinds::ARRAY);
        let columns = members.optional("columns", Kinds::ARRAY);
        let sort = members.optional("sort", Kinds::ARRAY);
        members.check()?;
        let (Some((index, table)), Some(condition)) = (table, condition) else { return Ok(()) };
        let condition = Condition::from_json(&table, condition, Some(&mut self.symbols))?;
        let columns = table.column_set(columns)?;
        let sort = sort.map(|json| table.column_set(Some(json))).transpose()?;

        let mut rows = self.rows(index, &condition);
        if !columns.contains(&COL_UUID) {
            let mut seen = HashSet::new();
            rows.retain(|row| seen.insert(row.project(&columns)));
        }
        if let Some(sort) = sort {
            rows.sort_by_cached_key(|row| row.project(&sort));
        }
        let rows = rows.iter().map(|row| row.to_json(&table, &columns)).collect();
        result.insert("rows".into(), Json::Array(rows));
        Ok(())
    }

    fn update(&mut self, members: &mut Members<'_>, result: &mut Object) -> Result<()> {
        let table = self.table(members);
        let condition = members.required("where", Kinds::ARRAY);
        let row_json = members.required("row", Kinds::OBJECT);
        members.check()?;
        let (Some((index, table)), Some(condition), Some(row_json)) = (table, condition, row_json)
        else {
            return Ok(());
        };
        let values = parse_row(&table, row_json, Some(&mut self.symbols))?;
        let column = |c: usize| table.columns.get(c);
        if let Some(column) =
            values.iter().filter_map(|(c, _)| column(*c)).find(|column| !column.mutable)
        {
            let text =
                format!("Cannot update immutable column {} in table {}.", column.name, table.name);
            let json = members.json().unwrap_or(row_json);
            return Err(OvsdbError::at(json, tag::CONSTRAINT, text));
        }
        let condition = Condition::from_json(&table, condition, Some(&mut self.symbols))?;
        let rows = self.rows(index, &condition);
        result.insert("count".into(), Json::Int(rows.len() as i64));
        for old in rows {
            if values.iter().all(|(c, datum)| old.get(*c) == &**datum) {
                continue;
            }
            let mut row = Row::clone(&old);
            values.iter().for_each(|(c, datum)| row.set(*c, datum.clone()));
            self.txn.put(index, row);
        }
        Ok(())
    }

    fn mutate(&mut self, members: &mut Members<'_>, result: &mut Object) -> Result<()> {
        let table = self.table(members);
        let condition = members.required("where", Kinds::ARRAY);
        let mutations = members.required("mutations", Kinds::ARRAY).and_then(Json::as_array);
        members.check()?;
        let (Some((index, table)), Some(condition), Some(mutations)) =
            (table, condition, mutations)
        else {
            return Ok(());
        };
        let mutations = mutations
            .iter()
            .map(|json| Mutation::from_json(&table, json, Some(&mut self.symbols)))
            .collect::<Result<Vec<_>>>()?;
        let condition = Condition::from_json(&table, condition, Some(&mut self.symbols))?;
        let rows = self.rows(index, &condition);
        result.insert("count".into(), Json::Int(rows.len() as i64));
        for old in rows {
            let mut row = Row::clone(&old);
            mutations.iter().try_for_each(|mutation| mutation.apply(&table, &mut row))?;
            self.txn.put(index, row);
        }
        Ok(())
    }

    fn delete(&mut self, members: &mut Members<'_>, result: &mut Object) -> Result<()> {
        let condition = members.required("where", Kinds::ARRAY);
        let table = self.table(members);
        members.check()?;
        let (Some((index, table)), Some(condition)) = (table, condition) else { return Ok(()) };
        let condition = Condition::from_json(&table, condition, Some(&mut self.symbols))?;
        let rows = self.rows(index, &condition);
        result.insert("count".into(), Json::Int(rows.len() as i64));
        for row in rows {
            self.txn.delete((index, row.uuid()));
        }
        Ok(())
    }

    fn wait(&mut self, members: &mut Members<'_>) -> Result<()> {
        let timeout = members.optional("timeout", Kinds::NUMBER);
        let condition = members.required("where", Kinds::ARRAY);
        let columns = members.optional("columns", Kinds::ARRAY);
        let until = members.required("until", Kinds::STRING);
        let rows = members.required("rows", Kinds::ARRAY).and_then(Json::as_array);
        let table = self.table(members);
        members.check()?;
        let (Some((index, table)), Some(condition), Some(until), Some(rows)) =
            (table, condition, until, rows)
        else {
            return Ok(());
        };
        let condition = Condition::from_json(&table, condition, Some(&mut self.symbols))?;
        let columns = table.column_set(columns)?;
        let timeout_ms = timeout.map(milliseconds).transpose()?;
        if let Some(ms) = timeout_ms {
            self.timeout_ms = Some(self.timeout_ms.map_or(ms, |other| other.min(ms)));
        }
        let want_equal = match until.as_str() {
            Some("==") => true,
            Some("!=") => false,
            _ => {
                return Err(OvsdbError::syntax(until, "\"until\" must be \"==\" or \"!=\""));
            }
        };
        let mut expected: HashSet<Vec<Arc<Datum>>> = HashSet::new();
        for json in rows {
            let mut row = Row::new(&table, Uuid::nil());
            for (column, datum) in parse_row(&table, json, Some(&mut self.symbols))? {
                row.set(column, datum);
            }
            expected.insert(row.project(&columns));
        }
        let actual: HashSet<Vec<Arc<Datum>>> =
            self.rows(index, &condition).iter().map(|row| row.project(&columns)).collect();
        if (actual == expected) == want_equal {
            return Ok(());
        }
        match timeout_ms {
            Some(ms) if self.how.elapsed_ms >= ms => Err(OvsdbError::new(
                tag::TIMED_OUT,
                match self.how.elapsed_ms {
                    0 => "\"where\" clause test failed".to_owned(),
                    elapsed => format!("\"wait\" timed out after {elapsed} ms"),
                },
            )),
            _ => Err(OvsdbError::new(tag::NOT_SUPPORTED, "triggers not supported")),
        }
    }

    fn commit(&mut self, members: &mut Members<'_>) -> Result<()> {
        let durable = members.required("durable", Kinds::BOOLEAN).and_then(Json::as_bool);
        self.durable |= durable.unwrap_or(false);
        Ok(())
    }

    fn comment(&mut self, members: &mut Members<'_>) -> Result<()> {
        if let Some(text) = members.required("comment", Kinds::STRING).and_then(Json::as_str) {
            self.txn.add_comment(text);
        }
        Ok(())
    }

    fn assert(&mut self, members: &mut Members<'_>) -> Result<()> {
        let name = members.required("lock", Kinds::ID).and_then(Json::as_str);
        match name {
            Some(name) if !(self.how.owns_lock)(name) => {
                Err(OvsdbError::new(tag::NOT_OWNER, format!("Asserted lock {name} not held.")))
            }
            _ => Ok(()),
        }
    }

    fn rows(&self, table: usize, condition: &Condition) -> Vec<Arc<Row>> {
        self.txn.select(table, condition)
    }
}

fn milliseconds(json: &Json) -> Result<u64> {
    let ms = json.as_real().unwrap_or(0.0);
    // A number too large for 64 bits becomes the largest.
    if ms < 0.0 {
        Err(OvsdbError::syntax(json, "timeout must be nonnegative"))
    } else {
        Ok(ms as u64)
    }
}
