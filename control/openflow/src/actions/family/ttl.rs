//! `mod_nw_ttl`, `dec_ttl`.

use weir_flow::field::id;

use super::set_field::put_reg_load;
use crate::actions::parse::{ParseContext, Parsed};
use crate::actions::raw::Body;
use crate::actions::table;
use crate::actions::{Action, Actions};
use crate::matching::Subfield;
use crate::ofp_errors::OfpError;
use crate::value_text::number::{atoi, u8_named};
use crate::value_text::text_error;
use crate::version::OfVersion;
use crate::wire::Put;

pub(crate) fn decode_set_nw_ttl(b: &mut Body<'_>) -> Result<Action, OfpError> {
    Ok(Action::SetIpTtl(b.arg_u8()?))
}

pub(crate) fn encode_set_nw_ttl(ttl: u8, v: OfVersion, out: &mut Vec<u8>) {
    if v == OfVersion::V10 {
        put_reg_load(&Subfield::whole(id::NW_TTL.field()), ttl.into(), v, out);
    } else {
        table::SET_NW_TTL.put_arg(v, out, 1, ttl.into());
    }
}

pub(crate) fn parse_set_nw_ttl(arg: &str, _: &mut ParseContext<'_>, out: &mut Actions) -> Parsed {
    out.push(Action::SetIpTtl(u8_named(arg, "TTL")?));
    Ok(())
}

pub(crate) fn decode_cnt_ids(b: &mut Body<'_>) -> Result<Action, OfpError> {
    let n = b.r.u16()?;
    b.r.zeros(4, OfpError::NXBRC_MUST_BE_ZERO)?;
    if b.r.len() < 2 * usize::from(n) {
        log::warn!(
            target: "ofp_actions",
            "Nicira action dec_ttl_cnt_ids only has {} bytes allocated for controller ids.  {} \
             bytes are required for {n} controllers.",
            b.r.len(),
            2 * usize::from(n)
        );
        return Err(OfpError::OFPBAC_BAD_LEN);
    }
    let controller_ids = (0..n).map(|_| b.r.u16()).collect::<Result<_, _>>()?;
    Ok(Action::DecTtl { controller_ids })
}

pub(crate) fn encode_dec_ttl(ids: &[u16], v: OfVersion, out: &mut Vec<u8>) {
    if ids.is_empty() {
        table::DEC_NW_TTL.put_void(v, out);
        return;
    }
    table::DEC_TTL_CNT_IDS.put(v, out, |b| {
        b.put_u16(u16::try_from(ids.len()).unwrap_or(u16::MAX));
        b.put_zeros(4);
        ids.iter().for_each(|id| b.put_u16(*id));
    });
}

pub(crate) fn parse_dec_ttl(arg: &str, _: &mut ParseContext<'_>, out: &mut Actions) -> Parsed {
    let ids = arg.split([',', ' ']).filter(|s| !s.is_empty());
    // Like C, only the low 16 bits of what a number begins with.
    let controller_ids: Vec<_> =
        ids.map(|s| u16::try_from(atoi(s) & 0xffff).unwrap_or(0)).collect();
    if !arg.is_empty() && controller_ids.is_empty() {
        text_error!("dec_ttl_cnt_ids: expected at least one controller id.");
    }
    if controller_ids.len() > 0x7ff0 {
        text_error!("input too big");
    }
    out.push(Action::DecTtl { controller_ids });
    Ok(())
}
