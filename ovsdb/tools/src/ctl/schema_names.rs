//! Tables and columns by name: case does not matter, `-` and `_` are the same, and a unique prefix
//! will do.

use std::sync::Arc;

use weir_ovsdb::{ColumnSchema, Schema, TableSchema};

use super::CtlError;

/// How well `given` names `name`: exactly, as a prefix, or not.
fn score(name: &str, given: &str) -> u8 {
    let fold = |c: char| if c == '-' { '_' } else { c.to_ascii_lowercase() };
    let mut rest = name.chars().map(fold);
    for c in given.chars().map(fold) {
        if rest.next() != Some(c) {
            return 0;
        }
    }
    if rest.next().is_none() { 2 } else { 1 }
}

/// The best of `items`: an exact match, or the only prefix match. The error lists the candidates.
fn best<'a, T>(
    items: impl Iterator<Item = &'a T>,
    name: impl Fn(&T) -> &str,
    given: &str,
) -> Result<&'a T, Vec<String>> {
    let mut prefixed = Vec::new();
    for item in items {
        match score(name(item), given) {
            2 => return Ok(item),
            1 => prefixed.push(item),
            _ => {}
        }
    }
    match prefixed.as_slice() {
        [one] => Ok(one),
        many => Err(many.iter().map(|i| name(i).to_owned()).collect()),
    }
}

/// Finds a table.
pub(super) fn table(schema: &Schema, given: &str) -> Result<Arc<TableSchema>, CtlError> {
    best(schema.tables.iter(), |t| &t.name, given).cloned().map_err(|mut many| {
        many.sort();
        CtlError::fatal(match many.is_empty() {
            true => format!("unknown table \"{given}\""),
            false => format!("\"{given}\" matches multiple table names: {}", many.join(", ")),
        })
    })
}

/// Finds a column.
pub(super) fn column(table: &TableSchema, given: &str) -> Result<ColumnSchema, CtlError> {
    best(table.own_columns(), |c| &c.name, given).cloned().map_err(|many| {
        let name = &table.name;
        CtlError::fatal(match many.is_empty() {
            true => format!("{name} does not contain a column whose name matches \"{given}\""),
            false => format!(
                "{name} contains more than one column whose name matches \"{given}\": {}",
                many.join(", ")
            ),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn abbreviations() {
        let schema = weir_ovsdb::schemas::vswitch();
        let name = |given: &str| table(&schema, given).map(|t| t.name.to_string());
        assert_eq!(name("open").as_deref(), Ok("Open_vSwitch"));
        assert_eq!(name("Flow-Table").as_deref(), Ok("Flow_Table"));
        assert_eq!(name("bRIDGE").as_deref(), Ok("Bridge"));
        let text = |error: CtlError| error.to_string();
        assert_eq!(name("bogus").map_err(text).unwrap_err(), "unknown table \"bogus\"");
        let bridge = table(&schema, "Bridge").unwrap();
        let column = |given: &str| column(&bridge, given).map(|c| c.name.to_string());
        assert_eq!(column("other-config").as_deref(), Ok("other_config"));
        assert_eq!(column("CONTROLLER").as_deref(), Ok("controller"));
        // An exact name wins over names that it begins.
        assert_eq!(column("status").as_deref(), Ok("status"));
        assert!(
            column("st")
                .map_err(text)
                .unwrap_err()
                .starts_with("Bridge contains more than one column whose name matches \"st\": ")
        );
    }
}
