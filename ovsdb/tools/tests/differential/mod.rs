//! Databases on servers, and comparison of texts.

#![expect(clippy::unwrap_used, reason = "a test fails by it")]

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The installed server.
pub(crate) const INSTALLED_SERVER: &str = "/usr/sbin/ovsdb-server";

const SCHEMA: &str = "/usr/share/openvswitch/vswitch.ovsschema";

/// A running ovsdb-server with an empty database.
#[derive(Debug)]
pub(crate) struct Database {
    dir: tempfile::TempDir,
    server: Child,
}

impl Database {
    /// Starts the server `program`; `None` if no Open vSwitch is installed.
    pub(crate) fn start(name: &str, program: &str) -> Option<Self> {
        let dir = tempfile::Builder::new().prefix(name).tempdir().unwrap();
        let file = dir.path().join("conf.db");
        let made = Command::new("ovsdb-tool").arg("create").arg(&file).arg(SCHEMA).status();
        if !made.is_ok_and(|s| s.success()) {
            return None;
        }
        let remote = format!("--remote=punix:{}", dir.path().join("db.sock").display());
        let server = Command::new(program)
            .arg(&file)
            .arg(remote)
            .arg(format!("--unixctl={}", dir.path().join("ctl").display()))
            .args(["-vconsole:off", "-vsyslog:off"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let database = Self { dir, server };
        let deadline = Instant::now() + Duration::from_secs(10);
        while !database.socket().exists() {
            assert!(Instant::now() < deadline, "ovsdb-server does not start");
            std::thread::sleep(Duration::from_millis(5));
        }
        Some(database)
    }

    fn socket(&self) -> PathBuf {
        self.dir.path().join("db.sock")
    }

    /// Runs a tool on the database: standard output, standard error, exit code.
    pub(crate) fn run(&self, program: &str, before: &[&str], words: &[String]) -> String {
        let dir = self.dir.path();
        let output = Command::new(program)
            .args(before)
            .args(words)
            .env("OVS_RUNDIR", dir)
            .env("OVS_LOGDIR", dir)
            .env("OVS_DBDIR", dir)
            .env("OVS_SYSCONFDIR", dir)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = format!(
            "{}--- stderr\n{}--- {:?}\n",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
            output.status
        );
        text.replace(&dir.display().to_string(), "DIR").replace(program, "PROGRAM")
    }

    /// The contents, in a form that does not depend on UUIDs.
    pub(crate) fn dump(&self) -> String {
        let socket = format!("unix:{}", self.socket().display());
        let output =
            Command::new("/usr/bin/ovsdb-client").args(["-f", "csv", "dump", &socket]).output();
        normal(&String::from_utf8_lossy(&output.unwrap().stdout))
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Splits as a shell does, with `'` and `"` only.
pub(crate) fn split_words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in line.chars() {
        match (quote, c) {
            (Some(q), c) if q == c => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, ' ') => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// The text without what differs from run to run: UUIDs, times, and the order of rows, which
/// follows from UUIDs.
pub(crate) fn normal(text: &str) -> String {
    let mut lines: Vec<String> = text.lines().map(|l| without_time(&without_uuids(l))).collect();
    lines.sort();
    lines.join("\n")
}

fn without_uuids(line: &str) -> String {
    const PATTERN: &[u8] = b"hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh";
    let bytes = line.as_bytes();
    let fits = |at: usize, len: usize| {
        bytes.get(at..at + len).is_some_and(|s| {
            s.iter()
                .zip(PATTERN)
                .all(|(b, p)| if *p == b'-' { *b == b'-' } else { b.is_ascii_hexdigit() })
        })
    };
    let (mut out, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        if fits(at, PATTERN.len()) {
            out.extend_from_slice(b"UUID");
            at += PATTERN.len();
        } else if fits(at, 8) && line[..at].ends_with("\">") {
            // The short form in HTML.
            out.extend_from_slice(b"UUID8");
            at += 8;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// `2026-01-02T03:04:05Z|00002|module|WARN|text` without the time and the number.
fn without_time(line: &str) -> String {
    match line.splitn(3, '|').collect::<Vec<_>>()[..] {
        [time, number, rest] if time.ends_with('Z') && number.len() == 5 => rest.to_owned(),
        _ => line.to_owned(),
    }
}

/// Collects differences.
#[derive(Debug, Default)]
pub(crate) struct Report {
    compared: usize,
    differences: Vec<String>,
}

impl Report {
    /// Compares two texts.
    pub(crate) fn compare(&mut self, what: &str, ours: &str, theirs: &str) {
        self.compared += 1;
        if ours != theirs {
            self.differences.push(format!("=== {what}\n--- ours\n{ours}\n--- theirs\n{theirs}\n"));
        }
    }

    /// Fails if there were any.
    pub(crate) fn finish(self) {
        let Self { compared, differences } = self;
        assert!(
            differences.is_empty(),
            "{} of {compared} differ:\n{}",
            differences.len(),
            differences.concat()
        );
    }
}
