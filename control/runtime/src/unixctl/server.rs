//! The server side of a control socket.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};

use rustix::io::Errno;
use weir_jsonrpc::{Json, Message};

use super::command::{Answer, CommandResult, Commands, Format, Outcome, Reply};
use crate::jsonrpc::Connection;
use crate::program::{self, Fatal, strerror};
use crate::reactor::Reactor;
use crate::stream::Listener;
use crate::vlog::RateLimit;
use crate::{coverage_inc, dirs, warn_rl};

/// A request is a command line; nobody types more than this.
const MAX_REQUEST: usize = 1 << 20;
/// How many clients may be connected at once.
const MAX_CONNECTIONS: usize = 256;
/// How many connections and requests one turn of the loop handles.
const BUDGET: usize = 10;

static RL: RateLimit = RateLimit::new(5, 5);

struct Client {
    rpc: Connection,
    format: Format,
    /// The id of the request that waits for its answer: one at a time.
    request: Option<Json>,
}

/// A program's control socket and its clients.
pub struct Server<C> {
    listener: Option<Listener>,
    commands: Commands<C>,
    clients: BTreeMap<u64, Client>,
    next_client: u64,
    reactor: Reactor,
    sender: Sender<Answer>,
    answers: Receiver<Answer>,
}

impl<C> fmt::Debug for Server<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("listener", &self.listener)
            .field("clients", &self.clients.len())
            .finish_non_exhaustive()
    }
}

impl<C> Server<C> {
    /// Opens the control socket: `RUNDIR/PROGRAM.PID.ctl` if `path` is `None`, nothing if it is
    /// `none`. Daemons call this after they became one, because the name holds the process id.
    ///
    /// # Errors
    /// The socket cannot be opened.
    pub fn open(
        path: Option<&str>,
        commands: Commands<C>,
        reactor: &Reactor,
    ) -> Result<Self, Fatal> {
        let listener = match path {
            Some("none") => None,
            Some(path) => Some(dirs::absolute(&dirs::rundir(), path)),
            None => {
                let name = format!("{}.{}.ctl", program::name(), std::process::id());
                Some(dirs::rundir().join(name))
            }
        };
        let listener = listener.map(|path| listen(&path, reactor)).transpose()?;
        let (sender, answers) = channel();
        Ok(Self {
            listener,
            commands,
            clients: BTreeMap::new(),
            next_client: 0,
            reactor: reactor.clone(),
            sender,
            answers,
        })
    }

    /// Serves whoever is ready. `state` is what the commands act on.
    pub fn run(&mut self, state: &mut C) {
        self.accept();
        let ids: Vec<u64> = self.clients.keys().copied().collect();
        for id in ids {
            for _ in 0..BUDGET {
                if !self.serve(id, state) {
                    break;
                }
                self.deliver_answers();
            }
        }
        self.deliver_answers();
        self.clients.retain(|_, client| {
            client.rpc.run();
            client.rpc.status().is_none()
        });
    }

    fn accept(&mut self) {
        let Some(listener) = &self.listener else { return };
        for _ in 0..BUDGET {
            if self.clients.len() >= MAX_CONNECTIONS {
                warn_rl!(RL, target: "unixctl", "{}: too many connections", listener.name());
                return;
            }
            match listener.accept() {
                Ok(stream) => {
                    let rpc = Connection::new(stream, MAX_REQUEST);
                    let client = Client { rpc, format: Format::Text, request: None };
                    self.clients.insert(self.next_client, client);
                    self.next_client += 1;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) => {
                    let text = strerror(&error);
                    warn_rl!(RL, target: "unixctl", "{}: accept failed: {text}", listener.name());
                    return;
                }
            }
        }
        self.reactor.wake();
    }

    /// Handles one client's next request. False if there is none.
    fn serve(&mut self, id: u64, state: &mut C) -> bool {
        let Some(client) = self.clients.get_mut(&id) else { return false };
        client.rpc.run();
        if client.request.is_some() || client.rpc.backlog() > 0 {
            return false;
        }
        let Some(message) = client.rpc.recv() else { return false };
        let Message::Request { method, params, id: request } = message else {
            let (name, kind) = (client.rpc.name(), message.kind());
            warn_rl!(RL, target: "unixctl", "{name}: received unexpected {kind} message");
            client.rpc.set_error(Errno::INVAL);
            return false;
        };
        coverage_inc!(unixctl_received);
        log::debug!(
            target: "unixctl",
            "received request {method}{}, id={request}",
            Json::Array(params.clone())
        );
        client.request = Some(request);
        let reply = Reply::new(id, self.sender.clone(), self.reactor.clone());
        // These two are about the server and the connection, not about the program.
        match &*method {
            "list-commands" if params.is_empty() => reply.send(Ok(self.commands.list())),
            "set-options" if params.len() == 2 => {
                let result = set_options(&params, &mut client.format);
                reply.send(result);
            }
            _ => self.commands.run(state, &method, &params, reply),
        }
        true
    }

    fn deliver_answers(&mut self) {
        while let Ok(Answer { connection, result }) = self.answers.try_recv() {
            // The client may have hung up meanwhile.
            if let Some(client) = self.clients.get_mut(&connection)
                && let Some(request) = client.request.take()
            {
                coverage_inc!(unixctl_replied);
                let message = answer_message(result, client.format, request);
                client.rpc.send(&message);
                // A pipelined request may wait in the buffer, for which no event will come.
                self.reactor.wake();
            }
        }
    }
}

fn listen(path: &Path, reactor: &Reactor) -> Result<Listener, Fatal> {
    Listener::open(&format!("punix:{}", path.display()), None, reactor).map_err(|error| {
        let path = path.display();
        Fatal::os(&error, format_args!("{path}: could not initialize control socket"))
    })
}

/// `--format text|json`
fn set_options(params: &[Json], format: &mut Format) -> CommandResult {
    match (params.first().and_then(Json::as_str), params.get(1).and_then(Json::as_str)) {
        (Some("--format"), Some("text")) => *format = Format::Text,
        (Some("--format"), Some("json")) => *format = Format::Json,
        (Some("--format"), Some(other)) => {
            return Err(format!("option format has invalid value {other}"));
        }
        (Some(option), _) => return Err(format!("option {option} is not supported")),
        (None, _) => return Err("\"set-options\" command has non-string argument".into()),
    }
    Outcome::empty()
}

fn answer_message(result: CommandResult, format: Format, id: Json) -> Message {
    let end_line = |mut text: String| {
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        Json::str(text)
    };
    let (kind, body) = match &result {
        Ok(outcome) => ("success", outcome.text.as_str()),
        Err(text) => ("error", text.as_str()),
    };
    log::debug!(target: "unixctl", "replying with {kind}, id={id}: \"{body}\"");
    match (result, format) {
        (Err(text), _) => Message::error(end_line(text), id),
        (Ok(outcome), Format::Text) => Message::reply(end_line(outcome.text), id),
        (Ok(Outcome { json: Some(json), .. }), Format::Json) => Message::reply(json, id),
        (Ok(Outcome { text, json: None }), Format::Json) => Message::reply(
            Json::object([("reply", Json::str(text)), ("reply-format", Json::str("plain"))]),
            id,
        ),
    }
}
