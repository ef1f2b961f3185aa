//! Agreeing on a version (OpenFlow 1.3.1 section 6.3.1): the highest one that both sides allow.

use weir_openflow::messages::hello::{Hello, VersionBitmap};
use weir_openflow::{Message, OfVersion, encode};

/// The versions as a hello offers them.
#[must_use]
pub(super) fn bitmap(versions: &[OfVersion]) -> VersionBitmap {
    VersionBitmap(versions.iter().fold(0, |bits, v| bits | 1 << v.wire()))
}

/// The bytes of our hello.
#[must_use]
pub(super) fn offer(versions: &[OfVersion]) -> Vec<u8> {
    let highest = versions.iter().max().copied().unwrap_or(OfVersion::V10);
    encode(highest, 0, &Message::Hello(Hello::new(bitmap(versions)))).unwrap_or_default()
}

/// The version to speak with a peer, if there is one.
#[must_use]
pub(super) fn agree(ours: &[OfVersion], peer: &Hello) -> Option<OfVersion> {
    ours.iter().filter(|v| peer.versions.contains(v.wire())).max().copied()
}

/// The text of the error that a peer without a common version gets.
#[must_use]
pub(super) fn mismatch(ours: &[OfVersion], peer: &Hello) -> String {
    format!(
        "We support version {}, you support version {}, no common versions.",
        bitmap(ours),
        peer.versions
    )
}
