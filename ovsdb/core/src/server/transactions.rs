//! Transactions on their way: executed, waiting for a condition, written down, waiting for the
//! disk, answered.

use std::sync::Arc;

use weir_jsonrpc::{Json, Message};

use super::locks::Standing;
use super::{MAX_WAITING, Now, Server, SessionId};
use crate::error::{OvsdbError, Result, tag};
use crate::txn::{Changes, Execution, Outcome, execute};

/// A transaction that waits for its `wait` operations to come true.
#[derive(Debug)]
pub(super) struct Waiting {
    /// `None` for a transaction of the server's own process.
    pub(super) session: Option<SessionId>,
    database: Arc<str>,
    request: Json,
    operations: Vec<Json>,
    since: i64,
    timeout_ms: Option<u64>,
}

impl Waiting {
    /// When it has to be given up.
    pub(super) fn deadline(&self) -> Option<i64> {
        let timeout = i64::try_from(self.timeout_ms?).unwrap_or(i64::MAX);
        Some(self.since.saturating_add(timeout))
    }
}

/// A transaction that has happened and whose answer waits for the disk.
#[derive(Debug)]
pub(super) struct Parked {
    pub(super) session: SessionId,
    database: Arc<str>,
    request: Json,
    results: Vec<Json>,
}

/// What came of a try.
enum Tried {
    Answer(Vec<Json>),
    AnswerWhenDurable(Vec<Json>),
    NotYet(Option<u64>),
}

impl Server {
    /// Executes `operations` for the server's own process, which may write everything but
    /// reserved databases; `wait` does not wait. Durable when it returns, if `commit` asks for it.
    /// Returns the results as `transact` would.
    ///
    /// # Errors
    /// There is no database called `name`.
    pub fn transact(&mut self, now: Now, name: &str, operations: &[Json]) -> Result<Vec<Json>> {
        match self.try_transaction(now, None, name, operations, 0, false)? {
            Tried::Answer(results) => Ok(results),
            Tried::AnswerWhenDurable(results) => Ok(self.sync(name, results)),
            Tried::NotYet(_) => Ok(Vec::new()),
        }
    }

    /// The `transact` method.
    pub(super) fn start_transaction(
        &mut self,
        now: Now,
        session: SessionId,
        database: Arc<str>,
        mut params: Vec<Json>,
        request: Json,
    ) {
        if self.is_outstanding(session, &request) {
            let text = "transact: duplicate request ID";
            let error = OvsdbError::syntax(&Json::Array(params), text);
            return self.send(session, Message::error(error.to_json(), request));
        }
        let operations = if params.is_empty() { params } else { params.split_off(1) };
        let waiting = Waiting {
            session: Some(session),
            database,
            request,
            operations,
            since: now.mono,
            timeout_ms: None,
        };
        if let Some(waiting) = self.advance(now, waiting) {
            let mine = self.waiting.iter().filter(|other| other.session == Some(session)).count();
            if mine >= MAX_WAITING {
                let error = OvsdbError::new("resources exhausted", "too many waiting transactions");
                self.send(session, Message::error(error.to_json(), waiting.request));
            } else {
                self.waiting.push(waiting);
            }
        }
    }

    /// The `cancel` notification. What has already happened is answered in its own time.
    pub(super) fn cancel(&mut self, session: SessionId, request: &Json) {
        let position = self
            .waiting
            .iter()
            .position(|waiting| waiting.session == Some(session) && waiting.request == *request);
        if let Some(at) = position {
            let waiting = self.waiting.remove(at);
            self.send(session, Message::error("canceled", waiting.request));
        }
    }

    fn is_outstanding(&self, session: SessionId, request: &Json) -> bool {
        let waits = |w: &Waiting| w.session == Some(session) && w.request == *request;
        let is_parked = |p: &Parked| p.session == session && p.request == *request;
        self.waiting.iter().any(waits) || self.parked.iter().any(is_parked)
    }

    /// Tries a transaction; hands it back if it has to wait on.
    fn advance(&mut self, now: Now, mut waiting: Waiting) -> Option<Waiting> {
        let session = waiting.session?;
        let elapsed = u64::try_from(now.mono.saturating_sub(waiting.since)).unwrap_or(0);
        let tried = self.try_transaction(
            now,
            Some(session),
            &waiting.database,
            &waiting.operations,
            elapsed,
            true,
        );
        let Waiting { database, request, .. } = &waiting;
        match tried {
            Ok(Tried::Answer(results)) => {
                self.send(session, Message::reply(results, request.clone()));
            }
            Ok(Tried::AnswerWhenDurable(results)) => {
                let (database, request) = (database.clone(), request.clone());
                self.parked.push(Parked { session, database, request, results });
            }
            Ok(Tried::NotYet(timeout_ms)) => {
                waiting.timeout_ms = timeout_ms;
                return Some(waiting);
            }
            Err(e) => self.send(session, Message::error(e.to_json(), request.clone())),
        }
        None
    }

