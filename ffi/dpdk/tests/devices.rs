//! Mempools, batches and virtual devices against a real EAL.

mod common;

use common::{eal, pool, temporary, unique};
use weir_dpdk::{Batch, DpdkError, Eal, EalConfig, EthConfig, EthDev, MAX_BURST, Mbuf, Memory};
use weir_dpdk::{Mempool, ThreadRegistration, lcore, mempool, offload};

fn packet(pool: &Mempool, len: usize) -> Mbuf {
    let bytes: Vec<u8> = (0..len).map(|i| i as u8).collect();
    Mbuf::from_bytes(pool, &bytes).expect("pool has room")
}

fn small() -> EthConfig {
    EthConfig { rxq_desc: 128, txq_desc: 128, ..EthConfig::default() }
}

#[test]
fn eal_starts_once_and_leaves_the_thread_alone() {
    let before = lcore::affinity();
    let eal = eal();
    assert_eq!(lcore::affinity(), before);
    assert!(matches!(eal.memory(), Memory::Plain { megabytes: 256 }));
    let again = Eal::init(&EalConfig { extra: "--nonsense".into(), ..EalConfig::default() });
    assert!(std::ptr::eq(again.unwrap(), eal));
    assert!(weir_dpdk::version().starts_with("DPDK "));
    assert!(weir_dpdk::tsc_hz() > 1_000_000);
    assert!(weir_dpdk::dump::lcores().contains("lcore"), "{}", weir_dpdk::dump::lcores());
    assert!(weir_dpdk::dump::log_types().contains("pmd"));
    assert!(weir_dpdk::dump::malloc_stats().contains("Heap"));
    weir_dpdk::set_log_level(Some("pmd.*"), "notice").unwrap();
    assert!(weir_dpdk::set_log_level(None, "loud").is_err());
}

#[test]
fn mbufs_go_back_to_their_pool() {
    let pool = pool(127);
    assert_eq!((pool.available(), pool.in_use()), (127, 0));
    let mut batch = Batch::new();
    assert!(pool.alloc_bulk(&mut batch, MAX_BURST));
    assert!(!pool.alloc_bulk(&mut batch, 1), "no room in the batch");
    assert_eq!(pool.in_use(), MAX_BURST as u32);
    drop(batch.swap_remove(3));
    assert_eq!((batch.len(), pool.in_use()), (MAX_BURST - 1, MAX_BURST as u32 - 1));
    let mut other: Batch<8> = Batch::empty();
    assert_eq!(other.append(&mut batch), 8);
    assert_eq!((other.len(), batch.len()), (8, MAX_BURST - 9));
    drop(other);
    batch.retain(|packet| packet.headroom() == 0);
    assert!(batch.is_empty());
    assert_eq!(pool.in_use(), 0);

    let mut held = Vec::new();
    while let Some(packet) = pool.alloc() {
        held.push(packet);
    }
    assert_eq!(held.len(), 127);
    assert!(!pool.alloc_bulk(&mut batch, 1));
    drop(held);
    assert_eq!(pool.available(), 127);
    assert!(pool.dump().contains(pool.name()));
}

#[test]
fn drain_frees_what_it_does_not_give() {
    let pool = pool(63);
    let mut batch = Batch::new();
    for len in 1..=10 {
        batch.push(packet(&pool, len)).unwrap();
    }
    let mut drain = batch.drain();
    let first = drain.next().unwrap();
    let second = drain.next().unwrap();
    assert_eq!((first.len(), second.len(), drain.len()), (1, 2, 8));
    drop(drain);
    assert_eq!(pool.in_use(), 2);
    drop((first, second));
    assert_eq!(pool.in_use(), 0);
    assert!(batch.is_empty());
}

#[test]
fn pool_outlives_its_handles_while_packets_are_out() {
    let pool = pool(31);
    let name = pool.name().to_owned();
    let held = packet(&pool, 60);
    drop(pool);
    assert!(mempool::dump_all().contains(&name));
    assert_eq!(held.data().len(), 60);
    drop(held);
    mempool::sweep();
    assert!(!mempool::dump_all().contains(&name));
}

