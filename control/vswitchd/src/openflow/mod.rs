//! The OpenFlow thread: sockets of all bridges (`BRIDGE.mgmt`, `BRIDGE.snoop`, controllers) around
//! the connections of [`weir_ofproto`]. It has a loop of its own, so that neither a slow controller
//! nor a large dump keeps the database or the ports waiting.
//!
//! | file | is |
//! | --- | --- |
//! | `bridge.rs` | the sockets of one bridge |
//! | `controller.rs` | one configured controller: reconnection, probes, status |
//! | `link.rs` | a stream and the connection it carries |

mod bridge;
mod controller;
mod link;

use std::collections::BTreeMap;
use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use weir_flow::Datapath;
use weir_ofproto::Switch;
use weir_ofproto::config::FailMode;
use weir_openflow::OfVersion;
use weir_ovsdb::Uuid;
use weir_runtime::clock::{Clock, Msec, earlier};
use weir_runtime::reactor::{PollLoop, Reactor};

use crate::desired::Controller;
use crate::report::ControllerReport;
use bridge::BridgeSockets;

/// What the OpenFlow thread is told of a bridge.
#[derive(Clone, Debug, PartialEq)]
pub struct BridgeSettings {
    /// Its name.
    pub name: String,
    /// Versions that may be negotiated.
    pub versions: Vec<OfVersion>,
    /// Its controllers.
    pub controllers: Vec<Controller>,
    /// Not yet: do without them, though they are configured.
    pub wait: bool,
    /// What to do without them.
    pub fail_mode: FailMode,
}

enum Order {
    /// Drops the last member when it is done.
    Configure(Vec<BridgeSettings>, Arc<dyn Datapath>, Sender<()>),
    Reconnect(Option<String>),
    Exit,
}

/// State of the controllers, by their rows.
type Reports = Arc<Mutex<BTreeMap<Uuid, ControllerReport>>>;

/// Whom the thread wakes.
#[derive(Clone, Debug)]
pub struct Wakers {
    /// The main loop, when a controller's state changed.
    pub main: Reactor,
    /// The revalidator, when the tables changed.
    pub revalidator: Reactor,
}

/// The thread, seen from the main loop.
#[derive(Debug)]
pub struct OpenFlow {
    orders: Sender<Order>,
    reactor: Reactor,
    reports: Reports,
    thread: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for Order {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Configure(..) => "Configure",
            Self::Reconnect(_) => "Reconnect",
            Self::Exit => "Exit",
        })
    }
}

impl OpenFlow {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system has no thread or descriptor left.
    pub fn start(switch: Arc<Switch>, clock: Clock, wakers: Wakers) -> io::Result<Self> {
        let poll = PollLoop::new(clock)?;
        let reactor = poll.reactor().clone();
        let (orders, inbox) = channel();
        let reports = Reports::default();
        let waker = reactor.clone();
        switch.set_waker(Box::new(move || waker.wake()));
        let worker = Worker {
            switch,
            poll,
            inbox,
            reports: Arc::clone(&reports),
            wakers,
            generation: 0,
            bridges: BTreeMap::new(),
            datapath: None,
        };
        let thread =
            std::thread::Builder::new().name("openflow".to_owned()).spawn(move || worker.run())?;
        Ok(Self { orders, reactor, reports, thread: Some(thread) })
    }

    fn order(&self, order: Order) {
        // The thread ends only when this value is dropped.
        let _ = self.orders.send(order);
        self.reactor.wake();
    }

    /// Makes the thread serve exactly these bridges, and waits until it does: whoever is told that
    /// a bridge exists may open its socket at once.
    pub fn configure(&self, bridges: Vec<BridgeSettings>, datapath: Arc<dyn Datapath>) {
        let (doing, done) = channel();
        self.order(Order::Configure(bridges, datapath, doing));
        // Fails when the sender is gone, which is what is waited for.
        let _ = done.recv();
    }

    /// Drops the connections to the controllers of one bridge, or of all (`bridge/reconnect`).
    pub fn reconnect(&self, bridge: Option<&str>) {
        self.order(Order::Reconnect(bridge.map(str::to_owned)));
    }

    /// State of the controllers.
    #[must_use]
    pub fn reports(&self) -> Vec<ControllerReport> {
        let reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        reports.values().cloned().collect()
    }
}

impl Drop for OpenFlow {
    fn drop(&mut self) {
        self.order(Order::Exit);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Worker {
    switch: Arc<Switch>,
    poll: PollLoop,
    inbox: Receiver<Order>,
    reports: Reports,
    wakers: Wakers,
    /// The tables' state when the revalidator was last woken.
    generation: u64,
    bridges: BTreeMap<String, BridgeSockets>,
    datapath: Option<Arc<dyn Datapath>>,
}

impl Worker {
    fn run(mut self) {
        loop {
            let now = self.poll.clock().now();
            while let Ok(order) = self.inbox.try_recv() {
                match order {
                    Order::Configure(list, datapath, doing) => {
                        self.datapath = Some(datapath);
                        self.configure(list, now);
                        drop(doing);
                    }
                    Order::Reconnect(name) => {
                        let chosen = |b: &str| name.as_deref().is_none_or(|n| n == b);
                        for (_, b) in self.bridges.iter_mut().filter(|(n, _)| chosen(n)) {
                            b.reconnect(now);
                        }
                    }
                    Order::Exit => return,
                }
            }
            let due = self.serve(now);
            self.report(now);
            if let Err(error) = self.poll.poll(due) {
                log::error!(target: "connmgr", "the OpenFlow loop failed: {error}");
                return;
            }
        }
    }

    fn configure(&mut self, list: Vec<BridgeSettings>, now: Msec) {
        self.bridges.retain(|name, _| list.iter().any(|s| s.name == *name));
        for settings in list {
            let Some(bridge) = self.switch.bridge(&settings.name) else { continue };
            let reactor = self.poll.reactor();
            // A bridge that was removed and made again is another bridge.
            if self.bridges.get(&settings.name).is_some_and(|b| b.bridge_id() != bridge.id) {
                self.bridges.remove(&settings.name);
            }
            self.bridges
                .entry(settings.name.clone())
                .or_insert_with(|| BridgeSockets::open(&settings.name, bridge, reactor))
                .configure(&self.switch, settings, now);
        }
    }

    /// Lets every bridge do what it can, and says when to come back.
    fn serve(&mut self, now: Msec) -> Option<Msec> {
        let datapath = self.datapath.clone()?;
        self.switch.deliver_packet_ins();
        let mut due = None;
        for sockets in self.bridges.values_mut() {
            if sockets.receive(now) {
                // What is asked may be the ports' counters.
                sockets.refresh_counters(&*datapath);
            }
            if sockets.run(&self.switch, &*datapath, now) {
                due = Some(now);
            }
            sockets.transmit(now);
            due = earlier(due, sockets.poll_at(now));
        }
        let generation = self.switch.generation();
        if std::mem::replace(&mut self.generation, generation) != generation {
            self.wakers.revalidator.wake();
        }
        due
    }

    fn report(&self, now: Msec) {
        let all = self.bridges.values().flat_map(|b| b.reports(now));
        let new: BTreeMap<Uuid, ControllerReport> = all.map(|r| (r.uuid, r)).collect();
        let mut reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        let states = |m: &BTreeMap<Uuid, ControllerReport>| {
            m.iter().map(|(u, r)| (*u, r.connected, r.role)).collect::<Vec<_>>()
        };
        let changed = states(&reports) != states(&new);
        *reports = new;
        drop(reports);
        if changed {
            self.wakers.main.wake();
        }
    }
}
