//! The server that is killed, and the directory that outlives it.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use weir_ovsdb::database::Database;
use weir_ovsdb::{file, schemas};
use weir_runtime::{jsonrpc, unixctl};

use super::random::Random;

/// Who serves the database.
#[derive(Debug)]
pub(crate) enum Kind {
    /// This `ovsdb-server`.
    Standalone(PathBuf),
    /// This `ovs-vswitchd`, which finds no server and is one itself.
    Embedded(PathBuf),
}

/// A directory with a database in which one server runs at a time.
#[derive(Debug)]
pub(crate) struct Place {
    dir: TempDir,
    kind: Kind,
}

/// A server, which is killed when this goes.
#[derive(Debug)]
pub(crate) struct Running(Child);

impl Running {
    /// SIGKILL, at once.
    pub(crate) fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Place {
    pub(crate) fn new(kind: Kind) -> Self {
        Self::new_in(kind, &std::env::temp_dir())
    }

    /// A place on another disk.
    pub(crate) fn new_in(kind: Kind, parent: &Path) -> Self {
        let dir = tempfile::tempdir_in(parent).unwrap();
        let database = Database::new(schemas::vswitch());
        file::create(&dir.path().join("conf.db"), &database, None, 0).unwrap();
        Self { dir, kind }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Starts the server; [`Place::connect`] waits for it.
    pub(crate) fn start(&self) -> Running {
        let (program, name, args): (_, _, &[&str]) = match &self.kind {
            Kind::Standalone(program) => (program, "ovsdb-server", &["--remote=punix:db.sock"]),
            Kind::Embedded(program) => (program, "ovs-vswitchd", &["--enable-dummy=override"]),
        };
        let mut command = Command::new(program);
        command.arg0(name).args(args);
        command.args(["--log-file=server.log", "--unixctl=server.ctl", "-vconsole:off"]);
        command.stderr(Stdio::null());
        for variable in ["OVS_RUNDIR", "OVS_LOGDIR", "OVS_DBDIR", "OVS_SYSCONFDIR"] {
            command.env(variable, self.dir.path());
        }
        command.current_dir(self.dir.path()).stdin(Stdio::null());
        Running(command.spawn().unwrap())
    }

    /// A connection to the server, as soon as there is one.
    pub(crate) fn connect(&self) -> jsonrpc::Client {
        let target = format!("unix:{}", self.path("db.sock").display());
        let give_up = Instant::now() + Duration::from_secs(60);
        loop {
            match jsonrpc::Client::connect(&target, None) {
                Ok(client) => return client,
                Err(error) => {
                    let log = self.server_log();
                    assert!(Instant::now() < give_up, "nobody serves: {error}; log:\n{log}");
                    std::thread::sleep(Duration::from_millis(2));
                }
            }
        }
    }

    /// Runs a command of the control socket; whoever asks does not care for the answer.
    pub(crate) fn control(&self, command: &str) {
        if let Ok(mut client) = unixctl::Client::connect(&self.path("server.ctl")) {
            let _ = client.transact(command, &[]);
        }
    }

    pub(crate) fn server_log(&self) -> String {
        std::fs::read_to_string(self.path("server.log")).unwrap_or_default()
    }

    /// How often servers said that the log is damaged.
    pub(crate) fn damage_reports(&self) -> usize {
        self.server_log().lines().filter(|line| line.contains("|ERR|")).count()
    }

    pub(crate) fn log_len(&self) -> u64 {
        std::fs::metadata(self.path("conf.db")).unwrap().len()
    }

    /// Damages the log behind its first `whole` bytes: cut short (0), zeros (1), a changed byte (2).
    pub(crate) fn damage_behind(&self, whole: u64, how: u32, random: &mut Random) {
        let len = self.log_len();
        let mut file: File =
            OpenOptions::new().read(true).write(true).open(self.path("conf.db")).unwrap();
        let cut = whole + 1 + random.below(len - whole - 1);
        match how {
            0 => file.set_len(cut).unwrap(),
            1 => {
                file.set_len(cut).unwrap();
                file.set_len(len).unwrap();
            }
            _ => {
                // In the record's body, which its checksum covers.
                let at = len - 2 - random.below((len - whole) / 4);
                file.seek(SeekFrom::Start(at)).unwrap();
                file.write_all(&[0]).unwrap();
            }
        }
    }
}
