//! MPLS label stack (RFC 3032). Nothing behind it is parsed: its bottom does not say what it is.

use super::buf::PacketBuf;
use super::cursor::Cursor;
use super::layout::Layout;
use super::rewrite::{RewriteError, blend, field};
use crate::flow::Flow;

/// Length of a label stack entry.
pub(super) const LSE_LEN: usize = 4;
/// The bottom-of-stack bit of an entry.
pub(super) const BOS: u32 = 1 << 8;

/// Reads entries up to the bottom of the stack or the end of the packet. The first of them go into
/// the flow.
pub(super) fn parse(c: &mut Cursor<'_>, flow: &mut Flow) {
    let mut slots = flow.mpls_lse.iter_mut();
    while let Some(entry) = c.take::<LSE_LEN>() {
        let lse = u32::from_be_bytes(*entry);
        if let Some(slot) = slots.next() {
            *slot = lse.into();
        }
        if lse & BOS != 0 {
            break;
        }
    }
}

/// Rewrites the first entry.
pub(super) fn set(packet: &mut [u8], layout: &Layout, value: &Flow, mask: &Flow) -> Option<()> {
    let at = layout.l2_5()?;
    // Without a whole entry there is a layer 2.5 but no label.
    let slot = field(packet, at, layout.end as usize)?;
    let [value, mask] = [value, mask].map(|f| f.mpls_lse[0].to_bytes());
    blend(slot, value, mask);
    Some(())
}

/// Inserts an entry in front of the others or, without others, of the network header.
pub(super) fn push(
    buf: &mut impl PacketBuf,
    layout: &Layout,
    ethertype: u16,
    lse: u32,
) -> Result<(), RewriteError> {
    let l2_len = layout.l2_5().or_else(|| layout.l3()).ok_or(RewriteError::Mismatch)?;
    if l2_len < 2 || l2_len > buf.data().len() {
        return Err(RewriteError::Mismatch);
    }
    buf.push_front(LSE_LEN)?;
    let data = buf.data_mut();
    data.copy_within(LSE_LEN..LSE_LEN + l2_len, 0);
    data[l2_len - 2..l2_len].copy_from_slice(&ethertype.to_be_bytes());
    data[l2_len..l2_len + LSE_LEN].copy_from_slice(&lse.to_be_bytes());
    Ok(())
}

/// Removes the first entry.
pub(super) fn pop(
    buf: &mut impl PacketBuf,
    layout: &Layout,
    ethertype: u16,
) -> Result<(), RewriteError> {
    let l2_len = layout.l2_5().ok_or(RewriteError::Mismatch)?;
    let data = buf.data_mut();
    if l2_len < 2 || l2_len + LSE_LEN > data.len() {
        return Err(RewriteError::Mismatch);
    }
    data[l2_len - 2..l2_len].copy_from_slice(&ethertype.to_be_bytes());
    data.copy_within(..l2_len, LSE_LEN);
    buf.pull_front(LSE_LEN)?;
    Ok(())
}
