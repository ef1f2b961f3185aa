//! The table of message formats: one row a wire form, with its number in the versions that have it
//! and the lengths its body may have. A [`Kind`] groups the forms of one logical message.
//!
//! Numbers are those of the OpenFlow specifications 1.0 to 1.5 (`ofp_type`, `ofp_multipart_type`)
//! and of the Nicira and ONF extensions as Open vSwitch speaks them.

use crate::version::OfVersion;

/// Experimenter identifier of Nicira extensions.
pub const NX_VENDOR_ID: u32 = 0x0000_2320;
/// Experimenter identifier of the Open Networking Foundation's extensions.
pub const ONF_VENDOR_ID: u32 = 0x4f4e_4600;

/// Where a message's number stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Channel {
    /// `type` of the header.
    Ofpt,
    /// `type` of a multipart ("stats") request.
    OfpstRequest,
    /// `type` of a multipart ("stats") reply.
    OfpstReply,
    /// Subtype of a Nicira experimenter message.
    Nxt,
    /// Subtype of a Nicira experimenter multipart request.
    NxstRequest,
    /// Subtype of a Nicira experimenter multipart reply.
    NxstReply,
    /// Subtype of an ONF experimenter message.
    Onft,
    /// Subtype of an ONF experimenter multipart request.
    OnfstRequest,
    /// Subtype of an ONF experimenter multipart reply.
    OnfstReply,
}

impl Channel {
    /// Is it multipart?
    #[must_use]
    pub fn is_multipart(self) -> bool {
        self.is_multipart_request() || self.is_multipart_reply()
    }

    /// Is it a multipart request?
    #[must_use]
    pub fn is_multipart_request(self) -> bool {
        matches!(self, Self::OfpstRequest | Self::NxstRequest | Self::OnfstRequest)
    }

    /// Is it a multipart reply?
    #[must_use]
    pub fn is_multipart_reply(self) -> bool {
        matches!(self, Self::OfpstReply | Self::NxstReply | Self::OnfstReply)
    }

    /// The experimenter identifier it travels under, if any.
    #[must_use]
    pub fn vendor(self) -> Option<u32> {
        match self {
            Self::Ofpt | Self::OfpstRequest | Self::OfpstReply => None,
            Self::Nxt | Self::NxstRequest | Self::NxstReply => Some(NX_VENDOR_ID),
            Self::Onft | Self::OnfstRequest | Self::OnfstReply => Some(ONF_VENDOR_ID),
        }
    }
}

/// One row of the table.
#[derive(Debug)]
pub struct Row {
    /// The form's identifier.
    pub raw: Raw,
    /// The logical message.
    pub kind: Kind,
    /// The form's name, for instance `OFPST_FLOW reply`.
    pub name: &'static str,
    /// Where `number` stands.
    pub channel: Channel,
    /// Its number there.
    pub number: u32,
    /// First wire version that has it.
    pub first: u8,
    /// Last wire version that has it.
    pub last: u8,
    /// Fewest bytes of the body (what follows all headers).
    pub min_body: u16,
    /// 0: the body has exactly `min_body` bytes; else it may be longer by multiples of this.
    pub unit: u16,
}

macro_rules! raws {
    ($($kind:ident {
        $($raw:ident $name:literal $channel:ident $number:literal [$first:literal, $last:literal]
          $min:literal + $unit:literal;)+
    })+) => {
        /// A logical message, whatever its form on the wire.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "names of OpenFlow messages")]
        pub enum Kind { $($kind),+ }

        /// A wire form; a version digit in a name is the first version that has the form.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "names of OpenFlow messages")]
        pub enum Raw { $($($raw),+),+ }

        static ROWS: &[Row] = &[$($(Row {
            raw: Raw::$raw,
            kind: Kind::$kind,
            name: $name,
            channel: Channel::$channel,
            number: $number,
            first: $first,
            last: $last,
            min_body: $min,
            unit: $unit,
        }),+),+];
    };
}

