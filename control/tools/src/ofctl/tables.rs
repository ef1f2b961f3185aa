//! Flow tables.

use weir_openflow::actions::parse::parse_table;
use weir_openflow::message::Message;
use weir_openflow::messages::hello::VersionBitmap;
use weir_openflow::messages::table::{TABLE_ALL, TableMiss, TableMod, TableVacancy};
use weir_openflow::print::PrintContext;
use weir_openflow::print::table_features::TablePrinter;
use weir_openflow::version::OfVersion;
use weir_runtime::program::Fatal;

use super::names;
use super::options::version_names;
use super::vconn::{Service, Vconn, ask};
use super::{Settings, fatal, out};

pub(super) fn dump_tables(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    let [switch] = args else { return Ok(()) };
    let mut v = Vconn::open(switch, Service::Mgmt, settings)?;
    let request = v.encode(&Message::TableStatsRequest)?;
    let shown = names::to_show(switch, settings)?;
    v.dump(&request, settings, shown.names())
}

pub(super) fn dump_table_features(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    let [switch] = args else { return Ok(()) };
    let mut v = Vconn::open(switch, Service::Mgmt, settings)?;
    if v.version() < OfVersion::V13 {
        return fatal("dump-table-features needs OpenFlow 1.3 or later ('-O OpenFlow13')");
    }
    let request = v.encode(&Message::TableFeaturesRequest(Vec::new()))?;
    let shown = names::to_show(switch, settings)?;
    let cx = PrintContext { names: shown.names(), verbosity: settings.verbosity };
    let mut printer = TablePrinter::default();
    let mut text = String::new();
    for part in v.collect(&request)? {
        if let Message::TableFeaturesReply(list) = part.message {
            list.iter().for_each(|t| printer.table(&mut text, t, None, cx));
        }
    }
    printer.finish(&mut text, cx);
    // A blank line ends the list instead of beginning it.
    text.push('\n');
    out(text.strip_prefix('\n').unwrap_or(&text));
    Ok(())
}

pub(super) fn dump_table_desc(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    let [switch] = args else { return Ok(()) };
    let mut v = Vconn::open(switch, Service::Mgmt, settings)?;
    if v.version() < OfVersion::V14 {
        return fatal("dump-table-desc needs OpenFlow 1.4 or later ('-O OpenFlow14')");
    }
    let request = v.encode(&Message::TableDescRequest)?;
    let shown = names::to_show(switch, settings)?;
    v.dump(&request, settings, shown.names())
}

/// Versions in which table-miss handling can be set.
const MISS_VERSIONS: u32 = 1 << 2 | 1 << 3;
/// Versions in which eviction and vacancy events can be set.
const CONFIG_VERSIONS: u32 = 1 << 5 | 1 << 6;

/// `vacancy:LOW,HIGH`
fn vacancy(setting: &str) -> Result<TableVacancy, Fatal> {
    let mut parts =
        setting.split_once(':').map_or("", |p| p.1).split(',').filter(|p| !p.is_empty());
    let mut percent = |which: &str| {
        let Some(text) = parts.next() else {
            return fatal(format!("Vacancy {which} value missing"));
        };
        match text.parse::<u8>() {
            Ok(n) if n <= 100 => Ok(n),
            _ => fatal(format!("Invalid vacancy {which} value \"{text}\"")),
        }
    };
    let (down, up) = (percent("down")?, percent("up")?);
    if down > up {
        return fatal(format!(
            "Invalid vacancy range, vacancy up should be greater than vacancy down ({})",
            weir_openflow::OfpError::OFPBPC_BAD_VALUE
        ));
    }
    Ok(TableVacancy { down, up, now: 0 })
}

fn parse(table_id: u8, setting: &str) -> Result<(TableMod, u32), Fatal> {
    let mut tm = TableMod { table_id, ..TableMod::default() };
    let versions = match setting {
        "controller" | "continue" | "drop" => {
            tm.miss = match setting {
                "controller" => TableMiss::Controller,
                "continue" => TableMiss::Continue,
                _ => TableMiss::Drop,
            };
            MISS_VERSIONS
        }
        "evict" | "noevict" => {
            tm.eviction = Some(setting == "evict");
            CONFIG_VERSIONS
        }
        "novacancy" => {
            tm.vacancy_events = Some(false);
            CONFIG_VERSIONS
        }
        s if s.starts_with("vacancy") => {
            tm.vacancy_events = Some(true);
            tm.vacancy = vacancy(s)?;
            CONFIG_VERSIONS
        }
        _ => return fatal(format!("invalid table_mod setting {setting}")),
    };
    if table_id == 254 && tm.miss == TableMiss::Continue {
        return fatal("last table's flow miss handling can not be continue");
    }
    Ok((tm, versions))
}

pub(super) fn mod_table(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    let [switch, table, setting] = args else { return Ok(()) };
    let known = names::to_accept(switch, settings)?;
    let table_id = if table.eq_ignore_ascii_case("all") {
        TABLE_ALL
    } else {
        let unknown = || Fatal::new(format!("unknown table \"{table}\""));
        parse_table(table, known.tables()).ok_or_else(unknown)?
    };
    let (mut tm, usable) = parse(table_id, setting)?;
    let both = VersionBitmap(usable & settings.versions.0);
    if both.0 == 0 {
        return fatal(format!(
            "table_mod '{setting}' requires one of the OpenFlow versions {}",
            version_names(VersionBitmap(usable))
        ));
    }
    let narrowed = Settings { versions: both, ..settings.clone() };
    let mut v = Vconn::open(switch, Service::Mgmt, &narrowed)?;
    if v.version() >= OfVersion::V14 {
        // A table-mod says everything, so what is not asked for is read first.
        if let Message::TableDescReply(list) = ask(&mut v, &Message::TableDescRequest)?.message
            && let Some(now) = list.iter().find(|t| t.table_id == table_id)
        {
            tm.eviction = tm.eviction.or(Some(now.eviction));
            if tm.vacancy_events.is_none() {
                tm.vacancy_events = Some(now.vacancy_events);
                tm.vacancy = TableVacancy { now: 0, ..now.vacancy };
            }
        }
    }
    let request = v.encode(&Message::TableMod(tm))?;
    v.run(&[request], settings)
}
