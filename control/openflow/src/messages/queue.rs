//! Queues: `OFPST_QUEUE` statistics, `OFPT_QUEUE_GET_CONFIG` and, from OpenFlow 1.4 on,
//! `OFPST_QUEUE_DESC`.

use crate::frame::Frame;
use crate::messages::duration::Duration;
use crate::messages::port::pull_port;
use crate::messages::port_stats::{known, put_duration};
use crate::ofp_errors::OfpError;
use crate::ofp_port::OfPort;
use crate::props::{self, Prop, PropType};
use crate::raw::Raw;
use crate::version::OfVersion;
use crate::wire::{Put, Reader};

/// "Every queue".
pub const QUEUE_ALL: u32 = u32::MAX;

/// Which queues: a port (`ANY` for all) and a queue ([`QUEUE_ALL`] for all).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueRequest {
    /// The port.
    pub port_no: OfPort,
    /// The queue.
    pub queue_id: u32,
}

impl QueueRequest {
    /// `OFPST_QUEUE` request.
    pub(crate) fn decode_stats(f: &Frame<'_>) -> Result<Self, OfpError> {
        let mut r = Reader::new(f.body, OfpError::OFPBRC_BAD_LEN);
        if f.raw == Raw::Ofpst10QueueRequest {
            let port_no = OfPort(r.u16()?);
            r.skip(2)?;
            // OpenFlow 1.0 says "all" where later versions say "any".
            let port_no = if port_no == OfPort::ALL { OfPort::NONE } else { port_no };
            return Ok(Self { port_no, queue_id: r.u32()? });
        }
        let port_no = pull_port(&mut r)?;
        Ok(Self { port_no, queue_id: r.u32()? })
    }

    pub(crate) fn encode_stats(self, raw: Raw, out: &mut Vec<u8>) {
        if raw == Raw::Ofpst10QueueRequest {
            let all = self.port_no == OfPort::NONE;
            out.put_u16(if all { OfPort::ALL } else { self.port_no }.0);
            out.put_zeros(2);
        } else {
            out.put_u32(self.port_no.to_ofp11());
        }
        out.put_u32(self.queue_id);
    }

    /// `OFPT_QUEUE_GET_CONFIG_REQUEST`, `OFPST_QUEUE_DESC` request.
    pub(crate) fn decode_config(f: &Frame<'_>) -> Result<Self, OfpError> {
        let mut r = Reader::new(f.body, OfpError::OFPBRC_BAD_LEN);
        let request = match f.raw {
            Raw::Ofpt10QueueGetConfigRequest => {
                Self { port_no: OfPort(r.u16()?), queue_id: QUEUE_ALL }
            }
            Raw::Ofpst14QueueDescRequest => {
                let port_no = pull_port(&mut r)?;
                return Ok(Self { port_no, queue_id: r.u32()? });
            }
            _ => {
                let port_no = pull_port(&mut r)?;
                if port_no == OfPort::NONE {
                    return Ok(Self { port_no, queue_id: QUEUE_ALL });
                }
                Self { port_no, queue_id: QUEUE_ALL }
            }
        };
        if request.port_no < OfPort::MAX { Ok(request) } else { Err(OfpError::OFPQOFC_BAD_PORT) }
    }

    pub(crate) fn encode_config(self, raw: Raw, out: &mut Vec<u8>) {
        match raw {
            Raw::Ofpt10QueueGetConfigRequest => {
                out.put_u16(self.port_no.0);
                out.put_zeros(2);
            }
            Raw::Ofpst14QueueDescRequest => {
                out.put_u32(self.port_no.to_ofp11());
                out.put_u32(self.queue_id);
            }
            _ => {
                out.put_u32(self.port_no.to_ofp11());
                out.put_zeros(4);
            }
        }
    }
}

/// A queue's counters; `u64::MAX` is "not known".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueStats {
    /// The port.
    pub port_no: OfPort,
    /// The queue.
    pub queue_id: u32,
    /// Bytes sent.
    pub tx_bytes: u64,
    /// Packets sent.
    pub tx_packets: u64,
    /// Packets dropped because the queue was full.
    pub tx_errors: u64,
    /// How long the queue exists, when it is known.
    pub duration: Option<Duration>,
}

