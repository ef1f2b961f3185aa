//! The load: each client numbers its transactions, and keeps in a ledger what was acknowledged.
//!
//! Transaction N of a client inserts the row `load-CLIENT-N` in table QoS, deletes row N - KEPT, and
//! writes N into the client's counter row, so a transaction that is there in part shows.

use std::collections::BTreeSet;
use std::io;

use weir_jsonrpc::{Json, Message, array, object};
use weir_runtime::clock::Clock;
use weir_runtime::jsonrpc;

use super::random::Random;

const DATABASE: &str = "Open_vSwitch";
/// Rows that a client leaves in the database.
const KEPT: u64 = 40;
/// Transactions that are under way at most.
const WINDOW: u64 = 6;
/// How long a live server may take to answer.
const PATIENCE_MS: i64 = 60_000;

/// What one client sent and what it was told.
#[derive(Debug)]
pub(crate) struct Ledger {
    client: usize,
    sent: u64,
    acknowledged: u64,
    total: u64,
}

impl Ledger {
    pub(crate) fn new(client: usize) -> Self {
        Self { client, sent: 0, acknowledged: 0, total: 0 }
    }

    /// Acknowledged transactions of all rounds.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// Somebody cut the last transaction off the log.
    pub(crate) fn one_was_lost(&mut self) {
        self.acknowledged = self.acknowledged.saturating_sub(1);
        self.sent = self.sent.saturating_sub(1);
    }

    fn row_name(&self, number: u64) -> String {
        format!("load-{}-{number}", self.client)
    }

    fn counter_name(&self) -> String {
        format!("counter-{}", self.client)
    }

    /// Compares the database with what was acknowledged; goes on from what is there.
    pub(crate) fn verify(&mut self, client: &mut jsonrpc::Client) -> Result<(), String> {
        let prefix = format!("load-{}-", self.client);
        let mut rows = BTreeSet::new();
        let mut counter = 0;
        for (name, note) in types_and_notes(client)? {
            if let Some(number) = name.strip_prefix(&prefix) {
                rows.insert(number.parse::<u64>().map_err(|e| format!("{name}: {e}"))?);
            } else if name == self.counter_name() {
                counter = note.parse().map_err(|e| format!("{name} has {note}: {e}"))?;
            }
        }
        if counter < self.acknowledged || counter > self.sent {
            return Err(format!(
                "client {}: the counter is {counter}; acknowledged {}, sent {}",
                self.client, self.acknowledged, self.sent
            ));
        }
        let want: BTreeSet<u64> = (counter.saturating_sub(KEPT) + 1..=counter).collect();
        if rows != want {
            return Err(format!("client {}, counter {counter}: rows {rows:?}", self.client));
        }
        (self.sent, self.acknowledged) = (counter, counter);
        Ok(())
    }

    /// Makes one transaction; the error that refused it, if there was one.
    pub(crate) fn one(
        &mut self,
        client: &mut jsonrpc::Client,
        random: &mut Random,
    ) -> Result<(), Json> {
        let params = self.transaction(self.sent + 1, random);
        let answer = client.transact("transact", params).unwrap()?;
        let results = answer.as_array().unwrap_or_default();
        if let Some(error) = results.iter().find(|result| result.get("error").is_some()) {
            return Err(error.clone());
        }
        self.sent += 1;
        self.acknowledged += 1;
        self.total += 1;
        Ok(())
    }

    fn transaction(&self, number: u64, random: &mut Random) -> Vec<Json> {
        // Now and then a record that one write(2) does not carry in one block.
        let size = if random.chance(10) { 20_000 } else { random.below(200) };
        let filler = "x".repeat(size as usize);
        let config = array!["map", array![array!["filler", filler]]];
        let insert = object! {
            "op" => "insert", "table" => "QoS",
            "row" => object! { "type" => self.row_name(number), "other_config" => config },
        };
        let delete = object! {
            "op" => "delete", "table" => "QoS",
            "where" => by_type(&self.row_name(number.saturating_sub(KEPT))),
        };
        let note = array!["map", array![array!["n", number.to_string()]]];
        let count = if number == 1 {
            object! {
                "op" => "insert", "table" => "QoS",
                "row" => object! { "type" => self.counter_name(), "external_ids" => note },
            }
        } else {
            object! {
                "op" => "update", "table" => "QoS", "where" => by_type(&self.counter_name()),
                "row" => object! { "external_ids" => note },
            }
        };
        vec![DATABASE.into(), insert, delete, count]
    }
}

fn by_type(name: &str) -> Json {
    array![array!["type", "==", name]]
}

/// Type and `external_ids:n` of each row of QoS.
fn types_and_notes(client: &mut jsonrpc::Client) -> Result<Vec<(String, String)>, String> {
    let select = object! {
        "op" => "select", "table" => "QoS", "where" => array![],
        "columns" => array!["type", "external_ids"],
    };
    let answer = client
        .transact("transact", vec![DATABASE.into(), select])
        .map_err(|error| error.to_string())?
        .map_err(|error| error.to_string())?;
    let rows = answer.at(0).and_then(|result| result.get("rows")).and_then(Json::as_array);
    let rows = rows.ok_or_else(|| format!("no rows in {answer}"))?;
    let read = |row: &Json| {
        let name = row.get("type")?.as_str()?.to_owned();
        let pair = row.get("external_ids").and_then(|map| map.at(1)?.at(0));
        let note = pair.and_then(|pair| pair.at(1)?.as_str()).unwrap_or_default();
        Some((name, note.to_owned()))
    };
    Ok(rows.iter().filter_map(read).collect())
}

/// One client at work.
#[derive(Debug)]
pub(crate) struct Client<'a> {
    rpc: jsonrpc::Client,
    ledger: &'a mut Ledger,
    random: Random,
}

impl<'a> Client<'a> {
    pub(crate) fn new(rpc: jsonrpc::Client, ledger: &'a mut Ledger, random: Random) -> Self {
        Self { rpc, ledger, random }
    }

    /// Sends transactions until the server dies.
    pub(crate) fn run(mut self) {
        while self.fill_window(u64::MAX).is_ok() && self.take_answer().is_ok() {}
    }

    /// Sends `n` transactions and waits for all answers.
    pub(crate) fn run_for(mut self, n: u64) {
        let last = self.ledger.sent + n;
        while self.ledger.acknowledged < last {
            self.fill_window(last).unwrap();
            self.take_answer().unwrap();
        }
    }

    fn fill_window(&mut self, last: u64) -> io::Result<()> {
        while self.ledger.sent < last && self.ledger.sent - self.ledger.acknowledged < WINDOW {
            let number = self.ledger.sent + 1;
            let params = self.ledger.transaction(number, &mut self.random);
            // A send that fails may have arrived all the same.
            self.ledger.sent = number;
            let id = Json::from(number as i64);
            self.rpc.send(&Message::request("transact", params, id))?;
        }
        Ok(())
    }

    fn take_answer(&mut self) -> io::Result<()> {
        let deadline = Clock::process().now() + PATIENCE_MS;
        let expected = self.ledger.acknowledged + 1;
        match self.rpc.recv(Some(deadline))? {
            Some(Message::Reply { result, id }) => {
                assert_eq!(id.as_int(), Some(expected as i64), "answers come in order");
                let results = result.as_array().unwrap();
                assert!(results.iter().all(|r| r.get("error").is_none()), "{result}");
                self.ledger.acknowledged = expected;
                self.ledger.total += 1;
                Ok(())
            }
            Some(other) => panic!("no answer to a transaction: {other:?}"),
            None => panic!("the server does not answer"),
        }
    }
}
