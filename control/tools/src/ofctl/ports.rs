//! Ports and queues.

use weir_openflow::OfPort;
use weir_openflow::message::Message;
use weir_openflow::messages::port::{PortFeatures, config};
use weir_openflow::messages::port_mod::PortMod;
use weir_openflow::messages::queue::{QUEUE_ALL, QueueRequest};
use weir_openflow::value_text::number::atoi;
use weir_openflow::version::OfVersion;
use weir_runtime::program::Fatal;

use super::names::{self, SwitchNames, find_port};
use super::vconn::{Service, Vconn};
use super::{Settings, fatal};

/// A port by number, reserved name, or name.
fn port(switch: &str, text: &str, settings: &Settings) -> Result<OfPort, Fatal> {
    if let Some(port) = OfPort::parse(text, None) {
        return Ok(port);
    }
    let mut v = Vconn::open(switch, Service::Mgmt, settings)?;
    let found = names::ports_of(&mut v)?.into_iter().find(|p| p.name == text.as_bytes());
    match found {
        Some(p) => Ok(p.port_no),
        None => fatal(format!("{switch}: unknown port `{text}'")),
    }
}

pub(super) fn dump_ports(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    let [switch, rest @ ..] = args else { return Ok(()) };
    let port = rest.first().map_or(Ok(OfPort::NONE), |p| port(switch, p, settings))?;
    let mut v = Vconn::open(switch, Service::Mgmt, settings)?;
    let request = v.encode(&Message::PortStatsRequest(port))?;
    let shown = names::to_show(switch, settings)?;
    v.dump(&request, settings, shown.names())
}

pub(super) fn dump_ports_desc(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    let [switch, rest @ ..] = args else { return Ok(()) };
    let port = rest.first().map_or(Ok(OfPort::NONE), |p| port(switch, p, settings))?;
    let mut v = Vconn::open(switch, Service::Mgmt, settings)?;
    let request = v.encode(&Message::PortDescRequest(port))?;
    v.dump(&request, settings, SwitchNames::default().names())
}

/// Actions of mod-port: word, the bit, and whether the word sets it.
const ACTIONS: [(&str, u32, bool); 16] = [
    ("up", config::PORT_DOWN, false),
    ("down", config::PORT_DOWN, true),
    ("stp", config::NO_STP, false),
    ("no-stp", config::NO_STP, true),
    ("receive", config::NO_RECV, false),
    ("no-receive", config::NO_RECV, true),
    ("receive-stp", config::NO_RECV_STP, false),
    ("no-receive-stp", config::NO_RECV_STP, true),
    ("forward", config::NO_FWD, false),
    ("no-forward", config::NO_FWD, true),
    ("flood", config::NO_FLOOD, false),
    ("no-flood", config::NO_FLOOD, true),
    ("packet-in", config::NO_PACKET_IN, false),
    ("no-packet-in", config::NO_PACKET_IN, true),
    ("noflood", config::NO_FLOOD, true),
    ("noreceive", config::NO_RECV, true),
];

pub(super) fn mod_port(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    let [switch, port, action] = args else { return Ok(()) };
    let mut v = Vconn::open(switch, Service::Mgmt, settings)?;
    let port = find_port(switch, &mut v, port)?;
    let found = ACTIONS.iter().find(|a| a.0.eq_ignore_ascii_case(action));
    let Some((_, mask, set)) = found else {
        return fatal(format!("unknown mod-port command '{action}'"));
    };
    let request = Message::PortMod(PortMod {
        port_no: port.port_no,
        hw_addr: port.hw_addr,
        config: if *set { *mask } else { 0 },
        mask: *mask,
        advertise: PortFeatures(0),
    });
    let request = v.encode(&request)?;
    v.run(&[request], settings)
}

fn queue(text: Option<&String>) -> u32 {
    match text {
        None => QUEUE_ALL,
        Some(t) if t.eq_ignore_ascii_case("all") => QUEUE_ALL,
        // Whatever is no number is queue 0.
        Some(t) => u32::try_from(atoi(t)).unwrap_or(QUEUE_ALL),
    }
}

pub(super) fn queue_stats(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    let [switch, rest @ ..] = args else { return Ok(()) };
    let port_no = match rest.first() {
        Some(p) if !p.eq_ignore_ascii_case("all") => port(switch, p, settings)?,
        _ => OfPort::NONE,
    };
    let mut v = Vconn::open(switch, Service::Mgmt, settings)?;
    let queue_id = queue(rest.get(1));
    let request = v.encode(&Message::QueueStatsRequest(QueueRequest { port_no, queue_id }))?;
    let shown = names::to_show(switch, settings)?;
    v.dump(&request, settings, shown.names())
}

pub(super) fn queue_get_config(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    let [switch, rest @ ..] = args else { return Ok(()) };
    let port_no = match rest.first() {
        Some(p) if !p.eq_ignore_ascii_case("any") => port(switch, p, settings)?,
        _ => OfPort::NONE,
    };
    let queue_id = queue(rest.get(1));
    let shown = names::to_show(switch, settings)?;
    let mut v = Vconn::open(switch, Service::Mgmt, settings)?;
    if port_no != OfPort::NONE || v.version() > OfVersion::V10 {
        let request =
            v.encode(&Message::QueueGetConfigRequest(QueueRequest { port_no, queue_id }))?;
        return v.dump(&request, settings, shown.names());
    }
    // OpenFlow 1.0 cannot ask for all ports at once.
    let mut list = {
        let mut v = Vconn::open(switch, Service::Mgmt, settings)?;
        names::ports_of(&mut v)?
    };
    list.sort_by_key(|p| p.port_no);
    for p in list.iter().filter(|p| p.port_no < OfPort::MAX) {
        let request = QueueRequest { port_no: p.port_no, queue_id };
        let request = v.encode(&Message::QueueGetConfigRequest(request))?;
        v.dump(&request, settings, shown.names())?;
    }
    Ok(())
}
