//! The packet engine: PMD threads, ports, flow caches, megaflow table and action execution.
