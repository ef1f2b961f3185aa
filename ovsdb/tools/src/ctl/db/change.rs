//! Commands that write: `set`, `add`, `remove`, `clear`, `create`, `destroy`, `comment`.

use weir_ovsdb::text::{atom_from_string, datum_from_string};
use weir_ovsdb::{ColumnSchema, ColumnType, Datum, TableSchema, Uuid};

use crate::ctl::value::assignment;
use crate::ctl::{Context, CtlError, Invocation, ToolState, schema_names};

/// The length of a UUID as text.
const UUID_LEN: usize = 36;

const EQUALS: &[&str] = &["="];

/// Does nothing: the whole command line is in the database's log, and so are these words.
pub(super) fn comment<S: ToolState>(
    _: &mut Context<'_, S>,
    _: &Invocation<S>,
) -> Result<(), CtlError> {
    Ok(())
}

fn check_mutable<S>(
    ctx: &Context<'_, S>,
    table: &TableSchema,
    row: Uuid,
    column: &ColumnSchema,
) -> Result<(), CtlError> {
    if (column.mutable && table.mutable) || ctx.txn.is_inserted(&table.name, row) {
        return Ok(());
    }
    let (column, table) = (&column.name, &table.name);
    let text = format!("cannot modify read-only column {column} in table {table}");
    Err(CtlError::fatal(text))
}

pub(super) fn set<S: ToolState>(
    ctx: &mut Context<'_, S>,
    cmd: &Invocation<S>,
) -> Result<(), CtlError> {
    let table = ctx.table(cmd.arg(0))?;
    let Some(row) = ctx.record_if_exists(&table, cmd.arg(1), cmd)? else { return Ok(()) };
    ctx.state.invalidate();
    cmd.args.iter().skip(2).try_for_each(|arg| set_column(ctx, &table, row, arg))
}

/// Carries out `column[:key]=value`.
///
/// # Errors
/// The argument is wrong, or the column may not be changed.
pub fn set_column<S: ToolState>(
    ctx: &mut Context<'_, S>,
    table: &TableSchema,
    row: Uuid,
    arg: &str,
) -> Result<(), CtlError> {
    let a = assignment(table, arg, EQUALS)?;
    check_mutable(ctx, table, row, &a.column)?;
    let type_ = &a.column.type_;
    let Some(key) = &a.key else {
        let datum = datum_from_string(type_, a.value, Some(&mut ctx.symbols))?;
        ctx.txn.set(&table.name, row, &a.column.name, datum);
        return Ok(());
    };
    let Some(value_type) = &type_.value else {
        let text = format!("cannot specify key to set for non-map column {}", a.column.name);
        return Err(CtlError::fatal(text));
    };
    let key = atom_from_string(&type_.key, key, Some(&mut ctx.symbols))?;
    let value = atom_from_string(value_type, a.value, Some(&mut ctx.symbols))?;
    let pair = Datum::map([(key, value)]);
    ctx.txn.put_pairs(ctx.replica, &table.name, row, &a.column.name, &pair);
    Ok(())
}

pub(super) fn add<S: ToolState>(
    ctx: &mut Context<'_, S>,
    cmd: &Invocation<S>,
) -> Result<(), CtlError> {
    let table = ctx.table(cmd.arg(0))?;
    let column = schema_names::column(&table, cmd.arg(2))?;
    let Some(row) = ctx.record_if_exists(&table, cmd.arg(1), cmd)? else { return Ok(()) };
    check_mutable(ctx, &table, row, &column)?;
    // One argument may hold several values.
    let type_ = ColumnType { min: 1, max: u32::MAX, ..column.type_.clone() };
    let mut more = Datum::empty();
    for arg in cmd.args.iter().skip(3) {
        more = more.union(&datum_from_string(&type_, arg, Some(&mut ctx.symbols))?);
    }
    if u32::try_from(more.len()).is_ok_and(|n| n > column.type_.max) {
        return Err(wrong_count("add", more.len(), "maximum", column.type_.max, &table, &column));
    }
    ctx.txn.put_pairs(ctx.replica, &table.name, row, &column.name, &more);
    ctx.state.invalidate();
    Ok(())
}

pub(super) fn remove<S: ToolState>(
    ctx: &mut Context<'_, S>,
    cmd: &Invocation<S>,
) -> Result<(), CtlError> {
    let table = ctx.table(cmd.arg(0))?;
    let column = schema_names::column(&table, cmd.arg(2))?;
    let Some(row) = ctx.record_if_exists(&table, cmd.arg(1), cmd)? else { return Ok(()) };
    check_mutable(ctx, &table, row, &column)?;
    let pairs = ColumnType { min: 1, max: u32::MAX, ..column.type_.clone() };
    let keys = ColumnType { value: None, ..pairs.clone() };
    for arg in cmd.args.iter().skip(3) {
        let gone = match datum_from_string(&pairs, arg, Some(&mut ctx.symbols)) {
            Ok(gone) => gone,
            // Of a map, keys alone will do.
            Err(_) if column.type_.is_map() => {
                datum_from_string(&keys, arg, Some(&mut ctx.symbols))?
            }
            Err(e) => return Err(e.into()),
        };
        ctx.txn.remove_elements(ctx.replica, &table.name, row, &column.name, &gone);
    }
    let left = ctx.get(&table.name, row, &column.name).map_or(0, |d| d.len());
    if u32::try_from(left).is_ok_and(|n| n < column.type_.min) {
        return Err(wrong_count("remove", left, "minimum", column.type_.min, &table, &column));
    }
    ctx.state.invalidate();
    Ok(())
}

