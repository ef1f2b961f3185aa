//! vhost-user sockets with DPDK's own virtio_user as the guest, in one process.

mod common;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::{eal, pool, temporary, unique};
use weir_dpdk::{Batch, DpdkError, EthConfig, EthDev, Mbuf, VhostConfig, VhostDev, VhostEvent};

fn config(path: &str, client: bool) -> VhostConfig {
    VhostConfig {
        path: path.to_owned(),
        client,
        iommu: false,
        postcopy: false,
        checksum: true,
        tso: true,
    }
}

#[expect(clippy::unwrap_used, reason = "a test's helper")]
fn listen() -> (Arc<Mutex<Vec<VhostEvent>>>, Box<weir_dpdk::VhostListener>) {
    let events = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&events);
    (events, Box::new(move |event| seen.lock().unwrap().push(event)))
}

/// Waits up to 10 s.
fn wait(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(10), "timed out: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn socket(name: &str) -> String {
    temporary(&format!("{name}{}.sock", unique())).display().to_string()
}

fn guest_config() -> EthConfig {
    EthConfig { rxq_desc: 256, txq_desc: 256, ..EthConfig::default() }
}

#[test]
fn packets_pass_both_ways_and_guests_come_back() {
    let pool = pool(4095);
    let path = socket("server");
    let (events, listener) = listen();
    let dev = VhostDev::open(&config(&path, false), listener).unwrap();
    assert!(!dev.is_up() && dev.status().is_none());
    let mut rx = dev.rx_queue(0).unwrap();
    let mut tx = dev.tx_queue(0).unwrap();
    assert!(dev.rx_queue(0).is_none(), "its handle is out");
    let mut batch = Batch::new();
    assert_eq!(rx.rx_burst(&pool, &mut batch), 0, "no guest");

    for round in 0..2_u8 {
        let args = format!("net_virtio_user{},path={path},queues=1,queue_size=256", unique());
        let mut guest = EthDev::attach(&args).unwrap();
        let mut started = guest.start(&guest_config(), &pool).unwrap();
        wait("device up", || dev.is_up() && rx.is_enabled() && tx.is_enabled());
        let status = dev.status().unwrap();
        assert_eq!((status.n_vrings, status.vring_sizes.len()), (2, 2));

        let bytes: Vec<u8> = (0..100).map(|i| i ^ round).collect();
        for _ in 0..10 {
            batch.push(Mbuf::from_bytes(&pool, &bytes).unwrap()).unwrap();
        }
        assert_eq!(started.tx[0].tx_burst(&mut batch), 10);
        wait("guest to switch", || {
            rx.rx_burst(&pool, &mut batch);
            batch.len() == 10
        });
        assert!(batch.iter().all(|packet| packet.data() == bytes));

        let mut back = Batch::new();
        assert_eq!(tx.tx_burst(&mut batch), 10);
        assert!(batch.is_empty());
        wait("switch to guest", || {
            started.rx[0].rx_burst(&mut back);
            back.len() == 10
        });
        assert!(back.iter().all(|packet| packet.data() == bytes));
        drop(back);

        drop((started, guest));
        wait("device down", || !dev.is_up());
        batch.push(Mbuf::from_bytes(&pool, &bytes).unwrap()).unwrap();
        assert_eq!((tx.tx_burst(&mut batch), batch.len()), (0, 1));
        batch.clear();
    }
    let seen = events.lock().unwrap().clone();
    let ups = seen.iter().filter(|e| matches!(e, VhostEvent::DeviceUp { queue_pairs: 1 })).count();
    let downs = seen.iter().filter(|e| matches!(e, VhostEvent::DeviceDown)).count();
    // A guest sets its card up more than once while it starts.
    assert!(ups >= 2 && ups == downs, "{seen:?}");
    drop((rx, tx, dev));
    assert!(!std::path::Path::new(&path).exists());
    assert_eq!(pool.in_use(), 0);
}

#[test]
fn client_connects_when_the_guest_appears() {
    let pool = pool(2047);
    let path = socket("client");
    let (_, listener) = listen();
    let dev = VhostDev::open(&config(&path, true), listener).unwrap();
    assert!(dev.is_client());
    let (_, listener) = listen();
    assert!(matches!(VhostDev::open(&config(&path, true), listener), Err(DpdkError::InUse(_))));
    let args = format!("net_virtio_user{},path={path},server=1,queues=1", unique());
    // The guest serves the socket and waits there for the switch, which tries once a second.
    let mut guest = EthDev::attach(&args).unwrap();
    let started = guest.start(&guest_config(), &pool).unwrap();
    wait("device up", || dev.is_up());
    drop((started, guest));
    wait("device down", || !dev.is_up());
}

#[test]
fn a_device_may_go_while_it_is_polled() {
    let pool = pool(4095);
    let path = socket("polled");
    let (_, listener) = listen();
    let dev = VhostDev::open(&config(&path, false), listener).unwrap();
    let mut rx = dev.rx_queue(0).unwrap();
    let mut tx = dev.tx_queue(0).unwrap();
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut batch = Batch::new();
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                rx.rx_burst(&pool, &mut batch);
                tx.tx_burst(&mut batch);
                batch.clear();
                std::thread::yield_now();
            }
        });
        for _ in 0..5 {
            let args = format!("net_virtio_user{},path={path},queues=1", unique());
            let mut guest = EthDev::attach(&args).unwrap();
            let mut started = guest.start(&guest_config(), &pool).unwrap();
            let mut batch = Batch::new();
            batch.push(Mbuf::from_bytes(&pool, &[7; 60]).unwrap()).unwrap();
            started.tx[0].tx_burst(&mut batch);
            wait("echo", || started.rx[0].rx_burst(&mut batch) > 0);
            drop((started, guest, batch));
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    drop((rx, tx, dev));
    assert_eq!(pool.in_use(), 0);
}

#[test]
fn bad_paths_are_refused() {
    eal();
    for path in [format!("/tmp/{}", "x".repeat(200)), "/nonexistent/dir/sock".into()] {
        let (_, listener) = listen();
        let error = VhostDev::open(&config(&path, false), listener).unwrap_err();
        assert!(matches!(error, DpdkError::Vhost { .. }), "{error}");
    }
    // A socket that nobody serves any more is taken over.
    let path = socket("stale");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let (_, listener) = listen();
    drop(VhostDev::open(&config(&path, false), listener).unwrap());
}
