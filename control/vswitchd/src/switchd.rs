//! [`Switchd`]: the running switch and what drives it. The database says what should be
//! ([`crate::desired`]); the differences are applied to the packet engine ([`crate::ports`]) and to
//! the OpenFlow side; what came of it is reported back ([`crate::report`]).

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::Arc;

use weir_engine::{Algorithm, Engine, EngineConfig, Link, TimeSource, Tuning};
use weir_flow::{Datapath, DropReason, SlowPath};
use weir_ofproto::Switch;
use weir_ofproto::config as of;
use weir_ofproto::revalidate::Limits;
use weir_openflow::OfPort;
use weir_ovsdb::replica::{Event, Outcome, Replica, Transaction, TxnId};
use weir_runtime::clock::{Clock, Msec, earlier};
use weir_runtime::coverage;
use weir_runtime::reactor::Reactor;

use crate::address::{Candidate, bridge_mac, datapath_id, random_mac};
use crate::database::Database;
use crate::datapath_types::{
    datapath_types, device_kind, interface_types, is_dummy_datapath, shown_kind,
};
use crate::desired::{self, Desired, RxqAssign};
use crate::eal;
use crate::links::Links;
use crate::numbering::{Claim, assign_ofports};
use crate::openflow::{BridgeSettings, OpenFlow, Wakers};
use crate::options::{Dummy, Options};
use crate::perf::Perf;
use crate::plan::{Wants, wants};
use crate::ports::Ports;
use crate::report::{self, BridgeReport, DeviceReport, InterfaceReport, SwitchReport};
use crate::revalidator::Revalidator;

/// How often links are looked at, in milliseconds.
const LINK_INTERVAL: Msec = 1_000;
/// How often the tables are looked after, in milliseconds.
const HOUSEKEEPING_INTERVAL: Msec = 1_000;
/// Packets of a pool when memory is not in huge pages: enough for a demonstration.
const PLAIN_MBUFS: u32 = 32_768;

/// The engine's clock: ours, so that `time/stop` stops it.
#[derive(Debug)]
struct EngineClock(Clock);

impl TimeSource for EngineClock {
    fn now_ms(&self) -> u64 {
        u64::try_from(self.0.now()).unwrap_or(0).max(1)
    }
}

/// What is remembered of a bridge between configurations.
#[derive(Clone, Debug)]
pub struct RunningBridge {
    /// The address it has without ports.
    fallback_mac: [u8; 6],
    /// Its address.
    pub mac: [u8; 6],
    /// Where the search for a free OpenFlow number goes on.
    next_ofport: u16,
    /// OpenFlow numbers, by interface.
    pub ofports: BTreeMap<String, OfPort>,
    /// Its datapath ID.
    pub datapath_id: u64,
    /// Is its datapath made of dummies?
    pub dummy: bool,
}

/// See the [module documentation](self).
pub struct Switchd {
    /// The command line.
    pub options: Options,
    clock: Clock,
    database: Database,
    /// The OpenFlow side.
    pub switch: Arc<Switch>,
    /// The packet engine, once there was a bridge.
    pub engine: Option<Arc<Engine>>,
    engine_error: Option<String>,
    /// The OpenFlow thread.
    pub openflow: OpenFlow,
    /// The revalidator thread.
    pub revalidator: Revalidator,
    /// What the OpenFlow thread was last told.
    openflow_settings: Vec<BridgeSettings>,
    /// The engine's ports.
    pub ports: Ports,
    /// News of kernel devices.
    links: Option<Links>,
    /// The state last asked for.
    pub desired: Option<Desired>,
    /// The bridges that run.
    pub bridges: BTreeMap<String, RunningBridge>,
    /// The transaction that reports, while it is under way.
    reporting: Option<TxnId>,
    must_report: bool,
    must_reconfigure: bool,
    /// A device came or went that a port needs.
    must_try_ports: bool,
    next_port_try: Msec,
    next_link_check: Msec,
    next_statistics: Msec,
    next_housekeeping: Msec,
    said_locked_out: bool,
    /// Counters of the PMD threads since they were cleared.
    pub perf: Perf,
    /// The process is to end.
    pub exiting: bool,
}

impl fmt::Debug for Switchd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Switchd").field("bridges", &self.bridges.keys()).finish_non_exhaustive()
    }
}

