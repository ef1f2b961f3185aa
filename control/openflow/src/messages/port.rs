//! Ports as OpenFlow describes them: [`PhyPort`], and the messages that carry it (port-desc,
//! port-status; features replies before 1.3 do, too). OpenFlow 1.3.1 section 7.2.1.

use crate::frame::Frame;
use crate::messages::fixed_string;
use crate::ofp_errors::OfpError;
use crate::ofp_port::OfPort;
use crate::props::{self, Prop, PropType};
use crate::raw::Raw;
use crate::version::OfVersion;
use crate::wire::{Put, Reader};

/// Bits of a port's configuration.
#[expect(missing_docs, reason = "names of ofp_port_config")]
pub mod config {
    pub const PORT_DOWN: u32 = 1 << 0;
    pub const NO_STP: u32 = 1 << 1;
    pub const NO_RECV: u32 = 1 << 2;
    pub const NO_RECV_STP: u32 = 1 << 3;
    pub const NO_FLOOD: u32 = 1 << 4;
    pub const NO_FWD: u32 = 1 << 5;
    pub const NO_PACKET_IN: u32 = 1 << 6;
    /// The bits OpenFlow 1.0 has.
    pub const ALL_10: u32 = 0x7f;
    /// The bits OpenFlow 1.1 and later have.
    pub const ALL_11: u32 = PORT_DOWN | NO_RECV | NO_FWD | NO_PACKET_IN;
}

/// Bits of a port's state.
#[expect(missing_docs, reason = "names of ofp_port_state")]
pub mod state {
    pub const LINK_DOWN: u32 = 1 << 0;
    pub const BLOCKED: u32 = 1 << 1;
    pub const LIVE: u32 = 1 << 2;
    pub const STP_LISTEN: u32 = 0 << 8;
    pub const STP_LEARN: u32 = 1 << 8;
    pub const STP_FORWARD: u32 = 2 << 8;
    pub const STP_BLOCK: u32 = 3 << 8;
    pub const STP_MASK: u32 = 3 << 8;
    /// The bits OpenFlow 1.0 has.
    pub const ALL_10: u32 = LINK_DOWN | STP_MASK;
    /// The bits OpenFlow 1.1 and later have.
    pub const ALL_11: u32 = 7;
}

/// Link features; the bits are those of OpenFlow 1.1 and later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct PortFeatures(pub u32);

/// (bit, name in `ovs-ofctl show`, Mbit/s when it says a speed)
const FEATURES: [(&str, u64); 16] = [
    ("10MB-HD", 10),
    ("10MB-FD", 10),
    ("100MB-HD", 100),
    ("100MB-FD", 100),
    ("1GB-HD", 1000),
    ("1GB-FD", 1000),
    ("10GB-FD", 10_000),
    ("40GB-FD", 40_000),
    ("100GB-FD", 100_000),
    ("1TB-FD", 1_000_000),
    ("OTHER", 0),
    ("COPPER", 0),
    ("FIBER", 0),
    ("AUTO_NEG", 0),
    ("AUTO_PAUSE", 0),
    ("AUTO_PAUSE_ASYM", 0),
];

impl PortFeatures {
    /// From OpenFlow 1.0's bits.
    #[must_use]
    pub fn from_ofp10(bits: u32) -> Self {
        Self((bits & 0x7f) | ((bits & 0xf80) << 4))
    }

    /// In OpenFlow 1.0's bits; those it has not are left out.
    #[must_use]
    pub fn to_ofp10(self) -> u32 {
        (self.0 & 0x7f) | ((self.0 & 0xf800) >> 4)
    }

    /// From the bits of OpenFlow 1.1 and later.
    #[must_use]
    pub fn from_ofp11(bits: u32) -> Self {
        Self(bits & 0xffff)
    }

    /// The fastest speed among the features, in kbit/s.
    #[must_use]
    pub fn kbps(self) -> u32 {
        let fastest =
            FEATURES.iter().enumerate().rev().find(|(i, f)| self.0 & (1 << i) != 0 && f.1 != 0);
        fastest.map_or(0, |(_, f)| u32::try_from(f.1 * 1000).unwrap_or(u32::MAX))
    }

    /// The name of bit `i`.
    #[must_use]
    pub fn name(i: u32) -> Option<&'static str> {
        FEATURES.get(usize::try_from(i).ok()?).map(|f| f.0)
    }
}

