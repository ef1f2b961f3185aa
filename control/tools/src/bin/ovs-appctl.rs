//! `ovs-appctl`: see [`weir_tools::appctl`].
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    weir_runtime::program::run(weir_tools::appctl::main)
}
