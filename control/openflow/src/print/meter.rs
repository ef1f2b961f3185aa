//! Meters.

use std::fmt::Write;

use super::bits;
use crate::messages::meter::{
    MeterBand, MeterCommand, MeterConfig, MeterFeatures, MeterMod, MeterStats, band_type,
    meter_flags, meter_id,
};

fn id(s: &mut String, id: u32, sep: char) {
    let _ = match id {
        meter_id::SLOWPATH => write!(s, "meter{sep}slowpath"),
        meter_id::CONTROLLER => write!(s, "meter{sep}controller"),
        meter_id::ALL => write!(s, "meter{sep}all"),
        n => write!(s, "meter{sep}{n}"),
    };
}

const FLAGS: [(u16, &str); 4] = [
    (meter_flags::KBPS, "kbps"),
    (meter_flags::PKTPS, "pktps"),
    (meter_flags::BURST, "burst"),
    (meter_flags::STATS, "stats"),
];

fn band(s: &mut String, flags: u16, b: &MeterBand) {
    s.push_str("\ntype=");
    let _ = match b.kind {
        band_type::DROP => write!(s, "drop"),
        band_type::DSCP_REMARK => write!(s, "dscp_remark"),
        n => write!(s, "{n}"),
    };
    let _ = write!(s, " rate={}", b.rate);
    if flags & meter_flags::BURST != 0 {
        let _ = write!(s, " burst_size={}", b.burst_size);
    }
    if b.kind == band_type::DSCP_REMARK {
        let _ = write!(s, " prec_level={}", b.prec_level);
    }
}

/// `meter=1 kbps bands=...`
pub(super) fn config(s: &mut String, m: &MeterConfig) {
    id(s, m.meter_id, '=');
    s.push(' ');
    let mut rest = m.flags;
    for (bit, name) in FLAGS {
        if m.flags & bit != 0 {
            let _ = write!(s, "{name} ");
            rest &= !bit;
        }
    }
    if rest != 0 {
        let _ = write!(s, "flags:0x{rest:x} ");
    }
    s.push_str("bands=");
    m.bands.iter().for_each(|b| band(s, m.flags, b));
    s.push('\n');
}

pub(super) fn meter_mod(s: &mut String, m: &MeterMod) {
    s.push_str(match m.command {
        MeterCommand::Add => " ADD ",
        MeterCommand::Modify => " MOD ",
        MeterCommand::Delete => " DEL ",
    });
    config(s, &m.meter);
}

pub(super) fn request(s: &mut String, meter: u32) {
    s.push(' ');
    id(s, meter, '=');
}

pub(super) fn config_reply(s: &mut String, list: &[MeterConfig]) {
    for m in list {
        s.push('\n');
        config(s, m);
    }
}

pub(super) fn stats_reply(s: &mut String, list: &[MeterStats]) {
    for m in list {
        s.push('\n');
        id(s, m.meter_id, ':');
        let _ = writeln!(
            s,
            " flow_count:{} packet_in_count:{} byte_in_count:{} duration:{} bands:",
            m.flow_count, m.packet_in_count, m.byte_in_count, m.duration
        );
        for (i, (packets, bytes)) in m.bands.iter().enumerate() {
            let _ = writeln!(s, "{i}: packet_count:{packets} byte_count:{bytes}");
        }
    }
}

pub(super) fn features(s: &mut String, m: &MeterFeatures) {
    let _ = write!(s, "\nmax_meter:{}", m.max_meters);
    let _ = writeln!(s, " max_bands:{} max_color:{}", m.max_bands, m.max_color);
    s.push_str("band_types: ");
    bits::names(s, m.band_types, ' ', |bit| match bit {
        1 => Some("drop"),
        2 => Some("dscp_remark"),
        _ => None,
    });
    s.push_str("\ncapabilities: ");
    bits::names(s, m.capabilities, ' ', |bit| {
        FLAGS.iter().find(|(b, _)| u32::from(*b) == 1 << bit).map(|f| f.1)
    });
    s.push('\n');
}
