//! [`Message`]: one variant for each logical message, whatever its version and wire form.
//! [`decode`] and [`encode`] are the doors; the bodies are in [`crate::messages`].

use crate::frame::{self, EncodeError, Frame};
use crate::header::Header;
use crate::messages::async_config::AsyncMsg;
use crate::messages::bundle::{BundleAdd, BundleControl};
use crate::messages::error::ErrorMsg;
use crate::messages::hello::Hello;
use crate::messages::ipfix::IpfixStats;
use crate::messages::meter;
use crate::messages::meter::{MeterConfig, MeterFeatures, MeterMod, MeterStats};
use crate::messages::nicira::{self, CtFlush};
use crate::messages::port::{self, PhyPort, PortStatus};
use crate::messages::port_mod::PortMod;
use crate::messages::port_stats::{self, PortStats};
use crate::messages::queue::{QueueConfigs, QueueRequest, QueueStats};
use crate::messages::request_forward::RequestForward;
use crate::messages::role::{RoleMsg, RoleStatus};
use crate::messages::switch::{SwitchConfig, SwitchDesc, SwitchFeatures};
use crate::messages::table::{TableDesc, TableMod, TableStatus};
use crate::messages::table_stats::TableStats;
use crate::messages::tlv_table::{TlvTableMod, TlvTableReply};
use crate::multipart::MultipartWriter;
use crate::ofp_errors::OfpError;
use crate::ofp_port::OfPort;
use crate::raw::{Kind, Raw};
use crate::version::OfVersion;
use crate::wire::{Put, Reader};

/// A message. A list in a reply holds what one message carried; [`crate::multipart`] joins parts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "names of OpenFlow messages")]
pub enum Message {
    Hello(Hello),
    Error(ErrorMsg),
    EchoRequest(Vec<u8>),
    EchoReply(Vec<u8>),
    FeaturesRequest,
    FeaturesReply(SwitchFeatures),
    GetConfigRequest,
    GetConfigReply(SwitchConfig),
    SetConfig(SwitchConfig),
    PortStatus(PortStatus),
    PortMod(PortMod),
    TableMod(TableMod),
    BarrierRequest,
    BarrierReply,
    QueueGetConfigRequest(QueueRequest),
    QueueGetConfigReply(QueueConfigs),
    RoleRequest(RoleMsg),
    RoleReply(RoleMsg),
    GetAsyncRequest,
    GetAsyncReply(AsyncMsg),
    SetAsyncConfig(AsyncMsg),
    MeterMod(MeterMod),
    RoleStatus(RoleStatus),
    TableStatus(TableStatus),
    RequestForward(RequestForward),
    BundleControl(BundleControl),
    BundleAddMessage(BundleAdd),
    DescRequest,
    DescReply(SwitchDesc),
    TableStatsRequest,
    TableStatsReply(Vec<TableStats>),
    PortStatsRequest(OfPort),
    PortStatsReply(Vec<PortStats>),
    QueueStatsRequest(QueueRequest),
    QueueStatsReply(Vec<QueueStats>),
    GroupFeaturesRequest,
    MeterStatsRequest(u32),
    MeterStatsReply(Vec<MeterStats>),
    MeterConfigRequest(u32),
    MeterConfigReply(Vec<MeterConfig>),
    MeterFeaturesRequest,
    MeterFeaturesReply(MeterFeatures),
    TableDescRequest,
    TableDescReply(Vec<TableDesc>),
    PortDescRequest(OfPort),
    PortDescReply(Vec<PhyPort>),
    FlowMonitorCancel(u32),
    FlowMonitorPaused,
    FlowMonitorResumed,
    SetFlowFormat(u32),
    /// May flow-mods name a table?
    FlowModTableId(u8),
    SetPacketInFormat(u32),
    FlowAge,
    SetControllerId(u16),
    TlvTableMod(TlvTableMod),
    TlvTableRequest,
    TlvTableReply(TlvTableReply),
    CtFlushZone(u16),
    CtFlush(CtFlush),
    IpfixBridgeRequest,
    IpfixBridgeReply(IpfixStats),
    IpfixFlowRequest,
    IpfixFlowReply(Vec<IpfixStats>),
}

