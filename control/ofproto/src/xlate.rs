//! Translation: what the OpenFlow tables say about one packet, as datapath actions, and the bits of
//! the packet that decided it.
//!
//! | file | is |
//! | --- | --- |
//! | `ctx.rs` | the state of a translation, the walk from table to table |
//! | `actions.rs` | OpenFlow actions |
//! | `action_set.rs` | the action set's order |
//! | `fields.rs` | fields: reading, writing, prerequisites |
//! | `vlan.rs`, `mpls.rs` | tags and labels |
//! | `output.rs` | ports, patch ports, controllers, freezing |
//! | `normal.rs` | the normal pipeline |
//! | `group.rs` | groups |
//! | `select.rs` | `multipath`, `bundle` |
//! | `learn.rs` | `learn` |
//! | `commit.rs` | header changes as datapath actions |
//! | `recirc.rs` | recirculation identifiers |
//! | `credit.rs` | who is told of a megaflow's packets |
//! | `trace.rs`, `text.rs` | the record of a translation and its text |
//!
//! The mask is a security boundary: see [`weir_flow::mask`].

pub(crate) mod action_set;
mod actions;
mod commit;
pub mod credit;
pub mod ctx;
pub mod fields;
mod group;
pub mod learn;
mod mpls;
pub mod normal;
pub mod output;
pub mod recirc;
mod select;
mod text;
pub mod trace;
mod vlan;

use std::sync::Arc;

use weir_flow::action::{Action as DpAction, Actions as DpActions, SlowReasons};
use weir_flow::flow::{FRAG_ANY, FRAG_LATER, MAX_VLANS, VLAN_CFI, eth_type, ip_proto};
use weir_flow::slowpath::Translation;
use weir_flow::{DropReason, Flow, Mask, PortNo};
use weir_openflow::{Action, OfPort};

use credit::Credits;
use ctx::{Ctx, Env, Tracing, XlateError};
use trace::{Node, NodeKind, Trace};

use crate::view::{BridgeId, BridgeView};

/// The result of a translation.
#[derive(Debug)]
pub struct Outcome {
    /// Datapath actions; empty is drop.
    pub actions: DpActions,
    /// Bits that were looked at, as the datapath must compare them.
    pub mask: Mask,
    /// The same without what says how the packet's tags are stacked, which every datapath compares
    /// in its own way: for texts.
    pub examined: Mask,
    /// Why there are no actions, if there was an error.
    pub error: Option<XlateError>,
    /// The packet at the end of the pipeline.
    pub final_flow: Flow,
    /// Who is told of the packets.
    pub credits: Credits,
    /// What happened, if it was asked for.
    pub trace: Vec<Node>,
}

impl Outcome {
    /// Nothing but that the packet was not looked at.
    #[must_use]
    pub fn refusal() -> Translation {
        Translation {
            mask: Mask::CATCHALL,
            actions: Vec::new().into(),
            drop_reason: Some(DropReason::UpcallLimit),
            slow: SlowReasons::default(),
            credit: Arc::new(Credits::new(Vec::new(), Vec::new())),
        }
    }

    /// As the engine wants it.
    #[must_use]
    pub fn into_translation(self) -> Translation {
        let empty = self.actions.is_empty();
        let reason = self.error.map_or(DropReason::OfPipeline, XlateError::drop_reason);
        Translation {
            mask: self.mask,
            actions: self.actions,
            drop_reason: empty.then_some(reason),
            slow: SlowReasons::default(),
            credit: Arc::new(self.credits),
        }
    }
}

/// Where the packet to translate is.
#[derive(Clone, Copy, Debug)]
pub enum Start<'a> {
    /// It came in by its key's datapath port.
    Ingress,
    /// A controller sent it to a bridge, as if by an OpenFlow port, with these actions.
    PacketOut {
        /// The bridge.
        bridge: BridgeId,
        /// The port.
        in_port: OfPort,
        /// The actions.
        actions: &'a [Action],
    },
    /// It is looked at as if it had come in by an OpenFlow port (`ofproto/trace`).
    Port {
        /// The bridge.
        bridge: BridgeId,
        /// The port.
        in_port: OfPort,
    },
}

/// Translates the packet with this datapath key.
#[must_use]
pub fn translate(env: Env<'_>, key: &Flow, start: Start<'_>) -> Outcome {
    let mut flow = *key;
    vlan::limit(&mut flow, env.view.vlan_limit);
    let handle = match key.recirc_id.get() {
        0 => None,
        id => match env.recirc.thaw(id) {
            Some(handle) => Some(handle),
            None => return failure(key, XlateError::NoRecirculationContext),
        },
    };
    let place = match start {
        Start::PacketOut { bridge, in_port, .. } | Start::Port { bridge, in_port } => {
            env.view.bridges.get(&bridge).map(|b| (b, in_port))
        }
        Start::Ingress => env.view.ingress(PortNo(key.in_port.get())),
    };
    // A frozen packet goes on in the bridge that froze it, even if its port is another's or gone.
    let place = match &handle {
        Some(h) => env.view.bridges.get(&h.frozen.bridge).map(|b| (b, h.frozen.in_port)),
        None => place,
    };
    let Some((bridge, in_port)) = place else {
        return failure(key, XlateError::BridgeNotFound);
    };
    flow.in_port = u32::from(in_port.0).into();
    flow.actset_output = u32::from(OfPort::UNSET.0).into();
    let mut ctx = Ctx::new(env, bridge, flow);
    if env.trace != Tracing::Off {
        ctx.trace = Some(Trace::default());
    }
    ctx.wc = always_examined(key);
    ctx.enter(NodeKind::Bridge, |ctx| format!("bridge(\"{}\")", ctx.bridge.name));
    match (&handle, start) {
        (Some(handle), _) => {
            ctx.enter(NodeKind::Thaw, |_| "thaw".to_owned());
            let table = handle.frozen.table_id;
            ctx.note(NodeKind::Detail, || format!("Resuming from table {table}"));
            ctx.thaw(&handle.frozen);
            ctx.leave();
            ctx.finish_pipeline();
        }
        (None, Start::PacketOut { actions, .. }) => {
            ctx.run_packet_out(actions);
            ctx.finish_pipeline();
        }
        (None, Start::Ingress | Start::Port { .. }) => ingress(&mut ctx, bridge, in_port),
    }
    ctx.leave();
    finish(ctx, key)
}

