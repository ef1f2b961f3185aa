//! Network Service Header (RFC 8300).

use super::cursor::Cursor;
use super::layout::Layout;
use super::rewrite::{blend, field};
use crate::flow::{Flow, eth_type};

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

/// Rewrites flags, TTL, service path and, with MD type 1, context.
pub(super) fn set(packet: &mut [u8], layout: &Layout, value: &Flow, mask: &Flow) -> Option<()> {
    if layout.eth_type != eth_type::NSH {
        return None;
    }
    let (at, end) = (layout.l3()?, layout.end as usize);
    let header: &mut [u8; BASE_LEN] = field(packet, at, end)?;
    let md1 = header[2] & 0x0f == 1;
    if md1 {
        field::<MD1_LEN>(packet, at, end)?;
    }
    let header: &mut [u8; BASE_LEN] = field(packet, at, end)?;
    let first = |f: &Flow| {
        (u16::from(f.nsh_flags & 0x3) << 12 | u16::from(f.nsh_ttl & 0x3f) << 6).to_be_bytes()
    };
    blend(header.first_chunk_mut::<2>()?, first(value), first(mask));
    let [path, path_mask] = [value, mask].map(|f| f.nsh_path_hdr.to_bytes());
    blend(header.last_chunk_mut::<4>()?, path, path_mask);
    if md1 {
        let context: &mut [u8; MD1_LEN - BASE_LEN] = field(packet, at + BASE_LEN, end)?;
        let (slots, _) = context.as_chunks_mut::<4>();
        for (slot, (v, m)) in slots.iter_mut().zip(value.nsh_context.iter().zip(&mask.nsh_context))
        {
            blend(slot, v.to_bytes(), m.to_bytes());
        }
    }
    Some(())
}
