//! Is somebody there, and how fast: probe, ping, benchmark.

use std::time::Instant;

use weir_openflow::message::{Message, decode};
use weir_openflow::value_text::number::atoi;
use weir_runtime::program::Fatal;

use super::vconn::{Service, Vconn, print, xid_of};
use super::{Settings, fatal, out};

/// Most bytes of an echo's payload.
const MAX_PAYLOAD: usize = 65535 - 8;

pub(super) fn probe(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    let [target] = args else { return Ok(()) };
    let mut v = Vconn::open(target, Service::Mgmt, settings)?;
    let request = v.encode(&Message::EchoRequest(Vec::new()))?;
    let reply = v.transact(&request)?;
    if reply.len() != 8 {
        return fatal("reply does not match request");
    }
    Ok(())
}

/// The number that the text begins with; 0 if there is none.
fn payload_len(text: &str) -> Result<usize, Fatal> {
    let len = usize::try_from(atoi(text)).ok().filter(|n| *n <= MAX_PAYLOAD);
    let wrong = || Fatal::new(format!("payload must be between 0 and {MAX_PAYLOAD} bytes"));
    len.ok_or_else(wrong)
}

/// How many echoes `ping` sends.
const PINGS: u32 = 10;

pub(super) fn ping(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    let [target, rest @ ..] = args else { return Ok(()) };
    let payload = rest.first().map_or(Ok(64), |n| payload_len(n))?;
    let mut v = Vconn::open(target, Service::Mgmt, settings)?;
    for seq in 0..PINGS {
        let data: Vec<u8> = (0..payload).map(|i| (i as u8).wrapping_mul(31) ^ seq as u8).collect();
        let request = v.encode(&Message::EchoRequest(data.clone()))?;
        let start = Instant::now();
        let reply = v.transact(&request)?;
        let time = start.elapsed();
        match decode(&reply).map(|d| d.message) {
            Ok(Message::EchoReply(answer)) if answer == data => {}
            _ => {
                out("Reply does not match request.  Request:\n");
                out(&print(&request, settings.verbosity + 2, Default::default()));
                out("Reply:\n");
                out(&print(&reply, settings.verbosity + 2, Default::default()));
            }
        }
        out(&format!(
            "{} bytes from {target}: xid={:08x} time={:.1} ms\n",
            reply.len() - 8,
            xid_of(&reply),
            time.as_secs_f64() * 1000.0
        ));
    }
    Ok(())
}

pub(super) fn benchmark(settings: &Settings, args: &[String]) -> Result<(), Fatal> {
    let [target, size, count] = args else { return Ok(()) };
    let payload = payload_len(size)?;
    let message = payload + 8;
    let count: u32 = count.parse().unwrap_or(0);
    let total = message as u64 * u64::from(count);
    out(&format!(
        "Sending {count} packets * {message} bytes (with header) = {total} bytes total\n"
    ));
    let mut v = Vconn::open(target, Service::Mgmt, settings)?;
    let start = Instant::now();
    for _ in 0..count {
        let request = v.encode(&Message::EchoRequest(vec![0; payload]))?;
        v.transact(&request)?;
    }
    let duration = start.elapsed().as_secs_f64() * 1000.0;
    out(&format!(
        "Finished in {duration:.1} ms ({:.0} packets/s) ({:.0} bytes/s)\n",
        f64::from(count) / (duration / 1000.0),
        total as f64 / (duration / 1000.0)
    ));
    Ok(())
}
