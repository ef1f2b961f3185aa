//! Moves packets from one device to another as fast as it can, to know what the I/O alone costs:
//!
//! `forward 'net_pcap0,rx_pcap=F,infinite_rx=1' net_null0,no-rx=1 [seconds [touch]]`
//!
//! With `touch` it also reads each packet's first bytes, as any switch must. Prints packets a second
//! and cycles a packet.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use weir_dpdk::{
    Batch, DpdkError, Eal, EalConfig, EthConfig, EthDev, Mempool, ThreadRegistration, mempool,
    rdtsc,
};

/// Runs the loop; answers packets and cycles.
fn forward(from: &str, to: &str, time: Duration, touch: bool) -> Result<(u64, u64), DpdkError> {
    Eal::init(&EalConfig { program: "forward".into(), ..EalConfig::default() })?;
    let n = mempool::mbufs_shared(1500);
    let room = mempool::data_room_for_mtu(1500);
    let pool =
        Mempool::create_shrinking("forward", n, room, mempool::DEFAULT_CACHE, mempool::ANY_SOCKET)?;
    let mut from = EthDev::attach(from)?;
    let mut to = EthDev::attach(to)?;
    let mut source = from.start(&EthConfig::default(), &pool)?;
    let mut sink = to.start(&EthConfig::default(), &pool)?;
    // After the devices: they may have started threads that take their place.
    let _registration = ThreadRegistration::new()?;
    let (Some(rx), Some(tx)) = (source.rx.first_mut(), sink.tx.first_mut()) else {
        return Ok((0, 0));
    };

    let (mut packets, mut sum) = (0, 0_u64);
    let (start, first) = (Instant::now(), rdtsc());
    let mut batch = Batch::new();
    while start.elapsed() < time {
        // Asking the clock costs a little; not for every burst.
        for _ in 0..1000 {
            packets += rx.rx_burst(&mut batch) as u64;
            if touch {
                for packet in batch.iter() {
                    sum += u64::from(packet.data().get(12).copied().unwrap_or(0));
                }
            }
            tx.tx_burst(&mut batch);
            batch.clear();
        }
    }
    let cycles = rdtsc() - first;
    std::hint::black_box(sum);
    Ok((packets, cycles))
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, from, to, rest @ ..] = &arguments[..] else {
        eprintln!("usage: forward FROM-DEVARGS TO-DEVARGS [SECONDS [touch]]");
        return ExitCode::FAILURE;
    };
    let seconds = rest.first().and_then(|text| text.parse().ok()).unwrap_or(5.0);
    let touch = rest.get(1).is_some_and(|word| word == "touch");
    match forward(from, to, Duration::from_secs_f64(seconds), touch) {
        Ok((packets, cycles)) => {
            let hz = weir_dpdk::tsc_hz() as f64;
            let per_packet = cycles as f64 / packets.max(1) as f64;
            let mpps = packets as f64 * hz / cycles.max(1) as f64 / 1e6;
            println!("{packets} packets, {mpps:.2} Mpps, {per_packet:.1} cycles a packet");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("forward: {error}");
            ExitCode::FAILURE
        }
    }
}
