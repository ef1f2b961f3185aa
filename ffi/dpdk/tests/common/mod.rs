//! One EAL for all tests of a binary, and small helpers.
#![expect(unreachable_pub, reason = "shared by several test binaries")]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use weir_dpdk::{Eal, EalConfig, Mempool, mempool};

/// Sends log records to standard error, where the test harness captures them.
struct StderrLog;

impl log::Log for StderrLog {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }
    fn log(&self, record: &log::Record<'_>) {
        eprintln!("{}|{}|{}", record.target(), record.level(), record.args());
    }
    fn flush(&self) {}
}

/// The EAL of this test process: plain memory, no devices.
pub fn eal() -> &'static Eal {
    static LOG: std::sync::Once = std::sync::Once::new();
    LOG.call_once(|| {
        if log::set_logger(&StderrLog).is_ok() {
            log::set_max_level(log::LevelFilter::Warn);
        }
    });
    let config = EalConfig {
        program: "weir-dpdk-test".into(),
        plain_megabytes: 256,
        huge_pages: false,
        ..EalConfig::default()
    };
    Eal::init(&config).expect("EAL starts in plain memory")
}

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A number no other caller gets.
pub fn unique() -> u32 {
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A pool of its own for a test.
pub fn pool(n: u32) -> Mempool {
    eal();
    let name = format!("test-{}", unique());
    Mempool::create(&name, n, mempool::data_room_for_mtu(1500), 32, mempool::ANY_SOCKET)
        .expect("pool")
}

/// A file in the target's temporary directory.
pub fn temporary(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", std::process::id()))
}
