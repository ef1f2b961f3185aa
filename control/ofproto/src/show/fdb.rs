//! Learned addresses: `fdb/*`.

use weir_openflow::OfPort;
use weir_openflow::value_text::address::format_mac;
use weir_protocols::mac_learning::{Age, Station};

use crate::Bridge;
use crate::view::BundleId;
use crate::{Switch, xlate::normal};

/// `fdb/show BRIDGE`
#[must_use]
pub fn show(switch: &Switch, bridge: &Bridge, now_ms: u64) -> String {
    let guard = weir_rcu::pin();
    let view = switch.view(&guard).bridges.get(&bridge.id);
    let port_of = |id: BundleId| {
        let first = view.and_then(|v| v.bundle(id)).and_then(|b| b.members.first().copied());
        match first {
            Some(OfPort::LOCAL) => "LOCAL".to_owned(),
            Some(port) => port.0.to_string(),
            None => "-1".to_owned(),
        }
    };
    let mut out = String::from(" port  VLAN  MAC                Age\n");
    let Ok(macs) = bridge.shared.macs.read() else { return out };
    let mut rows: Vec<_> = macs.list(now_ms);
    rows.sort_by_key(|(_, l)| match l.age {
        Age::Static => (0, 0),
        Age::Secs(s) => (1, u32::MAX - s),
    });
    for (station, learned) in rows {
        let age = match learned.age {
            Age::Static => "static".to_owned(),
            Age::Secs(s) => format!("{s:3}"),
        };
        out.push_str(&format!(
            "{:>5}  {:4}  {}  {age}\n",
            port_of(learned.port),
            station.vlan,
            format_mac(station.mac)
        ));
    }
    out
}

/// `fdb/stats-show BRIDGE`
#[must_use]
pub fn stats(bridge: &Bridge) -> String {
    let name = bridge.lock().config.name.clone();
    let Ok(macs) = bridge.shared.macs.read() else { return String::new() };
    let s = macs.stats();
    format!(
        "Statistics for bridge \"{name}\":\n  \
         Current/maximum MAC entries in the table: {}/{}\n  \
         Current static MAC entries in the table : {}\n  \
         Total number of learned MAC entries     : {}\n  \
         Total number of expired MAC entries     : {}\n  \
         Total number of evicted MAC entries     : {}\n  \
         Total number of port moved MAC entries  : {}\n",
        macs.len(),
        macs.max_entries(),
        macs.n_static(),
        s.learned,
        s.expired,
        s.evicted,
        s.moved,
    )
}

/// `fdb/flush`: forgets what was learned.
pub fn flush(bridge: &Bridge) {
    if let Ok(mut macs) = bridge.shared.macs.write() {
        macs.flush();
    }
    bridge.shared.forwarding_changed.bump();
}

/// `fdb/stats-clear`
pub fn clear_stats(bridge: &Bridge) {
    if let Ok(mut macs) = bridge.shared.macs.write() {
        macs.clear_stats();
    }
}

/// `fdb/add`: makes a static entry.
///
/// # Errors
/// The text that the command answers when the port is not there or not bundled.
pub fn add(switch: &Switch, bridge: &Bridge, port: OfPort, at: Station) -> Result<(), String> {
    let guard = weir_rcu::pin();
    let view = switch.view(&guard).bridges.get(&bridge.id);
    let id = view.and_then(|v| normal::bundle_of(v, port));
    let Some(id) = id else { return Err(format!("{port}: no such port")) };
    if let Ok(mut macs) = bridge.shared.macs.write()
        && macs.add_static(at, id)
    {
        bridge.shared.forwarding_changed.bump();
    }
    Ok(())
}

/// `fdb/del`: forgets one entry. False if it was not there.
pub fn delete(bridge: &Bridge, at: Station) -> bool {
    let gone = bridge.shared.macs.write().is_ok_and(|mut m| m.forget(at));
    if gone {
        bridge.shared.forwarding_changed.bump();
    }
    gone
}
