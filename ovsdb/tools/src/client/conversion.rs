//! `convert` and `needs-conversion`.

use std::path::Path;
use std::process::ExitCode;

use weir_jsonrpc::Json;
use weir_ovsdb::Schema;
use weir_runtime::program::Fatal;

use super::commands::Call;
use super::rpc::Rpc;
use super::{print, schema};

fn read_schema(call: &Call<'_>) -> Result<Schema, Fatal> {
    let path = call.args.first().map_or("", String::as_str);
    Schema::from_file(Path::new(path)).map_err(|error| Fatal::new(error.to_string()))
}

pub(super) fn convert(call: &Call<'_>, mut rpc: Rpc) -> Result<ExitCode, Fatal> {
    let new = read_schema(call)?;
    // Else the server would end the connection when the database changes, before its answer.
    let aware = Json::Bool(call.settings.db_change_aware.unwrap_or(true));
    let _ = rpc.try_call("set_db_change_aware", vec![aware])?;
    rpc.call("convert", vec![Json::Str(new.name.clone()), new.to_json()])?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn needs_conversion(call: &Call<'_>, mut rpc: Rpc) -> Result<ExitCode, Fatal> {
    let new = read_schema(call)?;
    let old = schema::fetch(&mut rpc, &new.name)?;
    print(if old.to_json() == new.to_json() { "no\n" } else { "yes\n" });
    Ok(ExitCode::SUCCESS)
}
