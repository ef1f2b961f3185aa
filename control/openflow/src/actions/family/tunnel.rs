//! `set_tunnel`, `set_tunnel64`.

use weir_flow::field::id;

use super::set_field::put_set_field;
use crate::actions::parse::Parsed;
use crate::actions::raw::Body;
use crate::actions::table;
use crate::actions::{Action, Actions};
use crate::ofp_errors::OfpError;
use crate::value_text::number::u64_arg;
use crate::version::OfVersion;

pub(crate) fn decode(b: &mut Body<'_>) -> Result<Action, OfpError> {
    Ok(Action::SetTunnel { id: b.arg(4)?, wide: false })
}

pub(crate) fn decode64(b: &mut Body<'_>) -> Result<Action, OfpError> {
    Ok(Action::SetTunnel { id: b.arg(8)?, wide: true })
}

pub(crate) fn encode(tun_id: u64, wide: bool, v: OfVersion, out: &mut Vec<u8>) {
    if v >= OfVersion::V12 {
        put_set_field(id::TUN_ID, tun_id.into(), v, out);
    } else if wide || u32::try_from(tun_id).is_err() {
        table::SET_TUNNEL64.put_arg(v, out, 8, tun_id);
    } else {
        table::SET_TUNNEL.put_arg(v, out, 4, tun_id);
    }
}

pub(crate) fn parse(arg: &str, wide: bool, out: &mut Actions) -> Parsed {
    out.push(Action::SetTunnel { id: u64_arg(arg)?, wide });
    Ok(())
}