impl QueueStats {
    pub(crate) fn pull(r: &mut Reader<'_>, raw: Raw) -> Result<Self, OfpError> {
        if raw == Raw::Ofpst14QueueReply {
            let mut fixed = r.sub(48)?;
            let len = usize::from(fixed.u16()?);
            fixed.skip(6)?;
            // No property is defined yet, so all are skipped.
            r.skip(len.checked_sub(48).ok_or(OfpError::OFPBRC_BAD_LEN)?)?;
            return Self::pull_fields(&mut fixed, Raw::Ofpst13QueueReply);
        }
        Self::pull_fields(r, raw)
    }

    fn pull_fields(r: &mut Reader<'_>, raw: Raw) -> Result<Self, OfpError> {
        let number = if raw == Raw::Ofpst10QueueReply {
            let n = u32::from(r.u16()?);
            r.skip(2)?;
            n
        } else {
            r.u32()?
        };
        let queue_id = r.u32()?;
        let (tx_bytes, tx_packets, tx_errors) = (r.u64()?, r.u64()?, r.u64()?);
        let duration = if raw == Raw::Ofpst13QueueReply { Some(Duration::pull(r)?) } else { None };
        let port_no = match u16::try_from(number) {
            Ok(n) if raw == Raw::Ofpst10QueueReply => OfPort(n),
            _ => OfPort::from_ofp11(number).ok_or(OfpError::OFPBAC_BAD_OUT_PORT)?,
        };
        Ok(Self { port_no, queue_id, tx_bytes, tx_packets, tx_errors, duration: known(duration) })
    }

    /// Appends the statistics as an entry of a reply of form `raw`.
    pub fn put(&self, out: &mut Vec<u8>, raw: Raw) {
        if raw == Raw::Ofpst14QueueReply {
            out.put_u16(48);
            out.put_zeros(6);
        }
        if raw == Raw::Ofpst10QueueReply {
            out.put_u16(self.port_no.0);
            out.put_zeros(2);
        } else {
            out.put_u32(self.port_no.to_ofp11());
        }
        out.put_u32(self.queue_id);
        out.put_u64(self.tx_bytes);
        out.put_u64(self.tx_packets);
        out.put_u64(self.tx_errors);
        if matches!(raw, Raw::Ofpst13QueueReply | Raw::Ofpst14QueueReply) {
            put_duration(self.duration, out);
        }
    }
}

/// A queue's configuration. Rates are in tenths of a percent; above 1000 is disabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueConfig {
    /// The port.
    pub port_no: OfPort,
    /// The queue.
    pub queue_id: u32,
    /// Guaranteed rate, if there is one.
    pub min_rate: Option<u16>,
    /// Highest rate, if there is one.
    pub max_rate: Option<u16>,
}

const MIN_RATE: u16 = 1;
const MAX_RATE: u16 = 2;

/// `OFPT_QUEUE_GET_CONFIG_REPLY`, `OFPST_QUEUE_DESC` reply
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueConfigs {
    /// The port that was asked for (before OpenFlow 1.4).
    pub port_no: OfPort,
    /// The queues.
    pub queues: Vec<QueueConfig>,
}

impl QueueConfigs {
    pub(crate) fn decode(f: &Frame<'_>, v: OfVersion) -> Result<Self, OfpError> {
        let mut r = Reader::new(f.body, OfpError::OFPBRC_BAD_LEN);
        let port_no = match f.raw {
            Raw::Ofpt10QueueGetConfigReply => {
                let port = OfPort(r.u16()?);
                r.skip(6)?;
                port
            }
            Raw::Ofpt11QueueGetConfigReply => {
                let port = pull_port(&mut r)?;
                r.skip(4)?;
                port
            }
            _ => OfPort::NONE,
        };
        let mut queues = Vec::new();
        while !r.is_empty() {
            queues.push(if v >= OfVersion::V14 {
                QueueConfig::pull_14(&mut r)?
            } else {
                QueueConfig::pull_10(&mut r, port_no, v)?
            });
        }
        Ok(Self { port_no, queues })
    }

