//! The connection to the database: a JSON-RPC session, and the replica it feeds.

use weir_ovsdb::replica::{Client, Event, Interest, Outcome, Replica, Transaction, TxnId};
use weir_runtime::clock::Msec;
use weir_runtime::jsonrpc::Session;
use weir_runtime::reactor::Reactor;

/// The lock that keeps a second ovs-vswitchd from using the same database.
const LOCK: &str = "ovs_vswitchd";

/// See the [module documentation](self).
#[derive(Debug)]
pub struct Database {
    session: Session,
    generation: Option<u64>,
    client: Client,
}

impl Database {
    /// Connects to `remote`, and again whenever the connection breaks.
    #[must_use]
    pub fn open(remote: &str, reactor: &Reactor, now: Msec) -> Self {
        let mut client = Client::new("Open_vSwitch", Interest::Everything);
        client.set_lock(LOCK);
        let remotes: Vec<String> = remote.split(',').map(str::to_owned).collect();
        Self { session: Session::open(&remotes, true, reactor, now), generation: None, client }
    }

    /// The tables, once they are complete and as long as no other process has the lock.
    #[must_use]
    pub fn replica(&self) -> Option<&Replica> {
        self.client.replica().filter(|_| self.client.has_lock())
    }

    /// Whether another ovs-vswitchd has the lock.
    #[must_use]
    pub fn is_locked_out(&self) -> bool {
        self.client.replica().is_some() && self.client.is_connected() && !self.client.has_lock()
    }

    /// Sends a transaction; see [`Client::commit`].
    ///
    /// # Errors
    /// How it ended, when it ended at once.
    pub fn commit(&mut self, txn: &Transaction) -> Result<TxnId, Outcome> {
        let id = self.client.commit(txn)?;
        self.transmit();
        Ok(id)
    }

    /// Drops the connection and connects anew.
    pub fn reconnect(&mut self, now: Msec) {
        self.session.force_reconnect(now);
    }

    fn transmit(&mut self) {
        while let Some(message) = self.client.poll_transmit() {
            self.session.send(&message);
        }
    }

    /// Does what there is to do and says what happened.
    pub fn run(&mut self, now: Msec) -> Vec<Event> {
        self.session.run(now);
        let mut events = Vec::new();
        let generation = self.session.is_connected().then(|| self.session.generation());
        if generation != self.generation {
            if self.generation.is_some() {
                events.extend(self.client.disconnected());
            }
            self.generation = generation;
            if generation.is_some() {
                self.client.connected();
                self.transmit();
            }
        }
        while let Some(message) = self.session.recv(now) {
            for event in self.client.handle(message) {
                if let Event::Disconnect(reason) = &event {
                    self.session.fail(reason);
                }
                events.push(event);
            }
            self.transmit();
        }
        self.session.run(now);
        events
    }

    /// When [`Database::run`] has something to do though nothing arrived.
    #[must_use]
    pub fn poll_at(&self, now: Msec) -> Option<Msec> {
        self.session.poll_at(now)
    }
}
