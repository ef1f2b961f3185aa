//! `ofproto/trace` and `ofproto/trace-packet-out`: what would become of a packet.

use std::sync::Arc;

use weir_flow::packet::{Metadata, parse};
use weir_flow::{Flow, PortNo, odp};
use weir_ofproto::Bridge;
use weir_ofproto::flows::{check_for_packet, packet_match};
use weir_ofproto::show::trace::{Packet, Request, trace};
use weir_openflow::actions::{CheckContext, ParseContext, check_consistency, parse_actions};
use weir_openflow::flow_text::match_parse::parse_item;
use weir_openflow::{Match, NameMap, OfPort};
use weir_runtime::unixctl::{CommandResult, Commands, Outcome};

use crate::switchd::Switchd;

pub(super) fn register(commands: &mut Commands<Switchd>) {
    let usage = "{[dp_name] odp_flow | bridge br_flow} [OPTIONS...] [-generate|packet]";
    commands.add("ofproto/trace", usage, 1, usize::MAX, |s: &mut Switchd, args| {
        let line = Line::parse(args)?;
        let packet = line.packet(s, OfPort(0))?;
        show(s, &line, packet)
    });
    let usage = "[-consistent] {[dp_name] odp_flow | bridge br_flow} [OPTIONS...] \
                 [-generate|packet] actions";
    commands.add("ofproto/trace-packet-out", usage, 2, usize::MAX, |s: &mut Switchd, args| {
        let (actions, args) = args.split_last().ok_or("no actions are given")?;
        let line = Line::parse(args)?;
        let mut packet = line.packet(s, OfPort::NONE)?;
        let (names, groups) = {
            let state = packet.bridge.lock();
            (state.port_names(), state.flows.set().groups.clone())
        };
        let mut cx = ParseContext::new(Some(&names), None);
        let mut list = parse_actions(actions, &mut cx).map_err(|e| e.to_string())?;
        let bad = |e| format!("Bad actions: {e}");
        check_for_packet(&packet.flow, &mut list, &groups).map_err(bad)?;
        if line.consistent {
            let needed = cx.usable;
            let mut cx = CheckContext::new(packet_match(&packet.flow), 0);
            check_consistency(&mut list, needed, &mut cx).map_err(bad)?;
        }
        packet.actions = Some(list);
        show(s, &line, packet)
    });
}

/// A packet, and where it is.
struct Found {
    bridge: Arc<Bridge>,
    flow: Flow,
    actions: Option<weir_openflow::Actions>,
}

fn show(s: &Switchd, line: &Line<'_>, found: Found) -> CommandResult {
    let request = Request {
        bridge: found.bridge.id,
        flow: found.flow,
        packet: match found.actions {
            Some(actions) => Packet::Sent(actions),
            None => Packet::Received,
        },
        side_effects: line.generate || line.hex.is_some(),
        names: line.names,
    };
    Outcome::text(trace(&s.switch, &request, s.now_ms()))
}

/// The words of a command.
#[derive(Debug, Default)]
struct Line<'a> {
    /// Datapath or bridge.
    place: Option<&'a str>,
    flow: &'a str,
    /// The packet's bytes.
    hex: Option<Vec<u8>>,
    generate: bool,
    consistent: bool,
    names: bool,
}

impl<'a> Line<'a> {
    fn parse(args: &'a [String]) -> Result<Self, String> {
        let mut line = Self::default();
        let mut words = Vec::new();
        let mut rest = args.iter();
        while let Some(arg) = rest.next() {
            match arg.as_str() {
                "-generate" | "--generate" => line.generate = true,
                "-consistent" | "--consistent" => line.consistent = true,
                "--names" => line.names = true,
                "--no-names" => line.names = false,
                option @ ("--ct-next" | "--l7" | "--l7-len") => {
                    rest.next().ok_or_else(|| format!("Missing argument for option {option}"))?;
                }
                option if option.starts_with('-') => {
                    return Err(format!("{option}: unknown option"));
                }
                word => words.push(word),
            }
        }
        match words[..] {
            [flow] => line.flow = flow,
            [flow, last] if line.hex_of(last).is_ok() => line.flow = flow,
            [place, flow] => (line.place, line.flow) = (Some(place), flow),
            [place, flow, packet] => {
                line.hex_of(packet)?;
                (line.place, line.flow) = (Some(place), flow);
            }
            [] => return Err("Must specify at least a bridge or a flow".to_owned()),
            _ => return Err("too many arguments".to_owned()),
        }
        Ok(line)
    }

