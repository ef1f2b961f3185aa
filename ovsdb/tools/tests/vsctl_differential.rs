//! The same command lines with the installed ovs-vsctl on the installed server, with ours on that
//! server, and with the installed one on our server: what they print, how they exit and what is in
//! the database afterwards must be the same.
//!
//! Without an installed Open vSwitch there is nothing to compare with, and the test says so.

mod differential;

use differential::{Database, INSTALLED_SERVER, Report, normal, split_words};

const COMMANDS: &str = include_str!("data/vsctl-commands.txt");
const INSTALLED: &str = "/usr/bin/ovs-vsctl";
const OURS: &str = env!("CARGO_BIN_EXE_ovs-vsctl");
const OUR_SERVER: &str = env!("CARGO_BIN_EXE_ovsdb-server");

/// The databases are compared after so many command lines.
const DUMP_EVERY: usize = 32;

#[test]
fn same_as_the_installed_tool() {
    let Some(theirs) = Database::start("theirs", INSTALLED_SERVER) else {
        eprintln!("no Open vSwitch is installed: nothing compared");
        return;
    };
    let start = |name, server| Database::start(name, server).map(|database| (name, database));
    let others = [
        start("our tool, installed server", INSTALLED_SERVER).map(|o| (OURS, o)),
        start("installed tool, our server", OUR_SERVER).map(|o| (INSTALLED, o)),
    ];
    let others: Vec<_> = others.into_iter().flatten().collect();
    assert_eq!(others.len(), 2, "a server does not start");
    let mut report = Report::default();
    for (i, line) in COMMANDS.lines().filter(|l| !l.starts_with('#')).enumerate() {
        let words = split_words(line);
        let expected = normal(&theirs.run(INSTALLED, &["--no-wait"], &words));
        for (tool, (name, database)) in &others {
            let actual = normal(&database.run(tool, &["--no-wait"], &words));
            report.compare(&format!("{line} ({name})"), &actual, &expected);
        }
        if i % DUMP_EVERY == 0 {
            compare_contents(&mut report, line, &theirs, &others);
        }
    }
    compare_contents(&mut report, "at the end", &theirs, &others);
    report.finish();
}

fn compare_contents(
    report: &mut Report,
    when: &str,
    theirs: &Database,
    others: &[(&str, (&str, Database))],
) {
    let expected = theirs.dump();
    for (_, (name, database)) in others {
        report.compare(&format!("database after: {when} ({name})"), &database.dump(), &expected);
    }
}
