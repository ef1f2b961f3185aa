//! The state the database asks for, as plain data: read from the replica in one pass, compared and
//! applied elsewhere. Nothing here touches the switch.
//!
//! A value that makes no sense falls back to its default and leaves a [`Complaint`], so that one
//! bad setting never stops the rest.

mod bridge;
mod controller;
mod interface;
mod open_vswitch;
mod pmds;
mod port;

use std::collections::BTreeSet;
use std::fmt;

use weir_ovsdb::Uuid;
use weir_ovsdb::replica::{Replica, Row};

pub use bridge::Bridge;
pub use controller::{Controller, ControllerKind};
pub use interface::Interface;
pub use open_vswitch::OpenVSwitch;
pub use pmds::{MAX_SAMPLING, Pmds};
pub use port::Port;

/// Everything the database asks of the switch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Desired {
    /// The row of table `Open_vSwitch`, `None` while the database is empty.
    pub switch: OpenVSwitch,
    /// The bridges, by name.
    pub bridges: Vec<Bridge>,
    /// What was wrong with the settings.
    pub complaints: Vec<Complaint>,
}

/// A setting that was not taken as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// Table and name of the record, for instance `Bridge br0`.
    pub record: String,
    /// What is wrong and what was done instead.
    pub text: String,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.record, self.text)
    }
}

impl Desired {
    /// Reads the replica. Returns `None` while there is no `Open_vSwitch` row.
    #[must_use]
    pub fn read(replica: &Replica) -> Option<Self> {
        let (uuid, row) = replica.first("Open_vSwitch")?;
        let mut reader = Reader { replica, complaints: Vec::new() };
        let switch = OpenVSwitch::read(&mut reader, uuid, row);
        let mut bridges = Vec::new();
        let mut names = BTreeSet::new();
        for (uuid, row) in reader.referred(row, "bridges", "Bridge") {
            let bridge = Bridge::read(&mut reader, uuid, row);
            // Two bridges of one name are refused by the schema's index; ours must not depend on it.
            if names.insert(bridge.name.clone()) {
                bridges.push(bridge);
            }
        }
        bridges.sort_by(|a, b| a.name.cmp(&b.name));
        Some(Self { switch, bridges, complaints: reader.complaints })
    }
}

/// Reads typed settings and collects complaints.
pub(crate) struct Reader<'a> {
    replica: &'a Replica,
    complaints: Vec<Complaint>,
}

impl<'a> Reader<'a> {
    /// The rows that a column refers to.
    fn referred(&self, row: &Row, column: &str, table: &str) -> Vec<(Uuid, &'a Row)> {
        let replica = self.replica;
        row.uuids(column).filter_map(|u| Some((u, replica.row(table, u)?))).collect()
    }

    fn complain(&mut self, record: &str, text: String) {
        self.complaints.push(Complaint { record: record.to_owned(), text });
    }

    /// `column:key` as an integer in `range`, else `default`.
    fn int(
        &mut self,
        record: &str,
        row: &Row,
        (column, key): (&str, &str),
        range: std::ops::RangeInclusive<i64>,
        default: i64,
    ) -> i64 {
        let Some(text) = row.key(column, key) else { return default };
        match parse_int(text) {
            Some(n) if range.contains(&n) => n,
            _ => {
                let (low, high) = (range.start(), range.end());
                self.complain(
                    record,
                    format!(
                        "{column}:{key}={text} is not an integer from {low} to {high}; using {default}"
                    ),
                );
                default
            }
        }
    }

    /// `column:key` as a boolean: `true` is true and `false` false, as OVS's smap_get_bool.
    fn bool(
        &mut self,
        record: &str,
        row: &Row,
        (column, key): (&str, &str),
        default: bool,
    ) -> bool {
        match row.key(column, key) {
            None => default,
            Some(t) if t.eq_ignore_ascii_case("true") => true,
            Some(t) if t.eq_ignore_ascii_case("false") => false,
            Some(text) => {
                let text =
                    format!("{column}:{key}={text} is neither true nor false; using {default}");
                self.complain(record, text);
                default
            }
        }
    }
}

/// Decimal, `0x` hexadecimal or `0` octal, as strtoll with base 0.
fn parse_int(text: &str) -> Option<i64> {
    let (sign, digits) = match text.trim().strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.trim()),
    };
    let value = if let Some(hex) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        i64::from_str_radix(hex, 16).ok()?
    } else if digits.len() > 1 && digits.starts_with('0') {
        i64::from_str_radix(&digits[1..], 8).ok()?
    } else {
        digits.parse().ok()?
    };
    Some(sign * value)
}

/// A set of CPUs from a hexadecimal mask of any length, `0x` optional.
#[must_use]
pub fn parse_cpu_mask(text: &str) -> Option<BTreeSet<u32>> {
    let text = text.trim();
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    let mut cpus = BTreeSet::new();
    for (i, c) in digits.chars().rev().enumerate() {
        let nibble = c.to_digit(16)?;
        cpus.extend((0..4).filter(|b| nibble & (1 << b) != 0).map(|b| 4 * i as u32 + b));
    }
    if digits.is_empty() { None } else { Some(cpus) }
}

/// A MAC address `xx:xx:xx:xx:xx:xx`.
#[must_use]
pub fn parse_mac(text: &str) -> Option<[u8; 6]> {
    let mut mac = [0; 6];
    let mut parts = text.trim().split(':');
    for byte in &mut mac {
        let part = parts.next().filter(|p| (1..=2).contains(&p.len()))?;
        *byte = u8::from_str_radix(part, 16).ok()?;
    }
    if parts.next().is_some() { None } else { Some(mac) }
}

#[cfg(test)]
mod tests;
