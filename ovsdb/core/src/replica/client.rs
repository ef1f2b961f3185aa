//! The JSON-RPC conversation of an OVSDB client, without I/O.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use uuid::Uuid;
use weir_jsonrpc::{Json, Message};

use super::transaction::Operations;
use super::update::Form;
use super::{Outcome, Replica, Transaction, TxnId};
use crate::{Schema, TableSchema};

/// What of the database is monitored.
#[derive(Clone, Debug)]
pub enum Interest {
    /// Every column of every table.
    Everything,
    /// Some columns of some tables; those that the server's schema lacks are left out.
    Columns(Vec<(&'static str, Vec<&'static str>)>),
    /// Every column of the named tables.
    Tables(Vec<String>),
    /// The columns chosen at run time, by table. A table without columns is watched for its rows.
    Chosen(BTreeMap<String, BTreeSet<String>>),
}

/// What happened, for the owner of the client.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The replica is complete, or complete again after a reconnection.
    Synced,
    /// The replica changed.
    Changed,
    /// A transaction ended.
    Committed(TxnId, Outcome),
    /// The lock was granted or lost.
    Lock(bool),
    /// The conversation cannot go on: close the connection and connect again later.
    Disconnect(String),
}

/// How to monitor: the newest method is tried first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    CondSince,
    Cond,
    Plain,
}

impl Method {
    fn name(self) -> &'static str {
        match self {
            Self::CondSince => "monitor_cond_since",
            Self::Cond => "monitor_cond",
            Self::Plain => "monitor",
        }
    }

    fn older(self) -> Option<Self> {
        match self {
            Self::CondSince => Some(Self::Cond),
            Self::Cond => Some(Self::Plain),
            Self::Plain => None,
        }
    }
}

/// What a reply answers.
#[derive(Debug)]
enum Pending {
    Schema,
    Monitor(Method),
    Lock,
    Transact(TxnId, Vec<(usize, Uuid)>, Option<(usize, Arc<str>)>),
}

/// See the [module documentation](super).
#[derive(Debug)]
pub struct Client {
    db: Arc<str>,
    interest: Interest,
    lock: Option<Arc<str>>,
    has_lock: bool,
    connected: bool,
    synced: bool,
    replica: Option<Replica>,
    last_id: Uuid,
    pending: BTreeMap<i64, Pending>,
    next_id: i64,
    next_txn: u64,
    out: VecDeque<Message>,
}

impl Client {
    /// A client of database `db`, not connected yet.
    #[must_use]
    pub fn new(db: &str, interest: Interest) -> Self {
        Self {
            db: db.into(),
            interest,
            lock: None,
            has_lock: false,
            connected: false,
            synced: false,
            replica: None,
            last_id: Uuid::nil(),
            pending: BTreeMap::new(),
            next_id: 0,
            next_txn: 0,
            out: VecDeque::new(),
        }
    }

    /// Asks for a lock on each connection; transactions then assert it.
    pub fn set_lock(&mut self, name: &str) {
        self.lock = Some(name.into());
        if self.connected {
            self.request_lock();
        }
    }

    /// Has the lock, or needs none?
    #[must_use]
    pub fn has_lock(&self) -> bool {
        self.lock.is_none() || self.has_lock
    }

    /// The replica, once it is complete. It stays, unchanged, while the connection is down.
    #[must_use]
    pub fn replica(&self) -> Option<&Replica> {
        self.replica.as_ref().filter(|_| self.synced)
    }

