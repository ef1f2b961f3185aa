//! The same command lines with our ovsdb-client and the installed one.
//!
//! Without an installed Open vSwitch there is nothing to compare with, and the test says so.

mod differential;

use differential::{Database, INSTALLED_SERVER, Report, normal, split_words};

const COMMANDS: &str = include_str!("data/client-commands.txt");
const INSTALLED: &str = "/usr/bin/ovsdb-client";
const OURS: &str = env!("CARGO_BIN_EXE_ovsdb-client");

#[test]
fn same_as_the_installed_tool() {
    let Some(database) = Database::start("client", INSTALLED_SERVER) else {
        eprintln!("no Open vSwitch is installed: nothing compared");
        return;
    };
    for bridge in ["zz", "aa", "mm"] {
        let words = ["--no-wait", "add-br", bridge].map(str::to_owned);
        database.run("/usr/bin/ovs-vsctl", &[], &words);
    }
    let mut report = Report::default();
    for line in COMMANDS.lines().filter(|l| !l.starts_with('#')) {
        let words = split_words(line);
        let ours = database.run(OURS, &[], &words);
        let theirs = database.run(INSTALLED, &[], &words);
        report.compare(line, &normal(&ours), &normal(&theirs));
    }
    let before = database.dump();
    let insert = r#"["Open_vSwitch",{"op":"insert","table":"QoS","row":{"type":"x"}}]"#;
    database.run(OURS, &[], &["query", insert].map(str::to_owned));
    report.compare("the database after a query", &database.dump(), &before);
    report.finish();
}
