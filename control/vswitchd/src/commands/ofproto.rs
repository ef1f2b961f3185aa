//! `ofproto/*`, `bridge/*`, `fdb/*`, `dpif/show`: bridges and their tables.

use std::sync::Arc;

use weir_flow::packet::{Metadata, parse};
use weir_flow::{Flow, PortNo, odp};
use weir_ofproto::Bridge;
use weir_ofproto::show::{dpif, fdb, flows, trace};
use weir_openflow::flow_text::match_parse::parse_item;
use weir_openflow::{Match, NameMap, OfPort};
use weir_protocols::mac_learning::Station;
use weir_runtime::unixctl::{CommandResult, Commands, Outcome};

use super::dpctl::{kind_text, lookups};
use crate::datapath_types::shown_kind;
use crate::desired::parse_mac;
use crate::switchd::Switchd;

const NO_BRIDGE: &str = "no such bridge";

pub(super) fn register(commands: &mut Commands<Switchd>) {
    commands
        .add("ofproto/list", "", 0, 0, |s: &mut Switchd, _| Outcome::text(flows::list(&s.switch)));
    commands.add(
        "ofproto/trace",
        "{[dp_name] odp_flow | bridge br_flow} [OPTIONS...] [-generate|packet]",
        1,
        usize::MAX,
        trace_command,
    );
    commands.add("bridge/dump-flows", "[--offload-stats] bridge", 1, 2, |s: &mut Switchd, args| {
        let bridge = last_bridge(s, args)?;
        Outcome::text(flows::dump(&bridge, s.now_ms()))
    });
    commands.add("bridge/reconnect", "[bridge]", 0, 1, |s: &mut Switchd, args| {
        if !args.is_empty() {
            last_bridge(s, args).map_err(|_| "unknown bridge".to_owned())?;
        }
        s.openflow.reconnect(args.first().map(String::as_str));
        Outcome::empty()
    });
    commands.add("dpif/show", "", 0, 0, |s: &mut Switchd, _| {
        let Some(engine) = &s.engine else { return Outcome::empty() };
        let (hits, misses, _) = lookups(engine);
        let heading = format!("{}: hit:{hits} missed:{misses}\n", s.dp_name());
        Outcome::text(heading + &dpif::bridges(&s.switch, &|name| options_text(s, name)))
    });
    register_fdb(commands);
}

fn register_fdb(commands: &mut Commands<Switchd>) {
    commands.add("fdb/show", "bridge", 1, 1, |s: &mut Switchd, args| {
        let bridge = last_bridge(s, args)?;
        Outcome::text(fdb::show(&s.switch, &bridge, s.now_ms()))
    });
    commands.add("fdb/stats-show", "bridge", 1, 1, |s: &mut Switchd, args| {
        Outcome::text(fdb::stats(&*last_bridge(s, args)?))
    });
    commands.add("fdb/stats-clear", "[bridge]", 0, 1, |s: &mut Switchd, args| {
        for bridge in chosen(s, args)? {
            fdb::clear_stats(&bridge);
        }
        Outcome::text("statistics successfully cleared")
    });
    commands.add("fdb/flush", "[bridge]", 0, 1, |s: &mut Switchd, args| {
        for bridge in chosen(s, args)? {
            fdb::flush(&bridge);
        }
        Outcome::text("table successfully flushed")
    });
    commands.add("fdb/add", "bridge port vlan mac", 4, 4, |s: &mut Switchd, args| {
        let bridge = s.switch.bridge(&args[0]).ok_or(NO_BRIDGE)?;
        let port = port_of(&bridge, &args[1]).ok_or("unknown or unbridged port")?;
        fdb::add(&s.switch, &bridge, port, station(&args[2], &args[3])?)?;
        Outcome::empty()
    });
    commands.add("fdb/del", "bridge vlan mac", 3, 3, |s: &mut Switchd, args| {
        let bridge = s.switch.bridge(&args[0]).ok_or(NO_BRIDGE)?;
        fdb::delete(&bridge, station(&args[1], &args[2])?);
        Outcome::empty()
    });
}

fn last_bridge(state: &Switchd, args: &[String]) -> Result<Arc<Bridge>, String> {
    let name = args.last().map(String::as_str).unwrap_or_default();
    state.switch.bridge(name).ok_or_else(|| NO_BRIDGE.to_owned())
}

/// The bridge that is named, or all.
fn chosen(state: &Switchd, args: &[String]) -> Result<Vec<Arc<Bridge>>, String> {
    if args.is_empty() { Ok(state.switch.bridges()) } else { Ok(vec![last_bridge(state, args)?]) }
}

fn station(vlan: &str, mac: &str) -> Result<Station, String> {
    let vlan = vlan.parse().ok().filter(|v| *v < 4096).ok_or("Invalid VLAN")?;
    let mac = parse_mac(mac).ok_or("Invalid MAC address")?;
    Ok(Station { vlan, mac })
}