    /// Is the connection up?
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.connected
    }

    /// The connection is up.
    pub fn connected(&mut self) {
        self.connected = true;
        self.out.clear();
        let params = vec![Json::Str(self.db.clone())];
        self.request("get_schema", params, Pending::Schema);
        self.request_lock();
    }

    /// The connection is down: transactions under way may or may not have been made.
    pub fn disconnected(&mut self) -> Vec<Event> {
        self.connected = false;
        self.out.clear();
        let mut events = Vec::new();
        if std::mem::take(&mut self.has_lock) {
            events.push(Event::Lock(false));
        }
        for (_, pending) in std::mem::take(&mut self.pending) {
            if let Pending::Transact(id, ..) = pending {
                events.push(Event::Committed(id, Outcome::TryAgain));
            }
        }
        events
    }

    /// The next message to send.
    pub fn poll_transmit(&mut self) -> Option<Message> {
        self.out.pop_front()
    }

    fn request(&mut self, method: &str, params: Vec<Json>, pending: Pending) {
        let id = self.next_id;
        self.next_id += 1;
        self.pending.insert(id, pending);
        self.out.push_back(Message::request(method, params, Json::Int(id)));
    }

    fn request_lock(&mut self) {
        if let Some(name) = self.lock.clone() {
            self.request("lock", vec![Json::Str(name)], Pending::Lock);
        }
    }

    /// Sends a transaction. Its end arrives as [`Event::Committed`], or at once when nothing is to
    /// be done or there is no connection.
    pub fn commit(&mut self, txn: &Transaction) -> Result<TxnId, Outcome> {
        let Some(replica) = self.replica.as_ref().filter(|_| self.synced && self.connected) else {
            return Err(Outcome::TryAgain);
        };
        if !self.has_lock() {
            return Err(Outcome::NotLocked);
        }
        let Some(ops) = txn.operations(replica, self.lock.as_deref()) else {
            return Err(Outcome::Unchanged);
        };
        let id = TxnId(self.next_txn);
        self.next_txn += 1;
        let Operations { list, inserts, increment } = ops;
        let params = std::iter::once(Json::Str(self.db.clone())).chain(list).collect();
        self.request("transact", params, Pending::Transact(id, inserts, increment));
        Ok(id)
    }

    /// Takes a message of the server. Echo requests are the connection's business, not ours.
    pub fn handle(&mut self, message: Message) -> Vec<Event> {
        match message {
            Message::Reply { result, id } => self.reply(&result, &id),
            Message::Error { error, id } => self.error(&error, &id),
            Message::Notification { method, params } => self.notification(&method, &params),
            Message::Request { .. } => Vec::new(),
        }
    }

    fn take(&mut self, id: &Json) -> Option<Pending> {
        self.pending.remove(&id.as_int()?)
    }

    fn reply(&mut self, result: &Json, id: &Json) -> Vec<Event> {
        match self.take(id) {
            Some(Pending::Schema) => self.got_schema(result),
            Some(Pending::Monitor(method)) => self.got_initial(method, result),
            Some(Pending::Lock) => {
                self.has_lock = result.get("locked").and_then(Json::as_bool).unwrap_or(false);
                vec![Event::Lock(self.has_lock)]
            }
            Some(Pending::Transact(txn, inserts, increment)) => {
                vec![Event::Committed(txn, outcome(result, &inserts, increment))]
            }
            None => Vec::new(),
        }
    }

    fn error(&mut self, error: &Json, id: &Json) -> Vec<Event> {
        match self.take(id) {
            Some(Pending::Monitor(method)) if is_unknown_method(error) => match method.older() {
                Some(older) => {
                    self.monitor(older);
                    Vec::new()
                }
                None => vec![Event::Disconnect(format!("monitor: {error}"))],
            },
            Some(Pending::Transact(txn, ..)) => {
                vec![Event::Committed(txn, Outcome::Error(error.to_string()))]
            }
            Some(pending) => vec![Event::Disconnect(format!("{pending:?}: {error}"))],
            None => Vec::new(),
        }
    }

    fn got_schema(&mut self, json: &Json) -> Vec<Event> {
        match Schema::from_json(json) {
            Ok(schema) => {
                let known = self.replica.as_ref().map(Replica::schema);
                if known.is_none_or(|old| **old != schema) {
                    self.replica = Some(Replica::new(Arc::new(schema)));
                    self.synced = false;
                    self.last_id = Uuid::nil();
                }
                self.monitor(Method::CondSince);
                Vec::new()
            }
            Err(e) => vec![Event::Disconnect(format!("server's schema: {e}"))],
        }
    }

    fn monitor(&mut self, method: Method) {
        let Some(replica) = &self.replica else { return };
        let mut tables = BTreeMap::new();
        for table in &replica.schema().tables {
            let name = &table.name;
            let wanted: Vec<Json> = match &self.interest {
                Interest::Everything => column_names(table),
                Interest::Tables(names) if names.iter().any(|n| **n == **name) => {
                    column_names(table)
                }
                Interest::Tables(_) => Vec::new(),
                Interest::Chosen(tables) => tables
                    .get(&**name)
                    .into_iter()
                    .flatten()
                    .filter_map(|c| Some(Json::Str(table.column(c)?.name.clone())))
                    .collect(),
                Interest::Columns(list) => list
                    .iter()
                    .filter(|(t, _)| *t == &**name)
                    .flat_map(|(_, columns)| columns)
                    .filter(|c| table.column(c).is_some())
                    .map(|c| Json::str(*c))
                    .collect(),
            };
            let rows_matter =
                matches!(&self.interest, Interest::Chosen(tables) if tables.contains_key(&**name));
            if rows_matter || !wanted.is_empty() {
                let request = Json::object([("columns", Json::array(wanted))]);
                tables.insert(name.clone(), Json::array([request]));
            }
        }
        let monitor_id = Json::array([Json::str("monid"), Json::Str(self.db.clone())]);
        let mut params = vec![Json::Str(self.db.clone()), monitor_id, Json::object(tables)];
        if method == Method::CondSince {
            params.push(Json::str(self.last_id.to_string()));
        }
        self.request(method.name(), params, Pending::Monitor(method));
    }

    fn got_initial(&mut self, method: Method, result: &Json) -> Vec<Event> {
        let (found, updates) = match method {
            Method::CondSince => {
                let found = result.at(0).and_then(Json::as_bool).unwrap_or(false);
                self.set_last_id(result.at(1));
                (found, result.at(2).unwrap_or(&Json::Null))
            }
            Method::Cond | Method::Plain => (false, result),
        };
        let Some(replica) = &mut self.replica else { return Vec::new() };
        let mut next = if found { replica.clone() } else { Replica::new(replica.schema().clone()) };
        next.seqno = replica.seqno + 1;
        let form = if method == Method::Plain { Form::Update } else { Form::Update2 };
        match next.apply(form, updates) {
            Ok(()) => {
                *replica = next;
                self.synced = true;
                vec![Event::Synced]
            }
            Err(e) => self.lost(&e),
        }
    }

    fn set_last_id(&mut self, json: Option<&Json>) {
        let text = json.and_then(Json::as_str);
        self.last_id = text.and_then(|s| Uuid::try_parse(s).ok()).unwrap_or(Uuid::nil());
    }

    /// An update that cannot be applied: what we have may be wrong, so start from nothing.
    fn lost(&mut self, error: &crate::OvsdbError) -> Vec<Event> {
        self.last_id = Uuid::nil();
        vec![Event::Disconnect(format!("update cannot be applied: {error}"))]
    }

    fn notification(&mut self, method: &str, params: &[Json]) -> Vec<Event> {
        let (form, updates) = match (method, params) {
            ("update", [_, updates]) => (Form::Update, updates),
            ("update2", [_, updates]) => (Form::Update2, updates),
            ("update3", [_, id, updates]) => {
                self.set_last_id(Some(id));
                (Form::Update2, updates)
            }
            ("locked" | "stolen", [Json::Str(name)]) if self.lock.as_ref() == Some(name) => {
                self.has_lock = method == "locked";
                return vec![Event::Lock(self.has_lock)];
            }
            ("monitor_canceled", _) => {
                return vec![Event::Disconnect("monitor was canceled".to_owned())];
            }
            _ => return Vec::new(),
        };
        let Some(replica) = &mut self.replica else { return Vec::new() };
        match replica.apply(form, updates) {
            Ok(()) => vec![Event::Changed],
            Err(e) => self.lost(&e),
        }
    }
}

