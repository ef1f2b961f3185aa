//! Meters (OpenFlow 1.3 and later).

use weir_openflow::Protocols;
use weir_openflow::message::Message;
use weir_openflow::messages::meter::{
    MeterBand, MeterCommand, MeterConfig, MeterMod, band_type, meter_flags, meter_id,
};
use weir_runtime::program::Fatal;

use super::flow_format::open_for_flow_mod;
use super::vconn::encode_in;
use super::{Settings, fatal};

fn number<T: std::str::FromStr>(text: &str, name: &str) -> Result<T, Fatal> {
    text.parse().map_err(|_| Fatal::new(format!("invalid {name}: {text}")))
}

fn id(text: &str) -> Result<u32, Fatal> {
    match text {
        "all" => Ok(meter_id::ALL),
        "controller" => Ok(meter_id::CONTROLLER),
        "slowpath" => Ok(meter_id::SLOWPATH),
        _ => {
            let id = number(text, "meter")?;
            if id == 0 || id > meter_id::MAX {
                return fatal(format!("invalid value for meter {text}"));
            }
            Ok(id)
        }
    }
}

/// Takes `name=value`, `name:value` and bare words apart.
fn items(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split([',', ' ', '\t'])
        .filter(|i| !i.is_empty())
        .map(|item| item.split_once(['=', ':']).unwrap_or((item, "")))
}

/// `meter=1 pktps band=type=drop,rate=1000`
fn parse(text: &str, command: MeterCommand) -> Result<MeterMod, Fatal> {
    let mut meter = MeterConfig::default();
    let (head, bands) = match text.split_once("band=") {
        Some((head, bands)) => (head, Some(bands)),
        None => match text.split_once("bands=") {
            Some((head, bands)) => (head, Some(bands)),
            None => (text, None),
        },
    };
    if bands.is_some() && command == MeterCommand::Delete {
        return fatal("bands are not needed");
    }
    if bands.is_none() && command != MeterCommand::Delete {
        return fatal("must specify bands");
    }
    for (name, value) in items(head) {
        let flag = match name {
            "kbps" => meter_flags::KBPS,
            "pktps" => meter_flags::PKTPS,
            "burst" => meter_flags::BURST,
            "stats" => meter_flags::STATS,
            "meter" => {
                meter.meter_id = id(value)?;
                continue;
            }
            _ => return fatal(format!("unknown keyword {name}")),
        };
        if command == MeterCommand::Delete {
            return fatal("flags are not needed");
        }
        meter.flags |= flag;
    }
    if meter.meter_id == 0 {
        return fatal("must specify 'meter'");
    }
    if command != MeterCommand::Delete {
        let Some(bands) = bands else { return fatal("must specify bands") };
        if meter.flags & (meter_flags::KBPS | meter_flags::PKTPS) == 0 {
            meter.flags |= meter_flags::KBPS;
        }
        for text in bands.split("band=") {
            meter.bands.push(band(text.trim_start_matches("bands=\n"), meter.flags)?);
        }
    }
    Ok(MeterMod { command, meter })
}

fn band(text: &str, flags: u16) -> Result<MeterBand, Fatal> {
    let mut band = MeterBand { kind: 0, rate: 0, burst_size: 0, prec_level: 0 };
    let mut text = text;
    // `band=type=drop`: the first item may carry its name twice.
    while let Some(rest) = text.strip_prefix([' ', ',', '\n']) {
        text = rest;
    }
    for (name, value) in items(text) {
        match name {
            "type" => {
                band.kind = match value {
                    "drop" => band_type::DROP,
                    "dscp_remark" => band_type::DSCP_REMARK,
                    _ => return fatal(format!("unknown band type {value}")),
                }
            }
            "burst_size" | "burst" => {
                if flags & meter_flags::BURST == 0 {
                    return fatal("burst size is not needed");
                }
                band.burst_size = number(value, "burst_size")?;
            }
            "rate" => band.rate = number(value, "rate")?,
            "prec_level" => band.prec_level = number(value, "prec_level")?,
            _ => return fatal(format!("unknown keyword {name}")),
        }
    }
    if band.kind == 0 {
        return fatal("no band type specified");
    }
    if band.rate == 0 {
        return fatal("band must have rate");
    }
    Ok(band)
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
