//! `column[:key]=value` and its relatives, as the database commands write them.

use weir_ovsdb::text::take_token;
use weir_ovsdb::{ColumnSchema, TableSchema};

use super::{CtlError, schema_names};

/// The operators, those with a longer spelling first.
pub(super) const OPERATORS: &[&str] = &[
    "{not-in}", "{in}", "{=}", "{!=}", "{<=}", "{>=}", "{<}", "{>}", "!=", "<=", ">=", "=", "<",
    ">",
];

/// The parts of such an argument.
#[derive(Debug)]
pub(super) struct Assignment<'a> {
    pub(super) column: ColumnSchema,
    pub(super) key: Option<String>,
    pub(super) operator: &'static str,
    pub(super) value: &'a str,
}

/// `column` or `column:key`, and what follows.
pub(super) fn column_key<'a>(
    table: &TableSchema,
    arg: &'a str,
) -> Result<(ColumnSchema, Option<String>, &'a str), CtlError> {
    let (name, rest) = take_token(arg)?;
    if name.is_empty() {
        return Err(CtlError::fatal(format!("{arg}: missing column name")));
    }
    let column = schema_names::column(table, &name)?;
    let Some(rest) = rest.strip_prefix(':') else { return Ok((column, None, rest)) };
    let (key, rest) = take_token(rest)?;
    Ok((column, Some(key), rest))
}

/// `column[:key]OPERATOR value`, the operator one of `allowed`.
pub(super) fn assignment<'a>(
    table: &TableSchema,
    arg: &'a str,
    allowed: &[&'static str],
) -> Result<Assignment<'a>, CtlError> {
    let (column, key, rest) = column_key(table, arg)?;
    let found = allowed.iter().find_map(|o| Some((*o, rest.strip_prefix(o)?)));
    match found {
        Some((operator, value)) if !value.is_empty() => {
            Ok(Assignment { column, key, operator, value })
        }
        _ if allowed.len() == 1 => Err(CtlError::fatal(format!(
            "{arg}: argument does not end in \"=\" followed by a value."
        ))),
        _ => Err(CtlError::fatal(format!(
            "{arg}: argument does not end in \"=\", \"!=\", \"<\", \">\", \"<=\", \">=\", \"{{=}}\", \
             \"{{!=}}\", \"{{<}}\", \"{{>}}\", \"{{<=}}\", \"{{>=}}\", \"{{in}}\", or \
             \"{{not-in}}\" followed by a value."
        ))),
    }
}