    pub(crate) fn encode_head(&self, raw: Raw, out: &mut Vec<u8>) {
        match raw {
            Raw::Ofpt10QueueGetConfigReply => {
                out.put_u16(self.port_no.0);
                out.put_zeros(6);
            }
            Raw::Ofpt11QueueGetConfigReply => {
                out.put_u32(self.port_no.to_ofp11());
                out.put_zeros(4);
            }
            _ => {}
        }
    }
}

impl QueueConfig {
    fn pull_10(r: &mut Reader<'_>, port_no: OfPort, v: OfVersion) -> Result<Self, OfpError> {
        let bad = OfpError::OFPBRC_BAD_LEN;
        let queue_id = r.u32()?;
        let head = if v >= OfVersion::V12 {
            r.skip(4)?;
            16
        } else {
            8
        };
        let len = usize::from(r.u16()?);
        r.skip(head - if v >= OfVersion::V12 { 10 } else { 6 })?;
        if len % 8 != 0 {
            return Err(bad);
        }
        let mut props = r.sub(len.checked_sub(head).ok_or(bad)?)?;
        let mut q = Self { port_no, queue_id, min_rate: None, max_rate: None };
        while !props.is_empty() {
            let mut prop = Reader::new(props.rest(), bad);
            let kind = prop.u16()?;
            let len = usize::from(prop.u16()?);
            if len < 8 || len % 8 != 0 {
                return Err(bad);
            }
            let mut payload = props.sub(len)?;
            payload.skip(8)?;
            let cell = match kind {
                MIN_RATE => &mut q.min_rate,
                MAX_RATE => &mut q.max_rate,
                _ => continue,
            };
            if len != 16 {
                return Err(bad);
            }
            *cell = rate(payload.u16()?);
        }
        Ok(q)
    }

    fn pull_14(r: &mut Reader<'_>) -> Result<Self, OfpError> {
        let bad = OfpError::OFPBRC_BAD_LEN;
        let mut fixed = r.sub(16)?;
        let port_no = pull_port(&mut fixed)?;
        let queue_id = fixed.u32()?;
        let len = usize::from(fixed.u16()?);
        let rest = len.checked_sub(16).filter(|_| len % 8 == 0).ok_or(bad)?;
        let mut props = Reader::new(r.take(rest)?, OfpError::OFPBPC_BAD_LEN);
        let mut q = Self { port_no, queue_id, min_rate: None, max_rate: None };
        while !props.is_empty() {
            let prop = Prop::pull(&mut props)?;
            match prop.kind {
                PropType::Standard(MIN_RATE) => q.min_rate = rate(prop.u16()?),
                PropType::Standard(MAX_RATE) => q.max_rate = rate(prop.u16()?),
                _ => {}
            }
        }
        Ok(q)
    }

    /// Appends the queue as an entry of a reply.
    pub fn put(&self, out: &mut Vec<u8>, v: OfVersion) {
        let start = out.len();
        let rates = [(MIN_RATE, self.min_rate), (MAX_RATE, self.max_rate)];
        let rates = rates.into_iter().filter_map(|(kind, rate)| Some((kind, rate?)));
        if v >= OfVersion::V14 {
            out.put_u32(self.port_no.to_ofp11());
            out.put_u32(self.queue_id);
            out.put_zeros(8);
            rates.for_each(|(kind, rate)| props::put_u16(out, kind, rate));
            out.set_u16(start + 8, (out.len() - start) as u16);
            return;
        }
        out.put_u32(self.queue_id);
        let len_at = if v >= OfVersion::V12 {
            out.put_u32(self.port_no.to_ofp11());
            out.put_zeros(8);
            start + 8
        } else {
            out.put_zeros(4);
            start + 4
        };
        for (kind, rate) in rates {
            out.put_u16(kind);
            out.put_u16(16);
            out.put_zeros(4);
            out.put_u16(rate);
            out.put_zeros(6);
        }
        out.set_u16(len_at, (out.len() - start) as u16);
    }
}

/// All ones is "no rate".
fn rate(r: u16) -> Option<u16> {
    (r != u16::MAX).then_some(r)
}
