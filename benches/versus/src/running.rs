//! A switch's daemons, and the commands that operators give them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::error::{RunError, Step as _};
use crate::process::{Daemon, WorkDir, output};
use crate::programs::Programs;

const START_SECONDS: u64 = 30;

/// Running daemons without a bridge; asked to end on drop.
pub(crate) struct Running<'a> {
    pub(crate) programs: &'a Programs,
    pub(crate) dir: PathBuf,
    // Dropped in this order: the switch before its database.
    vswitchd: Daemon,
    _ovsdb: Option<Daemon>,
}

impl<'a> Running<'a> {
    /// Starts them in a folder of their own.
    pub(crate) fn start(programs: &'a Programs, work: &WorkDir) -> Result<Self, RunError> {
        let dir = work.path().join(programs.name);
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).step(format!("creating {}", dir.display()))?;
        let ovsdb = programs.schema.as_ref().map(|s| start_ovsdb(programs, &dir, s)).transpose()?;
        let log = dir.join("vswitchd.out");
        let mut cmd = in_dir(&programs.vswitchd, &dir);
        // With a database server beside it, it is told where; else it serves its own.
        if ovsdb.is_some() {
            cmd.arg(format!("unix:{}", dir.join("db.sock").display()));
        }
        cmd.arg(format!("--log-file={}", dir.join("vswitchd.log").display()));
        cmd.arg(format!("--unixctl={}", dir.join("vswitchd.ctl").display()));
        let mut vswitchd = Daemon::spawn(cmd.arg("-vconsole:off"), &log)?;
        let up = wait(|| dir.join("db.sock").exists() && dir.join("vswitchd.ctl").exists());
        if !up || vswitchd.ended() {
            let program = programs.vswitchd.display().to_string();
            fs::copy(dir.join("vswitchd.log"), work.path().with_extension("log")).ok();
            return Err(RunError::Start { program, seconds: START_SECONDS, log });
        }
        Ok(Self { programs, dir, vswitchd, _ovsdb: ovsdb })
    }

    fn command(&self, program: &Path) -> Command {
        in_dir(program, &self.dir)
    }

    pub(crate) fn vsctl(&self, args: &[&str]) -> Result<String, RunError> {
        let db = format!("--db=unix:{}", self.dir.join("db.sock").display());
        output(self.command(&self.programs.vsctl).args(["--timeout=60", &db]).args(args))
    }

    pub(crate) fn appctl(&self, args: &[&str]) -> Result<String, RunError> {
        let ctl = self.dir.join("vswitchd.ctl");
        output(self.command(&self.programs.appctl).arg("-t").arg(ctl).args(args))
    }

    pub(crate) fn ofctl(&self, args: &[&str]) -> Result<String, RunError> {
        output(self.command(&self.programs.ofctl).args(args))
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        // Ask first, so that devices are closed; `Daemon` ends what does not listen.
        let _ = self.appctl(&["exit"]);
        wait(|| self.vswitchd.ended());
    }
}

fn start_ovsdb(programs: &Programs, dir: &Path, schema: &Path) -> Result<Daemon, RunError> {
    let (db, sock) = (dir.join("conf.db"), dir.join("db.sock"));
    output(in_dir(&programs.ovsdb_tool, dir).arg("create").arg(&db).arg(schema))?;
    let mut cmd = in_dir(&programs.ovsdb_server, dir);
    cmd.arg(&db).arg(format!("--remote=punix:{}", sock.display()));
    cmd.arg(format!("--unixctl={}", dir.join("ovsdb.ctl").display()));
    let daemon = Daemon::spawn(cmd.arg("-vconsole:off"), &dir.join("ovsdb.out"))?;
    if wait(|| sock.exists()) {
        return Ok(daemon);
    }
    let program = programs.ovsdb_server.display().to_string();
    Err(RunError::Start { program, seconds: START_SECONDS, log: dir.join("ovsdb.out") })
}

fn in_dir(program: &Path, dir: &Path) -> Command {
    let mut cmd = Command::new(program);
    for var in ["OVS_RUNDIR", "OVS_DBDIR", "OVS_LOGDIR", "OVS_SYSCONFDIR"] {
        cmd.env(var, dir);
    }
    cmd
}

fn wait(mut done: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + Duration::from_secs(START_SECONDS);
    while Instant::now() < end {
        if done() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    false
}
