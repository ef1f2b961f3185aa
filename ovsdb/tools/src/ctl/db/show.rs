//! `show`: the database as a tree of names.

use weir_ovsdb::text::datum_to_string;
use weir_ovsdb::{AtomicType, Datum, Uuid};

use crate::ctl::{Context, CtlError, Invocation, ToolState};

/// How a table is shown.
#[derive(Clone, Copy, Debug)]
pub struct ShowTable {
    /// The table; the first one's rows are the roots.
    pub table: &'static str,
    /// The column with the row's name; the UUID stands in for it.
    pub name: Option<&'static str>,
    /// What is shown below a row. References to tables that are shown become rows.
    pub columns: &'static [&'static str],
}

/// How far a level is indented.
const INDENT: usize = 4;

pub(super) fn show<S: ToolState>(
    ctx: &mut Context<'_, S>,
    _: &Invocation<S>,
) -> Result<(), CtlError> {
    let Some(first) = ctx.show.first() else { return Ok(()) };
    let mut text = String::new();
    // A row may refer to itself by way of others.
    let mut open = Vec::new();
    for (row, _) in ctx.replica.rows(first.table) {
        show_row(ctx, first, row, 0, &mut open, &mut text);
    }
    ctx.output.text = text;
    Ok(())
}

fn show_row<S>(
    ctx: &Context<'_, S>,
    show: &ShowTable,
    row: Uuid,
    level: usize,
    open: &mut Vec<&'static str>,
    out: &mut String,
) {
    let schema = ctx.replica.schema();
    let Some(table) = schema.table(show.table) else { return };
    let text = |column: &str| {
        let type_ = &table.column(column)?.type_;
        let datum = ctx.get(show.table, row, column)?;
        Some(datum_to_string(&datum, type_))
    };
    let indent = " ".repeat(level * INDENT);
    match show.name {
        Some(name) => {
            let name = text(name).unwrap_or_default();
            out.push_str(&format!("{indent}{} {name}\n", show.table));
        }
        None => out.push_str(&format!("{indent}{row}\n")),
    }
    if open.contains(&show.table) {
        return;
    }
    open.push(show.table);
    let below = " ".repeat((level + 1) * INDENT);
    for column in show.columns {
        let Some(type_) = table.column(column).map(|c| &c.type_) else { continue };
        let Some(datum) = ctx.get(show.table, row, column) else { continue };
        let refers = type_.key.reference().and_then(|(t, _)| find(ctx.show, t));
        if let (AtomicType::Uuid, Some(shown)) = (type_.key.atomic, refers) {
            for target in datum.keys().iter().filter_map(weir_ovsdb::Atom::as_uuid) {
                if ctx.replica.row(shown.table, target).is_some() {
                    show_row(ctx, shown, target, level + 1, open, out);
                }
            }
        } else if *datum != Datum::default_of(type_) {
            out.push_str(&format!("{below}{column}: {}\n", datum_to_string(&datum, type_)));
        }
    }
    open.pop();
}

fn find<'a>(tables: &'a [ShowTable], name: &str) -> Option<&'a ShowTable> {
    tables.iter().find(|t| t.table == name)
}
