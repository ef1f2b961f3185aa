//! `show-log`: the records of a database file for people. With `-m` the rows that each changed,
//! with `-mm` their columns.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::process::ExitCode;

use weir_jsonrpc::{Json, string::quote};
use weir_ovsdb::log::{Log, OpenMode};
use weir_ovsdb::text::datum_to_string;
use weir_ovsdb::{Datum, Schema, TableSchema};
use weir_runtime::program::Fatal;

use super::facts::db_path;
use super::{Options, fatal};

pub(super) fn show_log(options: &Options, args: &[String]) -> Result<ExitCode, Fatal> {
    let mut log = Log::open(&db_path(args, 0), OpenMode::ReadOnly).map_err(fatal)?;
    let out = &mut io::stdout().lock();
    let mut printer = Printer { more: options.more, schema: None, names: BTreeMap::new() };
    let mut number = 0;
    while let Some(record) = log.read().map_err(fatal)? {
        // A reader that has seen enough is no error.
        if printer.record(out, number, &record).is_err() {
            break;
        }
        number += 1;
    }
    Ok(ExitCode::SUCCESS)
}

struct Printer {
    more: usize,
    schema: Option<Schema>,
    /// What rows are called, by UUID: their `name` in quotes, or the start of the UUID.
    names: BTreeMap<String, String>,
}

impl Printer {
    fn record(&mut self, out: &mut impl Write, number: usize, record: &Json) -> io::Result<()> {
        write!(out, "record {number}:")?;
        if number == 0 {
            let schema = Schema::from_json(record).map_err(io::Error::other)?;
            writeln!(
                out,
                " \"{}\" schema, version=\"{}\", cksum=\"{}\"\n",
                schema.name, schema.version, schema.cksum
            )?;
            self.schema = Some(schema);
            return Ok(());
        }
        if let Some(ms) = record.get("_date").and_then(Json::as_int) {
            // Old versions wrote seconds.
            let ms = if ms < 31_536_000_000 { ms.saturating_mul(1000) } else { ms };
            write!(out, " {}", date(ms))?;
        }
        if let Some(comment) = record.get("_comment").and_then(Json::as_str) {
            write!(out, " \"{comment}\"")?;
        }
        writeln!(out)?;
        if self.more > 0 {
            self.tables(out, record)?;
            writeln!(out)?;
        }
        Ok(())
    }

    fn tables(&mut self, out: &mut impl Write, record: &Json) -> io::Result<()> {
        let is_diff = record.get("_is_diff").and_then(Json::as_bool).unwrap_or(false);
        for (table, rows) in record.as_object().into_iter().flatten() {
            for (uuid, row) in rows.as_object().into_iter().flatten() {
                self.row(out, table, uuid, row, is_diff)?;
            }
        }
        Ok(())
    }

    fn row(
        &mut self,
        out: &mut impl Write,
        table: &str,
        uuid: &str,
        row: &Json,
        is_diff: bool,
    ) -> io::Result<()> {
        let short = uuid.get(..8).unwrap_or(uuid);
        let named = row.get("name").and_then(Json::as_str).map(quote);
        match self.names.get(uuid) {
            None => {
                let name = named.clone().unwrap_or_else(|| short.to_owned());
                match &named {
                    Some(name) => writeln!(out, "  table {table} insert row {name} ({short}):")?,
                    None => writeln!(out, "  table {table} insert row {short}:")?,
                }
                self.names.insert(uuid.to_owned(), name);
            }
            Some(known) => {
                let diff = if is_diff { " diff" } else { "" };
                writeln!(out, "  table {table} row {known} ({short}){diff}:")?;
                if let Some(name) = named {
                    self.names.insert(uuid.to_owned(), name);
                }
            }
        }
        if row.is_null() {
            self.names.remove(uuid);
            return writeln!(out, "    delete row");
        }
        if self.more > 1 {
            let table = self.schema.as_ref().and_then(|schema| schema.table(table));
            for (column, value) in row.as_object().into_iter().flatten() {
                writeln!(out, "    {column}={}", text(table.map(|table| &**table), column, value))?;
            }
        }
        Ok(())
    }
}

/// A value as `ovs-vsctl` would show it, or its JSON where the schema does not explain it.
fn text(table: Option<&TableSchema>, column: &str, value: &Json) -> String {
    let column = table.and_then(|table| table.column(column));
    match column.map(|column| (&column.type_, Datum::from_json_unconstrained(&column.type_, value)))
    {
        Some((type_, Ok(datum))) => datum_to_string(&datum, type_),
        _ => value.to_string(),
    }
}

/// `2026-11-23 07:38:54.636`, UTC, from milliseconds since 1970.
fn date(ms: i64) -> String {
    let (days, in_day) = (ms.div_euclid(86_400_000), ms.rem_euclid(86_400_000));
    // Days since 0000-03-01 of the Gregorian calendar, in eras of 400 years.
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute) = (in_day / 3_600_000, in_day / 60_000 % 60);
    let (second, milli) = (in_day / 1000 % 60, in_day % 1000);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{milli:03}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        for (ms, text) in [
            (0, "1970-01-01 00:00:00.000"),
            (951_782_400_000, "2000-02-29 00:00:00.000"),
            (1_795_419_534_636, "2026-11-23 07:38:54.636"),
            (4_102_444_799_999, "2099-12-31 23:59:59.999"),
            (-1, "1969-12-31 23:59:59.999"),
        ] {
            assert_eq!(date(ms), text);
        }
    }
}