raws! {
    Hello { OfptHello "OFPT_HELLO" Ofpt 0 [1, 255] 0 + 1; }
    Error { OfptError "OFPT_ERROR" Ofpt 1 [1, 255] 4 + 1; }
    EchoRequest { OfptEchoRequest "OFPT_ECHO_REQUEST" Ofpt 2 [1, 255] 0 + 1; }
    EchoReply { OfptEchoReply "OFPT_ECHO_REPLY" Ofpt 3 [1, 255] 0 + 1; }
    FeaturesRequest { OfptFeaturesRequest "OFPT_FEATURES_REQUEST" Ofpt 5 [1, 6] 0 + 0; }
    FeaturesReply {
        Ofpt10FeaturesReply "OFPT_FEATURES_REPLY" Ofpt 6 [1, 1] 24 + 48;
        Ofpt11FeaturesReply "OFPT_FEATURES_REPLY" Ofpt 6 [2, 3] 24 + 64;
        Ofpt13FeaturesReply "OFPT_FEATURES_REPLY" Ofpt 6 [4, 6] 24 + 0;
    }
    GetConfigRequest { OfptGetConfigRequest "OFPT_GET_CONFIG_REQUEST" Ofpt 7 [1, 6] 0 + 0; }
    GetConfigReply { OfptGetConfigReply "OFPT_GET_CONFIG_REPLY" Ofpt 8 [1, 6] 4 + 0; }
    SetConfig { OfptSetConfig "OFPT_SET_CONFIG" Ofpt 9 [1, 6] 4 + 0; }
    PacketIn {
        Ofpt10PacketIn "OFPT_PACKET_IN" Ofpt 10 [1, 1] 10 + 1;
        Ofpt11PacketIn "OFPT_PACKET_IN" Ofpt 10 [2, 2] 16 + 1;
        Ofpt12PacketIn "OFPT_PACKET_IN" Ofpt 10 [3, 3] 8 + 1;
        Ofpt13PacketIn "OFPT_PACKET_IN" Ofpt 10 [4, 6] 16 + 1;
        NxtPacketIn "NXT_PACKET_IN" Nxt 17 [1, 6] 24 + 1;
        NxtPacketIn2 "NXT_PACKET_IN2" Nxt 30 [1, 6] 0 + 8;
    }
    FlowRemoved {
        Ofpt10FlowRemoved "OFPT_FLOW_REMOVED" Ofpt 11 [1, 1] 80 + 0;
        Ofpt11FlowRemoved "OFPT_FLOW_REMOVED" Ofpt 11 [2, 5] 40 + 8;
        Ofpt15FlowRemoved "OFPT_FLOW_REMOVED" Ofpt 11 [6, 6] 16 + 8;
        NxtFlowRemoved "NXT_FLOW_REMOVED" Nxt 14 [1, 6] 40 + 8;
    }
    PortStatus {
        Ofpt10PortStatus "OFPT_PORT_STATUS" Ofpt 12 [1, 1] 56 + 0;
        Ofpt11PortStatus "OFPT_PORT_STATUS" Ofpt 12 [2, 4] 72 + 0;
        Ofpt14PortStatus "OFPT_PORT_STATUS" Ofpt 12 [5, 6] 48 + 8;
    }
    PacketOut {
        Ofpt10PacketOut "OFPT_PACKET_OUT" Ofpt 13 [1, 1] 8 + 1;
        Ofpt11PacketOut "OFPT_PACKET_OUT" Ofpt 13 [2, 5] 16 + 1;
        Ofpt15PacketOut "OFPT_PACKET_OUT" Ofpt 13 [6, 6] 8 + 1;
    }
    FlowMod {
        Ofpt10FlowMod "OFPT_FLOW_MOD" Ofpt 14 [1, 1] 64 + 8;
        Ofpt11FlowMod "OFPT_FLOW_MOD" Ofpt 14 [2, 6] 40 + 8;
        NxtFlowMod "NXT_FLOW_MOD" Nxt 13 [1, 6] 32 + 8;
    }
    GroupMod {
        Ofpt11GroupMod "OFPT_GROUP_MOD" Ofpt 15 [2, 5] 8 + 8;
        Ofpt15GroupMod "OFPT_GROUP_MOD" Ofpt 15 [6, 6] 16 + 8;
        NxtGroupMod "NXT_GROUP_MOD" Nxt 31 [1, 1] 16 + 8;
    }
    PortMod {
        Ofpt10PortMod "OFPT_PORT_MOD" Ofpt 15 [1, 1] 24 + 0;
        Ofpt11PortMod "OFPT_PORT_MOD" Ofpt 16 [2, 4] 32 + 0;
        Ofpt14PortMod "OFPT_PORT_MOD" Ofpt 16 [5, 6] 24 + 8;
    }
    TableMod {
        Ofpt11TableMod "OFPT_TABLE_MOD" Ofpt 17 [2, 4] 8 + 0;
        Ofpt14TableMod "OFPT_TABLE_MOD" Ofpt 17 [5, 6] 8 + 8;
    }
    BarrierRequest {
        Ofpt10BarrierRequest "OFPT_BARRIER_REQUEST" Ofpt 18 [1, 1] 0 + 0;
        Ofpt11BarrierRequest "OFPT_BARRIER_REQUEST" Ofpt 20 [2, 6] 0 + 0;
    }
    BarrierReply {
        Ofpt10BarrierReply "OFPT_BARRIER_REPLY" Ofpt 19 [1, 1] 0 + 0;
        Ofpt11BarrierReply "OFPT_BARRIER_REPLY" Ofpt 21 [2, 6] 0 + 0;
    }
    QueueGetConfigRequest {
        Ofpt10QueueGetConfigRequest "OFPT_QUEUE_GET_CONFIG_REQUEST" Ofpt 20 [1, 1] 4 + 0;
        Ofpt11QueueGetConfigRequest "OFPT_QUEUE_GET_CONFIG_REQUEST" Ofpt 22 [2, 4] 8 + 0;
        Ofpst14QueueDescRequest "OFPST_QUEUE_DESC request" OfpstRequest 15 [5, 6] 8 + 0;
    }
    QueueGetConfigReply {
        Ofpt10QueueGetConfigReply "OFPT_QUEUE_GET_CONFIG_REPLY" Ofpt 21 [1, 1] 8 + 8;
        Ofpt11QueueGetConfigReply "OFPT_QUEUE_GET_CONFIG_REPLY" Ofpt 23 [2, 4] 8 + 8;
        Ofpst14QueueDescReply "OFPST_QUEUE_DESC reply" OfpstReply 15 [5, 6] 0 + 8;
    }
    RoleRequest {
        Ofpt12RoleRequest "OFPT_ROLE_REQUEST" Ofpt 24 [3, 6] 16 + 0;
        NxtRoleRequest "NXT_ROLE_REQUEST" Nxt 10 [1, 6] 4 + 0;
    }
    RoleReply {
        Ofpt12RoleReply "OFPT_ROLE_REPLY" Ofpt 25 [3, 6] 16 + 0;
        NxtRoleReply "NXT_ROLE_REPLY" Nxt 11 [1, 6] 4 + 0;
    }
    GetAsyncRequest { Ofpt13GetAsyncRequest "OFPT_GET_ASYNC_REQUEST" Ofpt 26 [4, 6] 0 + 0; }
    GetAsyncReply {
        Ofpt13GetAsyncReply "OFPT_GET_ASYNC_REPLY" Ofpt 27 [4, 4] 24 + 0;
        Ofpt14GetAsyncReply "OFPT_GET_ASYNC_REPLY" Ofpt 27 [5, 6] 0 + 8;
    }
    SetAsyncConfig {
        Ofpt13SetAsync "OFPT_SET_ASYNC" Ofpt 28 [4, 4] 24 + 0;
        Ofpt14SetAsync "OFPT_SET_ASYNC" Ofpt 28 [5, 6] 0 + 8;
        NxtSetAsyncConfig "NXT_SET_ASYNC_CONFIG" Nxt 19 [1, 6] 24 + 0;
        NxtSetAsyncConfig2 "NXT_SET_ASYNC_CONFIG2" Nxt 27 [1, 4] 0 + 8;
    }
    MeterMod { Ofpt13MeterMod "OFPT_METER_MOD" Ofpt 29 [4, 6] 8 + 8; }
    RoleStatus {
        Ofpt14RoleStatus "OFPT_ROLE_STATUS" Ofpt 30 [5, 6] 16 + 8;
        Onft13RoleStatus "ONFT_ROLE_STATUS" Onft 1911 [4, 4] 16 + 8;
    }
    TableStatus { Ofpt14TableStatus "OFPT_TABLE_STATUS" Ofpt 31 [5, 6] 8 + 8; }
    RequestForward {
        Ofpt14RequestForward "OFPT_REQUESTFORWARD" Ofpt 32 [5, 6] 8 + 8;
        NxtRequestForward "NXT_REQUESTFORWARD" Nxt 132 [1, 3] 8 + 8;
        Onft13RequestForward "ONFT_REQUESTFORWARD" Onft 2350 [4, 4] 8 + 8;
    }
    BundleControl {
        Ofpt14BundleControl "OFPT_BUNDLE_CONTROL" Ofpt 33 [5, 6] 8 + 8;
        Onft13BundleControl "ONFT_BUNDLE_CONTROL" Onft 2300 [4, 4] 8 + 8;
    }
    BundleAddMessage {
        Ofpt14BundleAddMessage "OFPT_BUNDLE_ADD_MESSAGE" Ofpt 34 [5, 6] 8 + 1;
        Onft13BundleAddMessage "ONFT_BUNDLE_ADD_MESSAGE" Onft 2301 [4, 4] 8 + 1;
    }
    DescRequest { OfpstDescRequest "OFPST_DESC request" OfpstRequest 0 [1, 6] 0 + 0; }
    DescReply { OfpstDescReply "OFPST_DESC reply" OfpstReply 0 [1, 6] 1056 + 0; }
    FlowStatsRequest {
        Ofpst10FlowRequest "OFPST_FLOW request" OfpstRequest 1 [1, 1] 44 + 0;
        Ofpst11FlowRequest "OFPST_FLOW request" OfpstRequest 1 [2, 6] 32 + 8;
        NxstFlowRequest "NXST_FLOW request" NxstRequest 0 [1, 1] 8 + 8;
    }
    FlowStatsReply {
        Ofpst10FlowReply "OFPST_FLOW reply" OfpstReply 1 [1, 1] 0 + 1;
        Ofpst11FlowReply "OFPST_FLOW reply" OfpstReply 1 [2, 3] 0 + 1;
        Ofpst13FlowReply "OFPST_FLOW reply" OfpstReply 1 [4, 5] 0 + 1;
        Ofpst15FlowReply "OFPST_FLOW reply" OfpstReply 1 [6, 6] 0 + 1;
        NxstFlowReply "NXST_FLOW reply" NxstReply 0 [1, 1] 0 + 1;
    }
    AggregateStatsRequest {
        Ofpst10AggregateRequest "OFPST_AGGREGATE request" OfpstRequest 2 [1, 1] 44 + 0;
        Ofpst11AggregateRequest "OFPST_AGGREGATE request" OfpstRequest 2 [2, 6] 32 + 8;
        NxstAggregateRequest "NXST_AGGREGATE request" NxstRequest 1 [1, 1] 8 + 8;
    }
    AggregateStatsReply {
        OfpstAggregateReply "OFPST_AGGREGATE reply" OfpstReply 2 [1, 5] 24 + 0;
        Ofpst15AggregateReply "OFPST_AGGREGATE reply" OfpstReply 2 [6, 6] 0 + 1;
        NxstAggregateReply "NXST_AGGREGATE reply" NxstReply 1 [1, 1] 24 + 0;
    }
    TableStatsRequest { OfpstTableRequest "OFPST_TABLE request" OfpstRequest 3 [1, 6] 0 + 0; }
    TableStatsReply {
        Ofpst10TableReply "OFPST_TABLE reply" OfpstReply 3 [1, 1] 0 + 64;
        Ofpst11TableReply "OFPST_TABLE reply" OfpstReply 3 [2, 2] 0 + 88;
        Ofpst12TableReply "OFPST_TABLE reply" OfpstReply 3 [3, 3] 0 + 128;
        Ofpst13TableReply "OFPST_TABLE reply" OfpstReply 3 [4, 6] 0 + 24;
    }
    PortStatsRequest {
        Ofpst10PortRequest "OFPST_PORT request" OfpstRequest 4 [1, 1] 8 + 0;
        Ofpst11PortRequest "OFPST_PORT request" OfpstRequest 4 [2, 6] 8 + 0;
    }
    PortStatsReply {
        Ofpst10PortReply "OFPST_PORT reply" OfpstReply 4 [1, 1] 0 + 104;
        Ofpst11PortReply "OFPST_PORT reply" OfpstReply 4 [2, 3] 0 + 104;
        Ofpst13PortReply "OFPST_PORT reply" OfpstReply 4 [4, 4] 0 + 112;
        Ofpst14PortReply "OFPST_PORT reply" OfpstReply 4 [5, 6] 0 + 8;
    }
    QueueStatsRequest {
        Ofpst10QueueRequest "OFPST_QUEUE request" OfpstRequest 5 [1, 1] 8 + 0;
        Ofpst11QueueRequest "OFPST_QUEUE request" OfpstRequest 5 [2, 6] 8 + 0;
    }
    QueueStatsReply {
        Ofpst10QueueReply "OFPST_QUEUE reply" OfpstReply 5 [1, 1] 0 + 32;
        Ofpst11QueueReply "OFPST_QUEUE reply" OfpstReply 5 [2, 3] 0 + 32;
        Ofpst13QueueReply "OFPST_QUEUE reply" OfpstReply 5 [4, 4] 0 + 40;
        Ofpst14QueueReply "OFPST_QUEUE reply" OfpstReply 5 [5, 6] 0 + 8;
    }
    GroupStatsRequest {
        Ofpst11GroupRequest "OFPST_GROUP request" OfpstRequest 6 [2, 6] 8 + 0;
        NxstGroupRequest "NXST_GROUP request" NxstRequest 7 [1, 1] 8 + 0;
    }
    GroupStatsReply {
        Ofpst11GroupReply "OFPST_GROUP reply" OfpstReply 6 [2, 3] 0 + 8;
        Ofpst13GroupReply "OFPST_GROUP reply" OfpstReply 6 [4, 6] 0 + 8;
        NxstGroupReply "NXST_GROUP reply" NxstReply 7 [1, 1] 0 + 8;
    }
    GroupDescRequest {
        Ofpst11GroupDescRequest "OFPST_GROUP_DESC request" OfpstRequest 7 [2, 5] 0 + 0;
        Ofpst15GroupDescRequest "OFPST_GROUP_DESC request" OfpstRequest 7 [6, 6] 8 + 0;
        NxstGroupDescRequest "NXST_GROUP_DESC request" NxstRequest 8 [1, 1] 8 + 0;
    }
    GroupDescReply {
        Ofpst11GroupDescReply "OFPST_GROUP_DESC reply" OfpstReply 7 [2, 6] 0 + 8;
        NxstGroupDescReply "NXST_GROUP_DESC reply" NxstReply 8 [1, 1] 0 + 8;
    }
    GroupFeaturesRequest {
        Ofpst12GroupFeaturesRequest "OFPST_GROUP_FEATURES request" OfpstRequest 8 [3, 6] 0 + 0;
        NxstGroupFeaturesRequest "NXST_GROUP_FEATURES request" NxstRequest 9 [1, 2] 0 + 0;
    }
    GroupFeaturesReply {
        Ofpst12GroupFeaturesReply "OFPST_GROUP_FEATURES reply" OfpstReply 8 [3, 6] 40 + 0;
        NxstGroupFeaturesReply "NXST_GROUP_FEATURES reply" NxstReply 9 [1, 2] 40 + 0;
    }
    MeterStatsRequest { Ofpst13MeterRequest "OFPST_METER request" OfpstRequest 9 [4, 6] 8 + 0; }
    MeterStatsReply { Ofpst13MeterReply "OFPST_METER reply" OfpstReply 9 [4, 6] 0 + 8; }
    MeterConfigRequest {
        Ofpst13MeterConfigRequest "OFPST_METER_CONFIG request" OfpstRequest 10 [4, 6] 8 + 0;
    }
    MeterConfigReply {
        Ofpst13MeterConfigReply "OFPST_METER_CONFIG reply" OfpstReply 10 [4, 6] 0 + 8;
    }
    MeterFeaturesRequest {
        Ofpst13MeterFeaturesRequest "OFPST_METER_FEATURES request" OfpstRequest 11 [4, 6] 0 + 0;
    }
    MeterFeaturesReply {
        Ofpst13MeterFeaturesReply "OFPST_METER_FEATURES reply" OfpstReply 11 [4, 6] 16 + 0;
    }
    TableFeaturesRequest {
        Ofpst13TableFeaturesRequest "OFPST_TABLE_FEATURES request" OfpstRequest 12 [4, 6] 0 + 8;
    }
    TableFeaturesReply {
        Ofpst13TableFeaturesReply "OFPST_TABLE_FEATURES reply" OfpstReply 12 [4, 6] 64 + 8;
    }
    TableDescRequest {
        Ofpst14TableDescRequest "OFPST_TABLE_DESC request" OfpstRequest 14 [5, 6] 0 + 0;
    }
    TableDescReply { Ofpst14TableDescReply "OFPST_TABLE_DESC reply" OfpstReply 14 [5, 6] 8 + 8; }
    PortDescRequest {
        Ofpst10PortDescRequest "OFPST_PORT_DESC request" OfpstRequest 13 [1, 5] 0 + 0;
        Ofpst15PortDescRequest "OFPST_PORT_DESC request" OfpstRequest 13 [6, 6] 8 + 0;
    }
    PortDescReply {
        Ofpst10PortDescReply "OFPST_PORT_DESC reply" OfpstReply 13 [1, 1] 0 + 48;
        Ofpst11PortDescReply "OFPST_PORT_DESC reply" OfpstReply 13 [2, 4] 0 + 64;
        Ofpst14PortDescReply "OFPST_PORT_DESC reply" OfpstReply 13 [5, 6] 0 + 8;
    }
    FlowMonitorRequest {
        Ofpst14FlowMonitorRequest "OFPST_FLOW_MONITOR request" OfpstRequest 16 [5, 6] 0 + 8;
        NxstFlowMonitorRequest "NXST_FLOW_MONITOR request" NxstRequest 2 [1, 3] 0 + 8;
        Onfst13FlowMonitorRequest "ONFST_FLOW_MONITOR request" OnfstRequest 1870 [4, 4] 0 + 8;
    }
    FlowMonitorReply {
        Ofpst14FlowMonitorReply "OFPST_FLOW_MONITOR reply" OfpstReply 16 [5, 6] 0 + 8;
        NxstFlowMonitorReply "NXST_FLOW_MONITOR reply" NxstReply 2 [1, 3] 0 + 8;
        Onfst13FlowMonitorReply "ONFST_FLOW_MONITOR reply" OnfstReply 1870 [4, 4] 0 + 8;
    }
    FlowMonitorCancel {
        NxtFlowMonitorCancel "NXT_FLOW_MONITOR_CANCEL" Nxt 21 [1, 3] 4 + 0;
        Onft13FlowMonitorCancel "ONFT_FLOW_MONITOR_CANCEL" Onft 1870 [4, 4] 4 + 0;
    }
    FlowMonitorPaused {
        NxtFlowMonitorPaused "NXT_FLOW_MONITOR_PAUSED" Nxt 22 [1, 3] 0 + 0;
        Onft13FlowMonitorPaused "ONFT_FLOW_MONITOR_PAUSED" Onft 1871 [4, 4] 0 + 0;
    }
    FlowMonitorResumed {
        NxtFlowMonitorResumed "NXT_FLOW_MONITOR_RESUMED" Nxt 23 [1, 3] 0 + 0;
        Onft13FlowMonitorResumed "ONFT_FLOW_MONITOR_RESUMED" Onft 1872 [4, 4] 0 + 0;
    }
    SetFlowFormat { NxtSetFlowFormat "NXT_SET_FLOW_FORMAT" Nxt 12 [1, 1] 4 + 0; }
    FlowModTableId { NxtFlowModTableId "NXT_FLOW_MOD_TABLE_ID" Nxt 15 [1, 6] 8 + 0; }
    SetPacketInFormat { NxtSetPacketInFormat "NXT_SET_PACKET_IN_FORMAT" Nxt 16 [1, 6] 4 + 0; }
    FlowAge { NxtFlowAge "NXT_FLOW_AGE" Nxt 18 [1, 6] 0 + 0; }
    SetControllerId { NxtSetControllerId "NXT_SET_CONTROLLER_ID" Nxt 20 [1, 6] 8 + 0; }
    TlvTableMod { NxtTlvTableMod "NXT_TLV_TABLE_MOD" Nxt 24 [1, 6] 8 + 8; }
    TlvTableRequest { NxtTlvTableRequest "NXT_TLV_TABLE_REQUEST" Nxt 25 [1, 6] 0 + 0; }
    TlvTableReply { NxtTlvTableReply "NXT_TLV_TABLE_REPLY" Nxt 26 [1, 6] 16 + 8; }
    Resume { NxtResume "NXT_RESUME" Nxt 28 [1, 6] 0 + 8; }
    CtFlushZone { NxtCtFlushZone "NXT_CT_FLUSH_ZONE" Nxt 29 [1, 6] 8 + 0; }
    CtFlush { NxtCtFlush "NXT_CT_FLUSH" Nxt 32 [1, 6] 8 + 8; }
    IpfixBridgeRequest {
        NxstIpfixBridgeRequest "NXST_IPFIX_BRIDGE request" NxstRequest 3 [1, 6] 0 + 0;
    }
    IpfixBridgeReply { NxstIpfixBridgeReply "NXST_IPFIX_BRIDGE reply" NxstReply 3 [1, 6] 88 + 0; }
    IpfixFlowRequest { NxstIpfixFlowRequest "NXST_IPFIX_FLOW request" NxstRequest 4 [1, 6] 0 + 0; }
    IpfixFlowReply { NxstIpfixFlowReply "NXST_IPFIX_FLOW reply" NxstReply 4 [1, 6] 0 + 88; }
}

