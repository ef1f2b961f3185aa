//! [`Worker`]: everything one thread needs to take packets from a port to ports: its caches, its
//! executor, its counters. PMD threads have one each; one more serves injected packets.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crossbeam::channel::Sender;
use crossbeam::queue::SegQueue;
use weir_dpdk::{Batch, Mbuf, Mempool, rdtsc};
use weir_flow::action::Action;
use weir_flow::packet::{Malformed, parse_into};
use weir_flow::slowpath::Translation;
use weir_flow::{DropReason, Flow, PortNo};

use crate::cache::emc::AnyEmc;
use crate::counters::DropCounters;
use crate::exec::meta::PacketMeta;
use crate::exec::run::{Exec, Moment, Recirculated};
use crate::lookup::{BURST, Hits, Lesson, Lookup, Run, Runs, Shaped};
use crate::megaflow::entry::{Megaflow, Verdict};
use crate::megaflow::projection::Projection;
use crate::meter::Meters;
use crate::pmd::fairness::Misses;
use crate::pmd::latency::{Latency, Stage};
use crate::pmd::stats::PmdCounters;
use crate::port::lane::TxLane;
use crate::registry::FlowEvent;
use crate::slow_path::SharedSlowPath;

/// How many megaflows all threads have together, and may have.
#[derive(Debug)]
pub(crate) struct FlowCount {
    n: AtomicUsize,
    limit: AtomicUsize,
}

impl FlowCount {
    pub(crate) fn new(limit: usize) -> Self {
        Self { n: AtomicUsize::new(0), limit: AtomicUsize::new(limit) }
    }

    pub(crate) fn get(&self) -> usize {
        self.n.load(Ordering::Relaxed)
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit.load(Ordering::Relaxed)
    }

    pub(crate) fn set_limit(&self, limit: usize) {
        self.limit.store(limit, Ordering::Relaxed);
    }

    fn take(&self) -> bool {
        if self.n.fetch_add(1, Ordering::Relaxed) < self.limit() {
            return true;
        }
        self.give(1);
        false
    }

    fn give(&self, n: usize) {
        self.n.fetch_sub(n, Ordering::Relaxed);
    }
}

/// What other threads may read of a worker.
#[derive(Debug)]
pub(crate) struct WorkerShared {
    pub(crate) counters: PmdCounters,
    pub(crate) drops: Arc<DropCounters>,
    pub(crate) events: SegQueue<FlowEvent>,
    /// Entries of each EMC, plain and wide, that the thread would like to have, 0 if it is content.
    pub(crate) wanted_emc: [AtomicUsize; 2],
    pub(crate) latency: Latency,
}

impl WorkerShared {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            counters: PmdCounters::default(),
            drops: Arc::new(DropCounters::default()),
            events: SegQueue::new(),
            wanted_emc: [AtomicUsize::new(0), AtomicUsize::new(0)],
            latency: Latency::new(),
        })
    }
}

/// What all workers of a datapath are made with.
#[derive(Clone, Debug)]
pub(crate) struct Common {
    pub(crate) pool: Mempool,
    pub(crate) slow_path: SharedSlowPath,
    pub(crate) meters: Arc<Meters>,
    pub(crate) flows: Arc<FlowCount>,
    pub(crate) vlan_limit: usize,
}

/// A change that a worker makes between two bursts.
#[derive(Debug)]
pub(crate) enum WorkerCommand {
    /// Makes a port reachable.
    AttachTx(PortNo, Arc<TxLane>),
    /// Forgets a port's lane, and the megaflows of packets that came in by it.
    DetachPort(PortNo),
    /// Takes megaflows out.
    Remove(Vec<Arc<Megaflow>>),
    /// Gives a megaflow another verdict.
    Replace(Arc<Megaflow>, Box<Translation>),
    /// Takes all megaflows out.
    Flush,
    /// `emc-insert-inv-prob`: one in how many takes over a full place of the EMC; 0 for an EMC that
    /// learns nothing.
    EmcInsertInvProb(u32),
    /// Another EMC; the old one is sent away to be freed.
    Emc(Box<AnyEmc>, Sender<AnyEmc>),
    /// How many VLAN tags are parsed.
    VlanLimit(usize),
    /// Says that all commands before this one are done.
    Sync(Sender<()>),
}

