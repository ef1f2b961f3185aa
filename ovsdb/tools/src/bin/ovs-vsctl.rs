//! `ovs-vsctl`: see [`weir_ovsdb_tools::vsctl`].
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    weir_runtime::program::run(weir_ovsdb_tools::vsctl::main)
}
