//! A server on a loop with clients over real sockets.

use std::path::Path;
use std::sync::Arc;

use weir_jsonrpc::{Json, Message, array, object};
use weir_runtime::clock::Clock;
use weir_runtime::jsonrpc::Session;
use weir_runtime::reactor::PollLoop;

use super::*;
use crate::database::Database;
use crate::schemas;
use crate::server::Server;

struct Bench {
    poll: PollLoop,
    clock: Clock,
    io: ServerIo,
}

impl Bench {
    fn new() -> Self {
        let clock = Clock::stopped(1000);
        let poll = PollLoop::new(clock.clone()).unwrap();
        let mut server = Server::new();
        let database = Database::new(schemas::vswitch());
        server.add_db(crate::server::Now::default(), database, None).unwrap();
        let io = ServerIo::new(server, poll.reactor(), clock.clone());
        Self { poll, clock, io }
    }

    fn client(&self, target: &str) -> Session {
        Session::open(&[target.to_owned()], true, self.poll.reactor(), self.clock.now())
    }

    /// Runs the server and `client` until `done` gives something.
    fn until<T>(
        &mut self,
        client: &mut Session,
        mut done: impl FnMut(&mut Session) -> Option<T>,
    ) -> T {
        loop {
            self.io.run();
            client.run(self.clock.now());
            if let Some(result) = done(client) {
                return result;
            }
            let now = self.clock.now();
            let due = self.io.poll_at().filter(|due| *due <= now);
            self.poll.poll(due).unwrap();
        }
    }

    fn call(&mut self, client: &mut Session, method: &str, params: Json) -> Result<Json, Json> {
        self.until(client, |client| client.is_connected().then_some(()));
        let Json::Array(params) = params else { panic!() };
        client.send(&Message::request(method, params, 1));
        let now = self.clock.now();
        self.until(client, |client| match client.recv(now)? {
            Message::Reply { result, .. } => Some(Ok(result)),
            Message::Error { error, .. } => Some(Err(error)),
            other => panic!("{other:?}"),
        })
    }
}

fn punix(dir: &Path) -> (String, String) {
    let path = dir.join("db.sock");
    (format!("punix:{}", path.display()), format!("unix:{}", path.display()))
}

#[test]
fn serves_over_a_unix_socket() {
    let dir = tempfile::tempdir().unwrap();
    let (listen, connect) = punix(dir.path());
    let mut bench = Bench::new();
    bench.io.add_remote(&listen).unwrap();
    bench.io.run();
    let mut client = bench.client(&connect);
    let dbs = bench.call(&mut client, "list_dbs", array![]).unwrap();
    assert_eq!(dbs, array!["Open_vSwitch", "_Server"]);
    assert_eq!(
        bench.io.server().usage().iter().find(|u| u.0 == "sessions"),
        Some(&("sessions", 1))
    );
    drop(client);
    let mut other = bench.client(&connect);
    bench.call(&mut other, "echo", array![1]).unwrap();
    assert_eq!(
        bench.io.server().usage().iter().find(|u| u.0 == "sessions"),
        Some(&("sessions", 1))
    );
    assert!(bench.io.remove_remote(&listen));
    bench.io.run();
    assert!(!dir.path().join("db.sock").exists());
}

#[test]
fn managers_are_remotes_and_get_their_status() {
    let dir = tempfile::tempdir().unwrap();
    let (listen, connect) = punix(dir.path());
    let mut bench = Bench::new();
    bench.io.add_remote(&listen).unwrap();
    let remote = "db:Open_vSwitch,Open_vSwitch,manager_options";
    bench.io.add_remote(remote).unwrap();
    assert_eq!(bench.io.remotes().collect::<Vec<_>>(), [remote, &listen]);
    bench.io.run();
    let mut client = bench.client(&connect);
    let insert = array![
        "Open_vSwitch",
        object! {
            "op" => "insert", "table" => "Manager", "uuid-name" => "m",
            "row" => object! { "target" => "ptcp:0:127.0.0.1" },
        },
        object! {
            "op" => "insert", "table" => "Open_vSwitch",
            "row" => object! { "manager_options" => array!["named-uuid", "m"] },
        },
    ];
    bench.call(&mut client, "transact", insert).unwrap();
    bench.clock.advance(2500);
    bench.io.run();
    let select = |columns: Json| {
        array![
            "Open_vSwitch",
            object! { "op" => "select", "table" => "Manager", "where" => array![], "columns" => columns },
        ]
    };
    let columns = array!["is_connected", "status"];
    let status = bench.call(&mut client, "transact", select(columns.clone())).unwrap();
    let row = status.at(0).unwrap().get("rows").unwrap().at(0).unwrap().clone();
    assert_eq!(row.get("is_connected"), Some(&Json::Bool(false)));
    let status = row.get("status").unwrap().to_string();
    let port: u16 = status
        .split("\"bound_port\",\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    let mut over_tcp = bench.client(&format!("tcp:127.0.0.1:{port}"));
    bench.call(&mut over_tcp, "echo", array![]).unwrap();
    bench.clock.advance(2500);
    bench.io.run();
    let rows = bench.call(&mut client, "transact", select(columns)).unwrap().to_string();
    assert!(rows.contains("\"is_connected\":true"), "{rows}");
}

#[test]
fn errors_as_observed() {
    let mut bench = Bench::new();
    for (name, text) in [
        ("db:a,b", "\"db:a,b\": invalid syntax"),
        ("db:nodb,a,b", "\"db:nodb,a,b\": no database named nodb"),
        ("db:Open_vSwitch,nt,b", "\"db:Open_vSwitch,nt,b\": no table named nt"),
        (
            "db:Open_vSwitch,Bridge,nc",
            "\"db:Open_vSwitch,Bridge,nc\": table \"Bridge\" has no column \"nc\"",
        ),
    ] {
        assert_eq!(bench.io.add_remote(name).unwrap_err().to_string(), text);
    }
    assert!(!bench.io.remove_remote("nosuch"));
    // An address that cannot be had, or a name that means nothing, is tried again later.
    bench.io.add_remote("punix:/nonexistent/x").unwrap();
    bench.io.add_remote("foo:bar").unwrap();
    bench.io.run();
    assert!(bench.io.poll_at().is_some());
}

#[test]
fn status_texts() {
    let status = RemoteStatus {
        is_connected: true,
        state: Some("ACTIVE"),
        sec_since_connect: Some(5),
        bound_port: Some(0),
        n_connections: 2,
        locks_held: vec![Arc::from("a"), Arc::from("b")],
        ..RemoteStatus::default()
    };
    let pairs: Vec<String> = status
        .to_datum()
        .pairs()
        .map(|(k, v)| format!("{}={}", k.as_str().unwrap(), v.as_str().unwrap()))
        .collect();
    assert_eq!(pairs, ["locks_held=a b", "n_connections=2", "sec_since_connect=5", "state=ACTIVE"]);
}
