//! Meters: `OFPT_METER_MOD` and the meter statistics, configuration and features.
//! OpenFlow 1.3.1 sections 7.3.4.4 and 7.3.5.11 to 13.

use crate::frame::Frame;
use crate::messages::duration::Duration;
use crate::ofp_errors::OfpError;
use crate::wire::{Put, Reader};

/// Special meter numbers.
#[expect(missing_docs, reason = "names of ofp_meter")]
pub mod meter_id {
    /// Highest number of an ordinary meter.
    pub const MAX: u32 = 0xffff_0000;
    pub const SLOWPATH: u32 = 0xffff_fffd;
    pub const CONTROLLER: u32 = 0xffff_fffe;
    pub const ALL: u32 = 0xffff_ffff;
}

/// Flags of a meter.
#[expect(missing_docs, reason = "names of ofp_meter_flags")]
pub mod meter_flags {
    pub const KBPS: u16 = 1 << 0;
    pub const PKTPS: u16 = 1 << 1;
    pub const BURST: u16 = 1 << 2;
    pub const STATS: u16 = 1 << 3;
}

/// Types of a band.
#[expect(missing_docs, reason = "names of ofp_meter_band_type")]
pub mod band_type {
    pub const DROP: u16 = 1;
    pub const DSCP_REMARK: u16 = 2;
    pub const EXPERIMENTER: u16 = 0xffff;
}

/// One band of a meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MeterBand {
    /// A value of [`band_type`]; `EXPERIMENTER` is refused.
    pub kind: u16,
    /// kbit/s or packets/s.
    pub rate: u32,
    /// kbit or packets.
    pub burst_size: u32,
    /// How many drop precedence steps to add, for `DSCP_REMARK`.
    pub prec_level: u8,
}

impl MeterBand {
    fn pull(r: &mut Reader<'_>) -> Result<Self, OfpError> {
        let whole = r.len();
        let kind = r.u16()?;
        let len = usize::from(r.u16()?);
        let rate = r.u32()?;
        let burst_size = r.u32()?;
        if len > whole {
            return Err(OfpError::OFPBRC_BAD_LEN);
        }
        let (min, prec_level) = match kind {
            band_type::DROP => (16, 0),
            band_type::DSCP_REMARK => (16, r.rest().first().copied().unwrap_or(0)),
            band_type::EXPERIMENTER => return Err(OfpError::OFPMMFC_BAD_BAND),
            _ => return Err(OfpError::OFPMMFC_BAD_BAND),
        };
        if len != min {
            return Err(OfpError::OFPBRC_BAD_LEN);
        }
        r.skip(4)?;
        Ok(Self { kind, rate, burst_size, prec_level })
    }

    fn pull_all(mut r: Reader<'_>) -> Result<Vec<Self>, OfpError> {
        let mut bands = Vec::new();
        while !r.is_empty() {
            bands.push(Self::pull(&mut r)?);
        }
        Ok(bands)
    }

    fn put(self, out: &mut Vec<u8>) {
        out.put_u16(self.kind);
        out.put_u16(16);
        out.put_u32(self.rate);
        out.put_u32(self.burst_size);
        out.put_u8(if self.kind == band_type::DSCP_REMARK { self.prec_level } else { 0 });
        out.put_zeros(3);
    }
}

/// A meter's configuration.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct MeterConfig {
    /// Its number.
    pub meter_id: u32,
    /// Bits of [`meter_flags`].
    pub flags: u16,
    /// Its bands.
    pub bands: Vec<MeterBand>,
}

impl MeterConfig {
    pub(crate) fn pull(r: &mut Reader<'_>) -> Result<Self, OfpError> {
        let len = usize::from(Reader::new(r.rest(), OfpError::OFPBRC_BAD_LEN).u16()?);
        if len < 8 {
            return Err(OfpError::OFPBRC_BAD_LEN);
        }
        let mut r = r.sub(len)?;
        r.skip(2)?;
        let flags = r.u16()?;
        let meter_id = r.u32()?;
        Ok(Self { meter_id, flags, bands: MeterBand::pull_all(r)? })
    }

    /// Appends the meter as an entry of an `OFPST_METER_CONFIG` reply.
    pub fn put(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.put_u16(0);
        out.put_u16(self.flags);
        out.put_u32(self.meter_id);
        self.bands.iter().for_each(|b| b.put(out));
        out.set_u16(start, u16::try_from(out.len() - start).unwrap_or(u16::MAX));
    }
}

/// What a meter-mod does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
#[expect(missing_docs, reason = "names of ofp_meter_mod_command")]
pub enum MeterCommand {
    Add = 0,
    Modify = 1,
    Delete = 2,
}

