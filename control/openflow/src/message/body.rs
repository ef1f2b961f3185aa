//! Which decoder and encoder belongs to which [`Message`].

use super::*;

impl Message {
    pub(super) fn decode(
        f: &Frame<'_>,
        v: OfVersion,
        options: CodecOptions,
    ) -> Result<(Self, Option<OfpError>), OfpError> {
        let len = OfpError::OFPBRC_BAD_LEN;
        let message = match f.raw.kind() {
            Kind::TableStatsReply => {
                return Ok(list(
                    entries(f.body, len, |r| TableStats::pull(r, f.raw)),
                    Self::TableStatsReply,
                ));
            }
            Kind::PortStatsReply => {
                return Ok(list(
                    entries(f.body, len, |r| PortStats::pull(r, f.raw)),
                    Self::PortStatsReply,
                ));
            }
            Kind::QueueStatsReply => {
                return Ok(list(
                    entries(f.body, len, |r| QueueStats::pull(r, f.raw)),
                    Self::QueueStatsReply,
                ));
            }
            Kind::MeterStatsReply => {
                return Ok(list(entries(f.body, len, MeterStats::pull), Self::MeterStatsReply));
            }
            Kind::MeterConfigReply => {
                return Ok(list(entries(f.body, len, MeterConfig::pull), Self::MeterConfigReply));
            }
            Kind::TableFeaturesRequest => {
                return Ok(list(
                    entries(f.body, len, |r| TableFeatures::pull(r, v, options.loose)),
                    Self::TableFeaturesRequest,
                ));
            }
            Kind::TableFeaturesReply => {
                return Ok(list(
                    entries(f.body, len, |r| TableFeatures::pull(r, v, true)),
                    Self::TableFeaturesReply,
                ));
            }
            Kind::TableDescReply => {
                return Ok(list(entries(f.body, len, TableDesc::pull), Self::TableDescReply));
            }
            Kind::PortDescReply => {
                return Ok(list(
                    entries(f.body, len, |r| PhyPort::pull(r, v)),
                    Self::PortDescReply,
                ));
            }
            Kind::FlowStatsReply => {
                return Ok(list(
                    entries(f.body, len, |r| flow_stats::pull(r, f.raw, v)),
                    Self::FlowStatsReply,
                ));
            }
            Kind::GroupStatsReply => {
                return Ok(list(
                    entries(f.body, len, |r| GroupStats::pull(r, f.raw)),
                    Self::GroupStatsReply,
                ));
            }
            Kind::GroupDescReply => {
                return Ok(list(
                    entries(f.body, len, |r| GroupDesc::pull(r, v)),
                    Self::GroupDescReply,
                ));
            }
            Kind::IpfixFlowReply => {
                return Ok(list(entries(f.body, len, IpfixStats::pull), Self::IpfixFlowReply));
            }
            kind => Self::decode_single(kind, f, v, options)?,
        };
        Ok((message, None))
    }