#[test]
fn names_are_taken_once() {
    let pool = pool(31);
    let again = Mempool::create(pool.name(), 31, 2176, 0, mempool::ANY_SOCKET);
    assert!(matches!(again, Err(DpdkError::Mempool { .. })), "{again:?}");
    let huge = Mempool::create("too-large", 4_000_000, 9344, 0, mempool::ANY_SOCKET);
    assert!(huge.unwrap_err().to_string().contains("dpdk-socket-mem"));
}

#[test]
fn bytes_at_both_ends() {
    let pool = pool(31);
    let mut p = packet(&pool, 100);
    assert_eq!((p.len(), p.data().len(), p.nb_segs()), (100, 100, 1));
    let headroom = p.headroom();
    assert_eq!(headroom, usize::from(mempool::HEADROOM));
    p.prepend(4).unwrap().copy_from_slice(b"abcd");
    assert_eq!(&p.data()[..6], b"abcd\0\x01");
    assert!(p.prepend(headroom).is_none(), "headroom is used up");
    assert!(p.adj(5) && p.data()[0] == 1 && p.len() == 99);
    assert!(!p.adj(100));
    p.append(2).unwrap().copy_from_slice(b"xy");
    assert!(p.data().ends_with(b"cxy") && p.len() == 101);
    assert!(p.trim(1) && p.data().ends_with(b"cx"));
    assert!(!p.trim(1000));
    let tailroom = p.tailroom();
    assert!(p.append(tailroom + 1).is_none());
    p.data_mut().unwrap()[0] = 0xff;
    assert_eq!(p.data()[0], 0xff);
    p.truncate(10);
    assert_eq!((p.len(), p.data().len()), (10, 10));
    assert_eq!(p.spare_mut().len(), p.tailroom());
}

#[test]
fn fields_keep_what_is_set() {
    let pool = pool(31);
    let mut p = packet(&pool, 64);
    assert_eq!((p.ol_flags(), p.valid_rss_hash(), p.refcnt()), (0, None, 1));
    p.set_port(7);
    p.set_rss_hash(0xdead_beef);
    let flags = p.ol_flags() | offload::tx::TCP_SEG | offload::tx::IPV4;
    p.set_ol_flags(flags);
    let lengths =
        weir_dpdk::TxLengths { l2: 18, l3: 40, l4: 32, tso_segsz: 1448, outer_l2: 0, outer_l3: 0 };
    p.set_tx_lengths(lengths);
    assert_eq!((p.port(), p.valid_rss_hash(), p.tx_lengths()), (7, Some(0xdead_beef), lengths));
    p.set_tso_segsz(9);
    assert_eq!((p.tso_segsz(), p.tx_lengths().l3), (9, 40));
    let copy = p.copy(&pool).unwrap();
    assert_eq!(
        (copy.data(), copy.valid_rss_hash(), copy.tx_offload()),
        (p.data(), Some(0xdead_beef), p.tx_offload())
    );
    p.clear_offloads();
    assert_eq!((p.ol_flags(), p.tx_offload()), (0, 0));
}

#[test]
fn shared_bytes_are_read_only_until_the_clone_goes() {
    let pool = pool(31);
    let mut p = packet(&pool, 64);
    let mut clone = p.clone_shared(&pool).unwrap();
    assert!(p.is_shared() && clone.is_shared());
    assert_eq!(p.data().as_ptr(), clone.data().as_ptr());
    assert!(p.data_mut().is_none() && clone.data_mut().is_none());
    assert!(p.prepend(1).is_none() && clone.append(1).is_none() && clone.spare_mut().is_empty());
    // Ends and flags are each packet's own, and a clone's ownership cannot be forged.
    assert!(clone.adj(14) && clone.len() == 50 && p.len() == 64);
    clone.set_ol_flags(0);
    assert!(clone.is_shared());
    let mut copy = clone.copy(&pool).unwrap();
    copy.data_mut().unwrap()[0] = 0;
    assert_eq!((copy.len(), clone.data()[0]), (50, 14));
    drop(clone);
    assert!(!p.is_shared() && p.data_mut().is_some());
    drop((p, copy));
    assert_eq!(pool.in_use(), 0);
}

