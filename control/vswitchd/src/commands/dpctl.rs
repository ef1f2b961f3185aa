//! `dpctl/*` and `dpif/*`: the datapath as ovs-dpctl(8) shows it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use weir_engine::{Engine, PortStats};
use weir_flow::odp::{self, Style};
use weir_flow::slowpath::{MegaflowView, Revalidation};
use weir_flow::{Datapath as _, PortNo};
use weir_ovsdb::Uuid;
use weir_runtime::unixctl::{CommandResult, Commands, Outcome};

use crate::datapath_types::shown_kind;
use crate::dp_features;
use crate::switchd::Switchd;

pub(super) fn register(commands: &mut Commands<Switchd>) {
    commands.add("dpctl/dump-dps", "", 0, 0, |s: &mut Switchd, _| {
        Outcome::text(if s.engine.is_some() { format!("{}\n", s.dp_name()) } else { String::new() })
    });
    commands.add("dpctl/show", "[-s] [dp...]", 0, 8, |s: &mut Switchd, args| {
        let with_stats = args.iter().any(|a| a == "-s" || a == "--statistics");
        check_names(s, args)?;
        Outcome::text(show(s, with_stats)?)
    });
    commands.add(
        "dpctl/dump-flows",
        "[-m] [--names] [dp] [filter=..] [type=..] [pmd=..]",
        0,
        8,
        |s: &mut Switchd, args| {
            check_names(s, args).map_err(|_| not_found())?;
            dump_flows(s, args, None)
        },
    );
    commands.add("dpctl/get-flow", "[dp] ufid", 1, 2, |s: &mut Switchd, args| {
        let (ufid, dp) = args.split_last().ok_or_else(not_found)?;
        check_names(s, dp).map_err(|_| not_found())?;
        get_flow(s, ufid)
    });
    commands.add("dpctl/del-flow", "[dp] flow", 1, 2, |s: &mut Switchd, args| {
        let (flow, dp) = args.split_last().ok_or_else(not_found)?;
        check_names(s, dp).map_err(|_| not_found())?;
        del_flow(s, flow)
    });
    commands.add("dpctl/del-flows", "[dp]", 0, 1, |s: &mut Switchd, args| {
        check_names(s, args)?;
        if let Some(engine) = &s.engine {
            engine.flush_flows();
        }
        Outcome::empty()
    });
    commands.add("dpif/show-dp-features", "bridge", 1, 1, |s: &mut Switchd, args| {
        if !s.bridges.contains_key(&args[0]) {
            return Err("no such bridge".to_owned());
        }
        let limit = s.desired.as_ref().map_or(1, |d| d.switch.vlan_limit);
        Outcome::text(dp_features::lines(limit))
    });
    commands.add("dpif/dump-dps", "", 0, 0, |s: &mut Switchd, _| {
        let lines = s.bridges.keys().map(|b| format!("{}@{b}\n", s.dp_type()));
        Outcome::text(lines.collect::<String>())
    });
    commands.add(
        "dpif/dump-flows",
        "[-m] [--names | --no-names] bridge",
        1,
        3,
        |s: &mut Switchd, args| {
            let name = args.last().cloned().unwrap_or_default();
            if !s.bridges.contains_key(&name) {
                return Err("no such bridge".to_owned());
            }
            dump_flows(s, args, Some(&name))
        },
    );
}

/// A datapath that is named must be ours.
fn check_names(state: &Switchd, args: &[String]) -> Result<(), String> {
    let (own, plain) = (state.dp_name(), state.dp_name());
    let plain = plain.split('@').next_back().unwrap_or_default();
    for name in args.iter().filter(|a| !a.starts_with('-') && !a.contains('=')) {
        if *name != own && name != plain {
            let program = weir_runtime::program::name();
            return Err(format!("{program}: opening datapath {name} failed (No such device)"));
        }
    }
    Ok(())
}

fn not_found() -> String {
    format!("{}: datapath not found (Invalid argument)", weir_runtime::program::name())
}

/// `ufid:` and a UUID.
fn parse_ufid(text: &str) -> Option<u128> {
    let uuid =
        Uuid::try_parse(text.trim().strip_prefix("ufid:")?.trim_end_matches([',', ' '])).ok()?;
    Some(uuid.as_u128())
}

