//! `wait`: until a database is there, serves, or is gone.

use std::process::ExitCode;

use weir_ovsdb::replica::{Interest, Replica};
use weir_runtime::program::Fatal;

use super::commands::Call;
use crate::ctl::Database;

pub(super) fn wait(call: &Call<'_>) -> Result<ExitCode, Fatal> {
    let [name, state] = call.args else { return Ok(ExitCode::FAILURE) };
    let reached: fn(&Replica, &str) -> bool = match state.as_str() {
        "added" => |replica, name| row(replica, name).is_some(),
        "connected" => |replica, name| row(replica, name) == Some(true),
        "removed" => |replica, name| row(replica, name).is_none(),
        _ => return Err(Fatal::new(format!("{state}: unknown state"))),
    };
    let interest = Interest::Tables(vec!["Database".to_owned()]);
    let mut server = Database::open(&call.server, "_Server", interest, true)?;
    while !server.replica().is_some_and(|replica| reached(replica, name)) {
        server.next_event()?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Is the database connected to its storage? `None` if the server has none of this name.
fn row(replica: &Replica, name: &str) -> Option<bool> {
    let mut rows = replica.rows("Database");
    let (_, row) = rows.find(|(_, row)| row.str("name") == Some(name))?;
    row.bool("connected")
}
