//! The engine driven by messages, as the server process drives it.

use std::sync::Arc;

use weir_jsonrpc::{Json, Message};

use super::{Now, Server, SessionId};
use crate::database::Database;
use crate::file;
use crate::schema::Schema;

mod differential;
mod generator;
mod random;

const SCHEMA: &str = include_str!("../../tests/data/t.ovsschema");

fn schema() -> Arc<Schema> {
    Arc::new(Schema::parse(SCHEMA).unwrap())
}

struct Bench {
    server: Server,
    now: Now,
    next_id: i64,
}

impl Bench {
    fn new() -> Self {
        let mut server = Server::new();
        server.add_db(Now::default(), Database::new(schema()), None).unwrap();
        Self { server, now: Now::default(), next_id: 0 }
    }

    fn send(&mut self, session: SessionId, method: &str, params: &str) {
        self.next_id += 1;
        let Json::Array(params) = Json::parse(params).unwrap() else { panic!() };
        let message = Message::request(method, params, self.next_id);
        self.server.handle(self.now, session, message);
    }

    /// What a session is sent, without ids of requests.
    fn receive(&mut self, session: SessionId) -> Vec<String> {
        self.server.run(self.now);
        let mut texts = Vec::new();
        while let Some(message) = self.server.next_message(session) {
            texts.push(match message {
                Message::Reply { result, .. } => result.to_string(),
                Message::Error { error, .. } => format!("error {error}"),
                Message::Notification { method, params } => {
                    format!("{method} {}", Json::Array(params))
                }
                Message::Request { method, .. } => method.to_string(),
            });
            self.server.run(self.now);
        }
        texts
    }

    fn call(&mut self, session: SessionId, method: &str, params: &str) -> Vec<String> {
        self.send(session, method, params);
        self.receive(session)
    }
}

const ROW: &str = "8aa2f7e6-5944-4f94-9938-8993b0181469";

