//! Network Service Header (RFC 8300).

use super::cursor::Cursor;
use crate::flow::Flow;

/// Length of base and service path header.
const BASE_LEN: usize = 8;
/// Length of a header with MD type 1: four context words follow the base.
const MD1_LEN: usize = 24;

/// Reads an NSH. `None` if it is cut short, of another version, or its length does not fit its MD
/// type; the flow then has no NSH fields.
pub(super) fn parse(c: &mut Cursor<'_>, flow: &mut Flow) -> Option<()> {
    let &[b0, b1, mdtype, np, path @ ..] = c.peek::<BASE_LEN>()?;
    let first = u16::from_be_bytes([b0, b1]);
    let len = usize::from(first & 0x3f) * 4;
    if first >> 14 != 0 || len < BASE_LEN || len > c.left() {
        return None;
    }
    let mdtype = mdtype & 0x0f;
    match mdtype {
        1 if len == MD1_LEN => {
            let (_, context) = c.peek::<MD1_LEN>()?.split_first_chunk::<BASE_LEN>()?;
            let (words, _) = context.as_chunks::<4>();
            for (slot, word) in flow.nsh_context.iter_mut().zip(words) {
                *slot = (*word).into();
            }
        }
        2 => {}
        _ => return None,
    }
    c.skip(len)?;
    flow.nsh_flags = ((first >> 12) & 0x3) as u8;
    flow.nsh_ttl = ((first >> 6) & 0x3f) as u8;
    flow.nsh_mdtype = mdtype;
    flow.nsh_np = np;
    flow.nsh_path_hdr = path.into();
    Some(())
}
