//! What table `Interface` asks for.

use std::collections::BTreeMap;

use weir_openflow::OfPort;
use weir_ovsdb::Uuid;
use weir_ovsdb::replica::Row;

use super::{Reader, parse_mac};

/// One interface.
#[derive(Clone, Debug, PartialEq)]
pub struct Interface {
    /// The row.
    pub uuid: Uuid,
    /// Its name, which is a device's name for some types.
    pub name: String,
    /// `system`, `internal`, `dpdk`, ...; never empty.
    pub kind: String,
    /// Options of its type.
    pub options: BTreeMap<String, String>,
    /// Settings that every type has.
    pub other_config: BTreeMap<String, String>,
    /// OpenFlow port number it had; kept when free.
    pub ofport: Option<OfPort>,
    /// OpenFlow port number that is wanted.
    pub ofport_request: Option<OfPort>,
    /// MAC address of an internal port.
    pub mac: Option<[u8; 6]>,
    /// Wanted MTU.
    pub mtu_request: Option<u32>,
    /// What the row's `error` column says now.
    pub error: Option<String>,
}

impl Interface {
    pub(super) fn read(reader: &mut Reader<'_>, uuid: Uuid, row: &Row) -> Self {
        let name = row.str("name").unwrap_or_default().to_owned();
        let port = |column| {
            let n = row.int(column).and_then(|n| u16::try_from(n).ok()).map(OfPort);
            n.filter(|n| (OfPort(1)..OfPort::MAX).contains(n) || *n == OfPort::LOCAL)
        };
        let mac = row.str("mac").and_then(|text| {
            let mac = parse_mac(text);
            if mac.is_none() {
                reader.complain(
                    &format!("Interface {name}"),
                    format!("mac={text} is not a MAC address"),
                );
            }
            mac
        });
        Self {
            uuid,
            kind: match row.str("type") {
                None | Some("") => "system".to_owned(),
                Some(kind) => kind.to_owned(),
            },
            options: map(row, "options"),
            other_config: map(row, "other_config"),
            ofport: port("ofport"),
            ofport_request: port("ofport_request"),
            mac,
            mtu_request: row.int("mtu_request").and_then(|n| u32::try_from(n).ok()),
            error: row.str("error").map(str::to_owned),
            name,
        }
    }

    /// A boolean of `other_config`.
    #[must_use]
    pub fn flag(&self, key: &str, default: bool) -> bool {
        match self.other_config.get(key).map(String::as_str) {
            Some("true") => true,
            Some("false") => false,
            _ => default,
        }
    }
}

fn map(row: &Row, column: &str) -> BTreeMap<String, String> {
    let pairs = row.get(column).into_iter().flat_map(weir_ovsdb::Datum::pairs);
    let texts = pairs.filter_map(|(k, v)| Some((k.as_str()?.to_owned(), v.as_str()?.to_owned())));
    texts.collect()
}
