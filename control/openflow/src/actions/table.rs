//! The table of actions: every wire form with its numbers in each version, and every name that the
//! flow syntax has for one.
//!
//! A new action is a variant of [`Action`], a row for each of its wire forms here, a name for its
//! text, and its functions in a file of `family`.

use super::action::ResubmitForm;
use super::family::{
    conntrack, controller, encap, fields, hash, header, instruction, learn, mpls, nat, output,
    pipeline, registers, resubmit, sample, set_field, ttl, tunnel, vlan,
};
use super::parse::{ParseContext, Parsed};
use super::raw::{Body, NX, OF, ONF, Raw};
use super::{Action, Actions};
use crate::ofp_errors::OfpError;
use crate::value_text::TextError;

macro_rules! wire_forms {
    ($($id:ident = $name:literal [$($code:expr),+] $len:literal $(+ $more:tt)? => $decode:expr;)+) => {
        $(pub(crate) static $id: Raw = Raw {
            name: $name,
            codes: &[$($code),+],
            min_len: $len,
            extensible: wire_forms!(@more $($more)?),
            decode: $decode,
        };)+
        /// Every wire form.
        pub(crate) static WIRE_FORMS: &[&Raw] = &[$(&$id),+];
    };
    (@more) => { false };
    (@more $more:tt) => { true };
}

/// A form without arguments.
macro_rules! void {
    ($action:expr) => {
        |_: &mut Body<'_>| -> Result<Action, OfpError> { Ok($action) }
    };
}

/// A debugging action.
macro_rules! debug {
    ($action:expr) => {
        |b: &mut Body<'_>| -> Result<Action, OfpError> {
            if b.cx.debug_actions { Ok($action) } else { Err(OfpError::OFPBAC_BAD_VENDOR_TYPE) }
        }
    };
}

