//! What a switch is: show, description, fragments, IPFIX, connection tracking.

use weir_openflow::actions::format::Names;
use weir_openflow::message::Message;
use weir_openflow::messages::switch::{SwitchConfig, frag};
use weir_openflow::version::OfVersion;
use weir_runtime::program::Fatal;

use super::vconn::{Service, Vconn, ask, dump_trivial};
use super::{Settings, fatal, out};

fn first(args: &[String]) -> &str {
    args.first().map_or("", String::as_str)
}

pub(super) fn show(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    let switch = first(args);
    let mut v = Vconn::open(switch, Service::Mgmt, settings)?;
    let request = v.encode(&Message::FeaturesRequest)?;
    v.dump(&request, settings, Names::default())?;
    if v.version() >= OfVersion::V13 {
        // Features replies have no ports any more.
        let request = v.encode(&Message::PortDescRequest(weir_openflow::OfPort::NONE))?;
        v.dump(&request, settings, Names::default())?;
    }
    dump_trivial(switch, &Message::GetConfigRequest, settings)
}

pub(super) fn dump_desc(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    dump_trivial(first(args), &Message::DescRequest, settings)
}

pub(super) fn dump_ipfix_bridge(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    dump_trivial(first(args), &Message::IpfixBridgeRequest, settings)
}

pub(super) fn dump_ipfix_flow(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    dump_trivial(first(args), &Message::IpfixFlowRequest, settings)
}

/// Modes with their words.
const FRAG_MODES: [(&str, u16); 4] = [
    ("normal", frag::NORMAL),
    ("drop", frag::DROP),
    ("reassemble", frag::REASM),
    ("nx-match", frag::NX_MATCH),
];

fn config(v: &mut Vconn) -> Result<SwitchConfig, Fatal> {
    match ask(v, &Message::GetConfigRequest)?.message {
        Message::GetConfigReply(config) => Ok(config),
        _ => fatal(format!("{}: bad reply to config request", v.name())),
    }
}

pub(super) fn get_frags(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    let mut v = Vconn::open(first(args), Service::Mgmt, settings)?;
    let mode = config(&mut v)?.flags & frag::MASK;
    let name = FRAG_MODES.iter().find(|m| m.1 == mode).map_or("", |m| m.0);
    out(&format!("{name}\n"));
    Ok(())
}

pub(super) fn set_frags(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    let [switch, text] = args else { return Ok(()) };
    let Some((_, mode)) = FRAG_MODES.iter().find(|m| m.0 == text) else {
        return fatal(format!("{text}: unknown fragment handling mode"));
    };
    let mut v = Vconn::open(switch, Service::Mgmt, settings)?;
    let now = config(&mut v)?;
    if now.flags & frag::MASK == *mode {
        return Ok(());
    }
    let wanted = SwitchConfig { flags: now.flags & !frag::MASK | mode, ..now };
    let request = v.encode(&Message::SetConfig(wanted))?;
    v.run(&[request], settings)?;
    // A switch need not support every mode, and has no way to say so but this.
    let got = config(&mut v)?.flags & frag::MASK;
    if got != *mode {
        return fatal(format!(
            "{switch}: setting fragment handling mode failed (this switch probably doesn't support \
             mode \"{text}\")"
        ));
    }
    Ok(())
}

pub(super) fn ct_flush_zone(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    let [switch, text] = args else { return Ok(()) };
    let Ok(zone) = text.parse::<u16>() else {
        return fatal(format!("invalid zone_id \"{text}\""));
    };
    let mut v = Vconn::open(switch, Service::Mgmt, settings)?;
    let request = v.encode(&Message::CtFlushZone(zone))?;
    v.run(&[request], settings)
}
