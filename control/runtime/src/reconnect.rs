//! When to connect, when to give up, when to probe: OVS's reconnection state machine. It does no
//! I/O; its owner does what [`Reconnect::run`] says and reports what happened.

use std::fmt;

use log::Level;

use crate::clock::Msec;

/// The shortest wait before another attempt, unless set otherwise, in milliseconds.
pub const DEFAULT_MIN_BACKOFF: Msec = 1000;
/// The longest wait before another attempt, unless set otherwise, in milliseconds.
pub const DEFAULT_MAX_BACKOFF: Msec = 8000;
/// The silence after which the peer is probed, unless set otherwise, in milliseconds.
pub const DEFAULT_PROBE_INTERVAL: Msec = 5000;

/// Where a connection is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Disabled.
    Void,
    /// Waiting before the next attempt.
    Backoff,
    /// An attempt is under way.
    Connecting,
    /// Connected, and the peer was heard of lately.
    Active,
    /// Connected, and a probe was sent.
    Idle,
    /// Connected, and to be disconnected.
    Reconnect,
    /// Waiting for a peer to connect.
    Listening,
}

impl State {
    /// The name, as `status:state` in the database has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Void => "VOID",
            Self::Backoff => "BACKOFF",
            Self::Connecting => "CONNECTING",
            Self::Active => "ACTIVE",
            Self::Idle => "IDLE",
            Self::Reconnect => "RECONNECT",
            Self::Listening => "LISTENING",
        }
    }

    const fn is_connected(self) -> bool {
        matches!(self, Self::Active | Self::Idle)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What the owner is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Start to connect (or to listen, if passive), then report [`Reconnect::connecting`] and its
    /// outcome.
    Connect,
    /// Close the connection, then report [`Reconnect::disconnected`].
    Disconnect,
    /// Send something that the peer must answer.
    Probe,
}

/// Why a connection ended.
#[derive(Clone, Copy, Debug)]
pub enum Cause<'a> {
    /// This side wanted it, or an attempt took too long.
    Ours,
    /// The peer closed it in order.
    Closed,
    /// An error, in words.
    Error(&'a str),
}

/// Numbers about a connection's life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Attempts that ended.
    pub attempted: u32,
    /// Attempts that succeeded.
    pub successful: u32,
    /// Changes between connected and not.
    pub changes: u32,
    /// When the last connection began, in milliseconds.
    pub last_connected: Option<Msec>,
    /// When the last connection ended, in milliseconds.
    pub last_disconnected: Option<Msec>,
    /// How long all connections lasted before the current one, in milliseconds.
    pub connected_duration: Msec,
}

/// The state machine of one connection.
#[derive(Clone, Debug)]
pub struct Reconnect {
    name: String,
    min_backoff: Msec,
    max_backoff: Msec,
    /// 0 for never.
    probe_interval: Msec,
    passive: bool,
    quiet: bool,
    /// Attempts that are left; `None` for no limit.
    max_tries: Option<u32>,
    /// Attempts that come without a wait, such as one for each of several remotes.
    backoff_free_tries: u32,

    state: State,
    state_entered: Msec,
    backoff: Msec,
    last_activity: Msec,
    /// When the owner last tried to receive; `None` if it does not say.
    last_receive_attempt: Option<Msec>,
    stats: Stats,
}

impl Reconnect {
    /// A disabled machine for the connection `name`, with OVS's defaults.
    pub fn new(name: impl Into<String>, now: Msec) -> Self {
        Self {
            name: name.into(),
            min_backoff: DEFAULT_MIN_BACKOFF,
            max_backoff: DEFAULT_MAX_BACKOFF,
            probe_interval: DEFAULT_PROBE_INTERVAL,
            passive: false,
            quiet: false,
            max_tries: None,
            backoff_free_tries: 0,
            state: State::Void,
            state_entered: now,
            backoff: 0,
            last_activity: now,
            last_receive_attempt: None,
            stats: Stats::default(),
        }
    }

