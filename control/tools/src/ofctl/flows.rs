//! Flows: dump, add, modify, delete, replace, compare.

use std::collections::BTreeMap;
use std::io::Read;

use weir_openflow::actions::format::Names;
use weir_openflow::flow_text::sort::{SortKey, sort_flows};
use weir_openflow::flow_text::{FlowMod, FlowModCommand, FlowParser, FlowStats, Purpose};
use weir_openflow::message::Message;
use weir_openflow::messages::flow_stats::FlowStatsRequest;
use weir_openflow::version::OfVersion;
use weir_openflow::{Action, Protocols};
use weir_runtime::program::{Fatal, strerror};
use weir_runtime::vlog::RateLimit;

use super::flow_format::{FlowVconn, open_for_dump, open_for_flow_mod};
use super::names::{self, SwitchNames};
use super::vconn::encode_in;
use super::{Settings, fatal, out};

fn read_source(name: &str) -> std::io::Result<String> {
    if name == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(name)
    }
}

/// A file's content; `-` is standard input.
pub(super) fn read_file(name: &str) -> Result<String, Fatal> {
    read_source(name).map_err(|e| Fatal::new(format!("{name}: open failed ({})", strerror(&e))))
}

/// A parser of flow-mods. What the switch will drop from a match is told in the log.
pub(super) fn flow_parser(known: &SwitchNames) -> FlowParser<'_> {
    static RL: RateLimit = RateLimit::new(1, 5);
    let mut parser = FlowParser::new(known.ports(), known.tables());
    parser.on_normalization = |changed| {
        if RL.admit("ofp_match", log::Level::Info) {
            changed.log_lines().iter().for_each(|l| log::info!(target: "ofp_match", "{l}"));
        }
    };
    parser
}

fn command(plain: FlowModCommand, strict: FlowModCommand, settings: &Settings) -> Purpose {
    Purpose::Mod(if settings.strict { strict } else { plain })
}

/// Sends flow-mods, each with a barrier so that the first wrong one ends it.
fn send(fv: &mut FlowVconn, flows: &[FlowMod], settings: &Settings) -> Result<(), Fatal> {
    for fm in flows {
        let request = encode_in(fv.protocol, &Message::FlowMod(fm.clone()))?;
        fv.v.run(&[request], settings)?;
    }
    Ok(())
}

fn change(
    switch: &str,
    flows: Vec<FlowMod>,
    usable: Protocols,
    settings: &Settings,
) -> Result<(), Fatal> {
    if settings.bundle {
        return super::bundle::flow_mods(switch, flows, usable, settings);
    }
    let mut fv = open_for_flow_mod(switch, usable, settings)?;
    send(&mut fv, &flows, settings)
}

fn one(settings: &Settings, args: &[String], purpose: Purpose) -> Result<(), Fatal> {
    let [switch, rest @ ..] = args else { return Ok(()) };
    let text = rest.first().map_or("", String::as_str);
    let known = names::to_accept(switch, settings)?;
    let mut parser = flow_parser(&known);
    let flow = parser.parse(text, purpose).map_err(|e| Fatal::new(e.0))?;
    change(switch, vec![flow], parser.usable, settings)
}

fn file(settings: &Settings, switch: &str, file: &str, purpose: Purpose) -> Result<(), Fatal> {
    let known = names::to_accept(switch, settings)?;
    let mut parser = flow_parser(&known);
    let flows = parser.parse_file(file, &read_file(file)?, purpose).map_err(|e| Fatal::new(e.0))?;
    change(switch, flows, parser.usable, settings)
}

pub(super) fn add_flow(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    match args {
        // A single dash reads flows from standard input.
        [switch, text] if text == "-" => {
            file(settings, switch, text, Purpose::Mod(FlowModCommand::Add))
        }
        _ => one(settings, args, Purpose::Mod(FlowModCommand::Add)),
    }
}

pub(super) fn add_flows(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    let [switch, name] = args else { return Ok(()) };
    file(settings, switch, name, Purpose::Prefixed)
}

pub(super) fn mod_flows(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    let purpose = command(FlowModCommand::Modify, FlowModCommand::ModifyStrict, settings);
    match args {
        [switch, text] if text == "-" => file(settings, switch, text, purpose),
        _ => one(settings, args, purpose),
    }
}

pub(super) fn del_flows(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    let purpose = command(FlowModCommand::Delete, FlowModCommand::DeleteStrict, settings);
    match args {
        [switch, text] if text == "-" => file(settings, switch, text, purpose),
        _ => one(settings, args, purpose),
    }
}

