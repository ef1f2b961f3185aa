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

/// Sorts by the first criterion, then the second, ...; flows that are equal keep their order.
pub fn sort_flows(flows: &mut [FlowStats], keys: &[SortKey]) {
    flows.sort_by(|a, b| {
        keys.iter().map(|k| k.compare(a, b)).find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
    });
}
