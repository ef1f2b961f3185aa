//! What must happen before the process ends, however it ends: remove sockets and pid files.
//!
//! Hooks run at most once, on a normal exit as well as on a signal that is handled by
//! [`crate::signals`].

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

static FILES: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn files() -> MutexGuard<'static, Vec<PathBuf>> {
    FILES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Remembers to delete `path` when the process ends.
pub fn unlink_at_exit(path: &Path) {
    let mut files = files();
    if !files.iter().any(|f| f == path) {
        files.push(path.into());
    }
}

/// Forgets what [`unlink_at_exit`] was told about `path`.
pub fn forget(path: &Path) {
    files().retain(|f| f != path);
}

/// Deletes `path` now and forgets it.
///
/// # Errors
/// The file cannot be deleted.
pub fn unlink_now(path: &Path) -> io::Result<()> {
    forget(path);
    std::fs::remove_file(path)
}

/// Does what was remembered. The end of the program, normal or not, calls this.
pub fn run_hooks() {
    for file in std::mem::take(&mut *files()) {
        let _ = std::fs::remove_file(file);
    }
}