fn wrong_count(
    operation: &str,
    count: usize,
    which: &str,
    limit: u32,
    table: &TableSchema,
    column: &ColumnSchema,
) -> CtlError {
    let what = if column.type_.is_map() { "pairs" } else { "values" };
    let (column, table) = (&column.name, &table.name);
    CtlError::fatal(format!(
        "\"{operation}\" operation would put {count} {what} in column {column} of table {table} but \
         the {which} number is {limit}"
    ))
}

pub(super) fn clear<S: ToolState>(
    ctx: &mut Context<'_, S>,
    cmd: &Invocation<S>,
) -> Result<(), CtlError> {
    let table = ctx.table(cmd.arg(0))?;
    let Some(row) = ctx.record_if_exists(&table, cmd.arg(1), cmd)? else { return Ok(()) };
    for name in cmd.args.iter().skip(2) {
        let column = schema_names::column(&table, name)?;
        check_mutable(ctx, &table, row, &column)?;
        if column.type_.min > 0 {
            return Err(CtlError::fatal(format!(
                "\"clear\" operation cannot be applied to column {} of table {}, which is not \
                 allowed to be empty",
                column.name, table.name
            )));
        }
        ctx.txn.set(&table.name, row, &column.name, Datum::empty());
    }
    ctx.state.invalidate();
    Ok(())
}

/// Checks the argument of `--id`.
pub(super) fn check_symbol_name<S: ToolState>(
    ctx: &Context<'_, S>,
    name: &str,
) -> Result<(), CtlError> {
    if !name.starts_with('@') {
        return Err(CtlError::fatal(format!("row id \"{name}\" does not begin with \"@\"")));
    }
    if ctx.symbols.get(name).is_some_and(|s| s.created) {
        let text = format!("row id \"{name}\" may only be specified on one --id option");
        return Err(CtlError::fatal(text));
    }
    Ok(())
}

pub(super) fn create<S: ToolState>(
    ctx: &mut Context<'_, S>,
    cmd: &Invocation<S>,
) -> Result<(), CtlError> {
    let table = ctx.table(cmd.arg(0))?;
    let kept = cmd.option("--id").filter(|id| id.len() == UUID_LEN);
    let kept = kept.and_then(|id| Uuid::try_parse(id).ok());
    if let Some(uuid) = kept {
        ctx.txn.insert_with_uuid(&table.name, uuid);
    }
    let row = match cmd.option("--id").filter(|_| kept.is_none()) {
        Some(name) => {
            check_symbol_name(ctx, name)?;
            let symbol = ctx.symbols.get_or_insert(name);
            symbol.created = true;
            // Rows of the root set stay without anything that refers to them.
            symbol.strong_ref |= table.is_root;
            let uuid = symbol.uuid;
            ctx.txn.insert_as(&table.name, uuid);
            uuid
        }
        None if kept.is_some() => kept.unwrap_or_default(),
        None => {
            if !table.is_root {
                ctx.warn(format!(
                    "applying \"create\" command to table {} without --id option will have no effect",
                    table.name
                ));
            }
            ctx.txn.insert(&table.name)
        }
    };
    for arg in cmd.args.iter().skip(1) {
        set_column(ctx, &table, row, arg)?;
    }
    ctx.state.invalidate();
    ctx.output.new_row = Some(row);
    Ok(())
}

pub(super) fn destroy<S: ToolState>(
    ctx: &mut Context<'_, S>,
    cmd: &Invocation<S>,
) -> Result<(), CtlError> {
    let all = cmd.has("--all");
    let table = ctx.table(cmd.arg(0))?;
    if all && cmd.args.len() > 1 {
        let text = "--all and records argument should not be specified together";
        return Err(CtlError::fatal(text));
    }
    if all && cmd.has("--if-exists") {
        let text = "--all and --if-exists should not be specified together";
        return Err(CtlError::fatal(text));
    }
    if !all && cmd.args.len() == 1 {
        ctx.warn("either --all or records argument should be specified".to_owned());
    }
    let mut rows = if all { ctx.rows(&table.name) } else { Vec::new() };
    for id in cmd.args.iter().skip(1) {
        rows.extend(ctx.record_if_exists(&table, id, cmd)?);
    }
    for row in rows {
        ctx.txn.delete(&table.name, row);
    }
    ctx.state.invalidate();
    Ok(())
}
