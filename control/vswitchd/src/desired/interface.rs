//! What table `Interface` asks for.

use std::collections::BTreeMap;

use weir_openflow::OfPort;
use weir_ovsdb::Uuid;
use weir_ovsdb::replica::Row;

use super::{Reader, parse_int, parse_mac};

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
    /// `other_config:pmd-rxq-affinity`: the cores of receive queues that are tied to one.
    pub rxq_affinity: BTreeMap<u16, u32>,
    /// `other_config:emc-enable`: may its flows be in the exact-match cache?
    pub emc: bool,
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
            rxq_affinity: rxq_affinity(reader, &name, row),
            emc: reader.bool(
                &format!("Interface {name}"),
                row,
                ("other_config", "emc-enable"),
                true,
            ),
            ofport: port("ofport"),
            ofport_request: port("ofport_request"),
            mac,
            mtu_request: row.int("mtu_request").and_then(|n| u32::try_from(n).ok()),
            error: row.str("error").map(str::to_owned),
            name,
        }
    }
}

/// A list of `QUEUE:CORE`. One pair that makes no sense makes none of them count, as in OVS: half a
/// plan would isolate threads for nothing.
fn rxq_affinity(reader: &mut Reader<'_>, name: &str, row: &Row) -> BTreeMap<u16, u32> {
    let text = row.key("other_config", "pmd-rxq-affinity").unwrap_or_default();
    let mut affinity = BTreeMap::new();
    for pair in text.split([',', ' ', '\t', '\n']).filter(|pair| !pair.is_empty()) {
        let read = |(queue, core)| {
            let queue = u16::try_from(parse_int(queue)?).ok()?;
            Some((queue, u32::try_from(parse_int(core)?).ok()?))
        };
        let Some((queue, core)) = pair.split_once(':').and_then(read) else {
            let text = format!(
                "other_config:pmd-rxq-affinity={text}: {pair} is not QUEUE:CORE; no queue is pinned"
            );
            reader.complain(&format!("Interface {name}"), text);
            return BTreeMap::new();
        };
        affinity.insert(queue, core);
    }
    affinity
}

fn map(row: &Row, column: &str) -> BTreeMap<String, String> {
    let pairs = row.get(column).into_iter().flat_map(weir_ovsdb::Datum::pairs);
    let texts = pairs.filter_map(|(k, v)| Some((k.as_str()?.to_owned(), v.as_str()?.to_owned())));
    texts.collect()
}
