//! `ovsdb-tool` on its own, and on files that the installed `ovsdb-tool` writes and reads.
//!
//! The expected texts were observed with Debian's ovsdb-tool 3.1.

use std::io;
use std::path::Path;
use std::process::{Command, Output};

const OURS: &str = env!("CARGO_BIN_EXE_ovsdb-tool");
const SCHEMA: &str = include_str!("../../core/tests/data/t.ovsschema");
const A: &str = "aef38a1a-a661-4406-8a17-621018026723";
const B: &str = "86d39bc9-59ba-4743-a2e3-3ae725c6e3b7";

fn run(program: &str, dir: &Path, args: &[&str]) -> io::Result<Output> {
    Command::new(program)
        .args(args)
        .current_dir(dir)
        .env("OVS_DBDIR", dir)
        .env("OVS_LOGDIR", dir)
        .env("OVS_RUNDIR", dir)
        .output()
}

/// What a program prints and its exit code, in one text.
fn call(program: &str, dir: &Path, args: &[&str]) -> String {
    match run(program, dir, args) {
        Ok(output) => format!(
            "{}{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr).replace(OURS, "ovsdb-tool"),
            output.status.code().unwrap_or(-1)
        ),
        Err(e) => e.to_string(),
    }
}

fn first_transaction() -> String {
    format!(
        r#"["t",{{"op":"insert","table":"B","uuid":"{B}","uuid-name":"b","row":{{}}}},
            {{"op":"insert","table":"A","uuid":"{A}","row":{{"s":"LOG","i":144,
              "m":["map",[["a","b"],["c","d"]]],"ep":4,"st":["named-uuid","b"]}}}},
            {{"op":"comment","comment":"hello"}}]"#
    )
}

const SELECT: &str = r#"["t",{"op":"select","table":"A","where":[],"columns":["_uuid","s","i","m","ep","st","si"]}]"#;

/// Dates differ from run to run.
fn undated(text: &str) -> String {
    let is_date = |line: &&str| line.starts_with("record ") && line.contains(": 20");
    text.lines()
        .map(|line| match Some(line).filter(is_date).and_then(|line| line.split_once(": ")) {
            Some((number, rest)) => format!("{number}: DATE{}\n", rest.get(23..).unwrap_or("")),
            None => format!("{line}\n"),
        })
        .collect()
}

#[test]
fn a_database_from_creation_to_compaction() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    let dir = dir.path();
    std::fs::write(dir.join("t.ovsschema"), SCHEMA)?;
    let tool = |args: &[&str]| call(OURS, dir, args);
    assert_eq!(tool(&["create", "t.db", "t.ovsschema"]), "0");
    assert_eq!(
        tool(&["create", "t.db", "t.ovsschema"]),
        "ovsdb-tool: I/O error: t.db: create failed (File exists)\n1"
    );
    let inserted =
        format!("[{{\"uuid\":[\"uuid\",\"{B}\"]}},{{\"uuid\":[\"uuid\",\"{A}\"]}},{{}}]\n0");
    assert_eq!(tool(&["transact", "t.db", &first_transaction()]), inserted);
    let update =
        r#"["t",{"op":"update","table":"A","where":[],"row":{"m":["map",[["a","x"],["e","f"]]]}}]"#;
    assert_eq!(tool(&["transact", "t.db", update]), "[{\"count\":1}]\n0");
    assert_eq!(
        tool(&["query", "t.db", SELECT]),
        format!(
            "[{{\"rows\":[{{\"_uuid\":[\"uuid\",\"{A}\"],\"ep\":0,\"i\":144,\
             \"m\":[\"map\",[[\"a\",\"x\"],[\"e\",\"f\"]]],\"s\":\"LOG\",\"si\":[\"set\",[]],\
             \"st\":[\"uuid\",\"{B}\"]}}]}}]\n0"
        )
    );
    // A query changes nothing, whatever it does.
    let delete = r#"["t",{"op":"delete","table":"A","where":[]},{"op":"comment","comment":"bye"}]"#;
    assert_eq!(tool(&["query", "t.db", delete]), "[{\"count\":1},{}]\n0");
    assert_eq!(tool(&["transact", "t.db", delete]), "[{\"count\":1},{}]\n0");
    assert_eq!(
        undated(&tool(&["-mm", "show-log", "t.db"])),
        "record 0: \"t\" schema, version=\"1.2.3\", cksum=\"\"\n\n\
         record 1: DATE \"hello\"\n  table A insert row aef38a1a:\n    i=144\n    m={a=b, c=d}\n    \
         s=LOG\n    st=[86d39bc9-59ba-4743-a2e3-3ae725c6e3b7]\n  table B insert row 86d39bc9:\n\n\
         record 2: DATE\n  table A row aef38a1a (aef38a1a) diff:\n    m={a=x, c=d, e=f}\n\n\
         record 3: DATE \"bye\"\n  table A row aef38a1a (aef38a1a) diff:\n    delete row\n  \
         table B row 86d39bc9 (86d39bc9) diff:\n    delete row\n\n0\n"
    );
    assert_eq!(tool(&["compact", "t.db", "copy.db"]), "0");
    assert_eq!(tool(&["compact", "t.db"]), "0");
    assert_eq!(
        undated(&tool(&["show-log", "t.db"])),
        "record 0: \"t\" schema, version=\"1.2.3\", cksum=\"\"\n\n\
         record 1: DATE \"compacted by ovsdb-tool 3.7.0\"\n0\n"
    );
    assert_eq!(
        std::fs::metadata(dir.join("t.db"))?.len(),
        std::fs::metadata(dir.join("copy.db"))?.len()
    );
    Ok(())
}

