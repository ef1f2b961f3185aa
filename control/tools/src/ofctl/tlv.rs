//! The map of Geneve options to `tun_metadataN`.

use weir_openflow::message::Message;
use weir_openflow::messages::tlv_table::{TlvCommand, TlvMap, TlvTableMod};
use weir_runtime::program::Fatal;

use super::vconn::{Service, Vconn, dump_trivial};
use super::{Settings, fatal};

/// A number in C's notation.
fn number<T: TryFrom<u64>>(text: &str) -> Option<T> {
    let n = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) => u64::from_str_radix(hex, 16).ok()?,
        None => text.parse().ok()?,
    };
    T::try_from(n).ok()
}

/// `{class=0xffff,type=0,len=4}->tun_metadata0`
fn parse_map(text: &str) -> Option<TlvMap> {
    let (option, field) = text.trim().split_once("->")?;
    let option = option.trim().strip_prefix('{')?.strip_suffix('}')?;
    let index = number(field.trim().strip_prefix("tun_metadata")?)?;
    let (mut class, mut kind, mut len) = (None, None, None);
    for part in option.split(',') {
        let (key, value) = part.trim().split_once('=')?;
        match key.trim() {
            "class" => class = number(value.trim()),
            "type" => kind = number(value.trim()),
            "len" => len = number(value.trim()),
            _ => return None,
        }
    }
    Some(TlvMap { option_class: class?, option_type: kind?, option_len: len?, index })
}

fn change(settings: &Settings, switch: &str, command: TlvCommand, text: &str) -> Result<(), Fatal> {
    let mut maps = Vec::new();
    // Maps are separated by commas, and have commas within their braces.
    let mut rest = text.trim();
    while !rest.is_empty() {
        let end = rest
            .find("->")
            .and_then(|arrow| rest.get(arrow..)?.find(',').map(|comma| arrow + comma))
            .unwrap_or(rest.len());
        let (map, tail) = rest.split_at(end);
        let Some(map) = parse_map(map) else { return fatal("invalid tlv mapping") };
        maps.push(map);
        rest = tail.trim_start_matches([',', ' ']);
    }
    let mut v = Vconn::open(switch, Service::Mgmt, settings)?;
    let request = v.encode(&Message::TlvTableMod(TlvTableMod { command, maps }))?;
    v.run(&[request], settings)
}

pub(super) fn add_tlv_map(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    let [switch, map] = args else { return Ok(()) };
    change(settings, switch, TlvCommand::Add, map)
}

pub(super) fn del_tlv_map(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    match args {
        [switch, map] => change(settings, switch, TlvCommand::Delete, map),
        [switch] => change(settings, switch, TlvCommand::Clear, ""),
        _ => Ok(()),
    }
}

pub(super) fn dump_tlv_map(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    let [switch] = args else { return Ok(()) };
    dump_trivial(switch, &Message::TlvTableRequest, settings)
}
