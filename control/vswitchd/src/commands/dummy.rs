//! `netdev-dummy/*`: devices for tests.

use weir_flow::odp;
use weir_flow::packet::build;
use weir_runtime::unixctl::{Commands, Outcome};

use crate::switchd::Switchd;

pub(super) fn register(commands: &mut Commands<Switchd>) {
    let usage = "name [--qid queue_id] packet|flow [--len packet_len]";
    commands.add("netdev-dummy/receive", usage, 2, usize::MAX, |s: &mut Switchd, args| {
        let (Some(engine), Some(port)) = (&s.engine, s.ports.get(&args[0])) else {
            return Err("no such dummy netdev".to_owned());
        };
        let mut rest = args[1..].iter();
        let mut packets: Vec<Vec<u8>> = Vec::new();
        while let Some(arg) = rest.next() {
            match arg.as_str() {
                "--qid" => drop(rest.next()),
                "--len" => {
                    let text = rest.next().map(String::as_str).unwrap_or_default();
                    let len: usize =
                        text.parse().map_err(|_| format!("{text}: invalid packet length"))?;
                    if let Some(last) = packets.last_mut().filter(|p| p.len() < len) {
                        last.resize(len.min(65_535), 0);
                    }
                }
                text => packets.push(packet(text)?),
            }
        }
        for packet in &packets {
            engine.dummy_receive(port.no, packet).map_err(|e| e.to_string())?;
        }
        Outcome::empty()
    });
    let usage = "[netdev] up|down";
    commands.add("netdev-dummy/set-admin-state", usage, 1, 2, |s: &mut Switchd, args| {
        let up = match args.last().map(String::as_str) {
            Some(t) if t.eq_ignore_ascii_case("up") => true,
            Some(t) if t.eq_ignore_ascii_case("down") => false,
            _ => return Err("Invalid Admin State".to_owned()),
        };
        let Some(engine) = s.engine.clone() else { return Outcome::text("OK") };
        if let [name, _] = args {
            let port = s.ports.get(name).filter(|p| p.config.kind.starts_with("dummy"));
            let port = port.ok_or_else(|| "Unknown Dummy Interface".to_owned())?;
            engine.set_port_up(port.no, up);
        } else {
            for (_, port) in s.ports.iter().filter(|(_, p)| p.config.kind.starts_with("dummy")) {
                engine.set_port_up(port.no, up);
            }
        }
        s.refresh_links();
        Outcome::text("OK")
    });
}

/// Hexadecimal digits, or a datapath flow from which a packet is made.
fn packet(text: &str) -> Result<Vec<u8>, String> {
    let digits: Option<Vec<u8>> = text
        .bytes()
        .filter(|b| !b.is_ascii_whitespace())
        .map(|b| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok()))
        .collect();
    if let Some(digits) = digits.filter(|d| d.len() % 2 == 0 && !d.is_empty()) {
        return Ok(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect());
    }
    let key = odp::parse_key(text, None).map_err(|e| e.to_string())?;
    Ok(build::compose(&key.flow))
}
