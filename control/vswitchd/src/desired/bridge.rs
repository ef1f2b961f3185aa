//! What table `Bridge` asks for.

use std::collections::BTreeSet;

use weir_ofproto::config::FailMode;
use weir_openflow::OfVersion;
use weir_ovsdb::Uuid;
use weir_ovsdb::replica::Row;

use super::controller::Controller;
use super::port::Port;
use super::{Reader, parse_mac};

/// One bridge.
#[derive(Clone, Debug, PartialEq)]
pub struct Bridge {
    /// The row.
    pub uuid: Uuid,
    /// Its name, also that of its local port.
    pub name: String,
    /// `netdev`, `system` or `dummy`; empty is the default of the build.
    pub datapath_type: String,
    /// Its ports, by name.
    pub ports: Vec<Port>,
    /// Its controllers.
    pub controllers: Vec<Controller>,
    /// What to do without them.
    pub fail_mode: FailMode,
    /// OpenFlow versions that may be negotiated; never empty.
    pub protocols: Vec<OfVersion>,
    /// Configured datapath ID.
    pub datapath_id: Option<u64>,
    /// Configured MAC address.
    pub hwaddr: Option<[u8; 6]>,
    /// Text of the OpenFlow description.
    pub dp_desc: Option<String>,
    /// Serial number in the OpenFlow description.
    pub dp_sn: Option<String>,
    /// Seconds after which a learned address goes.
    pub mac_aging_s: u32,
    /// Most learned addresses.
    pub mac_table_size: usize,
    /// Forward frames to reserved multicast addresses too.
    pub forward_bpdu: bool,
    /// No hidden flows for in-band control.
    pub disable_in_band: bool,
    /// VLANs whose frames are flooded, their addresses not learned.
    pub flood_vlans: BTreeSet<u16>,
    /// Packets for a controller that may wait.
    pub controller_queue_size: u32,
}

impl Bridge {
    /// A bridge without ports and with every default.
    #[must_use]
    pub fn named(name: &str, datapath_type: &str) -> Self {
        Self {
            uuid: Uuid::nil(),
            name: name.to_owned(),
            datapath_type: datapath_type.to_owned(),
            ports: Vec::new(),
            controllers: Vec::new(),
            fail_mode: FailMode::Standalone,
            protocols: OfVersion::ALL.to_vec(),
            datapath_id: None,
            hwaddr: None,
            dp_desc: None,
            dp_sn: None,
            mac_aging_s: 300,
            mac_table_size: 8_192,
            forward_bpdu: false,
            disable_in_band: false,
            flood_vlans: BTreeSet::new(),
            controller_queue_size: 100,
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>, uuid: Uuid, row: &Row) -> Self {
        let name = row.str("name").unwrap_or_default().to_owned();
        let record = format!("Bridge {name}");
        let mut ports: Vec<Port> = Vec::new();
        for (uuid, row) in reader.referred(row, "ports", "Port") {
            let port = Port::read(reader, uuid, row);
            if !ports.iter().any(|p| p.name == port.name) {
                ports.push(port);
            }
        }
        ports.sort_by(|a, b| a.name.cmp(&b.name));
        let controllers = reader.referred(row, "controller", "Controller");
        let controllers = controllers
            .into_iter()
            .map(|(uuid, row)| Controller::read(reader, uuid, row))
            .collect();
        let mut int = |key: &str, range, default| {
            reader.int(&record, row, ("other_config", key), range, default)
        };
        let mac_aging_s = int("mac-aging-time", 1..=i64::MAX, 300).clamp(15, 3_600) as u32;
        let mac_table_size =
            int("mac-table-size", 1..=i64::MAX, 8_192).clamp(10, 1_000_000) as usize;
        let controller_queue_size = int("controller-queue-size", 1..=512, 100) as u32;
        let mut flag = |key| reader.bool(&record, row, ("other_config", key), false);
        let (forward_bpdu, disable_in_band) = (flag("forward-bpdu"), flag("disable-in-band"));
        let hwaddr = row.key("other_config", "hwaddr").and_then(|text| {
            let mac = parse_mac(text).filter(|m| m[0] & 1 == 0 && *m != [0; 6]);
            if mac.is_none() {
                reader.complain(
                    &record,
                    format!("other_config:hwaddr={text} is not a usable MAC address"),
                );
            }
            mac
        });
        let datapath_id = row.key("other_config", "datapath-id").and_then(|text| {
            let id = parse_datapath_id(text);
            if id.is_none() {
                let text = format!("other_config:datapath-id={text} is not 16 hexadecimal digits");
                reader.complain(&record, text);
            }
            id
        });
        let text = |key| row.key("other_config", key).map(str::to_owned);
        let vlans = row.get("flood_vlans").into_iter().flat_map(weir_ovsdb::Datum::keys);
        Self {
            uuid,
            datapath_type: row.str("datapath_type").unwrap_or_default().to_owned(),
            ports,
            controllers,
            fail_mode: match row.str("fail_mode") {
                Some("secure") => FailMode::Secure,
                _ => FailMode::Standalone,
            },
            protocols: protocols(row),
            datapath_id,
            hwaddr,
            dp_desc: text("dp-desc"),
            dp_sn: text("dp-sn"),
            mac_aging_s,
            mac_table_size,
            forward_bpdu,
            disable_in_band,
            flood_vlans: vlans.filter_map(|a| u16::try_from(a.as_integer()?).ok()).collect(),
            controller_queue_size,
            name,
        }
    }
}

/// 16 hexadecimal digits, or fewer after `0x`; not zero.
fn parse_datapath_id(text: &str) -> Option<u64> {
    let digits = match text.strip_prefix("0x") {
        Some(hex) if (1..=16).contains(&hex.len()) => hex,
        None if text.len() == 16 => text,
        _ => return None,
    };
    u64::from_str_radix(digits, 16).ok().filter(|id| *id != 0)
}

fn protocols(row: &Row) -> Vec<OfVersion> {
    let names = row.get("protocols").into_iter().flat_map(weir_ovsdb::Datum::keys);
    let versions: Vec<OfVersion> =
        names.filter_map(|a| OfVersion::from_option_name(a.as_str()?)).collect();
    if versions.is_empty() { OfVersion::ALL.to_vec() } else { versions }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datapath_ids() {
        assert_eq!(parse_datapath_id("0000000000000001"), Some(1));
        assert_eq!(parse_datapath_id("0x2a"), Some(42));
        assert_eq!(parse_datapath_id("2a"), None);
        assert_eq!(parse_datapath_id("0000000000000000"), None);
    }
}
