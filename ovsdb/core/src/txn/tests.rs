//! Transactions checked against what Debian's ovsdb-server 3.1 answered to the same ones.

use std::sync::Arc;

use weir_jsonrpc::Json;

use super::{Execution, Outcome, execute};
use crate::database::Database;
use crate::schema::Schema;

const SCHEMA: &str = include_str!("../../tests/data/t.ovsschema");

struct Db(Database);

impl Db {
    fn new() -> Self {
        Self(Database::new(Arc::new(Schema::parse(SCHEMA).unwrap())))
    }

    fn run(&mut self, operations: &str) -> String {
        let json = Json::parse(format!("[{operations}]")).unwrap();
        let how =
            Execution { read_only: false, owns_lock: &|_| false, elapsed_ms: 0, may_wait: false };
        let results = match execute(&self.0, json.as_array().unwrap(), how) {
            Outcome::Done { mut results, txn, .. } => {
                match txn.prepare() {
                    Ok((database, _)) => self.0 = database,
                    Err(e) => results.push(e.to_json()),
                }
                results
            }
            Outcome::Failed { results } => results,
            Outcome::Waiting { .. } => vec![],
        };
        hide_uuids(&Json::Array(results).to_string())
    }
}

/// Replaces each UUID by its number in the order of appearance.
fn hide_uuids(text: &str) -> String {
    let mut seen: Vec<String> = Vec::new();
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(uuid) = rest.get(..36).and_then(crate::atom::uuid_from_string) {
            let uuid = uuid.to_string();
            let n = seen.iter().position(|s| *s == uuid).unwrap_or_else(|| {
                seen.push(uuid);
                seen.len() - 1
            });
            out.push_str(&format!("<{n}>"));
            rest = &rest[36..];
        } else {
            let c = rest.chars().next().unwrap();
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}

#[test]
fn single_operations() {
    for (operations, answer) in [
        (
            r#"{"op":"nope"}"#,
            r#"[{"details":"Parsing ovsdb operation 1 of 1 failed: No operation \"nope\"","error":"syntax error","syntax":"{\"op\":\"nope\"}"}]"#,
        ),
        (
            r#"{"op":5}"#,
            r#"[{"details":"Parsing ovsdb operation 1 of 1 failed: Type mismatch for member 'op'.","error":"syntax error","syntax":"{\"op\":5}"}]"#,
        ),
        (
            "5",
            r#"[{"details":"Parsing ovsdb operation 1 of 1 failed: Object expected.","error":"syntax error"}]"#,
        ),
        (r#"{"op":"abort"}"#, r#"[{"details":"aborted by request","error":"aborted"}]"#),
        (
            r#"{"op":"insert","table":"A"}"#,
            r#"[{"details":"Parsing ovsdb operation 1 of 1 failed: Required 'row' member is missing.","error":"syntax error","syntax":"{\"op\":\"insert\",\"table\":\"A\"}"}]"#,
        ),
        (
            r#"{"op":"insert","table":"Z","row":{}}"#,
            r#"[{"details":"Parsing ovsdb operation 1 of 1 failed: No table named Z.","error":"syntax error","syntax":"{\"op\":\"insert\",\"row\":{},\"table\":\"Z\"}"}]"#,
        ),
        (
            r#"{"op":"assert","lock":"l"}"#,
            r#"[{"details":"Asserted lock l not held.","error":"not owner"}]"#,
        ),
        (r#"{"op":"comment","comment":"x"},{"op":"commit","durable":true}"#, "[{},{}]"),
        (
            r#"{"op":"insert","table":"A","row":{"e":"z z"}}"#,
            r#"[{"details":"\"z z\" is not one of the allowed values ([x, \"y z\"])","error":"constraint violation"}]"#,
        ),
        (
            r#"{"op":"insert","table":"A","row":{"len":"é"}}"#,
            r#"[{"details":"\"é\" length 1 is less than minimum allowed length 2","error":"constraint violation"}]"#,
        ),
        (
            r#"{"op":"insert","table":"A","row":{"st":["named-uuid","foo"]}}"#,
            r#"[{"uuid":["uuid","<0>"]},{"details":"Table A column st row <0> references nonexistent row <1> in table B.","error":"referential integrity violation"}]"#,
        ),
        (
            r#"{"op":"insert","table":"A","row":{"nope":4}}"#,
            r#"[{"details":"No column nope in table A.","error":"unknown column","syntax":"{\"nope\":4}"}]"#,
        ),
        (
            r#"{"op":"update","table":"A","where":[],"row":{"im":"x"}}"#,
            r#"[{"details":"Cannot update immutable column im in table A.","error":"constraint violation","syntax":"{\"op\":\"update\",\"row\":{\"im\":\"x\"},\"table\":\"A\",\"where\":[]}"}]"#,
        ),
        (
            r#"{"op":"insert","table":"C","row":{"n":3}}"#,
            r#"[{"uuid":["uuid","<0>"]},{"details":"Weak reference column \"w\" in \"C\" row <0> (inserted within this transaction) contained all-zeros UUID (probably as the default value for this column) but deleting this value caused a constraint volation because this column is not allowed to be empty.","error":"constraint violation"}]"#,
        ),
        (
            r#"{"op":"insert","table":"C","row":{"w":["uuid","d1a4b2a8-5d2c-4a4b-9d94-1c5b1c1f8b11"]}}"#,
            r#"[{"uuid":["uuid","<0>"]},{"details":"Deletion of 1 weak reference(s) to deleted (or never-existing) rows from column \"w\" in \"C\" row <0> (inserted within this transaction) caused this column to become empty, but constraints on this column disallow an empty column.","error":"constraint violation"}]"#,
        ),
        (
            r#"{"op":"insert","table":"A","uuid-name":"x","row":{}},{"op":"insert","table":"A","uuid-name":"x","row":{}}"#,
            r#"[{"uuid":["uuid","<0>"]},{"details":"This \"uuid-name\" appeared on an earlier \"insert\" operation.","error":"duplicate uuid-name","syntax":"\"x\""}]"#,
        ),
        (
            r#"{"op":"select","table":"A","where":[],"columns":["i","i"]}"#,
            r#"[{"details":"array of distinct column names expected","error":"syntax error","syntax":"[\"i\",\"i\"]"}]"#,
        ),
        (
            r#"{"op":"insert","uuid":"d1a4b2","table":"A","row":{}}"#,
            r#"[{"details":"bad uuid","error":"syntax error","syntax":"\"d1a4b2\""}]"#,
        ),
        (
            r#"{"op":"wait","table":"A","where":[],"columns":["i"],"until":"!=","rows":[],"timeout":0}"#,
            r#"[{"details":"\"where\" clause test failed","error":"timed out"}]"#,
        ),
        (r#"{"op":"wait","table":"A","where":[],"columns":["i"],"until":"==","rows":[]}"#, "[{}]"),
    ] {
        assert_eq!(Db::new().run(operations), answer, "{operations}");
    }
}

#[test]
fn indexes_are_unique() {
    let mut db = Db::new();
    db.run(r#"{"op":"insert","table":"A","row":{"s":"q2","i":6}}"#);
    assert_eq!(
        db.run(r#"{"op":"insert","table":"A","row":{"s":"q2","i":3}}"#),
        r#"[{"uuid":["uuid","<0>"]},{"details":"Transaction causes multiple rows in \"A\" table to have identical values (q2) for index on column \"s\".  First row, with UUID <1>, existed in the database before this transaction and was not modified by the transaction.  Second row, with UUID <0>, was inserted by this transaction.","error":"constraint violation"}]"#
    );
    // Two rows may swap their values.
    db.run(r#"{"op":"insert","table":"A","row":{"s":"q3","i":7}}"#);
    assert_eq!(
        db.run(
            r#"{"op":"update","table":"A","where":[["i","==",6]],"row":{"s":"q3"}},
               {"op":"update","table":"A","where":[["i","==",7]],"row":{"s":"q2"}}"#
        ),
        r#"[{"count":1},{"count":1}]"#
    );
}

#[test]
fn garbage_goes_with_the_last_reference() {
    let mut db = Db::new();
    db.run(
        r#"{"op":"insert","table":"B","row":{"n":"leaf"},"uuid-name":"leaf"},
           {"op":"insert","table":"B","row":{"n":"mid","c":["named-uuid","leaf"]},"uuid-name":"mid"},
           {"op":"insert","table":"B","row":{"n":"lost"}},
           {"op":"insert","table":"A","row":{"s":"a","st":["named-uuid","mid"],
            "wk1":["map",[["x",["named-uuid","mid"]]]]}}"#,
    );
    let names = r#"{"op":"select","table":"B","where":[],"columns":["n"],"sort":["n"]}"#;
    assert_eq!(db.run(names), r#"[{"rows":[{"n":"leaf"},{"n":"mid"}]}]"#);
    assert_eq!(
        db.run(r#"{"op":"delete","table":"B","where":[["n","==","leaf"]]}"#),
        r#"[{"count":1},{"details":"cannot delete B row <0> because of 1 remaining reference(s)","error":"referential integrity violation"}]"#
    );
    db.run(r#"{"op":"update","table":"A","where":[],"row":{"st":["set",[]]}}"#);
    assert_eq!(db.run(names), r#"[{"rows":[]}]"#);
    // The weak reference went with its row.
    assert_eq!(
        db.run(r#"{"op":"select","table":"A","where":[],"columns":["wk1"]}"#),
        r#"[{"rows":[{"wk1":["map",[]]}]}]"#
    );
}

#[test]
fn weak_references_keep_columns_from_emptying() {
    let mut db = Db::new();
    db.run(
        r#"{"op":"insert","table":"A","row":{"s":"a","i":1},"uuid-name":"a"},
           {"op":"insert","table":"A","row":{"s":"b","i":2},"uuid-name":"b"},
           {"op":"insert","table":"C","row":{"w":["set",[["named-uuid","a"],["named-uuid","b"]]]}}"#,
    );
    assert_eq!(
        db.run(r#"{"op":"delete","table":"A","where":[["s","==","a"]]}"#),
        r#"[{"count":1}]"#
    );
    assert_eq!(
        db.run(r#"{"op":"delete","table":"A","where":[["s","==","b"]]}"#),
        r#"[{"count":1},{"details":"Deletion of 1 weak reference(s) to deleted (or never-existing) rows from column \"w\" in \"C\" row <0> caused this column to become empty, but constraints on this column disallow an empty column.","error":"constraint violation"}]"#
    );
    assert_eq!(
        db.run(r#"{"op":"insert","table":"C","row":{}}"#),
        r#"[{"uuid":["uuid","<0>"]},{"details":"transaction causes \"C\" table to contain 2 rows, greater than the schema-defined limit of 1 row(s)","error":"constraint violation"}]"#
    );
}

#[test]
fn conditions() {
    let mut db = Db::new();
    db.run(
        r#"{"op":"insert","table":"A","row":{"s":"e","i":1}},
           {"op":"insert","table":"A","row":{"s":"f","i":2,"oi":5,"si":["set",[1,2]],
            "m":["map",[["a","b"]]]}}"#,
    );
    for (clause, rows) in [
        (r#"["oi","==",["set",[]]]"#, "1"),
        (r#"["oi","!=",5]"#, "1"),
        (r#"["oi","!=",6]"#, "12"),
        (r#"["oi","includes",["set",[]]]"#, "12"),
        (r#"["oi","excludes",5]"#, "1"),
        (r#"["oi","<",6]"#, "2"),
        (r#"["oi",">=",6]"#, ""),
        (r#"["si","includes",1]"#, "2"),
        (r#"["si","excludes",["set",[1,3]]]"#, "1"),
        (r#"["si","==",["set",[2,1]]]"#, "2"),
        (r#"["m","includes",["map",[["a","c"]]]]"#, ""),
        (r#"["m","excludes",["map",[["a","c"]]]]"#, "12"),
        ("true", "12"),
        ("false", ""),
    ] {
        let answer = db.run(&format!(
            r#"{{"op":"select","table":"A","where":[{clause}],"columns":["i"],"sort":["i"]}}"#
        ));
        let rows: Vec<String> = rows.chars().map(|i| format!("{{\"i\":{i}}}")).collect();
        assert_eq!(answer, format!("[{{\"rows\":[{}]}}]", rows.join(",")), "{clause}");
    }
}

#[test]
fn mutations() {
    let mut db = Db::new();
    db.run(
        r#"{"op":"insert","table":"A","row":{"i":2,"oi":5,"si":["set",[1,2]],
            "m":["map",[["a","b"]]]}}"#,
    );
    for (mutation, answer) in [
        (r#"["oi","insert",6]"#, Err("Attempted to store 2 elements in set of up to 1 integers.")),
        (r#"["oi","delete",5]"#, Ok(r#""oi":["set",[]]"#)),
        (
            r#"["i","insert",4]"#,
            Err(
                r#"Type mismatch: \"insert\" operator may not be applied to column i of type integer."#,
            ),
        ),
        (r#"["si","+=",1]"#, Ok(r#""si":["set",[2,3]]"#)),
        (r#"["si","*=",0]"#, Err(r#"Result of \"*=\" operation contains duplicates."#)),
        (r#"["i","%=",0]"#, Err("Division by zero.")),
        (
            r#"["m","insert",["map",[["a","z"],["q","r"]]]]"#,
            Ok(r#""m":["map",[["a","b"],["q","r"]]]"#),
        ),
        (r#"["m","delete",["map",[["a","z"]]]]"#, Ok(r#""m":["map",[["a","b"]]]"#)),
        (r#"["m","delete",["set",["a","zz"]]]"#, Ok(r#""m":["map",[]]"#)),
        (r#"["m","delete",["set",["a",5]]]"#, Err("expected string")),
        (r#"["rng","insert",99]"#, Err("99 is not in the valid range 1 to 10 (inclusive)")),
        (
            r#"["i","+=",9223372036854775807]"#,
            Err(r#"Result of \"+=\" operation is out of range."#),
        ),
        (r#"["_uuid","insert",1]"#, Err("Cannot mutate immutable column _uuid in table A.")),
        (r#"["i","**",1]"#, Err("No mutator named **.")),
        (r#"["i","/=",-1],["i","%=",2]"#, Ok(r#""i":0"#)),
    ] {
        let answered = db.run(&format!(
            r#"{{"op":"mutate","table":"A","where":[],"mutations":[{mutation}]}},
               {{"op":"select","table":"A","where":[]}},{{"op":"abort"}}"#
        ));
        let (Ok(part) | Err(part)) = answer;
        assert!(answered.contains(part), "{mutation}: {answered}");
        assert_eq!(answered.contains("\"rows\""), answer.is_ok(), "{mutation}: {answered}");
    }
}
