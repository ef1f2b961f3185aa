//! The connection to the database server as a tool uses it: it waits.

use std::collections::VecDeque;
use std::io;

use weir_ovsdb::replica::{Client, Event, Interest, Outcome, Replica, Transaction};
use weir_runtime::clock::Clock;
use weir_runtime::jsonrpc::Session;
use weir_runtime::program::{Fatal, strerror};
use weir_runtime::reactor::PollLoop;

/// A replica of a database on a server.
#[derive(Debug)]
pub struct Database {
    remote: String,
    poll: PollLoop,
    session: Session,
    client: Client,
    /// The session's connection that the client talks on.
    generation: Option<u64>,
    events: VecDeque<Event>,
}

impl Database {
    /// A replica of `interest` in database `name` at `remote`: names of connections, separated by
    /// commas. If not `retry`, each is tried once.
    ///
    /// # Errors
    /// The kernel is out of file descriptors.
    pub fn open(remote: &str, name: &str, interest: Interest, retry: bool) -> Result<Self, Fatal> {
        let clock = Clock::process().clone();
        let poll = PollLoop::new(clock).map_err(|error| Fatal::os(&error, "epoll"))?;
        let remotes = split_remotes(remote);
        let session = Session::open(&remotes, retry, poll.reactor(), poll.clock().now());
        Ok(Self {
            remote: remote.to_owned(),
            poll,
            session,
            client: Client::new(name, interest),
            generation: None,
            events: VecDeque::new(),
        })
    }

    /// Connects again when the connection breaks, from now on.
    pub fn set_retry(&mut self) {
        self.session.reconnect_mut().set_max_tries(None);
    }

    /// The replica, once it is complete.
    #[must_use]
    pub fn replica(&self) -> Option<&Replica> {
        self.client.replica()
    }

    /// Waits for the next event.
    ///
    /// # Errors
    /// The connection is gone for good.
    pub fn next_event(&mut self) -> Result<Event, Fatal> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(event);
            }
            let now = self.poll.clock().now();
            self.run(now);
            if self.events.is_empty() {
                if !self.session.is_alive() {
                    return Err(self.gone());
                }
                let deadline = self.session.poll_at(now);
                self.poll.poll(deadline).map_err(|error| Fatal::os(&error, "epoll"))?;
            }
        }
    }

    fn gone(&self) -> Fatal {
        let closed = io::Error::from(io::ErrorKind::UnexpectedEof);
        let reason = strerror(self.session.last_error().unwrap_or(&closed));
        Fatal::new(format!("{}: database connection failed ({reason})", self.remote))
    }

    fn run(&mut self, now: i64) {
        self.session.run(now);
        let generation = self.session.is_connected().then(|| self.session.generation());
        if generation != self.generation {
            if self.generation.is_some() {
                self.events.extend(self.client.disconnected());
            }
            self.generation = generation;
            if generation.is_some() {
                self.client.connected();
            }
        }
        self.transmit();
        while let Some(message) = self.session.recv(now) {
            for event in self.client.handle(message) {
                match event {
                    Event::Disconnect(reason) => self.session.fail(&reason),
                    event => self.events.push_back(event),
                }
            }
            self.transmit();
        }
    }

    fn transmit(&mut self) {
        while let Some(message) = self.client.poll_transmit() {
            self.session.send(&message);
        }
    }

    /// Carries out a transaction and waits for its end.
    ///
    /// # Errors
    /// The connection is gone for good.
    pub fn commit(&mut self, txn: &Transaction) -> Result<Outcome, Fatal> {
        let id = match self.client.commit(txn) {
            Ok(id) => id,
            Err(outcome) => return Ok(outcome),
        };
        loop {
            match self.next_event()? {
                Event::Committed(done, outcome) if done == id => return Ok(outcome),
                _ => {}
            }
        }
    }
}

/// Splits at the commas that begin another connection's name: IPv6 addresses and file names may
/// hold commas of their own.
pub(crate) fn split_remotes(remote: &str) -> Vec<String> {
    let mut remotes: Vec<String> = Vec::new();
    for part in remote.split(',') {
        let begins = ["unix:", "tcp:", "ssl:", "punix:", "ptcp:", "pssl:"];
        match remotes.last_mut() {
            Some(last) if !begins.iter().any(|kind| part.starts_with(kind)) => {
                last.push(',');
                last.push_str(part);
            }
            _ => remotes.push(part.to_owned()),
        }
    }
    remotes
}

#[cfg(test)]
mod tests {
    #[test]
    fn remotes() {
        let split = super::split_remotes;
        assert_eq!(split("unix:/a,b,tcp:[::1]:6640"), ["unix:/a,b", "tcp:[::1]:6640"]);
        assert_eq!(split("foo"), ["foo"]);
    }
}
