//! A connection to a server that waits for answers and keeps what arrives meanwhile.

use std::collections::VecDeque;
use std::io;

use weir_jsonrpc::frame::MAX_FRAME;
use weir_jsonrpc::{Json, Message};
use weir_runtime::clock::Clock;
use weir_runtime::jsonrpc::Connection;
use weir_runtime::program::{Fatal, strerror};
use weir_runtime::reactor::PollLoop;
use weir_runtime::stream::{Listener, OVSDB_PORT, Stream, Target};

/// See the [module documentation](self).
pub(super) struct Rpc {
    poll: PollLoop,
    connection: Connection,
    next_id: i64,
    /// Messages that are no answer to what was asked.
    others: VecDeque<Message>,
}

impl Rpc {
    /// Connects to the first of `servers` (names separated by commas) that answers. A passive name
    /// waits for the server to connect.
    pub(super) fn connect(servers: &str) -> Result<Self, Fatal> {
        let mut failure = None;
        for server in crate::ctl::split_remotes(servers) {
            match Self::connect_one(&server) {
                Ok(rpc) => return Ok(rpc),
                Err(error) => failure = Some((server, error)),
            }
        }
        let (server, error) =
            failure.unwrap_or_else(|| (String::new(), io::ErrorKind::InvalidInput.into()));
        Err(Fatal::os(&error, format!("failed to connect to \"{server}\"")))
    }

    fn connect_one(server: &str) -> io::Result<Self> {
        let mut poll = PollLoop::new(Clock::process().clone())?;
        let mut stream = if Target::is_passive(server) {
            let listener = Listener::open(server, Some(OVSDB_PORT), poll.reactor())?;
            loop {
                match listener.accept() {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => poll.poll(None)?,
                    result => break result?,
                }
            }
        } else {
            Stream::open(server, Some(OVSDB_PORT), poll.reactor())?
        };
        loop {
            match stream.connect() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => poll.poll(None)?,
                result => break result?,
            }
        }
        let connection = Connection::new(stream, MAX_FRAME);
        Ok(Self { poll, connection, next_id: 0, others: VecDeque::new() })
    }

    /// Connects to the server of a cluster that leads it, trying all in turn until there is one.
    pub(super) fn connect_leader(servers: &str, database: &str) -> Result<Self, Fatal> {
        let all = crate::ctl::split_remotes(servers);
        loop {
            for server in &all {
                if let Ok(mut rpc) = Self::connect(server)
                    && rpc.is_leader(database)?
                {
                    return Ok(rpc);
                }
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
    }

    /// Is the server the leader of `database`, or is the database not clustered?
    pub(super) fn is_leader(&mut self, database: &str) -> Result<bool, Fatal> {
        if database == "_Server" {
            return Ok(true);
        }
        let clause = Json::array([Json::str("name"), Json::str("=="), Json::str(database)]);
        let select = Json::object([
            ("op", Json::str("select")),
            ("table", Json::str("Database")),
            ("where", Json::array([clause])),
            ("columns", Json::array(["model", "leader"].map(Json::str))),
        ]);
        // An old server has no such database, and no clusters either.
        let Ok(reply) = self.try_call("transact", vec![Json::str("_Server"), select])? else {
            return Ok(true);
        };
        let row = reply.at(0).and_then(|r| r.get("rows")?.at(0));
        let Some(row) = row else { return Ok(true) };
        let clustered = row.get("model").and_then(Json::as_str) == Some("clustered");
        Ok(!clustered || row.get("leader").and_then(Json::as_bool) == Some(true))
    }

    /// The connection's name.
    pub(super) fn name(&self) -> &str {
        self.connection.name()
    }

    /// The loop that the connection lives on.
    pub(super) fn poll_loop(&mut self) -> &mut PollLoop {
        &mut self.poll
    }

    /// Sends a request and returns its id.
    pub(super) fn request(&mut self, method: &str, params: Vec<Json>) -> Json {
        let id = Json::from(self.next_id);
        self.next_id += 1;
        self.connection.send(&Message::request(method, params, id.clone()));
        id
    }

    /// The next message, if one is there. The server's probes are answered on the way.
    pub(super) fn next(&mut self) -> Result<Option<Message>, Fatal> {
        if let Some(message) = self.others.pop_front() {
            return Ok(Some(message));
        }
        self.receive()
    }

    fn receive(&mut self) -> Result<Option<Message>, Fatal> {
        self.connection.run();
        loop {
            match self.connection.recv() {
                Some(Message::Request { method, params, id }) if &*method == "echo" => {
                    self.connection.send(&Message::Reply { result: Json::Array(params), id });
                }
                Some(message) => return Ok(Some(message)),
                None => {
                    return match self.connection.status() {
                        None => Ok(None),
                        Some(error) => {
                            let (name, error) = (self.name(), strerror(&error));
                            Err(Fatal::new(format!("{name}: receive failed ({error})")))
                        }
                    };
                }
            }
        }
    }

    /// Calls a method: its result, or the error that the server sent.
    pub(super) fn try_call(
        &mut self,
        method: &str,
        params: Vec<Json>,
    ) -> Result<Result<Json, Json>, Fatal> {
        let id = self.request(method, params);
        loop {
            match self.receive()? {
                Some(Message::Reply { result, id: answered }) if answered == id => {
                    return Ok(Ok(result));
                }
                Some(Message::Error { error, id: answered }) if answered == id => {
                    return Ok(Err(error));
                }
                Some(other) => self.others.push_back(other),
                None => self.wait()?,
            }
        }
    }

    /// Calls a method that must work.
    pub(super) fn call(&mut self, method: &str, params: Vec<Json>) -> Result<Json, Fatal> {
        self.try_call(method, params)?
            .map_err(|error| Fatal::new(format!("{method} returned error: {error}")))
    }

    /// Sleeps until something happens.
    pub(super) fn wait(&mut self) -> Result<(), Fatal> {
        self.poll.poll(None).map_err(|error| Fatal::os(&error, "the main loop failed"))
    }
}
