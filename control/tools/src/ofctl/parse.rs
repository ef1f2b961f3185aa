//! Commands without a switch: messages and flows as text, packets.

use std::fmt::Write;
use std::io::BufRead;

use weir_openflow::flow_text::{FlowMod, FlowModCommand, FlowParser, Purpose};
use weir_openflow::matching::match_format::DEFAULT_PRIORITY;
use weir_openflow::message::{CodecOptions, Message, encode_as};
use weir_openflow::messages::error::error_reply;
use weir_openflow::messages::hello::{Hello, VersionBitmap};
use weir_openflow::nxm::Strictness;
use weir_openflow::parse_commands;
use weir_openflow::print::packet_to_string;
use weir_openflow::raw::Raw;
use weir_openflow::version::OfVersion;
use weir_openflow::{OfpError, Protocols};
use weir_runtime::program::Fatal;

use super::flows::{flow_parser, read_file};
use super::names::SwitchNames;
use super::vconn::{encode_in, next_xid, print};
use super::{Settings, fatal, out};

fn hex(text: &str) -> Result<Vec<u8>, Fatal> {
    let (bytes, rest) = weir_openflow::value_text::number::hex_bytes(text);
    if rest.trim().is_empty() { Ok(bytes) } else { fatal("trailing garbage following hex bytes") }
}

/// Bytes as `ofp-print` takes them, 16 a line.
fn plain_dump(bytes: &[u8]) -> String {
    let mut s = String::new();
    for (i, line) in bytes.chunks(16).enumerate() {
        let _ = write!(s, "{:08x} ", i * 16);
        for (j, b) in line.iter().enumerate() {
            let _ = write!(s, "{}{b:02x}", if j == 8 { '-' } else { ' ' });
        }
        s.push('\n');
    }
    s
}

pub(super) fn ofp_print(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    let [text, rest @ ..] = args else { return Ok(()) };
    let verbosity = rest.first().map_or(2, |v| weir_openflow::value_text::number::atoi(v));
    let verbosity = u8::try_from(verbosity).unwrap_or(0);
    let _ = settings;
    let show = |text: &str| hex(text).map(|b| out(&print(&b, verbosity, Default::default())));
    if text == "-" {
        return std::io::stdin().lock().lines().map_while(Result::ok).try_for_each(|l| show(&l));
    }
    show(text)
}

pub(super) fn ofp_parse(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    let [name] = args else { return Ok(()) };
    let bytes = if name == "-" {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin(), &mut bytes).map(|_| bytes)
    } else {
        std::fs::read(name)
    };
    let Ok(bytes) = bytes else { return fatal(format!("{name}: open failed")) };
    let mut rest = bytes.as_slice();
    while !rest.is_empty() {
        let Some(header) = weir_openflow::header::Header::parse(rest) else {
            return fatal(format!("{name}: unexpected end of file"));
        };
        let Some((message, tail)) = rest.split_at_checked(usize::from(header.length.max(8))) else {
            return fatal(format!("{name}: unexpected end of file"));
        };
        out(&print(message, settings.verbosity + 2, Default::default()));
        rest = tail;
    }
    Ok(())
}

fn show_flows(flows: &[FlowMod], usable: Protocols, settings: &Settings) -> Result<(), Fatal> {
    let both = usable & settings.protocols;
    let mut text = format!("usable protocols: {usable}\n");
    let Some(chosen) = both.first() else {
        out(&text);
        return fatal("no usable protocol");
    };
    let _ = writeln!(text, "chosen protocol: {chosen}");
    for fm in flows {
        let bytes = encode_in(chosen, &Message::FlowMod(fm.clone()))?;
        text.push_str(&print(&bytes, settings.verbosity, Default::default()));
    }
    out(&text);
    Ok(())
}

pub(super) fn parse_flow(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    let [text] = args else { return Ok(()) };
    let known = SwitchNames::default();
    let mut parser = flow_parser(&known);
    let flow = parser.parse(text, Purpose::Mod(FlowModCommand::Add));
    let flow = flow.map_err(|e| Fatal::new(e.0))?;
    show_flows(&[flow], parser.usable, settings)
}

pub(super) fn parse_flows(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    let [name] = args else { return Ok(()) };
    let known = SwitchNames::default();
    let mut parser = flow_parser(&known);
    let purpose = Purpose::Mod(FlowModCommand::Add);
    let flows = parser.parse_file(name, &read_file(name)?, purpose);
    let flows = flows.map_err(|e| Fatal::new(e.0))?;
    show_flows(&flows, parser.usable, settings)
}

pub(super) fn print_error(_: &Settings, args: &[String]) -> Result<(), Fatal> {
    let [name] = args else { return Ok(()) };
    let Some(error) = OfpError::by_name(name) else {
        return fatal(format!("unknown error \"{name}\""));
    };
    let mut text = String::new();
    for v in OfVersion::ALL {
        let code = error.code(v);
        let show = |n: Option<u16>| n.map_or(-1, i32::from);
        let _ = writeln!(
            text,
            "{v}: vendor {}, type {}, code {}",
            code.map_or_else(
                || "0".to_owned(),
                |c| if c.vendor == 0 { "0".to_owned() } else { format!("{:#x}", c.vendor) }
            ),
            show(code.map(|c| c.kind)),
            show(code.map(|c| c.code))
        );
    }
    out(&text);
    Ok(())
}