    /// The connection's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Renames it, as when the next of several remotes is tried.
    pub fn set_name(&mut self, name: impl Into<String>) {
        self.name = name.into();
    }

    /// Logs what usually is information as debugging only.
    pub fn set_quiet(&mut self, quiet: bool) {
        self.quiet = quiet;
    }

    /// Sets the shortest and the longest wait between attempts, in milliseconds.
    pub fn set_backoff(&mut self, min: Msec, max: Msec) {
        self.min_backoff = min.max(1000);
        self.max_backoff = if max > 0 { max.max(1000) } else { DEFAULT_MAX_BACKOFF };
        self.min_backoff = self.min_backoff.min(self.max_backoff);
        if self.state == State::Backoff {
            self.backoff = self.backoff.min(self.max_backoff);
        }
    }

    /// The longest wait between attempts, in milliseconds.
    pub fn max_backoff(&self) -> Msec {
        self.max_backoff
    }

    /// Sets the silence after which the peer is probed, in milliseconds; 0 for never.
    pub fn set_probe_interval(&mut self, interval: Msec) {
        self.probe_interval = if interval > 0 { interval.max(1000) } else { 0 };
    }

    /// The silence after which the peer is probed, in milliseconds; 0 for never.
    pub fn probe_interval(&self) -> Msec {
        self.probe_interval
    }

    /// Whether this side waits for the peer to connect.
    pub fn is_passive(&self) -> bool {
        self.passive
    }

    /// Makes it wait for the peer to connect, or not.
    pub fn set_passive(&mut self, passive: bool, now: Msec) {
        if self.passive != passive {
            self.passive = passive;
            let wrong = if passive {
                self.state == State::Connecting || self.state == State::Reconnect
            } else {
                self.state == State::Listening && self.may_retry_without_using_a_try()
            };
            if wrong {
                self.transition(now, State::Backoff);
                self.backoff = 0;
            }
        }
    }

    fn may_retry_without_using_a_try(&self) -> bool {
        self.max_tries != Some(0)
    }

    /// Sets how many attempts are left; `None` for no limit.
    pub fn set_max_tries(&mut self, tries: Option<u32>) {
        self.max_tries = tries;
    }

    /// How many attempts are left; `None` for no limit.
    pub fn max_tries(&self) -> Option<u32> {
        self.max_tries
    }

    /// The next `tries` attempts come without a wait.
    pub fn set_backoff_free_tries(&mut self, tries: u32) {
        self.backoff_free_tries = tries;
    }

    /// The state.
    pub fn state(&self) -> State {
        self.state
    }

    /// Since when it is in this state, in milliseconds.
    pub fn state_entered(&self) -> Msec {
        self.state_entered
    }

    /// How long it waits between attempts now, in milliseconds.
    pub fn backoff(&self) -> Msec {
        self.backoff
    }

    /// Whether the peer is connected.
    pub fn is_connected(&self) -> bool {
        self.state.is_connected()
    }

    /// Numbers about the connection's life.
    pub fn stats(&self) -> Stats {
        self.stats
    }

    /// Starts it, if it is disabled.
    pub fn enable(&mut self, now: Msec) {
        if self.state == State::Void && self.use_a_try() {
            self.transition(now, State::Backoff);
            self.backoff = 0;
        }
    }

    /// Stops it. The owner closes the connection.
    pub fn disable(&mut self, now: Msec) {
        if self.state != State::Void {
            self.transition(now, State::Void);
        }
    }

    /// Drops the connection, if there is one, and connects anew.
    pub fn force_reconnect(&mut self, now: Msec) {
        if matches!(self.state, State::Connecting | State::Active | State::Idle) {
            self.transition(now, State::Reconnect);
        }
    }

    /// Ends a wait between attempts at once.
    pub fn skip_backoff(&mut self) {
        if self.state == State::Backoff {
            self.backoff = 0;
        }
    }

