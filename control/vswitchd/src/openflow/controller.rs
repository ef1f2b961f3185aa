//! One configured controller: connected to, probed, connected to again; or, when its target is
//! passive, listened for.

use std::collections::BTreeMap;
use std::io;

use weir_ofproto::bridge::BridgeState;
use weir_ofproto::connection::ConnKind;
use weir_openflow::OfVersion;
use weir_openflow::messages::role::Role;
use weir_runtime::clock::{Msec, earlier};
use weir_runtime::program::strerror;
use weir_runtime::reactor::Reactor;
use weir_runtime::reconnect::{Action, Cause, Reconnect};
use weir_runtime::stream::{Listener, Stream, Target};

use super::link::{Ended, Link};
use crate::desired::{Controller, ControllerKind};
use crate::report::ControllerReport;

/// The port of OpenFlow (IANA).
pub(super) const OPENFLOW_PORT: u16 = 6653;
/// How often a passive controller's socket is tried when it cannot be opened, in milliseconds.
const LISTEN_RETRY: Msec = 1_000;

/// What carries a controller's messages.
#[derive(Debug)]
enum Carrier {
    /// We connect.
    Active { fsm: Box<Reconnect>, stream: Option<Stream>, link: Option<Link> },
    /// They connect.
    Passive { listener: Option<Listener>, links: Vec<Link>, retry_at: Msec },
}

/// See the [module documentation](self).
#[derive(Debug)]
pub(super) struct ControllerLink {
    pub(super) settings: Controller,
    carrier: Carrier,
    last_error: Option<String>,
}

fn kind(settings: &Controller) -> ConnKind {
    match settings.kind {
        ControllerKind::Primary => ConnKind::Primary,
        ControllerKind::Service => ConnKind::Service,
    }
}

fn millis(ms: u64) -> Msec {
    Msec::try_from(ms).unwrap_or(Msec::MAX)
}

impl ControllerLink {
    pub(super) fn new(bridge: &str, settings: Controller, now: Msec) -> Self {
        let carrier = if Target::is_passive(&settings.target) {
            Carrier::Passive { listener: None, links: Vec::new(), retry_at: now }
        } else {
            let name = format!("{bridge}<->{}", settings.target);
            let mut fsm = Box::new(Reconnect::new(name, now));
            fsm.enable(now);
            Carrier::Active { fsm, stream: None, link: None }
        };
        let mut this = Self { settings, carrier, last_error: None };
        this.apply_timers();
        this
    }

    /// Takes settings that differ in other things than the target.
    pub(super) fn update(&mut self, settings: Controller) {
        self.settings = settings;
        self.apply_timers();
    }

    fn apply_timers(&mut self) {
        if let Carrier::Active { fsm, .. } = &mut self.carrier {
            fsm.set_backoff(1_000, millis(self.settings.max_backoff_ms));
            fsm.set_probe_interval(match self.settings.probe_ms {
                0 => 0,
                ms => millis(ms.max(1_000)),
            });
        }
    }

    /// Connects, listens, and takes what came in. True if anything came.
    pub(super) fn receive(
        &mut self,
        state: &mut BridgeState,
        versions: &[OfVersion],
        reactor: &Reactor,
        now: Msec,
    ) -> bool {
        let mut received = false;
        let kind = kind(&self.settings);
        let (enable_async, rate_limit) = (self.settings.enable_async, self.settings.rate_limit);
        let target = self.settings.target.clone();
        match &mut self.carrier {
            Carrier::Passive { listener, links, retry_at } => {
                if listener.is_none() && now >= *retry_at {
                    *retry_at = now + LISTEN_RETRY;
                    match Listener::open(&target, Some(OPENFLOW_PORT), reactor) {
                        Ok(l) => *listener = Some(l),
                        Err(e) => self.last_error = Some(strerror(&e)),
                    }
                }
                while let Some(Ok(stream)) = listener.as_ref().map(Listener::accept) {
                    links.push(Link::new(stream, state.conns.open(kind, versions)));
                }
                links.retain_mut(|link| match link.receive(state) {
                    Ok(n) => {
                        received |= n > 0;
                        true
                    }
                    Err(_) => {
                        state.conns.close(link.id);
                        false
                    }
                });
            }
            Carrier::Active { fsm, stream, link } => {
                match fsm.run(now) {
                    Some(Action::Connect) => {
                        match Stream::open(&target, Some(OPENFLOW_PORT), reactor) {
                            Ok(s) => {
                                fsm.connecting(now);
                                *stream = Some(s);
                            }
                            Err(e) => {
                                let text = strerror(&e);
                                fsm.connect_failed(now, Cause::Error(&text));
                                self.last_error = Some(text);
                            }
                        }
                    }
                    Some(Action::Disconnect) => {
                        *stream = None;
                        if let Some(link) = link.take() {
                            state.conns.close(link.id);
                        }
                        fsm.disconnected(now, Cause::Ours);
                    }
                    Some(Action::Probe) => {
                        if let Some(conn) = link.as_ref().and_then(|l| state.conns.get_mut(l.id)) {
                            conn.probe();
                        }
                    }
                    None => {}
                }
                if let Some(mut s) = stream.take() {
                    match s.connect() {
                        Ok(()) => {
                            fsm.connected(now);
                            let id = state.conns.open(kind, versions);
                            *link = Some(Link::new(s, id));
                        }
                        Err(e) if e.kind() == io::ErrorKind::WouldBlock => *stream = Some(s),
                        Err(e) => {
                            let text = strerror(&e);
                            fsm.connect_failed(now, Cause::Error(&text));
                            self.last_error = Some(text);
                        }
                    }
                }
                fsm.receive_attempted(now);
                match link.as_mut().map(|l| l.receive(state)) {
                    Some(Ok(n)) if n > 0 => {
                        received = true;
                        fsm.activity(now);
                    }
                    Some(Err(ended)) => self.ended(state, now, &ended),
                    _ => {}
                }
            }
        }
        for link in self.links() {
            if let Some(conn) = state.conns.get_mut(link.id) {
                conn.configure(enable_async, rate_limit);
            }
        }
        received
    }