fn insert(columns: &str) -> String {
    format!(r#"["t",{{"op":"insert","table":"A","uuid":"{ROW}","row":{{{columns}}}}}]"#)
}

#[test]
fn errors_of_methods() {
    let mut bench = Bench::new();
    let a = bench.server.session_open();
    for (method, params, answer) in [
        ("list_dbs", "[]", r#"["_Server","t"]"#),
        ("nope", "[]", r#"error "unknown method""#),
        ("echo", "[1,{}]", "[1,{}]"),
        (
            "get_schema",
            r#"["nope"]"#,
            r#"error {"details":"get_schema request specifies unknown database nope","error":"unknown database","syntax":"[\"nope\"]"}"#,
        ),
        (
            "transact",
            "[5]",
            r#"error {"details":"transact request params must begin with <db-name>","error":"syntax error","syntax":"[5]"}"#,
        ),
        ("transact", r#"["t"]"#, "[]"),
        ("lock", r#"["l1"]"#, r#"{"locked":true}"#),
        (
            "lock",
            r#"["l1"]"#,
            r#"error {"details":"must issue \"unlock\" before new \"lock\"","error":"syntax error","syntax":"[\"l1\"]"}"#,
        ),
        (
            "unlock",
            r#"["zz"]"#,
            r#"error {"details":"unlock: \"unlock\" without \"lock\" or \"steal\"","error":"syntax error","syntax":"[\"zz\"]"}"#,
        ),
        (
            "lock",
            r#"["1a"]"#,
            r#"error {"details":"lock request params must be <id>","error":"syntax error","syntax":"[\"1a\"]"}"#,
        ),
        (
            "set_db_change_aware",
            "[]",
            r#"error {"details":"set_db_change_aware: true or false parameter expected","error":"syntax error","syntax":"[]"}"#,
        ),
        ("monitor_cancel", r#"["x"]"#, r#"error "unknown monitor""#),
        ("monitor_cancel", "[]", r#"error "invalid parameters""#),
        (
            "monitor",
            r#"["t","m",{"Z":{}}]"#,
            r#"error {"details":"no table named Z","error":"syntax error"}"#,
        ),
        (
            "monitor",
            r#"["t","m",{"A":[{"columns":["i"]},{"columns":["i"]}]}]"#,
            r#"error {"details":"column i mentioned more than once","error":"syntax error","syntax":"[\"i\"]"}"#,
        ),
        (
            "monitor",
            r#"["t","m",{"A":{"where":[]}}]"#,
            r#"error {"details":"Parsing table A failed: Member 'where' is present but not allowed here.","error":"syntax error","syntax":"{\"where\":[]}"}"#,
        ),
        (
            "monitor_cond_since",
            r#"["t","m",{"A":{}},"x"]"#,
            r#"error {"details":"last-txn-id must be UUID format.","error":"syntax error","syntax":"\"x\""}"#,
        ),
        (
            "monitor_cond_change",
            r#"["zz","m2",{}]"#,
            r#"error {"details":"unknown monitor session","error":"syntax error","syntax":"\"zz\""}"#,
        ),
        (
            "convert",
            r#"["t"]"#,
            r#"error {"details":"array expected","error":"syntax error","syntax":"[\"t\"]"}"#,
        ),
    ] {
        assert_eq!(bench.call(a, method, params), [answer], "{method} {params}");
    }
}

#[test]
fn the_three_kinds_of_updates() {
    let mut bench = Bench::new();
    let a = bench.server.session_open();
    bench.call(
        a,
        "transact",
        &insert(r#""i":2,"oi":5,"si":["set",[1,2]],"m":["map",[["a","b"]]]"#),
    );
    let columns = r#""columns":["i","si","m","oi"]"#;
    assert_eq!(
        bench.call(a, "monitor", &format!(r#"["t","m1",{{"A":[{{{columns}}}]}}]"#)),
        [format!(
            r#"{{"A":{{"{ROW}":{{"new":{{"i":2,"m":["map",[["a","b"]]],"oi":5,"si":["set",[1,2]]}}}}}}}}"#
        )]
    );
    assert_eq!(
        bench.call(a, "monitor_cond", &format!(r#"["t","m2",{{"A":[{{{columns}}}]}}]"#)),
        [format!(
            r#"{{"A":{{"{ROW}":{{"initial":{{"i":2,"m":["map",[["a","b"]]],"oi":5,"si":["set",[1,2]]}}}}}}}}"#
        )]
    );
    let since = bench.call(
        a,
        "monitor_cond_since",
        &format!(
            r#"["t","m3",{{"A":[{{{columns},"where":[["i","==",2]]}}]}},"{}"]"#,
            uuid::Uuid::nil()
        ),
    );
    assert!(since[0].starts_with("[false,"));
    let last = |bench: &Bench| bench.server.db("t").unwrap().history().last_id();

    let update = r#"["t",{"op":"update","table":"A","where":[],"row":
        {"si":["set",[2,3]],"m":["map",[["c","d"],["a","x"]]],"oi":["set",[]]}}]"#;
    let got = bench.call(a, "transact", update);
    let modify = format!(
        r#"{{"A":{{"{ROW}":{{"modify":{{"m":["map",[["a","x"],["c","d"]]],"oi":["set",[]],"si":["set",[1,3]]}}}}}}}}"#
    );
    assert_eq!(
        got,
        [
            format!(
                r#"update ["m1",{{"A":{{"{ROW}":{{"new":{{"i":2,"m":["map",[["a","x"],["c","d"]]],"oi":["set",[]],"si":["set",[2,3]]}},"old":{{"m":["map",[["a","b"]]],"oi":5,"si":["set",[1,2]]}}}}}}}}]"#
            ),
            format!(r#"update2 ["m2",{modify}]"#),
            format!(r#"update3 ["m3","{}",{modify}]"#, last(&bench)),
            r#"[{"count":1}]"#.to_owned(),
        ]
    );
    // Out of sight of m3's condition.
    let got =
        bench.call(a, "transact", r#"["t",{"op":"update","table":"A","where":[],"row":{"i":7}}]"#);
    assert_eq!(
        got[2],
        format!(r#"update3 ["m3","{}",{{"A":{{"{ROW}":{{"delete":null}}}}}}]"#, last(&bench))
    );
    // Nothing that anyone watches.
    let got =
        bench.call(a, "transact", r#"["t",{"op":"update","table":"A","where":[],"row":{"r":7}}]"#);
    assert_eq!(got, [r#"[{"count":1}]"#]);
    assert_eq!(
        bench.call(a, "monitor_cond_change", r#"["m3","m4",{"A":[{"where":[["i","==",7]]}]}]"#),
        [
            format!(
                r#"update3 ["m4","{}",{{"A":{{"{ROW}":{{"insert":{{"i":7,"m":["map",[["a","x"],["c","d"]]],"si":["set",[2,3]]}}}}}}}}]"#,
                last(&bench)
            ),
            "{}".to_owned(),
        ]
    );
}

#[test]
fn a_client_that_comes_back_is_told_what_it_missed() {
    let mut bench = Bench::new();
    let a = bench.server.session_open();
    bench.call(a, "transact", &insert(r#""i":1"#));
    let id = bench.server.db("t").unwrap().history().last_id();
    bench.call(a, "transact", r#"["t",{"op":"update","table":"A","where":[],"row":{"i":2}}]"#);
    bench.call(a, "transact", r#"["t",{"op":"update","table":"A","where":[],"row":{"i":3}}]"#);
    let last = bench.server.db("t").unwrap().history().last_id();
    assert_eq!(
        bench.call(
            a,
            "monitor_cond_since",
            &format!(r#"["t",1,{{"A":[{{"columns":["i","s"]}}]}},"{id}"]"#)
        ),
        [format!(r#"[true,"{last}",{{"A":{{"{ROW}":{{"modify":{{"i":3}}}}}}}}]"#)]
    );
}

#[test]
fn waiting_comes_true_or_times_out() {
    let mut bench = Bench::new();
    let (a, b) = (bench.server.session_open(), bench.server.session_open());
    bench.call(b, "transact", &insert(r#""i":1"#));
    let wait = |timeout: &str| {
        format!(
            r#"["t",{{"op":"wait","table":"A","where":[],"columns":["i"],"until":"==",
                "rows":[{{"i":5}}]{timeout}}},{{"op":"insert","table":"A","row":{{"s":"x"}}}}]"#
        )
    };
    assert!(bench.call(a, "transact", &wait("")).is_empty());
    assert!(bench.call(a, "transact", &wait(r#","timeout":50"#)).is_empty());
    assert_eq!(bench.server.poll_at(), Some(50));
    bench.now.mono = 50;
    let timed_out = bench.receive(a);
    assert_eq!(
        timed_out,
        [r#"[{"details":"\"wait\" timed out after 50 ms","error":"timed out"},null]"#]
    );
    bench.call(b, "transact", r#"["t",{"op":"update","table":"A","where":[],"row":{"i":5}}]"#);
    assert_eq!(bench.receive(a).len(), 1);
    assert_eq!(bench.server.db("t").unwrap().database().table("A").unwrap().len(), 2);
    // One that is canceled does not happen.
    bench.send(a, "transact", &wait(""));
    let id = bench.next_id;
    bench.server.handle(bench.now, a, Message::notification("cancel", vec![id.into()]));
    assert_eq!(bench.receive(a), [r#"error "canceled""#]);
    assert_eq!(bench.server.poll_at(), None);
}

#[test]
fn locks_pass_on_and_are_asserted() {
    let mut bench = Bench::new();
    let (a, b) = (bench.server.session_open(), bench.server.session_open());
    assert_eq!(bench.call(a, "lock", r#"["l"]"#), [r#"{"locked":true}"#]);
    let assert_lock = r#"["t",{"op":"assert","lock":"l"}]"#;
    assert_eq!(bench.call(a, "transact", assert_lock), ["[{}]"]);
    assert_eq!(bench.call(b, "steal", r#"["l"]"#), [r#"{"locked":true}"#]);
    assert_eq!(
        bench.call(a, "transact", assert_lock),
        [r#"stolen ["l"]"#, r#"[{"details":"Asserted lock l not held.","error":"not owner"}]"#]
    );
    assert_eq!(bench.call(a, "unlock", r#"["l"]"#), ["{}"]);
    assert_eq!(bench.call(a, "lock", r#"["l"]"#), [r#"{"locked":false}"#]);
    bench.server.session_close(b);
    assert_eq!(bench.receive(a), [r#"locked ["l"]"#]);
}

#[test]
fn databases_come_and_go() {
    let mut bench = Bench::new();
    let (a, b) = (bench.server.session_open(), bench.server.session_open());
    bench.call(a, "set_db_change_aware", "[true]");
    bench.call(a, "monitor", r#"["_Server","s",{"Database":{"columns":["name"]}}]"#);
    bench.call(a, "monitor", r#"["t","m",{"A":{}}]"#);
    assert!(bench.server.remove_db(bench.now, "t"));
    let got = bench.receive(a);
    assert_eq!(got[0], r#"monitor_canceled ["m"]"#);
    assert!(got[1].starts_with(r#"update ["s",{"Database":{"#) && got[1].contains(r#""old""#));
    assert_eq!(bench.server.must_close(a), None);
    assert_eq!(bench.server.must_close(b), Some("removing t database"));
    assert!(!bench.server.remove_db(bench.now, "_Server"));
    let reserved =
        bench.call(a, "transact", r#"["_Server",{"op":"delete","table":"Database","where":[]}]"#);
    assert_eq!(
        reserved,
        [
            r#"[{"details":"delete operation not allowed on table in reserved database _Server","error":"not allowed"}]"#
        ]
    );
}

#[test]
fn a_database_is_converted_under_its_clients() {
    let mut bench = Bench::new();
    let [aware, unaware, asking] = [(); 3].map(|()| bench.server.session_open());
    bench.call(aware, "set_db_change_aware", "[true]");
    bench.call(aware, "monitor", r#"["t","m",{"A":{"columns":["i"]}}]"#);
    bench.call(asking, "transact", &insert(r#""i":1,"s":"x""#));
    bench.receive(aware);
    // A column goes, another comes; a name that does not fit is refused.
    let schema = r#"{"name":"t","version":"2.0.0","tables":{"A":{"columns":{
        "i":{"type":"integer"},"new":{"type":"string"}}}}}"#;
    let refused =
        bench.call(asking, "convert", &format!("[\"t\",{}]", schema.replace("\"t\"", "\"u\"")));
    assert!(refused[0].starts_with("error "), "{refused:?}");
    assert_eq!(bench.call(asking, "convert", &format!("[\"t\",{schema}]")), ["{}"]);
    assert_eq!(bench.receive(aware), [r#"monitor_canceled ["m"]"#]);
    assert_eq!(bench.server.must_close(asking), None);
    assert!(bench.server.must_close(unaware).is_some());
    assert_eq!(
        bench.call(
            asking,
            "transact",
            r#"["t",{"op":"select","table":"A","where":[],"columns":["i","new"]}]"#
        ),
        [r#"[{"rows":[{"i":1,"new":""}]}]"#]
    );
}

#[test]
fn durable_answers_wait_for_the_disk_and_survive() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.db");
    drop(file::create(&path, &Database::new(schema()), None, 0).unwrap());
    let mut bench = Bench { server: Server::new(), now: Now::default(), next_id: 0 };
    let (name, damage) = bench.server.open_db(bench.now, &path).unwrap();
    assert_eq!((&*name, damage), ("t", None));
    let a = bench.server.session_open();
    bench.send(
        a,
        "transact",
        &format!(
            r#"["t",{{"op":"insert","table":"A","uuid":"{ROW}","row":{{"i":3,"ep":4}}}},
                {{"op":"commit","durable":true}}]"#
        ),
    );
    assert_eq!(bench.server.backlog(a), 0);
    assert_eq!(bench.receive(a).len(), 1);
    bench.call(a, "transact", r#"["t",{"op":"update","table":"A","where":[],"row":{"i":4}}]"#);
    bench.server.compact(bench.now, "t").unwrap();
    bench.call(a, "transact", r#"["t",{"op":"update","table":"A","where":[],"row":{"i":5}}]"#);
    drop(bench);

    let opened = file::open(&path, true, 0).unwrap();
    let table = opened.database.table("A").unwrap();
    let row = table.get(&uuid::Uuid::parse_str(ROW).unwrap()).unwrap();
    let get = |name: &str| row.get(table.schema().column_index(name).unwrap()).single().cloned();
    assert_eq!(get("i").unwrap().as_integer(), Some(5));
    // Ephemeral columns are not written.
    assert_eq!(get("ep").unwrap().as_integer(), Some(0));
}

#[test]
fn a_slow_client_is_told_the_outcome_only() {
    let mut bench = Bench::new();
    let (slow, fast) = (bench.server.session_open(), bench.server.session_open());
    bench.call(slow, "monitor", r#"["t","m",{"A":{"columns":["i"]}}]"#);
    bench.call(fast, "transact", &insert(r#""i":1"#));
    bench.server.run(bench.now);
    assert_eq!(bench.server.backlog(slow), 1);
    for i in 2..50 {
        let update = format!(r#"["t",{{"op":"update","table":"A","where":[],"row":{{"i":{i}}}}}]"#);
        bench.call(fast, "transact", &update);
    }
    assert_eq!(bench.server.backlog(slow), 1);
    let got = bench.receive(slow);
    assert_eq!(got.len(), 2);
    assert_eq!(
        got[1],
        format!(r#"update ["m",{{"A":{{"{ROW}":{{"new":{{"i":49}},"old":{{"i":1}}}}}}}}]"#)
    );
}
