//! `packet-out`: sends packets through a switch.

use weir_openflow::actions::{ParseContext, parse_actions};
use weir_openflow::flow_text::match_parse::parse_item;
use weir_openflow::matching::Match;
use weir_openflow::message::Message;
use weir_openflow::messages::packet_out::{PacketOut, ethernet_from};
use weir_openflow::value_text::key_value::KeyValues;
use weir_openflow::{NameMap, OfPort, Protocols};
use weir_runtime::program::Fatal;

use super::flow_format::open_for_flow_mod;
use super::names;
use super::vconn::encode_in;
use super::{Settings, fatal};

/// Bytes of an Ethernet header.
const ETH_HEADER_LEN: usize = 14;

/// A packet in hexadecimal digits, with spaces as one likes.
fn packet(text: &str) -> Result<Vec<u8>, String> {
    let digits: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
    let mut bytes = Vec::new();
    for pair in digits.chunks(2) {
        let byte = match pair {
            [a, b] => a.to_digit(16).zip(b.to_digit(16)).map(|(a, b)| (a << 4 | b) as u8),
            _ => None,
        };
        bytes.push(byte.ok_or("Trailing garbage in packet data")?);
    }
    if bytes.len() < ETH_HEADER_LEN {
        return Err("Packet data too short for Ethernet".to_owned());
    }
    Ok(bytes)
}

/// Ports that a packet may come from.
fn is_source(port: OfPort) -> bool {
    port <= OfPort::MAX || [OfPort::LOCAL, OfPort::NONE, OfPort::CONTROLLER].contains(&port)
}

fn set_in_port(m: &mut Match, port: OfPort) {
    m.flow.in_port = u32::from(port.0).into();
    m.mask.0.in_port = u32::MAX.into();
}

/// `in_port=1,packet=HEX,actions=2`
pub(super) fn parse(
    text: &str,
    ports: Option<&NameMap>,
    tables: Option<&NameMap>,
) -> Result<(PacketOut, Protocols), Fatal> {
    let (head, actions) = match text.find("action") {
        Some(at) => {
            let (head, tail) = text.split_at(at);
            let tail = tail.trim_start_matches("actions").trim_start_matches("action");
            (head, Some(tail.trim_start_matches(['=', ':', ' '])))
        }
        None => (text, None),
    };
    let mut po = PacketOut {
        buffer_id: None,
        metadata: Match::catchall(),
        actions: Vec::new(),
        packet: Vec::new(),
    };
    set_in_port(&mut po.metadata, OfPort::CONTROLLER);
    let mut usable = Protocols::ANY;
    for (name, value) in KeyValues::new(head.trim_end_matches([',', ' '])) {
        if value.is_empty() {
            return fatal(format!("field {name} missing value"));
        }
        match name {
            "in_port" => {
                let Some(port) = OfPort::parse(value, ports) else {
                    return fatal(format!("{value} is not a valid OpenFlow port"));
                };
                if !is_source(port) {
                    return fatal(format!("{value} is not a valid OpenFlow port for PACKET_OUT"));
                }
                set_in_port(&mut po.metadata, port);
            }
            "packet" => {
                po.packet = packet(value).map_err(|e| Fatal::new(format!("{name}: {e}")))?;
            }
            _ => match parse_item(&mut po.metadata, name, value, ports) {
                Ok(Some(more)) => usable &= more,
                Ok(None) => return fatal(format!("unknown keyword {name}")),
                Err(e) => return fatal(e.0),
            },
        }
    }
    if po.packet.is_empty() {
        return fatal("must specify packet");
    }
    if let Some(actions) = actions {
        let mut cx = ParseContext::new(ports, tables);
        po.actions = parse_actions(actions, &mut cx).map_err(|e| Fatal::new(e.0))?;
        usable &= cx.usable;
    }
    Ok((po, usable))
}

pub(super) fn packet_out(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    let [switch, rest @ ..] = args else { return Ok(()) };
    let known = names::to_accept(switch, settings)?;
    let (messages, usable) = match rest {
        [text] => {
            let (po, usable) = parse(text, known.ports(), known.tables())?;
            (vec![po], usable)
        }
        [port, actions, packets @ ..] => {
            if packets.is_empty() {
                return fatal(format!("Too many arguments ({})", args.len() + 1));
            }
            let Some(in_port) = OfPort::parse(port, known.ports()) else {
                return fatal(format!("{switch}: unknown port `{port}'"));
            };
            let mut cx = ParseContext::new(known.ports(), known.tables());
            let actions = parse_actions(actions, &mut cx).map_err(|e| Fatal::new(e.0))?;
            let mut list = Vec::new();
            for text in packets {
                list.push(PacketOut {
                    buffer_id: None,
                    metadata: ethernet_from(in_port),
                    actions: actions.clone(),
                    packet: packet(text).map_err(Fatal::new)?,
                });
            }
            (list, cx.usable)
        }
        [] => return Ok(()),
    };
    let mut fv = open_for_flow_mod(switch, usable, settings)?;
    for po in messages {
        let request = encode_in(fv.protocol, &Message::PacketOut(po))?;
        fv.v.run(&[request], settings)?;
    }
    Ok(())
}
