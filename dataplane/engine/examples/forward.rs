//! What the packet engine costs by itself: moves packets from one DPDK device to another under a slow
//! path that knows one rule, and prints cycles a packet.
//!
//! `forward FROM-DEVARGS TO-DEVARGS CORE [SECONDS [FIELDS [MEASURE]]]`
//!
//! FIELDS is what the rule looks at besides the ingress port: `none`, `src` (the IPv4 source address)
//! or `all` (the 5-tuple), so that the megaflow table has one entry, one for each source, or one for
//! each flow; `masks` looks at different bits of the addresses for each of 300 kinds of packets;
//! `rewrite` looks at nothing and changes MAC addresses and TTL and pushes a VLAN tag.
//!
//! MEASURE is what the thread measures meanwhile: `latency=N`, `perf`, or both with a comma.
//!
//! Windows of 50 ms are measured; the best and the middle one are printed, because on a shared machine
//! others take the CPU away.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use weir_dpdk::{Eal, EalConfig, tsc_hz};
use weir_engine::{Engine, EngineConfig, PortConfig, SystemTime, Tuning};
use weir_flow::action::{
    Action, Actions, ControllerCookie, Header, SampleCookie, SetHeader, SlowReasons,
};
use weir_flow::slowpath::{Credit, Datapath, Miss, QueueFull, Translation};
use weir_flow::{Flow, Mask, PortNo, SlowPath};
use weir_rcu::Guard;

#[derive(Debug)]
struct Nobody;

impl Credit for Nobody {
    fn credit(&self, _packets: u64, _bytes: u64, _used_ms: u64, _tcp_flags: u16) {}

    fn receivers(&self) -> u64 {
        0
    }
}

#[derive(Debug)]
struct OneRule {
    mask: Mask,
    actions: Actions,
    many_masks: bool,
    credit: Arc<Nobody>,
}

impl OneRule {
    fn new(fields: &str) -> Self {
        let mut mask = Mask::CATCHALL;
        mask.0.in_port = u32::MAX.into();
        mask.0.recirc_id = u32::MAX.into();
        mask.0.packet_type = u32::MAX.into();
        mask.0.dl_type = u16::MAX.into();
        mask.0.nw_frag = 3;
        if fields != "none" {
            mask.0.nw_src = u32::MAX.into();
        }
        if fields == "all" {
            mask.0.nw_dst = u32::MAX.into();
            mask.0.nw_proto = u8::MAX;
            mask.0.tp_src = u16::MAX.into();
            mask.0.tp_dst = u16::MAX.into();
        }
        let mut actions = Vec::new();
        if fields == "rewrite" {
            let set = |header, edit: fn(&mut SetHeader)| {
                let mut set = SetHeader { header, value: Flow::ZERO, mask: Flow::ZERO };
                edit(&mut set);
                Action::Set(Box::new(set))
            };
            actions.push(set(Header::Ethernet, |s| {
                (s.value.dl_src, s.mask.dl_src) = ([2, 0, 0, 0, 0, 9], [0xff; 6]);
                (s.value.dl_dst, s.mask.dl_dst) = ([2, 0, 0, 0, 0, 8], [0xff; 6]);
            }));
            actions.push(set(Header::Ipv4, |s| (s.value.nw_ttl, s.mask.nw_ttl) = (63, 0xff)));
            actions.push(Action::PushVlan { tpid: 0x8100, tci: 0x1005 });
            mask.0.nw_ttl = 0xff;
        }
        actions.push(Action::Output(PortNo(2)));
        Self {
            mask,
            actions: actions.into(),
            many_masks: fields == "masks",
            credit: Arc::new(Nobody),
        }
    }
}

impl SlowPath for OneRule {
    fn translate(&self, _guard: &Guard, miss: &Miss<'_>) -> Translation {
        let mut mask = self.mask;
        if self.many_masks {
            // Who decides by bits that the mask must then have: these.
            mask.0.nw_dst = 0xff.into();
            mask.0.tp_src = 0xff.into();
            let kind = (miss.key.nw_dst.get() & 0xff) + (u32::from(miss.key.tp_src.get()) & 0x2f);
            mask.0.nw_src = (u32::MAX << (kind % 20)).into();
            mask.0.tp_dst = (u16::MAX << (kind / 20)).into();
        }
        Translation {
            mask,
            actions: Arc::clone(&self.actions),
            drop_reason: None,
            slow: SlowReasons::default(),
            credit: Arc::clone(&self.credit) as Arc<dyn Credit>,
        }
    }