fn port_of(bridge: &Bridge, name: &str) -> Option<OfPort> {
    bridge.lock().port_by_name(name).map(|p| p.config.ofport)
}

/// `KEY=VALUE, ...` of a port in `dpif/show`.
fn options_text(state: &Switchd, name: &str) -> String {
    let Some(port) = state.ports.get(name) else {
        let bridges = state.desired.iter().flat_map(|d| &d.bridges);
        let mut interfaces = bridges.flat_map(|b| &b.ports).flat_map(|p| &p.interfaces);
        let peer = interfaces.find(|i| i.name == name).and_then(|i| i.options.get("peer"));
        return peer.map(|p| format!("peer={p}")).unwrap_or_default();
    };
    let config = state.engine.as_ref().and_then(|e| e.port_status(port.no)).map(|s| s.config);
    let text = kind_text(shown_kind(&port.config.kind), &config.unwrap_or_default());
    let inner = text.split_once(": ").map(|(_, rest)| rest.trim_end_matches(')').to_owned());
    inner.unwrap_or_default()
}

/// `ofproto/trace`: a flow of a bridge, or of the datapath; the packet may be given, too.
fn trace_command(s: &mut Switchd, args: &[String]) -> CommandResult {
    let mut words = Vec::new();
    let mut generate = false;
    let mut names = false;
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        match arg.as_str() {
            "-generate" | "--generate" => generate = true,
            "--names" => names = true,
            "--no-names" => names = false,
            "--ct-next" | "-ct-next" | "--l7" | "--l7-len" => drop(rest.next()),
            _ => words.push(arg.as_str()),
        }
    }
    let Some((first, others)) = words.split_first() else {
        return Err("Must specify at least a bridge or a flow".to_owned());
    };
    let request = match s.switch.bridge(first) {
        Some(bridge) => {
            let flow_text = others.first().copied().ok_or("Must specify bridge name")?;
            bridge_request(&bridge, flow_text, others.get(1).copied())?
        }
        None => datapath_request(s, &words)?,
    };
    let request = trace::Request { names, side_effects: generate, ..request };
    Outcome::text(trace::trace(&s.switch, &request, s.now_ms()))
}

fn bridge_request(
    bridge: &Bridge,
    text: &str,
    packet: Option<&str>,
) -> Result<trace::Request, String> {
    let names = bridge.lock().port_names();
    let flow = exact_flow(text, &names)?;
    let flow = match packet {
        Some(hex) => packet_flow(hex, flow.in_port.get())?,
        None => flow,
    };
    Ok(trace::Request { bridge: bridge.id, flow, side_effects: false, names: false })
}

/// A flow in the syntax of `ovs-ofctl`; what it does not say is zero.
fn exact_flow(text: &str, names: &NameMap) -> Result<Flow, String> {
    let mut m = Match::default();
    for item in text.split([',', ' ', '\t', '\n']).filter(|i| !i.is_empty()) {
        let (name, value) = item.split_once('=').unwrap_or((item, ""));
        if parse_item(&mut m, name, value, Some(names)).map_err(|e| e.to_string())?.is_none() {
            return Err(format!("Bad openflow flow syntax: {text}: unknown field {name}"));
        }
    }
    Ok(m.flow)
}

/// The flow of a packet in hexadecimal digits.
fn packet_flow(hex: &str, in_port: u32) -> Result<Flow, String> {
    let digits: Vec<u8> = hex
        .chars()
        .map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok()))
        .collect::<Option<_>>()
        .filter(|d: &Vec<u8>| d.len().is_multiple_of(2))
        .ok_or("Trailing garbage in packet data")?;
    let bytes: Vec<u8> = digits.chunks_exact(2).map(|p| p[0] << 4 | p[1]).collect();
    Ok(parse(&bytes, &Metadata { in_port, ..Metadata::default() }).flow)
}

/// `[DP] ODP_FLOW [PACKET]`
fn datapath_request(s: &Switchd, words: &[&str]) -> Result<trace::Request, String> {
    let words = match words {
        [dp, rest @ ..] if !rest.is_empty() && (dp.contains('@') || dp.starts_with("ovs-")) => rest,
        all => all,
    };
    let text = words.first().copied().unwrap_or_default();
    let port = |name: &str| s.ports.get(name).map(|p| p.no);
    let key =
        odp::parse_key(text, Some(&port)).map_err(|e| format!("Invalid datapath flow: {e}"))?;
    let no = PortNo(key.flow.in_port.get());
    let guard = weir_rcu::pin();
    let (bridge, ofport) = s
        .switch
        .view(&guard)
        .ingress(no)
        .map(|(b, p)| (b.id, p))
        .ok_or("Invalid datapath flow: no bridge has its input port")?;
    let mut flow = match words.get(1) {
        Some(hex) => packet_flow(hex, no.0)?,
        None => key.flow,
    };
    flow.in_port = u32::from(ofport.0).into();
    Ok(trace::Request { bridge, flow, side_effects: false, names: false })
}