impl Raw {
    /// Every form, in table order.
    pub fn all() -> impl Iterator<Item = Self> {
        ROWS.iter().map(|r| r.raw)
    }

    /// The form's row.
    #[must_use]
    pub fn row(self) -> &'static Row {
        // Rows stand in the order of the enumeration.
        &ROWS[self as usize]
    }

    /// The form's name, as `ovs-ofctl` prints it.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The logical message.
    #[must_use]
    pub fn kind(self) -> Kind {
        self.row().kind
    }

    /// Does `version` have this form?
    #[must_use]
    pub fn is_in(self, version: OfVersion) -> bool {
        (self.row().first..=self.row().last).contains(&version.wire())
    }

    /// Finds the form with `number` on `channel` in a wire version.
    #[must_use]
    pub fn find(channel: Channel, number: u32, wire_version: u8) -> Option<Self> {
        let hit = |r: &&Row| {
            r.channel == channel && r.number == number && (r.first..=r.last).contains(&wire_version)
        };
        ROWS.iter().find(hit).map(|r| r.raw)
    }

    /// The reply's form to a multipart request of this form.
    #[must_use]
    pub fn multipart_reply(self, version: OfVersion) -> Option<Self> {
        let row = self.row();
        let channel = match row.channel {
            Channel::OfpstRequest => Channel::OfpstReply,
            Channel::NxstRequest => Channel::NxstReply,
            Channel::OnfstRequest => Channel::OnfstReply,
            _ => return None,
        };
        Self::find(channel, row.number, version.wire())
    }
}

