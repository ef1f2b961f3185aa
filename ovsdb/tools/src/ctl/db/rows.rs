//! Commands that read: `list`, `find`, `get`, `wait-until`.

use std::cmp::Ordering;
use std::io::IsTerminal;
use std::sync::Arc;

use weir_ovsdb::text::{atom_from_string, atom_to_string, datum_from_string, datum_to_string};
use weir_ovsdb::{ColumnSchema, ColumnType, Datum, TableSchema, Uuid};

use crate::ctl::value::{OPERATORS, assignment, column_key};
use crate::ctl::{Context, CtlError, Invocation, ToolState, schema_names};
use crate::table::{Cell, Table};

/// A column to print; `_uuid` is none of the schema's own.
enum Shown {
    Uuid,
    Column(Box<ColumnSchema>),
}

fn shown(table: &TableSchema, columns: Option<&str>) -> Result<Vec<Shown>, CtlError> {
    let Some(list) = columns else {
        let mut own: Vec<ColumnSchema> = table.own_columns().cloned().collect();
        own.sort_by(|a, b| a.name.cmp(&b.name));
        let own = own.into_iter().map(|c| Shown::Column(Box::new(c)));
        return Ok(std::iter::once(Shown::Uuid).chain(own).collect());
    };
    let names = list.split([',', ' ']).filter(|n| !n.is_empty());
    let columns: Vec<Shown> = names.map(|name| one_shown(table, name)).collect::<Result<_, _>>()?;
    match columns.is_empty() {
        true => Err(CtlError::fatal("must specify at least one column name")),
        false => Ok(columns),
    }
}

fn one_shown(table: &TableSchema, name: &str) -> Result<Shown, CtlError> {
    if name.eq_ignore_ascii_case("_uuid") {
        return Ok(Shown::Uuid);
    }
    Ok(Shown::Column(Box::new(schema_names::column(table, name)?)))
}

fn as_table<S: ToolState>(
    ctx: &Context<'_, S>,
    table: &TableSchema,
    columns: &[Shown],
    rows: impl IntoIterator<Item = Uuid>,
) -> Table {
    let heading = |c: &Shown| match c {
        Shown::Uuid => "_uuid".to_owned(),
        Shown::Column(c) => c.name.to_string(),
    };
    let cell = |row: Uuid, c: &Shown| match c {
        Shown::Uuid => Cell::uuid(row),
        Shown::Column(c) => match ctx.get(&table.name, row, &c.name) {
            Some(datum) => Cell::Datum(datum.into_owned(), c.type_.clone()),
            None => Cell::Empty,
        },
    };
    let line = |row| columns.iter().map(|c| cell(row, c)).collect();
    Table {
        caption: None,
        headings: columns.iter().map(heading).collect(),
        rows: rows.into_iter().map(line).collect(),
    }
}

pub(super) fn list<S: ToolState>(
    ctx: &mut Context<'_, S>,
    cmd: &Invocation<S>,
) -> Result<(), CtlError> {
    let table = ctx.table(cmd.arg(0))?;
    let columns = shown(&table, cmd.option("--columns"))?;
    let mut rows = Vec::new();
    for id in cmd.args.iter().skip(1) {
        rows.extend(ctx.record_if_exists(&table, id, cmd)?);
    }
    if cmd.args.len() == 1 {
        rows = ctx.rows(&table.name);
    }
    ctx.output.table = Some(as_table(ctx, &table, &columns, rows));
    Ok(())
}

pub(super) fn find<S: ToolState>(
    ctx: &mut Context<'_, S>,
    cmd: &Invocation<S>,
) -> Result<(), CtlError> {
    let table = ctx.table(cmd.arg(0))?;
    let columns = shown(&table, cmd.option("--columns"))?;
    let conditions = cmd.args.get(1..).unwrap_or_default();
    for condition in conditions {
        assignment(&table, condition, OPERATORS)?;
    }
    let mut rows = Vec::new();
    for row in ctx.rows(&table.name) {
        if matches_all(ctx, &table, row, conditions)? {
            rows.push(row);
        }
    }
    ctx.output.table = Some(as_table(ctx, &table, &columns, rows));
    Ok(())
}

