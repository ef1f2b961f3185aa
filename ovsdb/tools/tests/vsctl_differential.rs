//! The same command lines with our ovs-vsctl and the installed one, on two databases: what they
//! print, how they exit and what is in the database afterwards must be the same.
//!
//! Without an installed Open vSwitch there is nothing to compare with, and the test says so.

mod differential;

use differential::{Database, Report, normal, split_words};

const COMMANDS: &str = include_str!("data/vsctl-commands.txt");
const INSTALLED: &str = "/usr/bin/ovs-vsctl";
const OURS: &str = env!("CARGO_BIN_EXE_ovs-vsctl");

/// The databases are compared after so many command lines.
const DUMP_EVERY: usize = 16;

#[test]
fn same_as_the_installed_tool() {
    let (Some(mine), Some(theirs)) = (Database::start("mine"), Database::start("theirs")) else {
        eprintln!("no Open vSwitch is installed: nothing compared");
        return;
    };
    let mut report = Report::default();
    for (i, line) in COMMANDS.lines().filter(|l| !l.starts_with('#')).enumerate() {
        let words = split_words(line);
        let a = mine.run(OURS, &["--no-wait"], &words);
        let b = theirs.run(INSTALLED, &["--no-wait"], &words);
        report.compare(line, &normal(&a), &normal(&b));
        if i % DUMP_EVERY == 0 {
            report.compare(&format!("database after: {line}"), &mine.dump(), &theirs.dump());
        }
    }
    report.compare("database at the end", &mine.dump(), &theirs.dump());
    report.finish();
}
