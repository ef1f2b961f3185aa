//! Ethernet header, VLAN tags (IEEE 802.1Q) and the Ethernet type, in its own place or behind an
//! 802.2 LLC/SNAP header.

use super::buf::PacketBuf;
use super::cursor::Cursor;
use super::rewrite::RewriteError;
use crate::flow::{Flow, MAX_VLANS, VLAN_CFI, Vlan, eth_type};

/// Length of an Ethernet header without tags.
/// The first of the two words of a flow that begin with both addresses, as a frame does.
const ADDRESSES: usize = std::mem::offset_of!(Flow, dl_dst) / 8;
const _: () = assert!(
    std::mem::offset_of!(Flow, dl_dst) % 8 == 0
        && std::mem::offset_of!(Flow, dl_src) == std::mem::offset_of!(Flow, dl_dst) + 6
);
pub(super) const ETH_LEN: usize = 14;
/// Least value of the type field that is a type; smaller ones are 802.3 lengths.
const TYPE_MIN: u16 = 0x600;
/// LLC and SNAP header with organisation 0: an Ethernet type follows.
const SNAP_ETHERNET: [u8; 6] = [0xaa, 0xaa, 0x03, 0, 0, 0];

/// Does `tpid` announce a VLAN tag?
pub(super) const fn is_vlan(tpid: u16) -> bool {
    matches!(tpid, eth_type::VLAN_8021Q | eth_type::VLAN_8021AD)
}

/// Reads addresses, at most `vlan_limit` tags, and the type. Gives the type, or `None` if the
/// header is cut short.
pub(super) fn parse(c: &mut Cursor<'_>, vlan_limit: usize, flow: &mut Flow) -> Option<u16> {
    if c.left() < ETH_LEN {
        return None;
    }
    flow.dl_dst = *c.take()?;
    flow.dl_src = *c.take()?;
    let limit = vlan_limit.min(MAX_VLANS);
    for slot in &mut flow.vlans[..limit] {
        let Some(&[t0, t1, v0, v1, _, _]) = c.peek() else { break };
        let tpid = u16::from_be_bytes([t0, t1]);
        if !is_vlan(tpid) {
            break;
        }
        let tci = u16::from_be_bytes([v0, v1]) | VLAN_CFI;
        *slot = Vlan { tpid: tpid.into(), tci: tci.into() };
        c.skip(4)?;
    }
    let ty = ether_type(c)?;
    flow.dl_type = ty.into();
    Some(ty)
}

fn ether_type(c: &mut Cursor<'_>) -> Option<u16> {
    let ty = u16::from_be_bytes(*c.take()?);
    if ty >= TYPE_MIN {
        return Some(ty);
    }
    let Some(&[llc @ .., t0, t1]) = c.peek::<8>() else { return Some(eth_type::NONE) };
    if llc != SNAP_ETHERNET {
        return Some(eth_type::NONE);
    }
    c.skip(8)?;
    let ty = u16::from_be_bytes([t0, t1]);
    Some(if ty >= TYPE_MIN { ty } else { eth_type::NONE })
}

/// Length of a VLAN tag.
pub(super) const VLAN_LEN: usize = 4;

/// Rewrites the addresses.
#[inline]
pub(super) fn set(packet: &mut [u8], value: &Flow, mask: &Flow) -> Option<()> {
    let header: &mut [u8; ETH_LEN] = packet.first_chunk_mut()?;
    // By words: byte by byte takes three times as long.
    let words = |flow: &Flow| -> Option<(u64, u32)> {
        let [first, second] = flow.words().get(ADDRESSES..)?.first_chunk()?;
        Some((*first, u32::from_ne_bytes(*second.to_ne_bytes().first_chunk()?)))
    };
    let ((value, value2), (mask, mask2)) = (words(value)?, words(mask)?);
    let (first, rest) = header.split_first_chunk_mut()?;
    let second: &mut [u8; 4] = rest.first_chunk_mut()?;
    *first = (u64::from_ne_bytes(*first) & !mask | value & mask).to_ne_bytes();
    *second = (u32::from_ne_bytes(*second) & !mask2 | value2 & mask2).to_ne_bytes();
    Some(())
}

/// Makes room for a tag behind the addresses and writes it.
pub(super) fn push_vlan(buf: &mut impl PacketBuf, tpid: u16, tci: u16) -> Result<(), RewriteError> {
    let Some(addresses) = buf.data().first_chunk::<ETH_LEN>() else {
        return Err(RewriteError::Mismatch);
    };
    let mut header = [0; 12 + VLAN_LEN];
    header[..12].copy_from_slice(&addresses[..12]);
    header[12..14].copy_from_slice(&tpid.to_be_bytes());
    header[14..].copy_from_slice(&(tci & !VLAN_CFI).to_be_bytes());
    buf.push_front(VLAN_LEN)?;
    let front = buf.data_mut().first_chunk_mut().ok_or(RewriteError::Mismatch)?;
    *front = header;
    Ok(())
}

/// Removes the tag behind the addresses. Gives false if there is none.
pub(super) fn pop_vlan(buf: &mut impl PacketBuf) -> Result<bool, RewriteError> {
    let data = buf.data_mut();
    if data.len() < ETH_LEN {
        return Err(RewriteError::Mismatch);
    }
    if data.len() < ETH_LEN + VLAN_LEN || !is_vlan(u16::from_be_bytes([data[12], data[13]])) {
        return Ok(false);
    }
    data.copy_within(..12, VLAN_LEN);
    buf.pull_front(VLAN_LEN)?;
    Ok(true)
}
