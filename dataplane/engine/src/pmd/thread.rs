//! The loop of a PMD thread: poll, forward, flush; change between bursts what it was told to change;
//! rest when there is little to do.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{JoinHandle, Thread};
use std::time::{Duration, Instant};

use crossbeam::channel::{Receiver, Sender, bounded};
use crossbeam::queue::SegQueue;
use weir_dpdk::{Batch, ThreadRegistration, rdtsc, tsc_hz};
use weir_flow::PortNo;
use weir_rcu::Guard;

use crate::exec::run::Moment;
use crate::pmd::fairness::{DEFAULT_SHARE, Fairness, Misses};
use crate::pmd::history::INTERVAL_MS;
use crate::pmd::latency::Stage;
use crate::pmd::load::{LoadMeter, PmdLoad};
use crate::pmd::perf::meter::PerfMeter;
use crate::pmd::perf::watch::Desk;
use crate::pmd::perf::{PerfLog, PerfShared};
use crate::pmd::rest::Rest;
use crate::pmd::rxq::PolledQueue;
use crate::port::rx::Pace;
use crate::time::TimeSource;
use crate::worker::{Common, Worker, WorkerCommand, WorkerShared};

/// Packets of a burst that say a queue is busy.
const BUSY_BURST: usize = weir_dpdk::MAX_BURST / 2;
/// Longest that an idle kernel queue is left alone while others are busy.
const KERNEL_REST_US: u64 = 50;
/// Longest rest of a thread all of whose queues can wake it.
const LONG_REST: Duration = Duration::from_millis(50);
/// Idle iterations before a thread with only kernel queues rests.
const IDLE_BEFORE_REST: u32 = 64;
/// Commands taken between two iterations.
const COMMANDS_AT_ONCE: usize = 16;

/// What a PMD thread can be told.
#[derive(Debug)]
pub(crate) enum PmdCommand {
    Worker(WorkerCommand),
    AttachRx(Box<PolledQueue>),
    /// Gives a queue back, if the thread has it.
    DetachRx(PortNo, u16, Sender<Option<PolledQueue>>),
    UseEmc(PortNo, bool),
    /// Longest sleep in microseconds; 0 never to sleep while there are queues to poll.
    SleepMax(u64),
    /// One burst in how many is timed; 0 for none.
    LatencySampling(u32),
    /// Percent of its time that the misses of one port may take while others wait.
    MissShare(u32),
    /// Microseconds that packets wait for others to leave with them.
    TxFlushInterval(u32),
    /// `other_config:pmd-perf-metrics`.
    PerfMetrics(bool),
    /// What is suspicious, and where reports of it go.
    PerfLog(PerfLog, Arc<Desk>),
    Stop,
}

/// What other threads share with a PMD thread.
#[derive(Debug)]
pub(crate) struct PmdShared {
    pub(crate) core: u32,
    pub(crate) worker: Arc<WorkerShared>,
    pub(crate) load: PmdLoad,
    pub(crate) perf: Arc<PerfShared>,
    commands: SegQueue<PmdCommand>,
    pending: AtomicBool,
    rest: Rest,
}

/// Where a PMD thread runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) core: u32,
    /// The core's NUMA node.
    pub(crate) numa: i32,
    /// Whether the thread is to stay on that core.
    pub(crate) pinned: bool,
}

/// A PMD thread.
#[derive(Debug)]
pub(crate) struct Pmd {
    pub(crate) shared: Arc<PmdShared>,
    pub(crate) numa: i32,
    pub(crate) thread_id: u32,
    pub(crate) started: Instant,
    thread: Thread,
    join: Mutex<Option<JoinHandle<()>>>,
}

impl Pmd {
    /// Starts a thread.
    ///
    /// # Errors
    /// The operating system's.
    pub(crate) fn start(
        place: Place,
        thread_id: u32,
        common: &Common,
        time: &Arc<dyn TimeSource>,
    ) -> std::io::Result<Self> {
        let Place { core, numa, pinned } = place;
        let shared = Arc::new(PmdShared {
            core,
            worker: WorkerShared::new(),
            load: PmdLoad::default(),
            perf: Arc::new(PerfShared::new()),
            commands: SegQueue::new(),
            pending: AtomicBool::new(false),
            rest: Rest::new()?,
        });
        let worker = Worker::new(common, Arc::clone(&shared.worker));
        let (mine, time) = (Arc::clone(&shared), Arc::clone(time));
        let join = std::thread::Builder::new()
            .name(format!("pmd-c{core:02}/id:{thread_id}"))
            .spawn(move || Loop::new(mine, worker, time).run(pinned))?;
        let thread = join.thread().clone();
        Ok(Self {
            shared,
            numa,
            thread_id,
            started: Instant::now(),
            thread,
            join: Mutex::new(Some(join)),
        })
    }

