//! Wire forms of [`FlowMod`]: `OFPT_FLOW_MOD` of OpenFlow 1.0 and of 1.1 and later, `NXT_FLOW_MOD`.

use crate::flow_text::flow_mod::{NO_BUFFER, OFPG_ANY, TABLE_ALL};
use crate::flow_text::{FlowMod, FlowModCommand, FlowModFlags};
use crate::frame::Frame;
use crate::matching::{Match, ofp10_match, ofp11_match};
use crate::messages::action_lists::{decode_instructions, encode_actions, encode_instructions};
use crate::messages::match_wire::{WITH_COOKIE, pull_nxm, put_nxm};
use crate::ofp_errors::OfpError;
use crate::ofp_port::OfPort;
use crate::raw::Raw;
use crate::version::OfVersion;
use crate::wire::{Put, Reader};

/// OpenFlow 1.0's flag of its emergency flow cache, which nobody has.
const EMERG: u16 = 1 << 2;
/// All wildcard bits of an OpenFlow 1.0 match; none set means exact match.
const OFPFW10_ALL: u32 = (1 << 22) - 1;

/// Flags as `v` writes them.
pub(crate) fn encode_flags(flags: FlowModFlags, v: OfVersion) -> u16 {
    flags.0 & known_flags(v)
}

/// Reads the flags of a flow-mod or of flow statistics.
pub(crate) fn decode_flags(
    wire: u16,
    command: Option<FlowModCommand>,
    v: OfVersion,
) -> Result<FlowModFlags, OfpError> {
    if v == OfVersion::V10 && wire & EMERG != 0 {
        return Err(OfpError::OFPFMFC_BAD_EMERG_TIMEOUT);
    }
    let mut flags = FlowModFlags(wire & known_flags(v));
    if wire != flags.0 {
        return Err(OfpError::OFPFMFC_BAD_FLAGS);
    }
    // Before OpenFlow 1.2 a change always starts the counters anew.
    let changes = matches!(command, Some(FlowModCommand::Modify | FlowModCommand::ModifyStrict));
    if v < OfVersion::V12 && changes {
        flags.insert(FlowModFlags::RESET_COUNTS);
    }
    Ok(flags)
}

fn known_flags(v: OfVersion) -> u16 {
    match v {
        OfVersion::V10 | OfVersion::V11 => 0b11,
        OfVersion::V12 => 0b111,
        OfVersion::V13 | OfVersion::V14 | OfVersion::V15 => 0b1_1111,
    }
}

/// Decodes; `table_id` says whether OpenFlow 1.0's command may name a table.
pub(crate) fn decode(
    f: &Frame<'_>,
    v: OfVersion,
    table_id_extension: bool,
) -> Result<FlowMod, OfpError> {
    let mut r = Reader::new(f.body, OfpError::OFPBRC_BAD_LEN);
    let (mut fm, flags) = if f.raw == Raw::Ofpt11FlowMod {
        decode_11(&mut r, v)?
    } else {
        decode_10(&mut r, f.raw, table_id_extension)?
    };
    check_ct_tuple(&fm.matched)?;
    fm.actions = decode_instructions(r.rest(), v)?;
    if v == OfVersion::V10 && flags & EMERG != 0 {
        return Err(if fm.hard_timeout != 0 || fm.idle_timeout != 0 {
            OfpError::OFPFMFC_BAD_EMERG_TIMEOUT
        } else {
            OfpError::OFPFMFC_TABLE_FULL
        });
    }
    fm.flags = decode_flags(flags, Some(fm.command), v)?;
    Ok(fm)
}