#[test]
fn long_packets_are_chained() {
    let pool = pool(63);
    let mut p = packet(&pool, 5000);
    assert_eq!((p.len(), p.nb_segs(), p.is_contiguous()), (5000, 3, false));
    let joined: Vec<u8> = p.segments().flatten().copied().collect();
    assert!(joined.iter().enumerate().all(|(i, &byte)| byte == i as u8) && joined.len() == 5000);
    assert!(!p.linearize(), "too long for one buffer");
    assert!(p.append(1).is_none());
    p.truncate(2100);
    assert_eq!((p.nb_segs(), p.segments().count(), pool.in_use()), (2, 2, 2));
    p.truncate(1000);
    assert_eq!((p.nb_segs(), pool.in_use(), p.data().len()), (1, 1, 1000));
    let mut head = packet(&pool, 10);
    head.chain(packet(&pool, 20)).unwrap();
    assert!(head.linearize() && head.data().len() == 30);
    assert!(Mbuf::from_bytes(&pool, &vec![0; 200_000]).is_none(), "pool is too small");
    drop((p, head));
    assert_eq!(pool.in_use(), 0);
}

#[test]
fn threads_register_and_use_caches() {
    let pool = pool(127);
    let handle = pool.clone();
    let id = std::thread::spawn(move || {
        let registration = ThreadRegistration::new().expect("registered");
        let mut batch = Batch::new();
        assert!(handle.alloc_bulk(&mut batch, 16));
        drop(batch);
        registration.lcore_id()
    });
    assert!(id.join().unwrap() < 128);
    assert_eq!(pool.available(), 127, "what the cache keeps counts as available");
}

#[test]
fn null_device_sends_and_receives() {
    let pool = pool(1023);
    let n = unique();
    let mut dev = EthDev::attach(&format!("net_null{n},size=100")).unwrap();
    assert_eq!(dev.name(), format!("net_null{n}"));
    let info = dev.info().unwrap();
    assert_eq!((info.driver_name.as_str(), info.bus_name.as_str()), ("net_null", "vdev"));
    let config = EthConfig { n_rxq: 2, n_txq: 2, ..small() };
    let mut started = dev.start(&config, &pool).unwrap();
    assert_eq!((started.rx.len(), started.tx.len()), (2, 2));
    let mut batch = Batch::new();
    assert_eq!(started.rx[1].rx_burst(&mut batch), MAX_BURST);
    assert!(batch.iter().all(|packet| packet.len() == 100));
    assert_eq!(started.rx[0].rx_burst(&mut batch), 0, "a full batch takes none");
    assert_eq!(started.tx[1].tx_prepare(&mut batch), MAX_BURST);
    assert_eq!(started.tx[1].tx_burst(&mut batch), MAX_BURST);
    assert!(batch.is_empty());
    let stats = dev.stats().unwrap();
    assert_eq!((stats.rx_packets, stats.tx_packets), (32, 32));
    let xstats = dev.xstats().unwrap();
    assert!(xstats.contains(&("rx_good_packets".to_owned(), 32)), "{xstats:?}");
    dev.reset_stats();
    assert_eq!(dev.stats().unwrap().rx_packets, 0);
    dev.set_mac([2, 0, 0, 0, 0, 7]).unwrap();
    assert_eq!((dev.mac().unwrap(), dev.mtu().unwrap()), ([2, 0, 0, 0, 0, 7], 1500));
    assert!(dev.link().unwrap().speed_mbps.is_some());
    assert!(matches!(dev.start(&config, &pool), Err(DpdkError::Busy(_))));
    assert!(matches!(dev.stop(), Err(DpdkError::Busy(_))));
    drop(started);
    dev.stop().unwrap();
    let started = dev.start(&config, &pool).unwrap();
    drop(dev);
    // The queues keep the device.
    assert!(EthDev::attach(&format!("net_null{n}")).is_err());
    drop(started);
    assert_eq!(pool.in_use(), 0);
}