    fn try_transaction(
        &mut self,
        now: Now,
        session: Option<SessionId>,
        name: &str,
        operations: &[Json],
        elapsed_ms: u64,
        may_wait: bool,
    ) -> Result<Tried> {
        let Some(db) = self.databases.get_mut(name) else {
            let text = format!("no database named {name}");
            return Err(OvsdbError::new(tag::UNKNOWN_DATABASE, text));
        };
        let locks = &self.locks;
        let owns_lock = |lock: &str| {
            session.is_none_or(|session| locks.standing(session, lock) == Some(Standing::Owner))
        };
        let read_only =
            session.and_then(|id| self.sessions.get(&id)).is_some_and(|session| session.read_only);
        let how = Execution { read_only, owns_lock: &owns_lock, elapsed_ms, may_wait };
        let (mut results, txn, durable) = match execute(db.database(), operations, how) {
            Outcome::Done { results, txn, durable } => (results, txn, durable),
            Outcome::Failed { results } => return Ok(Tried::Answer(results)),
            Outcome::Waiting { timeout_ms } => return Ok(Tried::NotYet(timeout_ms)),
        };
        let committed = txn.prepare().and_then(|(next, changes)| match changes.is_empty() {
            true => Ok(None),
            false => db.commit(now, next, changes).map(Some),
        });
        match committed {
            Ok(Some(changes)) => {
                db.note_written(name, None);
                self.note_changes(name, &changes);
            }
            Ok(None) => return Ok(Tried::Answer(results)),
            Err(e) => {
                if e.tag == tag::IO {
                    db.note_written(name, Some(&e));
                }
                results.push(e.to_json());
                return Ok(Tried::Answer(results));
            }
        }
        Ok(if durable { Tried::AnswerWhenDurable(results) } else { Tried::Answer(results) })
    }

    /// Tells the monitors of the database called `name` what changed.
    pub(super) fn note_changes(&mut self, name: &str, changes: &Changes) {
        let monitors = self.sessions.values_mut().flat_map(|session| &mut session.monitors);
        for monitor in monitors.filter(|monitor| *monitor.database == *name) {
            monitor.note(changes);
        }
    }

    /// Is there a transaction to be tried again, or an update to be sent?
    pub(super) fn has_due_work(&self) -> bool {
        let is_due =
            |waiting: &Waiting| self.databases.get(&waiting.database).is_none_or(|db| db.changed);
        self.waiting.iter().any(is_due) || self.has_flushable()
    }

    pub(super) fn run_waiting(&mut self, now: Now) {
        // A transaction that comes true may let others come true; each round ends at least one.
        loop {
            let mut changed: Vec<Arc<str>> = Vec::new();
            for (name, db) in &mut self.databases {
                if std::mem::take(&mut db.changed) {
                    changed.push(name.clone());
                }
            }
            let due = |waiting: &Waiting| {
                changed.contains(&waiting.database)
                    || waiting.deadline().is_some_and(|deadline| deadline <= now.mono)
            };
            if !self.waiting.iter().any(due) {
                return;
            }
            for waiting in std::mem::take(&mut self.waiting) {
                let kept = if due(&waiting) { self.advance(now, waiting) } else { Some(waiting) };
                self.waiting.extend(kept);
            }
            if !self.databases.values().any(|db| db.changed) {
                return;
            }
        }
    }

    /// Syncs the databases that answers wait for, and sends the answers.
    pub(super) fn run_parked(&mut self) {
        for Parked { session, database, request, results } in std::mem::take(&mut self.parked) {
            // The first of a database's answers does the work for the others.
            let results = self.sync(&database, results);
            self.send(session, Message::reply(results, request));
        }
    }

    /// Waits for the disk; adds the error to `results` if it fails.
    fn sync(&mut self, name: &str, mut results: Vec<Json>) -> Vec<Json> {
        let done = self.databases.get_mut(name).map_or(Ok(()), super::Db::sync);
        if let Err(e) = done {
            ::log::error!(target: "ovsdb_server", "{name}: {e}");
            results.push(e.to_json());
        }
        results
    }

    pub(super) fn abandon_transactions_of(&mut self, name: &str) {
        self.run_parked();
        let (gone, stay) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|waiting| *waiting.database == *name);
        self.waiting = stay;
        let gone: Vec<Waiting> = gone;
        for waiting in gone {
            if let Some(session) = waiting.session {
                self.send(session, Message::error("canceled", waiting.request));
            }
        }
    }
}