fn decode_11(r: &mut Reader<'_>, v: OfVersion) -> Result<(FlowMod, u16), OfpError> {
    let cookie = r.u64()?;
    let cookie_mask = r.u64()?;
    let table_id = r.u8()?;
    let command = r.u8()?;
    let (idle_timeout, hard_timeout) = (r.u16()?, r.u16()?);
    let priority = r.u16()?;
    let buffer_id = r.u32()?;
    let out_port = r.u32()?;
    let out_group = r.u32()?;
    let flags = r.u16()?;
    let importance = r.u16()?;
    let matched = ofp11_match::decode_framed(r)?;

    let known = FlowModCommand::from_wire(command);
    let is_delete = matches!(known, Some(FlowModCommand::Delete | FlowModCommand::DeleteStrict));
    let is_modify = matches!(known, Some(FlowModCommand::Modify | FlowModCommand::ModifyStrict));
    if table_id == TABLE_ALL && (v == OfVersion::V11 || !is_delete) {
        return Err(OfpError::OFPFMFC_BAD_TABLE_ID);
    }
    let out_port = OfPort::from_ofp11(out_port).ok_or(OfpError::OFPBAC_BAD_OUT_PORT)?;
    // In OpenFlow 1.1, a modification that does not ask for a cookie adds a missing flow.
    let adds = known == Some(FlowModCommand::Add)
        || (v == OfVersion::V11 && is_modify && cookie_mask == 0);
    let fm = FlowMod {
        command: known.ok_or(OfpError::OFPFMFC_BAD_COMMAND)?,
        matched,
        priority,
        cookie: if adds { 0 } else { cookie },
        cookie_mask: if adds { 0 } else { cookie_mask },
        new_cookie: adds.then_some(cookie),
        modify_cookie: false,
        table_id,
        idle_timeout,
        hard_timeout,
        buffer_id,
        out_port,
        out_group: if is_delete { out_group } else { OFPG_ANY },
        importance: if v >= OfVersion::V14 && known == Some(FlowModCommand::Add) {
            importance
        } else {
            0
        },
        ..FlowMod::default()
    };
    Ok((fm, flags))
}

fn decode_10(
    r: &mut Reader<'_>,
    raw: Raw,
    table_id_extension: bool,
) -> Result<(FlowMod, u16), OfpError> {
    let is_nxm = raw == Raw::NxtFlowMod;
    let mut fm = FlowMod::default();
    let mut exact = false;
    if !is_nxm {
        exact = Reader::new(r.rest(), OfpError::OFPBRC_BAD_LEN).u32()? & OFPFW10_ALL == 0;
        fm.matched = ofp10_match::decode(r)?;
        if let Some(changed) = fm.matched.normalize() {
            changed.log_lines().iter().for_each(|l| log::info!(target: "ofp_match", "{l}"));
        }
    }
    let new_cookie = r.u64()?;
    let command = r.u16()?;
    (fm.idle_timeout, fm.hard_timeout) = (r.u16()?, r.u16()?);
    fm.priority = r.u16()?;
    fm.buffer_id = r.u32()?;
    fm.out_port = OfPort(r.u16()?);
    let flags = r.u16()?;
    if is_nxm {
        let len = usize::from(r.u16()?);
        r.skip(6)?;
        let d = pull_nxm(r, len, WITH_COOKIE)?;
        if command & 0xff == FlowModCommand::Add as u16 && d.cookie_mask != 0 {
            return Err(OfpError::NXBRC_NXM_INVALID);
        }
        (fm.matched, fm.cookie, fm.cookie_mask) = (d.matched, d.cookie, d.cookie_mask);
    } else if exact {
        // OpenFlow 1.0 gives exact matches the highest priority, whatever is asked for.
        fm.priority = u16::MAX;
    }
    fm.new_cookie = (new_cookie != u64::MAX).then_some(new_cookie);
    fm.modify_cookie = fm.new_cookie.is_some();
    let (table, command) = if table_id_extension {
        ((command >> 8) as u8, command & 0xff)
    } else {
        if command > 0xff {
            log::warn!(
                target: "ofp_flow",
                "flow_mod has explicit table_id but flow_mod_table_id extension is not enabled"
            );
        }
        (TABLE_ALL, command)
    };
    fm.table_id = table;
    let command = u8::try_from(command).ok().and_then(FlowModCommand::from_wire);
    fm.command = command.ok_or(OfpError::OFPFMFC_BAD_COMMAND)?;
    Ok((fm, flags))
}

