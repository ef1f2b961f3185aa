//! [`Switchd`]: the running switch and what drives it. The database says what should be
//! ([`crate::desired`]); the differences are applied to the packet engine ([`crate::ports`]) and to
//! the OpenFlow side; what came of it is reported back ([`crate::report`]).
//!
//! | file | is |
//! | --- | --- |
//! | `apply.rs` | making the switch what the database asks for |
//! | `engine.rs` | starting the packet engine and handing it its settings |
//! | `report.rs` | telling the database what came of it |

mod apply;
mod engine;
mod report;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::Arc;

use weir_engine::Engine;
use weir_flow::Datapath;
use weir_ofproto::Switch;
use weir_openflow::OfPort;
use weir_ovsdb::replica::{Event, Outcome, TxnId};
use weir_runtime::clock::{Clock, Msec, earlier};
use weir_runtime::reactor::Reactor;

use crate::database::Database;
use crate::desired::Desired;
use crate::links::Links;
use crate::openflow::{BridgeSettings, OpenFlow, Wakers};
use crate::options::{Dummy, Options};
use crate::perf::Perf;
use crate::plan::Wants;
use crate::ports::Ports;
use crate::revalidator::Revalidator;

/// How often links are looked at, in milliseconds.
const LINK_INTERVAL: Msec = 1_000;
/// How often the tables are looked after, in milliseconds.
const HOUSEKEEPING_INTERVAL: Msec = 1_000;

/// What is remembered of a bridge between configurations.
#[derive(Clone, Debug)]
pub struct RunningBridge {
    /// The address it has while no port has one to give.
    fallback_mac: [u8; 6],
    /// Its address.
    pub mac: [u8; 6],
    /// Where the search for a free OpenFlow number goes on.
    next_ofport: u16,
    /// OpenFlow numbers, by interface.
    pub ofports: BTreeMap<String, OfPort>,
    /// Addresses of its patch ports, drawn when they were made.
    pub patch_macs: BTreeMap<String, [u8; 6]>,
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
    /// The database was read and applied at least once.
    configured: bool,
    settled: bool,
    /// A device came or went that a port needs.
    must_try_ports: bool,
    next_port_try: Msec,
    next_link_check: Msec,
    next_statistics: Msec,
    next_system_statistics: Msec,
    next_housekeeping: Msec,
    said_locked_out: bool,
    /// Counters of the PMD threads since they were cleared.
    pub perf: Perf,
    /// Are flows being restored since the start (`other_config:flow-restore-wait`)? `None` until the
    /// database was read.
    restoring: Option<bool>,
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
            configured: false,
            settled: false,
            must_try_ports: false,
            next_port_try: now,
            next_link_check: now,
            next_statistics: now,
            next_system_statistics: now,
            next_housekeeping: now,
            said_locked_out: false,
            perf: Perf::default(),
            restoring: None,
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
                    self.settled = true;
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
        self.settled |= self.configured && self.reporting.is_none();
    }

    /// When [`Switchd::run`] has something to do though nothing arrived.
    #[must_use]
    pub fn poll_at(&self, now: Msec) -> Option<Msec> {
        let own = self.next_housekeeping.min(self.next_link_check);
        earlier(self.database.poll_at(now), Some(own))
    }

    /// Was the first configuration applied, and what came of it written back? Only then a start
    /// script may go on: it expects the bridges to be there.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.settled
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

    /// Looks at the links again and tells the OpenFlow side and the database.
    pub fn refresh_links(&mut self) {
        self.must_report = true;
        self.next_link_check = self.clock.now();
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

    /// Is this what the datapath is called, with or without its type?
    #[must_use]
    pub fn is_datapath(&self, name: &str) -> bool {
        let full = self.dp_name();
        name == full || full.split_once('@').is_some_and(|(_, short)| name == short)
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
