//! Bundles and forwarded requests: messages within messages.

use std::fmt::Write;

use super::{PrintContext, group, meter, ofp_to_string};
use crate::message::{Message, decode};
use crate::messages::bundle::{BundleAdd, BundleControl, bundle_flags};
use crate::messages::request_forward::RequestForward;
use crate::ofp_errors::OfpError;

/// As C writes a number in the alternate form: zero has no prefix.
fn hex(n: u32) -> String {
    if n == 0 { "0".to_owned() } else { format!("{n:#x}") }
}

fn flags(s: &mut String, mut bits: u16) {
    s.push_str(" flags=");
    let mut sep = "";
    for (bit, name) in [(bundle_flags::ATOMIC, "atomic"), (bundle_flags::ORDERED, "ordered")] {
        if bits & bit != 0 {
            let _ = write!(s, "{sep}{name}");
            sep = " ";
            bits &= !bit;
        }
    }
    if bits != 0 {
        let _ = write!(s, "{sep}0x{bits:x}");
    } else if sep.is_empty() {
        s.push('0');
    }
}

pub(super) fn control(s: &mut String, m: BundleControl) {
    let _ = write!(s, "\n bundle_id={} type={}", hex(m.bundle_id), m.kind.name());
    flags(s, m.flags);
}

pub(super) fn add(s: &mut String, m: &BundleAdd, cx: PrintContext<'_>) {
    let _ = write!(s, "\n bundle_id={}", hex(m.bundle_id));
    flags(s, m.flags);
    s.push('\n');
    s.push_str(&ofp_to_string(&m.message, cx));
}

pub(super) fn request_forward(
    s: &mut String,
    m: &RequestForward,
    cx: PrintContext<'_>,
) -> Result<(), OfpError> {
    let inner = decode(&m.request)?;
    match inner.message {
        Message::GroupMod(m) => {
            s.push_str(" reason=group_mod");
            group::group_mod(s, &m, inner.version, cx);
            Ok(())
        }
        Message::MeterMod(inner) => {
            s.push_str(" reason=meter_mod");
            meter::meter_mod(s, &inner);
            Ok(())
        }
        _ => Err(OfpError::OFPBFC_MSG_UNSUP),
    }
}