/// See the [module documentation](self).
#[derive(Debug)]
pub(crate) struct Worker {
    lookup: Lookup,
    exec: Exec,
    pub(crate) shared: Arc<WorkerShared>,
    flows: Arc<FlowCount>,
    runs: Box<Runs>,
    lessons: Vec<Lesson>,
    /// Packets that need their whole flow looked at, and whether the table is known to have no megaflow
    /// for them but those of this burst.
    full: Vec<(Mbuf, bool)>,
    /// The pass of recirculated packets that is under way; kept for its memory.
    again: Vec<Recirculated>,
    emc_insert_inv_prob: u32,
    /// The misses of the burst under way.
    pub(crate) misses: Misses,
}

impl Worker {
    pub(crate) fn new(common: &Common, shared: Arc<WorkerShared>) -> Self {
        let exec = Exec::new(
            common.pool.clone(),
            common.slow_path.clone(),
            Arc::clone(&common.meters),
            Arc::clone(&shared.drops),
            common.vlan_limit,
            rdtsc(),
        );
        Self {
            lookup: Lookup::new(),
            exec,
            shared,
            flows: Arc::clone(&common.flows),
            runs: Box::new(Runs::new()),
            lessons: Vec::with_capacity(BURST),
            full: Vec::with_capacity(BURST),
            again: Vec::with_capacity(BURST),
            emc_insert_inv_prob: 100,
            misses: Misses::with(i64::MAX),
        }
    }

    /// Takes a burst from one port through the switch; what it sends waits for [`Worker::flush`].
    #[inline]
    pub(crate) fn receive(
        &mut self,
        batch: &mut Batch,
        in_port: PortNo,
        use_emc: bool,
        moment: Moment<'_>,
    ) {
        let in_port = in_port.0;
        self.lookup.begin();
        let projection =
            self.lookup.table.projection(in_port).copied().unwrap_or(Projection::NOTHING);
        self.lookup.divide(batch, in_port, &projection, &mut self.runs);
        let runs = self.runs.as_slice();
        let mut found = [None; BURST];
        let use_emc = use_emc && self.emc_insert_inv_prob != 0;
        let hits = self.lookup.find_runs(
            &self.runs,
            in_port,
            &projection,
            use_emc,
            &mut found,
            &mut self.lessons,
        );
        self.count(batch.len(), &hits);
        match (runs, found) {
            ([run], [Some(flow @ Megaflow { verdict: Verdict::Output(port), .. }), ..]) => {
                hit(flow, run, moment);
                if !self.exec.tx.append(*port, batch) {
                    self.exec.drops.add(DropReason::InvalidPort, batch.len() as u64);
                    batch.clear();
                }
            }
            _ => {
                let meta = PacketMeta::from_port(in_port);
                forward(&mut self.exec, batch, meta, runs, &found, &mut self.full, moment);
            }
        }
        if !self.lessons.is_empty() {
            let Self { lookup, exec, runs, lessons, emc_insert_inv_prob, .. } = self;
            let probability = u32::MAX / (*emc_insert_inv_prob).max(1);
            lookup.learn(runs, &projection, lessons, || exec.chance(probability));
        }
        let meta = PacketMeta::from_port(in_port);
        // In order: the last is popped last.
        self.full.reverse();
        while let Some((packet, missed)) = self.full.pop() {
            self.process(packet, meta, missed, moment);
        }
        self.recirculate(moment);
    }

    #[inline(always)]
    fn count(&self, packets: usize, hits: &Hits) {
        let counters = &self.shared.counters;
        counters.rx_packets.add(packets as u64);
        counters.rx_batches.add(1);
        counters.emc_hits.add(hits.emc);
        if hits.megaflow != 0 {
            counters.megaflow_hits.add(hits.megaflow);
            counters.subtable_probes.add(hits.probes);
        }
    }