/// `dpctl/get-flow`: one flow, without its identifier.
fn get_flow(state: &Switchd, text: &str) -> CommandResult {
    let program = weir_runtime::program::name();
    let ufid = parse_ufid(text).ok_or_else(|| format!("{program}: parsing flow ufid"))?;
    let (style, now) = (Style::default(), state.now_ms());
    let mut found = None;
    engine(state)?.visit(&mut |view| {
        if view.ufid == ufid {
            found = Some(flow_line(view, &style, now));
        }
        Revalidation::Keep { credited: view.credited }
    });
    let missing = || format!("{program}: getting flow (No such file or directory)");
    Outcome::text(found.ok_or_else(missing)? + "\n")
}

/// `dpctl/del-flow`: the flow with this identifier, or with this match.
fn del_flow(state: &Switchd, text: &str) -> CommandResult {
    let program = weir_runtime::program::name();
    let by_name = |name: &str| state.ports.get(name).map(|p| p.no);
    let named = parse_ufid(text);
    let flow = match named {
        Some(_) => None,
        None => {
            let parsed = odp::parse_key(text, Some(&by_name));
            let words = |e| format!("{program}: parsing flow key ({e})");
            Some(parsed.map_err(words)?.flow)
        }
    };
    let mut gone = false;
    engine(state)?.visit(&mut |view| {
        let is_it = match &flow {
            Some(flow) => view.mask.datapath().agrees(view.key, flow),
            None => named == Some(view.ufid),
        };
        if is_it {
            gone = true;
            return Revalidation::Delete;
        }
        Revalidation::Keep { credited: view.credited }
    });
    let missing = "deleting flow (No such file or directory)\nPerhaps you need to specify a UFID?";
    if gone { Outcome::empty() } else { Err(format!("{program}: {missing}")) }
}

fn engine(state: &Switchd) -> Result<Arc<Engine>, String> {
    state.engine.clone().ok_or_else(|| "no datapath yet: there is no bridge".to_owned())
}

/// ` (TYPE: KEY=VALUE, ...)`; nothing for a kernel's own device.
fn device_text(kind: &str, config: &BTreeMap<String, String>) -> String {
    if kind == "system" { String::new() } else { format!(" {}", kind_text(kind, config)) }
}

/// `(TYPE: KEY=VALUE, ...)`
pub(super) fn kind_text(kind: &str, config: &BTreeMap<String, String>) -> String {
    if config.is_empty() {
        return format!("({kind})");
    }
    let pairs: Vec<String> = config.iter().map(|(k, v)| format!("{k}={v}")).collect();
    format!("({kind}: {})", pairs.join(", "))
}

fn show(state: &Switchd, with_stats: bool) -> Result<String, String> {
    let engine = engine(state)?;
    let (hits, misses, lost) = lookups(&engine);
    let mut out = format!(
        "{}:\n  lookups: hit:{hits} missed:{misses} lost:{lost}\n  flows: {}\n",
        state.dp_name(),
        engine.n_flows()
    );
    let mut ports: Vec<_> = state.ports.iter().map(|(n, p)| (p.no, n, &p.config.kind)).collect();
    ports.sort();
    for (no, name, kind) in ports {
        let Some(status) = engine.port_status(no) else { continue };
        let _ = writeln!(
            out,
            "  port {}: {name}{}",
            no.0,
            device_text(shown_kind(kind), &status.config)
        );
        if let Some(stats) = with_stats.then(|| engine.port_stats(no)).flatten() {
            write_stats(&mut out, &stats);
        }
    }
    Ok(out)
}

fn write_stats(out: &mut String, s: &PortStats) {
    let known = |n: Option<u64>| n.map_or_else(|| "?".to_owned(), |n| n.to_string());
    let _ = write!(
        out,
        "    RX packets:{} errors:{} dropped:{} overruns:{} frame:{}\n\
         \x20   TX packets:{} errors:{} dropped:{} aborted:? carrier:?\n\
         \x20   collisions:{}\n\
         \x20   RX bytes:{}{}  TX bytes:{}{}\n",
        s.rx_packets,
        known(s.rx_errors),
        known(s.rx_dropped),
        known(s.rx_over_errors),
        known(s.rx_frame_errors),
        s.tx_packets,
        known(s.tx_errors),
        known(s.tx_dropped),
        known(s.collisions),
        s.rx_bytes,
        human(s.rx_bytes),
        s.tx_bytes,
        human(s.tx_bytes),
    );
}

