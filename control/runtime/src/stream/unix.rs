//! Unix domain sockets: names longer than `sockaddr_un` holds, and access modes.

use std::ffi::OsStr;
use std::fs::{File, Permissions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use mio::net::{UnixListener, UnixStream};

/// What `sun_path` holds, less the final zero.
const SUN_PATH: usize = 107;

/// A short name for the same place, which is good for as long as the directory stays open.
struct ShortName {
    path: PathBuf,
    _directory: Option<File>,
}

fn short_name(path: &Path) -> io::Result<ShortName> {
    let bytes = path.as_os_str().len();
    if bytes <= SUN_PATH {
        return Ok(ShortName { path: path.into(), _directory: None });
    }
    let directory = File::open(path.parent().unwrap_or_else(|| Path::new("/")))?;
    let name = path.file_name().unwrap_or_else(|| OsStr::new(""));
    let short = Path::new("/proc/self/fd").join(directory.as_raw_fd().to_string()).join(name);
    if short.as_os_str().len() > SUN_PATH {
        return Err(crate::program::errno(rustix::io::Errno::NAMETOOLONG));
    }
    Ok(ShortName { path: short, _directory: Some(directory) })
}

pub(super) fn connect(path: &Path) -> io::Result<UnixStream> {
    UnixStream::connect(short_name(path)?.path)
}

/// Listens on `path`, which only the owner and the group may use. A socket that was left there is
/// replaced.
pub(super) fn listen(path: &Path) -> io::Result<UnixListener> {
    if let Err(error) = std::fs::remove_file(path)
        && error.kind() == io::ErrorKind::NotFound
        && path.parent().is_some_and(|parent| !parent.exists())
    {
        let text = crate::program::strerror(&error);
        log::warn!(target: "fatal_signal", "could not unlink \"{}\" ({text})", path.display());
    }
    let listener = UnixListener::bind(short_name(path)?.path).inspect_err(|error| {
        let text = crate::program::strerror(error);
        log::error!(target: "stream_unix", "{}: binding failed: {text}", path.display());
    })?;
    // Between bind and here the mode is the umask's: at worst the owner alone could connect.
    let mode = file_mode_with_umask(0o770);
    std::fs::set_permissions(path, Permissions::from_mode(mode))?;
    Ok(listener)
}

/// `mode` without the bits that the process's umask takes away.
pub fn file_mode_with_umask(mode: u32) -> u32 {
    mode & !umask().unwrap_or(0o022)
}

/// The umask, read where reading does not change it.
fn umask() -> Option<u32> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("Umask:"))?;
    u32::from_str_radix(line.trim(), 8).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_work() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("d".repeat(100));
        std::fs::create_dir(&deep).unwrap();
        let path = deep.join("s.sock");
        let listener = listen(&path).unwrap();
        connect(&path).unwrap();
        listener.accept().unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, file_mode_with_umask(0o770));
        // A second listener takes the name over, as after an unclean end.
        listen(&path).unwrap();
    }
}
