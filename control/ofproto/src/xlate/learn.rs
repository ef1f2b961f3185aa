//! The `learn` action: makes a flow from a packet.

use std::fmt::Debug;

use weir_flow::{Flow, Mask};
use weir_openflow::actions::action::{
    LearnAction, LearnDestination, LearnSource, SetFieldAction, SetFieldForm,
};
use weir_openflow::matching::FieldValue;
use weir_openflow::{Action, Actions, Match, OfPort};

use super::fields::{self, low_bits};
use crate::view::BridgeId;

/// A flow that a packet taught.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Learned {
    /// The bridge that learns it.
    pub bridge: BridgeId,
    /// Its table.
    pub table_id: u8,
    /// Its priority.
    pub priority: u16,
    /// Its cookie.
    pub cookie: u64,
    /// Seconds, 0 for none.
    pub idle_timeout: u16,
    /// Seconds, 0 for none.
    pub hard_timeout: u16,
    /// `OFPFF_*`
    pub flags: u16,
    /// Most flows with this cookie and table, 0 for no limit.
    pub limit: u32,
    /// What it matches.
    pub matching: Match,
    /// What it does.
    pub actions: Actions,
}

/// Takes flows that packets taught. Called on PMD threads: it must not wait.
pub trait LearnSink: Send + Sync + Debug {
    /// Adds the flow, or keeps it from timing out if it is there.
    fn learn(&self, learned: &Learned, now_ms: u64);

    /// Is the flow's limit not reached yet, or the flow there already?
    fn has_room(&self, learned: &Learned) -> bool;
}

/// `OFPFF_SEND_FLOW_REM` among `learn`'s flags.
const SEND_FLOW_REM: u16 = 1;

/// The flow that `action` makes of a packet. Adds what it reads to `wc`.
#[must_use]
pub fn execute(action: &LearnAction, bridge: BridgeId, flow: &Flow, wc: &mut Mask) -> Learned {
    let mut matching = Match::catchall();
    let mut actions = Vec::new();
    for spec in &action.specs {
        let value = match &spec.src {
            LearnSource::Field(sub) => {
                fields::examine_sub(sub, wc);
                fields::read(sub, flow)
            }
            LearnSource::Immediate(v) => v.as_u128() & low_bits(spec.n_bits),
        };
        match &spec.dst {
            LearnDestination::Match(dst) => {
                let field = dst.field.field();
                let bytes = usize::from(field.bytes);
                let (old, old_mask) = matching.get(field);
                let mask = low_bits(dst.n_bits) << dst.ofs;
                let value = old.as_u128() & !mask | value << dst.ofs & mask;
                matching.set(
                    field,
                    &FieldValue::from_u128(value, bytes),
                    &FieldValue::from_u128(old_mask.as_u128() | mask, bytes),
                );
            }
            LearnDestination::Load(dst) => {
                let field = dst.field.field();
                let mask = low_bits(dst.n_bits) << dst.ofs;
                actions.push(Action::SetField(Box::new(SetFieldAction {
                    field: dst.field,
                    value: FieldValue::of(field, value << dst.ofs & mask),
                    mask: FieldValue::of(field, mask),
                    flow_has_vlan: false,
                    form: SetFieldForm::RegLoad,
                })));
            }
            LearnDestination::Output => {
                let port = OfPort(value as u16);
                if port.0 < OfPort::MAX.0 || is_learnable(port) {
                    actions.push(Action::Output { port, max_len: 0 });
                }
            }
        }
    }
    if action.fin_idle_timeout != 0 || action.fin_hard_timeout != 0 {
        let fin =
            Action::FinTimeout { idle: action.fin_idle_timeout, hard: action.fin_hard_timeout };
        actions.insert(0, fin);
    }
    Learned {
        bridge,
        table_id: action.table_id,
        priority: action.priority,
        cookie: action.cookie,
        idle_timeout: action.idle_timeout,
        hard_timeout: action.hard_timeout,
        flags: action.flags & SEND_FLOW_REM,
        limit: action.limit,
        matching,
        actions,
    }
}

fn is_learnable(port: OfPort) -> bool {
    matches!(port, OfPort::IN_PORT | OfPort::FLOOD | OfPort::LOCAL | OfPort::ALL | OfPort::NORMAL)
}