fn column_names(table: &TableSchema) -> Vec<Json> {
    table.own_columns().map(|c| Json::Str(c.name.clone())).collect()
}

fn is_unknown_method(error: &Json) -> bool {
    let text = error.as_str().or_else(|| error.get("error").and_then(Json::as_str));
    text == Some("unknown method")
}

/// Reads the result of a `transact` (RFC 7047 section 4.1.3).
fn outcome(result: &Json, inserts: &[(usize, Uuid)], inc: Option<(usize, Arc<str>)>) -> Outcome {
    let Some(results) = result.as_array() else {
        return Outcome::Error(format!("reply to transact is not an array: {result}"));
    };
    let failures = results.iter().filter_map(|r| Some((r.get("error")?.as_str()?, r)));
    let mut worst = None;
    for (error, json) in failures {
        match error {
            "timed out" => return Outcome::TryAgain,
            "not owner" => return Outcome::NotLocked,
            "aborted" => {}
            _ => worst = worst.or_else(|| Some(describe(error, json))),
        }
    }
    if let Some(text) = worst {
        return Outcome::Error(text);
    }
    let uuid = |at: usize| {
        let pair = results.get(at)?.get("uuid")?;
        Uuid::try_parse(pair.at(1)?.as_str()?).ok()
    };
    let inserted = inserts.iter().filter_map(|(at, here)| Some((*here, uuid(*at)?))).collect();
    let increment = inc.and_then(|(at, column)| {
        let rows = results.get(at)?.get("rows")?;
        rows.at(0)?.get(&column)?.as_int()
    });
    Outcome::Success { inserted, increment }
}

