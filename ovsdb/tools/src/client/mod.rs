//! ovsdb-client: talks to ovsdb-server.
//!
//! | file | is |
//! | --- | --- |
//! | `options.rs` | the options |
//! | `usage.rs` | the text of `--help` |
//! | `commands.rs` | the table of commands; which arguments are a server and a database |
//! | `rpc.rs` | a connection that waits for answers |
//! | `schema.rs` | `list-dbs get-schema get-schema-version get-schema-cksum list-tables list-columns` |
//! | `data.rs` | `transact query dump` |
//! | `backup.rs` | `backup restore` |
//! | `conversion.rs` | `convert needs-conversion` |
//! | `service.rs` | what the commands that stay share: signals, control socket, detaching |
//! | `monitor/` | `monitor monitor-cond monitor-cond-since` |
//! | `wait.rs` | `wait` |
//! | `lock.rs` | `lock steal unlock` |

mod backup;
mod commands;
mod conversion;
mod data;
mod lock;
mod monitor;
mod options;
mod rpc;
mod schema;
mod service;
mod usage;
mod wait;

use std::process::ExitCode;

use weir_runtime::program::Fatal;
use weir_runtime::{argv, vlog};

/// Runs the program.
///
/// # Errors
/// Anything that makes it fail, in OVS's words.
pub fn main() -> Result<ExitCode, Fatal> {
    vlog::init();
    match options::parse(&argv::process_args()?)? {
        options::CommandLine::Print(text) => {
            print(&text);
            Ok(ExitCode::SUCCESS)
        }
        options::CommandLine::Run(settings, args) => commands::run(settings, &args),
    }
}

/// Whoever reads may have gone away; that is no error of the tool.
fn print(text: &str) {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
