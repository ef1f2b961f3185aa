//! `OFPT_HELLO`: which versions a peer speaks (OpenFlow 1.3.1 section A.5.1).

use crate::frame::Frame;
use crate::ofp_errors::OfpError;
use crate::wire::{Put, Reader};

const VERSION_BITMAP: u16 = 1;

/// A set of OpenFlow wire versions; bit N stands for wire version N.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct VersionBitmap(pub u32);

impl VersionBitmap {
    /// Every version that Weir speaks.
    pub const ALL: Self = Self(0x7e);

    /// Every version from 1 up to `version`.
    #[must_use]
    pub fn up_to(version: u8) -> Self {
        if version >= 31 { Self(!1) } else { Self(((1_u32 << version) << 1).wrapping_sub(2)) }
    }

    /// The highest version, if there is any.
    #[must_use]
    pub fn highest(self) -> Option<u8> {
        u8::try_from(31_u32.checked_sub(self.0.leading_zeros())?).ok()
    }

    /// Does the set have `version`?
    #[must_use]
    pub fn contains(self, version: u8) -> bool {
        version < 32 && self.0 & (1 << version) != 0
    }

    /// Is a bitmap needed to say the set, that is, is it anything but "1 up to N"?
    #[must_use]
    pub fn needs_element(self) -> bool {
        !((self.0 >> 1) + 1).is_power_of_two()
    }
}

/// `0x01, 0x04`
impl std::fmt::Display for VersionBitmap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut sep = "";
        for v in (0..32).filter(|v| self.contains(*v)) {
            write!(f, "{sep}0x{v:02x}")?;
            sep = ", ";
        }
        Ok(())
    }
}

/// `OFPT_HELLO`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hello {
    /// The versions the peer allows.
    pub versions: VersionBitmap,
    /// Were all elements understood? A hello with unknown elements is still a hello.
    pub understood: bool,
}

impl Hello {
    /// A hello that offers `versions`.
    #[must_use]
    pub fn new(versions: VersionBitmap) -> Self {
        Self { versions, understood: true }
    }

    pub(crate) fn decode(f: &Frame<'_>) -> Self {
        let mut hello = Self { versions: VersionBitmap::up_to(f.header.version), understood: true };
        let mut r = Reader::new(f.body, OfpError::OFPBRC_BAD_LEN);
        while !r.is_empty() {
            match element(&mut r) {
                Ok((VERSION_BITMAP, payload)) => match bitmap(payload) {
                    Some(versions) => hello.versions = versions,
                    None => hello.understood = false,
                },
                Ok(_) => hello.understood = false,
                Err(_) => {
                    hello.understood = false;
                    break;
                }
            }
        }
        hello
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        if self.versions.needs_element() {
            out.put_u16(VERSION_BITMAP);
            out.put_u16(8);
            out.put_u32(self.versions.0);
        }
    }
}

fn element<'a>(r: &mut Reader<'a>) -> Result<(u16, &'a [u8]), OfpError> {
    let mut head = r.clone();
    let kind = head.u16()?;
    let len = usize::from(head.u16()?);
    let whole = r.take(len.next_multiple_of(8))?;
    let payload = whole.get(4..len).ok_or(OfpError::OFPBRC_BAD_LEN)?;
    Ok((kind, payload))
}

/// The first word only: no version above 31 will be negotiated.
fn bitmap(payload: &[u8]) -> Option<VersionBitmap> {
    let word = u32::from_be_bytes(*payload.first_chunk()?);
    if word & 1 != 0 {
        log::warn!(target: "ofp_connection", "peer claims to support invalid OpenFlow version 0x00");
    }
    let word = word & !1;
    if word == 0 {
        log::warn!(
            target: "ofp_connection",
            "peer does not support any OpenFlow version (between 0x01 and 0x1f)"
        );
        return None;
    }
    Some(VersionBitmap(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bitmaps() {
        assert_eq!(VersionBitmap::up_to(6), VersionBitmap::ALL);
        assert_eq!(VersionBitmap::up_to(0).to_string(), "");
        assert_eq!(VersionBitmap::up_to(4).to_string(), "0x01, 0x02, 0x03, 0x04");
        assert!(!VersionBitmap::ALL.needs_element());
        assert!(VersionBitmap(0x12).needs_element());
        assert_eq!(VersionBitmap(0x12).highest(), Some(4));
        assert_eq!(VersionBitmap(0).highest(), None);
        assert_eq!(VersionBitmap::up_to(255).highest(), Some(31));
    }
}
