//! Sorting flows for `dump-flows --sort` and `--rsort`.

use std::cmp::Ordering;

use weir_flow::Field;

use super::FlowStats;
use crate::matching::{field_access, prerequisites};

/// One criterion.
#[derive(Clone, Copy, Debug)]
pub struct SortKey {
    /// The field, or `None` for the priority.
    pub field: Option<&'static Field>,
    /// From high to low?
    pub descending: bool,
}

impl SortKey {
    /// Reads the argument of `--sort` (ascending) or `--rsort`; no name and `priority` mean the
    /// priority. `None` for an unknown field.
    #[must_use]
    pub fn parse(name: &str, descending: bool) -> Option<Self> {
        if name.is_empty() || name.eq_ignore_ascii_case("priority") {
            return Some(Self { field: None, descending });
        }
        Field::by_name(name).map(|f| Self { field: Some(f), descending })
    }

    fn compare(self, a: &FlowStats, b: &FlowStats) -> Ordering {
        let order = match self.field {
            None => a.priority.cmp(&b.priority),
            Some(field) => {
                let has = |s: &FlowStats| {
                    prerequisites::are_ok(field, &s.matched.flow, None)
                        && !s.matched.is_all_wild(field)
                };
                match (has(a), has(b)) {
                    // Flows without the field come last in either direction.
                    (true, false) => return Ordering::Less,
                    (false, true) => return Ordering::Greater,
                    _ => {
                        let value = |s: &FlowStats| field_access::get(field, &s.matched.flow);
                        value(a).cmp(&value(b))
                    }
                }
            }
        };
        if self.descending { order.reverse() } else { order }
    }
}

/// Sorts by the first criterion, then the second, ..., then from high to low priority; flows that
/// are equal keep their order. Without a criterion nothing is sorted.
pub fn sort_flows(flows: &mut [FlowStats], keys: &[SortKey]) {
    if keys.is_empty() {
        return;
    }
    let last = SortKey { field: None, descending: true };
    flows.sort_by(|a, b| {
        let mut orders = keys.iter().chain([&last]).map(|k| k.compare(a, b));
        orders.find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
    });
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::flow_text::{FlowModCommand, FlowModFlags, FlowParser, Purpose};

    fn flow(text: &str) -> FlowStats {
        let add = Purpose::Mod(FlowModCommand::Add);
        let fm = FlowParser::new(None, None).parse(&format!("{text},actions=drop"), add).unwrap();
        FlowStats {
            matched: fm.matched,
            priority: fm.priority,
            cookie: 0,
            table_id: 0,
            idle_timeout: 0,
            hard_timeout: 0,
            duration: Duration::ZERO,
            idle_age: None,
            hard_age: None,
            packet_count: 0,
            byte_count: 0,
            flags: FlowModFlags::default(),
            importance: 0,
            actions: Vec::new(),
        }
    }

    #[test]
    fn orders_are_those_of_dump_flows() {
        let texts = [
            "priority=5,in_port=1",
            "priority=9,tcp,in_port=1",
            "priority=7,ip",
            "priority=8",
            "priority=3,in_port=2",
            "priority=2,in_port=LOCAL",
            "priority=6,udp,in_port=1",
            "priority=20,tcp,tp_src=80",
            "priority=21,udp,tp_src=70",
            "priority=22,ip,nw_src=1.0.0.0/8",
            "priority=23,ip,nw_src=1.2.0.0/16",
            "priority=24,ip,nw_src=0.2.0.0/16",
        ];
        // The priorities, in the order that `ovs-ofctl` printed them.
        for (options, expected) in [
            ("+", "2 3 5 6 7 8 9 20 21 22 23 24"),
            ("-", "24 23 22 21 20 9 8 7 6 5 3 2"),
            ("+in_port", "9 6 5 3 2 24 23 22 21 20 8 7"),
            ("-in_port", "2 3 9 6 5 24 23 22 21 20 8 7"),
            ("-in_port +priority", "2 3 5 6 9 7 8 20 21 22 23 24"),
            ("+tcp_src", "20 24 23 22 9 8 7 6 5 3 2 21"),
            ("-nw_src", "23 22 24 21 20 9 8 7 6 5 3 2"),
            ("+nw_src", "24 22 23 21 20 9 8 7 6 5 3 2"),
            ("+reg0", "24 23 22 21 20 9 8 7 6 5 3 2"),
            ("+dl_type -in_port", "9 6 24 23 22 21 20 7 2 3 5 8"),
        ] {
            let mut flows: Vec<_> = texts.iter().map(|t| flow(t)).collect();
            let key = |o: &str| SortKey::parse(&o[1..], o.starts_with('-')).unwrap();
            let keys: Vec<_> = options.split(' ').map(key).collect();
            sort_flows(&mut flows, &keys);
            let order: Vec<_> = flows.iter().map(|f| f.priority.to_string()).collect();
            assert_eq!(order.join(" "), expected, "{options}");
        }
        assert!(SortKey::parse("foo", false).is_none());
    }
}