pub(super) fn get<S: ToolState>(
    ctx: &mut Context<'_, S>,
    cmd: &Invocation<S>,
) -> Result<(), CtlError> {
    let id = cmd.option("--id");
    let must_exist = !cmd.has("--if-exists");
    if id.is_some() && !must_exist {
        return Err(CtlError::fatal("--if-exists and --id may not be specified together"));
    }
    let table = ctx.table(cmd.arg(0))?;
    let Some(row) = ctx.record_if_exists(&table, cmd.arg(1), cmd)? else { return Ok(()) };
    if let Some(name) = id {
        new_symbol(ctx, name, row)?;
    }
    // A script may want to know whether a row is there; a person hardly does.
    if id.is_none() && cmd.args.len() < 3 && std::io::stdout().is_terminal() {
        let text = "\"get\" command without row arguments or \"--id\" is possibly erroneous";
        ctx.warn(text);
    }
    for arg in cmd.args.iter().skip(2) {
        if arg.eq_ignore_ascii_case("_uuid") {
            ctx.print(row.to_string());
            continue;
        }
        let (column, key, rest) = column_key(&table, arg)?;
        if !rest.is_empty() {
            return Err(CtlError::fatal(format!("{arg}: trailing garbage \"{rest}\" in argument")));
        }
        let datum = ctx.datum(&table.name, row, &column.name);
        let Some(key) = key else {
            ctx.print(datum_to_string(&datum, &column.type_));
            continue;
        };
        if !column.type_.is_map() {
            let name = &column.name;
            let text = format!("cannot specify key to get for non-map column {name}");
            return Err(CtlError::fatal(text));
        }
        let atom = atom_from_string(&column.type_.key, &key, Some(&mut ctx.symbols))?;
        match datum.get(&atom) {
            Some(value) => ctx.print(atom_to_string(value)),
            None if !must_exist => ctx.print(""),
            None => {
                return Err(CtlError::fatal(format!(
                    "no key \"{key}\" in {} record \"{}\" column {}",
                    table.name,
                    cmd.arg(1),
                    column.name
                )));
            }
        }
    }
    Ok(())
}

/// Makes `name` stand for an existing row.
fn new_symbol<S: ToolState>(
    ctx: &mut Context<'_, S>,
    name: &str,
    row: Uuid,
) -> Result<(), CtlError> {
    super::change::check_symbol_name(ctx, name)?;
    if ctx.symbols.get(name).is_some() {
        return Err(CtlError::fatal(format!(
            "row id \"{name}\" specified on \"get\" command was used before it was defined"
        )));
    }
    ctx.symbols.put(name, row, true);
    // The row is there already.
    ctx.symbols.get_or_insert(name).strong_ref = true;
    Ok(())
}

/// The tool tries again when the database changes.
pub(super) fn wait_until<S: ToolState>(
    ctx: &mut Context<'_, S>,
    cmd: &Invocation<S>,
) -> Result<(), CtlError> {
    let table = ctx.table(cmd.arg(0))?;
    let conditions = cmd.args.get(2..).unwrap_or_default();
    for condition in conditions {
        assignment(&table, condition, OPERATORS)?;
    }
    let Some(row) = ctx.find_record(&table, cmd.arg(1))? else { return Err(CtlError::NotYet) };
    match matches_all(ctx, &table, row, conditions)? {
        true => Ok(()),
        false => Err(CtlError::NotYet),
    }
}

fn matches_all<S: ToolState>(
    ctx: &mut Context<'_, S>,
    table: &Arc<TableSchema>,
    row: Uuid,
    conditions: &[String],
) -> Result<bool, CtlError> {
    for condition in conditions {
        if !matches(ctx, table, row, condition)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn matches<S: ToolState>(
    ctx: &mut Context<'_, S>,
    table: &TableSchema,
    row: Uuid,
    condition: &str,
) -> Result<bool, CtlError> {
    let a = assignment(table, condition, OPERATORS)?;
    let have = ctx.datum(&table.name, row, &a.column.name);
    let Some(key) = &a.key else {
        // A set on the right-hand side may have any size.
        let type_ = ColumnType { min: 0, max: u32::MAX, ..a.column.type_.clone() };
        let want = datum_from_string(&type_, a.value, Some(&mut ctx.symbols))?;
        return Ok(compare(a.operator, &have, &want));
    };
    let Some(value_type) = &a.column.type_.value else {
        let text = format!("cannot specify key to check for non-map column {}", a.column.name);
        return Err(CtlError::fatal(text));
    };
    let key = atom_from_string(&a.column.type_.key, key, Some(&mut ctx.symbols))?;
    let type_ = ColumnType { key: value_type.clone(), value: None, min: 0, max: u32::MAX };
    let want = datum_from_string(&type_, a.value, Some(&mut ctx.symbols))?;
    match have.get(&key) {
        Some(value) => Ok(compare(a.operator, &Datum::scalar(value.clone()), &want)),
        // Only the set operators consider a key that is not there.
        None => Ok(a.operator.starts_with('{') && compare(a.operator, &Datum::empty(), &want)),
    }
}

fn compare(operator: &str, have: &Datum, want: &Datum) -> bool {
    let order = have.cmp(want);
    let (subset, superset) = (have.is_included_in(want), want.is_included_in(have));
    match operator {
        "=" | "{=}" => order == Ordering::Equal,
        "!=" | "{!=}" => order != Ordering::Equal,
        "<" => order == Ordering::Less,
        ">" => order == Ordering::Greater,
        "<=" => order != Ordering::Greater,
        ">=" => order != Ordering::Less,
        "{<=}" | "{in}" => subset,
        "{>=}" => superset,
        "{<}" => subset && !superset,
        "{>}" => superset && !subset,
        _ => have.is_excluded_from(want),
    }
}
