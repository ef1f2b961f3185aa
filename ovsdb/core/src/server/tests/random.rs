//! Random transactions, and what has to hold after each: reference counts, back references and
//! indexes are those that a count from scratch gives; nothing dangles; the log leads to the same
//! tables; and so do the updates that each kind of monitor is sent.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use uuid::Uuid;
use weir_jsonrpc::Json;

use super::generator::Generator;
use super::{Bench, schema};
use crate::database::Database;
use crate::datum::Datum;
use crate::file;
use crate::server::{Now, Server};

/// Counts everything that is kept beside the rows anew.
fn check(database: &Database) {
    let mut strong: BTreeMap<(usize, Uuid), usize> = BTreeMap::new();
    let mut weak: BTreeMap<(usize, Uuid), BTreeSet<(usize, Uuid)>> = BTreeMap::new();
    for (index, table) in database.tables().enumerate() {
        let refs = database.refs(index);
        for row in table.rows() {
            for place in &refs[index].strong {
                for uuid in place.targets(row) {
                    assert!(database.row((place.target, uuid)).is_some(), "dangling");
                    *strong.entry((place.target, uuid)).or_default() += 1;
                }
            }
            for place in &refs[index].weak {
                for uuid in place.targets(row) {
                    assert!(database.row((place.target, uuid)).is_some(), "dangling");
                    weak.entry((place.target, uuid)).or_default().insert((index, row.uuid()));
                }
            }
            for (i, column) in table.schema().columns.iter().enumerate() {
                assert!(row.get(i).conforms_to(&column.type_));
                row.get(i).check(&column.type_).unwrap();
            }
        }
    }
    for (index, table) in database.tables().enumerate() {
        for (uuid, n) in &table.strong {
            assert_eq!(strong.remove(&(index, *uuid)), Some(*n));
        }
        for (uuid, sources) in &table.weak {
            assert_eq!(weak.remove(&(index, *uuid)), Some(sources.iter().copied().collect()));
        }
        for (map, columns) in table.indexes.iter().zip(&table.schema().indexes) {
            assert_eq!(map.len(), table.len());
            for row in table.rows() {
                assert_eq!(map.get(&row.project(columns)), Some(&row.uuid()));
            }
        }
        assert!(table.len() <= table.schema().max_rows as usize);
        if !table.schema().is_root {
            assert!(table.rows().all(|row| table.strong_count(&row.uuid()) > 0));
        }
    }
    assert!(strong.is_empty() && weak.is_empty());
}

/// The tables as plain values, without versions.
type Plain = BTreeMap<String, BTreeMap<String, BTreeMap<String, Datum>>>;

fn plain(database: &Database, with_ephemeral: bool) -> Plain {
    let mut plain = Plain::new();
    for table in database.tables() {
        for row in table.rows() {
            let columns = table.schema().columns.iter().enumerate().skip(2);
            let values = columns
                .filter(|(_, column)| with_ephemeral || column.persistent)
                .map(|(i, column)| (column.name.to_string(), row.get(i).clone()))
                .collect();
            plain
                .entry(table.name().to_owned())
                .or_default()
                .insert(row.uuid().to_string(), values);
        }
    }
    plain
}

/// What a client makes of `update` or `update2` notifications.
fn apply(replica: &mut Plain, updates: &Json) {
    let schema = schema();
    for (name, rows) in updates.as_object().unwrap() {
        let table_schema = schema.table(name).unwrap();
        let table = replica.entry(name.to_string()).or_default();
        for (uuid, update) in rows.as_object().unwrap() {
            let read = |json: &Json, row: &mut BTreeMap<String, Datum>, is_diff: bool| {
                let members = json.as_object().unwrap().iter();
                for (column, value) in members.filter(|(name, _)| &***name != "_version") {
                    let type_ = &table_schema.column(column).unwrap().type_;
                    let mut datum = Datum::from_json_unconstrained(type_, value).unwrap();
                    if is_diff {
                        datum = row[&column.to_string()].apply_diff(&datum, type_);
                    }
                    row.insert(column.to_string(), datum);
                }
            };
            let defaults = || -> BTreeMap<String, Datum> {
                let own = table_schema.own_columns();
                own.map(|column| (column.name.to_string(), (*column.default).clone())).collect()
            };
            let (kind, row) = update.as_object().unwrap().first_key_value().unwrap();
            match (&**kind, update.get("new")) {
                (_, Some(new)) => read(new, table.entry(uuid.to_string()).or_default(), false),
                ("old" | "delete", None) => {
                    table.remove(&uuid.to_string()).unwrap();
                }
                ("modify", _) => read(row, table.get_mut(&uuid.to_string()).unwrap(), true),
                _ => {
                    let mut values = defaults();
                    read(row, &mut values, false);
                    assert_eq!(table.insert(uuid.to_string(), values), None);
                }
            }
        }
        if replica[&name.to_string()].is_empty() {
            replica.remove(&name.to_string());
        }
    }
}

