//! What is to be monitored: tables, columns, kinds of changes.

use std::collections::BTreeSet;
use std::sync::Arc;

use weir_jsonrpc::Json;
use weir_ovsdb::{ColumnSchema, Schema, TableSchema};
use weir_runtime::program::Fatal;

use super::super::commands::Call;
use super::super::schema::sorted_tables;

/// One table.
pub(super) struct Watched {
    pub(super) schema: Arc<TableSchema>,
    /// What is printed, in this order.
    pub(super) columns: Vec<ColumnSchema>,
    /// The `<monitor-requests>` of the table.
    pub(super) request: Json,
}

/// Kinds of changes that a request can leave out, as `!initial`.
const KINDS: &[&str] = &["initial", "insert", "delete", "modify"];

/// Reads `TABLE [COLUMN,...]...` or `ALL`.
pub(super) fn watch(
    call: &Call<'_>,
    schema: &Schema,
    args: &[String],
    condition: Option<&Json>,
) -> Result<Vec<Watched>, Fatal> {
    let Some((name, groups)) = args.split_first() else { return Ok(Vec::new()) };
    if name == "ALL" {
        let tables = sorted_tables(schema).into_iter();
        return tables.map(|t| one(call, schema, t, groups, true, condition)).collect();
    }
    let table = schema.table(name).ok_or_else(|| {
        let text = format!("{} does not have a table named \"{name}\"", schema.name);
        Fatal::new(match condition {
            None => format!("{}: {text}", call.server),
            Some(_) => text,
        })
    })?;
    Ok(vec![one(call, schema, table, groups, false, condition)?])
}

fn one(
    call: &Call<'_>,
    schema: &Schema,
    table: &Arc<TableSchema>,
    groups: &[String],
    versions: bool,
    condition: Option<&Json>,
) -> Result<Watched, Fatal> {
    let mut columns: Vec<ColumnSchema> = Vec::new();
    let mut requests = Vec::new();
    let everything = [String::new()];
    for group in if groups.is_empty() { &everything } else { groups } {
        let mut left_out = BTreeSet::new();
        let before = columns.len();
        for word in group.split(',').filter(|w| !w.is_empty()) {
            if let Some(kind) = word.strip_prefix('!').and_then(|k| KINDS.iter().find(|n| **n == k))
            {
                left_out.insert(*kind);
                continue;
            }
            let column = table.column(word).ok_or_else(|| {
                Fatal::new(format!(
                    "{}: table \"{}\" in {} does not have a column named \"{word}\"",
                    call.server, table.name, schema.name
                ))
            })?;
            add(call, &mut columns, column)?;
        }
        if columns.len() == before {
            let mut all: Vec<_> = table.own_columns().collect();
            all.sort_by(|a, b| a.name.cmp(&b.name));
            let version = table.column("_version").filter(|_| versions);
            for column in all.into_iter().chain(version) {
                add(call, &mut columns, column)?;
            }
        }
        let names = columns.iter().skip(before).map(|c| Json::Str(c.name.clone()));
        let select = KINDS.iter().map(|kind| (*kind, Json::Bool(!left_out.contains(kind))));
        let mut request = vec![("columns", Json::array(names)), ("select", Json::object(select))];
        request.extend(condition.map(|c| ("where", c.clone())));
        requests.push(Json::object(request));
    }
    Ok(Watched { schema: table.clone(), columns, request: Json::array(requests) })
}

fn add(
    call: &Call<'_>,
    columns: &mut Vec<ColumnSchema>,
    column: &ColumnSchema,
) -> Result<(), Fatal> {
    if columns.iter().any(|c| c.name == column.name) {
        let (server, name) = (&call.server, &column.name);
        return Err(Fatal::new(format!("{server}: column \"{name}\" mentioned multiple times")));
    }
    columns.push(column.clone());
    Ok(())
}