/// The error as OVS prints it: the whole object, since `details` says what to do.
fn describe(_error: &str, json: &Json) -> String {
    json.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Atom, Datum};

    fn schema() -> Json {
        Json::parse(
            r#"{"name":"D","version":"1.0.0","tables":{"T":{"isRoot":true,"columns":{
               "n":{"type":"integer"},"s":{"type":{"key":"string","min":0,"max":"unlimited"}},
               "t":{"type":{"key":{"type":"uuid","refTable":"T"},"min":0,"max":"unlimited"}}}}}}"#,
        )
        .unwrap()
    }

    const A: &str = "11111111-1111-4111-8111-111111111111";

    fn synced() -> Client {
        let mut c = Client::new("D", Interest::Everything);
        c.connected();
        let Some(Message::Request { method, id, .. }) = c.poll_transmit() else { panic!() };
        assert_eq!(&*method, "get_schema");
        assert!(c.handle(Message::reply(schema(), id)).is_empty());
        let Some(Message::Request { method, id, .. }) = c.poll_transmit() else { panic!() };
        assert_eq!(&*method, "monitor_cond_since");
        let initial = format!(
            r#"[false,"22222222-2222-4222-8222-222222222222",{{"T":{{"{A}":{{"initial":{{"n":3,"s":["set",["a","b"]]}}}}}}}}]"#
        );
        let events = c.handle(Message::reply(Json::parse(initial).unwrap(), id));
        assert_eq!(events, [Event::Synced]);
        c
    }

    fn a() -> Uuid {
        Uuid::try_parse(A).unwrap()
    }

    #[test]
    fn a_modify_is_a_difference() {
        let mut c = synced();
        let diff = format!(
            r#"[["monid","D"],"{A}",{{"T":{{"{A}":{{"modify":{{"s":["set",["b","c"]]}}}}}}}}]"#
        );
        let Json::Array(params) = Json::parse(diff).unwrap() else { panic!() };
        let events = c.handle(Message::notification("update3", params.to_vec()));
        assert_eq!(events, [Event::Changed]);
        let row = c.replica().unwrap().row("T", a()).unwrap();
        assert_eq!(row.get("s"), Some(&Datum::set(["a", "c"].map(Atom::from))));
        assert_eq!(row.int("n"), Some(3));
    }

    #[test]
    fn an_update_that_does_not_fit_changes_nothing_and_asks_to_reconnect() {
        let mut c = synced();
        let before = c.replica().unwrap().row("T", a()).cloned();
        let bad = Json::parse(format!(r#"{{"T":{{"{A}":{{"modify":{{"n":"x"}}}}}}}}"#)).unwrap();
        let events = c.handle(Message::notification("update2", vec![Json::Null, bad]));
        assert!(matches!(&events[..], [Event::Disconnect(_)]));
        assert_eq!(c.replica().unwrap().row("T", a()).cloned(), before);
    }

    #[test]
    fn a_transaction_names_its_inserts_and_learns_their_uuids() {
        let mut c = synced();
        let mut txn = Transaction::new();
        let new = txn.insert("T");
        txn.set("T", a(), "t", Datum::scalar(Atom::Uuid(new)));
        txn.set("T", a(), "n", Datum::scalar(Atom::Integer(3)));
        txn.verify("T", a(), "n");
        txn.increment("T", a(), "n");
        let id = c.commit(&txn).unwrap();
        let Some(Message::Request { params, id: request, .. }) = c.poll_transmit() else {
            panic!()
        };
        let text = Json::array(params).to_string();
        assert!(text.contains("named-uuid") && text.contains(r#""op":"wait""#), "{text}");
        // Unchanged columns are not written.
        assert!(!text.contains(r#""row":{"n":3"#), "{text}");
        let reply = format!(
            r#"[{{}},{{"count":1}},{{"uuid":["uuid","{A}"]}},{{"count":1}},{{"rows":[{{"n":4}}]}}]"#
        );
        let events = c.handle(Message::reply(Json::parse(reply).unwrap(), request));
        let inserted = BTreeMap::from([(new, a())]);
        assert_eq!(
            events,
            [Event::Committed(id, Outcome::Success { inserted, increment: Some(4) })]
        );
    }

    #[test]
    fn writing_what_is_there_is_no_change_but_goes_along_with_one() {
        let mut c = synced();
        let mut txn = Transaction::new();
        txn.write_unchanged = true;
        txn.set("T", a(), "n", Datum::scalar(Atom::Integer(3)));
        txn.increment("T", a(), "n");
        txn.comment("nothing");
        assert_eq!(c.commit(&txn), Err(Outcome::Unchanged));
        txn.set("T", a(), "s", Datum::scalar("z"));
        c.commit(&txn).unwrap();
        let text = sent(&mut c);
        assert!(text.contains(r#""row":{"n":3,"s":"z"}"#) && text.contains("+="), "{text}");
    }

    #[test]
    fn losing_the_connection_leaves_the_replica_and_retries_the_transaction() {
        let mut c = synced();
        let mut txn = Transaction::new();
        txn.set("T", a(), "n", Datum::scalar(Atom::Integer(9)));
        let id = c.commit(&txn).unwrap();
        assert_eq!(c.disconnected(), [Event::Committed(id, Outcome::TryAgain)]);
        assert!(c.replica().is_some());
        assert_eq!(c.commit(&txn), Err(Outcome::TryAgain));
    }

    /// The operations of the next `transact` request.
    fn sent(c: &mut Client) -> String {
        let Some(Message::Request { params, .. }) = c.poll_transmit() else { panic!() };
        Json::array(params).to_string()
    }

    #[test]
    fn elements_are_added_and_removed_without_writing_the_rest() {
        let mut c = synced();
        let mut txn = Transaction::new();
        let replica = c.replica().unwrap().clone();
        txn.add_elements(&replica, "T", a(), "s", &Datum::set(["b", "c"].map(Atom::from)));
        txn.remove_elements(&replica, "T", a(), "s", &Datum::scalar("a"));
        let now = txn.get(&replica, "T", a(), "s").unwrap().into_owned();
        assert_eq!(now, Datum::set(["b", "c"].map(Atom::from)));
        c.commit(&txn).unwrap();
        let text = sent(&mut c);
        assert!(text.contains(r#"[["s","delete","a"],["s","insert","c"]]"#), "{text}");
        assert!(!text.contains("update"), "{text}");
        // A whole value wins over what was done to its elements.
        txn.set("T", a(), "s", Datum::empty());
        c.commit(&txn).unwrap();
        let text = sent(&mut c);
        assert!(text.contains(r#""row":{"s":["set",[]]}"#) && !text.contains("mutate"), "{text}");
    }

    #[test]
    fn a_row_may_bring_its_own_uuid() {
        let mut c = synced();
        let mut txn = Transaction::new();
        let uuid = Uuid::from_u128(7);
        txn.insert_with_uuid("T", uuid);
        c.commit(&txn).unwrap();
        let text = sent(&mut c);
        assert!(text.contains(&format!(r#""uuid":"{uuid}""#)), "{text}");
    }

    #[test]
    fn nothing_changed_sends_nothing() {
        let mut c = synced();
        let mut txn = Transaction::new();
        txn.set("T", a(), "n", Datum::scalar(Atom::Integer(3)));
        assert_eq!(c.commit(&txn), Err(Outcome::Unchanged));
    }
}
