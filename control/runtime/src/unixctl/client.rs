//! The client side of a control socket.

use std::io;
use std::path::{Path, PathBuf};

use weir_jsonrpc::{Json, Message};

use crate::clock::Clock;
use crate::jsonrpc::Connection;
use crate::program::{Fatal, strerror};
use crate::reactor::PollLoop;
use crate::stream::Stream;
use crate::{dirs, pidfile};

/// The largest answer that is taken.
const MAX_ANSWER: usize = 512 << 20;

/// A connection to a daemon's control socket.
#[derive(Debug)]
pub struct Client {
    poll: PollLoop,
    rpc: Connection,
    next_id: i64,
}

/// Why a command got no answer at all.
#[derive(Debug, thiserror::Error)]
#[error("transaction error ({})", strerror(.0))]
pub struct TransactError(#[from] io::Error);

/// The control socket of a target: itself if it is a path, else that of the running program of
/// this name, by its pid file.
///
/// # Errors
/// There is no such program.
pub fn find_target(target: &str) -> Result<PathBuf, Fatal> {
    if target.starts_with('/') {
        return Ok(target.into());
    }
    let rundir = dirs::rundir();
    let file = rundir.join(format!("{target}.pid"));
    let pid = pidfile::read(&file).map_err(|error| {
        Fatal::os(&error, format_args!("cannot read pidfile \"{}\"", file.display()))
    })?;
    Ok(rundir.join(format!("{target}.{pid}.ctl")))
}

impl Client {
    /// Connects to the control socket `path`.
    ///
    /// # Errors
    /// Nobody listens there.
    pub fn connect(path: &Path) -> io::Result<Self> {
        let poll = PollLoop::new(Clock::system())?;
        let target = format!("unix:{}", dirs::absolute(&dirs::rundir(), path).display());
        let stream = Stream::open(&target, None, poll.reactor()).inspect_err(|_| {
            log::warn!(target: "unixctl", "failed to connect to {}", path.display());
        })?;
        Ok(Self { poll, rpc: Connection::new(stream, MAX_ANSWER), next_id: 0 })
    }

    /// Runs a command and waits for its answer: the result, or the server's error.
    ///
    /// # Errors
    /// The connection broke.
    pub fn transact(
        &mut self,
        command: &str,
        args: &[String],
    ) -> Result<Result<Json, String>, TransactError> {
        let id = Json::from(self.next_id);
        self.next_id += 1;
        let params = args.iter().map(|arg| Json::str(arg.as_str())).collect();
        self.rpc.send(&Message::request(command, params, id.clone()));
        loop {
            self.rpc.run();
            match self.rpc.recv() {
                Some(Message::Reply { result, id: answered }) if answered == id => {
                    return Ok(Ok(result));
                }
                Some(Message::Error { error, id: answered }) if answered == id => {
                    return Ok(Err(match error {
                        Json::Str(text) => text.to_string(),
                        other => format!("{other}\n"),
                    }));
                }
                Some(_) => {}
                None => {
                    if let Some(error) = self.rpc.status() {
                        let text = strerror(&error);
                        let name = self.rpc.name();
                        log::warn!(target: "unixctl", "error communicating with {name}: {text}");
                        return Err(error.into());
                    }
                    self.poll.poll(None)?;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::command::{Commands, Outcome, Reply};
    use super::super::server::Server;
    use super::*;

    struct State {
        kept: Option<Reply>,
        stop: bool,
    }

    /// Runs `use_client` against a server with a few commands.
    fn with_server(use_client: impl FnOnce(Client) + Send + 'static) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.ctl");
        let mut poll = PollLoop::new(Clock::system()).unwrap();
        let mut commands = Commands::<State>::new();
        super::super::builtin::register(&mut commands, false);
        commands.add("echo", "WORD...", 1, 2, |_, args| Outcome::text(args.join(" ")));
        commands.add_deferred("keep", "", 0, 0, |state, _, reply| state.kept = Some(reply));
        commands.add("stop", "", 0, 0, |state, _| {
            state.stop = true;
            Outcome::empty()
        });
        let reactor = poll.reactor().clone();
        let mut server = Server::open(path.to_str(), commands, &reactor).unwrap();
        let client_path = path.clone();
        let thread = std::thread::spawn(move || {
            let mut client = Client::connect(&client_path).unwrap();
            let mut second = Client::connect(&client_path).unwrap();
            client.next_id = 5;
            use_client(client);
            second.transact("stop", &[]).unwrap().unwrap();
        });
        let mut state = State { kept: None, stop: false };
        while !state.stop {
            server.run(&mut state);
            if let Some(reply) = state.kept.take() {
                reply.send(Outcome::text("late"));
                server.run(&mut state);
            }
            if !state.stop {
                poll.poll(None).unwrap();
            }
        }
        server.run(&mut state);
        drop(server);
        thread.join().unwrap();
        assert!(!path.exists());
    }

    fn args(args: &[&str]) -> Vec<String> {
        args.iter().map(|&s| s.into()).collect()
    }

    #[test]
    fn texts_as_observed() {
        with_server(|mut client| {
            let mut run = |command: &str, a: &[&str]| client.transact(command, &args(a)).unwrap();
            assert_eq!(run("echo", &["a", "b"]), Ok(Json::str("a b\n")));
            assert_eq!(run("keep", &[]), Ok(Json::str("late\n")));
            assert_eq!(
                run("nosuch", &[]).unwrap_err(),
                "\"nosuch\" is not a valid command (use \"list-commands\" to see a list of valid \
                 commands)\n"
            );
            assert_eq!(
                run("echo", &[]).unwrap_err(),
                "\"echo\" command requires at least 1 arguments\n"
            );
            assert_eq!(
                run("version", &["-x"]).unwrap_err(),
                "\"version\" command takes at most 0 arguments\n"
            );
            let list = run("list-commands", &[]).unwrap();
            let list = list.as_str().unwrap();
            assert!(list.starts_with("The available commands are:\n"), "{list}");
            assert!(list.contains("\n  echo                    WORD...\n"), "{list}");
            assert!(list.contains("\n  list-commands           \n"), "{list}");
        });
    }

    #[test]
    fn json_answers() {
        with_server(|mut client| {
            let mut run = |command: &str, a: &[&str]| client.transact(command, &args(a)).unwrap();
            run("set-options", &["--format", "json"]).unwrap();
            assert_eq!(
                run("echo", &["a"]).unwrap().to_string(),
                r#"{"reply":"a","reply-format":"plain"}"#
            );
            assert_eq!(run("list-commands", &[]).unwrap().get("echo"), Some(&Json::str("WORD...")));
            assert!(run("set-options", &["--format", "xml"]).is_err());
        });
    }
}
