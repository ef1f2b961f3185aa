//! Any bytes as a database file: reading ends, and what is appended after the last good record can
//! be read back with all records before it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_jsonrpc::Json;
use weir_ovsdb::log::{Log, OpenMode};

fn read_all(log: &mut Log) -> Vec<String> {
    let mut records = Vec::new();
    while let Ok(Some(record)) = log.read() {
        records.push(record.to_string());
    }
    records
}

fuzz_target!(|bytes: &[u8]| {
    let path = std::path::PathBuf::from(format!("/dev/shm/weir-fuzz-{}.db", std::process::id()));
    std::fs::write(&path, bytes).expect("/dev/shm can be written");
    if let Ok(mut log) = Log::open(&path, OpenMode::ReadWrite) {
        let mut records = read_all(&mut log);
        let record = Json::parse("{\"_comment\":\"appended\"}").expect("this is JSON");
        log.write(&record).expect("a record can be appended");
        drop(log);
        records.push(record.to_string());
        let mut log = Log::open(&path, OpenMode::ReadOnly).expect("the log opens again");
        assert_eq!(read_all(&mut log), records);
    }
    let _ = std::fs::remove_file(&path);
});
