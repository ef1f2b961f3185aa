//! `ovs-dpctl`: see [`weir_tools::dpctl`].
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    weir_runtime::program::run(weir_tools::dpctl::main)
}
