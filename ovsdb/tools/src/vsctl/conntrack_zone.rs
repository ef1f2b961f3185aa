//! Commands about the conntrack zones of a datapath: timeout policies and limits.

use weir_ovsdb::{Atom, Datum, Uuid};

use super::{ANY, Cmd, Ctx, VsctlCommand, arity, datapath};
use crate::ctl::{CtlError, Needs};

const NEEDS: Needs = Needs::Fixed(&[
    ("Open_vSwitch", &["datapaths"]),
    ("Datapath", &["ct_zones", "ct_zone_default_limit"]),
    ("CT_Zone", &["timeout_policy", "limit"]),
    ("CT_Timeout_Policy", &["timeouts"]),
]);

const fn command(
    name: &'static str,
    (min, max): (usize, usize),
    arguments: &'static str,
    options: &'static str,
    run: fn(&mut Ctx<'_>, &Cmd) -> Result<(), CtlError>,
) -> VsctlCommand {
    let arity = arity(min, max);
    VsctlCommand { name, arity, arguments, options, read_only: false, needs: NEEDS, run }
}

const fn read_only(command: VsctlCommand) -> VsctlCommand {
    VsctlCommand { read_only: true, ..command }
}

pub(super) const COMMANDS: &[VsctlCommand] = &[
    command("add-zone-tp", (3, ANY), "!DATAPATH !ZONE +KEY=VALUE", "--may-exist", add_policy),
    command("del-zone-tp", (2, 2), "!DATAPATH !ZONE", "--if-exists", delete_policy),
    read_only(command("list-zone-tp", (1, 1), "!DATAPATH", "", list_policies)),
    command("set-zone-limit", (3, 3), "!DATAPATH !ZONE !LIMIT", "", set_limit),
    command("del-zone-limit", (2, 2), "!DATAPATH !ZONE", "--if-exists", delete_limit),
    read_only(command("list-zone-limits", (1, 1), "!DATAPATH", "", list_limits)),
];

fn find_datapath(ctx: &mut Ctx<'_>, name: &str) -> Result<Uuid, CtlError> {
    datapath::find(ctx, name)
        .ok_or_else(|| CtlError::fatal(format!("datapath {name} does not exist")))
}

/// `zone=ID`, or the number alone.
fn zone_id(arg: &str) -> Result<i64, CtlError> {
    let digits = arg.strip_prefix("zone=").unwrap_or(arg);
    digits.parse().map_err(|_| CtlError::fatal(format!("Invalid argument {arg}")))
}

fn zones(ctx: &Ctx<'_>, datapath: Uuid) -> Datum {
    ctx.datum("Datapath", datapath, "ct_zones")
}

fn find_zone(ctx: &mut Ctx<'_>, datapath: Uuid, id: i64) -> Option<Uuid> {
    ctx.txn.verify("Datapath", datapath, "ct_zones");
    zones(ctx, datapath).get(&Atom::Integer(id))?.as_uuid()
}

fn add_zone(ctx: &mut Ctx<'_>, datapath: Uuid, id: i64) -> Uuid {
    let zone = ctx.txn.insert("CT_Zone");
    let pair = Datum::map([(Atom::Integer(id), Atom::Uuid(zone))]);
    ctx.txn.put_pairs(ctx.replica, "Datapath", datapath, "ct_zones", &pair);
    zone
}

fn missing(id: i64) -> CtlError {
    CtlError::fatal(format!("zone id {id} does not exist"))
}

fn add_policy(ctx: &mut Ctx<'_>, cmd: &Cmd) -> Result<(), CtlError> {
    let datapath = find_datapath(ctx, cmd.arg(0))?;
    let id = zone_id(cmd.arg(1))?;
    let mut timeouts = Vec::new();
    for arg in cmd.args.iter().skip(2) {
        let pair = arg
            .split_once('=')
            .and_then(|(key, value)| Some((Atom::from(key), Atom::Integer(value.parse().ok()?))));
        timeouts.push(pair.ok_or_else(|| CtlError::fatal(format!("Invalid argument {arg}")))?);
    }
    let known = find_zone(ctx, datapath, id);
    let has_policy = known.is_some_and(|z| !ctx.uuids("CT_Zone", z, "timeout_policy").is_empty());
    if has_policy && !cmd.has("--may-exist") {
        return Err(CtlError::fatal(format!("zone id {id} already exists")));
    }
    let policy = ctx.txn.insert("CT_Timeout_Policy");
    ctx.txn.set("CT_Timeout_Policy", policy, "timeouts", Datum::map(timeouts));
    let zone = known.unwrap_or_else(|| add_zone(ctx, datapath, id));
    ctx.txn.set("CT_Zone", zone, "timeout_policy", Datum::scalar(policy));
    Ok(())
}

/// Empties one column of a zone, and removes the zone when nothing is left.
fn empty_column(ctx: &mut Ctx<'_>, cmd: &Cmd, column: &str, other: &str) -> Result<(), CtlError> {
    let datapath = find_datapath(ctx, cmd.arg(0))?;
    let id = zone_id(cmd.arg(1))?;
    let is_set = |ctx: &Ctx<'_>, zone: Uuid, column: &str| {
        ctx.get("CT_Zone", zone, column).is_some_and(|d| !d.is_empty())
    };
    let zone = find_zone(ctx, datapath, id).filter(|zone| is_set(ctx, *zone, column));
    let Some(zone) = zone else {
        return if cmd.has("--if-exists") { Ok(()) } else { Err(missing(id)) };
    };
    if is_set(ctx, zone, other) {
        ctx.txn.set("CT_Zone", zone, column, Datum::empty());
    } else {
        let key = Datum::scalar(id);
        ctx.txn.remove_elements(ctx.replica, "Datapath", datapath, "ct_zones", &key);
    }
    Ok(())
}

