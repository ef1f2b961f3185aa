//! A disk that fills up while the server writes to it: the transaction that does not fit fails with
//! an error, the database stays readable, and writes succeed again when there is room.
//!
//! The disk is a small tmpfs in a mount namespace of its own, in which this test runs itself again.

use std::path::{Path, PathBuf};
use std::process::Command;

use weir_jsonrpc::Json;

use super::load::Ledger;
use super::random::Random;
use super::server::{Kind, Place};

/// Set in the mount namespace: where the small disk is.
const DISK: &str = "WEIR_SMALL_DISK";

#[test]
fn a_full_disk_is_an_error_and_no_crash() {
    if let Some(disk) = std::env::var_os(DISK) {
        return fill(Path::new(&disk));
    }
    let dir = tempfile::tempdir().unwrap();
    let script = format!(
        "mount -t tmpfs -o size=400k tmpfs '{}' && exec \"$0\" \"$@\"",
        dir.path().display()
    );
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-c", &script])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "crash::full_disk::a_full_disk_is_an_error_and_no_crash"])
        .args(["--nocapture"])
        .env(DISK, dir.path())
        .output();
    match output {
        Ok(output) if output.status.success() => {
            let text = String::from_utf8_lossy(&output.stdout);
            assert!(text.contains("1 passed"), "the test ran itself: {text}");
        }
        Ok(output) if !ran(&output.stdout) => {
            let why = String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ");
            eprintln!("skipped: no small disk for the test of a full one ({why})");
        }
        other => panic!("{other:#?}"),
    }
}

fn ran(stdout: &[u8]) -> bool {
    String::from_utf8_lossy(stdout).contains("running 1 test")
}

fn fill(disk: &Path) {
    let filler = disk.join("filler");
    std::fs::write(&filler, vec![1; 100_000]).unwrap();
    let program = PathBuf::from(env!("CARGO_BIN_EXE_ovsdb-server"));
    let place = Place::new_in(Kind::Standalone(program), disk);
    let mut random = Random::from_env();
    let mut ledger = Ledger::new(0);
    let mut server = place.start();
    let mut client = place.connect();
    let mut done = 0;
    let error = loop {
        match ledger.one(&mut client, &mut random) {
            Ok(()) => done += 1,
            Err(error) => break error,
        }
        assert!(done < 10_000, "the disk does not fill up");
    };
    assert!(done > 0, "{error}");
    assert_eq!(error.get("error").and_then(Json::as_str), Some("I/O error"), "{error}");
    let why = error.get("io-error").and_then(Json::as_str);
    assert_eq!(why, Some("No space left on device"), "{error}");
    // Nothing of it is there, and everything before it is.
    ledger.verify(&mut client).unwrap();
    for _ in 0..20 {
        let _ = ledger.one(&mut client, &mut random);
    }
    ledger.verify(&mut client).unwrap();
    std::fs::remove_file(&filler).unwrap();
    ledger.one(&mut client, &mut random).unwrap();
    server.kill();
    let _server = place.start();
    ledger.verify(&mut place.connect()).unwrap();
}
