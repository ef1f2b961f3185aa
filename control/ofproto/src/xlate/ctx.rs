//! [`Ctx`]: the state of one translation, and the walk from table to table.

use std::sync::Arc;

use weir_flow::action::{Action as DpAction, HashAlgorithm};
use weir_flow::flow::FRAG_ANY;
use weir_flow::{DropReason, Flow, Mask};
use weir_openflow::matching::FieldValue;
use weir_openflow::{Action, Actions, NameMap, OfPort};
use weir_rcu::Guard;

use super::credit::CreditEntry;
use super::learn::LearnSink;
use super::recirc::{RecircHandle, RecircTable, Step};
use super::trace::{NodeKind, Trace};
use crate::table::Rule;
use crate::view::{
    ASKS_CONTROLLER, BridgeView, DROPS_FRAGMENT, DROPS_MISS, INTERNAL_TABLE, SwitchView, TableMiss,
    TableSet,
};

/// Deepest nesting of resubmits that go to the same or an earlier table.
pub const MAX_DEPTH: u32 = 64;
/// Most resubmits for one packet.
pub const MAX_RESUBMITS: u32 = 64 * 64;
/// Most bytes on the stack.
const MAX_STACK: usize = 65536;
/// Most datapath actions of one packet.
const MAX_ACTIONS: usize = 4096;

/// Why a translation failed. The packet is dropped then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum XlateError {
    #[error("Bridge not found")]
    BridgeNotFound,
    #[error("Recursion too deep")]
    RecursionTooDeep,
    #[error("Too many resubmits")]
    TooManyResubmits,
    #[error("Stack too deep")]
    StackTooDeep,
    #[error("No recirculation context")]
    NoRecirculationContext,
    #[error("Recirculation conflict")]
    RecirculationConflict,
    #[error("Too many MPLS labels")]
    TooManyMplsLabels,
    #[error("Invalid tunnel metadata")]
    UnsupportedPacketType,
    #[error("Forwarding disabled")]
    ForwardingDisabled,
}

impl XlateError {
    /// The counter of packets dropped for it.
    #[must_use]
    pub fn drop_reason(self) -> DropReason {
        match self {
            Self::BridgeNotFound => DropReason::BridgeNotFound,
            Self::RecursionTooDeep => DropReason::RecursionTooDeep,
            Self::TooManyResubmits => DropReason::TooManyResubmits,
            Self::StackTooDeep => DropReason::StackTooDeep,
            Self::NoRecirculationContext => DropReason::NoRecirculationContext,
            Self::RecirculationConflict => DropReason::RecirculationConflict,
            Self::TooManyMplsLabels => DropReason::TooManyMplsLabels,
            Self::UnsupportedPacketType => DropReason::UnsupportedPacketType,
            Self::ForwardingDisabled => DropReason::ForwardingDisabled,
        }
    }
}

/// Is a translation recorded?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tracing {
    /// No.
    Off,
    /// With numbers of ports.
    Numbers,
    /// With names of ports.
    Names,
}

/// What a translation may use and change besides its own state.
#[derive(Clone, Copy, Debug)]
pub struct Env<'a> {
    /// The bridges.
    pub view: &'a SwitchView,
    /// Keeps tables alive.
    pub guard: &'a Guard,
    /// Recirculation identifiers.
    pub recirc: &'a RecircTable,
    /// Where learned flows go.
    pub learner: &'a Arc<dyn LearnSink>,
    /// May a packet teach (addresses, flows)? Not when it is only traced.
    pub side_effects: bool,
    /// Is the packet sent by a controller?
    pub packet_out: bool,
    /// Is it recorded what happens?
    pub trace: Tracing,
    /// Monotonic milliseconds.
    pub now_ms: u64,
}

impl Env<'_> {
    /// Does the packet teach at once? What a controller sends does so when it is on its way.
    pub(super) fn teaches(&self) -> bool {
        self.side_effects && !self.packet_out
    }
}

/// Whose actions are being executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Cookie of the flow, all ones if there is none.
    pub cookie: u64,
    /// Is it a table-miss flow (priority 0, matching everything)?
    pub table_miss: bool,
}

impl Origin {
    /// Not a flow's.
    pub const NONE: Self = Self { cookie: u64::MAX, table_miss: false };