impl Switchd {
    /// A switch that has not heard from its database yet.
    ///
    /// # Errors
    /// The OpenFlow thread cannot be started.
    pub fn new(options: Options, reactor: &Reactor, clock: Clock) -> io::Result<Self> {
        let now = clock.now();
        let remote = options.remote.clone().unwrap_or_default();
        let links = Links::open(reactor)
            .inspect_err(|error| log::warn!(target: "netlink_notifier", "{error}"))
            .ok();
        let switch = Arc::new(Switch::new());
        let revalidator = Revalidator::start(Arc::clone(&switch), clock.clone())?;
        let wakers = Wakers { main: reactor.clone(), revalidator: revalidator.waker() };
        let openflow = OpenFlow::start(Arc::clone(&switch), clock.clone(), wakers)?;
        Ok(Self {
            openflow,
            revalidator,
            openflow_settings: Vec::new(),
            options,
            database: Database::open(&remote, reactor, now),
            clock,
            switch,
            engine: None,
            engine_error: None,
            ports: Ports::default(),
            links,
            desired: None,
            bridges: BTreeMap::new(),
            reporting: None,
            must_report: false,
            must_reconfigure: false,
            must_try_ports: false,
            next_port_try: now,
            next_link_check: now,
            next_statistics: now,
            next_housekeeping: now,
            said_locked_out: false,
            perf: Perf::default(),
            exiting: false,
        })
    }

