//! The server's I/O: listeners and connections around the engine in [`crate::server`].
//!
//! `ovsdb-server` and the database that `ovs-vswitchd` embeds are both a [`ServerIo`] on a main
//! loop.
//!
//! | file | is |
//! | --- | --- |
//! | `server_io.rs` | the engine with its remotes: what a program embeds |
//! | `remotes.rs` | which remotes are open, and their connections |
//! | `peer.rs` | one connection: bytes to messages to the engine and back |
//! | `options.rs` | how a remote is to be served |
//! | `status.rs` | what is known about a remote, for the database |
//! | `db_remote.rs` | remotes that are rows or strings in a database: `db:DB,TABLE,COLUMN` |

mod db_remote;
mod options;
mod peer;
mod remotes;
mod server_io;
mod status;
#[cfg(test)]
mod tests;

pub use db_remote::DbRemote;
pub use options::RemoteOptions;
pub use remotes::Remotes;
pub use server_io::{RemoteError, ServerIo};
pub use status::RemoteStatus;
