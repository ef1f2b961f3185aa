//! OXS: the extensible statistics of OpenFlow 1.5 (section 7.2.4), in flow descriptions, aggregates
//! and flow-removed messages.

use crate::messages::duration::Duration;
use crate::ofp_errors::OfpError;
use crate::wire::{Put, Reader};

const CLASS_BASIC: u16 = 0x8002;
const DURATION: u8 = 0;
const IDLE_TIME: u8 = 1;
const FLOW_COUNT: u8 = 3;
const PACKET_COUNT: u8 = 4;
const BYTE_COUNT: u8 = 5;

/// Statistics; what is `None` was not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Oxs {
    pub(crate) duration: Option<Duration>,
    pub(crate) idle_time: Option<Duration>,
    pub(crate) flow_count: Option<u32>,
    pub(crate) packet_count: Option<u64>,
    pub(crate) byte_count: Option<u64>,
}

impl Oxs {
    /// Takes the statistics with their header and padding.
    pub(crate) fn pull(r: &mut Reader<'_>) -> Result<Self, OfpError> {
        let bad = OfpError::OFPBMC_BAD_LEN;
        let mut head = Reader::new(r.rest(), bad);
        head.skip(2)?;
        let len = usize::from(head.u16()?);
        let padded = Reader::new(r.rest(), bad).take(len.next_multiple_of(8))?;
        r.skip(padded.len())?;
        let mut r = Reader::new(padded.get(4..len).ok_or(bad)?, bad);
        let mut s = Self::default();
        while !r.is_empty() {
            let class = r.u16()?;
            let field = r.u8()? >> 1;
            let len = r.u8()?;
            let mut payload = r.sub(usize::from(len))?;
            let wide = || if len == 8 { Ok(()) } else { Err(bad) };
            match (class, field) {
                (CLASS_BASIC, DURATION) => {
                    wide()?;
                    s.duration = Some(Duration::pull(&mut payload)?);
                }
                (CLASS_BASIC, IDLE_TIME) => {
                    wide()?;
                    s.idle_time = Some(Duration::pull(&mut payload)?);
                }
                (CLASS_BASIC, FLOW_COUNT) if len == 4 => s.flow_count = Some(payload.u32()?),
                (CLASS_BASIC, FLOW_COUNT) => return Err(bad),
                (CLASS_BASIC, PACKET_COUNT) => {
                    wide()?;
                    s.packet_count = Some(payload.u64()?);
                }
                (CLASS_BASIC, BYTE_COUNT) => {
                    wide()?;
                    s.byte_count = Some(payload.u64()?);
                }
                // Others' statistics are of no interest here.
                _ => {}
            }
        }
        Ok(s)
    }

    /// Appends the statistics with their header and padding.
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.put_zeros(4);
        let head = |out: &mut Vec<u8>, field: u8, len| {
            out.put_u16(CLASS_BASIC);
            out.put_u8(field << 1);
            out.put_u8(len);
        };
        for (field, d) in [(DURATION, self.duration), (IDLE_TIME, self.idle_time)] {
            if let Some(d) = d {
                head(out, field, 8);
                d.put(out);
            }
        }
        for (field, n) in [(PACKET_COUNT, self.packet_count), (BYTE_COUNT, self.byte_count)] {
            if let Some(n) = n {
                head(out, field, 8);
                out.put_u64(n);
            }
        }
        if let Some(n) = self.flow_count {
            head(out, FLOW_COUNT, 4);
            out.put_u32(n);
        }
        out.set_u16(start + 2, (out.len() - start) as u16);
        out.pad_to(start, 8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_those_of_ovs() {
        let s = Oxs {
            packet_count: Some(0),
            byte_count: Some(0),
            flow_count: Some(2),
            ..Oxs::default()
        };
        let mut out = Vec::new();
        s.put(&mut out);
        assert_eq!(out.len(), 40);
        assert_eq!(out[..8], [0, 0, 0, 36, 0x80, 2, 8, 8]);
        assert_eq!(out[28..36], [0x80, 2, 6, 4, 0, 0, 0, 2]);
        let mut r = Reader::new(&out, OfpError::OFPBRC_BAD_LEN);
        assert_eq!(Oxs::pull(&mut r), Ok(s));
        assert!(r.is_empty());
    }
}
