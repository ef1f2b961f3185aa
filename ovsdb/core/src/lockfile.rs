//! The lock that keeps two processes from writing one file: an fcntl(2) write lock on
//! `.NAME.~lock~` beside the file `NAME`, as OVS takes it.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rustix::fs::{FlockOperation, fcntl_lock};
use rustix::io::Errno;
use rustix::process::{Flock, FlockType, fcntl_getlk};

/// The locks of this process, by device and inode: fcntl(2) does not guard a process against
/// itself.
static HELD: Mutex<BTreeSet<(u64, u64)>> = Mutex::new(BTreeSet::new());

/// A lock; dropping it gives it back. The lock file stays.
#[derive(Debug)]
pub struct LockFile {
    _file: File,
    key: (u64, u64),
}

/// The lock file of `path`, symbolic links followed.
pub fn lock_name(path: &Path) -> PathBuf {
    let path = match std::fs::canonicalize(path) {
        Ok(target) if path.is_symlink() => target,
        _ => path.to_owned(),
    };
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".~lock~");
    path.with_file_name(name)
}

impl LockFile {
    /// Locks `path`, without waiting.
    ///
    /// # Errors
    /// `EAGAIN` if another process has the lock, `EDEADLK` if this one has.
    pub fn lock(path: &Path) -> io::Result<Self> {
        let name = lock_name(path);
        let shown = name.display();
        let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
        // Opening and closing a lock file that this process holds would give up the lock, so look
        // before opening.
        if let Ok(known) = std::fs::metadata(&name)
            && held.contains(&(known.dev(), known.ino()))
        {
            ::log::warn!(target: "lockfile", "{shown}: cannot lock file because this process has already locked it");
            return Err(Errno::DEADLK.into());
        }
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&name)
            .inspect_err(|e| {
                ::log::warn!(target: "lockfile", "{shown}: failed to open lock file: {e}");
            })?;
        let metadata = file.metadata()?;
        let key = (metadata.dev(), metadata.ino());
        if let Err(error) = fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
            let holder = fcntl_getlk(&file, &Flock::from(FlockType::WriteLock));
            match holder.ok().flatten().and_then(|holder| holder.pid) {
                Some(pid) => ::log::warn!(
                    target: "lockfile",
                    "{shown}: cannot lock file because it is already locked by pid {}",
                    pid.as_raw_nonzero()
                ),
                None => ::log::warn!(target: "lockfile", "{shown}: failed to lock file: {error}"),
            }
            return Err(match error {
                Errno::ACCESS => Errno::AGAIN.into(),
                other => other.into(),
            });
        }
        held.insert(key);
        Ok(Self { _file: file, key })
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        HELD.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holder_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("conf.db");
        std::fs::write(&path, "").unwrap();
        let lock = LockFile::lock(&path).unwrap();
        assert!(dir.path().join(".conf.db.~lock~").exists());
        let error = LockFile::lock(&path).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(Errno::DEADLK.raw_os_error()));
        drop(lock);
        LockFile::lock(&path).unwrap();
    }
}
