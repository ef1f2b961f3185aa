//! Small Nicira extensions: formats, controller identifier, connection tracking flushes.

use crate::frame::Frame;
use crate::ofp_errors::OfpError;
use crate::props::{self, Prop, PropType};
use crate::wire::{Put, Reader};

/// How packets go to a controller (`NXT_SET_PACKET_IN_FORMAT`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[repr(u32)]
#[expect(missing_docs, reason = "names of nx_packet_in_format")]
pub enum PacketInFormat {
    #[default]
    Standard = 0,
    NxtPacketIn = 1,
    NxtPacketIn2 = 2,
}

impl PacketInFormat {
    /// The format of this number.
    #[must_use]
    pub fn from_wire(n: u32) -> Option<Self> {
        match n {
            0 => Some(Self::Standard),
            1 => Some(Self::NxtPacketIn),
            2 => Some(Self::NxtPacketIn2),
            _ => None,
        }
    }

    /// Its name in `--packet-in-format`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::NxtPacketIn => "nxt_packet_in",
            Self::NxtPacketIn2 => "nxt_packet_in2",
        }
    }

    /// Looks a format up by name.
    #[must_use]
    pub fn from_name(s: &str) -> Option<Self> {
        match s {
            "standard" | "openflow10" => Some(Self::Standard),
            "nxt_packet_in" | "nxm" => Some(Self::NxtPacketIn),
            "nxt_packet_in2" => Some(Self::NxtPacketIn2),
            _ => None,
        }
    }
}

/// `NXT_SET_FLOW_FORMAT`: 0 is OpenFlow 1.0's match, 2 is NXM.
#[expect(missing_docs, reason = "names of nx_flow_format")]
pub mod flow_format {
    pub const OPENFLOW10: u32 = 0;
    pub const NXM: u32 = 2;
}

/// A message whose body starts with one 32-bit number.
pub(crate) fn decode_u32(f: &Frame<'_>) -> Result<u32, OfpError> {
    Reader::new(f.body, OfpError::OFPBRC_BAD_LEN).u32()
}

/// `NXT_FLOW_MOD_TABLE_ID`
pub(crate) fn decode_flow_mod_table_id(f: &Frame<'_>) -> Result<u8, OfpError> {
    Reader::new(f.body, OfpError::OFPBRC_BAD_LEN).u8()
}

pub(crate) fn encode_flow_mod_table_id(set: u8, out: &mut Vec<u8>) {
    out.put_u8(set);
    out.put_zeros(7);
}

/// `NXT_SET_CONTROLLER_ID`, `NXT_CT_FLUSH_ZONE`: six zeros and a number.
pub(crate) fn decode_padded_u16(f: &Frame<'_>) -> Result<u16, OfpError> {
    let mut r = Reader::new(f.body, OfpError::OFPBRC_BAD_LEN);
    r.zeros(6, OfpError::NXBRC_MUST_BE_ZERO)?;
    r.u16()
}

pub(crate) fn encode_padded_u16(n: u16, out: &mut Vec<u8>) {
    out.put_zeros(6);
    out.put_u16(n);
}

/// One direction's tuple of a [`CtFlush`]; what is `None` matches everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct CtTuple {
    /// Source address; IPv4 as IPv4-mapped IPv6.
    pub src: Option<std::net::Ipv6Addr>,
    /// Destination address.
    pub dst: Option<std::net::Ipv6Addr>,
    /// TCP or UDP source port.
    pub src_port: Option<u16>,
    /// TCP or UDP destination port.
    pub dst_port: Option<u16>,
    /// ICMP identifier.
    pub icmp_id: Option<u16>,
    /// ICMP type.
    pub icmp_type: Option<u8>,
    /// ICMP code.
    pub icmp_code: Option<u8>,
}

/// `NXT_CT_FLUSH`: which connections to forget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct CtFlush {
    /// IP protocol, 0 for any.
    pub ip_proto: u8,
    /// Zone, `None` for any.
    pub zone: Option<u16>,
    /// The original direction.
    pub orig: CtTuple,
    /// The reply direction.
    pub reply: CtTuple,
}

const ORIG_TUPLE: u16 = 0;
const REPLY_TUPLE: u16 = 1;
const ZONE_ID: u16 = 2;

impl CtTuple {
    fn decode(prop: &Prop<'_>) -> Result<Self, OfpError> {
        let mut r = Reader::new(prop.nested()?, OfpError::OFPBPC_BAD_LEN);
        let mut t = Self::default();
        while !r.is_empty() {
            let p = Prop::pull(&mut r)?;
            let address = || {
                let bytes: [u8; 16] = p.payload.try_into().map_err(|_| OfpError::OFPBPC_BAD_LEN)?;
                Ok(std::net::Ipv6Addr::from(bytes))
            };
            match p.kind {
                PropType::Standard(0) => t.src = Some(address()?),
                PropType::Standard(1) => t.dst = Some(address()?),
                PropType::Standard(2) => t.src_port = Some(p.u16()?),
                PropType::Standard(3) => t.dst_port = Some(p.u16()?),
                PropType::Standard(4) => t.icmp_id = Some(p.u16()?),
                PropType::Standard(5) => t.icmp_type = Some(p.u8()?),
                PropType::Standard(6) => t.icmp_code = Some(p.u8()?),
                _ => return Err(p.unknown()),
            }
        }
        Ok(t)
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn encode(&self, kind: u16, out: &mut Vec<u8>) {
        if self.is_empty() {
            return;
        }
        props::put_nested(out, kind, |out| {
            for (kind, address) in [(0, self.src), (1, self.dst)] {
                if let Some(a) = address {
                    props::put_bytes(out, kind, &a.octets());
                }
            }
            for (kind, n) in [(2, self.src_port), (3, self.dst_port), (4, self.icmp_id)] {
                if let Some(n) = n {
                    props::put_u16(out, kind, n);
                }
            }
            for (kind, n) in [(5, self.icmp_type), (6, self.icmp_code)] {
                if let Some(n) = n {
                    props::put_u8(out, kind, n);
                }
            }
        });
    }
}

impl CtFlush {
    pub(crate) fn decode(f: &Frame<'_>) -> Result<Self, OfpError> {
        let mut r = Reader::new(f.body, OfpError::OFPBPC_BAD_LEN);
        let mut flush = Self { ip_proto: r.u8()?, ..Self::default() };
        r.zeros(7, OfpError::NXBRC_MUST_BE_ZERO)?;
        while !r.is_empty() {
            let p = Prop::pull(&mut r)?;
            match p.kind {
                PropType::Standard(ORIG_TUPLE) => flush.orig = CtTuple::decode(&p)?,
                PropType::Standard(REPLY_TUPLE) => flush.reply = CtTuple::decode(&p)?,
                PropType::Standard(ZONE_ID) => flush.zone = Some(p.u16()?),
                _ => return Err(p.unknown()),
            }
        }
        Ok(flush)
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.put_u8(self.ip_proto);
        out.put_zeros(7);
        self.orig.encode(ORIG_TUPLE, out);
        self.reply.encode(REPLY_TUPLE, out);
        if let Some(zone) = self.zone {
            props::put_u16(out, ZONE_ID, zone);
        }
    }
}
