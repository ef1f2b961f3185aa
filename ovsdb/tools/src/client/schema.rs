//! Commands about schemas.

use std::process::ExitCode;
use std::sync::Arc;

use weir_jsonrpc::Json;
use weir_ovsdb::{Schema, TableSchema};
use weir_runtime::program::Fatal;

use super::commands::{Call, databases};
use super::print;
use super::rpc::Rpc;
use crate::table::{Cell, Table};

/// The schema of a database.
pub(super) fn fetch(rpc: &mut Rpc, database: &str) -> Result<Schema, Fatal> {
    let json = rpc.call("get_schema", vec![Json::str(database)])?;
    Schema::from_json(&json).map_err(|error| Fatal::new(error.to_string()))
}

/// The tables, by name.
pub(super) fn sorted_tables(schema: &Schema) -> Vec<&Arc<TableSchema>> {
    let mut tables: Vec<_> = schema.tables.iter().collect();
    tables.sort_by(|a, b| a.name.cmp(&b.name));
    tables
}

pub(super) fn list_dbs(_: &Call<'_>, mut rpc: Rpc) -> Result<ExitCode, Fatal> {
    let mut names = databases(&mut rpc)?;
    names.sort();
    for name in names {
        print(&format!("{name}\n"));
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn get_schema(call: &Call<'_>, mut rpc: Rpc) -> Result<ExitCode, Fatal> {
    let json = fetch(&mut rpc, &call.database)?.to_json();
    let text = if call.settings.style.pretty { json.to_pretty() } else { json.to_string() };
    print(&format!("{text}\n"));
    Ok(ExitCode::SUCCESS)
}

pub(super) fn get_schema_version(call: &Call<'_>, mut rpc: Rpc) -> Result<ExitCode, Fatal> {
    print(&format!("{}\n", fetch(&mut rpc, &call.database)?.version));
    Ok(ExitCode::SUCCESS)
}

pub(super) fn get_schema_cksum(call: &Call<'_>, mut rpc: Rpc) -> Result<ExitCode, Fatal> {
    print(&format!("{}\n", fetch(&mut rpc, &call.database)?.cksum));
    Ok(ExitCode::SUCCESS)
}

pub(super) fn list_tables(call: &Call<'_>, mut rpc: Rpc) -> Result<ExitCode, Fatal> {
    let schema = fetch(&mut rpc, &call.database)?;
    let tables = sorted_tables(&schema);
    let table = Table {
        caption: None,
        headings: vec!["Table".to_owned()],
        rows: tables.iter().map(|t| vec![Cell::Text(t.name.to_string())]).collect(),
    };
    print(&table.format(&call.settings.style, true));
    Ok(ExitCode::SUCCESS)
}

pub(super) fn list_columns(call: &Call<'_>, mut rpc: Rpc) -> Result<ExitCode, Fatal> {
    let schema = fetch(&mut rpc, &call.database)?;
    let wanted = call.args.first();
    let mut headings = vec!["Column".to_owned(), "Type".to_owned()];
    if wanted.is_none() {
        headings.insert(0, "Table".to_owned());
    }
    let mut rows = Vec::new();
    for table in sorted_tables(&schema) {
        if wanted.is_some_and(|w| **w != *table.name) {
            continue;
        }
        let mut columns: Vec<_> = table.columns.iter().collect();
        columns.sort_by(|a, b| a.name.cmp(&b.name));
        for column in columns {
            let mut row =
                vec![Cell::Text(column.name.to_string()), Cell::Json(column.type_.to_json())];
            if wanted.is_none() {
                row.insert(0, Cell::Text(table.name.to_string()));
            }
            rows.push(row);
        }
    }
    print(&Table { caption: None, headings, rows }.format(&call.settings.style, true));
    Ok(ExitCode::SUCCESS)
}
