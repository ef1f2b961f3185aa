//! Which flow formats can express a match on a field.

use weir_flow::field::{Field, id};

use super::FieldValue;
use crate::protocol::Protocols;

/// Formats that can match the field exactly.
#[must_use]
pub fn exact(field: &Field) -> Protocols {
    match field.id {
        id::IN_PORT
        | id::DL_SRC
        | id::DL_DST
        | id::DL_TYPE
        | id::VLAN_TCI
        | id::DL_VLAN
        | id::VLAN_VID
        | id::DL_VLAN_PCP
        | id::VLAN_PCP
        | id::NW_SRC
        | id::NW_DST
        | id::NW_PROTO
        | id::NW_TOS
        | id::IP_DSCP
        | id::ARP_OP
        | id::ARP_SPA
        | id::ARP_TPA
        | id::TCP_SRC
        | id::TCP_DST
        | id::UDP_SRC
        | id::UDP_DST
        | id::ICMP_TYPE
        | id::ICMP_CODE => Protocols::ANY,
        id::METADATA
        | id::IN_PORT_OXM
        | id::MPLS_LABEL
        | id::MPLS_TC
        | id::NW_ECN
        | id::SCTP_SRC
        | id::SCTP_DST => Protocols::NXM_OF11_UP,
        _ if field.oxm.is_empty() => Protocols::NONE,
        _ => Protocols::NXM_OXM_ANY,
    }
}

/// Formats that can match the field under this mask.
#[must_use]
pub fn with_mask(field: &Field, mask: &FieldValue) -> Protocols {
    if mask.is_all_ones() {
        return exact(field);
    }
    if mask.is_zero() {
        return Protocols::ANY;
    }
    let bits = mask.as_u128();
    let is_cidr = u32::try_from(bits).is_ok_and(|m| m.leading_ones() == m.count_ones());
    match field.id {
        id::NW_SRC | id::NW_DST | id::ARP_SPA | id::ARP_TPA if is_cidr => Protocols::ANY,
        id::NW_SRC
        | id::NW_DST
        | id::ARP_SPA
        | id::ARP_TPA
        | id::DL_SRC
        | id::DL_DST
        | id::METADATA => Protocols::NXM_OF11_UP,
        _ if field.oxm.is_empty() => Protocols::NONE,
        _ => Protocols::NXM_OXM_ANY,
    }
}
