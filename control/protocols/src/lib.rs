//! Link protocols as sans-I/O state machines.