    fn decode_single(
        kind: Kind,
        f: &Frame<'_>,
        v: OfVersion,
        options: CodecOptions,
    ) -> Result<Self, OfpError> {
        let len = OfpError::OFPBRC_BAD_LEN;
        Ok(match kind {
            Kind::Hello => Self::Hello(Hello::decode(f)),
            Kind::Error => Self::Error(ErrorMsg::decode(f)?),
            Kind::EchoRequest => Self::EchoRequest(f.body.to_vec()),
            Kind::EchoReply => Self::EchoReply(f.body.to_vec()),
            Kind::FeaturesRequest => Self::FeaturesRequest,
            Kind::FeaturesReply => Self::FeaturesReply(SwitchFeatures::decode(f, v)?),
            Kind::GetConfigRequest => Self::GetConfigRequest,
            Kind::GetConfigReply => Self::GetConfigReply(SwitchConfig::decode(f, v)?),
            Kind::SetConfig => Self::SetConfig(SwitchConfig::decode(f, v)?),
            Kind::PacketIn => Self::PacketIn(PacketIn::decode(f, true)?),
            Kind::FlowRemoved => Self::FlowRemoved(FlowRemoved::decode(f)?),
            Kind::PacketOut => Self::PacketOut(PacketOut::decode(f, v)?),
            Kind::FlowMod => Self::FlowMod(flow_mod::decode(f, v, options.table_id)?),
            Kind::GroupMod => Self::GroupMod(GroupMod::decode(f, v)?),
            Kind::Resume => Self::Resume(PacketIn::decode(f, false)?),
            Kind::FlowStatsRequest => Self::FlowStatsRequest(FlowStatsRequest::decode(f)?),
            Kind::AggregateStatsRequest => {
                Self::AggregateStatsRequest(FlowStatsRequest::decode(f)?)
            }
            Kind::AggregateStatsReply => Self::AggregateStatsReply(AggregateStats::decode(f)?),
            Kind::PortStatus => Self::PortStatus(PortStatus::decode(f, v)?),
            Kind::PortMod => Self::PortMod(PortMod::decode(f, options.loose)?),
            Kind::TableMod => Self::TableMod(TableMod::decode(f, v)?),
            Kind::BarrierRequest => Self::BarrierRequest,
            Kind::BarrierReply => Self::BarrierReply,
            Kind::QueueGetConfigRequest => {
                Self::QueueGetConfigRequest(QueueRequest::decode_config(f)?)
            }
            Kind::QueueGetConfigReply => Self::QueueGetConfigReply(QueueConfigs::decode(f, v)?),
            Kind::RoleRequest => Self::RoleRequest(RoleMsg::decode(f)?),
            Kind::RoleReply => Self::RoleReply(RoleMsg::decode(f)?),
            Kind::GetAsyncRequest => Self::GetAsyncRequest,
            Kind::GetAsyncReply => Self::GetAsyncReply(AsyncMsg::decode(f, v, true)?),
            Kind::SetAsyncConfig => Self::SetAsyncConfig(AsyncMsg::decode(f, v, false)?),
            Kind::MeterMod => Self::MeterMod(MeterMod::decode(f)?),
            Kind::RoleStatus => Self::RoleStatus(RoleStatus::decode(f)?),
            Kind::TableStatus => Self::TableStatus(TableStatus::decode(f)?),
            Kind::RequestForward => Self::RequestForward(RequestForward::decode(f)?),
            Kind::BundleControl => Self::BundleControl(BundleControl::decode(f)?),
            Kind::BundleAddMessage => Self::BundleAddMessage(BundleAdd::decode(f)?),
            Kind::DescRequest => Self::DescRequest,
            Kind::DescReply => Self::DescReply(SwitchDesc::decode(f)?),
            Kind::TableStatsRequest => Self::TableStatsRequest,
            Kind::PortStatsRequest => Self::PortStatsRequest(port_stats::decode_request(f)?),
            Kind::QueueStatsRequest => Self::QueueStatsRequest(QueueRequest::decode_stats(f)?),
            Kind::GroupStatsRequest => Self::GroupStatsRequest(group::decode_request(f)?),
            Kind::GroupDescRequest => Self::GroupDescRequest(group::decode_request(f)?),
            Kind::GroupFeaturesRequest => Self::GroupFeaturesRequest,
            Kind::GroupFeaturesReply => Self::GroupFeaturesReply(GroupFeatures::decode(f, v)?),
            Kind::MeterStatsRequest => Self::MeterStatsRequest(meter::decode_request(f)?),
            Kind::MeterConfigRequest => Self::MeterConfigRequest(meter::decode_request(f)?),
            Kind::MeterFeaturesRequest => Self::MeterFeaturesRequest,
            Kind::MeterFeaturesReply => Self::MeterFeaturesReply(MeterFeatures::decode(f)?),
            Kind::TableDescRequest => Self::TableDescRequest,
            Kind::PortDescRequest => Self::PortDescRequest(port::decode_desc_request(f)?),
            Kind::FlowMonitorCancel => Self::FlowMonitorCancel(nicira::decode_u32(f)?),
            Kind::FlowMonitorPaused => Self::FlowMonitorPaused,
            Kind::FlowMonitorResumed => Self::FlowMonitorResumed,
            Kind::SetFlowFormat => Self::SetFlowFormat(nicira::decode_u32(f)?),
            Kind::FlowModTableId => Self::FlowModTableId(nicira::decode_flow_mod_table_id(f)?),
            Kind::SetPacketInFormat => {
                let format = PacketInFormat::from_wire(nicira::decode_u32(f)?);
                Self::SetPacketInFormat(format.ok_or(OfpError::OFPBRC_EPERM)?)
            }
            Kind::FlowAge => Self::FlowAge,
            Kind::SetControllerId => Self::SetControllerId(nicira::decode_padded_u16(f)?),
            Kind::TlvTableMod => Self::TlvTableMod(TlvTableMod::decode(f)?),
            Kind::TlvTableRequest => Self::TlvTableRequest,
            Kind::TlvTableReply => Self::TlvTableReply(TlvTableReply::decode(f)?),
            Kind::CtFlushZone => Self::CtFlushZone(nicira::decode_padded_u16(f)?),
            Kind::CtFlush => Self::CtFlush(CtFlush::decode(f)?),
            Kind::IpfixBridgeRequest => Self::IpfixBridgeRequest,
            Kind::IpfixBridgeReply => {
                Self::IpfixBridgeReply(IpfixStats::pull(&mut Reader::new(f.body, len))?)
            }
            Kind::IpfixFlowRequest => Self::IpfixFlowRequest,
            _ => return Err(OfpError::OFPBRC_BAD_TYPE),
        })
    }

