//! `ofproto/*`, `bridge/*`, `fdb/*`, `dpif/show`: bridges and their tables.

use std::sync::Arc;

use weir_ofproto::Bridge;
use weir_ofproto::show::{dpif, fdb, flows};
use weir_openflow::OfPort;
use weir_protocols::mac_learning::Station;
use weir_runtime::unixctl::{Commands, Outcome};

use super::dpctl::{kind_text, lookups};
use crate::datapath_types::shown_kind;
use crate::desired::parse_mac;
use crate::switchd::Switchd;

const NO_BRIDGE: &str = "no such bridge";

pub(super) fn register(commands: &mut Commands<Switchd>) {
    commands
        .add("ofproto/list", "", 0, 0, |s: &mut Switchd, _| Outcome::text(flows::list(&s.switch)));
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