#[test]
fn answers_and_complaints() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    let dir = dir.path();
    std::fs::write(dir.join("t.ovsschema"), SCHEMA)?;
    std::fs::write(dir.join("bad.db"), "hello\n")?;
    std::fs::write(dir.join("empty.db"), "")?;
    call(OURS, dir, &["create", "t.db", "t.ovsschema"]);
    for (args, answer) in [
        (&[] as &[&str], "ovsdb-tool: missing command name; use --help for help\n1"),
        (&["foo"], "ovsdb-tool: unknown command 'foo'; use --help for help\n1"),
        (&["--foo"], "ovsdb-tool: unrecognized option '--foo'\n1"),
        (&["create", "a", "b", "c"], "ovsdb-tool: 'create' command takes at most 2 arguments\n1"),
        (&["query"], "ovsdb-tool: 'query' command requires at least 1 arguments\n1"),
        (&["compare-versions", "1.2.3", "<", "1.2.10"], "0"),
        (&["compare-versions", "1.2.3", ">", "1.2.10"], "2"),
        (
            &["compare-versions", "1.2", ">", "1.2.10"],
            "ovsdb-tool: 1.2: not an OVSDB version number in format x.y.z\n1",
        ),
        (
            &["compare-versions", "1.2.3", "x", "1.2.3"],
            "ovsdb-tool: x: not a relational operator\n1",
        ),
        (
            &["schema-name", "nope"],
            "ovsdb-tool: failed to read schema: \"nope\" could not be read as JSON (error opening \"nope\": No such file or directory)\n1",
        ),
        (&["schema-version", "t.ovsschema"], "1.2.3\n0"),
        (&["schema-cksum", "t.ovsschema"], "\n0"),
        (
            &["db-name"],
            "ovsdb-tool: I/O error: %DIR%/conf.db: open failed (No such file or directory)\n1",
        ),
        (&["db-name", "t.db"], "t\n0"),
        (&["db-is-standalone", "t.db"], "0"),
        (&["db-is-clustered", "t.db"], "2"),
        (
            &["db-is-clustered", "bad.db"],
            "ovsdb-tool: ovsdb error: bad.db: unexpected file format\n1",
        ),
        (
            &["db-name", "empty.db"],
            "ovsdb-tool: ovsdb error: empty.db: cannot identify file type\n1",
        ),
        (&["needs-conversion", "t.db", "t.ovsschema"], "no\n0"),
        (
            &["transact", "t.db", "xx"],
            "ovsdb-tool: \"xx\": line 0, column 2, byte 2: invalid keyword 'xx'\n1",
        ),
        (
            &["transact", "t.db", "[\"zz\"]"],
            "{\"details\":\"database name expected as first parameter\",\"error\":\"syntax error\",\"syntax\":\"[\\\"zz\\\"]\"}\n0",
        ),
    ] {
        let answer = answer.replace("%DIR%", &dir.display().to_string());
        assert_eq!(call(OURS, dir, args), answer, "{args:?}");
    }
    Ok(())
}

#[test]
fn files_go_both_ways() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    let dir = dir.path();
    const THEIRS: &str = "ovsdb-tool";
    std::fs::write(dir.join("t.ovsschema"), SCHEMA)?;
    let Ok(_) = run(THEIRS, dir, &["--version"]) else {
        eprintln!("skipped: no ovsdb-tool is installed");
        return Ok(());
    };
    let steps = [
        first_transaction(),
        r#"["t",{"op":"update","table":"A","where":[],"row":{"m":["map",[["a","x"],["e","f"]]],"si":["set",[1,2,3]],"oi":5}}]"#.into(),
        r#"["t",{"op":"mutate","table":"A","where":[],"mutations":[["si","delete",2],["i","+=",1]]},{"op":"insert","table":"A","row":{"s":"é\"","r":0.1,"wk":["set",[]]}}]"#.into(),
        r#"["t",{"op":"update","table":"A","where":[["s","==","LOG"]],"row":{"oi":["set",[]],"st":["set",[]]}}]"#.into(),
    ];
    let everything = r#"["t",{"op":"select","table":"A","where":[],"columns":["s","i","m","si","oi","r","st"],"sort":["s"]},{"op":"select","table":"B","where":[],"columns":["n"]}]"#;
    // Each writes what the other reads, taking turns.
    for (db, first, second) in [("a.db", OURS, THEIRS), ("b.db", THEIRS, OURS)] {
        assert_eq!(call(first, dir, &["create", db, "t.ovsschema"]), "0");
        for (i, step) in steps.iter().enumerate() {
            let writer = if i % 2 == 0 { first } else { second };
            call(writer, dir, &["transact", db, step]);
            assert_eq!(
                call(OURS, dir, &["query", db, everything]),
                call(THEIRS, dir, &["query", db, everything])
            );
        }
        for writer in [first, second] {
            assert_eq!(call(writer, dir, &["compact", db]), "0");
            assert_eq!(
                call(OURS, dir, &["query", db, everything]),
                call(THEIRS, dir, &["query", db, everything])
            );
            assert_eq!(call(OURS, dir, &["show-log", db]), call(THEIRS, dir, &["show-log", db]));
        }
    }
    assert_eq!(
        call(OURS, dir, &["query", "a.db", everything]),
        call(OURS, dir, &["query", "b.db", everything])
    );
    Ok(())
}