    fn ended(&mut self, state: &mut BridgeState, now: Msec, why: &Ended) {
        let Carrier::Active { fsm, link, .. } = &mut self.carrier else { return };
        if let Some(link) = link.take() {
            state.conns.close(link.id);
        }
        match why {
            Ended::Closed => fsm.disconnected(now, Cause::Closed),
            Ended::Error(text) => {
                fsm.disconnected(now, Cause::Error(text));
                self.last_error = Some(text.clone());
            }
        }
    }

    /// Sends what is to be sent.
    pub(super) fn transmit(&mut self, state: &mut BridgeState, now: Msec) {
        match &mut self.carrier {
            Carrier::Passive { links, .. } => links.retain_mut(|link| {
                let alive = link.transmit(state).is_ok();
                if !alive {
                    state.conns.close(link.id);
                }
                alive
            }),
            Carrier::Active { link, .. } => {
                if let Some(Err(ended)) = link.as_mut().map(|l| l.transmit(state)) {
                    self.ended(state, now, &ended);
                }
            }
        }
    }

    /// Drops the connection and connects anew.
    pub(super) fn reconnect(&mut self, now: Msec) {
        if let Carrier::Active { fsm, .. } = &mut self.carrier {
            fsm.force_reconnect(now);
        }
    }

    /// Closes what is open.
    pub(super) fn close(&mut self, state: &mut BridgeState) {
        match &mut self.carrier {
            Carrier::Passive { links, .. } => {
                links.drain(..).for_each(|l| state.conns.close(l.id));
            }
            Carrier::Active { link, .. } => {
                if let Some(l) = link.take() {
                    state.conns.close(l.id);
                }
            }
        }
    }

    /// The connections of this controller.
    pub(super) fn links(&self) -> impl Iterator<Item = &Link> {
        let (one, many) = match &self.carrier {
            Carrier::Active { link, .. } => (link.as_ref(), &[][..]),
            Carrier::Passive { links, .. } => (None, links.as_slice()),
        };
        one.into_iter().chain(many)
    }

    /// Is it a primary controller, and since when has it been away? `None` when it is there.
    pub(super) fn away_since(&self, now: Msec) -> Option<Msec> {
        match &self.carrier {
            Carrier::Active { fsm, .. } if fsm.is_connected() => None,
            Carrier::Active { fsm, .. } => Some(fsm.stats().last_disconnected.unwrap_or(0)),
            Carrier::Passive { links, .. } if !links.is_empty() => None,
            Carrier::Passive { .. } => Some(now),
        }
    }

    /// When there is something to do though nothing arrived.
    pub(super) fn poll_at(&self, now: Msec) -> Option<Msec> {
        match &self.carrier {
            Carrier::Active { fsm, .. } => fsm.poll_at(now),
            Carrier::Passive { listener: None, retry_at, .. } => earlier(None, Some(*retry_at)),
            Carrier::Passive { .. } => None,
        }
    }

    /// The row's columns.
    pub(super) fn report(&self, state: &BridgeState, now: Msec) -> ControllerReport {
        let mut status = BTreeMap::new();
        let mut put = |k: &str, v: String| drop(status.insert(k.to_owned(), v));
        if let Some(error) = &self.last_error {
            put("last_error", error.clone());
        }
        let mut connected = self.links().next().is_some();
        if let Carrier::Active { fsm, .. } = &self.carrier {
            connected = fsm.is_connected();
            put("state", fsm.state().name().to_owned());
            let stats = fsm.stats();
            let since = |at: Msec| ((now - at).max(0) / 1_000).to_string();
            if let Some(at) = stats.last_connected {
                put("sec_since_connect", since(at));
            }
            if let Some(at) = stats.last_disconnected.filter(|at| *at != 0) {
                put("sec_since_disconnect", since(at));
            }
        }
        let id = self.links().next().map(|l| l.id);
        let conn = state.conns.iter().find(|(c, _)| Some(*c) == id);
        let role = conn.filter(|_| connected).map(|(_, c)| match c.role() {
            Role::Primary => "master",
            Role::Secondary => "slave",
            _ => "other",
        });
        ControllerReport { uuid: self.settings.uuid, connected, role, status }
    }
}
