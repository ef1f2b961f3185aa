//! Flow tables: configuration and description.

use std::fmt::Write;

use super::{PrintContext, bits};
use crate::messages::table::{
    TABLE_ALL, TableDesc, TableMiss, TableMod, TableReason, TableStatus, TableVacancy,
};
use crate::version::OfVersion;

pub(super) fn miss_name(miss: TableMiss) -> &'static str {
    match miss {
        TableMiss::Default => "default",
        TableMiss::Controller => "controller",
        TableMiss::Continue => "continue",
        TableMiss::Drop => "drop",
    }
}

fn on_off(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

fn eviction_flag(bit: u32) -> Option<&'static str> {
    ["OTHER", "IMPORTANCE", "LIFETIME"].get(usize::try_from(bit).ok()?).copied()
}

pub(super) fn table_mod(s: &mut String, m: &TableMod, v: OfVersion, cx: PrintContext<'_>) {
    if m.table_id == TABLE_ALL {
        s.push_str(" table_id: ALL_TABLES");
    } else {
        let _ = write!(s, " table_id={}", cx.names.table(m.table_id));
    }
    if matches!(v, OfVersion::V11 | OfVersion::V12) {
        let _ = write!(s, ", flow_miss_config={}", miss_name(m.miss));
    }
    if let Some(on) = m.eviction {
        let _ = write!(s, ", eviction={}", on_off(on));
    }
    if let Some(flags) = m.eviction_flags {
        s.push_str(" eviction_flags=");
        bits::names(s, flags, '|', eviction_flag);
    }
    if let Some(on) = m.vacancy_events {
        let _ = write!(s, ", vacancy={}", on_off(on));
        if on {
            let TableVacancy { down, up, .. } = m.vacancy;
            let _ = write!(s, " vacancy:{down},{up}");
        }
    }
}

fn desc(s: &mut String, m: &TableDesc, cx: PrintContext<'_>) {
    let _ = writeln!(s, "\n  table {}:", cx.names.table(m.table_id));
    let _ = write!(s, "   eviction={} eviction_flags=", on_off(m.eviction));
    match m.eviction_flags {
        Some(flags) => bits::names(s, flags, '|', eviction_flag),
        None => s.push_str("(default)"),
    }
    s.push('\n');
    let _ = write!(s, "   vacancy={}", on_off(m.vacancy_events));
    if m.vacancy_events {
        let TableVacancy { down, up, now } = m.vacancy;
        let _ = write!(s, " vacancy_down={down}% vacancy_up={up}% vacancy={now}%");
    }
    s.push('\n');
}

pub(super) fn desc_reply(s: &mut String, list: &[TableDesc], cx: PrintContext<'_>) {
    list.iter().for_each(|m| desc(s, m, cx));
}

pub(super) fn status(s: &mut String, m: &TableStatus, cx: PrintContext<'_>) {
    s.push_str(match m.reason {
        TableReason::VacancyDown => " reason=VACANCY_DOWN",
        TableReason::VacancyUp => " reason=VACANCY_UP",
    });
    s.push_str("\ntable_desc:-");
    desc(s, &m.desc, cx);
}
