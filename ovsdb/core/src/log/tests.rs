//! Logs cut, damaged and replaced.

use super::*;
use proptest::prelude::*;
use weir_jsonrpc::object;

fn record(i: i64) -> Json {
    object! { "n" => i, "s" => "é".repeat(i as usize % 7) }
}

fn read_all(path: &Path) -> (Vec<Json>, Option<String>) {
    let mut log = match Log::open(path, OpenMode::ReadOnly) {
        Ok(log) => log,
        Err(e) => return (Vec::new(), Some(e.to_string())),
    };
    let mut records = Vec::new();
    loop {
        match log.read() {
            Ok(Some(record)) => records.push(record),
            Ok(None) => return (records, None),
            Err(e) => return (records, Some(e.to_string())),
        }
    }
}

#[test]
fn a_cut_anywhere_keeps_the_whole_records() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    let mut log = Log::open(&path, OpenMode::Create).unwrap();
    let mut ends = vec![0];
    for i in 0..6 {
        log.write(&record(i)).unwrap();
        ends.push(log.offset());
    }
    log.sync().unwrap();
    drop(log);
    let bytes = std::fs::read(&path).unwrap();
    assert_eq!(*ends.last().unwrap(), bytes.len() as u64);
    let cut = dir.path().join("cut.db");
    for length in 0..=bytes.len() {
        std::fs::write(&cut, &bytes[..length]).unwrap();
        let whole = ends.iter().filter(|&&end| end > 0 && end <= length as u64).count();
        let (records, error) = read_all(&cut);
        assert_eq!(records.len(), whole, "cut at {length}");
        let at_record = length > 0 && ends.contains(&(length as u64));
        assert_eq!(error.is_none(), at_record, "cut at {length}");
        // The next write takes the place of the damaged record.
        if whole > 0 {
            let mut log = Log::open(&cut, OpenMode::ReadWrite).unwrap();
            while let Ok(Some(_)) = log.read() {}
            log.write(&record(99)).unwrap();
            drop(log);
            let (records, error) = read_all(&cut);
            assert_eq!((records.len(), error), (whole + 1, None));
        }
    }
}

#[test]
fn damage_is_described_as_ovs_does() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    let mut log = Log::open(&path, OpenMode::Create).unwrap();
    log.write(&record(1)).unwrap();
    let name = path.display().to_string();
    let offset = log.offset();
    drop(log);
    let good = std::fs::read(&path).unwrap();
    for (tail, error) in [
        (
            "garbage\n",
            format!(
                "syntax error: {name}: parse error at offset {offset} in header line \"garbage\""
            ),
        ),
        (
            "OVSDB JSON 500 a6454799b097d408d2ebba040ebd23eda78eb236\nabc",
            format!(
                "I/O error: {name}: error reading 500 bytes starting at offset {} (End of file)",
                offset + 56
            ),
        ),
        (
            "OVSDB JSON 3 a6454799b097d408d2ebba040ebd23eda78eb236\n[]\n",
            format!(
                "syntax error: {name}: 3 bytes starting at offset {} have SHA-1 hash 7cbc2c2e5e1aa14fc5a9cfb4c1dbf55aa7cb2ab6 but should have hash a6454799b097d408d2ebba040ebd23eda78eb236",
                offset + 54
            ),
        ),
    ] {
        std::fs::write(&path, [&good, tail.as_bytes()].concat()).unwrap();
        let (records, found) = read_all(&path);
        assert_eq!(records.len(), 1);
        let found = found.unwrap();
        // The hash in the third message is whatever the three bytes hash to.
        let actual = hex(&Sha1::digest(b"[]\n"));
        assert_eq!(found, error.replace("7cbc2c2e5e1aa14fc5a9cfb4c1dbf55aa7cb2ab6", &actual));
    }
    for (content, error) in [
        ("", format!("ovsdb error: {name}: cannot identify file type")),
        ("hello\n", format!("ovsdb error: {name}: unexpected file format")),
    ] {
        std::fs::write(&path, content).unwrap();
        assert_eq!(read_all(&path).1, Some(error));
    }
}

#[test]
fn replacement_leaves_the_old_log_until_it_is_whole() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    let mut log = Log::open(&path, OpenMode::Create).unwrap();
    for i in 0..4 {
        log.write(&record(i)).unwrap();
    }
    log.replace(&[record(7), record(8)]).unwrap();
    log.write(&record(9)).unwrap();
    drop(log);
    assert_eq!(read_all(&path), (vec![record(7), record(8), record(9)], None));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
}

#[test]
fn what_a_failed_write_leaves_is_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    let mut log = Log::open(&path, OpenMode::Create).unwrap();
    log.write(&record(1)).unwrap();
    // A file that refuses writes, as a full disk does.
    let writable = std::mem::replace(&mut log.file, BufReader::new(File::open(&path).unwrap()));
    let error = log.write(&record(2)).unwrap_err();
    assert_eq!(error.tag, tag::IO);
    assert!(error.details.unwrap().ends_with("a.db: write failed"));
    // Half a record that could not be removed either.
    log.file = writable;
    log.file.get_mut().write_all(b"OVSDB JSON 5").unwrap();
    log.write(&record(3)).unwrap();
    drop(log);
    assert_eq!(read_all(&path), (vec![record(1), record(3)], None));
}

proptest! {
    #[test]
    fn any_file_is_answered(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.db");
        let start = b"OVSDB JSON 3 37b2aeea6b5f3e31c8b1d95a4fa6ea9b3f0a6e1e\n";
        std::fs::write(&path, [start.as_slice(), &bytes].concat()).unwrap();
        let _ = read_all(&path);
    }
}
