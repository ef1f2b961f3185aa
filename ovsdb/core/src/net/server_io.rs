//! The engine with its remotes: all of a database server but the process around it.

use std::collections::{BTreeMap, BTreeSet};

use weir_runtime::clock::{Clock, Msec, earlier};
use weir_runtime::reactor::Reactor;

use super::db_remote::DbRemote;
use super::options::RemoteOptions;
use super::remotes::Remotes;
use crate::server::{Now, Server};

/// How often the status of remotes is written to the database, in milliseconds.
const STATUS_INTERVAL: Msec = 2500;

/// Why a remote cannot be added; the texts are OVS's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RemoteError {
    /// Not `db:DB,TABLE,COLUMN`.
    #[error("\"{0}\": invalid syntax")]
    Syntax(String),
    /// No such database.
    #[error("\"{remote}\": no database named {database}")]
    NoDatabase {
        /// The remote's name.
        remote: String,
        /// What is missing.
        database: String,
    },
    /// No such table.
    #[error("\"{remote}\": no table named {table}")]
    NoTable {
        /// The remote's name.
        remote: String,
        /// What is missing.
        table: String,
    },
    /// No such column.
    #[error("\"{remote}\": table \"{table}\" has no column \"{column}\"")]
    NoColumn {
        /// The remote's name.
        remote: String,
        /// Where it is missing.
        table: String,
        /// What is missing.
        column: String,
    },
}

/// A database server on a main loop. A turn of the loop calls [`ServerIo::run`]; the loop sleeps
/// until [`ServerIo::poll_at`] or until a connection is ready.
#[derive(Debug)]
pub struct ServerIo {
    server: Server,
    remotes: Remotes,
    /// As configured: names of connections, and `db:DB,TABLE,COLUMN`.
    configured: BTreeSet<String>,
    /// What `configured` comes to.
    resolved: BTreeMap<String, RemoteOptions>,
    next_status: Msec,
    clock: Clock,
}

/// The time on `clock`, as the engine wants it.
fn engine_now(clock: &Clock) -> Now {
    Now { mono: clock.now(), wall: clock.wall() }
}

impl ServerIo {
    /// Serves `server` on the loop of `reactor`, with no remotes.
    pub fn new(server: Server, reactor: &Reactor, clock: Clock) -> Self {
        Self {
            server,
            remotes: Remotes::new(reactor),
            configured: BTreeSet::new(),
            resolved: BTreeMap::new(),
            next_status: clock.now() + STATUS_INTERVAL,
            clock,
        }
    }

    /// The engine.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// The engine, to add databases to or to run transactions in.
    pub fn server_mut(&mut self) -> &mut Server {
        &mut self.server
    }

    /// The time, as the engine wants it.
    pub fn now(&self) -> Now {
        engine_now(&self.clock)
    }

    /// Adds a remote: a connection's name or `db:DB,TABLE,COLUMN`. It is opened by the next
    /// [`ServerIo::run`].
    ///
    /// # Errors
    /// There is no such column. A connection that cannot be opened is no error: it is tried again.
    pub fn add_remote(&mut self, name: &str) -> Result<(), RemoteError> {
        if DbRemote::is_one(name) {
            DbRemote::parse(name)?.check(name, &self.server)?;
        }
        self.configured.insert(name.into());
        Ok(())
    }

    /// Removes a remote. False if there is none of this name.
    pub fn remove_remote(&mut self, name: &str) -> bool {
        self.configured.remove(name)
    }

    /// The remotes as they were added.
    pub fn remotes(&self) -> impl Iterator<Item = &str> {
        self.configured.iter().map(String::as_str)
    }

    /// Breaks all connections, so that clients connect anew.
    pub fn reconnect(&mut self) {
        self.remotes.reconnect(self.clock.now());
    }

    /// Opens and closes remotes as configured, in particular in the database.
    pub fn reconfigure(&mut self) {
        let mut wanted = BTreeMap::new();
        for name in &self.configured {
            if let Ok(db_remote) = DbRemote::parse(name) {
                db_remote.query(name, &self.server, &mut wanted);
            } else {
                wanted.insert(name.clone(), RemoteOptions::default_for(name));
            }
        }
        if wanted != self.resolved {
            self.remotes.set(self.clock.now(), &wanted, &mut self.server);
            self.resolved = wanted;
        }
    }

    /// Serves whoever is ready.
    pub fn run(&mut self) {
        let now = self.now();
        self.reconfigure();
        self.remotes.run(now, &mut self.server);
        // A transaction may have changed the remotes.
        self.reconfigure();
        if now.mono >= self.next_status {
            self.next_status = now.mono + STATUS_INTERVAL;
            self.write_status(now);
        }
    }

    fn write_status(&mut self, now: Now) {
        for name in &self.configured {
            if let Ok(db_remote) = DbRemote::parse(name) {
                db_remote.write_status(name, now, &mut self.server, &self.remotes);
            }
        }
        self.remotes.run(now, &mut self.server);
    }

    /// When [`ServerIo::run`] has something to do.
    pub fn poll_at(&self) -> Option<Msec> {
        let due = earlier(self.server.poll_at(), self.remotes.poll_at(self.clock.now()));
        let has_status = self.configured.iter().any(|name| DbRemote::is_one(name));
        earlier(due, has_status.then_some(self.next_status))
    }

    /// Ends all connections.
    pub fn close(&mut self) {
        self.remotes.close(&mut self.server);
        self.resolved.clear();
    }
}
