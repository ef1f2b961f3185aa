//! JSON-RPC over streams: one connection, a session that reconnects, and a blocking client for
//! tools.

mod connection;

pub use connection::Connection;