    /// Takes one packet through the megaflow table by its whole flow.
    fn process(&mut self, packet: Mbuf, meta: PacketMeta, missed: bool, moment: Moment<'_>) {
        if missed && self.lookup.is_certain_miss() && !self.may_miss() {
            return;
        }
        let mut key = Flow::ZERO;
        meta.fill(&mut key);
        let (_, malformed) =
            parse_into(packet.data(), packet.len() as usize, self.exec.vlan_limit, &mut key);
        if let Some(reason) = malformed.and_then(Malformed::drop_reason) {
            self.exec.drops.add(reason, 1);
            return;
        }
        let key = &key;
        let found = if missed { self.lookup.find_again(key) } else { self.lookup.find(key) };
        let Some(flow) = found.flow else {
            return self.miss(packet, meta, key, moment);
        };
        let counters = &self.shared.counters;
        counters.megaflow_hits.add(1);
        counters.subtable_probes.add(u64::from(found.probes));
        flow.hit(1, u64::from(packet.len()), key.tcp_flags.get(), moment.now_ms);
        match flow.verdict {
            Verdict::Output(port) => self.exec.output(port, packet),
            Verdict::Drop(reason) => self.exec.drops.add(reason, 1),
            Verdict::Program => self.exec.run(packet, meta, &flow.actions, moment),
            Verdict::Slow => {
                let start = rdtsc();
                let Some(translation) = self.translate(&packet, key, moment) else {
                    return;
                };
                self.shared.counters.slow_upcalls.add(1);
                self.misses.charge(rdtsc().wrapping_sub(start));
                self.exec.run(packet, meta, &translation.actions, moment);
            }
        }
    }

    /// Have the port's misses cycles left? If not, the packet is to be dropped, which is counted.
    fn may_miss(&mut self) -> bool {
        let may = self.misses.admit();
        if !may {
            self.shared.counters.lost.add(1);
            self.exec.drops.add(DropReason::MissBudget, 1);
        }
        may
    }

    /// Asks the slow path about a packet. `None` if it is to be dropped, which is counted then.
    fn translate(&mut self, packet: &Mbuf, key: &Flow, moment: Moment<'_>) -> Option<Translation> {
        if !self.may_miss() {
            return None;
        }
        let start = rdtsc();
        let translation = self.exec.translate(packet, key, moment);
        let latency = &self.shared.latency;
        if latency.is_on() {
            latency.add(Stage::Translation, rdtsc().wrapping_sub(start), 1);
        }
        if translation.drop_reason == Some(DropReason::UpcallLimit) {
            // Not looked at: the next packet asks again.
            self.shared.counters.lost.add(1);
            self.exec.drops.add(DropReason::UpcallLimit, 1);
            return None;
        }
        Some(translation)
    }

    /// Asks the slow path about a packet, remembers its answer and follows it.
    #[cold]
    fn miss(&mut self, packet: Mbuf, meta: PacketMeta, key: &Flow, moment: Moment<'_>) {
        let start = rdtsc();
        let Some(translation) = self.translate(&packet, key, moment) else {
            return;
        };
        let bytes = u64::from(packet.len());
        translation.credit.credit(1, bytes, moment.now_ms, key.tcp_flags.get());
        let counters = &self.shared.counters;
        if !self.lookup.admits(key, &translation, moment.now_ms) {
            counters.deferred.add(1);
        } else if self.flows.take() {
            let flow = self.lookup.install(key, &translation, moment.now_ms);
            self.shared.events.push(FlowEvent::Installed(flow));
        } else {
            counters.not_installed.add(1);
        }
        counters.upcalls.add(1);
        let cycles = rdtsc().wrapping_sub(start);
        counters.upcall_cycles.add(cycles);
        self.misses.charge(cycles);
        if self.shared.latency.is_on() {
            self.shared.latency.add(Stage::Miss, cycles, 1);
        }
        match (&*translation.actions, translation.drop_reason) {
            ([], reason) => self.exec.drops.add(reason.unwrap_or(DropReason::OfPipeline), 1),
            (actions, _) => self.exec.run(packet, meta, actions, moment),
        }
    }

    /// Takes recirculated packets through the switch until none is left.
    fn recirculate(&mut self, moment: Moment<'_>) {
        while !self.exec.recirculated.is_empty() {
            std::mem::swap(&mut self.again, &mut self.exec.recirculated);
            self.shared.counters.recirculations.add(self.again.len() as u64);
            let mut again = std::mem::take(&mut self.again);
            for Recirculated { packet, meta } in again.drain(..) {
                self.process(packet, meta, false, moment);
            }
            self.again = again;
        }
    }

    /// Runs actions on an injected packet, and sends what comes of it.
    pub(crate) fn execute(
        &mut self,
        packet: Mbuf,
        key: &Flow,
        actions: &[Action],
        moment: Moment<'_>,
    ) {
        self.lookup.begin();
        self.exec.run(packet, PacketMeta::from_flow(key), actions, moment);
        self.recirculate(moment);
        self.flush();
    }

    /// Sends everything that waits.
    #[inline]
    pub(crate) fn flush(&mut self) {
        self.exec.tx.flush();
        self.count_sent();
    }

    /// A burst is to be received whose packets may wait for others on their way out.
    pub(crate) fn begin_wait(&mut self, now: u64) {
        self.exec.tx.now = now;
    }