    fn packet_in(
        &self,
        _cookie: &Arc<ControllerCookie>,
        _key: &Flow,
        _packet: &[u8],
    ) -> Result<(), QueueFull> {
        Err(QueueFull)
    }

    fn sample(
        &self,
        _cookie: &Arc<SampleCookie>,
        _key: &Flow,
        _packet: &[u8],
    ) -> Result<(), QueueFull> {
        Err(QueueFull)
    }
}

fn port(name: &str, devargs: &str) -> PortConfig {
    PortConfig {
        name: name.to_owned(),
        kind: "dpdk".to_owned(),
        options: BTreeMap::from([("dpdk-devargs".to_owned(), devargs.to_owned())]),
        ..PortConfig::default()
    }
}

fn run(
    from: &str,
    to: &str,
    core: u32,
    seconds: f64,
    fields: &str,
    measure: &str,
) -> Result<(), Box<dyn std::error::Error>> {
    Eal::init(&EalConfig { program: "forward".into(), ..EalConfig::default() })?;
    let config = EngineConfig { pmd_cores: vec![core], ..EngineConfig::new(SystemTime::start()) };
    let engine = Engine::new(&config, Arc::new(OneRule::new(fields)))?;
    let sampling = measure.split(',').find_map(|option| option.strip_prefix("latency="));
    engine.tune(&Tuning {
        latency_sampling: sampling.and_then(|n| n.parse().ok()).unwrap_or(0),
        perf_metrics: measure.split(',').any(|option| option == "perf"),
        ..Tuning::default()
    });
    engine.add_port(PortNo(2), port("to", to))?;
    engine.add_port(PortNo(1), port("from", from))?;
    std::thread::sleep(Duration::from_secs(1));
    let counted = || engine.pmd_snapshots().first().map(|pmd| pmd.stats).unwrap_or_default();
    let mut windows = Vec::new();
    let first = counted();
    let mut before = first;
    for _ in 0..(seconds * 20.0) as usize {
        std::thread::sleep(Duration::from_millis(50));
        let now = counted();
        let window = now.since(&before);
        before = now;
        if window.rx_packets != 0 {
            windows.push(window.busy_cycles as f64 / window.rx_packets as f64);
        }
    }
    windows.sort_by(f64::total_cmp);
    let best = windows.first().copied().unwrap_or(f64::NAN);
    let middle = windows.get(windows.len() / 2).copied().unwrap_or(f64::NAN);
    let total = before.since(&first);
    let share = |n: u64| 100.0 * n as f64 / total.rx_packets.max(1) as f64;
    let mpps = |cycles: f64| tsc_hz() as f64 / cycles / 1e6;
    println!(
        "cycles/packet best {best:.0} ({:.1} Mpps) middle {middle:.0} ({:.1} Mpps); \
         EMC {:.1} % megaflow {:.1} % upcalls {:.1} %; {} megaflows; tx {:.1} %",
        mpps(best),
        mpps(middle),
        share(total.emc_hits),
        share(total.megaflow_hits),
        share(total.upcalls),
        engine.n_flows(),
        share(total.tx_packets),
    );
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, from, to, core, rest @ ..] = &arguments[..] else {
        eprintln!("usage: forward FROM-DEVARGS TO-DEVARGS CORE [SECONDS [FIELDS [MEASURE]]]");
        return ExitCode::FAILURE;
    };
    let measure = rest.get(2).map_or("", String::as_str);
    let core = core.parse().unwrap_or(0);
    let seconds = rest.first().and_then(|text| text.parse().ok()).unwrap_or(5.0);
    let fields = rest.get(1).map_or("none", String::as_str);
    match run(from, to, core, seconds, fields, measure) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("forward: {error}");
            ExitCode::FAILURE
        }
    }
}
