//! The program `ovs-vswitchd`.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use weir_runtime::program;

fn main() -> ExitCode {
    program::run(weir_vswitchd::process::main)
}