    fn info(&self) -> Level {
        if self.quiet { Level::Debug } else { Level::Info }
    }

    fn use_a_try(&mut self) -> bool {
        match &mut self.max_tries {
            None => true,
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
        }
    }

    fn transition(&mut self, now: Msec, state: State) {
        if self.state == State::Connecting {
            self.stats.attempted = self.stats.attempted.saturating_add(1);
            if state == State::Active {
                self.stats.successful = self.stats.successful.saturating_add(1);
            }
        }
        if self.state.is_connected() != state.is_connected() {
            if self.state.is_connected()
                && let Some(since) = self.stats.last_connected
            {
                self.stats.connected_duration += now - since;
            }
            self.stats.changes = self.stats.changes.wrapping_add(1);
        }
        log::debug!(target: "reconnect", "{}: entering {state}", self.name);
        self.state = state;
        self.state_entered = now;
    }

    /// An attempt has begun.
    pub fn connecting(&mut self, now: Msec) {
        if self.state != State::Connecting {
            if self.passive {
                log::log!(target: "reconnect", self.info(), "{}: listening...", self.name);
            } else if self.backoff < self.max_backoff {
                log::log!(target: "reconnect", self.info(), "{}: connecting...", self.name);
            }
            self.transition(now, State::Connecting);
        }
    }

    /// A passive connection listens now.
    pub fn listening(&mut self, now: Msec) {
        if self.state != State::Listening {
            log::log!(target: "reconnect", self.info(), "{}: listening...", self.name);
            self.transition(now, State::Listening);
        }
    }

    /// The connection stands.
    pub fn connected(&mut self, now: Msec) {
        if !self.is_connected() {
            self.connecting(now);
            log::log!(target: "reconnect", self.info(), "{}: connected", self.name);
            self.transition(now, State::Active);
            self.stats.last_connected = Some(now);
        }
    }

    /// An attempt has failed.
    pub fn connect_failed(&mut self, now: Msec, cause: Cause<'_>) {
        self.connecting(now);
        self.disconnected(now, cause);
    }

    /// The peer sent something.
    pub fn activity(&mut self, now: Msec) {
        if self.state != State::Active {
            self.transition(now, State::Active);
        }
        self.last_activity = now;
    }

    /// The owner tried to receive, whether or not anything came. Without this, a busy owner that
    /// did not get round to it would take its own silence for the peer's.
    pub fn receive_attempted(&mut self, now: Msec) {
        self.last_receive_attempt = Some(now);
    }

    /// The connection, or the attempt, has ended.
    pub fn disconnected(&mut self, now: Msec, cause: Cause<'_>) {
        if matches!(self.state, State::Backoff | State::Void) {
            return;
        }
        self.log_end(cause);
        let was_connected = self.is_connected();
        if was_connected {
            self.stats.last_disconnected = Some(now);
        }
        if !self.use_a_try() {
            self.transition(now, State::Void);
            return;
        }
        let lasted = match self.stats.last_connected {
            Some(since) => self.last_activity - since,
            None => 0,
        };
        if self.backoff_free_tries > 1 {
            self.backoff_free_tries -= 1;
            self.backoff = 0;
        } else if was_connected && (lasted >= self.backoff || self.passive) {
            self.backoff = if self.passive { 0 } else { self.min_backoff };
        } else {
            self.raise_backoff();
        }
        self.transition(now, State::Backoff);
    }

