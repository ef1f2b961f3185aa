//! Watching: monitor and snoop. Messages go to standard error, as they come.

use std::time::{SystemTime, UNIX_EPOCH};

use weir_openflow::message::{CodecOptions, Message, decode, encode_as};
use weir_openflow::messages::async_config::{AsyncMsg, AsyncType};
use weir_openflow::messages::nicira::PacketInFormat;
use weir_openflow::messages::switch::{INVALID_TTL_TO_CONTROLLER, SwitchConfig};
use weir_openflow::raw::{Kind, Raw};
use weir_openflow::version::OfVersion;
use weir_runtime::daemon::Daemon;
use weir_runtime::program::Fatal;

use super::vconn::{Service, Vconn, ask, next_xid, print};
use super::{Settings, err, fatal};

/// `2026-11-23 09:09:55.748`, in local time as UTC: Weir's daemons log in UTC, too.
fn timestamp() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let days = i64::try_from(now.as_secs() / 86400).unwrap_or(0);
    let second = now.as_secs() % 86400;
    let (year, month, day) = civil(days);
    format!(
        "{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}.{:03}",
        second / 3600,
        second / 60 % 60,
        second % 60,
        now.subsec_millis()
    )
}

/// The date of a number of days since 1970-01-01 (proleptic Gregorian calendar, eras of 400 years).
fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let mp = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// Prints whatever comes, for ever.
fn watch(
    mut v: Vconn,
    settings: &Settings,
    answer_echoes: bool,
    mut daemon: Daemon,
) -> Result<(), Fatal> {
    daemon.complete()?;
    loop {
        let Some(message) = v.receive()? else {
            return fatal("vconn_recv (End of file)");
        };
        if answer_echoes
            && let Ok(decoded) = decode(&message)
            && let Message::EchoRequest(data) = decoded.message
        {
            let reply = Message::EchoReply(data);
            let raw = Raw::OfptEchoReply;
            let xid = decoded.header.xid;
            let reply = encode_as(raw, v.version(), xid, &reply, CodecOptions::default());
            v.send(&reply.map_err(|e| Fatal::new(e.to_string()))?)?;
            continue;
        }
        let text = print(&message, settings.verbosity + 2, Default::default());
        err(&if settings.timestamp { format!("{}: {text}", timestamp()) } else { text });
    }
}

fn try_packet_in_format(v: &mut Vconn, format: PacketInFormat) -> Result<bool, Fatal> {
    let request = v.encode(&Message::SetPacketInFormat(format))?;
    Ok(v.transact_noreply(&[request])?.is_none())
}

fn set_packet_in_format(v: &mut Vconn, settings: &Settings) -> Result<(), Fatal> {
    if let Some(format) = settings.packet_in_format {
        if !try_packet_in_format(v, format)? {
            return fatal(format!(
                "{}: failed to set packet in format to nx_packet_in, switch replied with error",
                v.name()
            ));
        }
        return Ok(());
    }
    // The newest tells most; OpenFlow 1.0's own tells least.
    let newest = try_packet_in_format(v, PacketInFormat::NxtPacketIn2)?;
    if !newest && v.version() == OfVersion::V10 {
        try_packet_in_format(v, PacketInFormat::NxtPacketIn)?;
    }
    Ok(())
}

fn config(v: &mut Vconn) -> Result<SwitchConfig, Fatal> {
    match ask(v, &Message::GetConfigRequest)?.message {
        Message::GetConfigReply(c) => Ok(c),
        _ => fatal(format!("{}: bad reply to config request", v.name())),
    }
}

fn set_config(v: &mut Vconn, config: SwitchConfig, settings: &Settings) -> Result<(), Fatal> {
    let request = v.encode(&Message::SetConfig(config))?;
    v.run(&[request], settings)
}

fn want_invalid_ttl(v: &mut Vconn, settings: &Settings) -> Result<(), Fatal> {
    if v.version() < OfVersion::V13 {
        let now = config(v)?;
        let flags = now.flags | INVALID_TTL_TO_CONTROLLER;
        return set_config(v, SwitchConfig { flags, ..now }, settings);
    }
    let Message::GetAsyncReply(now) = ask(v, &Message::GetAsyncRequest)?.message else {
        return fatal("bad reply to async config request");
    };
    let mut wanted = AsyncMsg { replaces: false, ..now };
    if let Some((primary, _)) = wanted.masks.get_mut(AsyncType::PacketIn as usize) {
        *primary = Some(primary.unwrap_or(0) | 1 << 2);
    }
    let raw = Kind::SetAsyncConfig.raw(v.version()).unwrap_or(Raw::Ofpt13SetAsync);
    let message = Message::SetAsyncConfig(wanted);
    let request = encode_as(raw, v.version(), next_xid(), &message, CodecOptions::default());
    v.run(&[request.map_err(|e| Fatal::new(e.to_string()))?], settings)
}

pub(super) fn monitor(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    let [switch, rest @ ..] = args else { return Ok(()) };
    let daemon = settings.daemon.clone().start()?;
    let mut v = Vconn::open(switch, Service::Mgmt, settings)?;
    for arg in rest {
        if arg.bytes().next().is_some_and(|b| b.is_ascii_digit()) {
            let now = config(&mut v)?;
            let miss_send_len = weir_openflow::value_text::number::atoi(arg);
            let miss_send_len = u16::try_from(miss_send_len & 0xffff).unwrap_or(u16::MAX);
            set_config(&mut v, SwitchConfig { miss_send_len, ..now }, settings)?;
        } else if arg == "invalid_ttl" {
            want_invalid_ttl(&mut v, settings)?;
        } else {
            return fatal(format!("{arg}: unsupported \"monitor\" argument"));
        }
    }
    set_packet_in_format(&mut v, settings)?;
    watch(v, settings, true, daemon)
}

pub(super) fn snoop(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    let [switch] = args else { return Ok(()) };
    let daemon = settings.daemon.clone().start()?;
    let v = Vconn::open(switch, Service::Snoop, settings)?;
    watch(v, settings, false, daemon)
}

#[cfg(test)]
mod tests {
    use super::civil;

    #[test]
    fn dates() {
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(11_016), (2000, 2, 29));
        assert_eq!(civil(20_780), (2026, 11, 23));
    }
}