impl Kind {
    /// The forms of this message that `version` has, the standard one first.
    pub fn raws(self, version: OfVersion) -> impl Iterator<Item = Raw> {
        ROWS.iter().filter(move |r| r.kind == self && r.raw.is_in(version)).map(|r| r.raw)
    }

    /// The preferred (standard, if there is one) form in `version`.
    #[must_use]
    pub fn raw(self, version: OfVersion) -> Option<Raw> {
        self.raws(version).next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_in_order_and_no_number_is_given_twice() {
        for (i, r) in ROWS.iter().enumerate() {
            assert_eq!(r.raw as usize, i);
            assert_eq!(r.name.ends_with(" request"), r.channel.is_multipart_request());
            for o in &ROWS[..i] {
                let overlap = o.first <= r.last && r.first <= o.last;
                assert!(!(overlap && o.channel == r.channel && o.number == r.number), "{}", r.name);
            }
        }
    }

    #[test]
    fn every_multipart_request_has_a_reply() {
        for r in ROWS.iter().filter(|r| r.channel.is_multipart_request()) {
            for v in OfVersion::ALL.into_iter().filter(|v| r.raw.is_in(*v)) {
                assert!(r.raw.multipart_reply(v).is_some(), "{}", r.name);
            }
        }
    }
}
