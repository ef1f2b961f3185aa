//! What a miss costs: translates random packets through a table and prints nanoseconds each, and how
//! many masks and megaflows they ask for.
//!
//! `translate [acl N | FILE] [PACKETS [SEED]]`
//!
//! `acl N` makes a table of N rules with random prefixes and ports; FILE has flows as `ovs-ofctl
//! add-flows` takes them. Packets come in by port 1. Those for `acl N` have addresses in the networks
//! of the rules, those for FILE any 5-tuple.
//!
//! The second line is about those of the first packets that no megaflow of the ones before covers:
//! these are the packets that a switch has to translate, and they are not the cheapest.

use std::collections::{HashMap, HashSet};
use std::process::ExitCode;
use std::time::Instant;

use weir_flow::slowpath::Miss;
use weir_flow::{Flow, PortNo, SlowPath};
use weir_ofproto::Switch;
use weir_ofproto::config::{Behind, BridgeConfig, FailMode, PortConfig, PortFeatures};
use weir_openflow::OfPort;
use weir_openflow::flow_text::{FlowModCommand, FlowParser, Purpose};

/// Packets of which the misses are timed.
const FIRST: usize = 20_000;

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ x >> 31
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}

fn acl(rules: u64, r: &mut Random) -> String {
    let mut text = "priority=0,actions=output:2\n".to_owned();
    for n in 0..rules {
        let prefix = |r: &mut Random, net: u64| {
            let len = 8 + r.below(25);
            let ip = (net << 24 | r.below(1 << 24)) as u32 & (u32::MAX << (32 - len));
            format!("{}/{len}", std::net::Ipv4Addr::from(ip))
        };
        let (src, dst) = (prefix(r, 10), prefix(r, 11));
        let proto = ["tcp", "udp"][r.below(2) as usize];
        let mut line = format!("priority={},{proto},nw_src={src},nw_dst={dst}", n + 1);
        if r.below(2) == 0 {
            line += &format!(",tp_dst={}", r.below(1024));
        }
        text += &format!("{line},actions={}\n", ["output:2", "drop"][r.below(2) as usize]);
    }
    text
}

fn switch(flows: &str) -> Result<Switch, String> {
    let switch = Switch::new();
    let mut c = BridgeConfig { fail_mode: FailMode::Secure, ..BridgeConfig::new("br0") };
    for n in 1..=2 {
        c.ports.push(PortConfig {
            name: format!("p{n}"),
            ofport: OfPort(n),
            kind: "dummy".to_owned(),
            behind: Behind::Datapath(PortNo(u32::from(n))),
            mac: [2; 6],
            link_up: true,
            admin_up: true,
            features: PortFeatures::default(),
            mtu: 1500,
        });
    }
    switch.apply(&[c], 0);
    let bridge = switch.bridge("br0").ok_or("no bridge")?;
    let mut state = bridge.lock();
    for line in flows.lines() {
        let add = Purpose::Mod(FlowModCommand::Add);
        let fm = FlowParser::new(None, None).parse(line, add).map_err(|e| e.0)?;
        state.flows.flow_mod(&fm, 0).map_err(|e| format!("{line}: {e}"))?;
    }
    state.flows.publish(&bridge.shared);
    drop(state);
    Ok(switch)
}

fn packet(r: &mut Random, anywhere: bool) -> Flow {
    let mut f = Flow::ZERO;
    f.in_port = 1.into();
    f.dl_type = 0x0800.into();
    f.nw_proto = if r.below(2) == 0 { 6 } else { 17 };
    f.nw_ttl = 64;
    let mut address =
        |net: u32| if anywhere { r.next() as u32 } else { net | r.below(1 << 24) as u32 };
    f.nw_src = address(0x0a00_0000).into();
    f.nw_dst = address(0x0b00_0000).into();
    f.tp_src = (r.next() as u16).into();
    f.tp_dst = (if anywhere { r.next() as u16 } else { r.below(2048) as u16 }).into();
    f
}

