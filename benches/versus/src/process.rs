//! Child processes that end with their owner, and the folder they live in.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::error::{RunError, Step as _};

/// A folder for sockets, databases, captures and logs; removed on drop.
pub(crate) struct WorkDir(PathBuf);

impl WorkDir {
    pub(crate) fn new() -> Result<Self, RunError> {
        let path = std::env::temp_dir().join(format!("versus-{}", std::process::id()));
        fs::create_dir_all(&path).step(format!("creating {}", path.display()))?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for WorkDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A process that is ended, by its own pid, when this is dropped.
#[derive(Debug)]
pub(crate) struct Daemon(Child);

impl Daemon {
    /// Starts `command` with its output in `log`.
    pub(crate) fn spawn(command: &mut Command, log: &Path) -> Result<Self, RunError> {
        let out = File::create(log).step(format!("creating {}", log.display()))?;
        let err = out.try_clone().step("duplicating the log's descriptor")?;
        command.stdin(Stdio::null()).stdout(out).stderr(err);
        Ok(Self(command.spawn().step(format!("starting {:?}", command.get_program()))?))
    }

    /// Has it ended by itself?
    pub(crate) fn ended(&mut self) -> bool {
        self.0.try_wait().is_ok_and(|s| s.is_some())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if self.ended() {
            return;
        }
        let pid = self.0.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
        for _ in 0..100 {
            if self.ended() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a command to its end and returns what it printed.
pub(crate) fn output(command: &mut Command) -> Result<String, RunError> {
    let text = format!("{command:?}");
    let out = command.stdin(Stdio::null()).output().step(text.clone())?;
    if !out.status.success() {
        return Err(RunError::Command {
            command: text,
            status: out.status.to_string(),
            stderr: String::from_utf8_lossy(&out.stderr).trim().to_owned(),
        });
    }
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}
