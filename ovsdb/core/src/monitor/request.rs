//! Reads the requests of `monitor`, `monitor_cond`, `monitor_cond_since` and
//! `monitor_cond_change`.

use std::collections::BTreeMap;

use weir_jsonrpc::Json;

use super::{MonitoredTable, Select};
use crate::condition::Condition;
use crate::error::{OvsdbError, Result, tag};
use crate::members::{Kinds, Members};
use crate::schema::{COL_UUID, Schema, TableSchema};

/// Reads `<monitor-requests>`, or with `conditional` `<monitor-cond-requests>`: the tables, by
/// position.
///
/// # Errors
/// What is wrong, in OVS's words.
pub fn parse_requests(
    schema: &Schema,
    json: &Json,
    conditional: bool,
) -> Result<BTreeMap<usize, MonitoredTable>> {
    let requests = json
        .as_object()
        .ok_or_else(|| OvsdbError::syntax(json, "monitor-requests must be object"))?;
    let mut tables = BTreeMap::new();
    for (name, json) in requests {
        let (index, table) = find_table(schema, name)?;
        let mut monitored = MonitoredTable::default();
        if conditional {
            monitored.condition = Some(Condition::always());
        }
        // One request may stand without an array around it.
        for request in json.as_array().unwrap_or_else(|| std::slice::from_ref(json)) {
            parse_request(table, request, &mut monitored)?;
        }
        tables.insert(index, monitored);
    }
    Ok(tables)
}

fn parse_request(table: &TableSchema, json: &Json, monitored: &mut MonitoredTable) -> Result<()> {
    let mut members = Members::new(json, format!("table {}", table.name));
    let condition = match monitored.condition {
        Some(_) => members.optional("where", Kinds::ARRAY),
        None => None,
    };
    let columns = members.optional("columns", Kinds::ARRAY);
    let select = members.optional("select", Kinds::OBJECT);
    members.finish()?;
    let select = select.map_or(Ok(Select::ALL), |json| parse_select(table, json))?;
    monitored.select = monitored.select.with(select);

    let wanted: Vec<usize> = match columns {
        None => (0..table.columns.len()).filter(|&c| c != COL_UUID).collect(),
        Some(json) => {
            let column = |name: &Json| {
                let Some(name) = name.as_str() else {
                    return Err(OvsdbError::syntax(json, "array of column names expected"));
                };
                table.column_index(name).ok_or_else(|| {
                    OvsdbError::syntax(json, format!("{name} is not a valid column name"))
                })
            };
            json.as_array().unwrap_or_default().iter().map(column).collect::<Result<_>>()?
        }
    };
    for column in wanted {
        if monitored.columns.iter().any(|(c, _)| *c == column) {
            let name = table.columns.get(column).map_or("", |column| &column.name);
            let text = format!("column {name} mentioned more than once");
            return Err(match columns {
                Some(json) => OvsdbError::syntax(json, text),
                None => OvsdbError::new(tag::SYNTAX, text),
            });
        }
        monitored.columns.push((column, select));
    }
    // The conditions of several requests for one table are one list.
    if let (Some(known), Some(json)) = (&mut monitored.condition, condition) {
        known.extend(Condition::from_json(table, json, None)?);
    }
    Ok(())
}

fn parse_select(table: &TableSchema, json: &Json) -> Result<Select> {
    let mut members = Members::new(json, format!("table {} select", table.name));
    let mut select = Select::default();
    for (name, kind) in [
        ("initial", Select::INITIAL),
        ("insert", Select::INSERT),
        ("delete", Select::DELETE),
        ("modify", Select::MODIFY),
    ] {
        let wanted = members.optional(name, Kinds::BOOLEAN).and_then(Json::as_bool);
        if wanted.unwrap_or(true) {
            select = select.with(kind);
        }
    }
    members.finish()?;
    Ok(select)
}

/// Reads `<monitor-cond-update-requests>` for a monitor of `tables`: the new conditions, by the
/// position of their table.
///
/// # Errors
/// What is wrong, in OVS's words.
pub fn parse_condition_change(
    schema: &Schema,
    tables: &BTreeMap<usize, MonitoredTable>,
    json: &Json,
) -> Result<BTreeMap<usize, Condition>> {
    let syntax = |text: String| OvsdbError::new(tag::SYNTAX, text);
    let requests = json
        .as_object()
        .ok_or_else(|| syntax("monitor-cond-change-requests must be object".into()))?;
    let mut conditions = BTreeMap::new();
    for (name, json) in requests {
        let (index, table) = find_table(schema, name)?;
        let monitored = tables
            .get(&index)
            .ok_or_else(|| syntax(format!("no table named {name} in monitor session")))?;
        let requests = json
            .as_array()
            .ok_or_else(|| syntax(format!("table {name} no monitor-cond-change JSON array")))?;
        for request in requests {
            let mut members = Members::new(request, format!("table {name}"));
            let columns = members.optional("columns", Kinds::ARRAY);
            let condition = members.optional("where", Kinds::ARRAY);
            members.finish()?;
            if columns.is_some() {
                return Err(OvsdbError::syntax(request, "changing columns is unsupported"));
            }
            let condition = condition
                .map(|json| Condition::from_json(table, json, None))
                .transpose()?
                .unwrap_or_default();
            // A version 1 monitor has no condition to change.
            if monitored.condition.is_some() {
                conditions.insert(index, condition);
            }
        }
    }
    Ok(conditions)
}

fn find_table<'a>(schema: &'a Schema, name: &str) -> Result<(usize, &'a TableSchema)> {
    schema
        .table_index(name)
        .and_then(|index| Some((index, &**schema.tables.get(index)?)))
        .ok_or_else(|| OvsdbError::new(tag::SYNTAX, format!("no table named {name}")))
}