/// Keys under one mask.
type Known = (Vec<u64>, HashSet<Vec<u64>>);

/// Nanoseconds of each translation that megaflows of earlier ones do not make unnecessary.
fn misses(packets: &[Flow], switch: &Switch) -> Vec<f64> {
    let guard = weir_rcu::pin();
    let mut known: Vec<Known> = Vec::new();
    let mut times = Vec::new();
    for key in packets {
        let under = |mask: &[u64]| -> Vec<u64> {
            key.words().iter().zip(mask).map(|(word, bits)| word & bits).collect()
        };
        if known.iter().any(|(mask, keys)| keys.contains(&under(mask))) {
            continue;
        }
        let start = Instant::now();
        let mask = switch.translate(&guard, &Miss { key, packet: &[], now_ms: 1 }).mask;
        times.push(start.elapsed().as_nanos() as f64);
        let mask = mask.0.words();
        match known.iter_mut().find(|(other, _)| other == mask) {
            Some((_, keys)) => drop(keys.insert(under(mask))),
            None => known.push((mask.to_vec(), HashSet::from([under(mask)]))),
        }
    }
    times
}

/// The value below which this share of the times is.
fn quantile(times: &mut [f64], q: f64) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get((times.len() as f64 * q) as usize).copied().unwrap_or(f64::NAN)
}

fn run() -> Result<(), String> {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let mut args = args.iter().map(String::as_str).peekable();
    let number = |s: Option<&str>, default| s.map_or(Ok(default), str::parse::<u64>);
    let bad = |e: std::num::ParseIntError| e.to_string();
    let mut seed = Random(7);
    let anywhere = args.peek().is_some_and(|a| *a != "acl");
    let flows = match args.next() {
        None => acl(1000, &mut seed),
        Some("acl") => acl(number(args.next(), 1000).map_err(bad)?, &mut seed),
        Some(file) => std::fs::read_to_string(file).map_err(|e| format!("{file}: {e}"))?,
    };
    let n = number(args.next(), 100_000).map_err(bad)?;
    let mut r = Random(number(args.next(), 1).map_err(bad)?);
    let switch = switch(&flows)?;
    let packets: Vec<Flow> = (0..n).map(|_| packet(&mut r, anywhere)).collect();
    let guard = weir_rcu::pin();
    let miss = |key| switch.translate(&guard, &Miss { key, packet: &[], now_ms: 1 });
    let (mut masks, mut megaflows) = (HashMap::<Vec<u64>, u64>::new(), HashSet::new());
    for key in &packets {
        let mask = miss(key).mask;
        let words = key.words().iter().zip(mask.0.words()).map(|(k, m)| k & m).collect::<Vec<_>>();
        if megaflows.insert((words, mask.0.words().to_vec())) {
            *masks.entry(mask.0.words().to_vec()).or_default() += 1;
        }
    }
    let mut times = Vec::new();
    for chunk in packets.chunks(1000) {
        let start = Instant::now();
        for key in chunk {
            std::hint::black_box(miss(key));
        }
        times.push(start.elapsed().as_nanos() as f64 / chunk.len() as f64);
    }
    println!(
        "{n} packets: {:.0} ns best, {:.0} ns median; {} masks, {} megaflows",
        quantile(&mut times, 0.0),
        quantile(&mut times, 0.5),
        masks.len(),
        megaflows.len()
    );
    let first = packets.get(..FIRST).unwrap_or(&packets);
    let mut times = misses(first, &switch);
    println!(
        "{} misses of {}: {:.0} ns median, {:.0} ns p90, {:.0} ns p99",
        times.len(),
        first.len(),
        quantile(&mut times, 0.5),
        quantile(&mut times, 0.9),
        quantile(&mut times, 0.99),
    );
    Ok(())
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("translate: {e}");
            ExitCode::FAILURE
        }
    }
}
