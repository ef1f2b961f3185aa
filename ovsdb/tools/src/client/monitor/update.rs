//! Updates as tables.

use weir_jsonrpc::Json;
use weir_ovsdb::Datum;

use super::request::Watched;
use crate::table::{Cell, Table};

/// Which form of `<table-update>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// RFC 7047: `old` and `new`.
    Update {
        /// The rows that were there at the beginning.
        initial: bool,
    },
    /// ovsdb-server(7): `initial`, `insert`, `modify`, `delete`.
    Update2,
}

/// The update of one table: `row`, `action` and the columns.
pub(super) fn as_table(watched: &Watched, form: Form, rows: &Json) -> Table {
    let columns = watched.columns.iter().map(|c| c.name.to_string());
    let headings = ["row", "action"].map(str::to_owned).into_iter().chain(columns).collect();
    let mut table = Table { caption: None, headings, rows: Vec::new() };
    for (uuid, update) in rows.as_object().into_iter().flatten() {
        match form {
            Form::Update { initial } => {
                let present = |name| update.get(name).filter(|row| !row.is_null());
                match (present("old"), present("new")) {
                    (Some(old), Some(new)) => {
                        table.rows.push(line(watched, uuid, "old", old));
                        table.rows.push(line(watched, "", "new", new));
                    }
                    (None, Some(new)) => {
                        let action = if initial { "initial" } else { "insert" };
                        table.rows.push(line(watched, uuid, action, new));
                    }
                    (Some(old), None) => table.rows.push(line(watched, uuid, "delete", old)),
                    (None, None) => {}
                }
            }
            Form::Update2 => {
                for (action, row) in update.as_object().into_iter().flatten() {
                    table.rows.push(line(watched, uuid, action, row));
                }
            }
        }
    }
    table
}

fn line(watched: &Watched, uuid: &str, action: &str, row: &Json) -> Vec<Cell> {
    let mut cells = vec![Cell::Text(uuid.to_owned()), Cell::Text(action.to_owned())];
    for column in &watched.columns {
        let value = row.get(&column.name);
        // A modified set or map holds differences, of which there may be any number.
        let datum = value.and_then(|v| Datum::from_json_any_size(&column.type_, v).ok());
        cells.push(match datum {
            Some(datum) => Cell::Datum(datum, column.type_.clone()),
            None => Cell::Empty,
        });
    }
    cells
}
