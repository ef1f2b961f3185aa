//! The database server inside ovs-vswitchd: for a machine where nobody runs `ovsdb-server`. It
//! serves the same file on the same socket, so one can be started in its place later.

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use weir_ovsdb::net::ServerIo;
use weir_ovsdb::{Database, Server, file, schemas};
use weir_runtime::clock::Clock;
use weir_runtime::dirs;
use weir_runtime::program::Fatal;
use weir_runtime::reactor::Reactor;

/// The socket on which everybody looks for the database.
#[must_use]
pub fn default_socket() -> PathBuf {
    dirs::rundir().join("db.sock")
}

/// Does somebody serve the default socket?
#[must_use]
pub fn is_served(socket: &Path) -> bool {
    UnixStream::connect(socket).is_ok()
}

/// Opens `DBDIR/conf.db`, which is made if it is not there, and serves it on `socket` and on the
/// managers that it names.
///
/// # Errors
/// The file cannot be opened or made, or is another process's.
pub fn start(socket: &Path, reactor: &Reactor, clock: &Clock) -> Result<ServerIo, Fatal> {
    let path = dirs::dbdir().join("conf.db");
    let mut io = ServerIo::new(Server::new(), reactor, clock.clone());
    if !path.exists() {
        let failed = |e: weir_ovsdb::OvsdbError| Fatal::new(format!("{}: {e}", path.display()));
        let empty = Database::new(schemas::vswitch());
        file::create(&path, &empty, None, clock.wall()).map_err(failed)?;
    }
    let now = io.now();
    let (_, damage) = io.server_mut().open_db(now, &path).map_err(|e| Fatal::new(e.to_string()))?;
    if let Some(damage) = damage {
        log::error!(
            target: "ovsdb_server",
            "{}: {damage}; what came before it is served",
            path.display()
        );
    }
    let remotes = [
        format!("punix:{}", socket.display()),
        "db:Open_vSwitch,Open_vSwitch,manager_options".to_owned(),
    ];
    for remote in &remotes {
        io.add_remote(remote).map_err(|e| Fatal::new(e.to_string()))?;
    }
    io.reconfigure();
    log::info!(
        target: "vswitchd",
        "no database server on {}: serving {} on it",
        socket.display(),
        path.display()
    );
    Ok(io)
}
