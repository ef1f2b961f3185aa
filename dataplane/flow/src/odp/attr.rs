//! The attributes of a datapath flow: their names, their fields, and how each is written.

use super::scan::Scanner;
use super::value::Form;
use crate::action::Header;
use crate::field::{FieldId, id};
use crate::flow::Flow;

/// One `name=value` of an attribute, or the only value of one.
pub(super) struct Part {
    pub(super) name: &'static str,
    pub(super) field: FieldId,
    pub(super) form: Form,
}

/// An attribute: `name(part=value,...)`; a single part without name stands alone.
pub(super) struct Attr {
    pub(super) name: &'static str,
    pub(super) parts: &'static [Part],
}

const fn part(name: &'static str, field: FieldId, form: Form) -> Part {
    Part { name, field, form }
}

macro_rules! attrs {
    ($($id:ident = $name:literal [$($part:literal: $field:ident $form:ident),+];)+) => {
        $(pub(super) static $id: Attr = Attr {
            name: $name,
            parts: &[$(part($part, id::$field, Form::$form)),+],
        };)+
        /// All of them.
        pub(super) static ALL: &[&Attr] = &[$(&$id),+];
    };
}

attrs! {
    SKB_PRIORITY = "skb_priority" ["": SKB_PRIORITY Hexadecimal];
    SKB_MARK = "skb_mark" ["": PKT_MARK Hexadecimal];
    CT_ZONE = "ct_zone" ["": CT_ZONE Hexadecimal];
    CT_MARK = "ct_mark" ["": CT_MARK Hexadecimal];
    CT_LABEL = "ct_label" ["": CT_LABEL Hexadecimal];
    CT_TUPLE4 = "ct_tuple4" [
        "src": CT_NW_SRC Ipv4, "dst": CT_NW_DST Ipv4, "proto": CT_NW_PROTO Decimal,
        "tp_src": CT_TP_SRC Decimal, "tp_dst": CT_TP_DST Decimal];
    CT_TUPLE6 = "ct_tuple6" [
        "src": CT_IPV6_SRC Ipv6, "dst": CT_IPV6_DST Ipv6, "proto": CT_NW_PROTO Decimal,
        "src_port": CT_TP_SRC Decimal, "dst_port": CT_TP_DST Decimal];
    RECIRC_ID = "recirc_id" ["": RECIRC_ID Hexadecimal];
    DP_HASH = "dp_hash" ["": DP_HASH Hexadecimal];
    ETH = "eth" ["src": DL_SRC Mac, "dst": DL_DST Mac];
    IPV4 = "ipv4" [
        "src": NW_SRC Ipv4, "dst": NW_DST Ipv4, "proto": NW_PROTO Decimal,
        "tos": NW_TOS Hexadecimal, "ttl": NW_TTL Decimal, "frag": NW_FRAG Frag];
    IPV6 = "ipv6" [
        "src": IPV6_SRC Ipv6, "dst": IPV6_DST Ipv6, "label": IPV6_LABEL Hexadecimal,
        "proto": NW_PROTO Decimal, "tclass": NW_TOS Hexadecimal, "hlimit": NW_TTL Decimal,
        "frag": NW_FRAG Frag];
    ARP = "arp" [
        "sip": NW_SRC Ipv4, "tip": NW_DST Ipv4, "op": NW_PROTO Decimal, "sha": ARP_SHA Mac,
        "tha": ARP_THA Mac];
    TCP = "tcp" ["src": TCP_SRC Decimal, "dst": TCP_DST Decimal];
    UDP = "udp" ["src": UDP_SRC Decimal, "dst": UDP_DST Decimal];
    SCTP = "sctp" ["src": SCTP_SRC Decimal, "dst": SCTP_DST Decimal];
    ICMP = "icmp" ["type": ICMP_TYPE Decimal, "code": ICMP_CODE Decimal];
    ICMPV6 = "icmpv6" ["type": ICMPV6_TYPE Decimal, "code": ICMPV6_CODE Decimal];
    ND = "nd" ["target": ND_TARGET Ipv6, "sll": ND_SLL Mac, "tll": ND_TLL Mac];
    ND_EXT = "nd_ext" [
        "nd_reserved": ND_RESERVED Hexadecimal, "nd_options_type": ND_OPTIONS_TYPE Decimal];
}

impl Part {
    fn full(&self) -> u128 {
        self.field.field().all_ones()
    }

    fn get(&self, flow: &Flow) -> u128 {
        self.field.field().get(flow)
    }
}

impl Attr {
    /// Is no bit of it in the mask?
    pub(super) fn is_wildcard(&self, mask: &Flow) -> bool {
        self.parts.iter().all(|p| p.get(mask) == 0)
    }

    /// Writes the attribute. Parts that are not in the mask are left out unless `verbose`.
    pub(super) fn write(&self, out: &mut String, flow: &Flow, mask: &Flow, verbose: bool) {
        out.push_str(self.name);
        out.push('(');
        let mut first = true;
        for part in self.parts {
            let mask = part.get(mask);
            if mask == 0 && !verbose {
                continue;
            }
            if !first {
                out.push(',');
            }
            first = false;
            if !part.name.is_empty() {
                out.push_str(part.name);
                out.push('=');
            }
            part.form.write(out, part.get(flow), mask, part.full());
        }
        out.push(')');
    }

    /// Reads what follows the attribute's opening parenthesis, and that which closes it.
    pub(super) fn read(&self, s: &mut Scanner<'_>, flow: &mut Flow, mask: &mut Flow) -> Option<()> {
        let mut store = |s: &mut Scanner<'_>, part: &Part| {
            let (v, m) = part.form.read(s, part.full())?;
            let field = part.field.field();
            field.set(flow, v);
            field.set(mask, m);
            Some(())
        };
        match self.parts {
            [only] if only.name.is_empty() => {
                store(s, only)?;
                s.expect(")")
            }
            parts => s.fields(|s, name| store(s, parts.iter().find(|p| p.name == name)?)),
        }
    }

    /// The attribute of a name.
    pub(super) fn by_name(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|a| a.name == name).copied()
    }
}

/// Which attribute a `set` action's header has in text; MPLS has a form of its own.
pub(super) fn of_header(header: Header) -> Option<&'static Attr> {
    Some(match header {
        Header::Ethernet => &ETH,
        Header::Ipv4 => &IPV4,
        Header::Ipv6 => &IPV6,
        Header::Tcp => &TCP,
        Header::Udp => &UDP,
        Header::Sctp => &SCTP,
        Header::Icmp => &ICMP,
        Header::Icmpv6 => &ICMPV6,
        Header::Arp => &ARP,
        Header::Nd => &ND,
        Header::SkbPriority => &SKB_PRIORITY,
        Header::PktMark => &SKB_MARK,
        Header::Mpls | Header::Nsh | Header::Tunnel => return None,
    })
}

/// The header that `set(ATTRIBUTE(...))` rewrites.
pub(super) fn header_of(attr: &Attr) -> Option<Header> {
    const HEADERS: [Header; 12] = [
        Header::Ethernet,
        Header::Ipv4,
        Header::Ipv6,
        Header::Tcp,
        Header::Udp,
        Header::Sctp,
        Header::Icmp,
        Header::Icmpv6,
        Header::Arp,
        Header::Nd,
        Header::SkbPriority,
        Header::PktMark,
    ];
    if attr.name == ND_EXT.name {
        return Some(Header::Nd);
    }
    HEADERS.into_iter().find(|h| of_header(*h).is_some_and(|a| a.name == attr.name))
}
