//! `monitor`, `monitor-cond`, `monitor-cond-since`: print rows as they change.

mod request;
mod update;

use std::process::ExitCode;

use weir_jsonrpc::{Json, Message};
use weir_ovsdb::{Condition, Schema, Uuid};
use weir_runtime::clock::Clock;
use weir_runtime::program::Fatal;
use weir_runtime::unixctl::{Commands, Outcome};

use super::commands::Call;
use super::data::json_argument;
use super::rpc::Rpc;
use super::service::Service;
use super::{print, schema};
use crate::table::Style;
use request::{Watched, watch};
use update::Form;

/// How to monitor.
enum Method {
    Plain,
    Cond(Json),
    CondSince(Json, Uuid),
}

pub(super) fn monitor(call: &Call<'_>, mut rpc: Rpc) -> Result<ExitCode, Fatal> {
    let schema = schema::fetch(&mut rpc, &call.database)?;
    run(call, rpc, &schema, call.args, Method::Plain)
}

pub(super) fn monitor_cond(call: &Call<'_>, mut rpc: Rpc) -> Result<ExitCode, Fatal> {
    let Some((condition, rest)) = call.args.split_first() else { return Ok(ExitCode::FAILURE) };
    let condition = json_argument(condition)?;
    let schema = schema::fetch(&mut rpc, &call.database)?;
    run(call, rpc, &schema, rest, Method::Cond(condition))
}

pub(super) fn monitor_cond_since(call: &Call<'_>, mut rpc: Rpc) -> Result<ExitCode, Fatal> {
    let mut args = call.args;
    let mut last_id = Uuid::nil();
    if let Some((first, rest)) = args.split_first()
        && rest.len() > 1
        && let Ok(uuid) = Uuid::try_parse(first)
    {
        last_id = uuid;
        args = rest;
    }
    let Some((condition, rest)) = args.split_first() else { return Ok(ExitCode::FAILURE) };
    let condition = json_argument(condition)?;
    let schema = schema::fetch(&mut rpc, &call.database)?;
    run(call, rpc, &schema, rest, Method::CondSince(condition, last_id))
}

/// What the control socket works on.
struct State {
    rpc: Rpc,
    exiting: bool,
    /// Take nothing from the server.
    blocked: bool,
}

fn commands() -> Commands<State> {
    let mut commands = Commands::new();
    commands.add("exit", "", 0, 0, |state: &mut State, _| {
        state.exiting = true;
        Outcome::empty()
    });
    commands.add("ovsdb-client/block", "", 0, 0, |state: &mut State, _| {
        state.blocked = true;
        Outcome::empty()
    });
    commands.add("ovsdb-client/unblock", "", 0, 0, |state: &mut State, _| {
        state.blocked = false;
        Outcome::empty()
    });
    let usage = "TABLE COND";
    commands.add("ovsdb-client/cond_change", usage, 2, 2, |state: &mut State, args| {
        let [table, condition] = args else { return Outcome::empty() };
        let condition = Json::parse(condition).map_err(|error| error.to_string())?;
        let change = Json::array([Json::object([("where", condition)])]);
        let changes = Json::object([(table.as_str(), change)]);
        state.rpc.request("monitor_cond_change", vec![Json::Null, Json::Null, changes]);
        Outcome::empty()
    });
    commands
}

