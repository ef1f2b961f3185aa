//! The table of commands: what they are called, how many arguments they take, what they answer.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::mpsc::Sender;

use weir_jsonrpc::Json;

use crate::reactor::Reactor;

/// What a command answers when it succeeds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// The answer as text.
    pub text: String,
    /// The answer as JSON, for clients that asked for it; the text, wrapped, if `None`.
    pub json: Option<Json>,
}

/// An answer, or the text of an error.
pub type CommandResult = Result<Outcome, String>;

impl Outcome {
    /// An answer of no text. Always `Ok`, to end a command with.
    ///
    /// # Errors
    /// None.
    pub fn empty() -> CommandResult {
        Ok(Self::default())
    }

    /// An answer of text. Always `Ok`, to end a command with.
    ///
    /// # Errors
    /// None.
    pub fn text(text: impl Into<String>) -> CommandResult {
        Ok(Self { text: text.into(), json: None })
    }

    /// An answer in both forms. Always `Ok`, to end a command with.
    ///
    /// # Errors
    /// None.
    pub fn with_json(text: impl Into<String>, json: Json) -> CommandResult {
        Ok(Self { text: text.into(), json: Some(json) })
    }
}

/// In which form a client wants its answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// As text.
    #[default]
    Text,
    /// As JSON.
    Json,
}

/// An answer on its way to the connection that asked.
#[derive(Debug)]
pub struct Answer {
    pub(super) connection: u64,
    pub(super) result: CommandResult,
}

/// The right, and the duty, to answer one request; may be kept, and sent to another thread.
/// Dropping it unused answers with an error.
#[derive(Debug)]
pub struct Reply {
    connection: u64,
    sender: Sender<Answer>,
    reactor: Reactor,
    answered: bool,
}

impl Reply {
    pub(super) fn new(connection: u64, sender: Sender<Answer>, reactor: Reactor) -> Self {
        Self { connection, sender, reactor, answered: false }
    }

    /// Answers.
    pub fn send(mut self, result: CommandResult) {
        self.deliver(result);
    }

    fn deliver(&mut self, result: CommandResult) {
        self.answered = true;
        // Fails only if the server is gone, and the client with it.
        let _ = self.sender.send(Answer { connection: self.connection, result });
        self.reactor.wake();
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        if !self.answered {
            self.deliver(Err("command was abandoned".into()));
        }
    }
}

type Handler<C> = Box<dyn Fn(&mut C, &[String]) -> CommandResult>;
type DeferredHandler<C> = Box<dyn Fn(&mut C, &[String], Reply)>;

enum Run<C> {
    Now(Handler<C>),
    Later(DeferredHandler<C>),
}

struct Command<C> {
    usage: &'static str,
    min: usize,
    max: usize,
    run: Run<C>,
}

/// The commands of a program. `C` is the program's state, which every command gets.
pub struct Commands<C> {
    table: BTreeMap<&'static str, Command<C>>,
}

impl<C> fmt::Debug for Commands<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.table.keys()).finish()
    }
}

impl<C> Default for Commands<C> {
    fn default() -> Self {
        Self { table: BTreeMap::new() }
    }
}

impl<C> Commands<C> {
    /// An empty table.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a command that takes `min` to `max` arguments and answers at once. The first command
    /// of a name stays.
    pub fn add(
        &mut self,
        name: &'static str,
        usage: &'static str,
        min: usize,
        max: usize,
        run: impl Fn(&mut C, &[String]) -> CommandResult + 'static,
    ) {
        let run = Run::Now(Box::new(run));
        self.table.entry(name).or_insert(Command { usage, min, max, run });
    }

    /// Adds a command that may answer later.
    pub fn add_deferred(
        &mut self,
        name: &'static str,
        usage: &'static str,
        min: usize,
        max: usize,
        run: impl Fn(&mut C, &[String], Reply) + 'static,
    ) {
        let run = Run::Later(Box::new(run));
        self.table.entry(name).or_insert(Command { usage, min, max, run });
    }

    /// Adds commands that were written for a part of the program's state.
    pub fn add_all<D: 'static>(&mut self, other: Commands<D>, part: fn(&mut C) -> &mut D)
    where
        C: 'static,
    {
        for (name, command) in other.table {
            let Command { usage, min, max, run } = command;
            match run {
                Run::Now(run) => {
                    self.add(name, usage, min, max, move |state, args| run(part(state), args));
                }
                Run::Later(run) => {
                    self.add_deferred(name, usage, min, max, move |state, args, reply| {
                        run(part(state), args, reply);
                    });
                }
            }
        }
    }

    /// Runs a command, or answers why not.
    pub fn run(&self, state: &mut C, name: &str, params: &[Json], reply: Reply) {
        match self.check(name, params) {
            Err(text) => reply.send(Err(text)),
            Ok((command, args)) => match &command.run {
                Run::Now(run) => reply.send(run(state, &args)),
                Run::Later(run) => run(state, &args, reply),
            },
        }
    }

    fn check(&self, name: &str, params: &[Json]) -> Result<(&Command<C>, Vec<String>), String> {
        let command = self.table.get(name).ok_or_else(|| {
            format!(
                "\"{name}\" is not a valid command (use \"list-commands\" to see a list of valid \
                 commands)"
            )
        })?;
        if params.len() < command.min {
            let min = command.min;
            return Err(format!("\"{name}\" command requires at least {min} arguments"));
        }
        if params.len() > command.max {
            let max = command.max;
            return Err(format!("\"{name}\" command takes at most {max} arguments"));
        }
        let args: Option<Vec<String>> =
            params.iter().map(|json| json.as_str().map(str::to_owned)).collect();
        let args = args.ok_or_else(|| format!("\"{name}\" command has non-string argument"))?;
        Ok((command, args))
    }

    /// The answer of `list-commands`.
    pub(super) fn list(&self) -> Outcome {
        let mut text = String::from("The available commands are:\n");
        for (name, command) in &self.table {
            text.push_str(&format!("  {name:<23} {}\n", command.usage));
        }
        let json = Json::object(
            self.table.iter().map(|(name, command)| (*name, Json::str(command.usage))),
        );
        Outcome { text, json: Some(json) }
    }
}