    fn of(rule: &Rule) -> Self {
        let table_miss = rule.priority == 0 && rule.mask.words().is_empty();
        Self { cookie: rule.cookie, table_miss }
    }
}

/// See the [module documentation](self).
#[derive(Debug)]
pub struct Ctx<'a> {
    pub(super) env: Env<'a>,
    pub(super) bridge: &'a Arc<BridgeView>,
    pub(super) tables: &'a TableSet,
    /// The packet as the pipeline has made it. `in_port` is an OpenFlow port.
    pub(super) flow: Flow,
    /// The packet as it is on the wire, after the datapath actions so far.
    pub(super) base: Flow,
    /// Every bit of the original packet that was looked at.
    pub(super) wc: Mask,
    pub(super) out: Vec<DpAction>,
    pub(super) table_id: u8,
    pub(super) origin: Origin,
    /// The flow whose actions are executed; for `fin_timeout`.
    pub(super) rule: Option<Arc<Rule>>,
    pub(super) depth: u32,
    pub(super) resubmits: u32,
    pub(super) stack: Vec<FieldValue>,
    pub(super) stack_bytes: usize,
    pub(super) action_set: Actions,
    pub(super) in_action_set: bool,
    /// Are the actions a bucket's?
    pub(super) in_bucket: bool,
    /// `skb_priority` before `set_queue`.
    pub(super) original_priority: u32,
    /// Number of tags of the original packet.
    pub(super) original_vlans: usize,
    pub(super) exit: bool,
    pub(super) error: Option<XlateError>,
    /// Labels were popped: what is below them is not known.
    pub(super) was_mpls: bool,
    /// Translation stops here and goes on when the packet comes back: what is left to do.
    pub(super) freezing: Option<Vec<Step>>,
    /// The hash that the datapath is to compute before the packet comes back.
    pub(super) hash_wanted: Option<(HashAlgorithm, u32)>,
    /// Has it computed one? A packet that was not recirculated has one only if a trace says so.
    pub(super) hashed: bool,
    pub(super) credits: Vec<CreditEntry>,
    pub(super) recirculations: Vec<Arc<RecircHandle>>,
    pub(super) trace: Option<Trace>,
}

/// What a table has for a packet.
enum Found {
    Rule(Arc<Rule>),
    /// No flow: to the controller.
    MissController,
    /// No flow: drop.
    MissDrop,
    /// The bridge drops fragments.
    FragmentDrop,
}

impl Found {
    fn origin(&self) -> Origin {
        match self {
            Self::Rule(rule) => Origin::of(rule),
            _ => Origin::NONE,
        }
    }
}

/// `OFPC_FRAG_DROP`
const FRAGMENTS_DROP: u8 = 1;
/// `OFPC_FRAG_NX_MATCH`
const FRAGMENTS_MATCH: u8 = 3;

impl<'a> Ctx<'a> {
    /// A translation of a packet that is at a bridge's port.
    pub(super) fn new(env: Env<'a>, bridge: &'a Arc<BridgeView>, flow: Flow) -> Self {
        Self {
            env,
            bridge,
            tables: bridge.shared.tables(env.guard),
            base: flow,
            original_priority: flow.skb_priority.get(),
            original_vlans: flow.n_vlans(),
            flow,
            wc: Mask::CATCHALL,
            out: Vec::new(),
            table_id: 0,
            origin: Origin::NONE,
            rule: None,
            depth: 0,
            resubmits: 0,
            stack: Vec::new(),
            stack_bytes: 0,
            action_set: Vec::new(),
            in_action_set: false,
            in_bucket: false,
            exit: false,
            error: None,
            was_mpls: false,
            freezing: None,
            hash_wanted: None,
            hashed: flow.dp_hash.get() != 0 && flow.recirc_id.get() == 0,
            credits: Vec::new(),
            recirculations: Vec::new(),
            trace: None,
        }
    }

    /// Moves on to another bridge.
    pub(super) fn enter_bridge(&mut self, bridge: &'a Arc<BridgeView>) {
        self.bridge = bridge;
        self.tables = bridge.shared.tables(self.env.guard);
    }

    /// The port by which the packet came into the bridge, as flows see it.
    pub(super) fn in_port(&self) -> OfPort {
        OfPort(self.flow.in_port.get() as u16)
    }