/// The request of a dump and a connection to send it on.
fn prepare(
    settings: &Settings,
    args: &[String],
    aggregate: bool,
) -> Result<(FlowVconn, Vec<u8>), Fatal> {
    let [switch, rest @ ..] = args else { return fatal("") };
    let text = rest.first().map_or("", String::as_str);
    let known =
        if text.is_empty() { SwitchNames::default() } else { names::to_accept(switch, settings)? };
    let mut parser = FlowParser::new(known.ports(), known.tables());
    let fm = parser.parse(text, Purpose::Stats).map_err(|e| Fatal::new(e.0))?;
    let mut usable = parser.usable;
    // Statistics requests name tables without an extension.
    if usable.intersects(Protocols::OF10_STD_TID) {
        usable = usable | Protocols::OF10_STD;
    }
    if usable.intersects(Protocols::OF10_NXM_TID) {
        usable = usable | Protocols::OF10_NXM;
    }
    let fv = open_for_dump(switch, usable, settings)?;
    let request = FlowStatsRequest {
        matched: fm.matched,
        cookie: fm.cookie,
        cookie_mask: fm.cookie_mask,
        out_port: fm.out_port,
        out_group: fm.out_group,
        table_id: fm.table_id,
    };
    let request = if aggregate {
        Message::AggregateStatsRequest(request)
    } else {
        Message::FlowStatsRequest(request)
    };
    let request = encode_in(fv.protocol, &request)?;
    Ok((fv, request))
}

fn collect(fv: &mut FlowVconn, request: &[u8]) -> Result<Vec<FlowStats>, Fatal> {
    let mut flows = Vec::new();
    for part in fv.v.collect(request)? {
        if let Message::FlowStatsReply(list) = part.message {
            flows.extend(list);
        }
    }
    Ok(flows)
}

pub(super) fn dump_flows(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    let shown = match args {
        [switch, ..] => names::to_show(switch, settings)?,
        [] => SwitchNames::default(),
    };
    let mut keys = Vec::new();
    for key in &settings.sort {
        let unknown = || Fatal::new(format!("{}: unknown field name", key.field));
        keys.push(SortKey::parse(&key.field, key.descending).ok_or_else(unknown)?);
    }
    let (mut fv, request) = prepare(settings, args, false)?;
    if keys.is_empty() && shown.ports().is_none() && settings.stats {
        return fv.v.dump(&request, settings, shown.names());
    }
    let mut flows = collect(&mut fv, &request)?;
    if fv.v.version() == OfVersion::V10 {
        // Ages are known only when the extension for them was asked for.
        flows.iter_mut().for_each(|f| (f.idle_age, f.hard_age) = (None, None));
    }
    sort_flows(&mut flows, &keys);
    for flow in &flows {
        out(&format!("{}\n", flow.display(shown.names(), settings.stats)));
    }
    Ok(())
}

pub(super) fn dump_aggregate(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    let (mut fv, request) = prepare(settings, args, true)?;
    fv.v.dump(&request, settings, SwitchNames::default().names())
}

/// What makes a flow the same flow: table, priority, and match as text.
type Key = (u8, std::cmp::Reverse<u16>, String);

/// What may differ between two versions of a flow.
#[derive(Clone)]
struct Version {
    flow: FlowMod,
}

impl Version {
    fn equals(&self, other: &Self) -> bool {
        let (a, b) = (&self.flow, &other.flow);
        a.new_cookie.unwrap_or(0) == b.new_cookie.unwrap_or(0)
            && a.idle_timeout == b.idle_timeout
            && a.hard_timeout == b.hard_timeout
            && a.importance == b.importance
            && a.table_id == b.table_id
            && text_of(&a.actions) == text_of(&b.actions)
    }
}

/// Actions are compared as text: which wire form they came in is no difference.
fn text_of(actions: &[Action]) -> String {
    weir_openflow::actions::display(actions, Names::default()).to_string()
}

/// Flows by what makes them the same; (first source, second source).
type Tables = BTreeMap<Key, [Option<Version>; 2]>;

fn insert(tables: &mut Tables, mut flow: FlowMod, index: usize) {
    // Table "all" of a file is the switch's choice: the first.
    if flow.table_id == weir_openflow::flow_text::flow_mod::TABLE_ALL {
        flow.table_id = 0;
    }
    flow.matched.normalize();
    let key = (flow.table_id, std::cmp::Reverse(flow.priority), flow.matched.to_string());
    if let Some(cell) = tables.entry(key).or_default().get_mut(index) {
        *cell = Some(Version { flow });
    }
}