    /// Takes the bytes of a packet.
    fn hex_of(&mut self, hex: &str) -> Result<(), String> {
        let digits: Option<Vec<u8>> =
            hex.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect();
        let digits = digits.filter(|d| d.len().is_multiple_of(2) && !d.is_empty());
        let digits = digits.ok_or("Trailing garbage in packet data")?;
        if digits.len() < 28 {
            return Err("Packet data too short for Ethernet".to_owned());
        }
        self.hex = Some(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect());
        Ok(())
    }

    /// Finds the bridge and the flow. A flow of the datapath has its brackets; `no_port` is the port
    /// of a bridge's flow that names none.
    fn packet(&self, s: &Switchd, no_port: OfPort) -> Result<Found, String> {
        let by_name = |name: &str| s.ports.get(name).map(|p| p.no);
        let (bridge, flow) = match odp::parse_key(self.flow, Some(&by_name)) {
            Ok(key) => {
                let own = s.dp_name();
                let plain = own.split('@').next_back().unwrap_or_default();
                if s.engine.is_none() || self.place.is_some_and(|p| p != own && p != plain) {
                    return Err("Cannot find the datapath".to_owned());
                }
                at_datapath_port(s, key.flow)?
            }
            Err(error) => {
                let place = self
                    .place
                    .ok_or_else(|| format!("{error} (or the bridge name was omitted)"))?;
                let bridge = s.switch.bridge(place);
                let bridge = bridge.ok_or_else(|| format!("{place}: unknown bridge"))?;
                let names = bridge.lock().port_names();
                let flow = exact_flow(self.flow, &names, no_port)?;
                (bridge, flow)
            }
        };
        let flow = match &self.hex {
            Some(bytes) => {
                let metadata = Metadata { in_port: flow.in_port.get(), ..Metadata::default() };
                parse(bytes, &metadata).flow
            }
            None => flow,
        };
        Ok(Found { bridge, flow, actions: None })
    }
}

/// The bridge of a datapath flow's port, and the flow as that bridge sees it.
fn at_datapath_port(s: &Switchd, mut flow: Flow) -> Result<(Arc<Bridge>, Flow), String> {
    let no = PortNo(flow.in_port.get());
    let guard = weir_rcu::pin();
    let found = s.switch.view(&guard).ingress(no).map(|(b, port)| (b.name.clone(), port));
    let (name, port) =
        found.ok_or_else(|| format!("no OpenFlow port for datapath port {}", no.0))?;
    let bridge = s.switch.bridge(&name).ok_or_else(|| format!("{name}: unknown bridge"))?;
    flow.in_port = u32::from(port.0).into();
    Ok((bridge, flow))
}

/// A flow in the syntax of `ovs-ofctl`; what it does not say is zero.
fn exact_flow(text: &str, names: &NameMap, no_port: OfPort) -> Result<Flow, String> {
    let mut m = Match::default();
    for item in text.split([',', ' ', '\t', '\n']).filter(|i| !i.is_empty()) {
        let (name, value) = item.split_once('=').unwrap_or((item, ""));
        if parse_item(&mut m, name, value, Some(names)).map_err(|e| e.to_string())?.is_none() {
            return Err(format!("Bad openflow flow syntax: {text}: unknown field {name}"));
        }
    }
    if m.mask.0.in_port.get() == 0 {
        m.flow.in_port = u32::from(no_port.0).into();
    }
    Ok(m.flow)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn the_last_word_may_be_a_packet() {
        let packet = "ffffffffffff5054000000010806";
        let args = words(&format!("br0 in_port=1 {packet} --names"));
        let line = Line::parse(&args).unwrap();
        assert_eq!((line.place, line.flow), (Some("br0"), "in_port=1"));
        assert_eq!(line.hex.map(|h| h.len()), Some(14));
        assert!(line.names);
        let args = words(&format!("in_port(1) {packet}"));
        assert_eq!(Line::parse(&args).unwrap().place, None);
        let error = |text: &str| Line::parse(&words(text)).unwrap_err();
        assert_eq!(error("x y z"), "Trailing garbage in packet data");
        assert_eq!(error("a b c d"), "too many arguments");
        assert_eq!(error("--ct-next"), "Missing argument for option --ct-next");
        assert_eq!(error("--frob br0 in_port=1"), "--frob: unknown option");
    }

    #[test]
    fn what_a_flow_does_not_say_is_zero_but_its_port() {
        let names = NameMap::default();
        let flow = exact_flow("tcp,nw_ttl=3", &names, OfPort::NONE).unwrap();
        assert_eq!(flow.in_port.get(), u32::from(OfPort::NONE.0));
        assert_eq!((flow.nw_proto, flow.nw_ttl), (6, 3));
        let error = exact_flow("frob=1", &names, OfPort(0)).unwrap_err();
        assert_eq!(error, "Bad openflow flow syntax: frob=1: unknown field frob");
    }
}