fn delete_policy(ctx: &mut Ctx<'_>, cmd: &Cmd) -> Result<(), CtlError> {
    empty_column(ctx, cmd, "timeout_policy", "limit")
}

fn list_policies(ctx: &mut Ctx<'_>, cmd: &Cmd) -> Result<(), CtlError> {
    let name = cmd.arg(0);
    let Some(datapath) = datapath::find(ctx, name) else {
        return Err(CtlError::fatal(format!("datapath: {name} record not found")));
    };
    for (id, zone) in zones(ctx, datapath).pairs() {
        let (Some(id), Some(zone)) = (id.as_integer(), zone.as_uuid()) else { continue };
        let policy = ctx.uuids("CT_Zone", zone, "timeout_policy").first().copied();
        let Some(policy) = policy else {
            ctx.print(format!("Zone:{id}, Timeout Policies: system default"));
            continue;
        };
        let timeouts = ctx.datum("CT_Timeout_Policy", policy, "timeouts");
        let words: Vec<String> = timeouts
            .pairs()
            .map(|(k, v)| {
                format!("{}={}", k.as_str().unwrap_or(""), v.as_integer().unwrap_or_default())
            })
            .collect();
        ctx.print(format!("Zone:{id}, Timeout Policies: {}", words.join(" ")));
    }
    Ok(())
}

fn set_limit(ctx: &mut Ctx<'_>, cmd: &Cmd) -> Result<(), CtlError> {
    let datapath = find_datapath(ctx, cmd.arg(0))?;
    let limit: u32 = cmd
        .arg(2)
        .parse()
        .map_err(|_| CtlError::fatal(format!("Invalid argument {}", cmd.arg(2))))?;
    let limit = Datum::scalar(i64::from(limit));
    if cmd.arg(1) == "default" {
        ctx.txn.set("Datapath", datapath, "ct_zone_default_limit", limit);
        return Ok(());
    }
    let id = zone_id(cmd.arg(1))?;
    let known = find_zone(ctx, datapath, id);
    let zone = known.unwrap_or_else(|| add_zone(ctx, datapath, id));
    ctx.txn.set("CT_Zone", zone, "limit", limit);
    Ok(())
}

fn delete_limit(ctx: &mut Ctx<'_>, cmd: &Cmd) -> Result<(), CtlError> {
    if cmd.arg(1) != "default" {
        return empty_column(ctx, cmd, "limit", "timeout_policy");
    }
    let datapath = find_datapath(ctx, cmd.arg(0))?;
    let is_set = ctx.get("Datapath", datapath, "ct_zone_default_limit");
    if is_set.is_none_or(|d| d.is_empty()) && !cmd.has("--if-exists") {
        let text = format!("datapath {} does not have a default limit", cmd.arg(0));
        return Err(CtlError::fatal(text));
    }
    ctx.txn.set("Datapath", datapath, "ct_zone_default_limit", Datum::empty());
    Ok(())
}

fn list_limits(ctx: &mut Ctx<'_>, cmd: &Cmd) -> Result<(), CtlError> {
    let datapath = find_datapath(ctx, cmd.arg(0))?;
    let integer = |ctx: &Ctx<'_>, table: &str, row: Uuid, column: &str| {
        ctx.get(table, row, column).and_then(|d| d.single()?.as_integer())
    };
    if let Some(limit) = integer(ctx, "Datapath", datapath, "ct_zone_default_limit") {
        ctx.print(format!("Default limit: {limit}"));
    }
    for (id, zone) in zones(ctx, datapath).pairs() {
        let (Some(id), Some(zone)) = (id.as_integer(), zone.as_uuid()) else { continue };
        if let Some(limit) = integer(ctx, "CT_Zone", zone, "limit") {
            ctx.print(format!("Zone: {id}, Limit: {limit}"));
        }
    }
    Ok(())
}
