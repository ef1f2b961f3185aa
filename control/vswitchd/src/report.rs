//! What the switch tells the database: ephemeral columns, `ofport`, `error`, `cur_cfg`. Rows are
//! compared with the replica, so only what changed is sent.

use std::collections::BTreeMap;

use weir_engine::{Link, PortStats};
use weir_openflow::OfPort;
use weir_ovsdb::replica::{Replica, Transaction};
use weir_ovsdb::{Atom, Datum, Uuid};

use crate::address::mac_text;

/// State of one interface.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InterfaceReport {
    /// The row.
    pub uuid: Uuid,
    /// Its OpenFlow number; `None` is written as -1.
    pub ofport: Option<OfPort>,
    /// Why it does not work.
    pub error: Option<String>,
    /// What is known of its device, if there is one.
    pub device: Option<DeviceReport>,
}

/// State of a device.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeviceReport {
    /// Its address.
    pub mac: [u8; 6],
    /// Its MTU.
    pub mtu: Option<u16>,
    /// Is it up by the administrator's will?
    pub admin_up: bool,
    /// Its wire.
    pub link: Link,
    /// How often the wire came and went.
    pub link_resets: u64,
    /// Its number in the kernel, 0 if the kernel does not know it.
    pub ifindex: u32,
    /// Facts about it.
    pub status: BTreeMap<String, String>,
}

/// State of one bridge.
#[derive(Clone, Debug, PartialEq)]
pub struct BridgeReport {
    /// The row.
    pub uuid: Uuid,
    /// Its datapath ID.
    pub datapath_id: u64,
}

/// State of one controller connection.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ControllerReport {
    /// The row.
    pub uuid: Uuid,
    /// Is it connected?
    pub connected: bool,
    /// `other`, `master` or `slave`.
    pub role: Option<&'static str>,
    /// `state`, `last_error`, `sec_since_connect`, `sec_since_disconnect`.
    pub status: BTreeMap<String, String>,
}

/// State of the switch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SwitchReport {
    /// The row.
    pub uuid: Uuid,
    /// The configuration that is in force.
    pub cur_cfg: i64,
    /// Types that can be had.
    pub datapath_types: Vec<&'static str>,
    /// Types that can be had.
    pub iface_types: Vec<&'static str>,
    /// Is the EAL up?
    pub dpdk_initialized: bool,
    /// `DPDK 22.11.4`
    pub dpdk_version: String,
    /// Our version.
    pub ovs_version: String,
}

/// Writes columns that the server's schema has, and skips the others.
struct Writer<'a> {
    replica: &'a Replica,
    txn: &'a mut Transaction,
}

impl Writer<'_> {
    fn set(&mut self, table: &str, row: Uuid, column: &str, value: Datum) {
        let old = self.replica.row(table, row).and_then(|r| r.get(column));
        if old.is_some_and(|old| *old != value) {
            self.txn.set(table, row, column, value);
        }
    }
}

fn optional<A: Into<Atom>>(value: Option<A>) -> Datum {
    value.map_or_else(Datum::empty, Datum::scalar)
}

fn text(value: &str) -> Atom {
    Atom::String(value.into())
}

fn text_map<K: AsRef<str>>(map: impl IntoIterator<Item = (K, String)>) -> Datum {
    Datum::map(map.into_iter().map(|(k, v)| (text(k.as_ref()), text(&v))))
}

fn int(n: impl TryInto<i64>) -> Atom {
    Atom::Integer(n.try_into().unwrap_or(i64::MAX))
}

/// Adds the switch's own columns to a transaction.
pub fn switch(replica: &Replica, txn: &mut Transaction, report: &SwitchReport) {
    let mut w = Writer { replica, txn };
    let (t, row) = ("Open_vSwitch", report.uuid);
    w.set(t, row, "cur_cfg", Datum::scalar(Atom::Integer(report.cur_cfg)));
    let names = |list: &[&str]| Datum::set(list.iter().map(|n| text(n)));
    w.set(t, row, "datapath_types", names(&report.datapath_types));
    w.set(t, row, "iface_types", names(&report.iface_types));
    w.set(t, row, "dpdk_initialized", Datum::scalar(Atom::Boolean(report.dpdk_initialized)));
    w.set(t, row, "dpdk_version", Datum::scalar(text(&report.dpdk_version)));
    w.set(t, row, "ovs_version", Datum::scalar(text(&report.ovs_version)));
}