/// A packet that came in by a port.
fn ingress(ctx: &mut Ctx<'_>, bridge: &BridgeView, in_port: OfPort) {
    let flags = bridge.ports.get(&in_port).map(|p| p.flags).unwrap_or_default();
    if ctx.may_receive(flags) {
        ctx.first_table(0);
        ctx.finish_pipeline();
    }
}

fn failure(key: &Flow, error: XlateError) -> Outcome {
    Outcome {
        actions: Vec::new().into(),
        mask: with_structure(always_examined(key), key),
        examined: always_examined(key),
        error: Some(error),
        final_flow: *key,
        credits: Credits::new(Vec::new(), Vec::new()),
        trace: Vec::new(),
    }
}

/// The bits that every megaflow compares: where the packet came from and how it is built up, so
/// that a field is where the actions will look for it.
fn always_examined(key: &Flow) -> Mask {
    let mut wc = Mask::CATCHALL;
    wc.0.in_port = u32::MAX.into();
    wc.0.recirc_id = u32::MAX.into();
    wc.0.packet_type = u32::MAX.into();
    wc.0.dl_type = u16::MAX.into();
    if key.is_ip_any() {
        wc.0.nw_frag = FRAG_ANY | FRAG_LATER;
    }
    wc
}

/// A mask of everything that this packet has.
pub(crate) fn whole(key: &Flow) -> Mask {
    let mut mask = with_structure(crate::show::flow_text::packet_mask(key), key);
    let m = &mut mask.0;
    for word in [&mut m.skb_priority, &mut m.pkt_mark, &mut m.ct_mark, &mut m.dp_hash] {
        *word = u32::MAX.into();
    }
    // The bits that there are.
    m.ct_state = 0xff.into();
    m.ct_zone = u16::MAX.into();
    m.ct_label = [0xff; 16];
    let always = always_examined(key);
    let words = mask.0.words_mut().iter_mut().zip(always.0.words());
    words.for_each(|(word, more)| *word |= more);
    mask
}

/// Adds how the packet's tags are stacked.
fn with_structure(mut mask: Mask, key: &Flow) -> Mask {
    let n = key.n_vlans();
    for (i, v) in mask.0.vlans.iter_mut().enumerate().take(MAX_VLANS) {
        if i < n {
            v.tpid = u16::MAX.into();
        }
        if i <= n {
            v.tci = (v.tci.get() | VLAN_CFI).into();
        }
    }
    mask
}

fn finish(mut ctx: Ctx<'_>, key: &Flow) -> Outcome {
    let mut examined = ctx.wc.datapath();
    narrow(&mut examined, key);
    let mask = with_structure(examined, key);
    let actions: Vec<DpAction> =
        if ctx.error.is_some() { Vec::new() } else { std::mem::take(&mut ctx.out) };
    Outcome {
        actions: actions.into(),
        mask,
        examined,
        error: ctx.error,
        final_flow: ctx.flow,
        credits: Credits::new(ctx.credits, ctx.recirculations),
        trace: ctx.trace.map(Trace::finish).unwrap_or_default(),
    }
}

/// Takes bits out of a mask that cannot differ between packets that agree in the rest: fields the
/// packet has not, given that the bits that say so are compared.
fn narrow(mask: &mut Mask, key: &Flow) {
    let m = &mut mask.0;
    let dl_type = key.dl_type.get();
    // Nothing in front of the Ethernet type depends on it, and it is always compared.
    if !mpls::is_mpls(dl_type) {
        m.mpls_lse = [0.into(); 3];
    }
    let n = key.n_vlans();
    for (i, v) in m.vlans.iter_mut().enumerate() {
        if i >= n {
            // No tag: that it is not there is all there is to compare, and always is.
            *v = vlan::tag(0, 0);
        } else if v.tci.get() != 0 {
            v.tci = (v.tci.get() | VLAN_CFI).into();
        }
    }
    let is_ip = key.is_ip_any();
    if is_ip && key.nw_frag & FRAG_LATER != 0 {
        m.tp_src = 0.into();
        m.tp_dst = 0.into();
        m.tcp_flags = 0.into();
    }
    let is_icmp = matches!(
        (dl_type, key.nw_proto),
        (eth_type::IPV4, ip_proto::ICMP) | (eth_type::IPV6, ip_proto::ICMPV6)
    );
    // Type and code have eight bits. Whether the packet is ICMP must be known for that.
    if is_ip && is_icmp && m.nw_proto == 0xff {
        m.tp_src = (m.tp_src.get() & 0xff).into();
        m.tp_dst = (m.tp_dst.get() & 0xff).into();
    }
}

#[cfg(test)]
mod group_tests;
#[cfg(test)]
mod mask_tests;
#[cfg(test)]
pub(crate) mod tests;