    pub(super) fn put_body(
        &self,
        raw: Raw,
        v: OfVersion,
        options: CodecOptions,
        out: &mut Vec<u8>,
    ) {
        match self {
            Self::Hello(m) => m.encode(out),
            Self::Error(m) => m.encode(v, out),
            Self::EchoRequest(data) | Self::EchoReply(data) => out.extend_from_slice(data),
            Self::FeaturesReply(m) => m.encode(v, out),
            Self::GetConfigReply(m) | Self::SetConfig(m) => m.encode(out),
            Self::PacketIn(m) | Self::Resume(m) => m.encode(raw, v, out),
            Self::FlowRemoved(m) => m.encode(raw, v, out),
            Self::PacketOut(m) => m.encode(raw, v, out),
            Self::FlowMod(m) => flow_mod::encode(m, raw, v, options.table_id, out),
            Self::GroupMod(m) => m.encode(raw, v, out),
            Self::GroupStatsRequest(id) | Self::GroupDescRequest(id) => {
                group::encode_request(*id, raw, out);
            }
            Self::FlowStatsRequest(m) | Self::AggregateStatsRequest(m) => m.encode(raw, v, out),
            Self::PortStatus(m) => m.encode(v, out),
            Self::PortMod(m) => m.encode(raw, out),
            Self::TableMod(m) => m.encode(raw, v, out),
            Self::QueueGetConfigRequest(m) => m.encode_config(raw, out),
            Self::QueueGetConfigReply(m) => {
                m.encode_head(raw, out);
                m.queues.iter().for_each(|q| q.put(out, v));
            }
            Self::RoleRequest(m) | Self::RoleReply(m) => m.encode(raw, out),
            Self::GetAsyncReply(m) | Self::SetAsyncConfig(m) => m.encode(raw, v, out),
            Self::MeterMod(m) => m.encode(out),
            Self::RoleStatus(m) => m.encode(out),
            Self::TableStatus(m) => m.encode(out),
            Self::RequestForward(m) => m.encode(out),
            Self::BundleControl(m) => m.encode(out),
            Self::BundleAddMessage(m) => m.encode(out),
            Self::PortStatsRequest(port) => port_stats::encode_request(*port, raw, out),
            Self::QueueStatsRequest(m) => m.encode_stats(raw, out),
            Self::TableFeaturesRequest(l) => l.iter().for_each(|e| e.put(out, v)),
            Self::MeterStatsRequest(id) | Self::MeterConfigRequest(id) => {
                meter::encode_request(*id, out);
            }
            Self::PortDescRequest(port) => port::encode_desc_request(*port, raw, out),
            Self::FlowMonitorCancel(n) | Self::SetFlowFormat(n) => out.put_u32(*n),
            Self::SetPacketInFormat(format) => out.put_u32(*format as u32),
            Self::FlowModTableId(set) => nicira::encode_flow_mod_table_id(*set, out),
            Self::SetControllerId(n) | Self::CtFlushZone(n) => nicira::encode_padded_u16(*n, out),
            Self::TlvTableMod(m) => m.encode(out),
            Self::TlvTableReply(m) => m.encode(out),
            Self::CtFlush(m) => m.encode(out),
            // The others have no body, or are multipart replies.
            _ => {}
        }
    }

