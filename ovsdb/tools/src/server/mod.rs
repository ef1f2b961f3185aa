//! `ovsdb-server`: serves database files to whoever connects.
//!
//! | file | is |
//! | --- | --- |
//! | `options.rs` | the command line |
//! | `process.rs` | the process: databases, remotes, main loop |
//! | `commands.rs` | the unixctl commands |
//! | `child.rs` | `--run`: a program to serve, with whose end the server ends |

mod child;
mod commands;
mod options;
mod process;

use std::process::ExitCode;

use weir_runtime::program::Fatal;
use weir_runtime::{argv, vlog};

use options::Request;

/// Runs the program.
///
/// # Errors
/// The command line is wrong, or a database or socket cannot be opened.
pub fn main() -> Result<ExitCode, Fatal> {
    vlog::init();
    vlog::register_modules(vlog::OVSDB_SERVER_MODULES);
    match options::parse(&argv::process_args()?)? {
        Request::Print(text) => {
            print!("{text}");
            Ok(ExitCode::SUCCESS)
        }
        Request::Serve(options) => process::serve(*options),
    }
}