    /// Milliseconds as the OpenFlow side counts them.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        u64::try_from(self.clock.now()).unwrap_or(0).max(1)
    }

    /// Does what there is to do.
    pub fn run(&mut self, now: Msec) {
        for event in self.database.run(now) {
            match event {
                Event::Synced | Event::Changed | Event::Lock(true) => self.must_reconfigure = true,
                Event::Committed(id, outcome) if self.reporting == Some(id) => {
                    self.reporting = None;
                    if !matches!(outcome, Outcome::Success { .. } | Outcome::Unchanged) {
                        log::debug!(target: "bridge", "status was not written: {outcome:?}");
                        self.must_report = true;
                    }
                }
                Event::Committed(..) | Event::Lock(false) => {}
                Event::Disconnect(reason) => {
                    log::warn!(target: "ovsdb_idl", "{reason}");
                }
            }
        }
        self.say_if_locked_out();
        self.follow_links(now);
        if std::mem::take(&mut self.must_reconfigure) {
            self.reconfigure();
        }
        if now >= self.next_link_check {
            self.next_link_check = now + LINK_INTERVAL;
            self.must_report |= self.desired.is_some();
        }
        if now >= self.next_housekeeping {
            self.next_housekeeping = now + HOUSEKEEPING_INTERVAL;
            self.switch.run(self.now_ms());
            self.revalidator.waker().wake();
        }
        if self.must_report && self.reporting.is_none() {
            self.report(now);
        }
    }

    /// When [`Switchd::run`] has something to do though nothing arrived.
    #[must_use]
    pub fn poll_at(&self, now: Msec) -> Option<Msec> {
        let own = self.next_housekeeping.min(self.next_link_check);
        earlier(self.database.poll_at(now), Some(own))
    }

    /// Closes all ports.
    pub fn close(&mut self) {
        if let Some(engine) = self.engine.take() {
            self.ports.apply(&engine, &Wants::default());
        }
    }

    fn say_if_locked_out(&mut self) {
        let out = self.database.is_locked_out();
        if out && !self.said_locked_out {
            log::error!(
                target: "bridge",
                "another ovs-vswitchd process is running, disabling this process (pid {}) until it goes away",
                std::process::id()
            );
        }
        self.said_locked_out = out;
    }

    /// Closes ports whose device went away, and tries again those whose device may have come.
    fn follow_links(&mut self, now: Msec) {
        let Some(news) = self.links.as_mut().map(Links::news) else { return };
        self.must_report |= news.changed.iter().any(|name| self.ports.get(name).is_some());
        self.must_try_ports |= self.ports.concerns(&news);
        // A port that fails may make news itself: not as often as it can.
        if !self.must_try_ports || now < self.next_port_try {
            return;
        }
        self.must_try_ports = false;
        self.next_port_try = now + LINK_INTERVAL;
        if let Some(engine) = &self.engine {
            engine.run();
        }
        if let Some(desired) = self.desired.take() {
            self.apply(&desired);
            self.desired = Some(desired);
            self.must_report = true;
        }
    }

    /// Makes the switch what the database asks for.
    fn reconfigure(&mut self) {
        let Some(desired) = self.database.replica().and_then(Desired::read) else { return };
        // Our own reports come back as changes; they ask for nothing new.
        let asks = |d: &Desired| (d.switch.clone(), d.bridges.clone());
        if self.desired.as_ref().map(asks) == Some(asks(&desired)) && self.engine_error.is_none() {
            return;
        }
        let known = self.desired.as_ref().map(|d| d.complaints.clone()).unwrap_or_default();
        for complaint in desired.complaints.iter().filter(|c| !known.contains(c)) {
            log::warn!(target: "bridge", "{complaint}");
        }
        self.apply(&desired);
        self.desired = Some(desired);
        self.must_report = true;
    }

    fn apply(&mut self, desired: &Desired) {
        let mut wants = wants(desired, self.options.dummy);
        self.prepare_bridges(desired, &mut wants);
        if self.engine.is_none() && !desired.bridges.is_empty() {
            self.start_engine(desired);
        }
        if let Some(engine) = &self.engine {
            tune(engine, &desired.switch);
            self.ports.apply(engine, &wants);
        }
        self.switch.set_vlan_limit(desired.switch.vlan_limit);
        self.name_bridges(desired);
        let configs: Vec<of::BridgeConfig> =
            desired.bridges.iter().map(|b| self.bridge_config(b, &wants)).collect();
        self.switch.apply(&configs, self.now_ms());
        self.configure_openflow(desired);
        self.configure_revalidator(desired);
        self.revalidator.waker().wake();
    }

    fn configure_revalidator(&self, desired: &Desired) {
        let Some(datapath) = self.datapath() else { return };
        let switch = &desired.switch;
        let limits = Limits { flow_limit: switch.flow_limit, max_idle_ms: switch.max_idle_ms };
        let interval = switch.max_revalidator_ms.min(switch.max_idle_ms);
        self.revalidator.configure(datapath, limits, Msec::try_from(interval).unwrap_or(500));
    }

    fn configure_openflow(&mut self, desired: &Desired) {
        let Some(datapath) = self.datapath() else { return };
        // While flows are being restored, controllers would only be in the way.
        let wait = desired.switch.flow_restore_wait;
        let settings = desired.bridges.iter().map(|b| BridgeSettings {
            name: b.name.clone(),
            versions: b.protocols.clone(),
            controllers: if wait { Vec::new() } else { b.controllers.clone() },
            fail_mode: b.fail_mode,
        });
        let settings: Vec<BridgeSettings> = settings.collect();
        if settings != self.openflow_settings {
            self.openflow.configure(settings.clone(), datapath);
            self.openflow_settings = settings;
        }
    }

    /// Makes room for new bridges and forgets old ones; the local ports get their addresses.
    fn prepare_bridges(&mut self, desired: &Desired, wants: &mut Wants) {
        self.bridges.retain(|name, _| desired.bridges.iter().any(|b| b.name == *name));
        for bridge in &desired.bridges {
            let dummy = is_dummy_datapath(&bridge.datapath_type, self.options.dummy);
            let running = self.bridges.entry(bridge.name.clone()).or_insert_with(|| {
                let fallback_mac = random_mac();
                RunningBridge {
                    fallback_mac,
                    mac: bridge.hwaddr.unwrap_or(fallback_mac),
                    next_ofport: 1,
                    ofports: BTreeMap::new(),
                    datapath_id: 0,
                    dummy,
                }
            });
            running.dummy = dummy;
            if let Some(local) = wants.ports.get_mut(&bridge.name) {
                local.config.mac = Some(running.mac);
            }
        }
    }

    /// Chooses addresses, datapath IDs and OpenFlow numbers from the ports that run.
    fn name_bridges(&mut self, desired: &Desired) {
        let Some(engine) = &self.engine else { return };
        for bridge in &desired.bridges {
            let Some(running) = self.bridges.get_mut(&bridge.name) else { continue };
            let interfaces = || bridge.ports.iter().flat_map(|p| &p.interfaces);
            let candidates: Vec<Candidate> = interfaces()
                .filter_map(|i| {
                    let port = self.ports.get(&i.name)?;
                    let mac = engine.port_status(port.no)?.mac;
                    Some(Candidate { mac, internal: port.config.kind.ends_with("internal") })
                })
                .collect();
            running.mac = bridge_mac(bridge.hwaddr, &candidates, running.fallback_mac);
            running.datapath_id = datapath_id(bridge.datapath_id, running.mac);
            self.ports.set_mac(engine, &bridge.name, running.mac);
            // One that could not be changed runs as it did, and keeps its number.
            let exists = |i: &&desired::Interface| match self.ports.get(&i.name) {
                Some(_) => true,
                None => i.kind == "patch" && self.ports.error(&i.name).is_none(),
            };
            let claims: Vec<Claim<'_>> = interfaces()
                .filter(exists)
                .map(|i| Claim {
                    name: &i.name,
                    request: i.ofport_request,
                    former: running.ofports.get(&i.name).copied().or(i.ofport),
                })
                .collect();
            let numbers = assign_ofports(&bridge.name, &claims, &mut running.next_ofport);
            running.ofports = numbers.into_iter().map(|(n, p)| (n.to_owned(), p)).collect();
        }
    }

    fn start_engine(&mut self, desired: &Desired) {
        match self.make_engine(&desired.switch) {
            Ok(engine) => {
                count_drops(&engine);
                self.engine = Some(engine);
                self.engine_error = None;
            }
            Err(text) => {
                if self.engine_error.as_ref() != Some(&text) {
                    log::error!(target: "dpdk", "{text}");
                }
                self.engine_error = Some(text);
            }
        }
    }

    fn make_engine(&self, switch: &desired::OpenVSwitch) -> Result<Arc<Engine>, String> {
        let plain = match eal::start(switch) {
            Ok(eal) => matches!(eal.memory(), weir_dpdk::Memory::Plain { .. }),
            Err(e) => return Err(format!("DPDK's environment does not start: {e}")),
        };
        let mut config = EngineConfig::new(Arc::new(EngineClock(self.clock.clone())));
        config.pmd_cores = pmd_cores(switch);
        config.flow_limit = switch.flow_limit;
        config.mbufs = plain.then_some(PLAIN_MBUFS);
        config.vlan_limit = vlan_limit(switch);
        config.vhost_sock_dir = vhost_sock_dir(&switch.vhost_sock_dir);
        let slow_path: Arc<dyn SlowPath> = self.switch.clone();
        Engine::new(&config, slow_path).map_err(|e| e.to_string())
    }

    fn bridge_config(&self, bridge: &desired::Bridge, wants: &Wants) -> of::BridgeConfig {
        let mut config = of::BridgeConfig::new(&bridge.name);
        let Some(running) = self.bridges.get(&bridge.name) else { return config };
        config.datapath_id = running.datapath_id;
        config.mac = running.mac;
        config.fail_mode = bridge.fail_mode;
        config.protocols = bridge.protocols.clone();
        config.forward_bpdu = bridge.forward_bpdu;
        config.mac_learning = of::MacLearningConfig {
            aging_secs: bridge.mac_aging_s,
            table_size: bridge.mac_table_size,
            flood_vlans: bridge.flood_vlans.iter().copied().collect(),
        };
        if let Some(text) = &bridge.dp_desc {
            config.description.dp_desc.clone_from(text);
        }
        if let Some(text) = &bridge.dp_sn {
            config.description.serial_num.clone_from(text);
        }
        for port in &bridge.ports {
            let mut members = Vec::new();
            for iface in &port.interfaces {
                if let Some(port) = self.port_config(iface, running, wants) {
                    members.push(port.ofport);
                    config.ports.push(port);
                }
            }
            if !members.is_empty() {
                config.bundles.push(of::BundleConfig {
                    name: port.name.clone(),
                    members,
                    vlan: port.vlan.clone(),
                    protected: port.protected,
                });
            }
        }
        config
    }

    fn port_config(
        &self,
        iface: &desired::Interface,
        bridge: &RunningBridge,
        wants: &Wants,
    ) -> Option<of::PortConfig> {
        let ofport = *bridge.ofports.get(&iface.name)?;
        let (behind, status) = match self.ports.get(&iface.name) {
            Some(port) => {
                let status = self.engine.as_ref()?.port_status(port.no)?;
                (of::Behind::Datapath(port.no), Some(status))
            }
            None if wants.patches.contains(&iface.name) => {
                (of::Behind::Patch { peer: iface.options.get("peer")?.clone() }, None)
            }
            None => return None,
        };
        let local = ofport == OfPort::LOCAL;
        let kind = if local { "internal" } else { iface.kind.as_str() };
        Some(of::PortConfig {
            name: iface.name.clone(),
            ofport,
            kind: shown_kind(device_kind(kind, bridge.dummy, self.options.dummy)).to_owned(),
            behind,
            mac: status.as_ref().map_or_else(|| bridge.mac, |s| s.mac),
            link_up: status.as_ref().is_none_or(|s| s.link.up),
            admin_up: status.as_ref().is_none_or(|s| s.admin_up),
            features: features(status.as_ref().and_then(|s| s.link.speed_mbps)),
            mtu: status.as_ref().map_or(0, |s| s.mtu.into()),
        })
    }

    /// Looks at the links again and tells the OpenFlow side and the database.
    pub fn refresh_links(&mut self) {
        self.must_report = true;
        self.next_link_check = self.clock.now();
    }

    fn report(&mut self, now: Msec) {
        self.must_report = false;
        let Some(desired) = self.desired.take() else { return };
        if self.engine.is_some() {
            let wants = wants(&desired, self.options.dummy);
            let configs: Vec<of::BridgeConfig> =
                desired.bridges.iter().map(|b| self.bridge_config(b, &wants)).collect();
            self.switch.apply(&configs, self.now_ms());
        }
        let mut txn = Transaction::new();
        if let Some(replica) = self.database.replica() {
            self.fill_report(replica, &mut txn, &desired);
            if now >= self.next_statistics {
                self.next_statistics = now + desired.switch.stats_interval_ms as Msec;
                self.fill_statistics(replica, &mut txn, &desired);
            }
        }
        self.desired = Some(desired);
        if let Ok(id) = self.database.commit(&txn) {
            self.reporting = Some(id);
        }
    }

    fn fill_report(&self, replica: &Replica, txn: &mut Transaction, desired: &Desired) {
        let dpdk_wanted =
            matches!(desired.switch.dpdk.get("init").map(String::as_str), Some("true" | "try"));
        let switch = SwitchReport {
            uuid: desired.switch.uuid,
            cur_cfg: desired.switch.next_cfg,
            datapath_types: datapath_types(self.options.dummy),
            iface_types: interface_types(self.options.dummy),
            dpdk_initialized: dpdk_wanted && self.engine.is_some(),
            dpdk_version: weir_dpdk::version(),
            ovs_version: weir_runtime::version::OVS_VERSION.to_owned(),
        };
        report::switch(replica, txn, &switch);
        for controller in self.openflow.reports() {
            report::controller(replica, txn, &controller);
        }
        for bridge in &desired.bridges {
            let Some(running) = self.bridges.get(&bridge.name) else { continue };
            let datapath_id = running.datapath_id;
            report::bridge(replica, txn, &BridgeReport { uuid: bridge.uuid, datapath_id });
            for iface in bridge.ports.iter().flat_map(|p| &p.interfaces) {
                let ofport = running.ofports.get(&iface.name).copied();
                let error = self.ports.error(&iface.name).map(str::to_owned);
                let error = error.or_else(|| self.engine_error.clone());
                let device = self.device_report(&iface.name, running);
                let uuid = iface.uuid;
                report::interface(replica, txn, &InterfaceReport { uuid, ofport, error, device });
            }
        }
    }

    fn device_report(&self, name: &str, bridge: &RunningBridge) -> Option<DeviceReport> {
        let Some(port) = self.ports.get(name) else {
            // A patch port is a device of the imagination: always there, always up.
            let patch = bridge.ofports.contains_key(name);
            let link = Link { up: true, ..Link::default() };
            let mac = bridge.mac;
            return patch.then(|| DeviceReport {
                mac,
                admin_up: true,
                link,
                ..DeviceReport::default()
            });
        };
        let status = self.engine.as_ref()?.port_status(port.no)?;
        Some(DeviceReport {
            mac: status.mac,
            mtu: Some(status.mtu),
            admin_up: status.admin_up,
            link: status.link,
            link_resets: 0,
            ifindex: 0,
            status: status.status,
        })
    }

    fn fill_statistics(&self, replica: &Replica, txn: &mut Transaction, desired: &Desired) {
        let Some(engine) = &self.engine else { return };
        for iface in desired.bridges.iter().flat_map(|b| &b.ports).flat_map(|p| &p.interfaces) {
            let Some(port) = self.ports.get(&iface.name) else { continue };
            if let Some(stats) = engine.port_stats(port.no) {
                report::statistics(replica, txn, iface.uuid, &stats);
            }
        }
    }

    /// Counts for `memory/show`.
    #[must_use]
    pub fn memory_usage(&self) -> weir_runtime::memory::Usage {
        crate::commands::usage(self)
    }

    /// The engine as the OpenFlow side knows it.
    #[must_use]
    pub fn datapath(&self) -> Option<Arc<dyn Datapath>> {
        self.engine.clone().map(|e| e as Arc<dyn Datapath>)
    }

    /// `netdev`, or `dummy`.
    #[must_use]
    pub fn dp_type(&self) -> &'static str {
        if self.is_dummy() { "dummy" } else { "netdev" }
    }

    /// `netdev@ovs-netdev`, or `dummy@ovs-dummy`.
    #[must_use]
    pub fn dp_name(&self) -> String {
        format!("{0}@ovs-{0}", self.dp_type())
    }

    /// The time of day with milliseconds, UTC.
    #[must_use]
    pub fn wall_time_text(&self) -> String {
        let ms = self.clock.wall();
        let (s, ms) = (ms.div_euclid(1_000), ms.rem_euclid(1_000));
        format!("{:02}:{:02}:{:02}.{ms:03}", s / 3_600 % 24, s / 60 % 60, s % 60)
    }

    /// Is this a switch of dummies, whose datapath is called `ovs-dummy`?
    #[must_use]
    pub fn is_dummy(&self) -> bool {
        self.bridges.values().any(|b| b.dummy) && self.options.dummy != Dummy::Off
    }
}

