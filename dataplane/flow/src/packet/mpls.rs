//! MPLS label stack (RFC 3032). Nothing behind it is parsed: its bottom does not say what it is.

use super::cursor::Cursor;
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