fn run(
    call: &Call<'_>,
    mut rpc: Rpc,
    schema: &Schema,
    args: &[String],
    method: Method,
) -> Result<ExitCode, Fatal> {
    let condition = match &method {
        Method::Plain => None,
        Method::Cond(condition) | Method::CondSince(condition, _) => Some(condition),
    };
    let watched = watch(call, schema, args, condition)?;
    for table in &watched {
        if let Some(condition) = condition {
            Condition::from_json(&table.schema, condition, None)
                .map_err(|error| Fatal::new(error.to_string()))?;
        }
    }
    let requests = Json::object(watched.iter().map(|w| (w.schema.name.clone(), w.request.clone())));
    let mut params = vec![Json::str(call.database.as_str()), Json::Null, requests];
    let name = match &method {
        Method::Plain => "monitor",
        Method::Cond(_) => "monitor_cond",
        Method::CondSince(_, last_id) => {
            params.push(Json::str(last_id.to_string()));
            "monitor_cond_since"
        }
    };
    let reactor = rpc.poll_loop().reactor().clone();
    let mut service = Service::start(call, &reactor, commands())?;
    if call.settings.db_change_aware == Some(true) {
        let _ = rpc.try_call("set_db_change_aware", vec![Json::Bool(true)])?;
    }
    let first = rpc.request(name, params);
    let mut printer = Printer { call, watched, printed: false };
    let mut state = State { rpc, exiting: false, blocked: false };
    while !state.exiting {
        service.run(&mut state);
        while !state.blocked
            && let Some(message) = state.rpc.next()?
        {
            match message {
                Message::Reply { result, id } if id == first => {
                    printer.initial(&method, &result);
                    service.ready()?;
                }
                Message::Error { error, id } if id == first => {
                    return Err(Fatal::new(format!("{name} returned error: {error}")));
                }
                Message::Notification { method, params } => {
                    if &*method == "monitor_canceled" {
                        return Err(Fatal::new(format!(
                            "{}: {} database was removed",
                            call.server, call.database
                        )));
                    }
                    printer.notification(&method, &params);
                }
                _ => {}
            }
        }
        if !state.exiting {
            state.rpc.wait()?;
        }
    }
    service.finish(&mut state);
    Ok(ExitCode::SUCCESS)
}

/// Prints updates.
struct Printer<'a> {
    call: &'a Call<'a>,
    watched: Vec<Watched>,
    /// Was a table printed before?
    printed: bool,
}

impl Printer<'_> {
    fn initial(&mut self, method: &Method, result: &Json) {
        match method {
            Method::Plain => self.tables(Form::Update { initial: true }, result),
            Method::Cond(_) => self.tables(Form::Update2, result),
            Method::CondSince(..) => {
                let found = result.at(0).and_then(Json::as_bool).unwrap_or(false);
                let last_id = result.at(1).and_then(Json::as_str).unwrap_or_default();
                print(&format!("found: {found}, last_id: {last_id}\n"));
                self.tables(Form::Update2, result.at(2).unwrap_or(&Json::Null));
            }
        }
    }

    fn notification(&mut self, method: &str, params: &[Json]) {
        match (method, params) {
            ("update", [_, updates]) => self.tables(Form::Update { initial: false }, updates),
            ("update2", [_, updates]) => self.tables(Form::Update2, updates),
            ("update3", [_, last_id, updates]) => {
                print(&format!("\nlast_id: {}\n", last_id.as_str().unwrap_or_default()));
                self.printed = false;
                self.tables(Form::Update2, updates);
            }
            _ => {}
        }
    }

    fn tables(&mut self, form: Form, updates: &Json) {
        let captions = self.watched.len() > 1;
        for watched in &self.watched {
            let Some(rows) = updates.get(&watched.schema.name) else { continue };
            let mut table = update::as_table(watched, form, rows);
            table.caption = captions.then(|| watched.schema.name.to_string());
            let time = self.call.settings.timestamp.then(|| time(Clock::process().wall()));
            let style = Style { timestamp: time, ..self.call.settings.style.clone() };
            print(&table.format(&style, !self.printed));
            self.printed = true;
        }
    }
}

/// `2026-01-02 03:04:05.678`, in UTC.
fn time(wall_ms: i64) -> String {
    let (days, ms) = (wall_ms.div_euclid(86_400_000), wall_ms.rem_euclid(86_400_000));
    // Days are counted from March 1 of year 0, so that leap days come last.
    let z = days + 719_468;
    let (era, day_of_era) = (z.div_euclid(146_097), z.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute) = (ms / 3_600_000, ms / 60_000 % 60);
    let (second, ms) = (ms / 1000 % 60, ms % 1000);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{ms:03}")
}

#[cfg(test)]
mod tests {
    #[test]
    fn times() {
        assert_eq!(super::time(0), "1970-01-01 00:00:00.000");
        assert_eq!(super::time(951_827_696_789), "2000-02-29 12:34:56.789");
        assert_eq!(super::time(1_795_424_321_801), "2026-11-23 08:58:41.801");
    }
}