    /// Names of ports, if the trace is to have them.
    pub(super) fn names(&self) -> Option<&'a NameMap> {
        (self.env.trace == Tracing::Names).then_some(&self.bridge.port_names)
    }

    /// Adds a line to the trace, if there is one.
    pub(super) fn note(&mut self, kind: NodeKind, text: impl FnOnce() -> String) {
        if let Some(t) = &mut self.trace {
            t.leaf(kind, text());
        }
    }

    /// Adds a line to the trace that what follows belongs to, until [`Ctx::leave`].
    pub(super) fn enter(&mut self, kind: NodeKind, text: impl FnOnce(&Self) -> String) {
        if self.trace.is_some() {
            let text = text(self);
            if let Some(t) = &mut self.trace {
                t.enter(kind, text);
            }
        }
    }

    pub(super) fn leave(&mut self) {
        if let Some(t) = &mut self.trace {
            t.leave();
        }
    }

    /// Stops the translation: the packet will be dropped.
    pub(super) fn fail(&mut self, error: XlateError, text: impl FnOnce() -> String) {
        self.error = Some(error);
        self.note(NodeKind::Error, text);
    }

    /// Commits header changes to datapath actions.
    pub(super) fn commit(&mut self) {
        let (n_vlans, popped) = (self.original_vlans, self.was_mpls);
        let (base, wc) = (&mut self.base, &mut self.wc);
        super::commit::commit(&self.flow, base, n_vlans, popped, wc, &mut self.out);
    }

    /// Looks the packet up in a table and executes what it finds. `in_port` is what flows of that
    /// table see. With `miss` the table's setting for packets without a flow counts, else such
    /// packets are dropped.
    pub(super) fn table(
        &mut self,
        in_port: OfPort,
        table_id: u8,
        miss: bool,
        last: bool,
        run: RunActions<'a>,
    ) {
        if !self.may_resubmit() {
            return;
        }
        let old_table = self.table_id;
        let deepens = table_id <= old_table;
        let old_port = std::mem::replace(&mut self.flow.in_port, u32::from(in_port.0).into());
        let (table_id, found) = self.lookup(table_id, in_port, miss);
        self.flow.in_port = old_port;
        self.table_id = table_id;
        self.depth += u32::from(deepens);
        self.resubmits += 1;
        self.execute(found, last, run);
        self.depth -= u32::from(deepens);
        self.table_id = old_table;
    }

    /// The first lookup of a packet.
    pub(super) fn first_table(&mut self, table_id: u8) {
        let (table_id, found) = self.lookup(table_id, self.in_port(), true);
        self.table_id = table_id;
        let origin = found.origin();
        self.execute(found, true, Self::run);
        // The action set is still the first flow's.
        self.origin = origin;
    }

    fn execute(&mut self, found: Found, last: bool, run: RunActions<'a>) {
        let old_origin = self.origin;
        let old_rule = self.rule.take();
        let in_bucket = std::mem::take(&mut self.in_bucket);
        self.enter(NodeKind::Table, |ctx| ctx.describe(&found));
        match found {
            Found::Rule(rule) => {
                self.origin = Origin::of(&rule);
                self.credits.push(CreditEntry::Rule { stats: rule.stats.clone() });
                let actions = rule.actions.clone();
                self.rule = Some(rule);
                run(self, &actions.list, last);
            }
            Found::MissController => {
                self.origin = Origin::NONE;
                let text = || "CONTROLLER:65535".to_owned();
                self.note(NodeKind::Action, text);
                self.miss_packet_in();
            }
            Found::MissDrop | Found::FragmentDrop => {
                self.note(NodeKind::Action, || "drop".to_owned());
            }
        }
        self.leave();
        self.origin = old_origin;
        self.rule = old_rule;
        self.in_bucket = in_bucket;
    }

    fn describe(&self, found: &Found) -> String {
        let what = match found {
            Found::MissController => "No match, and a \"packet-in\" is called for.".to_owned(),
            Found::MissDrop => "No match.".to_owned(),
            Found::FragmentDrop => {
                "Packets are IP fragments and the fragment handling mode is \"drop\".".to_owned()
            }
            Found::Rule(rule) => {
                let mut text = rule.to_match().display(0x8000, self.names()).to_string();
                if !text.is_empty() {
                    text.push_str(", ");
                }
                text.push_str(&format!("priority {}", rule.priority));
                if rule.cookie != 0 {
                    text.push_str(&format!(", cookie {:#x}", rule.cookie));
                }
                text
            }
        };
        format!("{:2}. {what}", self.table_id)
    }

    /// Finds the flow for the packet as it is now, going on to the next table where a table's miss
    /// setting says so.
    fn lookup(&mut self, mut table_id: u8, in_port: OfPort, miss: bool) -> (u8, Found) {
        // Ports of fragments are not looked at: the first one has them, the others do not.
        let hidden = (self.flow.tp_src, self.flow.tp_dst);
        if self.flow.nw_frag & FRAG_ANY != 0 {
            match self.bridge.shared.fragments() {
                FRAGMENTS_DROP => {
                    self.credit_internal(DROPS_FRAGMENT);
                    return (table_id, Found::FragmentDrop);
                }
                FRAGMENTS_MATCH => {}
                _ => {
                    self.flow.tp_src = 0.into();
                    self.flow.tp_dst = 0.into();
                }
            }
        }
        let found = loop {
            let table = self.tables.get(table_id);
            let rule = table.and_then(|t| t.lookup(&self.flow, &mut self.wc)).cloned();
            self.credits.push(CreditEntry::Table {
                bridge: self.bridge.shared.clone(),
                id: table_id,
                found: rule.is_some(),
            });
            if let Some(rule) = rule {
                break Found::Rule(rule);
            }
            if !miss {
                break Found::MissDrop;
            }
            match self.miss_setting(table_id, in_port) {
                TableMiss::Continue if table_id + 1 < INTERNAL_TABLE => table_id += 1,
                TableMiss::Controller => {
                    self.credit_internal(ASKS_CONTROLLER);
                    break Found::MissController;
                }
                _ => {
                    self.credit_internal(DROPS_MISS);
                    break Found::MissDrop;
                }
            }
        };
        (self.flow.tp_src, self.flow.tp_dst) = hidden;
        (table_id, found)
    }

    /// Counts the packet for the flow of the internal table that stands for what becomes of it.
    fn credit_internal(&mut self, what: u32) {
        let mut key = Flow { recirc_id: 1.into(), ..Flow::ZERO };
        key.regs[0] = what.into();
        let table = self.tables.get(INTERNAL_TABLE);
        if let Some(rule) = table.and_then(|t| t.lookup(&key, &mut Mask::CATCHALL.clone())) {
            self.credits.push(CreditEntry::Rule { stats: rule.stats.clone() });
        }
    }

    fn miss_setting(&self, table_id: u8, in_port: OfPort) -> TableMiss {
        use std::sync::atomic::Ordering;

        use crate::ports::PortFlags;
        let setting = match self.tables.miss(table_id) {
            TableMiss::Default if self.bridge.shared.miss_to_controller.load(Ordering::Relaxed) => {
                TableMiss::Controller
            }
            other => other,
        };
        let silent =
            self.bridge.ports.get(&in_port).is_some_and(|p| p.flags.has(PortFlags::NO_PACKET_IN));
        if setting == TableMiss::Controller && silent { TableMiss::Drop } else { setting }
    }

    pub(super) fn may_resubmit(&mut self) -> bool {
        if self.depth >= MAX_DEPTH {
            self.fail(XlateError::RecursionTooDeep, || {
                format!("over max translation depth {MAX_DEPTH}")
            });
        } else if self.resubmits >= MAX_RESUBMITS {
            self.fail(XlateError::TooManyResubmits, || {
                format!("over {MAX_RESUBMITS} resubmit actions")
            });
        } else if self.stack_bytes >= MAX_STACK {
            self.fail(XlateError::StackTooDeep, || {
                "resubmits yielded over 64 kB of stack".to_owned()
            });
        } else if self.out.len() > MAX_ACTIONS {
            self.note(NodeKind::Error, || "resubmits yielded over 64 kB of actions".to_owned());
            self.exit = true;
        } else {
            return true;
        }
        false
    }
}

/// How the actions of a flow are executed: plainly, or as on a copy of the packet. The last argument
/// says that nothing else follows, so that a copy need not be made.
pub(super) type RunActions<'a> = for<'x, 'y> fn(&'x mut Ctx<'a>, &'y [Action], bool);