/// A port's description.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct PhyPort {
    /// Its number.
    pub port_no: OfPort,
    /// Its Ethernet address.
    pub hw_addr: [u8; 6],
    /// Its name, up to 15 bytes before OpenFlow 1.5's extensions.
    pub name: Vec<u8>,
    /// Bits of [`config`].
    pub config: u32,
    /// Bits of [`state`].
    pub state: u32,
    /// What the link does now.
    pub curr: PortFeatures,
    /// What the port advertises.
    pub advertised: PortFeatures,
    /// What the port could do.
    pub supported: PortFeatures,
    /// What the peer advertises.
    pub peer: PortFeatures,
    /// Current bit rate, kbit/s.
    pub curr_speed: u32,
    /// Highest bit rate, kbit/s.
    pub max_speed: u32,
}

const NAME_LEN: usize = 16;
const ETHERNET_PROP: u16 = 0;

impl PhyPort {
    /// Reads the next port of a list.
    ///
    /// # Errors
    /// `OFPBRC_BAD_LEN`, `OFPBAC_BAD_OUT_PORT`, `OFPBPC_*`
    pub(crate) fn pull(r: &mut Reader<'_>, v: OfVersion) -> Result<Self, OfpError> {
        match v {
            OfVersion::V10 => Self::pull_10(r),
            OfVersion::V11 | OfVersion::V12 | OfVersion::V13 => Self::pull_11(r),
            OfVersion::V14 | OfVersion::V15 => Self::pull_14(r),
        }
    }

    fn pull_10(r: &mut Reader<'_>) -> Result<Self, OfpError> {
        let port_no = OfPort(r.u16()?);
        let hw_addr = r.array()?;
        let name = fixed_string::get(r.take(NAME_LEN)?);
        let config = r.u32()? & config::ALL_10;
        let state = r.u32()? & state::ALL_10;
        let mut features = || r.u32().map(PortFeatures::from_ofp10);
        let (curr, advertised, supported, peer) =
            (features()?, features()?, features()?, features()?);
        let (curr_speed, max_speed) = (curr.kbps(), supported.kbps());
        Ok(Self {
            port_no,
            hw_addr,
            name,
            config,
            state,
            curr,
            advertised,
            supported,
            peer,
            curr_speed,
            max_speed,
        })
    }

    fn pull_11(r: &mut Reader<'_>) -> Result<Self, OfpError> {
        let mut port = Self { port_no: pull_port(r)?, ..Self::default() };
        r.skip(4)?;
        port.pull_common_11(r)?;
        port.pull_link(r)?;
        Ok(port)
    }

    fn pull_14(r: &mut Reader<'_>) -> Result<Self, OfpError> {
        let before = r.len();
        let number = r.u32()?;
        let len = usize::from(r.u16()?);
        let mut port = Self::default();
        r.skip(2)?;
        // The fixed part is checked as a whole before its content, as Open vSwitch does.
        let mut fixed = r.sub(32)?;
        let len = len.checked_sub(before - r.len()).ok_or(OfpError::OFPBRC_BAD_LEN)?;
        if len > r.len() {
            return Err(OfpError::OFPBRC_BAD_LEN);
        }
        port.port_no = OfPort::from_ofp11(number).ok_or(OfpError::OFPBAC_BAD_OUT_PORT)?;
        port.pull_common_11(&mut fixed)?;
        let mut props = Reader::new(r.take(len)?, OfpError::OFPBPC_BAD_LEN);
        while !props.is_empty() {
            let prop = Prop::pull(&mut props)?;
            // Ports may have properties that nobody here knows.
            if prop.kind == PropType::Standard(ETHERNET_PROP) {
                let bad = OfpError::OFPBPC_BAD_LEN;
                let mut p = Reader::new(prop.payload, bad);
                p.skip(4)?;
                port.pull_link(&mut p)?;
                if !p.is_empty() {
                    return Err(bad);
                }
            }
        }
        Ok(port)
    }

    fn pull_common_11(&mut self, r: &mut Reader<'_>) -> Result<(), OfpError> {
        self.hw_addr = r.array()?;
        r.skip(2)?;
        self.name = fixed_string::get(r.take(NAME_LEN)?);
        self.config = r.u32()? & config::ALL_11;
        self.state = r.u32()? & state::ALL_11;
        Ok(())
    }

