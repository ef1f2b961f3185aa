//! The control sockets `RUNDIR/PROGRAM.PID.ctl`, by which `ovs-appctl` commands a daemon.
//!
//! | file | is |
//! | --- | --- |
//! | `command.rs` | the table of commands and what they answer |
//! | `server.rs` | the socket's server side |
//! | `client.rs` | the client side, for `ovs-appctl` |
//! | `builtin.rs` | commands that every daemon has |

mod builtin;
mod client;
mod command;
mod server;

pub use builtin::register;
pub use client::{Client, TransactError, find_target};
pub use command::{Answer, CommandResult, Commands, Format, Outcome, Reply};
pub use server::Server;