/// Makes `coverage/show` count the packets dropped for each reason.
fn count_drops(engine: &Arc<Engine>) {
    for reason in DropReason::ALL {
        let engine = Arc::downgrade(engine);
        coverage::add_reader(reason.counter(), move || {
            let drops = engine.upgrade().map(|e| e.drops()).unwrap_or_default();
            drops.iter().find(|(r, _)| r == reason).map_or(0, |(_, n)| *n)
        });
    }
}

/// OpenFlow's bit for a copper link of this speed.
fn features(speed_mbps: Option<u32>) -> of::PortFeatures {
    let bit = match speed_mbps {
        Some(10) => 1 << 1,
        Some(100) => 1 << 3,
        Some(1_000) => 1 << 5,
        Some(10_000) => 1 << 6,
        Some(40_000) => 1 << 7,
        Some(100_000) => 1 << 8,
        _ => 0,
    };
    let kbps = speed_mbps.unwrap_or(0).saturating_mul(1_000);
    of::PortFeatures { current: bit, curr_speed: kbps, max_speed: kbps, ..Default::default() }
}

/// Where the sockets of `dpdkvhostuser` ports are: in the run directory, or a directory of it.
fn vhost_sock_dir(below: &str) -> String {
    let rundir = weir_runtime::dirs::rundir();
    let below = std::path::Path::new(below);
    let inside = below.components().all(|c| matches!(c, std::path::Component::Normal(_)));
    let directory = rundir.join(if inside { below } else { "".as_ref() });
    if inside && directory.is_dir() {
        return directory.display().to_string();
    }
    let (rundir, below) = (rundir.display(), below.display());
    log::error!(target: "dpdk", "vhost-user sock directory '{rundir}/{below}' does not exist.");
    rundir.to_string()
}