    fn pull_link(&mut self, r: &mut Reader<'_>) -> Result<(), OfpError> {
        self.curr = PortFeatures::from_ofp11(r.u32()?);
        self.advertised = PortFeatures::from_ofp11(r.u32()?);
        self.supported = PortFeatures::from_ofp11(r.u32()?);
        self.peer = PortFeatures::from_ofp11(r.u32()?);
        self.curr_speed = r.u32()?;
        self.max_speed = r.u32()?;
        Ok(())
    }

    /// Appends the port as an entry of a list.
    pub(crate) fn put(&self, out: &mut Vec<u8>, v: OfVersion) {
        match v {
            OfVersion::V10 => {
                out.put_u16(self.port_no.0);
                out.extend_from_slice(&self.hw_addr);
                fixed_string::put(out, &self.name, NAME_LEN);
                out.put_u32(self.config & config::ALL_10);
                out.put_u32(self.state & state::ALL_10);
                for f in [self.curr, self.advertised, self.supported, self.peer] {
                    out.put_u32(f.to_ofp10());
                }
            }
            OfVersion::V11 | OfVersion::V12 | OfVersion::V13 => {
                out.put_u32(self.port_no.to_ofp11());
                out.put_zeros(4);
                self.put_common_11(out);
                self.put_link(out);
            }
            OfVersion::V14 | OfVersion::V15 => {
                let start = out.len();
                out.put_u32(self.port_no.to_ofp11());
                out.put_zeros(4);
                self.put_common_11(out);
                props::put(out, PropType::Standard(ETHERNET_PROP), |out| {
                    out.put_zeros(4);
                    self.put_link(out);
                });
                // 40 bytes and one property of 32.
                out.set_u16(start + 4, 72);
            }
        }
    }

    fn put_common_11(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.hw_addr);
        out.put_zeros(2);
        fixed_string::put(out, &self.name, NAME_LEN);
        out.put_u32(self.config & config::ALL_11);
        out.put_u32(self.state & state::ALL_11);
    }

    fn put_link(&self, out: &mut Vec<u8>) {
        for f in [self.curr, self.advertised, self.supported, self.peer] {
            out.put_u32(f.0);
        }
        out.put_u32(self.curr_speed);
        out.put_u32(self.max_speed);
    }
}

/// Reads a 32-bit port number.
pub(crate) fn pull_port(r: &mut Reader<'_>) -> Result<OfPort, OfpError> {
    OfPort::from_ofp11(r.u32()?).ok_or(OfpError::OFPBAC_BAD_OUT_PORT)
}

/// Request of `OFPST_PORT_DESC`: which port, `ANY` for all (only OpenFlow 1.5 can say another).
pub(crate) fn decode_desc_request(f: &Frame<'_>) -> Result<OfPort, OfpError> {
    let mut r = Reader::new(f.body, OfpError::OFPBRC_BAD_LEN);
    if f.raw == Raw::Ofpst15PortDescRequest { pull_port(&mut r) } else { Ok(OfPort::NONE) }
}

/// See [`decode_desc_request`].
pub(crate) fn encode_desc_request(port: OfPort, raw: Raw, out: &mut Vec<u8>) {
    if raw == Raw::Ofpst15PortDescRequest {
        out.put_u32(port.to_ofp11());
        out.put_zeros(4);
    }
}

/// Why a port's status changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[expect(missing_docs, reason = "names of ofp_port_reason")]
pub enum PortReason {
    Add = 0,
    Delete = 1,
    Modify = 2,
}

/// `OFPT_PORT_STATUS`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortStatus {
    /// What happened.
    pub reason: PortReason,
    /// The port, after it happened.
    pub port: PhyPort,
}

impl PortStatus {
    pub(crate) fn decode(f: &Frame<'_>, v: OfVersion) -> Result<Self, OfpError> {
        let mut r = Reader::new(f.body, OfpError::OFPBRC_BAD_LEN);
        let reason = match r.u8()? {
            0 => PortReason::Add,
            1 => PortReason::Delete,
            2 => PortReason::Modify,
            _ => return Err(OfpError::NXBRC_BAD_REASON),
        };
        r.skip(7)?;
        Ok(Self { reason, port: PhyPort::pull(&mut r, v)? })
    }

    pub(crate) fn encode(&self, v: OfVersion, out: &mut Vec<u8>) {
        out.put_u8(self.reason as u8);
        out.put_zeros(7);
        self.port.put(out, v);
    }
}
