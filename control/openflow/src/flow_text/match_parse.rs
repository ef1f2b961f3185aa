//! The fields of a match in the flow syntax: shorthands (`tcp`), `field=value[/mask]`, and bits of a
//! field (`reg0[4..7]=3`).

use weir_flow::Field;
use weir_flow::field::id;
use weir_flow::flow::{eth_type, ip_proto};

use crate::matching::{Match, Subfield, usable};
use crate::ofp_port::NameMap;
use crate::protocol::Protocols;
use crate::value_text::field::parse_wide_integer;
use crate::value_text::{TextError, format_field, parse_field, text_error};

/// Shorthands: name, Ethernet type and IP protocol (0 for any).
static SHORTHANDS: [(&str, u16, u8); 19] = [
    ("ip", eth_type::IPV4, 0),
    ("ipv4", eth_type::IPV4, 0),
    ("ip4", eth_type::IPV4, 0),
    ("arp", eth_type::ARP, 0),
    ("icmp", eth_type::IPV4, ip_proto::ICMP),
    ("tcp", eth_type::IPV4, ip_proto::TCP),
    ("udp", eth_type::IPV4, ip_proto::UDP),
    ("sctp", eth_type::IPV4, ip_proto::SCTP),
    ("ipv6", eth_type::IPV6, 0),
    ("ip6", eth_type::IPV6, 0),
    ("icmp6", eth_type::IPV6, ip_proto::ICMPV6),
    ("tcp6", eth_type::IPV6, ip_proto::TCP),
    ("udp6", eth_type::IPV6, ip_proto::UDP),
    ("sctp6", eth_type::IPV6, ip_proto::SCTP),
    ("rarp", eth_type::RARP, 0),
    ("mpls", eth_type::MPLS, 0),
    ("mplsm", eth_type::MPLS_MCAST, 0),
    ("icmpv6", eth_type::IPV6, ip_proto::ICMPV6),
    ("igmp", eth_type::IPV4, ip_proto::IGMP),
];

/// How many of [`SHORTHANDS`] the flow syntax has; the others are names of other places.
const FLOW_SHORTHANDS: usize = 17;

/// The Ethernet type and IP protocol (0 for any) of a shorthand of the flow syntax.
#[must_use]
pub fn shorthand(name: &str) -> Option<(u16, u8)> {
    let found = SHORTHANDS[..FLOW_SHORTHANDS].iter().find(|s| s.0 == name)?;
    Some((found.1, found.2))
}

/// Reads one item of a match into `m`. Answers `None` when the name is none of a match's, else which
/// formats can express it.
///
/// # Errors
/// The text of Open vSwitch.
pub fn parse_item(
    m: &mut Match,
    name: &str,
    value: &str,
    ports: Option<&NameMap>,
) -> Result<Option<Protocols>, TextError> {
    if let Some((dl_type, nw_proto)) = shorthand(name) {
        m.set_exact(id::DL_TYPE.field(), dl_type.into());
        if nw_proto != 0 {
            m.set_exact(id::NW_PROTO.field(), nw_proto.into());
        }
        m.set_default_packet_type();
        return Ok(Some(Protocols::ANY));
    }
    if name == "eth" {
        m.set_exact(id::PACKET_TYPE.field(), weir_flow::flow::PT_ETH.into());
        return Ok(Some(Protocols::ANY));
    }
    if let Some(field) = Field::by_name(name) {
        return set_field(m, field, value, ports).map(Some);
    }
    if name.contains('[') {
        return set_subfield(m, name, value).map(Some);
    }
    Ok(None)
}

fn set_field(
    m: &mut Match,
    field: &Field,
    value: &str,
    ports: Option<&NameMap>,
) -> Result<Protocols, TextError> {
    // A name alone asks for the field's existence.
    let text = if value.is_empty() { "0/0" } else { value };
    let (value, mask) = parse_field(field, text, ports)?;
    m.set(field, &value, &mask);
    m.add_ethernet_prereq(field);
    Ok(usable::with_mask(field, &mask))
}

fn set_subfield(m: &mut Match, name: &str, value: &str) -> Result<Protocols, TextError> {
    let subfield = Subfield::parse(name)?;
    let field = subfield.field.field();
    let Some(Ok((number, ""))) = parse_wide_integer(value, usize::from(field.bytes)) else {
        text_error!("{name}: cannot parse integer value: {value}")
    };
    let (n_bits, width) = (usize::from(subfield.n_bits), 8 * usize::from(field.bytes));
    if !number.bits_are(n_bits, width.saturating_sub(n_bits), false) {
        text_error!(
            "{name}: value {} does not fit into {n_bits} bits",
            format_field(field, &number, None, None)
        );
    }
    m.set_subfield(&subfield, &number);
    m.add_ethernet_prereq(field);
    let (_, mask) = m.get(field);
    Ok(usable::with_mask(field, &mask))
}

impl Match {
    /// What is left to do when all items are read: the rules that only NXM and OXM can express a
    /// match inside of IPv6.
    #[must_use]
    pub fn usable_after_parsing(&self) -> Protocols {
        let mask = &self.mask.0;
        let inside = u16::from(mask.nw_proto)
            | u16::from(mask.nw_tos)
            | mask.tp_src.get()
            | mask.tp_dst.get();
        if crate::matching::prerequisites::dl_type(&self.flow) == eth_type::IPV6 && inside != 0 {
            Protocols::NXM_OXM_ANY
        } else {
            Protocols::ANY
        }
    }
}
