//! JSON values as OVS reads and prints them, JSON-RPC framing and messages.
