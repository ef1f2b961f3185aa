//! Pid files: made, locked for as long as the daemon lives, and read by whoever looks for it.
//!
//! The lock is a POSIX record lock, as OVS takes it, so that each finds the other's daemons. Such a
//! lock goes when the process closes *any* descriptor of the file; nothing here opens a pid file
//! of its own process a second time.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rustix::fs::{FlockOperation, fcntl_lock};
use rustix::io::Errno;
use rustix::process::{Flock, FlockOffsetType, FlockType, fcntl_getlk};

use crate::program::{Fatal, errno, strerror};
use crate::{dirs, program};

/// This process's own pid file: device, inode.
static OWN: Mutex<Option<(u64, u64)>> = Mutex::new(None);

/// A pid file that this process holds. Dropping it lets go of the lock but leaves the file.
#[derive(Debug)]
pub struct PidFile {
    path: PathBuf,
    _locked: File,
}

/// The name of a pid file: `RUNDIR/PROGRAM.pid` unless given; relative names are in `RUNDIR`.
pub fn path(name: Option<&str>) -> PathBuf {
    let default = format!("{}.pid", program::name());
    dirs::absolute(&dirs::rundir(), name.unwrap_or(&default))
}

/// The process that holds the lock on `file`, if another does.
fn holder(file: &File) -> io::Result<Option<i32>> {
    let question = Flock {
        start: 0,
        length: 0,
        pid: None,
        typ: FlockType::WriteLock,
        offset_type: FlockOffsetType::Set,
    };
    let answer = fcntl_getlk(file, &question)?;
    Ok(answer.and_then(|lock| lock.pid).map(|pid| pid.as_raw_nonzero().get()))
}

/// The process id of the daemon that holds the pid file `path`.
///
/// # Errors
/// There is no such file (logged), or nobody holds it ("No such process").
pub fn read(path: &Path) -> io::Result<i32> {
    let metadata = std::fs::metadata(path).inspect_err(|error| {
        log::warn!(target: "daemon_unix", "{}: open: {}", path.display(), strerror(error));
    })?;
    let own = *OWN.lock().unwrap_or_else(PoisonError::into_inner);
    if own == Some((metadata.dev(), metadata.ino())) {
        return Ok(i32::try_from(std::process::id()).unwrap_or(i32::MAX));
    }
    let mut file = OpenOptions::new().read(true).write(true).open(path).inspect_err(|error| {
        log::warn!(target: "daemon_unix", "{}: open: {}", path.display(), strerror(error));
    })?;
    let Some(pid) = holder(&file)? else {
        return Err(errno(Errno::SRCH));
    };
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    match text.trim().parse::<i32>() {
        Ok(written) if written == pid => Ok(pid),
        _ => {
            log::warn!(
                target: "daemon_unix",
                "{}: stale pidfile for pid {} being deleted by pid {pid}",
                path.display(),
                text.trim()
            );
            Err(errno(Errno::SRCH))
        }
    }
}

/// Fails if a live process holds `path`, as `--pidfile` does without `--overwrite-pidfile`.
///
/// # Errors
/// "already running as pid N, aborting".
pub fn check_not_running(path: &Path) -> Result<(), Fatal> {
    if !path.exists() {
        return Ok(());
    }
    match read(path) {
        Ok(pid) => {
            Err(Fatal::new(format!("{}: already running as pid {pid}, aborting", path.display())))
        }
        Err(error) if error.raw_os_error() == Some(Errno::SRCH.raw_os_error()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Fatal::new(format!(
            "{}: pidfile check failed ({}), aborting",
            path.display(),
            strerror(&error)
        ))),
    }
}

impl PidFile {
    /// Writes this process's id to `path`, holding it from now on.
    ///
    /// # Errors
    /// The file cannot be made, or another process holds it.
    pub fn create(path: &Path, overwrite: bool) -> Result<Self, Fatal> {
        if !overwrite {
            check_not_running(path)?;
        }
        // Written and locked under another name, so that nobody ever sees it unlocked.
        let mut tmp = path.as_os_str().to_owned();
        tmp.push(".tmp");
        let tmp = PathBuf::from(tmp);
        let failed = |step: &'static str| {
            let tmp = tmp.display().to_string();
            move |error: io::Error| Fatal::os(&error, format_args!("{tmp}: {step} failed"))
        };
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&tmp)
            .map_err(failed("create"))?;
        fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive)
            .map_err(io::Error::from)
            .map_err(failed("fcntl(F_SETLK)"))?;
        file.set_len(0).map_err(failed("truncate"))?;
        file.write_all(format!("{}\n", std::process::id()).as_bytes()).map_err(failed("write"))?;
        let metadata = file.metadata().map_err(failed("stat"))?;
        std::fs::rename(&tmp, path).map_err(|error| {
            let (tmp, path) = (tmp.display(), path.display());
            Fatal::os(&error, format_args!("failed to rename \"{tmp}\" to \"{path}\""))
        })?;
        *OWN.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((metadata.dev(), metadata.ino()));
        crate::exit::unlink_at_exit(path);
        Ok(Self { path: path.into(), _locked: file })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_nobody_holds() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.pid");
        assert_eq!(read(&path).unwrap_err().kind(), io::ErrorKind::NotFound);
        for text in ["", "foo\n", "99999\n"] {
            std::fs::write(&path, text).unwrap();
            let error = read(&path).unwrap_err();
            assert_eq!(strerror(&error), "No such process");
            check_not_running(&path).unwrap();
        }
    }

    #[test]
    fn our_own_is_held() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.pid");
        let file = PidFile::create(&path, false).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{}\n", std::process::id()));
        assert_eq!(read(file.path()).unwrap() as u32, std::process::id());
        let error = check_not_running(&path).unwrap_err();
        assert!(error.message.ends_with(", aborting"));
        let missing = PidFile::create(Path::new("/nonexistent/foo"), true).unwrap_err();
        assert_eq!(
            missing.message,
            "/nonexistent/foo.tmp: create failed (No such file or directory)"
        );
    }
}
