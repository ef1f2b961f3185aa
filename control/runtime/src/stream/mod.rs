//! Connections by name: active `unix: tcp: ssl:` ([`Stream`]) and passive `punix: ptcp: pssl:`
//! ([`Listener`]), never blocking.

mod active;
mod dns;
pub mod name;
mod passive;
mod unix;

pub use active::{Stream, StreamInfo};
pub use name::{HostPort, NameError, OPENFLOW_PORT, OVSDB_PORT, Target, TargetError};
pub use passive::Listener;
pub use unix::file_mode_with_umask;
