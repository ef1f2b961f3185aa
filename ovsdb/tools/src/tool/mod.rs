//! `ovsdb-tool`: works on database and schema files without a server.
//!
//! | file | is |
//! | --- | --- |
//! | `options.rs` | the command line and the help |
//! | `commands.rs` | the table of commands |
//! | `files.rs` | `create`, `compact`, `convert`, `needs-conversion` |
//! | `facts.rs` | what is in a file: names, versions, checksums, kinds |
//! | `transactions.rs` | `query` and `transact` |
//! | `show_log.rs` | `show-log` |

use std::process::ExitCode;

use weir_ovsdb::OvsdbError;
use weir_runtime::argv;
use weir_runtime::clock::Clock;
use weir_runtime::program::Fatal;
use weir_runtime::vlog;

mod commands;
mod facts;
mod files;
mod options;
mod show_log;
mod transactions;

use options::{Options, Request};

/// The program.
///
/// # Errors
/// Why it cannot do what it was asked.
pub fn main() -> Result<ExitCode, Fatal> {
    vlog::init();
    match options::parse(&argv::process_args()?)? {
        Request::Print(text) => {
            print!("{text}");
            Ok(ExitCode::SUCCESS)
        }
        Request::Run(options, args) => commands::run(&options, &args),
    }
}

fn fatal(error: OvsdbError) -> Fatal {
    Fatal::new(error.to_string())
}

/// Milliseconds since 1970, for the dates of records.
fn wall() -> i64 {
    Clock::process().wall()
}

/// `compacted by ovsdb-tool 3.7.0`
fn comment(what: &str) -> String {
    let name = weir_runtime::program::name();
    format!("{what} by {name} {}", weir_runtime::version::OVS_VERSION)
}
