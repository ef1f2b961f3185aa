//! What table `Port` asks for.

use weir_ofproto::config::{PriorityTags, VlanConfig, VlanMode};
use weir_ovsdb::Uuid;
use weir_ovsdb::replica::Row;

use super::interface::Interface;
use super::{Reader, parse_mac};

/// One port: an interface, or several bonded.
#[derive(Clone, Debug, PartialEq)]
pub struct Port {
    /// The row.
    pub uuid: Uuid,
    /// Its name.
    pub name: String,
    /// Its interfaces, by name.
    pub interfaces: Vec<Interface>,
    /// How it treats VLAN tags.
    pub vlan: VlanConfig,
    /// Does not talk to other protected ports.
    pub protected: bool,
    /// Configured MAC address.
    pub mac: Option<[u8; 6]>,
}

impl Port {
    pub(super) fn read(reader: &mut Reader<'_>, uuid: Uuid, row: &Row) -> Self {
        let name = row.str("name").unwrap_or_default().to_owned();
        let record = format!("Port {name}");
        let rows = reader.referred(row, "interfaces", "Interface");
        let mut interfaces: Vec<Interface> =
            rows.into_iter().map(|(uuid, row)| Interface::read(reader, uuid, row)).collect();
        interfaces.sort_by(|a, b| a.name.cmp(&b.name));
        let tag = row.int("tag").and_then(|t| u16::try_from(t).ok());
        let mode = match row.str("vlan_mode") {
            Some("trunk") => VlanMode::Trunk,
            Some("access") => VlanMode::Access,
            Some("native-tagged") => VlanMode::NativeTagged,
            Some("native-untagged") => VlanMode::NativeUntagged,
            Some("dot1q-tunnel") => VlanMode::Dot1qTunnel,
            _ if tag.is_some() => VlanMode::Access,
            _ => VlanMode::Trunk,
        };
        let set = |column| {
            let atoms = row.get(column).into_iter().flat_map(weir_ovsdb::Datum::keys);
            let vlans: Vec<u16> =
                atoms.filter_map(|a| u16::try_from(a.as_integer()?).ok()).collect();
            Some(vlans).filter(|v| !v.is_empty())
        };
        let priority_tags = match row.key("other_config", "priority-tags") {
            None | Some("never" | "false") => PriorityTags::Never,
            Some("if-nonzero" | "true") => PriorityTags::IfNonzero,
            Some("always") => PriorityTags::Always,
            Some(other) => {
                let text = format!(
                    "other_config:priority-tags={other} is not never, if-nonzero or always; using never"
                );
                reader.complain(&record, text);
                PriorityTags::Never
            }
        };
        Self {
            uuid,
            interfaces,
            vlan: VlanConfig {
                mode,
                tag: if mode == VlanMode::Trunk { 0 } else { tag.unwrap_or(0) },
                trunks: set("trunks"),
                cvlans: set("cvlans"),
                qinq_ethtype: match row.key("other_config", "qinq-ethtype") {
                    Some("802.1q") => 0x8100,
                    _ => 0x88a8,
                },
                priority_tags,
            },
            protected: row.bool("protected").unwrap_or(false),
            mac: row.str("mac").and_then(parse_mac),
            name,
        }
    }
}
