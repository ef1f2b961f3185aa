//! Messages as text, as `ovs-ofctl` and the debug log show them: [`ofp_to_string`].
//!
//! A function prints one kind of body; texts are those of Open vSwitch, which programs parse.

mod async_config;
mod bits;
mod bundle;
mod fields;
mod flow;
mod group;
pub mod hex_dump;
mod meter;
mod nicira;
pub mod packet;
mod port;
mod queue;
mod role;
mod switch;
mod table;
pub mod table_features;

use std::fmt::Write;

use crate::actions::format::Names;
use crate::frame::{Frame, MULTIPART_MORE};
use crate::header::Header;
use crate::message::{CodecOptions, Decoded, Message, decode_leniently};
use crate::ofp_errors::OfpError;
use crate::version::OfVersion;

pub use hex_dump::hex_dump;
pub(crate) use hex_dump::hex_numbers;
pub use packet::{format_flow, packet_to_string};

/// What printing depends on besides the message.
#[derive(Clone, Copy, Debug)]
pub struct PrintContext<'a> {
    /// Names of ports and tables.
    pub names: Names<'a>,
    /// How much to print, `ovs-ofctl`'s `-m`: 0 least, 2 is usual for a single message.
    pub verbosity: u8,
}

/// The message as text, ending in a newline. Whatever `bytes` are, there is a text.
#[must_use]
pub fn ofp_to_string(bytes: &[u8], cx: PrintContext<'_>) -> String {
    let mut s = String::new();
    let Some(header) = Header::parse(bytes) else {
        if bytes.is_empty() {
            return "OpenFlow message is empty\n".to_owned();
        }
        let _ = writeln!(s, "OpenFlow packet too short (only {} bytes):", bytes.len());
        s.push_str(&hex_dump(bytes));
        return s;
    };
    let length = usize::from(header.length);
    if length > bytes.len() {
        if let Ok(f) = Frame::parse_headers(bytes) {
            head(&mut s, &f);
            s.push('\n');
        }
        let _ = writeln!(s, "(***truncated to {} bytes from {length}***)", bytes.len());
    } else if length < bytes.len() {
        let _ = writeln!(s, "(***only uses {length} bytes out of {}***)", bytes.len());
    } else {
        match message(&mut s, bytes, cx) {
            Ok(()) => {
                if cx.verbosity >= 5 {
                    if !s.ends_with('\n') {
                        s.push('\n');
                    }
                    s.push_str(&hex_dump(bytes));
                }
                if !s.ends_with('\n') {
                    s.push('\n');
                }
                return s;
            }
            Err(e) => decode_error(&mut s, e),
        }
    }
    s.push_str(&hex_dump(bytes));
    s
}

fn decode_error(s: &mut String, e: OfpError) {
    if !s.is_empty() && !s.ends_with(char::is_whitespace) {
        s.push(' ');
    }
    let _ = writeln!(s, "***decode error: {e}***");
}

/// `OFPT_HELLO (OF1.3) (xid=0x1):`
fn head(s: &mut String, f: &Frame<'_>) {
    s.push_str(f.raw.name());
    match f.header.version {
        1 => {}
        v if OfVersion::from_wire(v).is_some() => {
            let _ = write!(s, " (OF1.{})", v - 1);
        }
        v => {
            let _ = write!(s, " (OF 0x{v:02x})");
        }
    }
    let _ = write!(s, " (xid=0x{:x}):", f.header.xid);
}

fn multipart_flags(s: &mut String, f: &Frame<'_>) {
    let mut flags = f.multipart_flags;
    if flags == 0 {
        return;
    }
    s.push_str(" flags=");
    let may_be_more =
        f.raw.row().channel.is_multipart_reply() || f.header.version >= OfVersion::V13.wire();
    if may_be_more && flags & MULTIPART_MORE != 0 {
        s.push_str("[more]");
        flags &= !MULTIPART_MORE;
    }
    if flags != 0 {
        let _ = write!(s, "[***unknown flags 0x{flags:04x}***]");
    }
}

/// Prints a message of the right length; what is printed before an error stays.
fn message(s: &mut String, bytes: &[u8], cx: PrintContext<'_>) -> Result<(), OfpError> {
    let f = Frame::parse(bytes)?;
    head(s, &f);
    if f.raw.row().channel.is_multipart() {
        multipart_flags(s, &f);
    }
    if nicira::print_raw(s, &f) {
        return Ok(());
    }
    let (decoded, error) =
        decode_leniently(&f, CodecOptions { loose: true, ..CodecOptions::default() })?;
    body(s, &f, &decoded, cx)?;
    error.map_or(Ok(()), Err)
}