    pub(crate) fn send(&self, command: PmdCommand) {
        self.shared.commands.push(command);
        self.shared.pending.store(true, Ordering::Release);
        self.wake();
    }

    /// Ends a rest.
    pub(crate) fn wake(&self) {
        self.shared.rest.wake();
        self.thread.unpark();
    }

    /// Ends the thread, whose queues must have been detached, and waits for its end. Its megaflows
    /// are retired then.
    pub(crate) fn stop(&self) {
        self.send(PmdCommand::Stop);
        let join = self.join.lock().unwrap_or_else(PoisonError::into_inner).take();
        if join.is_some_and(|thread| thread.join().is_err()) {
            log::error!(target: "dpif_netdev", "PMD thread on core {} panicked", self.shared.core);
        }
    }

    /// Tells it, and answers a way to wait until all it was told is done.
    pub(crate) fn sync(&self) -> Receiver<()> {
        let (done, wait) = bounded(1);
        self.send(PmdCommand::Worker(WorkerCommand::Sync(done)));
        wait
    }

    /// Asks for a queue back, and answers where it will come if the thread has it.
    pub(crate) fn ask_for_rx(&self, port: PortNo, queue: u16) -> Receiver<Option<PolledQueue>> {
        let (reply, wait) = bounded(1);
        self.send(PmdCommand::DetachRx(port, queue, reply));
        wait
    }
}

impl Drop for Pmd {
    fn drop(&mut self) {
        self.stop();
    }
}

struct Loop {
    shared: Arc<PmdShared>,
    worker: Worker,
    time: Arc<dyn TimeSource>,
    queues: Vec<PolledQueue>,
    /// The fastest pace any queue needs.
    pace: Pace,
    sleep_max_us: u64,
    sleep_us: u64,
    idle: u32,
    stop: bool,
    now_ms: u64,
    /// TSC of the last look at the clock, and how many cycles that look is good for.
    clock_at: u64,
    clock_good_for: u64,
    maintain_at_ms: u64,
    roll_at_ms: u64,
    load: LoadMeter,
    iteration: Iteration,
    perf: PerfMeter,
    /// Bursts until one is timed; while none is to be, this only goes round.
    sample_in: u32,
    fairness: Fairness,
    /// TSC cycles that packets wait for others to leave with them; 0 for those of their burst only.
    tx_wait: u64,
}

/// The iteration under way.
#[derive(Debug)]
struct Iteration {
    /// TSC of its start.
    since: u64,
    /// Whether it goes on; not while the thread sleeps.
    open: bool,
    /// Whether there were packets.
    busy: bool,
    /// TSC cycles spent on queues' packets.
    of_queues: u64,
}

impl Loop {
    fn new(shared: Arc<PmdShared>, worker: Worker, time: Arc<dyn TimeSource>) -> Self {
        let (now_ms, now) = (time.now_ms(), rdtsc());
        let perf = PerfMeter::new(Arc::clone(&shared.perf), shared.core);
        Self {
            perf,
            sample_in: 0,
            fairness: Fairness::new(DEFAULT_SHARE),
            tx_wait: 0,
            shared,
            worker,
            time,
            queues: Vec::new(),
            pace: Pace::Woken,
            sleep_max_us: 0,
            sleep_us: 0,
            idle: 0,
            stop: false,
            now_ms,
            clock_at: now,
            clock_good_for: tsc_hz() / 20_000,
            maintain_at_ms: now_ms + 1000,
            roll_at_ms: now_ms + INTERVAL_MS,
            load: LoadMeter::new(now),
            iteration: Iteration { since: now, open: false, busy: false, of_queues: 0 },
        }
    }