wire_forms! {
    // Output
    OUTPUT10 = "OFPAT_OUTPUT" [(OF, 1..=1, 0)] 8 => output::decode10;
    OUTPUT11 = "OFPAT_OUTPUT" [(OF, 2..=6, 0)] 16 => output::decode11;
    ENQUEUE = "OFPAT_ENQUEUE" [(OF, 1..=1, 11)] 16 => output::decode_enqueue;
    GROUP = "OFPAT_GROUP" [(NX, 1..=1, 40), (OF, 2..=6, 22)] 8 => output::decode_group;
    OUTPUT_REG = "NXAST_OUTPUT_REG" [(NX, 1..=6, 15)] 24 => output::decode_reg;
    OUTPUT_REG2 = "NXAST_OUTPUT_REG2" [(NX, 1..=6, 32)] 24 => output::decode_reg2;
    OUTPUT_TRUNC = "NXAST_OUTPUT_TRUNC" [(NX, 1..=6, 39)] 16 => output::decode_trunc;
    CONTROLLER = "NXAST_CONTROLLER" [(NX, 1..=6, 20)] 16 => controller::decode;
    CONTROLLER2 = "NXAST_CONTROLLER2" [(NX, 1..=6, 37)] 16 + ... => controller::decode2;
    BUNDLE = "NXAST_BUNDLE" [(NX, 1..=6, 12)] 32 + ... => hash::decode_bundle;
    BUNDLE_LOAD = "NXAST_BUNDLE_LOAD" [(NX, 1..=6, 13)] 32 + ... => hash::decode_bundle_load;
    MULTIPATH = "NXAST_MULTIPATH" [(NX, 1..=6, 10)] 32 => hash::decode_multipath;

    // VLAN
    SET_VLAN_VID10 = "OFPAT_SET_VLAN_VID" [(OF, 1..=1, 1)] 8 => |b| vlan::decode_vid(b, true);
    SET_VLAN_VID11 = "OFPAT_SET_VLAN_VID" [(OF, 2..=6, 1)] 8 => |b| vlan::decode_vid(b, false);
    SET_VLAN_PCP10 = "OFPAT_SET_VLAN_PCP" [(OF, 1..=1, 2)] 8 => |b| vlan::decode_pcp(b, true);
    SET_VLAN_PCP11 = "OFPAT_SET_VLAN_PCP" [(OF, 2..=6, 2)] 8 => |b| vlan::decode_pcp(b, false);
    STRIP_VLAN = "OFPAT_STRIP_VLAN" [(OF, 1..=1, 3)] 8 => void!(Action::StripVlan { of11: false });
    POP_VLAN = "OFPAT_POP_VLAN" [(OF, 2..=6, 18)] 8 => void!(Action::StripVlan { of11: true });
    PUSH_VLAN = "OFPAT_PUSH_VLAN" [(OF, 2..=6, 17)] 8 => vlan::decode_push;

    // Header fields
    SET_DL_SRC = "OFPAT_SET_DL_SRC" [(OF, 1..=1, 4), (OF, 2..=6, 3)] 16 => header::decode_dl_src;
    SET_DL_DST = "OFPAT_SET_DL_DST" [(OF, 1..=1, 5), (OF, 2..=6, 4)] 16 => header::decode_dl_dst;
    SET_NW_SRC = "OFPAT_SET_NW_SRC" [(OF, 1..=1, 6), (OF, 2..=6, 5)] 8 => header::decode_nw_src;
    SET_NW_DST = "OFPAT_SET_NW_DST" [(OF, 1..=1, 7), (OF, 2..=6, 6)] 8 => header::decode_nw_dst;
    SET_NW_TOS = "OFPAT_SET_NW_TOS" [(OF, 1..=1, 8), (OF, 2..=6, 7)] 8 => header::decode_nw_tos;
    SET_NW_ECN = "OFPAT_SET_NW_ECN" [(OF, 2..=6, 8)] 8 => header::decode_nw_ecn;
    SET_TP_SRC = "OFPAT_SET_TP_SRC" [(OF, 1..=6, 9)] 8 => header::decode_tp_src;
    SET_TP_DST = "OFPAT_SET_TP_DST" [(OF, 1..=6, 10)] 8 => header::decode_tp_dst;
    SET_NW_TTL = "OFPAT_SET_NW_TTL" [(OF, 2..=6, 23)] 8 => ttl::decode_set_nw_ttl;
    DEC_NW_TTL = "OFPAT_DEC_NW_TTL" [(NX, 1..=1, 18), (OF, 2..=6, 24)] 8
        => void!(Action::DecTtl { controller_ids: Vec::new() });
    DEC_TTL_CNT_IDS = "NXAST_DEC_TTL_CNT_IDS" [(NX, 1..=6, 21)] 16 + ... => ttl::decode_cnt_ids;
    SET_MPLS_LABEL = "OFPAT_SET_MPLS_LABEL" [(NX, 1..=1, 30), (OF, 2..=6, 13)] 8
        => mpls::decode_label;
    SET_MPLS_TC = "OFPAT_SET_MPLS_TC" [(NX, 1..=1, 31), (OF, 2..=6, 14)] 8 => mpls::decode_tc;
    SET_MPLS_TTL = "OFPAT_SET_MPLS_TTL" [(NX, 1..=1, 25), (OF, 2..=6, 15)] 8
        => mpls::decode_ttl;
    DEC_MPLS_TTL = "OFPAT_DEC_MPLS_TTL" [(NX, 1..=1, 26), (OF, 2..=6, 16)] 8
        => void!(Action::DecMplsTtl);
    PUSH_MPLS = "OFPAT_PUSH_MPLS" [(NX, 1..=1, 23), (OF, 2..=6, 19)] 8 => mpls::decode_push;
    POP_MPLS = "OFPAT_POP_MPLS" [(NX, 1..=1, 24), (OF, 2..=6, 20)] 8 => mpls::decode_pop;
    SET_FIELD12 = "OFPAT_SET_FIELD" [(OF, 3..=5, 25)] 8 + ...
        => |b| set_field::decode_set_field(b, false);
    SET_FIELD15 = "OFPAT_SET_FIELD" [(OF, 6..=6, 25)] 8 + ...
        => |b| set_field::decode_set_field(b, true);
    REG_LOAD = "NXAST_REG_LOAD" [(NX, 1..=5, 7)] 24 => set_field::decode_reg_load;
    REG_LOAD2 = "NXAST_REG_LOAD2" [(NX, 1..=5, 33)] 16 + ... => set_field::decode_reg_load2;
    COPY_FIELD15 = "OFPAT_COPY_FIELD" [(OF, 6..=6, 28)] 16 + ... => registers::decode_copy_field;
    COPY_FIELD_ONF = "ONFACT_COPY_FIELD" [(ONF, 4..=5, 3200)] 24 + ...
        => registers::decode_onf_copy_field;
    REG_MOVE = "NXAST_REG_MOVE" [(NX, 1..=5, 6)] 16 + ... => registers::decode_reg_move;
    STACK_PUSH = "NXAST_STACK_PUSH" [(NX, 1..=6, 27)] 24 => registers::decode_push;
    STACK_POP = "NXAST_STACK_POP" [(NX, 1..=6, 28)] 24 => registers::decode_pop;
    SET_TUNNEL = "NXAST_SET_TUNNEL" [(NX, 1..=6, 2)] 16 => tunnel::decode;
    SET_TUNNEL64 = "NXAST_SET_TUNNEL64" [(NX, 1..=6, 9)] 24 => tunnel::decode64;
    ENCAP = "NXAST_ENCAP" [(NX, 4..=6, 46)] 16 + ... => encap::decode;
    DECAP = "NXAST_DECAP" [(NX, 4..=6, 47)] 16 + ... => encap::decode_decap;
    DEC_NSH_TTL = "NXAST_DEC_NSH_TTL" [(NX, 4..=6, 48)] 16 => void!(Action::DecNshTtl);
    DELETE_FIELD = "NXAST_DELETE_FIELD" [(NX, 1..=6, 50)] 24 => fields::decode_delete_field;
    CHECK_PKT_LARGER = "NXAST_CHECK_PKT_LARGER" [(NX, 1..=6, 49)] 24
        => fields::decode_check_pkt_larger;

    // Pipeline
    SET_QUEUE = "OFPAT_SET_QUEUE" [(NX, 1..=1, 4), (OF, 2..=6, 21)] 8
        => |b| Ok(Action::SetQueue(b.arg_u32()?));
    POP_QUEUE = "NXAST_POP_QUEUE" [(NX, 1..=6, 5)] 16 => void!(Action::PopQueue);
    METER15 = "OFPAT_METER" [(OF, 6..=6, 29)] 8 => |b| Ok(Action::Meter(b.arg_u32()?));
    RESUBMIT = "NXAST_RESUBMIT" [(NX, 1..=6, 1)] 16 => resubmit::decode;
    RESUBMIT_TABLE = "NXAST_RESUBMIT_TABLE" [(NX, 1..=6, 14)] 16
        => |b| resubmit::decode_table(b, ResubmitForm::Table);
    RESUBMIT_TABLE_CT = "NXAST_RESUBMIT_TABLE_CT" [(NX, 1..=6, 44)] 16
        => |b| resubmit::decode_table(b, ResubmitForm::TableCt);
    LEARN = "NXAST_LEARN" [(NX, 1..=6, 16)] 32 + ... => learn::decode;
    LEARN2 = "NXAST_LEARN2" [(NX, 1..=6, 45)] 40 + ... => learn::decode2;
    EXIT = "NXAST_EXIT" [(NX, 1..=6, 17)] 16 => void!(Action::Exit);
    FIN_TIMEOUT = "NXAST_FIN_TIMEOUT" [(NX, 1..=6, 19)] 16 => pipeline::decode_fin_timeout;
    WRITE_METADATA = "NXAST_WRITE_METADATA" [(NX, 1..=6, 22)] 32
        => instruction::decode_write_metadata;
    NOTE = "NXAST_NOTE" [(NX, 1..=6, 8)] 16 + ... => pipeline::decode_note;
    SAMPLE = "NXAST_SAMPLE" [(NX, 1..=6, 29)] 24 => sample::decode;
    SAMPLE2 = "NXAST_SAMPLE2" [(NX, 1..=6, 38)] 32 => sample::decode2;
    SAMPLE3 = "NXAST_SAMPLE3" [(NX, 1..=6, 41)] 32 => sample::decode3;
    SAMPLE4 = "NXAST_SAMPLE4" [(NX, 1..=6, 51)] 40 => sample::decode4;
    CONJUNCTION = "NXAST_CONJUNCTION" [(NX, 1..=6, 34)] 16 => pipeline::decode_conjunction;
    CT = "NXAST_CT" [(NX, 1..=6, 35)] 24 + ... => conntrack::decode;
    NAT = "NXAST_NAT" [(NX, 1..=6, 36)] 16 + ... => nat::decode;
    CLONE = "NXAST_CLONE" [(NX, 1..=6, 42)] 16 + ... => pipeline::decode_clone;
    CT_CLEAR = "NXAST_CT_CLEAR" [(NX, 1..=6, 43)] 16 => void!(Action::CtClear);
    DEBUG_SLOW = "NXAST_DEBUG_SLOW" [(NX, 1..=6, 254)] 16 => debug!(Action::DebugSlow);
    DEBUG_RECIRC = "NXAST_DEBUG_RECIRC" [(NX, 1..=6, 255)] 16 => debug!(Action::DebugRecirc);
}

