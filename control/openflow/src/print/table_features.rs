//! What tables can do, and their counters: `OFPST_TABLE` and `OFPST_TABLE_FEATURES` replies. What a
//! table shares with the one before it is not told again.

use std::fmt::Write;

use super::{PrintContext, fields, table};
use crate::messages::table::TableMiss;
use crate::messages::table_features::{
    ActionFeatures, INSTRUCTIONS, InstructionFeatures, TableFeatures, TableSet,
};
use crate::messages::table_stats::TableStats;
use crate::version::OfVersion;

/// Prints tables one after the other.
#[derive(Default)]
pub struct TablePrinter {
    previous: Option<(TableFeatures, Option<[u64; 3]>)>,
    ditto: Option<(u8, u8)>,
}

impl std::fmt::Debug for TablePrinter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TablePrinter").field("ditto", &self.ditto).finish_non_exhaustive()
    }
}

/// Of no table can anything be told.
fn is_empty(f: &TableFeatures) -> bool {
    let anonymous = TableFeatures { table_id: f.table_id, ..TableFeatures::default() };
    *f == anonymous
}

fn same_features(a: &TableFeatures, b: &TableFeatures) -> bool {
    let mut b = b.clone();
    b.table_id = a.table_id;
    b.name.clone_from(&a.name);
    // Going on to the next table is the same for all, though the tables differ.
    b.nonmiss.next = goes_on(&b.nonmiss.next, &a.nonmiss.next);
    b.miss.next = goes_on(&b.miss.next, &a.miss.next);
    *a == b
}

/// `next` of one table, seen from the table before it, whose `next` begins one earlier.
fn goes_on(previous: &TableSet, next: &TableSet) -> TableSet {
    let shifted: TableSet = previous.iter().skip(1).copied().collect();
    if shifted == *next && !next.is_empty() { shifted } else { previous.clone() }
}

impl TablePrinter {
    /// Prints one table: its features and, perhaps, its counters (active, lookup, matched).
    pub fn table(
        &mut self,
        s: &mut String,
        f: &TableFeatures,
        counters: Option<[u64; 3]>,
        cx: PrintContext<'_>,
    ) {
        let same = self.previous.as_ref().is_some_and(|(p, _)| same_features(f, p));
        let same_counters = self.previous.as_ref().is_some_and(|(_, c)| *c == counters);
        if same && same_counters {
            let first = self.ditto.map_or(f.table_id, |d| d.0);
            self.ditto = Some((first, f.table_id));
            self.previous = Some((f.clone(), counters));
            return;
        }
        self.finish(s, cx);
        let _ = write!(s, "\n  table {}", cx.names.table(f.table_id));
        if !f.name.is_empty() {
            let _ = write!(s, " (\"{}\")", String::from_utf8_lossy(&f.name));
        }
        s.push_str(":\n");
        if let Some([active, lookup, matched]) = counters {
            let _ = writeln!(s, "    active={active}, lookup={lookup}, matched={matched}");
        }
        if !same {
            features(s, f, self.previous.as_ref().map(|p| &p.0));
        } else if !is_empty(f) {
            s.push_str("    (same features)\n");
        }
        self.previous = Some((f.clone(), counters));
    }

    /// Ends a run of tables that say the same.
    pub fn finish(&mut self, s: &mut String, cx: PrintContext<'_>) {
        let Some((first, last)) = self.ditto.take() else { return };
        let _ = if first == last {
            writeln!(s, "\n  table {}: ditto", cx.names.table(first))
        } else {
            writeln!(s, "\n  tables {first}...{last}: ditto")
        };
    }
}

fn supported(on: bool) -> &'static str {
    if on { "" } else { "not " }
}

