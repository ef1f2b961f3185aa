//! The databases of a server, and `_Server`, the one that tells about them.

use std::path::Path;
use std::sync::Arc;

use uuid::Uuid;
use weir_jsonrpc::{Json, Message, array};

use super::{Now, Server, SessionId};
use crate::database::Database;
use crate::datum::Datum;
use crate::error::{OvsdbError, Result, tag};
use crate::file::{self, Opened, Storage};
use crate::monitor::History;
use crate::row::Row;
use crate::schema::Schema;
use crate::schemas;
use crate::txn::{Changes, Txn};

/// How a database is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    /// By this server alone.
    Standalone,
}

impl Model {
    /// Its name in `_Server.Database.model`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Standalone => "standalone",
        }
    }
}

/// A database of a server.
#[derive(Debug)]
pub struct Db {
    database: Database,
    storage: Option<Storage>,
    history: History,
    /// It changed since the waiting transactions were tried.
    pub(super) changed: bool,
    /// Its row in `_Server.Database`.
    row: Uuid,
    /// The last write failed, and that was logged.
    refusing: bool,
}

impl Db {
    /// Its content.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Its file, if it has one.
    pub fn storage(&self) -> Option<&Storage> {
        self.storage.as_ref()
    }

    /// Its last transactions.
    pub fn history(&self) -> &History {
        &self.history
    }

    pub(super) fn compaction_at(&self) -> Option<i64> {
        self.storage.as_ref()?.poll_at()
    }

    /// Makes `next`, which `changes` led to, the content, after it has been written down.
    pub(super) fn commit(
        &mut self,
        now: Now,
        next: Database,
        changes: Changes,
    ) -> Result<Arc<Changes>> {
        if let Some(storage) = &mut self.storage {
            storage.write(&self.database, &changes, now.wall)?;
        }
        let changes = Arc::new(changes);
        self.database = next;
        self.history.push(changes.clone());
        self.changed = true;
        Ok(changes)
    }

    /// Logs that the file cannot be written any more, or can be again: once, not for each
    /// transaction.
    pub(super) fn note_written(&mut self, name: &str, error: Option<&OvsdbError>) {
        match (error, self.refusing) {
            (Some(e), false) => ::log::error!(
                target: "ovsdb_server",
                "{name}: transactions are refused until the file can be written: {e}"
            ),
            (None, true) => {
                ::log::info!(target: "ovsdb_server", "{name}: the file can be written again");
            }
            _ => {}
        }
        self.refusing = error.is_some();
    }

    pub(super) fn sync(&mut self) -> Result<()> {
        self.storage.as_mut().map_or(Ok(()), Storage::sync)
    }
}

