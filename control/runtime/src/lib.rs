//! What every daemon and tool shares: logging, daemonizing, unixctl, streams, reconnection, clock, command lines.