fn features(s: &mut String, f: &TableFeatures, previous: Option<&TableFeatures>) {
    if f.metadata_match != 0 || f.metadata_write != 0 {
        let hex = |n: u64| if n == 0 { "0".to_owned() } else { format!("{n:#x}") };
        let (m, w) = (hex(f.metadata_match), hex(f.metadata_write));
        let _ = writeln!(s, "    metadata: match={m} write={w}");
    }
    if f.miss_config != TableMiss::Default {
        let _ = writeln!(s, "    config={}", table::miss_name(f.miss_config));
    }
    if let Some(on) = f.supports_eviction {
        let _ = writeln!(s, "    eviction: {}supported", supported(on));
    }
    if let Some(on) = f.supports_vacancy_events {
        let _ = writeln!(s, "    vacancy events: {}supported", supported(on));
    }
    if f.max_entries != 0 {
        let _ = writeln!(s, "    max_entries={}", f.max_entries);
    }
    if previous.is_some_and(|p| p.nonmiss == f.nonmiss && p.miss == f.miss) {
        if f.nonmiss != InstructionFeatures::default() {
            s.push_str("    (same instructions)\n");
        }
    } else if f.nonmiss == f.miss {
        if f.nonmiss != InstructionFeatures::default() {
            s.push_str("    instructions (table miss and others):\n");
            instructions(s, &f.nonmiss, previous.map(|p| &p.nonmiss));
        }
    } else {
        s.push_str("    instructions (other than table miss):\n");
        instructions(s, &f.nonmiss, previous.map(|p| &p.nonmiss));
        s.push_str("    instructions (table miss):\n");
        instructions(s, &f.miss, previous.map(|p| &p.miss));
    }
    matching(s, f, previous);
}

fn matching(s: &mut String, f: &TableFeatures, previous: Option<&TableFeatures>) {
    if f.matching.is_empty() {
        return;
    }
    let same = previous
        .is_some_and(|p| p.matching == f.matching && p.mask == f.mask && p.wildcard == f.wildcard);
    if same {
        s.push_str("    (same matching)\n");
        return;
    }
    s.push_str("    matching:\n");
    let mut line = |label: &str, list: Vec<&weir_flow::FieldId>| {
        if !list.is_empty() {
            let _ = writeln!(s, "      {label}: {}", fields::list(list.into_iter()));
        }
    };
    line("arbitrary mask", f.mask.iter().collect());
    let exact = |w: bool| {
        f.matching.iter().filter(move |m| !f.mask.contains(m) && f.wildcard.contains(m) == w)
    };
    line("exact match or wildcard", exact(true).collect());
    line("must exact match", exact(false).collect());
}

/// `1-253`, `1,3-5`
fn ranges(set: &TableSet) -> String {
    let mut parts: Vec<(u8, u8)> = Vec::new();
    for t in set {
        match parts.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(*t) => *last = *t,
            _ => parts.push((*t, *t)),
        }
    }
    let text = |(a, b): &(u8, u8)| if a == b { a.to_string() } else { format!("{a}-{b}") };
    parts.iter().map(text).collect::<Vec<_>>().join(",")
}

fn instructions(s: &mut String, f: &InstructionFeatures, previous: Option<&InstructionFeatures>) {
    if !f.next.is_empty() {
        let _ = writeln!(s, "      next tables: {}", ranges(&f.next));
    }
    s.push_str("      instructions: ");
    let names: Vec<&str> = INSTRUCTIONS
        .iter()
        .filter(|(n, _)| f.instructions & (1 << n) != 0)
        .map(|(_, name)| *name)
        .collect();
    s.push_str(&if names.is_empty() { "(none)".to_owned() } else { names.join(" ") });
    s.push('\n');
    if f.write != f.apply {
        s.push_str("      Write-Actions features:\n");
        actions(s, &f.write);
        s.push_str("      Apply-Actions features:\n");
        actions(s, &f.apply);
    } else if !f.write.set_fields.is_empty()
        && previous.is_some_and(|p| p.write == f.write && p.apply == f.apply)
    {
        s.push_str("      (same actions)\n");
    } else if !f.write.is_empty() {
        s.push_str("      Write-Actions and Apply-Actions features:\n");
        actions(s, &f.write);
    }
}

fn actions(s: &mut String, f: &ActionFeatures) {
    let names: Vec<&str> = f.actions.names().collect();
    let text = if names.is_empty() { "(none)".to_owned() } else { names.join(" ") };
    let _ = writeln!(s, "        actions: {text}");
    if !f.set_fields.is_empty() {
        let list = fields::list(f.set_fields.iter());
        let _ = writeln!(s, "        supported on Set-Field: {list}");
    }
}

pub(super) fn stats_reply(s: &mut String, list: &[TableStats], v: OfVersion, cx: PrintContext<'_>) {
    let mut printer = TablePrinter::default();
    for t in list {
        let counters = [u64::from(t.active_count), t.lookup_count, t.matched_count];
        printer.table(s, &TableFeatures::from_stats(t, v), Some(counters), cx);
    }
    printer.finish(s, cx);
}

pub(super) fn features_reply(s: &mut String, list: &[TableFeatures], cx: PrintContext<'_>) {
    let mut printer = TablePrinter::default();
    for f in list {
        printer.table(s, f, None, cx);
    }
    printer.finish(s, cx);
}
