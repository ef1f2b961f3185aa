//! JSON-RPC over streams: one connection, a session that reconnects, and a blocking client for
//! tools.

mod client;
mod connection;
mod session;

pub use client::Client;
pub use connection::Connection;
pub use session::Session;
