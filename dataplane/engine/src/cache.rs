//! Caches in front of the megaflow table.

pub(crate) mod emc;