/// A decoded message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// Its header.
    pub header: Header,
    /// The version; a hello of a later version counts as the latest that Weir knows.
    pub version: OfVersion,
    /// The wire form it came in.
    pub raw: Raw,
    /// Do more parts of a multipart message follow?
    pub more: bool,
    /// What it says.
    pub message: Message,
}

/// Decodes the message at the start of `bytes`.
///
/// # Errors
/// The error to answer with, see [`crate::messages::error::error_reply`].
pub fn decode(bytes: &[u8]) -> Result<Decoded, OfpError> {
    decode_frame(&Frame::parse(bytes)?)
}

/// Decodes a message whose headers were read before, perhaps joined from parts.
///
/// # Errors
/// As [`decode`].
pub fn decode_frame(f: &Frame<'_>) -> Result<Decoded, OfpError> {
    let (decoded, error) = decode_leniently(f)?;
    error.map_or(Ok(decoded), Err)
}

/// Decodes as much as can be decoded: with an error in the middle of a list, the entries before it
/// and the error. For printing.
///
/// # Errors
/// Nothing could be decoded.
pub fn decode_leniently(f: &Frame<'_>) -> Result<(Decoded, Option<OfpError>), OfpError> {
    let version = OfVersion::from_wire(f.header.version).unwrap_or(OfVersion::V15);
    let (message, error) = Message::decode(f, version)?;
    let more = f.multipart_flags & frame::MULTIPART_MORE != 0;
    Ok((Decoded { header: f.header, version, raw: f.raw, more, message }, error))
}

/// Encodes in `version`, in the standard form if there is one. The bytes are one message, or several
/// when a multipart reply is longer than a message can be.
///
/// # Errors
/// The version has no such message, or it is too long.
pub fn encode(version: OfVersion, xid: u32, message: &Message) -> Result<Vec<u8>, EncodeError> {
    let kind = message.kind();
    let not_there = EncodeError::NotInVersion(message.name(), version);
    encode_as(kind.raw(version).ok_or(not_there)?, version, xid, message)
}

/// Encodes in a form of the caller's choice, for instance to answer in the form of a request.
///
/// # Errors
/// The form is not one of the message's in this version, or the message is too long.
pub fn encode_as(
    raw: Raw,
    version: OfVersion,
    xid: u32,
    message: &Message,
) -> Result<Vec<u8>, EncodeError> {
    if raw.kind() != message.kind() || !raw.is_in(version) {
        return Err(EncodeError::NotInVersion(message.name(), version));
    }
    if raw.row().channel.is_multipart_reply() {
        let mut w = MultipartWriter::new(raw, version, xid);
        message.put_entries(&mut w)?;
        return w.finish();
    }
    let mut out = Vec::new();
    frame::begin(raw, version, xid, &mut out);
    if let Message::Hello(hello) = message
        && let Some(highest) = hello.versions.highest()
        && let Some(v) = out.first_mut()
    {
        // A hello's version says what the sender can do, not what is spoken.
        *v = highest;
    }
    message.put_body(raw, version, &mut out);
    frame::finish(raw, 0, &mut out)?;
    Ok(out)
}

mod body;

type Entries<T> = (Vec<T>, Option<OfpError>);

/// Reads entries up to the end or the first error.
fn entries<T>(
    body: &[u8],
    short: OfpError,
    mut pull: impl FnMut(&mut Reader<'_>) -> Result<T, OfpError>,
) -> Entries<T> {
    let mut r = Reader::new(body, short);
    let mut list = Vec::new();
    while !r.is_empty() {
        match pull(&mut r) {
            Ok(entry) => list.push(entry),
            Err(e) => return (list, Some(e)),
        }
    }
    (list, None)
}