/// The tuple of a connection must have addresses of the packet's IP version.
fn check_ct_tuple(m: &Match) -> Result<(), OfpError> {
    use weir_flow::flow::eth_type::{IPV4, IPV6};
    let mask = &m.mask.0;
    let dl_type = m.flow.dl_type.get();
    let v4 = mask.ct_nw_src.get() != 0 || mask.ct_nw_dst.get() != 0;
    let v6 = mask.ct_ipv6_src != [0; 16] || mask.ct_ipv6_dst != [0; 16];
    if (v4 && dl_type != IPV4) || (v6 && dl_type != IPV6) {
        return Err(OfpError::OFPBAC_MATCH_INCONSISTENT);
    }
    Ok(())
}

/// Appends the body; `table_id_extension` as in [`decode`].
pub(crate) fn encode(
    fm: &FlowMod,
    raw: Raw,
    v: OfVersion,
    table_id_extension: bool,
    out: &mut Vec<u8>,
) {
    if raw == Raw::Ofpt11FlowMod {
        return encode_11(fm, v, out);
    }
    let start = out.len();
    let is_nxm = raw == Raw::NxtFlowMod;
    if !is_nxm {
        ofp10_match::encode(&fm.matched, out);
    }
    out.put_u64(fm.new_cookie.unwrap_or(u64::MAX));
    let table = if table_id_extension { u16::from(fm.table_id) << 8 } else { 0 };
    out.put_u16(table | fm.command as u16);
    out.put_u16(fm.idle_timeout);
    out.put_u16(fm.hard_timeout);
    out.put_u16(fm.priority);
    out.put_u32(fm.buffer_id);
    out.put_u16(fm.out_port.0);
    out.put_u16(encode_flags(fm.flags, v));
    if is_nxm {
        out.put_zeros(8);
        let cookie = (fm.cookie_mask != 0).then_some((fm.cookie, fm.cookie_mask));
        let len = put_nxm(&fm.matched, cookie, out);
        out.set_u16(start + 24, len);
    }
    encode_actions(&fm.actions, v, out);
}

fn encode_11(fm: &FlowMod, v: OfVersion, out: &mut Vec<u8>) {
    use FlowModCommand as C;
    let is_delete = matches!(fm.command, C::Delete | C::DeleteStrict);
    let is_modify = matches!(fm.command, C::Modify | C::ModifyStrict);
    let adds = fm.command == C::Add || (v == OfVersion::V11 && is_modify && fm.cookie_mask == 0);
    out.put_u64(if adds { fm.new_cookie.unwrap_or(u64::MAX) } else { fm.cookie & fm.cookie_mask });
    out.put_u64(fm.cookie_mask);
    let all_allowed = v != OfVersion::V11 && is_delete;
    out.put_u8(if fm.table_id != TABLE_ALL || all_allowed { fm.table_id } else { 0 });
    out.put_u8(fm.command as u8);
    out.put_u16(fm.idle_timeout);
    out.put_u16(fm.hard_timeout);
    out.put_u16(fm.priority);
    out.put_u32(fm.buffer_id);
    out.put_u32(fm.out_port.to_ofp11());
    out.put_u32(fm.out_group);
    out.put_u16(encode_flags(fm.flags, v));
    out.put_u16(if v >= OfVersion::V14 && fm.command == C::Add { fm.importance } else { 0 });
    ofp11_match::encode_framed(&fm.matched, v, out);
    encode_instructions(&fm.actions, v, out);
}

/// Is there a packet to send through the new flow?
#[must_use]
pub fn has_buffer(fm: &FlowMod) -> bool {
    fm.buffer_id != NO_BUFFER
}