pub(super) fn encode_hello(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    let [text] = args else { return Ok(()) };
    let bitmap = match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    };
    let versions = VersionBitmap(bitmap.unwrap_or(0));
    let hello = Message::Hello(Hello::new(versions));
    let version = OfVersion::V10;
    let bytes = encode_as(Raw::OfptHello, version, next_xid(), &hello, CodecOptions::default())
        .map_err(|e| Fatal::new(e.to_string()))?;
    out(&plain_dump(&bytes));
    out(&print(&bytes, settings.verbosity, Default::default()));
    Ok(())
}

pub(super) fn encode_error_reply(_: &Settings, args: &[String]) -> Result<(), Fatal> {
    let [name, text] = args else { return Ok(()) };
    let Some(error) = OfpError::by_name(name) else {
        return fatal(format!("unknown error \"{name}\""));
    };
    let request = hex(text)?;
    if request.len() < 8 {
        return fatal("Request too short");
    }
    out(&plain_dump(&error_reply(error, &request)));
    Ok(())
}

pub(super) fn compose_packet(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    let [text, rest @ ..] = args else { return Ok(()) };
    let mut parser = FlowParser::new(None, None);
    let fm = parser.parse(text, Purpose::Stats).map_err(|e| Fatal::new(e.0))?;
    let _ = DEFAULT_PRIORITY;
    let flow = &fm.matched.flow;
    let mut bytes = match rest.first() {
        None => weir_flow::packet::build::compose(flow),
        Some(len) => {
            let len = len.parse().map_err(|_| Fatal::new(format!("{len}: invalid length")))?;
            weir_flow::packet::build::compose_with_len(flow, len)
                .map_err(|e| Fatal::new(e.to_string()))?
        }
    };
    if settings.bad_csum
        && let Some(last) = bytes.last_mut()
    {
        // Any change makes the checksum wrong.
        *last ^= 0xff;
    }
    if settings.bare {
        let digits: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
        out(&format!("{digits}\n"));
    } else {
        out(&plain_dump(&bytes));
    }
    Ok(())
}

pub(super) fn parse_packet(_: &Settings, _: &[String]) -> Result<(), Fatal> {
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut std::io::stdin(), &mut bytes)
        .map_err(|e| Fatal::os(&e, "cannot read standard input"))?;
    out(&packet_to_string(&bytes, 0));
    Ok(())
}

/// Feeds a test of a codec with the lines of standard input.
fn each_line(
    run: impl Fn(&str) -> Result<String, weir_openflow::value_text::TextError>,
) -> Result<(), Fatal> {
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        out(&run(&line).map_err(|e| Fatal::new(e.0))?);
    }
    Ok(())
}

fn version(name: &str) -> Result<OfVersion, Fatal> {
    let unknown = || Fatal::new(format!("{name}: not a valid OpenFlow version"));
    OfVersion::from_option_name(name).ok_or_else(unknown)
}

fn strictness(settings: &Settings) -> Strictness {
    if settings.strict { Strictness::Strict } else { Strictness::Loose }
}

pub(super) fn parse_nx_match(settings: &Settings, _: &[String]) -> Result<(), Fatal> {
    each_line(|line| parse_commands::parse_nx_match(line, None, strictness(settings)))
}

pub(super) fn parse_oxm(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    let [name] = args else { return Ok(()) };
    let version = version(name)?;
    if version < OfVersion::V12 {
        return fatal(format!("{name}: not a valid version for OXM"));
    }
    each_line(|line| parse_commands::parse_nx_match(line, Some(version), strictness(settings)))
}

pub(super) fn parse_actions(_: &Settings, args: &[String]) -> Result<(), Fatal> {
    let [name] = args else { return Ok(()) };
    let version = version(name)?;
    each_line(|line| parse_commands::parse_actions(line, version))
}

pub(super) fn parse_instructions(_: &Settings, args: &[String]) -> Result<(), Fatal> {
    let [name] = args else { return Ok(()) };
    let version = version(name)?;
    each_line(|line| parse_commands::parse_instructions(line, version))
}

pub(super) fn parse_ofp10_match(_: &Settings, _: &[String]) -> Result<(), Fatal> {
    each_line(parse_commands::parse_ofp10_match)
}

pub(super) fn parse_ofp11_match(_: &Settings, _: &[String]) -> Result<(), Fatal> {
    each_line(parse_commands::parse_ofp11_match)
}

pub(super) fn parse_key_value(_: &Settings, args: &[String]) -> Result<(), Fatal> {
    args.iter().for_each(|a| out(&parse_commands::parse_key_value(a)));
    Ok(())
}

pub(super) fn check_vlan(_: &Settings, args: &[String]) -> Result<(), Fatal> {
    let [value, mask] = args else { return Ok(()) };
    let hex = |text: &str| {
        let digits = text.strip_prefix("0x").unwrap_or(text);
        u16::from_str_radix(digits, 16).unwrap_or(0)
    };
    out(&parse_commands::check_vlan(hex(value), hex(mask)));
    Ok(())
}
