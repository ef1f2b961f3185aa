//! [`SharedSlowPath`]: the slow path as the threads hold it.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use weir_flow::SlowPath;

/// A handle of the slow path, which need not be printable itself.
#[derive(Clone)]
pub(crate) struct SharedSlowPath(pub(crate) Arc<dyn SlowPath>);

impl Deref for SharedSlowPath {
    type Target = dyn SlowPath;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

impl fmt::Debug for SharedSlowPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SlowPath")
    }
}
