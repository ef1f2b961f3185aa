//! OpenFlow 1.4 properties: type, length, payload, padded to eight bytes. Reading and writing of the
//! frame and of the simple payloads that Open vSwitch uses.

use crate::ofp_errors::OfpError;
use crate::raw::{NX_VENDOR_ID, ONF_VENDOR_ID};
use crate::wire::{Put, Reader};

const EXPERIMENTER: u16 = 0xffff;
/// Vendors whose experimenter properties are known at all.
const KNOWN_VENDORS: [u32; 5] = [0, NX_VENDOR_ID, ONF_VENDOR_ID, 0x154d, 0xaa01];

/// What a property is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PropType {
    /// A standard property.
    Standard(u16),
    /// An experimenter property.
    Experimenter {
        /// Who defined it.
        vendor: u32,
        /// Its number there.
        exp_type: u32,
    },
}

/// One property.
#[derive(Clone, Debug)]
pub struct Prop<'a> {
    /// What it is.
    pub kind: PropType,
    /// What follows its header.
    pub payload: &'a [u8],
}

impl<'a> Prop<'a> {
    /// Takes the next property.
    ///
    /// # Errors
    /// `OFPBPC_BAD_LEN`
    pub fn pull(r: &mut Reader<'a>) -> Result<Self, OfpError> {
        Self::pull_with(r, EXPERIMENTER)
    }

    /// Like [`Prop::pull`], where types from `min_experimenter` on are experimenter properties, as
    /// in table features.
    ///
    /// # Errors
    /// `OFPBPC_BAD_LEN`
    pub fn pull_with(r: &mut Reader<'a>, min_experimenter: u16) -> Result<Self, OfpError> {
        let bad = OfpError::OFPBPC_BAD_LEN;
        let mut head = Reader::new(r.rest(), bad);
        let kind = head.u16()?;
        let len = usize::from(head.u16()?);
        if len < 4 || len > r.len() {
            return Err(bad);
        }
        let whole =
            r.rest().get(..len.next_multiple_of(8)).and_then(|w| w.get(..len)).ok_or(bad)?;
        r.skip(len.next_multiple_of(8))?;
        let mut payload = Reader::new(whole.get(4..).unwrap_or(&[]), bad);
        let kind = if kind >= min_experimenter {
            PropType::Experimenter { vendor: payload.u32()?, exp_type: payload.u32()? }
        } else {
            PropType::Standard(kind)
        };
        Ok(Self { kind, payload: payload.rest() })
    }

    fn exactly<const N: usize>(&self) -> Result<[u8; N], OfpError> {
        self.payload.try_into().map_err(|_| OfpError::OFPBPC_BAD_LEN)
    }

    /// The payload as a byte.
    ///
    /// # Errors
    /// `OFPBPC_BAD_LEN`
    pub fn u8(&self) -> Result<u8, OfpError> {
        Ok(u8::from_be_bytes(self.exactly()?))
    }

    /// The payload as two bytes.
    ///
    /// # Errors
    /// `OFPBPC_BAD_LEN`
    pub fn u16(&self) -> Result<u16, OfpError> {
        Ok(u16::from_be_bytes(self.exactly()?))
    }

    /// The payload as four bytes.
    ///
    /// # Errors
    /// `OFPBPC_BAD_LEN`
    pub fn u32(&self) -> Result<u32, OfpError> {
        Ok(u32::from_be_bytes(self.exactly()?))
    }

    /// The payload as eight bytes, which follow four bytes of padding.
    ///
    /// # Errors
    /// `OFPBPC_BAD_LEN`
    pub fn u64(&self) -> Result<u64, OfpError> {
        let all = u128::from_be_bytes({
            let mut b = [0; 16];
            b[4..].copy_from_slice(&self.exactly::<12>()?);
            b
        });
        Ok(all as u64)
    }