/// Reads the argument of an action's name and appends the action.
pub(crate) type ParseFn = fn(&str, &mut ParseContext<'_>, &mut Actions) -> Parsed;

/// Reads a name without argument.
macro_rules! word {
    ($action:expr) => {
        |_, _, out| {
            out.push($action);
            Ok(())
        }
    };
}

/// Names of actions in the flow syntax; letter case does not matter. Bare port names and numbers are
/// outputs too.
pub(crate) static NAMES: &[(&str, ParseFn)] = &[
    ("output", output::parse),
    ("group", output::parse_group),
    ("controller", controller::parse),
    ("enqueue", output::parse_enqueue),
    ("output_reg", output::parse),
    ("output_trunc", |s, _, _| Err(TextError(format!("unknown action {s}")))),
    ("unroll_xlate", |_, _, _| {
        let text = "UNROLL is an internal action that shouldn't be used via OpenFlow";
        Err(TextError(text.to_owned()))
    }),
    ("bundle", hash::parse_bundle),
    ("bundle_load", hash::parse_bundle_load),
    ("set_field", set_field::parse),
    ("load", set_field::parse_load),
    ("move", registers::parse_move),
    ("set_vlan_vid", |s, _, out| vlan::parse_vid(s, false, out)),
    ("mod_vlan_vid", |s, _, out| vlan::parse_vid(s, true, out)),
    ("set_vlan_pcp", |s, _, out| vlan::parse_pcp(s, false, out)),
    ("mod_vlan_pcp", |s, _, out| vlan::parse_pcp(s, true, out)),
    ("strip_vlan", word!(Action::StripVlan { of11: false })),
    ("pop_vlan", word!(Action::StripVlan { of11: true })),
    ("push_vlan", vlan::parse_push),
    ("mod_dl_src", header::parse_dl_src),
    ("mod_dl_dst", header::parse_dl_dst),
    ("mod_nw_src", header::parse_nw_src),
    ("mod_nw_dst", header::parse_nw_dst),
    ("mod_nw_tos", header::parse_nw_tos),
    ("mod_nw_ecn", header::parse_nw_ecn),
    ("mod_nw_ttl", ttl::parse_set_nw_ttl),
    ("set_nw_ttl", ttl::parse_set_nw_ttl),
    ("mod_tp_src", header::parse_tp_src),
    ("mod_tp_dst", header::parse_tp_dst),
    ("push", registers::parse_push),
    ("pop", registers::parse_pop),
    ("dec_ttl", ttl::parse_dec_ttl),
    ("set_mpls_label", mpls::parse_label),
    ("set_mpls_tc", mpls::parse_tc),
    ("set_mpls_ttl", mpls::parse_ttl),
    ("dec_mpls_ttl", word!(Action::DecMplsTtl)),
    ("push_mpls", mpls::parse_push),
    ("pop_mpls", mpls::parse_pop),
    ("dec_nsh_ttl", word!(Action::DecNshTtl)),
    ("set_tunnel", |s, _, out| tunnel::parse(s, false, out)),
    ("set_tunnel64", |s, _, out| tunnel::parse(s, true, out)),
    ("set_queue", pipeline::parse_set_queue),
    ("pop_queue", word!(Action::PopQueue)),
    ("fin_timeout", pipeline::parse_fin_timeout),
    ("resubmit", resubmit::parse),
    ("learn", learn::parse),
    ("conjunction", pipeline::parse_conjunction),
    ("multipath", hash::parse_multipath),
    ("note", pipeline::parse_note),
    ("exit", word!(Action::Exit)),
    ("sample", sample::parse),
    ("ct", conntrack::parse),
    ("ct_clear", word!(Action::CtClear)),
    ("nat", nat::parse),
    ("clone", pipeline::parse_clone),
    ("check_pkt_larger", fields::parse_check_pkt_larger),
    ("encap", encap::parse),
    ("decap", encap::parse_decap),
    ("delete_field", fields::parse_delete_field),
    ("debug_recirc", word!(Action::DebugRecirc)),
    ("debug_slow", word!(Action::DebugSlow)),
    ("meter", instruction::parse_meter),
    ("clear_actions", word!(Action::ClearActions)),
    ("write_actions", instruction::parse_write_actions),
    ("write_metadata", instruction::parse_write_metadata),
    ("goto_table", instruction::parse_goto_table),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_and_no_name_stands_for_two_things() {
        let mut codes = std::collections::HashSet::new();
        for raw in WIRE_FORMS {
            for (vendor, versions, kind) in raw.codes {
                for v in versions.clone() {
                    assert!(codes.insert((*vendor, v, *kind)), "{} {kind}", raw.name);
                }
            }
        }
        let names: std::collections::HashSet<_> = NAMES.iter().map(|n| n.0).collect();
        assert_eq!(names.len(), NAMES.len());
    }
}
