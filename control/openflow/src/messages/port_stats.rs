//! `OFPST_PORT`: counters of ports.

use crate::frame::Frame;
use crate::messages::duration::Duration;
use crate::messages::port::pull_port;
use crate::ofp_errors::OfpError;
use crate::ofp_port::OfPort;
use crate::props::{self, Prop, PropType};
use crate::raw::Raw;
use crate::wire::{Put, Reader};

/// Experimenter of the RFC 2819 and custom counters.
const INTEL_VENDOR_ID: u32 = 0x0000_aa01;
const INTEL_RFC2819: u32 = 1;
const INTEL_CUSTOM: u32 = 2;
const ETHERNET_PROP: u16 = 0;

/// The twelve counters that every version has; `u64::MAX` is "not known". Order of the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "names of ofp_port_stats")]
pub struct PortCounters {
    pub rx_packets: u64,
    pub tx_packets: u64,
    pub rx_bytes: u64,
    pub tx_bytes: u64,
    pub rx_dropped: u64,
    pub tx_dropped: u64,
    pub rx_errors: u64,
    pub tx_errors: u64,
    pub rx_frame_err: u64,
    pub rx_over_err: u64,
    pub rx_crc_err: u64,
    pub collisions: u64,
}

/// The counters of RFC 2819 in the order of Intel's property: of which direction, and the word that
/// is printed.
pub const RFC2819: [(Direction, &str); 21] = {
    use Direction::{Rx, Tx};
    [
        (Rx, "1_to_64_packets"),
        (Rx, "65_to_127_packets"),
        (Rx, "128_to_255_packets"),
        (Rx, "256_to_511_packets"),
        (Rx, "512_to_1023_packets"),
        (Rx, "1024_to_1522_packets"),
        (Rx, "1523_to_max_packets"),
        (Tx, "1_to_64_packets"),
        (Tx, "65_to_127_packets"),
        (Tx, "128_to_255_packets"),
        (Tx, "256_to_511_packets"),
        (Tx, "512_to_1023_packets"),
        (Tx, "1024_to_1522_packets"),
        (Tx, "1523_to_max_packets"),
        (Tx, "multicast_packets"),
        (Rx, "broadcast_packets"),
        (Tx, "broadcast_packets"),
        (Rx, "undersized_errors"),
        (Rx, "oversize_errors"),
        (Rx, "rx_fragmented_errors"),
        (Rx, "rx_jabber_errors"),
    ]
};

/// See [`RFC2819`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Received.
    Rx,
    /// Sent.
    Tx,
}

/// A port's counters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortStats {
    /// Which port.
    pub port_no: OfPort,
    /// The common counters.
    pub counters: PortCounters,
    /// How long the port exists, when it is known (OpenFlow 1.3 and later).
    pub duration: Option<Duration>,
    /// RFC 2819's counters, in the order of [`RFC2819`]; `u64::MAX` is "not known".
    pub rfc2819: [u64; 21],
    /// Counters with names of the device's own.
    pub custom: Vec<(Vec<u8>, u64)>,
}

impl PortStats {
    /// Statistics of `port_no` of which nothing is known.
    #[must_use]
    pub fn unknown(port_no: OfPort) -> Self {
        let counters = PortCounters::from_array([u64::MAX; 12]);
        let rfc2819 = [u64::MAX; 21];
        Self { port_no, counters, duration: None, rfc2819, custom: Vec::new() }
    }

    pub(crate) fn pull(r: &mut Reader<'_>, raw: Raw) -> Result<Self, OfpError> {
        match raw {
            Raw::Ofpst10PortReply => {
                let port_no = OfPort(r.u16()?);
                r.skip(6)?;
                let mut s = Self::unknown(port_no);
                s.counters = PortCounters::pull::<12>(r, [u64::MAX; 12])?;
                Ok(s)
            }
            Raw::Ofpst11PortReply | Raw::Ofpst13PortReply => {
                let number = r.u32()?;
                r.skip(4)?;
                let counters = PortCounters::pull::<12>(r, [u64::MAX; 12])?;
                let duration =
                    if raw == Raw::Ofpst13PortReply { Some(Duration::pull(r)?) } else { None };
                let port_no = OfPort::from_ofp11(number).ok_or(OfpError::OFPBAC_BAD_OUT_PORT)?;
                Ok(Self { counters, duration: known(duration), ..Self::unknown(port_no) })
            }
            _ => Self::pull_14(r),
        }
    }

    fn pull_14(r: &mut Reader<'_>) -> Result<Self, OfpError> {
        let mut fixed = r.sub(80)?;
        let len = usize::from(fixed.u16()?);
        let len = len.checked_sub(80).ok_or(OfpError::OFPBRC_BAD_LEN)?;
        if len > r.len() {
            return Err(OfpError::OFPBRC_BAD_LEN);
        }
        fixed.skip(2)?;
        let mut s = Self::unknown(pull_port(&mut fixed)?);
        s.duration = known(Some(Duration::pull(&mut fixed)?));
        s.counters = PortCounters::pull::<8>(&mut fixed, [u64::MAX; 12])?;
        let mut props = Reader::new(r.take(len)?, OfpError::OFPBPC_BAD_LEN);
        while !props.is_empty() {
            let prop = Prop::pull(&mut props)?;
            s.property(&prop)?;
        }
        Ok(s)
    }

