//! Packets to controllers.

use weir_flow::{Flow, Mask};
use weir_openflow::message::{CodecOptions, encode_as};
use weir_openflow::messages::nicira::PacketInFormat;
use weir_openflow::messages::packet_in::PacketIn as PacketInMsg;
use weir_openflow::raw::{Kind, Raw};
use weir_openflow::{Match, Message};

use super::ofconn::{OUTPUT_HIGH, OfConn};
use crate::switch::PacketIn;
use crate::xlate::output::reason;

impl OfConn {
    /// Sends a packet to this controller if it wants it. One for which there is no room is counted.
    pub(super) fn packet_in(&mut self, p: &PacketIn) {
        if p.cookie.controller_id != self.controller_id || !self.wants_packet_in(p.cookie.reason) {
            return;
        }
        let Some(limiters) = &mut self.limiters else { return self.send_packet_in(p) };
        let [misses, others] = limiters;
        let limiter = if p.cookie.reason == reason::NO_MATCH { misses } else { others };
        if !limiter.push(p) {
            self.packet_ins_dropped += 1;
        }
    }

    /// Sends the packets whose turn it is.
    pub(super) fn send_waiting_packets(&mut self, now_ms: u64) {
        for kind in 0..2 {
            while let Some(p) = self.limiters.as_mut().and_then(|l| l.get_mut(kind)?.pop(now_ms)) {
                self.send_packet_in(&p);
            }
        }
    }

    fn send_packet_in(&mut self, p: &PacketIn) {
        if self.output_len() >= OUTPUT_HIGH {
            self.packet_ins_dropped += 1;
            return;
        }
        let Some(version) = self.version() else { return };
        let raw = match self.packet_in_format {
            PacketInFormat::Standard => Kind::PacketIn.raw(version),
            PacketInFormat::NxtPacketIn => Some(Raw::NxtPacketIn),
            PacketInFormat::NxtPacketIn2 => Some(Raw::NxtPacketIn2),
        };
        let message = Message::PacketIn(message(p));
        if let Some(raw) = raw
            && let Ok(bytes) = encode_as(raw, version, 0, &message, CodecOptions::default())
        {
            self.queue(bytes);
        }
    }
}

/// The message, with the pipeline's state as its match.
fn message(p: &PacketIn) -> PacketInMsg {
    let s = &p.state;
    let (mut flow, mut mask) = (Flow::ZERO, Mask::CATCHALL);
    flow.in_port = u32::from(s.in_port.0).into();
    mask.0.in_port = u32::MAX.into();
    for ((value, reg), bits) in s.regs.iter().zip(&mut flow.regs).zip(&mut mask.0.regs) {
        if *value != 0 {
            *reg = (*value).into();
            *bits = u32::MAX.into();
        }
    }
    if s.metadata != 0 {
        flow.metadata = s.metadata.into();
        mask.0.metadata = u64::MAX.into();
    }
    if s.tun_id != 0 {
        flow.tun_id = s.tun_id.into();
        mask.0.tun_id = u64::MAX.into();
    }
    // Each packet has its own mark, however it was translated.
    if p.key.pkt_mark.get() != 0 {
        flow.pkt_mark = p.key.pkt_mark;
        mask.0.pkt_mark = u32::MAX.into();
    }
    PacketInMsg {
        total_len: u32::try_from(p.packet.len()).unwrap_or(u32::MAX),
        packet: p.packet.clone(),
        buffer_id: None,
        reason: p.cookie.reason,
        table_id: p.cookie.table_id,
        cookie: p.cookie.rule_cookie,
        metadata: Match::new(&flow, mask),
        userdata: s.userdata.clone(),
        continuation: Vec::new(),
    }
}