#[test]
fn devices_come_and_go() {
    let pool = pool(1023);
    let args = format!("net_ring{}", unique());
    for _ in 0..3 {
        let mut dev = EthDev::attach(&args).unwrap();
        assert!(matches!(EthDev::attach(&args), Err(DpdkError::InUse(_))));
        let mut started = dev.start(&small(), &pool).unwrap();
        let mut batch = Batch::new();
        for len in 60..80 {
            batch.push(packet(&pool, len)).unwrap();
        }
        // A ring device receives what it sends.
        assert_eq!(started.tx[0].tx_burst(&mut batch), 20);
        assert_eq!(started.rx[0].rx_burst(&mut batch), 20);
        assert!(batch.iter().zip(60..).all(|(packet, len)| packet.len() == len));
        drop(batch);
        drop(started);
        drop(dev);
    }
    assert_eq!(pool.in_use(), 0);
}

#[test]
fn full_ring_leaves_the_rest_in_the_batch() {
    let pool = pool(4095);
    let mut dev = EthDev::attach(&format!("net_ring{}", unique())).unwrap();
    let mut started = dev.start(&small(), &pool).unwrap();
    let (mut sent, mut batch) = (0_usize, Batch::new());
    loop {
        let mut len = batch.len() as u32;
        while !batch.is_full() {
            batch.push(packet(&pool, 60)).unwrap();
            len += 1;
        }
        sent += started.tx[0].tx_burst(&mut batch);
        if !batch.is_empty() {
            assert!(len == 32 && sent < 4096);
            break;
        }
    }
    let left = batch.len();
    drop(batch);
    assert_eq!(pool.in_use() as usize, sent, "{left} unsent were freed");
    drop((started, dev));
}

#[test]
fn pcap_device_replays_a_capture() {
    let frames: [&[u8]; 3] = [&[1; 60], &[2; 200], &[3; 1514]];
    let mut capture = Vec::new();
    for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65535, 1] {
        capture.extend(word.to_le_bytes());
    }
    for frame in frames {
        for word in [0, 0, frame.len() as u32, frame.len() as u32] {
            capture.extend(word.to_le_bytes());
        }
        capture.extend(frame);
    }
    let path = temporary("replay.pcap");
    std::fs::write(&path, capture).unwrap();

    let pool = pool(2047);
    let args = format!("net_pcap{},rx_pcap={},infinite_rx=1", unique(), path.display());
    let mut dev = EthDev::attach(&args).unwrap();
    let mut started = dev.start(&small(), &pool).unwrap();
    let mut batch = Batch::new();
    assert_eq!(started.rx[0].rx_burst(&mut batch), MAX_BURST);
    for (packet, frame) in batch.iter().zip(frames.iter().cycle()) {
        assert_eq!(packet.data(), *frame);
    }
    drop(batch);
    drop((started, dev));
    std::fs::remove_file(path).unwrap();
}

#[test]
fn bad_devices_are_refused_with_a_remedy() {
    eal();
    let missing = EthDev::attach("0000:ff:1f.7").unwrap_err();
    assert!(missing.to_string().starts_with("Error attaching device '0000:ff:1f.7' to DPDK: "));
    assert!(missing.to_string().contains("vfio-pci"), "{missing}");
    let cases = [
        "net_nosuchdriver0",
        "net_pcap99,rx_pcap=/nonexistent.pcap",
        "net_null98,no-rx=banana,unknown=1",
        "eth_af_packet97,iface=nonexistent0",
        "class=eth,mac=0a:0b:0c:0d:0e:0f",
    ];
    for args in cases {
        let error = EthDev::attach(args).unwrap_err();
        assert!(matches!(error, DpdkError::Attach { .. }), "{args}: {error}");
    }
    assert!(matches!(EthDev::attach("nonsense"), Err(DpdkError::BadDevargs { .. })));
    // Nothing of a refused device stays.
    let mut dev = EthDev::attach("net_null98").unwrap();
    let mtu_error = dev.start(&EthConfig { mtu: 10, ..small() }, &pool(255)).unwrap_err();
    assert!(matches!(mtu_error, DpdkError::Mtu { mtu: 10, .. }), "{mtu_error}");
}