/// `OFPT_METER_MOD`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeterMod {
    /// What to do.
    pub command: MeterCommand,
    /// The meter; to delete, only its number counts.
    pub meter: MeterConfig,
}

impl MeterMod {
    pub(crate) fn decode(f: &Frame<'_>) -> Result<Self, OfpError> {
        let mut r = Reader::new(f.body, OfpError::OFPBRC_BAD_LEN);
        let command = match r.u16()? {
            0 => MeterCommand::Add,
            1 => MeterCommand::Modify,
            2 => MeterCommand::Delete,
            _ => return Err(OfpError::OFPMMFC_BAD_COMMAND),
        };
        let flags = r.u16()?;
        let meter_id = r.u32()?;
        if command == MeterCommand::Delete {
            let meter = MeterConfig { meter_id, ..MeterConfig::default() };
            return Ok(Self { command, meter });
        }
        let rates = meter_flags::KBPS | meter_flags::PKTPS;
        if flags & rates == rates {
            return Err(OfpError::OFPMMFC_BAD_FLAGS);
        }
        let bands = MeterBand::pull_all(r)?;
        Ok(Self { command, meter: MeterConfig { meter_id, flags, bands } })
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.put_u16(self.command as u16);
        out.put_u16(self.meter.flags);
        out.put_u32(self.meter.meter_id);
        self.meter.bands.iter().for_each(|b| b.put(out));
    }
}

/// Which meter: requests of statistics and configuration.
pub(crate) fn decode_request(f: &Frame<'_>) -> Result<u32, OfpError> {
    Reader::new(f.body, OfpError::OFPBRC_BAD_LEN).u32()
}

pub(crate) fn encode_request(meter_id: u32, out: &mut Vec<u8>) {
    out.put_u32(meter_id);
    out.put_zeros(4);
}

/// A meter's counters.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct MeterStats {
    /// Its number.
    pub meter_id: u32,
    /// Flows that use it.
    pub flow_count: u32,
    /// Packets that came to it.
    pub packet_in_count: u64,
    /// Bytes that came to it.
    pub byte_in_count: u64,
    /// How long it exists.
    pub duration: Duration,
    /// (packets, bytes) of each band.
    pub bands: Vec<(u64, u64)>,
}

impl MeterStats {
    pub(crate) fn pull(r: &mut Reader<'_>) -> Result<Self, OfpError> {
        let mut fixed = r.sub(40)?;
        let meter_id = fixed.u32()?;
        let len = usize::from(fixed.u16()?);
        fixed.skip(6)?;
        let flow_count = fixed.u32()?;
        let packet_in_count = fixed.u64()?;
        let byte_in_count = fixed.u64()?;
        let duration = Duration::pull(&mut fixed)?;
        let rest = len.checked_sub(40).ok_or(OfpError::OFPBRC_BAD_LEN)?;
        let mut r = r.sub(rest)?;
        let mut bands = Vec::new();
        while !r.is_empty() {
            bands.push((r.u64()?, r.u64()?));
        }
        Ok(Self { meter_id, flow_count, packet_in_count, byte_in_count, duration, bands })
    }

    /// Appends the statistics as an entry of a reply.
    pub fn put(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.put_u32(self.meter_id);
        out.put_zeros(8);
        out.put_u32(self.flow_count);
        out.put_u64(self.packet_in_count);
        out.put_u64(self.byte_in_count);
        self.duration.put(out);
        for (packets, bytes) in &self.bands {
            out.put_u64(*packets);
            out.put_u64(*bytes);
        }
        out.set_u16(start + 4, u16::try_from(out.len() - start).unwrap_or(u16::MAX));
    }
}

/// `OFPST_METER_FEATURES` reply
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct MeterFeatures {
    /// Most meters.
    pub max_meters: u32,
    /// Bit N: bands of type N.
    pub band_types: u32,
    /// Supported bits of [`meter_flags`].
    pub capabilities: u32,
    /// Most bands of a meter.
    pub max_bands: u8,
    /// Most colours.
    pub max_color: u8,
}

impl MeterFeatures {
    pub(crate) fn decode(f: &Frame<'_>) -> Result<Self, OfpError> {
        let mut r = Reader::new(f.body, OfpError::OFPBRC_BAD_LEN);
        Ok(Self {
            max_meters: r.u32()?,
            band_types: r.u32()?,
            capabilities: r.u32()?,
            max_bands: r.u8()?,
            max_color: r.u8()?,
        })
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.put_u32(self.max_meters);
        out.put_u32(self.band_types);
        out.put_u32(self.capabilities);
        out.put_u8(self.max_bands);
        out.put_u8(self.max_color);
        out.put_zeros(2);
    }
}