    fn property(&mut self, prop: &Prop<'_>) -> Result<(), OfpError> {
        let bad = OfpError::OFPBPC_BAD_LEN;
        let mut p = Reader::new(prop.payload, bad);
        match prop.kind {
            PropType::Standard(ETHERNET_PROP) => {
                p.skip(4)?;
                for cell in [
                    &mut self.counters.rx_frame_err,
                    &mut self.counters.rx_over_err,
                    &mut self.counters.rx_crc_err,
                    &mut self.counters.collisions,
                ] {
                    *cell = p.u64()?;
                }
                if p.is_empty() { Ok(()) } else { Err(bad) }
            }
            PropType::Experimenter { vendor: INTEL_VENDOR_ID, exp_type: INTEL_RFC2819 } => {
                p.skip(4)?;
                for cell in &mut self.rfc2819 {
                    *cell = p.u64()?;
                }
                if p.is_empty() { Ok(()) } else { Err(bad) }
            }
            PropType::Experimenter { vendor: INTEL_VENDOR_ID, exp_type: INTEL_CUSTOM } => {
                p.skip(2)?;
                let n = p.u16()?;
                for _ in 0..n {
                    let name_len = usize::from(p.u8()?);
                    let name = p.take(name_len)?.to_vec();
                    self.custom.push((name, p.u64()?));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Appends the statistics as an entry of a reply of form `raw`.
    pub fn put(&self, out: &mut Vec<u8>, raw: Raw) {
        match raw {
            Raw::Ofpst10PortReply => {
                out.put_u16(self.port_no.0);
                out.put_zeros(6);
                self.counters.put(out, 12);
            }
            Raw::Ofpst11PortReply | Raw::Ofpst13PortReply => {
                out.put_u32(self.port_no.to_ofp11());
                out.put_zeros(4);
                self.counters.put(out, 12);
                if raw == Raw::Ofpst13PortReply {
                    put_duration(self.duration, out);
                }
            }
            _ => self.put_14(out),
        }
    }

    fn put_14(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.put_zeros(4);
        out.put_u32(self.port_no.to_ofp11());
        put_duration(self.duration, out);
        self.counters.put(out, 8);
        props::put(out, PropType::Standard(ETHERNET_PROP), |out| {
            out.put_zeros(4);
            self.counters.to_array().iter().skip(8).for_each(|c| out.put_u64(*c));
        });
        let intel = |exp_type| PropType::Experimenter { vendor: INTEL_VENDOR_ID, exp_type };
        props::put(out, intel(INTEL_RFC2819), |out| {
            out.put_zeros(4);
            self.rfc2819.iter().for_each(|c| out.put_u64(*c));
        });
        if !self.custom.is_empty() {
            props::put(out, intel(INTEL_CUSTOM), |out| {
                out.put_zeros(2);
                out.put_u16(u16::try_from(self.custom.len()).unwrap_or(u16::MAX));
                for (name, value) in self.custom.iter().take(usize::from(u16::MAX)) {
                    let len = u8::try_from(name.len()).unwrap_or(u8::MAX);
                    out.put_u8(len);
                    out.extend_from_slice(&name[..usize::from(len)]);
                    out.put_u64(*value);
                }
            });
        }
        let len = u16::try_from(out.len() - start).unwrap_or(u16::MAX);
        out.set_u16(start, len);
    }
}

/// All ones is "not known".
pub(crate) fn known(d: Option<Duration>) -> Option<Duration> {
    d.filter(|d| d.sec != u32::MAX)
}

pub(crate) fn put_duration(d: Option<Duration>, out: &mut Vec<u8>) {
    d.unwrap_or(Duration { sec: u32::MAX, nsec: u32::MAX }).put(out);
}

impl PortCounters {
    /// The counters in the order of the wire.
    #[must_use]
    pub fn to_array(&self) -> [u64; 12] {
        [
            self.rx_packets,
            self.tx_packets,
            self.rx_bytes,
            self.tx_bytes,
            self.rx_dropped,
            self.tx_dropped,
            self.rx_errors,
            self.tx_errors,
            self.rx_frame_err,
            self.rx_over_err,
            self.rx_crc_err,
            self.collisions,
        ]
    }

    /// From the order of the wire.
    #[must_use]
    pub fn from_array(c: [u64; 12]) -> Self {
        let [
            rx_packets,
            tx_packets,
            rx_bytes,
            tx_bytes,
            rx_dropped,
            tx_dropped,
            rx_errors,
            tx_errors,
            rx_frame_err,
            rx_over_err,
            rx_crc_err,
            collisions,
        ] = c;
        Self {
            rx_packets,
            tx_packets,
            rx_bytes,
            tx_bytes,
            rx_dropped,
            tx_dropped,
            rx_errors,
            tx_errors,
            rx_frame_err,
            rx_over_err,
            rx_crc_err,
            collisions,
        }
    }

    fn pull<const N: usize>(r: &mut Reader<'_>, mut c: [u64; 12]) -> Result<Self, OfpError> {
        for cell in c.iter_mut().take(N) {
            *cell = r.u64()?;
        }
        Ok(Self::from_array(c))
    }

    fn put(&self, out: &mut Vec<u8>, n: usize) {
        self.to_array().iter().take(n).for_each(|c| out.put_u64(*c));
    }
}

/// Request of `OFPST_PORT`: which port, `ANY` for all.
pub(crate) fn decode_request(f: &Frame<'_>) -> Result<OfPort, OfpError> {
    let mut r = Reader::new(f.body, OfpError::OFPBRC_BAD_LEN);
    if f.raw == Raw::Ofpst10PortRequest { Ok(OfPort(r.u16()?)) } else { pull_port(&mut r) }
}

pub(crate) fn encode_request(port: OfPort, raw: Raw, out: &mut Vec<u8>) {
    if raw == Raw::Ofpst10PortRequest {
        out.put_u16(port.0);
        out.put_zeros(6);
    } else {
        out.put_u32(port.to_ofp11());
        out.put_zeros(4);
    }
}
