//! The text of `ofproto/trace`.

use std::collections::VecDeque;

use weir_flow::action::Action as DpAction;
use weir_flow::flow::{VLAN_CFI, eth_type};
use weir_flow::odp::{Style, format_actions};
use weir_flow::{Flow, PortNo};
use weir_openflow::{Actions, NameMap, OfPort};

use super::flow_text;
use crate::Switch;
use crate::view::BridgeId;
use crate::xlate::ctx::Tracing;
use crate::xlate::{Outcome, Start, trace};

/// Most recirculations that one trace follows.
const MAX_RECIRCULATIONS: usize = 4096;

/// What to trace.
#[derive(Clone, Debug)]
pub struct Request {
    /// The bridge.
    pub bridge: BridgeId,
    /// The packet's flow, `in_port` an OpenFlow port.
    pub flow: Flow,
    /// Where the packet comes from.
    pub packet: Packet,
    /// Let the packet teach, as if it had come (`-generate` or a packet).
    pub side_effects: bool,
    /// Write names of ports instead of numbers.
    pub names: bool,
}

/// Where a traced packet comes from.
#[derive(Clone, Debug)]
pub enum Packet {
    /// It came in by its flow's port.
    Received,
    /// A controller sent it with these actions.
    Sent(Actions),
}

/// What the reports of one trace share.
struct Shown<'a> {
    names: Option<&'a NameMap>,
    style: Style<'a>,
}

/// Traces a packet through the tables.
#[must_use]
pub fn trace(switch: &Switch, request: &Request, now_ms: u64) -> String {
    let mut request = request.clone();
    for tag in &mut request.flow.vlans {
        // A tag that was written without its type.
        if tag.tci.get() & VLAN_CFI != 0 && tag.tpid.get() == 0 {
            tag.tpid = eth_type::VLAN_8021Q.into();
        }
    }
    let guard = weir_rcu::pin();
    let names = switch
        .view(&guard)
        .bridges
        .get(&request.bridge)
        .map(|b| b.port_names.clone())
        .filter(|_| request.names);
    let in_port = OfPort(request.flow.in_port.get() as u16);
    let mut out = format!("Flow: {}\n", flow_text::packet(&request.flow, names.as_ref()));
    let tracing = if request.names { Tracing::Names } else { Tracing::Numbers };
    let bridge = request.bridge;
    let start = match &request.packet {
        Packet::Received => Start::Port { bridge, in_port },
        Packet::Sent(actions) => Start::PacketOut { bridge, in_port, actions },
    };
    let name_of = |no: PortNo| {
        let (bridge, port) = switch.view(&guard).ingress(no)?;
        Some(bridge.ports.get(&port)?.name.clone())
    };
    let style = Style { names: request.names.then_some(&name_of as _), ..Style::default() };
    let shown = Shown { names: names.as_ref(), style };
    let outcome =
        switch.translate_key(&guard, &request.flow, start, now_ms, request.side_effects, tracing);
    let mut pending = VecDeque::new();
    report(&mut out, &request.flow, &outcome, &shown, &mut pending);
    let mut followed = 0;
    while let Some((id, flow)) = pending.pop_front() {
        followed += 1;
        if followed > MAX_RECIRCULATIONS {
            break;
        }
        let line = "=".repeat(79);
        let mut key = flow;
        key.recirc_id = id.into();
        out.push_str(&format!("\n\n{line}\nrecirc({id:#x})\n{line}\n\n"));
        let copy = Flow { in_port: request.flow.in_port, ..key };
        out.push_str(&format!("Flow: {}\n", flow_text::packet(&copy, names.as_ref())));
        let next = switch.translate_key(&guard, &key, start, now_ms, request.side_effects, tracing);
        report(&mut out, &copy, &next, &shown, &mut pending);
    }
    out
}

fn report(
    out: &mut String,
    initial: &Flow,
    outcome: &Outcome,
    shown: &Shown<'_>,
    pending: &mut VecDeque<(u32, Flow)>,
) {
    out.push_str(&trace::format(&outcome.trace));
    out.push_str("\nFinal flow: ");
    let start = Flow { actset_output: u32::from(OfPort::UNSET.0).into(), ..*initial };
    if outcome.final_flow == start {
        out.push_str("unchanged");
    } else {
        out.push_str(&flow_text::packet(&outcome.final_flow, shown.names));
    }
    let megaflow = flow_text::megaflow(initial, &outcome.examined, shown.names);
    out.push_str(&format!("\nMegaflow: {megaflow}\nDatapath actions: "));
    out.push_str(&format_actions(&outcome.actions, &shown.style));
    if let Some(error) = outcome.error {
        out.push_str(&format!("\nTranslation failed ({error}), packet is dropped."));
    }
    let mut flow = outcome.final_flow;
    flow.in_port = initial.in_port;
    recirculations(&outcome.actions, &flow, pending);
}

/// The identifiers with which copies of the packet come back.
fn recirculations(actions: &[DpAction], flow: &Flow, pending: &mut VecDeque<(u32, Flow)>) {
    for (i, action) in actions.iter().enumerate() {
        // What a hash will be is not known.
        let hashed = i > 0 && matches!(actions.get(i - 1), Some(DpAction::Hash { .. }));
        match action {
            DpAction::Recirc(_) if hashed => {}
            DpAction::Recirc(id) => pending.push_back((*id, clean(flow))),
            DpAction::Clone(list) | DpAction::Sample { actions: list, .. } => {
                recirculations(list, flow, pending);
            }
            _ => {}
        }
    }
}

/// A flow without what the pipeline added to the packet.
fn clean(flow: &Flow) -> Flow {
    let mut key = *flow;
    key.words_mut()[weir_flow::flow::KEY_WORDS..].fill(0);
    key
}