impl Server {
    /// The names of the databases.
    pub fn db_names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.databases.keys()
    }

    /// The database called `name`.
    pub fn db(&self, name: &str) -> Option<&Db> {
        self.databases.get(name)
    }

    /// Opens the database file at `path` and adds its database; returns its name and what was
    /// wrong with the end of the file.
    ///
    /// # Errors
    /// The file cannot be opened, or there is a database of that name already.
    pub fn open_db(&mut self, now: Now, path: &Path) -> Result<(Arc<str>, Option<OvsdbError>)> {
        let Opened { database, storage, damage } = file::open(path, false, now.mono)?;
        let name = self.add_db(now, database, storage)?;
        Ok((name, damage))
    }

    /// Adds a database, kept in `storage` if there is one, and returns its name.
    ///
    /// # Errors
    /// There is a database of that name already, or the name is reserved.
    pub fn add_db(
        &mut self,
        now: Now,
        database: Database,
        storage: Option<Storage>,
    ) -> Result<Arc<str>> {
        let name = database.schema().name.clone();
        if name.starts_with('_') || self.databases.contains_key(&name) {
            let text = format!("{name}: duplicate database name");
            return Err(OvsdbError::new(tag::OVSDB, text));
        }
        self.insert_db(name.clone(), database, storage);
        self.tell_of_database(now, &name);
        self.reconnect_unaware(&format!("adding {name} database"), None);
        Ok(name)
    }

    /// Removes the database called `name`; its monitors are cancelled. Returns whether there was
    /// one.
    pub fn remove_db(&mut self, now: Now, name: &str) -> bool {
        if name.starts_with('_') {
            return false;
        }
        let Some(db) = self.databases.remove(name) else { return false };
        self.cancel_monitors_of(name);
        self.abandon_transactions_of(name);
        self.change_server_database(now, |txn| {
            txn.delete((0, db.row));
        });
        self.reconnect_unaware(&format!("removing {name} database"), None);
        true
    }

    /// Gives the database called `name` another schema; its data has to fit it.
    ///
    /// # Errors
    /// The data does not fit, or the new file cannot be written.
    pub(super) fn convert_db(
        &mut self,
        now: Now,
        session: SessionId,
        name: &str,
        schema: Schema,
    ) -> Result<()> {
        let Some(db) = self.databases.get_mut(name) else {
            return Err(OvsdbError::new(tag::UNKNOWN_DATABASE, format!("no database {name}")));
        };
        if *schema.name != *name {
            let text = format!("schema is for database \"{}\", not for \"{name}\"", schema.name);
            return Err(OvsdbError::new(tag::SYNTAX, text));
        }
        let converted = file::convert(&db.database, Arc::new(schema))?;
        if let Some(storage) = &mut db.storage {
            storage.compact(&converted, "converted by ovsdb-server", now.wall, now.mono)?;
        }
        db.database = converted;
        db.history = History::default();
        db.changed = true;
        let name: Arc<str> = name.into();
        self.cancel_monitors_of(&name);
        self.tell_of_database(now, &name);
        self.reconnect_unaware(&format!("database {name} converted"), Some(session));
        Ok(())
    }

    /// Replaces the log of the database called `name` by a snapshot.
    ///
    /// # Errors
    /// There is no such database, or the operating system refused.
    pub fn compact(&mut self, now: Now, name: &str) -> Result<()> {
        let Some(db) = self.databases.get_mut(name) else {
            return Err(OvsdbError::new(tag::OVSDB, "not a valid database name"));
        };
        // What waits for the disk is in the snapshot, which is synced.
        let done = db.storage.as_mut().map_or(Ok(()), |storage| {
            storage.compact(&db.database, "compacting database online", now.wall, now.mono)
        });
        self.run_parked();
        done
    }

    pub(super) fn run_compaction(&mut self, now: Now) {
        let due: Vec<Arc<str>> = self
            .databases
            .iter()
            .filter(|(_, db)| db.storage.as_ref().is_some_and(|s| s.wants_compaction(now.mono)))
            .map(|(name, _)| name.clone())
            .collect();
        for name in due {
            ::log::info!(target: "ovsdb_server", "{name}: compacting database online");
            if let Err(e) = self.compact(now, &name) {
                ::log::warn!(target: "ovsdb_server", "{name}: {e}");
            }
        }
    }

    pub(super) fn add_server_database(&mut self) {
        let database = Database::new(schemas::server());
        let name = database.schema().name.clone();
        self.insert_db(name.clone(), database, None);
        self.tell_of_database(Now::default(), &name);
    }

    fn insert_db(&mut self, name: Arc<str>, database: Database, storage: Option<Storage>) {
        let db = Db {
            database,
            storage,
            history: History::default(),
            changed: false,
            row: Uuid::new_v4(),
            refusing: false,
        };
        self.databases.insert(name, db);
    }

    /// Brings the row of the database called `name` in `_Server` up to date.
    fn tell_of_database(&mut self, now: Now, name: &str) {
        let Some(db) = self.databases.get(name) else { return };
        let (uuid, text) = (db.row, db.database.schema().to_json().to_string());
        let Some(table) = schemas::server().tables.first().cloned() else { return };
        let mut row = Row::new(&table, uuid);
        for (column, datum) in [
            ("name", Datum::scalar(name)),
            ("model", Datum::scalar(Model::Standalone.name())),
            ("connected", Datum::scalar(true)),
            ("leader", Datum::scalar(true)),
            ("schema", Datum::scalar(text)),
        ] {
            if let Some(index) = table.column_index(column) {
                row.set(index, Arc::new(datum));
            }
        }
        self.change_server_database(now, |txn| txn.insert(0, row));
    }

    fn change_server_database(&mut self, now: Now, change: impl FnOnce(&mut Txn)) {
        let name = schemas::server().name.clone();
        let Some(db) = self.databases.get_mut(&name) else { return };
        let mut txn = Txn::new(&db.database);
        change(&mut txn);
        let committed = txn.prepare().and_then(|(next, changes)| db.commit(now, next, changes));
        match committed {
            Ok(changes) => self.note_changes(&name, &changes),
            Err(e) => ::log::error!(target: "ovsdb_server", "failed to update _Server: {e}"),
        }
    }

    /// Clients that do not follow `_Server` learn of a change by having to connect anew; `except`
    /// the one that asked for it.
    fn reconnect_unaware(&mut self, why: &str, except: Option<SessionId>) {
        for (&id, session) in &mut self.sessions {
            if !session.change_aware && Some(id) != except {
                session.close.get_or_insert_with(|| why.to_owned());
            }
        }
    }

    fn cancel_monitors_of(&mut self, name: &str) {
        let mut canceled = Vec::new();
        for (&id, session) in &mut self.sessions {
            session.monitors.retain(|monitor| {
                let stays = *monitor.database != *name;
                if !stays && session.change_aware {
                    canceled.push((id, monitor.id.clone()));
                }
                stays
            });
        }
        for (id, monitor) in canceled {
            let Json::Array(params) = array![monitor] else { continue };
            self.notify(id, Message::notification("monitor_canceled", params));
        }
    }
}
