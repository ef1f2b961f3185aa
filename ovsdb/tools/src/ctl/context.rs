//! What a command works on: the replica as it was read, the transaction on top of it, and the text
//! to print when everything went well.

use std::borrow::Cow;
use std::sync::Arc;

use weir_ovsdb::TableSchema;
use weir_ovsdb::replica::{Replica, Transaction};
use weir_ovsdb::{Datum, SymbolTable, Uuid};

use super::db::ShowTable;
use super::{Invocation, TableNames, schema_names};
use crate::table::Table;

/// Why a command did not work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CtlError {
    /// The tool prints this and exits with status 1.
    #[error("{0}")]
    Fatal(String),
    /// The tool exits with this status and prints nothing.
    #[error("exit status {0}")]
    Exit(u8),
    /// What the command waits for has not come true yet.
    #[error("condition not met yet")]
    NotYet,
}

impl CtlError {
    /// A fatal error.
    pub fn fatal(text: impl Into<String>) -> Self {
        Self::Fatal(text.into())
    }
}

impl From<String> for CtlError {
    fn from(text: String) -> Self {
        Self::Fatal(text)
    }
}

/// What a tool keeps beside the database while its commands run.
pub trait ToolState: Default {
    /// A database command changed rows: what was derived from them is out of date.
    fn invalidate(&mut self);
}

/// What one command prints.
#[derive(Debug, Default)]
pub struct Output {
    /// Text, with its line ends.
    pub text: String,
    /// A table, which replaces the text.
    pub table: Option<Table>,
    /// A row that was inserted: its UUID in the database is printed.
    pub new_row: Option<Uuid>,
}

/// See the [module documentation](self).
#[derive(Debug)]
pub struct Context<'a, S> {
    /// The database when the commands began.
    pub replica: &'a Replica,
    /// What they change.
    pub txn: Transaction,
    /// `@name`s of the whole command line.
    pub symbols: SymbolTable,
    /// How the tool names its records.
    pub names: TableNames,
    /// What `show` shows.
    pub show: &'a [ShowTable],
    /// What the command at work prints.
    pub output: Output,
    /// Warnings for the log, by module.
    pub warnings: Vec<(&'static str, String)>,
    /// The tool's name in log lines.
    pub module: &'static str,
    /// The only row of the tool's main table.
    pub root: Uuid,
    /// What the tool keeps beside the database.
    pub state: S,
}

impl<S> Context<'_, S> {
    /// The value of a column after the commands so far.
    #[must_use]
    pub fn get(&self, table: &str, row: Uuid, column: &str) -> Option<Cow<'_, Datum>> {
        self.txn.get(self.replica, table, row, column)
    }

    /// A copy of the value of a column; empty when there is no such row or column.
    #[must_use]
    pub fn datum(&self, table: &str, row: Uuid, column: &str) -> Datum {
        self.get(table, row, column).map(Cow::into_owned).unwrap_or_default()
    }

    /// The one string of a column.
    #[must_use]
    pub fn str(&self, table: &str, row: Uuid, column: &str) -> Option<String> {
        Some(self.get(table, row, column)?.single()?.as_str()?.to_owned())
    }

    /// The UUIDs in a column.
    #[must_use]
    pub fn uuids(&self, table: &str, row: Uuid, column: &str) -> Vec<Uuid> {
        let datum = self.get(table, row, column);
        let atoms = datum.iter().flat_map(|d| d.keys());
        atoms.filter_map(weir_ovsdb::Atom::as_uuid).collect()
    }

    /// The rows of a table after the commands so far.
    #[must_use]
    pub fn rows(&self, table: &str) -> Vec<Uuid> {
        self.txn.rows(self.replica, table)
    }

    /// The table called `name`, which may be abbreviated.
    ///
    /// # Errors
    /// There is none, or there are several.
    pub fn table(&self, name: &str) -> Result<Arc<TableSchema>, CtlError> {
        schema_names::table(self.replica.schema(), name)
    }

    /// The record called `id`; with `--if-exists` it may be absent.
    ///
    /// # Errors
    /// There is none, or there are several.
    pub fn record_if_exists(
        &self,
        table: &TableSchema,
        id: &str,
        cmd: &Invocation<S>,
    ) -> Result<Option<Uuid>, CtlError> {
        match cmd.has("--if-exists") {
            true => self.find_record(table, id),
            false => self.record(table, id).map(Some),
        }
    }

    /// Warns of something that only this tool knows of.
    pub fn warn_as_tool(&mut self, text: impl Into<String>) {
        self.warnings.push((self.module, text.into()));
    }

    /// Warns of something that all tools of this kind know of.
    pub fn warn(&mut self, text: impl Into<String>) {
        self.warnings.push(("db_ctl_base", text.into()));
    }

    /// Adds a line to what the command prints.
    pub fn print(&mut self, line: impl AsRef<str>) {
        self.output.text.push_str(line.as_ref());
        self.output.text.push('\n');
    }
}
