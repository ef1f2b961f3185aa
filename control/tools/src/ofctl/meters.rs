//! Meters (OpenFlow 1.3 and later).

use weir_openflow::Protocols;
use weir_openflow::message::Message;
use weir_openflow::messages::meter::{
    MeterBand, MeterCommand, MeterConfig, MeterMod, band_type, meter_flags, meter_id,
};
use weir_openflow::value_text::number::{u8_named, u32_arg};
use weir_runtime::program::Fatal;

use super::flow_format::open_for_flow_mod;
use super::vconn::encode_in;
use super::{Settings, fatal};

fn number(text: &str) -> Result<u32, Fatal> {
    u32_arg(text).map_err(|e| Fatal::new(e.0))
}

/// Names and values in turn. A name ends at `=` or between words, a value only between words.
struct Tokens<'a>(&'a str);

const BETWEEN: [char; 5] = [',', ' ', '\t', '\r', '\n'];

impl<'a> Tokens<'a> {
    fn next(&mut self, ends: impl Fn(char) -> bool) -> Option<&'a str> {
        let text = self.0.trim_start_matches(&ends);
        let (token, rest) = text.split_at(text.find(&ends).unwrap_or(text.len()));
        let mut rest = rest.chars();
        rest.next();
        self.0 = rest.as_str();
        Some(token).filter(|t| !t.is_empty())
    }

    fn name(&mut self) -> Option<&'a str> {
        self.next(|c| c == '=' || BETWEEN.contains(&c))
    }

    fn value(&mut self, name: &str) -> Result<&'a str, Fatal> {
        let missing = || Fatal::new(format!("field {name} missing value"));
        self.next(|c| BETWEEN.contains(&c)).ok_or_else(missing)
    }
}

/// Flags by name.
const FLAGS: [(&str, u16); 4] = [
    ("kbps", meter_flags::KBPS),
    ("pktps", meter_flags::PKTPS),
    ("burst", meter_flags::BURST),
    ("stats", meter_flags::STATS),
];

/// Meters by name; others are numbers.
const METERS: [(&str, u32); 3] = [
    ("all", meter_id::ALL),
    ("controller", meter_id::CONTROLLER),
    ("slowpath", meter_id::SLOWPATH),
];

fn id(text: &str) -> Result<u32, Fatal> {
    if let Some((_, id)) = METERS.iter().find(|m| m.0 == text) {
        return Ok(*id);
    }
    match number(text)? {
        id if id == 0 || id > meter_id::MAX => fatal("invalid value for meter"),
        id => Ok(id),
    }
}

/// `meter=1 pktps bands=type=drop rate=1000`
fn parse(text: &str, command: MeterCommand) -> Result<MeterMod, Fatal> {
    let changes = command != MeterCommand::Delete;
    let mut meter = MeterConfig::default();
    let (head, bands) = match text.find("band").filter(|_| changes) {
        Some(at) => {
            let (head, tail) = text.split_at(at);
            (head, tail.split_once('=').map(|(_, bands)| bands))
        }
        None => (text, None),
    };
    if changes && bands.is_none() {
        return fatal("must specify bands");
    }
    let mut tokens = Tokens(head);
    while let Some(name) = tokens.name() {
        if let Some((_, flag)) = FLAGS.iter().find(|f| changes && f.0 == name) {
            meter.flags |= flag;
            continue;
        }
        let value = tokens.value(name)?;
        match name {
            "meter" => meter.meter_id = id(value)?,
            _ => return fatal(format!("unknown keyword {name}")),
        }
    }
    if meter.meter_id == 0 {
        return fatal("must specify 'meter'");
    }
    if let Some(bands) = bands {
        // Any flag will do; the switch looks closer.
        if meter.flags == 0 {
            return fatal("meter must specify either 'kbps' or 'pktps'");
        }
        meter.bands = parse_bands(bands)?;
        if meter.bands.is_empty() {
            return fatal("meter must have bands");
        }
        meter.bands.iter().try_for_each(|b| check_band(b, meter.flags))?;
    }
    Ok(MeterMod { command, meter })
}

/// Each `type` begins a band.
fn parse_bands(text: &str) -> Result<Vec<MeterBand>, Fatal> {
    let mut bands: Vec<MeterBand> = Vec::new();
    let mut tokens = Tokens(text);
    while let Some(name) = tokens.name() {
        let value = tokens.value(name)?;
        if name == "type" {
            let kind = match value {
                "drop" => band_type::DROP,
                "dscp_remark" => band_type::DSCP_REMARK,
                _ => return fatal(format!("field type unknown value {value}")),
            };
            bands.push(MeterBand { kind, rate: 0, burst_size: 0, prec_level: 0 });
            continue;
        }
        let Some(band) = bands.last_mut() else {
            return fatal("band must start with the 'type' keyword");
        };
        match name {
            "burst_size" => band.burst_size = number(value)?,
            "rate" => band.rate = number(value)?,
            "prec_level" => {
                band.prec_level = u8_named(value, name).map_err(|e| Fatal::new(e.0))?;
            }
            _ => return fatal(format!("unknown keyword {name}")),
        }
    }
    Ok(bands)
}

fn check_band(band: &MeterBand, flags: u16) -> Result<(), Fatal> {
    let remarks = band.kind == band_type::DSCP_REMARK;
    let bursts = flags & meter_flags::BURST != 0;
    if remarks && band.prec_level == 0 {
        return fatal("'dscp_remark' band must have 'prec_level'");
    }
    if !remarks && band.prec_level != 0 {
        return fatal("Only 'dscp_remark' band may have 'prec_level'");
    }
    if band.rate == 0 {
        return fatal("band must have 'rate'");
    }
    match (bursts, band.burst_size != 0) {
        (true, false) => fatal("band must have 'burst_size' when 'burst' flag is set"),
        (false, true) => fatal("band may have 'burst_size' only when 'burst' flag is set"),
        _ => Ok(()),
    }
}

fn change(settings: &Settings, args: &[String], command: MeterCommand) -> Result<(), Fatal> {
    let [switch, rest @ ..] = args else { return Ok(()) };
    let mm = match rest.first() {
        Some(text) => parse(text, command)?,
        None => MeterMod {
            command,
            meter: MeterConfig { meter_id: meter_id::ALL, ..MeterConfig::default() },
        },
    };
    let mut fv = open_for_flow_mod(switch, Protocols::OF13_UP, settings)?;
    let request = encode_in(fv.protocol, &Message::MeterMod(mm))?;
    fv.v.run(&[request], settings)
}

pub(super) fn add_meter(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    change(settings, args, MeterCommand::Add)
}

pub(super) fn mod_meter(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    change(settings, args, MeterCommand::Modify)
}

pub(super) fn del_meters(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    change(settings, args, MeterCommand::Delete)
}

fn dump(settings: &Settings, args: &[String], request: fn(u32) -> Message) -> Result<(), Fatal> {
    let [switch, rest @ ..] = args else { return Ok(()) };
    let id = match rest.first() {
        Some(text) => parse(text, MeterCommand::Delete)?.meter.meter_id,
        None => meter_id::ALL,
    };
    let mut fv = open_for_flow_mod(switch, Protocols::OF13_UP, settings)?;
    let request = encode_in(fv.protocol, &request(id))?;
    fv.v.dump(&request, settings, Default::default())
}

pub(super) fn dump_meters(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    dump(settings, args, Message::MeterConfigRequest)
}

pub(super) fn meter_stats(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    dump(settings, args, Message::MeterStatsRequest)
}

pub(super) fn meter_features(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    dump(settings, args, |_| Message::MeterFeaturesRequest)
}
