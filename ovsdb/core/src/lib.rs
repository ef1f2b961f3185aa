//! OVSDB: schema, transactions, monitors, log file, the server engine and the client replica.
//!
//! | file | is |
//! | --- | --- |
//! | `error.rs` | [`OvsdbError`]: RFC 7047 errors with OVS's texts |
//! | `members.rs` | reads the members of a JSON object, with OVS's complaints |
//! | `atom.rs` | [`Atom`]: one integer, real, boolean, string or UUID |
//! | `datum.rs` | [`Datum`]: the value of a column, a sorted set or map of atoms |
//! | `types.rs` | [`ColumnType`]: what a column may hold |
//! | `symbol.rs` | [`SymbolTable`]: names that stand for the UUIDs of new rows |
//! | `schema.rs` | [`Schema`], [`TableSchema`], [`ColumnSchema`] |
//! | `schemas.rs` | the schemas that come with Weir |
//! | `cksum.rs` | the checksum in a schema's `cksum` member |
//! | `replica/` | the client: a copy of the tables, and transactions on top of it |
//! | `row.rs` | [`Row`]: the datums of one row, immutable and shared |
//! | `table.rs` | [`Table`]: rows, reference counts, indexes |
//! | `database.rs` | [`Database`]: tables; a clone is a snapshot |
//! | `condition.rs` | [`Condition`]: the `where` of operations and monitors |
//! | `mutation.rs` | the `mutations` of the `mutate` operation |
//! | `txn.rs` | [`Txn`]: executing and committing transactions |
//! | `lockfile.rs` | keeps two processes from writing one file |
//! | `log.rs` | [`log::Log`]: the records of a database file |
//! | `file.rs` | a database in a file: opening, writing, compacting |
//! | `monitor.rs` | [`monitor::Monitor`]: what a client watches, what it has to be told |
//! | `server.rs` | [`Server`]: the engine behind the sockets |
//! | `net/` | the sockets around the engine: listeners, connections, remotes |
//! | `text.rs` | values as people write them on a command line |
#![forbid(unsafe_code)]

pub mod atom;
pub mod cksum;
pub mod condition;
pub mod database;
pub mod datum;
pub mod error;
pub mod file;
pub mod lockfile;
pub mod log;
pub mod members;
pub mod monitor;
pub mod mutation;
pub mod net;
pub mod replica;
pub mod row;
pub mod schema;
pub mod schemas;
pub mod server;
pub mod symbol;
pub mod table;
pub mod text;
pub mod txn;
pub mod types;

pub use atom::Atom;
pub use condition::Condition;
pub use database::Database;
pub use datum::Datum;
pub use error::{OvsdbError, Result};
pub use row::Row;
pub use schema::{ColumnSchema, Schema, TableSchema};
pub use server::{Now, Server, SessionId};
pub use symbol::SymbolTable;
pub use table::Table;
pub use txn::Txn;
pub use types::{AtomicType, BaseType, ColumnType, RefType};
pub use uuid::Uuid;