    /// Sends what has waited this many TSC cycles.
    pub(crate) fn flush_due(&mut self, now: u64, longest: u64) {
        self.exec.tx.flush_due(now, longest);
        self.count_sent();
    }

    #[inline]
    fn count_sent(&mut self) {
        let sent = std::mem::take(&mut self.exec.tx.sent);
        if sent.batches != 0 {
            self.shared.counters.tx_packets.add(sent.packets);
            self.shared.counters.tx_batches.add(sent.batches);
        }
    }

    /// Makes a change.
    pub(crate) fn apply(&mut self, command: WorkerCommand) {
        match command {
            WorkerCommand::AttachTx(port, lane) => self.exec.tx.attach(port, lane),
            WorkerCommand::DetachPort(port) => {
                self.exec.tx.detach(port);
                self.flush_port(port.0);
            }
            WorkerCommand::Remove(flows) => {
                let events = &self.shared.events;
                for flow in flows {
                    if self.lookup.table.remove(&flow) {
                        self.flows.give(1);
                        events.push(FlowEvent::Retired(flow));
                    }
                }
            }
            WorkerCommand::Replace(old, translation) => {
                if let Some(new) = self.lookup.table.replace(&old, &translation) {
                    self.shared.events.push(FlowEvent::Replaced { old, new });
                }
            }
            WorkerCommand::Flush => {
                for port in self.lookup.table.in_ports() {
                    self.flush_port(port);
                }
                self.lookup.forget();
            }
            WorkerCommand::EmcInsertInvProb(n) => {
                self.emc_insert_inv_prob = n;
                if n == 0 {
                    self.lookup.forget();
                }
            }
            WorkerCommand::Emc(emc, old) => {
                // Nobody waits for it any more: it is freed here.
                let _ = old.try_send(self.lookup.replace_emc(*emc));
                // Asked for before this one came.
                self.shared.wanted_emc.iter().for_each(|wanted| wanted.store(0, Ordering::Relaxed));
            }
            WorkerCommand::VlanLimit(limit) => self.exec.vlan_limit = limit,
            WorkerCommand::Sync(done) => {
                // Nobody waits any more: nothing to tell.
                let _ = done.try_send(());
            }
        }
    }

    fn flush_port(&mut self, in_port: u32) {
        let flows = self.lookup.table.flush_port(in_port);
        self.flows.give(flows.len());
        for flow in flows {
            self.shared.events.push(FlowEvent::Retired(flow));
        }
    }

    /// A little housekeeping, many times a second.
    pub(crate) fn sweep(&mut self) {
        self.lookup.sweep();
        for (wanted, entries) in self.shared.wanted_emc.iter().zip(self.lookup.wanted_emc()) {
            if let Some(entries) = entries {
                wanted.store(entries, Ordering::Relaxed);
            }
        }
    }

    /// Housekeeping, about once a second.
    pub(crate) fn maintain(&mut self) {
        self.lookup.maintain();
    }
}

#[inline(always)]
fn hit(flow: &Megaflow, run: &Run, moment: Moment<'_>) {
    flow.hit(u64::from(run.packets), run.bytes, run.tcp_flags(), moment.now_ms);
}

/// Does to the runs of a burst what their megaflows say; puts the packets without one into `full`.
#[inline]
fn forward(
    exec: &mut Exec,
    batch: &mut Batch,
    meta: PacketMeta,
    runs: &[Run],
    found: &[Option<&Megaflow>; BURST],
    full: &mut Vec<(Mbuf, bool)>,
    moment: Moment<'_>,
) {
    let mut packets = batch.drain();
    for (run, flow) in runs.iter().zip(found) {
        let run_packets = packets.by_ref().take(run.packets as usize);
        let Some(flow) = flow.filter(|flow| flow.verdict != Verdict::Slow) else {
            let missed = flow.is_none() && run.shape != Shaped::Full;
            full.extend(run_packets.map(|packet| (packet, missed)));
            continue;
        };
        hit(flow, run, moment);
        match flow.verdict {
            Verdict::Output(port) => run_packets.for_each(|p| exec.output(port, p)),
            Verdict::Drop(reason) => {
                exec.drops.add(reason, u64::from(run.packets));
                run_packets.for_each(drop);
            }
            Verdict::Program | Verdict::Slow => {
                run_packets.for_each(|p| exec.run(p, meta, &flow.actions, moment));
            }
        }
    }
}
