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
//! | `cksum.rs` | the checksum in a schema's `cksum` member |
//! | `replica/` | the client: a copy of the tables, and transactions on top of it |
//! | `text.rs` | values as people write them on a command line |
#![forbid(unsafe_code)]

pub mod atom;
pub mod cksum;
pub mod datum;
pub mod error;
pub mod members;
pub mod replica;
pub mod schema;
pub mod symbol;
pub mod text;
pub mod types;

pub use atom::Atom;
pub use datum::Datum;
pub use error::{OvsdbError, Result};
pub use schema::{ColumnSchema, Schema, TableSchema};
pub use symbol::SymbolTable;
pub use types::{AtomicType, BaseType, ColumnType, RefType};
pub use uuid::Uuid;
