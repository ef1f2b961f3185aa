//! Read-copy-update by epochs: the one place where shared tables are published and reclaimed.