/// ` (1.5 KiB)`, nothing below one KiB.
fn human(bytes: u64) -> String {
    let units = [(1u64 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.iter().find(|(size, _)| bytes >= *size) {
        Some((size, unit)) => format!(" ({:.1} {unit})", bytes as f64 / *size as f64),
        None => String::new(),
    }
}

/// Packets that found a megaflow, that did not, and that were lost for it.
pub(super) fn lookups(engine: &Engine) -> (u64, u64, u64) {
    let all = engine.pmd_snapshots();
    let sum = |f: fn(&weir_engine::PmdStats) -> u64| all.iter().map(|p| f(&p.stats)).sum();
    (sum(|s| s.emc_hits + s.megaflow_hits), sum(|s| s.upcalls), sum(|s| s.lost))
}

/// The flows of the datapath, or those whose packets come in by a bridge's ports.
fn dump_flows(state: &Switchd, args: &[String], bridge: Option<&str>) -> CommandResult {
    let engine = engine(state)?;
    let verbose = args.iter().any(|a| a == "-m" || a == "--more");
    let named =
        args.iter().any(|a| a == "--names") || (verbose && !args.iter().any(|a| a == "--no-names"));
    let names: BTreeMap<PortNo, String> =
        state.ports.iter().map(|(n, p)| (p.no, n.clone())).collect();
    let name_of = |no: PortNo| names.get(&no).cloned();
    let style = Style { verbose, names: named.then_some(&name_of as _) };
    let belongs = |view: &MegaflowView<'_>| {
        let Some(bridge) = bridge.and_then(|b| state.bridges.get(b)) else { return true };
        let port = names.get(&PortNo(view.key.in_port.get()));
        port.is_some_and(|p| bridge.ofports.contains_key(p))
    };
    let now = state.now_ms();
    let mut flows: BTreeMap<Option<u32>, Vec<String>> = BTreeMap::new();
    engine.visit(&mut |view| {
        if belongs(view) {
            let line = if bridge.is_some() {
                bridge_flow_line(view, &style, now)
            } else {
                flow_line(view, &style, now)
            };
            flows.entry(view.core).or_default().push(line);
        }
        Revalidation::Keep { credited: view.credited }
    });
    let mut out = String::new();
    for (core, lines) in flows {
        if bridge.is_none() {
            let _ = match core {
                Some(core) => writeln!(out, "flow-dump from pmd on cpu core: {core}"),
                None => writeln!(out, "flow-dump from the main thread:"),
            };
        }
        for line in lines {
            out.push_str(&line);
            out.push('\n');
        }
    }
    Outcome::text(out)
}

/// A line of `dpctl/dump-flows`.
fn flow_line(view: &MegaflowView<'_>, style: &Style<'_>, now: u64) -> String {
    let head = if style.verbose { format!("{}, ", ufid_text(view.ufid)) } else { String::new() };
    let dp = if style.verbose { ", dp:ovs" } else { "" };
    let stats = stats_text(view, now);
    let actions = odp::format_actions(view.actions, style);
    format!("{head}{}, {stats}{dp}, actions:{actions}", key_text(view, style))
}

/// A line of `dpif/dump-flows`.
fn bridge_flow_line(view: &MegaflowView<'_>, style: &Style<'_>, now: u64) -> String {
    let head = if style.verbose { format!("{} ", ufid_text(view.ufid)) } else { String::new() };
    let stats = stats_text(view, now);
    let actions = odp::format_actions(view.actions, style);
    format!("{head}{}, {stats}, actions:{actions}", key_text(view, style))
}

/// `ufid:` and a UUID.
fn ufid_text(ufid: u128) -> String {
    format!("ufid:{}", Uuid::from_u128(ufid))
}

fn key_text(view: &MegaflowView<'_>, style: &Style<'_>) -> String {
    odp::format_key(view.key, Some(view.mask), style)
}

/// `packets:N, bytes:N, used:T[, flags:F]`
fn stats_text(view: &MegaflowView<'_>, now: u64) -> String {
    let s = view.stats;
    let mut out = format!("packets:{}, bytes:{}, used:", s.packets, s.bytes);
    let _ = match s.used_ms {
        0 => write!(out, "never"),
        used => write!(out, "{:.3}s", now.saturating_sub(used) as f64 / 1000.0),
    };
    if s.tcp_flags != 0 {
        let _ = write!(out, ", flags:{}", tcp_flags(s.tcp_flags));
    }
    out
}

/// The TCP flags seen, as tcpdump(1) writes them.
fn tcp_flags(flags: u16) -> String {
    let letters = [
        (2, 'S'),
        (1, 'F'),
        (8, 'P'),
        (4, 'R'),
        (32, 'U'),
        (16, '.'),
        (64, 'E'),
        (128, 'C'),
        (256, 'N'),
    ];
    letters.iter().filter(|(bit, _)| flags & bit != 0).map(|(_, c)| c).collect()
}
