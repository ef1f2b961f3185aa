//! `ovs-ofctl`: see [`weir_tools::ofctl`].
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    weir_runtime::program::run(weir_tools::ofctl::main)
}