/// Adds a bridge's columns to a transaction.
pub fn bridge(replica: &Replica, txn: &mut Transaction, report: &BridgeReport) {
    let mut w = Writer { replica, txn };
    let id = text(&format!("{:016x}", report.datapath_id));
    w.set("Bridge", report.uuid, "datapath_id", Datum::scalar(id));
    w.set("Bridge", report.uuid, "datapath_version", Datum::scalar(text("<built-in>")));
}

/// Adds an interface's columns, but not its counters, to a transaction.
pub fn interface(replica: &Replica, txn: &mut Transaction, report: &InterfaceReport) {
    let mut w = Writer { replica, txn };
    let (t, row) = ("Interface", report.uuid);
    let ofport = report.ofport.map_or(-1, |p| i64::from(p.0));
    w.set(t, row, "ofport", Datum::scalar(Atom::Integer(ofport)));
    w.set(t, row, "error", optional(report.error.as_deref().map(text)));
    let updown = |up| text(if up { "up" } else { "down" });
    let d = report.device.as_ref();
    w.set(t, row, "mac_in_use", optional(d.map(|d| text(&mac_text(d.mac)))));
    w.set(t, row, "mtu", optional(d.and_then(|d| d.mtu).map(int)));
    w.set(t, row, "admin_state", optional(d.map(|d| updown(d.admin_up))));
    w.set(t, row, "link_state", optional(d.map(|d| updown(d.link.up))));
    w.set(t, row, "link_resets", optional(d.map(|d| int(d.link_resets))));
    w.set(t, row, "ifindex", optional(d.map(|d| int(d.ifindex))));
    let speed = d.and_then(|d| d.link.speed_mbps).map(|mbps| int(u64::from(mbps) * 1_000_000));
    w.set(t, row, "link_speed", optional(speed));
    let duplex = d.and_then(|d| d.link.full_duplex).map(|f| text(if f { "full" } else { "half" }));
    w.set(t, row, "duplex", optional(duplex));
    let status = d.map(|d| d.status.clone()).unwrap_or_default();
    w.set(t, row, "status", text_map(status));
}

/// Adds an interface's counters to a transaction.
pub fn statistics(replica: &Replica, txn: &mut Transaction, row: Uuid, stats: &PortStats) {
    let mut w = Writer { replica, txn };
    let named = [
        ("rx_packets", Some(stats.rx_packets)),
        ("tx_packets", Some(stats.tx_packets)),
        ("rx_bytes", Some(stats.rx_bytes)),
        ("tx_bytes", Some(stats.tx_bytes)),
        ("rx_dropped", stats.rx_dropped),
        ("tx_dropped", stats.tx_dropped),
        ("rx_errors", stats.rx_errors),
        ("tx_errors", stats.tx_errors),
        ("rx_frame_err", stats.rx_frame_errors),
        ("rx_over_err", stats.rx_over_errors),
        ("rx_crc_err", stats.rx_crc_errors),
        ("rx_missed_errors", stats.rx_missed_errors),
        ("collisions", stats.collisions),
        ("rx_multicast_packets", stats.multicast),
    ];
    let fixed = named.into_iter().filter_map(|(k, v)| Some((text(k), int(v?))));
    let custom = stats.custom.iter().map(|(k, v)| (text(k), int(*v)));
    w.set("Interface", row, "statistics", Datum::map(fixed.chain(custom)));
}

/// Adds what a datapath can do to a transaction.
pub fn capabilities(
    replica: &Replica,
    txn: &mut Transaction,
    row: Uuid,
    capabilities: BTreeMap<String, String>,
) {
    let mut w = Writer { replica, txn };
    w.set("Datapath", row, "capabilities", text_map(capabilities));
}

/// Adds the machine's statistics to a transaction.
pub fn system_statistics(
    replica: &Replica,
    txn: &mut Transaction,
    row: Uuid,
    stats: BTreeMap<String, String>,
) {
    let mut w = Writer { replica, txn };
    w.set("Open_vSwitch", row, "statistics", text_map(stats));
}

/// Adds a controller's columns to a transaction.
pub fn controller(replica: &Replica, txn: &mut Transaction, report: &ControllerReport) {
    let mut w = Writer { replica, txn };
    let (t, row) = ("Controller", report.uuid);
    w.set(t, row, "is_connected", Datum::scalar(Atom::Boolean(report.connected)));
    w.set(t, row, "role", optional(report.role.map(text)));
    w.set(t, row, "status", text_map(report.status.clone()));
}