fn body(s: &mut String, f: &Frame<'_>, d: &Decoded, cx: PrintContext<'_>) -> Result<(), OfpError> {
    use Message as M;
    let v = d.version;
    match &d.message {
        M::Hello(m) => switch::hello(s, f, m),
        M::Error(m) => return switch::error(s, f.header.version, m),
        M::EchoRequest(data) | M::EchoReply(data) => switch::echo(s, data, cx.verbosity),
        M::FeaturesReply(m) => switch::features(s, m, v, cx),
        M::GetConfigReply(m) | M::SetConfig(m) => switch::config(s, *m),
        M::DescReply(m) => switch::desc(s, m),
        M::PacketIn(m) | M::Resume(m) => packet::packet_in(s, m, v, cx),
        M::PacketOut(m) => packet::packet_out(s, m, cx),
        M::FlowRemoved(m) => flow::flow_removed(s, m, cx),
        M::FlowMod(m) => flow::flow_mod(s, f, m, v, cx),
        M::FlowStatsRequest(m) | M::AggregateStatsRequest(m) => flow::stats_request(s, m, cx),
        M::FlowStatsReply(list) => flow::stats_reply(s, list, cx),
        M::AggregateStatsReply(m) => flow::aggregate(s, m),
        M::PortStatus(m) => port::status(s, m, cx),
        M::PortMod(m) => port::port_mod(s, m, cx),
        M::PortDescRequest(p) => port::desc_request(s, *p, cx),
        M::PortDescReply(list) => port::desc_reply(s, list, cx),
        M::PortStatsRequest(p) => port::stats_request(s, *p, cx),
        M::PortStatsReply(list) => port::stats_reply(s, list, cx),
        M::QueueStatsRequest(m) => queue::stats_request(s, *m, cx),
        M::QueueStatsReply(list) => queue::stats_reply(s, list, cx),
        M::QueueGetConfigRequest(m) => queue::config_request(s, *m, cx),
        M::QueueGetConfigReply(m) => queue::config_reply(s, m, v, cx),
        M::RoleRequest(m) | M::RoleReply(m) => role::role(s, *m),
        M::RoleStatus(m) => role::status(s, *m),
        M::GetAsyncReply(m) | M::SetAsyncConfig(m) => async_config::print(s, m),
        M::TableMod(m) => table::table_mod(s, m, v, cx),
        M::TableStatus(m) => table::status(s, m, cx),
        M::TableDescReply(list) => table::desc_reply(s, list, cx),
        M::TableStatsReply(list) => table_features::stats_reply(s, list, v, cx),
        M::TableFeaturesRequest(list) | M::TableFeaturesReply(list) => {
            table_features::features_reply(s, list, cx);
        }
        M::MeterMod(m) => meter::meter_mod(s, m),
        M::MeterStatsRequest(id) | M::MeterConfigRequest(id) => meter::request(s, *id),
        M::MeterStatsReply(list) => meter::stats_reply(s, list),
        M::MeterConfigReply(list) => meter::config_reply(s, list),
        M::MeterFeaturesReply(m) => meter::features(s, m),
        M::GroupMod(m) => group::group_mod(s, m, v, cx),
        M::GroupStatsRequest(id) => group::request(s, *id),
        M::GroupDescRequest(id) if v == OfVersion::V15 || v == OfVersion::V10 => {
            group::request(s, *id);
        }
        M::GroupStatsReply(list) => group::stats_reply(s, list),
        M::GroupDescReply(list) => group::desc_reply(s, list, v, cx),
        M::GroupFeaturesReply(m) => group::features(s, m),
        M::RequestForward(m) => return bundle::request_forward(s, m, cx),
        M::BundleControl(m) => bundle::control(s, *m),
        M::BundleAddMessage(m) => bundle::add(s, m, cx),
        M::FlowMonitorCancel(id) => {
            let _ = write!(s, " id={id}");
        }
        M::TlvTableMod(m) => nicira::tlv_mod(s, m),
        M::TlvTableReply(m) => nicira::tlv_reply(s, m),
        M::CtFlush(m) => nicira::ct_flush(s, m),
        M::IpfixBridgeReply(m) => nicira::ipfix_bridge(s, m),
        M::IpfixFlowReply(list) => nicira::ipfix_flow(s, list),
        // Printed from their bytes before.
        M::SetFlowFormat(_)
        | M::FlowModTableId(_)
        | M::SetPacketInFormat(_)
        | M::SetControllerId(_)
        | M::CtFlushZone(_) => {}
        // Nothing but a header.
        M::FeaturesRequest
        | M::GetConfigRequest
        | M::BarrierRequest
        | M::BarrierReply
        | M::GetAsyncRequest
        | M::DescRequest
        | M::TableStatsRequest
        | M::GroupDescRequest(_)
        | M::GroupFeaturesRequest
        | M::MeterFeaturesRequest
        | M::TableDescRequest
        | M::FlowMonitorPaused
        | M::FlowMonitorResumed
        | M::FlowAge
        | M::TlvTableRequest
        | M::IpfixBridgeRequest
        | M::IpfixFlowRequest => {}
    }
    Ok(())
}
