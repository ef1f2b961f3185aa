//! [`Message`]: one variant for each logical message, whatever its version and wire form.
//! [`decode`] and [`encode`] are the doors; the bodies are in [`crate::messages`].

use crate::flow_text::{FlowMod, FlowStats};
use crate::frame::{self, EncodeError, Frame};
use crate::header::Header;
use crate::messages::async_config::AsyncMsg;
use crate::messages::bundle::{BundleAdd, BundleControl};
use crate::messages::error::ErrorMsg;
use crate::messages::flow_mod;
use crate::messages::flow_removed::FlowRemoved;
use crate::messages::flow_stats::{self, AggregateStats, FlowStatsRequest};
use crate::messages::group::{self, GroupDesc, GroupFeatures, GroupMod, GroupStats};
use crate::messages::hello::Hello;
use crate::messages::ipfix::IpfixStats;
use crate::messages::meter;
use crate::messages::meter::{MeterConfig, MeterFeatures, MeterMod, MeterStats};
use crate::messages::nicira::{self, CtFlush, PacketInFormat};
use crate::messages::packet_in::PacketIn;
use crate::messages::packet_out::PacketOut;
use crate::messages::port::{self, PhyPort, PortStatus};
use crate::messages::port_mod::PortMod;
use crate::messages::port_stats::{self, PortStats};
use crate::messages::queue::{QueueConfigs, QueueRequest, QueueStats};
use crate::messages::request_forward::RequestForward;
use crate::messages::role::{RoleMsg, RoleStatus};
use crate::messages::switch::{SwitchConfig, SwitchDesc, SwitchFeatures};
use crate::messages::table::{TableDesc, TableMod, TableStatus};
use crate::messages::table_features::TableFeatures;
use crate::messages::table_stats::TableStats;
use crate::messages::tlv_table::{TlvTableMod, TlvTableReply};
use crate::multipart::MultipartWriter;
use crate::ofp_errors::OfpError;
use crate::ofp_port::OfPort;
use crate::protocol::Protocols;
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
    PacketIn(PacketIn),
    FlowRemoved(FlowRemoved),
    PortStatus(PortStatus),
    PacketOut(PacketOut),
    FlowMod(FlowMod),
    GroupMod(GroupMod),
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
    FlowStatsRequest(FlowStatsRequest),
    FlowStatsReply(Vec<FlowStats>),
    AggregateStatsRequest(FlowStatsRequest),
    AggregateStatsReply(AggregateStats),
    TableStatsRequest,
    TableStatsReply(Vec<TableStats>),
    PortStatsRequest(OfPort),
    PortStatsReply(Vec<PortStats>),
    QueueStatsRequest(QueueRequest),
    QueueStatsReply(Vec<QueueStats>),
    GroupStatsRequest(u32),
    GroupStatsReply(Vec<GroupStats>),
    GroupDescRequest(u32),
    GroupDescReply(Vec<GroupDesc>),
    GroupFeaturesRequest,
    GroupFeaturesReply(GroupFeatures),
    MeterStatsRequest(u32),
    MeterStatsReply(Vec<MeterStats>),
    MeterConfigRequest(u32),
    MeterConfigReply(Vec<MeterConfig>),
    MeterFeaturesRequest,
    MeterFeaturesReply(MeterFeatures),
    /// Empty to ask; else the new features of all tables.
    TableFeaturesRequest(Vec<TableFeatures>),
    TableFeaturesReply(Vec<TableFeatures>),
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
    SetPacketInFormat(PacketInFormat),
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
    /// `NXT_RESUME`: go on with a packet that a `controller(pause)` stopped.
    Resume(PacketIn),
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

/// What a connection has agreed on beyond its version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodecOptions {
    /// May the command of an OpenFlow 1.0 flow-mod name a table (`NXT_FLOW_MOD_TABLE_ID`)?
    pub table_id: bool,
    /// Skip properties that nobody knows, as a controller does; a switch refuses them.
    pub loose: bool,
}

impl Default for CodecOptions {
    fn default() -> Self {
        Self { table_id: true, loose: false }
    }
}

/// Decodes the message at the start of `bytes`.
///
/// # Errors
/// The error to answer with, see [`crate::messages::error::error_reply`].
pub fn decode(bytes: &[u8]) -> Result<Decoded, OfpError> {
    decode_frame(&Frame::parse(bytes)?, CodecOptions::default())
}

/// Decodes a message whose headers were read before, perhaps joined from parts.
///
/// # Errors
/// As [`decode`].
pub fn decode_frame(f: &Frame<'_>, options: CodecOptions) -> Result<Decoded, OfpError> {
    let (decoded, error) = decode_leniently(f, options)?;
    error.map_or(Ok(decoded), Err)
}

/// Decodes as much as can be decoded: with an error in the middle of a list, the entries before it
/// and the error. For printing.
///
/// # Errors
/// Nothing could be decoded.
pub fn decode_leniently(
    f: &Frame<'_>,
    options: CodecOptions,
) -> Result<(Decoded, Option<OfpError>), OfpError> {
    let version = OfVersion::from_wire(f.header.version).unwrap_or(OfVersion::V15);
    let (message, error) = Message::decode(f, version, options)?;
    let more = f.multipart_flags & frame::MULTIPART_MORE != 0;
    Ok((Decoded { header: f.header, version, raw: f.raw, more, message }, error))
}

/// Encodes in `version`, in the standard form if there is one. The bytes are one message, or several
/// when a multipart reply is longer than a message can be.
///
/// # Errors
/// The version has no such message, or it is too long.
pub fn encode(version: OfVersion, xid: u32, message: &Message) -> Result<Vec<u8>, EncodeError> {
    let not_there = EncodeError::NotInVersion(message.name(), version);
    let raw = message.kind().raw(version).ok_or(not_there)?;
    encode_as(raw, version, xid, message, CodecOptions::default())
}

/// Encodes for a flow format: in OpenFlow 1.0, "NXM" formats take Nicira's forms of the messages
/// that carry flows, and "+table_id" formats name tables in flow-mods.
///
/// # Errors
/// As [`encode`].
pub fn encode_for(
    protocol: Protocols,
    xid: u32,
    message: &Message,
) -> Result<Vec<u8>, EncodeError> {
    let version = protocol.version().unwrap_or(OfVersion::V10);
    let not_there = EncodeError::NotInVersion(message.name(), version);
    let is_nxm = protocol.intersects(Protocols::OF10_NXM_ANY);
    let carries_flows = matches!(
        message.kind(),
        Kind::FlowMod
            | Kind::FlowRemoved
            | Kind::FlowStatsRequest
            | Kind::FlowStatsReply
            | Kind::AggregateStatsRequest
            | Kind::AggregateStatsReply
    );
    let mut raws = message.kind().raws(version);
    let raw = if is_nxm && carries_flows { raws.last() } else { raws.next() };
    let options =
        CodecOptions { table_id: protocol.intersects(Protocols::TID), ..CodecOptions::default() };
    encode_as(raw.ok_or(not_there)?, version, xid, message, options)
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
    options: CodecOptions,
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
    message.put_body(raw, version, options, &mut out);
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
