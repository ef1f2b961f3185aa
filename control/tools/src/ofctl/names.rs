//! Names of a switch's ports and tables.

use std::io::IsTerminal;

use weir_openflow::actions::format::Names;
use weir_openflow::message::Message;
use weir_openflow::messages::port::PhyPort;
use weir_openflow::{NameMap, OfPort};
use weir_runtime::program::Fatal;

use super::Settings;
use super::vconn::{Service, Vconn};

/// Names that were asked for; empty when they are not wanted.
#[derive(Debug, Default)]
pub(super) struct SwitchNames {
    ports: Option<NameMap>,
    tables: Option<NameMap>,
}

impl SwitchNames {
    /// For printing and parsing.
    pub(super) fn names(&self) -> Names<'_> {
        Names { ports: self.ports.as_ref(), tables: self.tables.as_ref() }
    }

    /// Names of ports.
    pub(super) fn ports(&self) -> Option<&NameMap> {
        self.ports.as_ref()
    }

    /// Names of tables.
    pub(super) fn tables(&self) -> Option<&NameMap> {
        self.tables.as_ref()
    }
}

/// The ports of a switch.
pub(super) fn ports_of(v: &mut Vconn) -> Result<Vec<PhyPort>, Fatal> {
    let request = v.encode(&Message::PortDescRequest(OfPort::NONE))?;
    let mut ports = Vec::new();
    for part in v.collect(&request)? {
        if let Message::PortDescReply(list) = part.message {
            ports.extend(list);
        }
    }
    Ok(ports)
}

fn tables_of(v: &mut Vconn) -> Result<NameMap, Fatal> {
    let mut map = NameMap::default();
    let features = v.version() >= weir_openflow::OfVersion::V13;
    let request = if features {
        Message::TableFeaturesRequest(Vec::new())
    } else {
        Message::TableStatsRequest
    };
    let request = v.encode(&request)?;
    for part in v.collect(&request)? {
        let mut add = |id: u8, name: &[u8]| map.insert(id.into(), &String::from_utf8_lossy(name));
        match part.message {
            Message::TableFeaturesReply(list) => {
                list.iter().for_each(|t| add(t.table_id, &t.name));
            }
            Message::TableStatsReply(list) => {
                list.iter().for_each(|t| add(t.table_id, &t.abilities.name));
            }
            _ => {}
        }
    }
    Ok(map)
}

fn ask(switch: &str, settings: &Settings) -> Result<SwitchNames, Fatal> {
    let mut v = Vconn::open(switch, Service::Mgmt, settings)?;
    let mut map = NameMap::default();
    for p in ports_of(&mut v)? {
        map.insert(p.port_no.0.into(), &String::from_utf8_lossy(&p.name));
    }
    let mut v = Vconn::open(switch, Service::Mgmt, settings)?;
    let tables = tables_of(&mut v)?;
    Ok(SwitchNames { ports: Some(map), tables: Some(tables) })
}

/// Names to show, if they are wanted: by default only on a terminal.
pub(super) fn to_show(switch: &str, settings: &Settings) -> Result<SwitchNames, Fatal> {
    if settings.names.unwrap_or_else(|| std::io::stdout().is_terminal()) {
        ask(switch, settings)
    } else {
        Ok(SwitchNames::default())
    }
}

/// Names to understand in flows.
pub(super) fn to_accept(switch: &str, settings: &Settings) -> Result<SwitchNames, Fatal> {
    if settings.names == Some(false) { Ok(SwitchNames::default()) } else { ask(switch, settings) }
}

/// A switch's port by decimal number or name.
pub(super) fn find_port(switch: &str, v: &mut Vconn, text: &str) -> Result<PhyPort, Fatal> {
    let number = text.parse().ok().map(OfPort);
    ports_of(v)?
        .into_iter()
        .find(|p| number == Some(p.port_no) || p.name == text.as_bytes())
        .ok_or_else(|| Fatal::new(format!("{switch}: couldn't find port `{text}'")))
}
