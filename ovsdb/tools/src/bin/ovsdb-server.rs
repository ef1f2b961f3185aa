//! `ovsdb-server`: see [`weir_ovsdb_tools::server`].
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    weir_runtime::program::run(weir_ovsdb_tools::server::main)
}