    /// The payload after four bytes of padding: properties within a property.
    ///
    /// # Errors
    /// `OFPBPC_BAD_LEN`
    pub fn nested(&self) -> Result<&'a [u8], OfpError> {
        self.payload.get(4..).ok_or(OfpError::OFPBPC_BAD_LEN)
    }

    /// The answer to a property that nobody knows.
    #[must_use]
    pub fn unknown(&self) -> OfpError {
        match self.kind {
            PropType::Standard(_) => OfpError::OFPBPC_BAD_TYPE,
            PropType::Experimenter { vendor, .. } if KNOWN_VENDORS.contains(&vendor) => {
                OfpError::OFPBPC_BAD_EXP_TYPE
            }
            PropType::Experimenter { .. } => OfpError::OFPBPC_BAD_EXPERIMENTER,
        }
    }
}

/// Appends a property whose payload `body` writes.
pub fn put(out: &mut Vec<u8>, kind: PropType, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    match kind {
        PropType::Standard(t) => {
            out.put_u16(t);
            out.put_u16(0);
        }
        PropType::Experimenter { vendor, exp_type } => {
            out.put_u16(EXPERIMENTER);
            out.put_u16(0);
            out.put_u32(vendor);
            out.put_u32(exp_type);
        }
    }
    body(out);
    // A property of more than 65535 bytes makes its message too long, which is refused later.
    let len = u16::try_from(out.len() - start).unwrap_or(u16::MAX);
    out.set_u16(start + 2, len);
    out.pad_to(start, 8);
}

/// Appends a standard property with these bytes.
pub fn put_bytes(out: &mut Vec<u8>, kind: u16, bytes: &[u8]) {
    put(out, PropType::Standard(kind), |out| out.extend_from_slice(bytes));
}

/// Appends a standard property of one byte.
pub fn put_u8(out: &mut Vec<u8>, kind: u16, v: u8) {
    put_bytes(out, kind, &[v]);
}

/// Appends a standard property of two bytes.
pub fn put_u16(out: &mut Vec<u8>, kind: u16, v: u16) {
    put_bytes(out, kind, &v.to_be_bytes());
}

/// Appends a standard property of four bytes.
pub fn put_u32(out: &mut Vec<u8>, kind: u16, v: u32) {
    put_bytes(out, kind, &v.to_be_bytes());
}

/// Appends a standard property of eight bytes, after four bytes of padding.
pub fn put_u64(out: &mut Vec<u8>, kind: u16, v: u64) {
    put(out, PropType::Standard(kind), |out| {
        out.put_zeros(4);
        out.put_u64(v);
    });
}

/// Appends a property that holds, after four bytes of padding, what `body` writes.
pub fn put_nested(out: &mut Vec<u8>, kind: u16, body: impl FnOnce(&mut Vec<u8>)) {
    put(out, PropType::Standard(kind), |out| {
        out.put_zeros(4);
        body(out);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn simple_payloads_round_trip() {
        let mut out = Vec::new();
        put_u8(&mut out, 1, 7);
        put_u16(&mut out, 2, 0x0102);
        put_u32(&mut out, 3, 0x0102_0304);
        put_u64(&mut out, 4, u64::MAX - 1);
        assert_eq!(out[..8], [0, 1, 0, 5, 7, 0, 0, 0]);
        assert_eq!(out.len(), 8 + 8 + 8 + 16);
        let mut r = Reader::new(&out, OfpError::OFPBPC_BAD_LEN);
        assert_eq!(Prop::pull(&mut r).unwrap().u8(), Ok(7));
        assert_eq!(Prop::pull(&mut r).unwrap().u16(), Ok(0x0102));
        assert_eq!(Prop::pull(&mut r).unwrap().u32(), Ok(0x0102_0304));
        assert_eq!(Prop::pull(&mut r).unwrap().u64(), Ok(u64::MAX - 1));
        assert!(r.is_empty());
    }

    #[test]
    fn lengths_are_checked() {
        for bytes in [
            &[0, 1, 0][..],
            &[0, 1, 0, 3, 0, 0, 0, 0],
            &[0, 1, 0, 5, 7],
            &[0, 1, 0, 9, 0, 0, 0, 0, 0],
        ] {
            let mut r = Reader::new(bytes, OfpError::OFPBPC_BAD_LEN);
            assert_eq!(Prop::pull(&mut r).err(), Some(OfpError::OFPBPC_BAD_LEN));
        }
    }
}
