//! Which columns of which tables the commands need: only these are asked of the server, which
//! matters when a database is large.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use weir_ovsdb::replica::Interest;
use weir_ovsdb::text::take_token;
use weir_ovsdb::{Schema, TableSchema};

use super::{CtlError, Invocation, RecordId, Settings, Tool, schema_names};

/// What a command reads. The table of a database command is its first argument.
#[derive(Clone, Copy, Debug)]
pub enum Needs {
    /// Nothing.
    Nothing,
    /// These columns.
    Fixed(&'static [(&'static str, &'static [&'static str])]),
    /// The rows of the table, to find one by name.
    Rows,
    /// The column that the third argument names.
    OneColumn,
    /// The columns that the arguments from that one on begin with.
    Columns {
        /// The first such argument.
        from: usize,
    },
    /// The columns of `--columns`, or all.
    ListedColumns,
    /// The columns of `--columns`, or all, and those of the conditions.
    FoundColumns,
    /// What `show` shows.
    Shown,
}

type Chosen = BTreeMap<String, BTreeSet<String>>;

/// What the invocations need. Where the schema that the tool was made for lacks a name, the
/// server's may have it: then everything is asked for.
///
/// # Errors
/// An argument cannot be taken apart.
pub(super) fn of<S>(
    tool: &Tool<S>,
    schema: &Schema,
    settings: &Settings,
    invocations: &[Invocation<S>],
) -> Result<Interest, CtlError> {
    let mut chosen = Chosen::new();
    add(&mut chosen, tool.root_table, [tool.sequence_column]);
    if settings.wait {
        for (table, columns) in tool.reported {
            add(&mut chosen, table, columns.iter().copied());
        }
    }
    for invocation in invocations {
        let known = match invocation.command.needs {
            Needs::Nothing => true,
            Needs::Fixed(list) => {
                for (table, columns) in list {
                    add(&mut chosen, table, columns.iter().copied());
                }
                true
            }
            Needs::Shown => {
                for show in tool.show {
                    let columns = show.columns.iter().chain(&show.name).copied();
                    add(&mut chosen, show.table, columns);
                }
                true
            }
            _ => database_command(tool, schema, invocation, &mut chosen)?,
        };
        if !known {
            return Ok(Interest::Everything);
        }
    }
    Ok(Interest::Chosen(chosen))
}

fn add<'a>(chosen: &mut Chosen, table: &str, columns: impl IntoIterator<Item = &'a str>) {
    let known = chosen.entry(table.to_owned()).or_default();
    known.extend(columns.into_iter().map(str::to_owned));
}

/// False if the schema lacks something.
fn database_command<S>(
    tool: &Tool<S>,
    schema: &Schema,
    invocation: &Invocation<S>,
    chosen: &mut Chosen,
) -> Result<bool, CtlError> {
    // Ambiguous names are the server's to judge, too: its schema may differ.
    let Ok(table) = schema_names::table(schema, invocation.arg(0)) else { return Ok(false) };
    add(chosen, &table.name, []);
    let ways = tool.names.iter().filter(|(t, _)| *t == &*table.name).flat_map(|(_, ways)| *ways);
    for way in ways {
        match *way {
            RecordId::Column(column) => add(chosen, &table.name, [column]),
            RecordId::Only => {}
            RecordId::OnlyVia(other, column) => add(chosen, other, [column]),
            RecordId::Via(other, name, column) => add(chosen, other, [name, column]),
        }
    }
    let args = |from: usize| invocation.args.iter().skip(from).map(String::as_str);
    match invocation.command.needs {
        Needs::OneColumn => columns(&table, args(2).take(1), chosen),
        Needs::Columns { from } => columns(&table, args(from), chosen),
        Needs::ListedColumns => listed(&table, invocation, chosen),
        Needs::FoundColumns => {
            Ok(listed(&table, invocation, chosen)? && columns(&table, args(1), chosen)?)
        }
        _ => Ok(true),
    }
}

fn listed<S>(
    table: &Arc<TableSchema>,
    invocation: &Invocation<S>,
    chosen: &mut Chosen,
) -> Result<bool, CtlError> {
    match invocation.option("--columns") {
        Some(list) => columns(table, list.split([',', ' ']).filter(|n| !n.is_empty()), chosen),
        None => {
            add(chosen, &table.name, table.own_columns().map(|c| &*c.name));
            Ok(true)
        }
    }
}

fn columns<'a>(
    table: &TableSchema,
    args: impl Iterator<Item = &'a str>,
    chosen: &mut Chosen,
) -> Result<bool, CtlError> {
    for arg in args {
        let (name, _) = take_token(arg)?;
        if name.is_empty() {
            return Err(CtlError::fatal(format!("{arg}: missing column name")));
        }
        if name.eq_ignore_ascii_case("_uuid") {
            continue;
        }
        let Ok(column) = schema_names::column(table, &name) else { return Ok(false) };
        add(chosen, &table.name, [&*column.name]);
    }
    Ok(true)
}
