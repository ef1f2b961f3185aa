//! `kill -9` at random moments of a transaction load: every transaction that was acknowledged is
//! there after the restart, whole, and in order. So it is when the log's end is damaged, and when the
//! disk is full.
//!
//! The short form (a few rounds with `ovsdb-server`) runs with all other tests. `WEIR_CRASH_ROUNDS`
//! says how many rounds, `WEIR_CRASH_VSWITCHD` names an ovs-vswitchd whose embedded server is
//! killed instead: scripts/accept/crash.sh.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod crash {
    mod full_disk;
    pub(crate) mod load;
    pub(crate) mod random;
    pub(crate) mod server;
}

use std::path::PathBuf;
use std::time::Duration;

use crash::load::{Client, Ledger};
use crash::random::Random;
use crash::server::{Kind, Place};

/// Clients that load the server at the same time.
const CLIENTS: usize = 3;
/// The longest that a server is loaded before it is killed.
const MAX_LOAD: Duration = Duration::from_millis(120);

fn rounds() -> u32 {
    std::env::var("WEIR_CRASH_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(25)
}

fn kind() -> Kind {
    match std::env::var_os("WEIR_CRASH_VSWITCHD") {
        Some(program) => Kind::Embedded(PathBuf::from(program)),
        None => Kind::Standalone(PathBuf::from(env!("CARGO_BIN_EXE_ovsdb-server"))),
    }
}

#[test]
fn no_acknowledged_transaction_is_lost() {
    let mut random = Random::from_env();
    let place = Place::new(kind());
    let mut ledgers: Vec<Ledger> = (0..CLIENTS).map(Ledger::new).collect();
    for round in 0..rounds() {
        let mut server = place.start();
        for ledger in &mut ledgers {
            let found = ledger.verify(&mut place.connect());
            assert!(found.is_ok(), "round {round}, {random:?}: {}", found.unwrap_err());
        }
        let load = random.between(Duration::ZERO, MAX_LOAD);
        let compact_after = random.chance(4).then(|| random.between(Duration::ZERO, load));
        std::thread::scope(|scope| {
            for ledger in &mut ledgers {
                let connection = place.connect();
                let seed = random.next();
                scope.spawn(move || Client::new(connection, ledger, Random::new(seed)).run());
            }
            if let Some(wait) = compact_after {
                std::thread::sleep(wait);
                // The answer may never come: the server dies at any moment of the compaction.
                let place = &place;
                scope.spawn(move || place.control("ovsdb-server/compact"));
            }
            std::thread::sleep(load.saturating_sub(compact_after.unwrap_or_default()));
            server.kill();
        });
    }
    let _server = place.start();
    for ledger in &mut ledgers {
        ledger.verify(&mut place.connect()).unwrap();
    }
    let total: u64 = ledgers.iter().map(Ledger::total).sum();
    eprintln!("{} rounds of kill -9, {total} acknowledged transactions, none lost", rounds());
    assert!(total > 0);
}

/// What a crash may leave at the end of the log: half a record, or blocks that were never written.
#[test]
fn a_damaged_tail_costs_only_what_was_damaged() {
    let mut random = Random::from_env();
    let place = Place::new(Kind::Standalone(PathBuf::from(env!("CARGO_BIN_EXE_ovsdb-server"))));
    let mut ledger = Ledger::new(0);
    for round in 0..12 {
        let server = place.start();
        ledger.verify(&mut place.connect()).unwrap();
        Client::new(place.connect(), &mut ledger, Random::new(random.next())).run_for(5);
        let whole = place.log_len();
        Client::new(place.connect(), &mut ledger, Random::new(random.next())).run_for(1);
        drop(server);
        place.damage_behind(whole, round % 3, &mut random);
        ledger.one_was_lost();
        let reports = place.damage_reports();
        let server = place.start();
        let found = ledger.verify(&mut place.connect());
        assert!(found.is_ok(), "round {round}, {random:?}: {}", found.unwrap_err());
        assert_eq!(place.damage_reports(), reports + 1, "log:\n{}", place.server_log());
        drop(server);
    }
}