    pub(super) fn put_entries(&self, w: &mut MultipartWriter) -> Result<(), EncodeError> {
        let (raw, v) = (w.raw(), w.version());
        match self {
            Self::FlowStatsReply(l) => {
                l.iter().try_for_each(|e| w.entry(|out| flow_stats::put(e, out, raw, v)))
            }
            Self::AggregateStatsReply(m) => w.entry(|out| m.encode(raw, v, out)),
            Self::DescReply(m) => w.entry(|out| m.encode(out)),
            Self::TableStatsReply(l) => l.iter().try_for_each(|e| w.entry(|out| e.put(out, raw))),
            Self::PortStatsReply(l) => l.iter().try_for_each(|e| w.entry(|out| e.put(out, raw))),
            Self::QueueStatsReply(l) => l.iter().try_for_each(|e| w.entry(|out| e.put(out, raw))),
            Self::QueueGetConfigReply(m) => {
                m.queues.iter().try_for_each(|e| w.entry(|out| e.put(out, v)))
            }
            Self::MeterStatsReply(l) => l.iter().try_for_each(|e| w.entry(|out| e.put(out))),
            Self::MeterConfigReply(l) => l.iter().try_for_each(|e| w.entry(|out| e.put(out))),
            Self::GroupStatsReply(l) => l.iter().try_for_each(|e| w.entry(|out| e.put(out, raw))),
            Self::GroupDescReply(l) => l.iter().try_for_each(|e| w.entry(|out| e.put(out, v))),
            Self::GroupFeaturesReply(m) => w.entry(|out| m.encode(v, out)),
            Self::MeterFeaturesReply(m) => w.entry(|out| m.encode(out)),
            Self::TableFeaturesReply(l) => l.iter().try_for_each(|e| w.entry(|out| e.put(out, v))),
            Self::TableDescReply(l) => l.iter().try_for_each(|e| w.entry(|out| e.put(out))),
            Self::PortDescReply(l) => l.iter().try_for_each(|e| w.entry(|out| e.put(out, v))),
            Self::IpfixBridgeReply(m) => w.entry(|out| m.put(out)),
            Self::IpfixFlowReply(l) => l.iter().try_for_each(|e| w.entry(|out| e.put(out))),
            // No other message is a multipart reply.
            _ => Ok(()),
        }
    }
}

fn list<T>((list, error): Entries<T>, make: fn(Vec<T>) -> Message) -> (Message, Option<OfpError>) {
    (make(list), error)
}

macro_rules! kinds {
    ($($(#[$meta:meta])* $name:ident $(($_:tt))?,)+) => {
        impl Message {
            /// Which logical message it is.
            #[must_use]
            pub fn kind(&self) -> Kind {
                match self {
                    $(Self::$name { .. } => Kind::$name,)+
                }
            }

            /// Its name.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$name { .. } => stringify!($name),)+
                }
            }
        }
    };
}

kinds! {
    Hello, Error, EchoRequest, EchoReply, FeaturesRequest, FeaturesReply, GetConfigRequest,
    GetConfigReply, SetConfig, PacketIn, FlowRemoved, PortStatus, PacketOut, FlowMod, GroupMod, PortMod, TableMod, BarrierRequest, BarrierReply,
    QueueGetConfigRequest, QueueGetConfigReply, RoleRequest, RoleReply, GetAsyncRequest,
    GetAsyncReply, SetAsyncConfig, MeterMod, RoleStatus, TableStatus, RequestForward,
    BundleControl, BundleAddMessage, DescRequest, DescReply, FlowStatsRequest, FlowStatsReply, AggregateStatsRequest, AggregateStatsReply,
    Resume, TableStatsRequest, TableStatsReply,
    PortStatsRequest, PortStatsReply, QueueStatsRequest, QueueStatsReply, GroupStatsRequest, GroupStatsReply, GroupDescRequest,
    GroupDescReply, GroupFeaturesRequest, GroupFeaturesReply,
    MeterStatsRequest, MeterStatsReply, MeterConfigRequest, MeterConfigReply,
    MeterFeaturesRequest, MeterFeaturesReply, TableFeaturesRequest, TableFeaturesReply, TableDescRequest, TableDescReply, PortDescRequest,
    PortDescReply, FlowMonitorCancel, FlowMonitorPaused, FlowMonitorResumed, SetFlowFormat,
    FlowModTableId, SetPacketInFormat, FlowAge, SetControllerId, TlvTableMod, TlvTableRequest,
    TlvTableReply, CtFlushZone, CtFlush, IpfixBridgeRequest, IpfixBridgeReply, IpfixFlowRequest,
    IpfixFlowReply,
}