    fn run(mut self, pinned: bool) {
        let _registration = ThreadRegistration::new()
            .inspect_err(|error| log::warn!(target: "dpdk", "{error}"))
            .ok();
        if pinned && !weir_dpdk::lcore::set_affinity(&[self.shared.core as usize]) {
            log::warn!(target: "dpif_netdev", "cannot pin PMD thread to core {}", self.shared.core);
        }
        // Sleeps of microseconds are to be that.
        let _ = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1));
        let mut guard = weir_rcu::pin();
        while !self.stop {
            guard.quiesce();
            if self.shared.pending.load(Ordering::Relaxed) {
                self.take_commands();
            }
            let packets = self.iterate(&guard);
            self.rest(packets, &mut guard);
        }
        self.worker.apply(WorkerCommand::Flush);
    }

    fn take_commands(&mut self) {
        self.shared.pending.store(false, Ordering::SeqCst);
        for _ in 0..COMMANDS_AT_ONCE {
            match self.shared.commands.pop() {
                Some(command) => self.command(command),
                None => return,
            }
        }
        self.shared.pending.store(true, Ordering::Release);
    }

    fn command(&mut self, command: PmdCommand) {
        match command {
            PmdCommand::Worker(command) => self.worker.apply(command),
            PmdCommand::AttachRx(queue) => self.queues.push(*queue),
            PmdCommand::DetachRx(port, queue, reply) => {
                // The next thread may send at once.
                self.worker.flush();
                let mine = self.queues.iter().position(|q| q.port == port && q.queue == queue);
                // The other side may have given up waiting; the queue then ends here.
                let _ = reply.try_send(mine.map(|index| self.queues.remove(index)));
            }
            PmdCommand::UseEmc(port, on) => {
                for queue in self.queues.iter_mut().filter(|q| q.port == port) {
                    queue.use_emc = on;
                }
            }
            PmdCommand::SleepMax(us) => self.sleep_max_us = us,
            PmdCommand::LatencySampling(one_in) => {
                self.worker.shared.latency.set_sampling(one_in);
                self.sample_in = one_in.min(1);
            }
            PmdCommand::TxFlushInterval(us) => {
                self.worker.flush();
                self.tx_wait = (u128::from(us) * u128::from(tsc_hz()) / 1_000_000) as u64;
            }
            PmdCommand::MissShare(share) => self.fairness = Fairness::new(share),
            PmdCommand::PerfMetrics(on) => self.perf.set(on, &self.worker.shared.counters),
            PmdCommand::PerfLog(settings, desk) => self.perf.watch.set(settings, desk),
            PmdCommand::Stop => self.stop = true,
        }
        self.pace = self.queues.iter().map(|q| q.rx.pace()).max().unwrap_or(Pace::Woken);
        self.idle = 0;
        let ports: Vec<PortNo> = self.queues.iter().map(|queue| queue.port).collect();
        for queue in &mut self.queues {
            queue.bucket.share_with(ports.iter().filter(|port| **port == queue.port).count());
        }
    }

    /// Polls every queue once; answers how many packets there were, and in the largest burst.
    fn iterate(&mut self, guard: &Guard) -> Polled {
        let start = rdtsc();
        self.end_iteration(start);
        self.iteration = Iteration { since: start, open: true, busy: false, of_queues: 0 };
        self.look_at_clock(start);
        let moment = Moment { guard, now_ms: self.now_ms };
        let longest_rest = self.clock_good_for / 50 * KERNEL_REST_US;
        let mut polled = Polled::default();
        let (mut at, mut stale) = (start, false);
        let mut batch = Batch::new();
        for queue in &mut self.queues {
            if stale && (queue.was_busy() || self.sample_in == 1) {
                // Polls in vain are no queue's.
                at = rdtsc();
            }
            let n = queue.poll(&mut batch, at, longest_rest);
            if n == 0 {
                stale = true;
                continue;
            }
            if self.perf.is_on()
                && let Some(waiting) = queue.rx.waiting()
            {
                self.perf.saw_queue(n as u64 + u64::from(waiting));
            }
            let allowance = self.fairness.allowance(queue.port, &mut queue.bucket, at);
            self.worker.misses = Misses::with(allowance);
            if self.tx_wait == 0 {
                self.worker.receive(&mut batch, queue.port, queue.use_emc, moment);
                self.worker.flush();
            } else {
                self.worker.begin_wait(at);
                self.worker.receive(&mut batch, queue.port, queue.use_emc, moment);
                self.worker.flush_due(rdtsc(), self.tx_wait);
            }
            if self.worker.misses.any() {
                self.fairness.charge(&mut queue.bucket, self.worker.misses.cycles);
                queue.count_misses(&self.worker.misses);
            }
            queue.rx.processed();
            let now = rdtsc();
            let cycles = now.wrapping_sub(at);
            queue.count(n, cycles);
            if n >= weir_dpdk::MAX_BURST {
                self.fairness.saw_waiting(queue.port, &queue.bucket, now);
            }
            self.iteration.of_queues += cycles;
            self.sample_in = self.sample_in.wrapping_sub(1);
            if self.sample_in == 0 {
                let latency = &self.worker.shared.latency;
                self.sample_in = latency.sampling();
                if latency.is_on() {
                    latency.add(Stage::PollToTransmit, cycles, n as u64);
                }
            }
            (at, stale) = (now, false);
            polled.packets += n;
            polled.largest = polled.largest.max(n);
        }
        if self.tx_wait != 0 && polled.packets == 0 {
            self.worker.flush_due(start, self.tx_wait);
        }
        let counters = &self.worker.shared.counters;
        if polled.packets == 0 {
            counters.idle_iterations.add(1);
        } else {
            counters.busy_iterations.add(1);
            self.iteration.busy = true;
        }
        polled
    }

    /// Counts the cycles of the iteration that ends now, sleep not counted.
    #[inline]
    fn end_iteration(&mut self, now: u64) {
        let Iteration { since, open, busy, of_queues } = self.iteration;
        if !open {
            return;
        }
        self.iteration.open = false;
        let cycles = now.wrapping_sub(since);
        let counters = &self.worker.shared.counters;
        if busy {
            counters.busy_cycles.add(cycles);
            self.load.busy(cycles, of_queues);
        } else {
            counters.idle_cycles.add(cycles);
        }
        if self.perf.is_on() {
            self.perf.end_iteration(cycles, self.now_ms, counters);
        }
    }

    /// Renews the time now and then: a look costs as much as half a packet.
    #[inline]
    fn look_at_clock(&mut self, tsc: u64) {
        if tsc.wrapping_sub(self.clock_at) < self.clock_good_for {
            return;
        }
        self.clock_at = tsc;
        self.now_ms = self.time.now_ms();
        self.worker.sweep();
        if self.now_ms >= self.maintain_at_ms {
            self.maintain_at_ms = self.now_ms + 1000;
            self.worker.maintain();
        }
        if self.now_ms >= self.roll_at_ms {
            // On the beat, so that a minute is twelve intervals; not after a leap of the clock.
            let next = self.roll_at_ms + INTERVAL_MS;
            self.roll_at_ms = if next > self.now_ms { next } else { self.now_ms + INTERVAL_MS };
            self.queues.iter().for_each(PolledQueue::roll);
            self.load.roll(tsc, &self.shared.load);
        }
    }

    /// Sleeps if that is right.
    fn rest(&mut self, polled: Polled, guard: &mut Guard) {
        self.idle = if polled.packets == 0 { self.idle.saturating_add(1) } else { 0 };
        let rest = match self.pace {
            Pace::Woken if self.idle > 1 => LONG_REST,
            Pace::Kernel if self.idle > IDLE_BEFORE_REST => LONG_REST,
            Pace::Woken | Pace::Kernel => return,
            Pace::Poll => {
                if polled.largest >= BUSY_BURST || self.sleep_max_us == 0 {
                    self.sleep_us = 0;
                    return;
                }
                let rest = Duration::from_micros(self.sleep_us);
                self.sleep_us = (self.sleep_us + 1).min(self.sleep_max_us);
                if rest.is_zero() {
                    return;
                }
                rest
            }
        };
        self.worker.flush();
        let start = rdtsc();
        self.end_iteration(start);
        guard.quiesce_after(|| match self.pace {
            Pace::Poll => std::thread::park_timeout(rest),
            Pace::Woken | Pace::Kernel => {
                let readable = self.queues.iter().filter_map(|queue| queue.rx.fd());
                self.shared.rest.until(readable, rest);
            }
        });
        self.queues.iter_mut().for_each(PolledQueue::rested);
        let end = rdtsc();
        let counters = &self.worker.shared.counters;
        counters.sleep_iterations.add(1);
        counters.sleep_cycles.add(end.wrapping_sub(start));
        // Look at the clock next time.
        self.clock_at = end.wrapping_sub(self.clock_good_for);
    }
}

/// What one iteration found.
#[derive(Clone, Copy, Debug, Default)]
struct Polled {
    packets: usize,
    largest: usize,
}
