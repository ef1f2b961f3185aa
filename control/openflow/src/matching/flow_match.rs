//! [`Match`]: the values and the mask of a flow's match.

use std::collections::BTreeMap;

use weir_flow::{Flow, Mask};

use super::FieldValue;

/// A match. Invariant: `flow` has no bit set that `mask` has not.
///
/// `flow.in_port` and `flow.actset_output` hold the 16-bit [`crate::OfPort`] number; their mask is
/// all ones or zero.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Match {
    /// Values of the matched bits.
    pub flow: Flow,
    /// Which bits are matched.
    pub mask: Mask,
    /// Matches on `tun_metadataN`, by N.
    pub tun_metadata: BTreeMap<u8, TunMetadataMatch>,
}

/// A match on one `tun_metadataN`. Where its bytes lie in a [`Flow`] is given by a switch's TLV map,
/// so they are kept apart from it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TunMetadataMatch {
    /// The value; as many bytes as the match had on the wire.
    pub value: FieldValue,
    /// The mask, of the same length. All zeros matches the option's presence only.
    pub mask: FieldValue,
    /// Did it come with a mask? Without one the option must also have this length.
    pub is_masked: bool,
}

impl Match {
    /// Matches every packet.
    #[must_use]
    pub fn catchall() -> Self {
        Self::default()
    }

    /// A match of `mask` with the bits of `flow` that matter.
    #[must_use]
    pub fn new(flow: &Flow, mask: Mask) -> Self {
        Self { flow: mask.apply(flow), mask, tun_metadata: BTreeMap::new() }
    }

    /// Does it match every packet?
    #[must_use]
    pub fn is_catchall(&self) -> bool {
        self.mask.is_catchall() && self.tun_metadata.is_empty()
    }

    /// Does it match a packet with this flow? (`tun_metadataN` is not looked at.)
    #[must_use]
    pub fn matches(&self, flow: &Flow) -> bool {
        self.mask.agrees(&self.flow, flow)
    }
}