#[test]
fn everything_agrees_after_every_transaction() {
    let dir = tempfile::tempdir().unwrap();
    for seed in 0..24 {
        let path = dir.path().join(format!("{seed}.db"));
        drop(file::create(&path, &Database::new(schema()), None, 0).unwrap());
        let mut bench = Bench { server: Server::new(), now: Now::default(), next_id: 0 };
        bench.server.open_db(bench.now, &path).unwrap();
        let (writer, reader) = (bench.server.session_open(), bench.server.session_open());
        let watch = |method: &str, id: u32| match method {
            "monitor_cond_since" => {
                format!(r#"["t",{id},{{"A":{{}},"B":{{}},"C":{{}}}},"{}"]"#, Uuid::nil())
            }
            _ => format!(r#"["t",{id},{{"A":{{}},"B":{{}},"C":{{}}}}]"#),
        };
        for (id, method) in (1..).zip(["monitor", "monitor_cond", "monitor_cond_since"]) {
            bench.call(reader, method, &watch(method, id));
        }
        let mut replicas = [Plain::new(), Plain::new(), Plain::new()];
        let mut generator = Generator::new(seed);
        for step in 0..120 {
            bench.call(writer, "transact", &generator.transaction());
            let database = bench.server.db("t").unwrap().database().clone();
            check(&database);
            if step % 50 == 20 {
                bench.server.compact(bench.now, "t").unwrap();
            }
            // The reader does not listen all the time.
            if generator.random.below(3) > 0 {
                continue;
            }
            for text in bench.receive(reader) {
                let (_, params) = text.split_once(' ').unwrap();
                let params = Json::parse(params).unwrap();
                let params = params.as_array().unwrap();
                let id = params[0].as_int().unwrap() as usize;
                apply(&mut replicas[id - 1], params.last().unwrap());
            }
            let truth = plain(&database, true);
            for replica in &replicas {
                assert_eq!(*replica, truth, "seed {seed} step {step}");
            }
        }
        let truth = plain(bench.server.db("t").unwrap().database(), false);
        drop(bench);
        let opened = file::open(&path, true, 0).unwrap();
        assert_eq!(opened.damage, None);
        check(&opened.database);
        assert_eq!(plain(&opened.database, false), truth, "seed {seed}");
        // A schema that is the same changes nothing.
        let converted = file::convert(&opened.database, Arc::clone(opened.database.schema()));
        assert_eq!(plain(&converted.unwrap(), false), truth);
    }
}

#[test]
fn conditions_cut_the_view() {
    for seed in 100..112 {
        let mut bench = Bench::new();
        let (writer, reader) = (bench.server.session_open(), bench.server.session_open());
        let first = r#"["t",1,{"A":[{"where":[["i","==",1],["s","==","p"]]}]}]"#;
        bench.call(reader, "monitor_cond", first);
        let mut wanted = (1, "p");
        let mut replica = Plain::new();
        let mut generator = Generator::new(seed);
        for step in 0..150 {
            bench.call(writer, "transact", &generator.transaction());
            if generator.random.below(8) == 0 {
                wanted = (
                    generator.random.below(4) as i64,
                    ["p", "q"][generator.random.below(2) as usize],
                );
                let change = format!(
                    r#"[1,1,{{"A":[{{"where":[["i","==",{}],["s","==","{}"]]}}]}}]"#,
                    wanted.0, wanted.1
                );
                bench.send(reader, "monitor_cond_change", &change);
            }
            for text in bench.receive(reader) {
                if let Some(params) = text.strip_prefix("update2 ") {
                    apply(&mut replica, Json::parse(params).unwrap().at(1).unwrap());
                }
            }
            let mut truth = plain(bench.server.db("t").unwrap().database(), true);
            truth.retain(|name, _| name == "A");
            if let Some(table) = truth.get_mut("A") {
                table.retain(|_, row| {
                    row["i"] == Datum::scalar(wanted.0) || row["s"] == Datum::scalar(wanted.1)
                });
                if table.is_empty() {
                    truth.clear();
                }
            }
            assert_eq!(replica, truth, "seed {seed} step {step}");
        }
    }
}
