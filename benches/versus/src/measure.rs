//! A switch's run: rates before and during a disturbance, then where every packet went.

use std::time::{Duration, Instant};

use crate::account::{self, Account};
use crate::disturber::Disturber;
use crate::error::RunError;
use crate::pace::Made;
use crate::report::Sample;
use crate::row::{Disturbance, Ports, Row};
use crate::source::ATTACKER;
use crate::switch::Switch;
use crate::traffic::World;
use crate::{openflow, wire};

/// Flow changes a second.
const FLOW_MODS: u64 = 1_000;
/// How long packets that are under way may take.
const SETTLE: Duration = Duration::from_millis(300);
/// Packets that running threads may hold or have not counted yet.
const UNDER_WAY: u64 = 65_536;

/// How long a run takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    /// Before measuring, and again after a disturbance begins.
    pub(crate) warm_up: Duration,
    /// What is measured, before and during a disturbance.
    pub(crate) window: Duration,
    /// Measured second by second instead of the window.
    pub(crate) hold: Option<Duration>,
}

impl Switch<'_> {
    /// Packets a second at the sink, cycles a packet as the switch counts them, and the account.
    pub(crate) fn measure(
        mut self,
        row: &Row,
        world: &World,
        times: Times,
    ) -> Result<Sample, RunError> {
        let Times { warm_up, window, hold } = times;
        std::thread::sleep(warm_up);
        let disturbed = row.disturbance != Disturbance::None;
        let clean = disturbed.then(|| self.rate(window)).transpose()?;
        let disturber = self.disturb(row.disturbance, world)?;
        if disturbed {
            std::thread::sleep(warm_up);
        }
        let before = self.running.appctl(&["dpif-netdev/pmd-stats-show"])?;
        let (t0, c0) = (account::received(&before), account::cycles(&before));
        let (rate, seconds) = match hold {
            Some(hold) => self.held(hold)?,
            None => (self.rate(window)?, Vec::new()),
        };
        let after = self.running.appctl(&["dpif-netdev/pmd-stats-show"])?;
        let packets = account::received(&after) - t0;
        let cycles = (packets > 0).then(|| (account::cycles(&after) - c0) as f64 / packets as f64);
        let made = disturber.map(Disturber::end).transpose()?;
        let taken = made.filter(|_| row.ports == Ports::Attacked).map(|m| self.taken(m));
        let (taken, made) = (taken.transpose()?, made.map(Made::rate));
        let account = Some(self.account(row)?);
        let (side, config) = self.names();
        Ok(Sample { side, config, rate, seconds, clean, made, taken, cycles, account })
    }

    fn disturb(
        &self,
        disturbance: Disturbance,
        world: &World,
    ) -> Result<Option<Disturber>, RunError> {
        Ok(match disturbance {
            Disturbance::None => None,
            Disturbance::Attack(rate) => {
                let (attack, seed) = (world.attack, world.seed);
                let packet = move |n| attack.packet(seed, n);
                Some(Disturber::start("attack", move |end| wire::write(rate, packet, end))?)
            }
            Disturbance::FlowMods(table) => {
                let socket = self.management();
                let work = move |end: &_| openflow::change(&socket, table, FLOW_MODS, end);
                Some(Disturber::start("flow-mods", work)?)
            }
        })
    }

    /// What of an attack the switch received, a second.
    fn taken(&self, made: Made) -> Result<f64, RunError> {
        std::thread::sleep(SETTLE);
        Ok(self.counter(ATTACKER, "rx pkts=")? as f64 / made.seconds)
    }

    fn rate(&self, window: Duration) -> Result<f64, RunError> {
        let (n0, t0): (u64, Instant) = self.sent()?;
        std::thread::sleep(window);
        let (n1, t1) = self.sent()?;
        Ok((n1 - n0) as f64 / t1.duration_since(t0).as_secs_f64())
    }

    /// The rate of all, and of each second.
    fn held(&self, hold: Duration) -> Result<(f64, Vec<f64>), RunError> {
        let rate = |(n0, t0): (u64, Instant), (n1, t1): (u64, Instant)| {
            (n1 - n0) as f64 / t1.duration_since(t0).as_secs_f64()
        };
        let first = self.sent()?;
        let (mut last, mut seconds) = (first, Vec::new());
        for second in 1..=hold.as_secs() {
            let end = first.1 + Duration::from_secs(second);
            std::thread::sleep(end.saturating_duration_since(Instant::now()));
            let now = self.sent()?;
            seconds.push(rate(last, now));
            last = now;
        }
        Ok((rate(first, last), seconds))
    }

    fn received(&self) -> Result<u64, RunError> {
        Ok(account::received(&self.running.appctl(&["dpif-netdev/pmd-stats-show"])?))
    }

    /// Stops the sources and asks the switch where the packets are. The threads' own counter of
    /// what they received outlives the port. Where sources are sinks, too, they have to go on, and
    /// what has left must be what was received a moment before or after.
    fn account(&mut self, row: &Row) -> Result<Account, RunError> {
        let running = row.ports == Ports::BothWays;
        let written = self.end_stream();
        if !running {
            self.unplug()?;
            std::thread::sleep(SETTLE);
        }
        let received = self.received()?;
        let (delivered, lost) = account::transmitted(&self.dump_ports()?);
        let mut dropped = account::drops(&self.running.appctl(&["coverage/show"])?);
        // A full queue is a drop of the port's; not every switch counts it among the reasons, too.
        if lost > 0 && !dropped.iter().any(|(reason, _)| reason == "datapath_drop_tx_queue_full") {
            dropped.push(("port_tx_drop".into(), lost));
        }
        let slack = if running { self.received()? - received + UNDER_WAY } else { 0 };
        Ok(Account { written, received, delivered, dropped, slack })
    }
}
