//! The revalidator thread: passes over all megaflows, at least every `max-revalidator`
//! milliseconds, and at once when the tables changed. Packets go on meanwhile.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use weir_flow::Datapath;
use weir_ofproto::Switch;
use weir_ofproto::revalidate::{Limits, Revalidator as Passes, Summary};
use weir_runtime::clock::{Clock, Msec};
use weir_runtime::reactor::{PollLoop, Reactor};
use weir_runtime::unixctl::{Outcome, Reply};

/// Named as OVS names its revalidators: tools that pin threads look for it.
const THREAD_NAME: &str = "revalidator7";

enum Order {
    Configure(Arc<dyn Datapath>, Limits, Msec),
    /// Answers when a pass that begins after now is done.
    Wait(Reply),
    /// Answers when all megaflows are gone and credited.
    Purge(Reply),
    Pause(bool),
    Exit,
}

/// The thread, seen from others.
#[derive(Debug)]
pub struct Revalidator {
    orders: Sender<Order>,
    reactor: Reactor,
    summary: Arc<Mutex<Summary>>,
    thread: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for Order {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Configure(..) => "Configure",
            Self::Wait(_) => "Wait",
            Self::Purge(_) => "Purge",
            Self::Pause(_) => "Pause",
            Self::Exit => "Exit",
        })
    }
}

fn lock(summary: &Mutex<Summary>) -> MutexGuard<'_, Summary> {
    summary.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Revalidator {
    /// Starts the thread; it has nothing to do until it is configured.
    ///
    /// # Errors
    /// The system has no thread or descriptor left.
    pub fn start(switch: Arc<Switch>, clock: Clock) -> io::Result<Self> {
        let poll = PollLoop::new(clock)?;
        let reactor = poll.reactor().clone();
        let (orders, inbox) = channel();
        let summary = Arc::new(Mutex::new(Summary::default()));
        let worker = Worker {
            switch,
            poll,
            inbox,
            summary: Arc::clone(&summary),
            passes: Passes::new(),
            datapath: None,
            limits: Limits::default(),
            interval: 500,
            paused: false,
            generation: None,
        };
        let thread =
            std::thread::Builder::new().name(THREAD_NAME.to_owned()).spawn(move || worker.run())?;
        Ok(Self { orders, reactor, summary, thread: Some(thread) })
    }

    fn order(&self, order: Order) {
        // The thread ends only when this value is dropped.
        let _ = self.orders.send(order);
        self.reactor.wake();
    }

    /// Sets what is looked at, the limits, and the longest wait between passes in milliseconds.
    pub fn configure(&self, datapath: Arc<dyn Datapath>, limits: Limits, interval: Msec) {
        self.order(Order::Configure(datapath, limits, interval));
    }

    /// `revalidator/wait`
    pub fn wait(&self, reply: Reply) {
        self.order(Order::Wait(reply));
    }

    /// `revalidator/purge`: removes all megaflows, and answers when their packets are credited.
    pub fn purge(&self, reply: Reply) {
        self.order(Order::Purge(reply));
    }

    /// `revalidator/pause`, `revalidator/resume`
    pub fn pause(&self, on: bool) {
        self.order(Order::Pause(on));
    }

    /// The handle that makes the thread look whether the tables changed.
    #[must_use]
    pub fn waker(&self) -> Reactor {
        self.reactor.clone()
    }

    /// What the passes found.
    #[must_use]
    pub fn summary(&self) -> Summary {
        *lock(&self.summary)
    }
}

impl Drop for Revalidator {
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
    summary: Arc<Mutex<Summary>>,
    passes: Passes,
    datapath: Option<Arc<dyn Datapath>>,
    limits: Limits,
    interval: Msec,
    paused: bool,
    /// The tables' state at the last pass.
    generation: Option<u64>,
}

impl Worker {
    fn run(mut self) {
        let mut due = self.poll.clock().now();
        loop {
            let mut waiting = Vec::new();
            while let Ok(order) = self.inbox.try_recv() {
                match order {
                    Order::Configure(datapath, limits, interval) => {
                        self.datapath = Some(datapath);
                        self.limits = limits;
                        self.interval = interval;
                    }
                    Order::Wait(reply) => waiting.push(reply),
                    Order::Purge(reply) => {
                        if let Some(datapath) = &self.datapath {
                            self.passes.purge(&**datapath);
                        }
                        reply.send(Outcome::empty());
                    }
                    Order::Pause(on) => self.paused = on,
                    Order::Exit => return,
                }
            }
            let now = self.poll.clock().now();
            let stale = self.generation != Some(self.switch.generation());
            if !waiting.is_empty() || (!self.paused && (stale || now >= due)) {
                self.pass(now);
                due = now + self.interval;
            }
            for reply in waiting {
                reply.send(Outcome::empty());
            }
            if let Err(error) = self.poll.poll(Some(due)) {
                log::error!(target: "ofproto_dpif_upcall", "the revalidator's loop failed: {error}");
                return;
            }
        }
    }

    fn pass(&mut self, now: Msec) {
        let Some(datapath) = &self.datapath else { return };
        self.generation = Some(self.switch.generation());
        let started = Instant::now();
        let now_ms = u64::try_from(now).unwrap_or(0).max(1);
        self.passes.pass(&self.switch, &**datapath, &self.limits, now_ms);
        let took = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.passes.took(took, &self.limits);
        *lock(&self.summary) = self.passes.summary();
        weir_rcu::collect();
    }
}
