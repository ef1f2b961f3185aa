//! Queues: statistics and configuration.

use std::fmt::Write;

use super::{PrintContext, port};
use crate::messages::queue::{QUEUE_ALL, QueueConfigs, QueueRequest, QueueStats};
use crate::ofp_port::OfPort;
use crate::version::OfVersion;

fn name(queue: u32) -> String {
    if queue == QUEUE_ALL { "ALL".to_owned() } else { queue.to_string() }
}

pub(super) fn stats_request(s: &mut String, m: QueueRequest, cx: PrintContext<'_>) {
    let _ = write!(s, " port={} queue={}", cx.names.port(m.port_no), name(m.queue_id));
}

pub(super) fn stats_reply(s: &mut String, list: &[QueueStats], cx: PrintContext<'_>) {
    let _ = writeln!(s, " {} queues", list.len());
    if cx.verbosity == 0 {
        return;
    }
    for q in list {
        let duration = q.duration.map_or_else(|| "?".to_owned(), |d| d.to_string());
        let _ = writeln!(
            s,
            "  port {} queue {}: bytes={}, pkts={}, errors={}, duration={duration}",
            cx.names.port(q.port_no),
            name(q.queue_id),
            port::counter(q.tx_bytes),
            port::counter(q.tx_packets),
            port::counter(q.tx_errors)
        );
    }
}

pub(super) fn config_request(s: &mut String, m: QueueRequest, cx: PrintContext<'_>) {
    let _ = write!(s, " port={}", cx.names.port(m.port_no));
    if m.queue_id != QUEUE_ALL {
        let _ = write!(s, " queue={}", name(m.queue_id));
    }
}

fn rate(s: &mut String, label: &str, rate: Option<u16>) {
    match rate {
        Some(r) if r <= 1000 => {
            let _ = write!(s, " {label}:{}.{}%", r / 10, r % 10);
        }
        Some(_) => {
            let _ = write!(s, " {label}:(disabled)");
        }
        None => {}
    }
}

pub(super) fn config_reply(s: &mut String, m: &QueueConfigs, v: OfVersion, cx: PrintContext<'_>) {
    let _ = v;
    let mut queues: Vec<_> = m.queues.iter().collect();
    queues.sort_by_key(|q| (q.port_no, q.queue_id));
    s.push(' ');
    let mut port: Option<OfPort> = None;
    for q in queues {
        if port != Some(q.port_no) {
            port = Some(q.port_no);
            let _ = writeln!(s, "port={}", cx.names.port(q.port_no));
        }
        let _ = write!(s, "queue {}:", q.queue_id);
        rate(s, "min_rate", q.min_rate);
        rate(s, "max_rate", q.max_rate);
        s.push('\n');
    }
}