    fn log_end(&self, cause: Cause<'_>) {
        let (name, info) = (&self.name, self.info());
        match (self.state, cause) {
            (State::Active | State::Idle, Cause::Error(text)) => {
                log::warn!(target: "reconnect", "{name}: connection dropped ({text})");
            }
            (State::Active | State::Idle, Cause::Closed) => {
                log::log!(target: "reconnect", info, "{name}: connection closed by peer");
            }
            (State::Active | State::Idle, Cause::Ours) => {
                log::log!(target: "reconnect", info, "{name}: connection dropped");
            }
            (State::Listening, Cause::Error(text)) => {
                log::warn!(target: "reconnect", "{name}: error listening for connections ({text})");
            }
            (State::Listening, _) => {
                log::log!(target: "reconnect", info, "{name}: error listening for connections");
            }
            _ if self.backoff >= self.max_backoff => {}
            (_, cause) => {
                let kind = if self.passive { "listen" } else { "connection" };
                match cause {
                    Cause::Error(text) => {
                        log::log!(target: "reconnect", info, "{name}: {kind} attempt failed ({text})");
                    }
                    Cause::Closed | Cause::Ours => {
                        log::log!(target: "reconnect", info, "{name}: {kind} attempt timed out");
                    }
                }
            }
        }
    }

    /// Doubles the wait, and says so until it is the longest.
    fn raise_backoff(&mut self) {
        let (name, info) = (&self.name, self.info());
        if self.backoff < self.min_backoff {
            self.backoff = self.min_backoff;
        } else if self.backoff < self.max_backoff / 2 {
            self.backoff *= 2;
            let seconds = seconds(self.backoff);
            if self.passive {
                log::log!(
                    target: "reconnect",
                    info,
                    "{name}: waiting {seconds} seconds before trying to listen again"
                );
            } else {
                log::log!(
                    target: "reconnect",
                    info,
                    "{name}: waiting {seconds} seconds before reconnect"
                );
            }
        } else {
            if self.backoff < self.max_backoff {
                let what = if self.passive { "try to listen" } else { "reconnect" };
                log::log!(
                    target: "reconnect",
                    info,
                    "{name}: continuing to {what} in the background but suppressing further \
                     logging"
                );
            }
            self.backoff = self.max_backoff;
        }
    }

    /// When [`Reconnect::run`] has something to say; `None` for never.
    pub fn poll_at(&self, now: Msec) -> Option<Msec> {
        let probe = |since: Msec| {
            if self.probe_interval == 0 {
                return None;
            }
            let due = since + self.probe_interval;
            match self.last_receive_attempt {
                // Due, but nobody has looked whether something came: look first.
                Some(attempt) if now >= due && attempt < due => Some(now + 1),
                _ => Some(due),
            }
        };
        match self.state {
            State::Void | State::Listening => None,
            State::Backoff => Some(self.state_entered + self.backoff),
            State::Connecting => Some(self.state_entered + self.backoff.max(1000)),
            State::Active => probe(self.last_activity.max(self.state_entered)),
            State::Idle => probe(self.state_entered),
            State::Reconnect => Some(self.state_entered),
        }
    }

    /// What to do now, if anything.
    pub fn run(&mut self, now: Msec) -> Option<Action> {
        if self.poll_at(now).is_none_or(|due| now < due) {
            return None;
        }
        match self.state {
            State::Backoff => Some(Action::Connect),
            State::Connecting | State::Reconnect => Some(Action::Disconnect),
            State::Active => {
                log::debug!(
                    target: "reconnect",
                    "{}: idle {} ms, sending inactivity probe",
                    self.name,
                    now - self.last_activity.max(self.state_entered)
                );
                self.transition(now, State::Idle);
                Some(Action::Probe)
            }
            State::Idle => {
                log::error!(
                    target: "reconnect",
                    "{}: no response to inactivity probe after {} seconds, disconnecting",
                    self.name,
                    seconds(now - self.state_entered)
                );
                Some(Action::Disconnect)
            }
            State::Void | State::Listening => None,
        }
    }
}

/// Milliseconds as seconds with three digits that count.
fn seconds(ms: Msec) -> String {
    weir_jsonrpc::number::format_g(ms_to_seconds(ms), 3)
}