fn from_file(
    tables: &mut Tables,
    name: &str,
    index: usize,
    known: &SwitchNames,
) -> Result<Protocols, Fatal> {
    let text =
        read_source(name).map_err(|e| Fatal::new(format!("{name}: open ({})", strerror(&e))))?;
    let mut parser = flow_parser(known);
    let purpose = Purpose::Mod(FlowModCommand::Add);
    let flows = parser.parse_file(name, &text, purpose).map_err(|e| Fatal::new(e.0))?;
    flows.into_iter().for_each(|f| insert(tables, f, index));
    Ok(parser.usable)
}

fn from_switch(tables: &mut Tables, fv: &mut FlowVconn, index: usize) -> Result<(), Fatal> {
    let request = encode_in(fv.protocol, &Message::FlowStatsRequest(FlowStatsRequest::default()))?;
    for fs in collect(fv, &request)? {
        let flow = FlowMod {
            matched: fs.matched,
            priority: fs.priority,
            new_cookie: Some(fs.cookie),
            table_id: fs.table_id,
            idle_timeout: fs.idle_timeout,
            hard_timeout: fs.hard_timeout,
            importance: fs.importance,
            flags: fs.flags,
            actions: fs.actions,
            ..FlowMod::default()
        };
        insert(tables, flow, index);
    }
    Ok(())
}

pub(super) fn replace_flows(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    let [switch, name] = args else { return Ok(()) };
    const FILE: usize = 0;
    const SWITCH: usize = 1;
    let mut tables = Tables::new();
    let known = names::to_accept(switch, settings)?;
    let usable = from_file(&mut tables, name, FILE, &known)?;
    let mut fv = open_for_dump(switch, usable, settings)?;
    from_switch(&mut tables, &mut fv, SWITCH)?;
    let mut changes = Vec::new();
    for [wanted, there] in tables.values() {
        if let (None, Some(there)) = (wanted, there) {
            changes.push(FlowMod {
                command: FlowModCommand::DeleteStrict,
                actions: Vec::new(),
                new_cookie: Some(0),
                ..there.flow.clone()
            });
        }
    }
    for [wanted, there] in tables.values() {
        let Some(wanted) = wanted else { continue };
        if settings.readd || !there.as_ref().is_some_and(|t| t.equals(wanted)) {
            changes.push(FlowMod { command: FlowModCommand::Add, ..wanted.flow.clone() });
        }
    }
    if settings.bundle {
        drop(fv);
        return super::bundle::flow_mods(switch, changes, usable, settings);
    }
    send(&mut fv, &changes, settings)
}

pub(super) fn diff_flows(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    let mut tables = Tables::new();
    let mut known = SwitchNames::default();
    for (index, source) in args.iter().enumerate() {
        // A file is a file; anything else is a switch.
        let is_file = source.contains('/') && !source.contains(':')
            || std::fs::metadata(source).is_ok_and(|m| m.is_file());
        if is_file {
            from_file(&mut tables, source, index, &known)?;
        } else {
            if index == 0 {
                known = names::to_show(source, settings)?;
            }
            let mut fv = open_for_dump(source, Protocols::ANY, settings)?;
            from_switch(&mut tables, &mut fv, index)?;
        }
    }
    let mut differences = String::new();
    for (key, [a, b]) in &tables {
        let same = matches!((a, b), (Some(a), Some(b)) if a.equals(b));
        if same {
            continue;
        }
        for (sign, version) in [('-', a), ('+', b)] {
            if let Some(version) = version {
                differences.push(sign);
                differences.push_str(&describe(key, version, &known));
                differences.push('\n');
            }
        }
    }
    if differences.is_empty() {
        return Ok(());
    }
    out(&differences);
    Err(Fatal::new("").with_code(2))
}

fn describe(key: &Key, version: &Version, known: &SwitchNames) -> String {
    use std::fmt::Write;
    let f = &version.flow;
    // Ports have names here, tables have not.
    let names = Names { ports: known.ports(), tables: None };
    let mut s = String::new();
    if key.0 != 0 {
        let _ = write!(s, "table={} ", key.0);
    }
    let _ = write!(s, "{} ", f.matched.display(f.priority, known.ports()));
    if let Some(cookie) = f.new_cookie.filter(|c| *c != 0) {
        let _ = write!(s, "cookie=0x{cookie:x} ");
    }
    for (name, n) in [
        ("idle_timeout", f.idle_timeout),
        ("hard_timeout", f.hard_timeout),
        ("importance", f.importance),
    ] {
        if n != 0 {
            let _ = write!(s, "{name}={n} ");
        }
    }
    let _ = write!(s, "actions={}", weir_openflow::actions::display(&f.actions, names));
    s
}
