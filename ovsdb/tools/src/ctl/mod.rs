//! What the `*ctl` tools of OVSDB share (ovs-vsctl, vtep-ctl): several commands in one call, one
//! transaction, the database commands, and ways to name tables, records and columns.
//!
//! | file | is |
//! | --- | --- |
//! | `tool.rs` | [`Tool`]: what one of the tools is, as data; the program from start to end |
//! | `options.rs` | the options before the first command |
//! | `syntax.rs` | splits the arguments into commands and checks them against the command table |
//! | `listing.rs` | what `--commands` and `--options` print |
//! | `attempt.rs` | runs the commands once, on the replica as it is |
//! | `context.rs` | [`Context`]: what a command works on, the replica and the transaction |
//! | `database.rs` | [`Database`]: the connection, the replica, commits that wait |
//! | `schema_names.rs` | tables and columns by abbreviation |
//! | `record.rs` | records by name, UUID or `@name` |
//! | `value.rs` | `column[:key]=value` |
//! | `interest.rs` | which columns the commands need |
//! | `db/` | `list find get set add remove clear create destroy wait-until comment show` |

mod attempt;
mod context;
mod database;
pub mod db;
mod interest;
mod listing;
mod options;
mod record;
mod schema_names;
mod syntax;
mod tool;
mod value;

pub use attempt::Attempt;
pub use context::{Context, CtlError, Output, ToolState};
pub use database::Database;
pub(crate) use database::split_remotes;
pub use interest::Needs;
pub use options::Settings;
pub use record::{RecordId, TableNames};
pub use syntax::{Arity, Command, CommandTables, Invocation, parse_commands};
pub(crate) use tool::escape_arg;
pub use tool::{AfterCommit, Tool, main};
