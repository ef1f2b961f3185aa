//! `transact`, `query` and `dump`.

use std::process::ExitCode;

use weir_jsonrpc::Json;
use weir_ovsdb::{ColumnSchema, Datum, TableSchema};
use weir_runtime::program::Fatal;

use super::commands::Call;
use super::rpc::Rpc;
use super::{print, schema};
use crate::table::{Cell, Style, Table};

/// Reads an argument that is JSON.
pub(super) fn json_argument(text: &str) -> Result<Json, Fatal> {
    Json::parse(text).map_err(|error| Fatal::new(format!("\"{text}\": {error}")))
}

/// Reads the argument: the name of a database and operations.
fn transaction(text: &str) -> Result<Vec<Json>, Fatal> {
    match json_argument(text)? {
        Json::Array(params) if matches!(params.first(), Some(Json::Str(_))) => Ok(params.to_vec()),
        _ => Err(Fatal::new("not a valid OVSDB query")),
    }
}

fn print_json(json: &Json, style: &Style) {
    let text = if style.pretty { json.to_pretty() } else { json.to_string() };
    print(&format!("{text}\n"));
}

fn send(rpc: &mut Rpc, params: Vec<Json>) -> Result<Json, Fatal> {
    rpc.try_call("transact", params)?
        .map_err(|error| Fatal::new(format!("transaction returned error: {error}")))
}

pub(super) fn transact(call: &Call<'_>, mut rpc: Rpc) -> Result<ExitCode, Fatal> {
    let text = call.args.first().map_or("", String::as_str);
    let result = send(&mut rpc, transaction(text)?)?;
    print_json(&result, &call.settings.style);
    Ok(ExitCode::SUCCESS)
}

pub(super) fn query(call: &Call<'_>, mut rpc: Rpc) -> Result<ExitCode, Fatal> {
    let text = call.args.first().map_or("", String::as_str);
    let mut params = transaction(text)?;
    // Whatever the operations are, nothing is to change.
    params.push(Json::object([("op", Json::str("abort"))]));
    let operations = params.len() - 1;
    let result = send(&mut rpc, params)?;
    let mut results = result.as_array().unwrap_or_default().to_vec();
    let is_abort = |r: &Json| r.get("error").and_then(Json::as_str) == Some("aborted");
    if results.len() == operations && results.last().is_some_and(is_abort) {
        results.pop();
    }
    print_json(&Json::array(results), &call.settings.style);
    Ok(ExitCode::SUCCESS)
}

/// A table that is dumped.
pub(super) struct Dumped<'a> {
    pub(super) table: &'a TableSchema,
    pub(super) columns: Vec<&'a ColumnSchema>,
}

impl Dumped<'_> {
    /// The operation that reads it.
    pub(super) fn select(&self) -> Json {
        let columns = self.columns.iter().map(|c| Json::Str(c.name.clone()));
        Json::object([
            ("op", Json::str("select")),
            ("table", Json::Str(self.table.name.clone())),
            ("where", Json::array::<Json>([])),
            ("columns", Json::array(columns)),
        ])
    }
}

/// Reads tables in one transaction: the rows of each.
pub(super) fn read_tables(
    rpc: &mut Rpc,
    database: &str,
    tables: &[Dumped<'_>],
) -> Result<Vec<Vec<Json>>, Fatal> {
    let operations = tables.iter().map(Dumped::select);
    let params = std::iter::once(Json::str(database)).chain(operations).collect();
    let results = rpc.call("transact", params)?;
    let mut read = Vec::new();
    for (i, dumped) in tables.iter().enumerate() {
        let rows = results.at(i).and_then(|r| r.get("rows")?.as_array());
        let rows = rows.ok_or_else(|| {
            let name = &dumped.table.name;
            let result = results.at(i).unwrap_or(&Json::Null);
            Fatal::new(format!("fetch of table {name} failed: {result}"))
        })?;
        read.push(rows.to_vec());
    }
    Ok(read)
}

pub(super) fn dump(call: &Call<'_>, mut rpc: Rpc) -> Result<ExitCode, Fatal> {
    let schema = schema::fetch(&mut rpc, &call.database)?;
    let mut tables = schema::sorted_tables(&schema);
    if let Some(name) = call.args.first() {
        tables.retain(|t| *t.name == **name);
        if tables.is_empty() {
            return Err(Fatal::new(format!("No table \"{name}\" found.")));
        }
    }
    let names = call.args.get(1..).unwrap_or_default();
    let mut dumped = Vec::new();
    for table in tables {
        let mut columns: Vec<&ColumnSchema> = if names.is_empty() {
            table.columns.iter().filter(|c| &*c.name != "_version").collect()
        } else {
            let column = |name: &String| {
                table.column(name).ok_or_else(|| {
                    Fatal::new(format!("Table \"{}\" has no column {name}.", table.name))
                })
            };
            names.iter().map(column).collect::<Result<_, _>>()?
        };
        columns.sort_by(|a, b| a.name.cmp(&b.name));
        columns.dedup_by(|a, b| a.name == b.name);
        dumped.push(Dumped { table, columns });
    }
    let read = read_tables(&mut rpc, &call.database, &dumped)?;
    for (i, (dumped, rows)) in dumped.iter().zip(read).enumerate() {
        print(&as_table(dumped, &rows)?.format(&call.settings.style, i == 0));
    }
    Ok(ExitCode::SUCCESS)
}

fn as_table(dumped: &Dumped<'_>, rows: &[Json]) -> Result<Table, Fatal> {
    let mut values: Vec<Vec<Datum>> = Vec::new();
    for row in rows {
        let datum = |c: &&ColumnSchema| {
            let json = row.get(&c.name).unwrap_or(&Json::Null);
            Datum::from_json_unconstrained(&c.type_, json)
        };
        let row = dumped.columns.iter().map(datum).collect::<Result<_, _>>();
        values.push(row.map_err(|error| Fatal::new(error.to_string()))?);
    }
    values.sort();
    let cells = |row: Vec<Datum>| {
        let typed = row.into_iter().zip(&dumped.columns);
        typed.map(|(datum, c)| Cell::Datum(datum, c.type_.clone())).collect()
    };
    Ok(Table {
        caption: Some(format!("{} table", dumped.table.name)),
        headings: dumped.columns.iter().map(|c| c.name.to_string()).collect(),
        rows: values.into_iter().map(cells).collect(),
    })
}