fn pmd_cores(switch: &desired::OpenVSwitch) -> Vec<u32> {
    switch.pmd_cpus.iter().flatten().copied().collect()
}

/// Tags that are parsed: two at most, and none of the limits means all.
fn vlan_limit(switch: &desired::OpenVSwitch) -> usize {
    match switch.vlan_limit {
        0 => weir_flow::flow::MAX_VLANS,
        n => n as usize,
    }
}

/// Hands the engine its settings.
fn tune(engine: &Engine, switch: &desired::OpenVSwitch) {
    engine.tune(&Tuning {
        emc_insert_inv_prob: switch.emc_insert_inv_prob,
        sleep_max_us: switch.pmd_sleep.default_us,
        sleep_max_us_of: switch.pmd_sleep.cores.clone(),
        rxq_assign: match switch.rxq_assign {
            RxqAssign::Cycles => Algorithm::Cycles,
            RxqAssign::RoundRobin => Algorithm::RoundRobin,
            RxqAssign::Group => Algorithm::Group,
        },
        rxq_isolate: switch.rxq_isolate,
    });
    engine.set_flow_limit(switch.flow_limit);
    engine.set_vlan_limit(vlan_limit(switch));
    if let Err(e) = engine.set_pmd_cores(&pmd_cores(switch)) {
        log::error!(target: "dpif_netdev", "{e}");
    }
}