#[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
fn ms_to_seconds(ms: Msec) -> f64 {
    ms as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a machine whose attempts all fail, and says when they came.
    #[test]
    fn backoff_doubles_up_to_its_limit() {
        let mut fsm = Reconnect::new("tcp:127.0.0.1:1", 0);
        fsm.enable(0);
        let mut attempts = Vec::new();
        for now in 0..40_000 {
            if fsm.run(now) == Some(Action::Connect) {
                attempts.push(now);
                fsm.connect_failed(now, Cause::Error("Connection refused"));
            }
        }
        assert_eq!(attempts, [0, 1000, 3000, 7000, 15_000, 23_000, 31_000, 39_000]);
        assert_eq!(fsm.stats().attempted, 8);
    }

    #[test]
    fn silence_is_probed_and_then_ends_the_connection() {
        let mut fsm = Reconnect::new("x", 0);
        fsm.enable(0);
        assert_eq!(fsm.run(0), Some(Action::Connect));
        fsm.connecting(0);
        fsm.connected(100);
        fsm.activity(1000);
        assert_eq!(fsm.poll_at(1000), Some(6000));
        assert_eq!(fsm.run(5999), None);
        assert_eq!(fsm.run(6000), Some(Action::Probe));
        assert_eq!(fsm.state(), State::Idle);
        fsm.activity(7000);
        assert_eq!(fsm.state(), State::Active);
        assert_eq!(fsm.run(12_000), Some(Action::Probe));
        assert_eq!(fsm.run(17_000), Some(Action::Disconnect));
        fsm.disconnected(17_000, Cause::Ours);
        assert_eq!(fsm.state(), State::Backoff);
        assert_eq!(fsm.poll_at(17_000), Some(18_000));
        assert_eq!(fsm.stats().last_disconnected, Some(17_000));
    }

    #[test]
    fn a_busy_owner_looks_before_it_gives_up() {
        let mut fsm = Reconnect::new("x", 0);
        fsm.enable(0);
        fsm.connected(0);
        fsm.receive_attempted(10);
        assert_eq!(fsm.poll_at(9000), Some(9001));
        fsm.receive_attempted(9001);
        assert_eq!(fsm.run(9001), Some(Action::Probe));
    }

    #[test]
    fn an_attempt_times_out() {
        let mut fsm = Reconnect::new("x", 0);
        fsm.enable(0);
        fsm.connecting(0);
        assert_eq!(fsm.run(999), None);
        assert_eq!(fsm.run(1000), Some(Action::Disconnect));
        fsm.disconnected(1000, Cause::Ours);
        assert_eq!(fsm.backoff(), 1000);
    }

    #[test]
    fn tries_run_out() {
        let mut fsm = Reconnect::new("x", 0);
        fsm.set_max_tries(Some(1));
        fsm.enable(0);
        assert_eq!(fsm.run(0), Some(Action::Connect));
        fsm.connect_failed(0, Cause::Error("no"));
        assert_eq!(fsm.state(), State::Void);
        fsm.enable(0);
        assert_eq!(fsm.state(), State::Void);
    }

    #[test]
    fn free_tries_and_forced_ends() {
        let mut fsm = Reconnect::new("x", 0);
        fsm.set_backoff_free_tries(2);
        fsm.enable(0);
        fsm.connect_failed(0, Cause::Closed);
        assert_eq!(fsm.poll_at(0), Some(0));
        fsm.connect_failed(0, Cause::Closed);
        assert_eq!(fsm.poll_at(0), Some(1000));
        fsm.skip_backoff();
        assert_eq!(fsm.run(0), Some(Action::Connect));
        fsm.connected(0);
        fsm.force_reconnect(5);
        assert_eq!(fsm.run(5), Some(Action::Disconnect));
        fsm.disable(5);
        assert_eq!(fsm.poll_at(5), None);
    }

    #[test]
    fn texts_of_spans() {
        assert_eq!(seconds(2000), "2");
        assert_eq!(seconds(5500), "5.5");
        assert_eq!(seconds(12_345), "12.3");
    }
}
