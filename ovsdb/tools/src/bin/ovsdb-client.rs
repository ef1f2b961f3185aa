//! `ovsdb-client`: see [`weir_ovsdb_tools::client`].
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    weir_runtime::program::run(weir_ovsdb_tools::client::main)
}
