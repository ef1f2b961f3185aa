//! Turns the difference between the packet as it is on the wire (`base`) and as the pipeline has
//! made it (`flow`) into datapath actions. Header changes are put off until an output needs them,
//! so that a packet that is changed five times and dropped costs nothing.
//!
//! Only fields that differ are written, under the mask with which they were read or set. Whatever
//! is compared here has been un-wildcarded by whoever wrote it into `flow`.

use weir_flow::action::{Action, Header, SetHeader};
use weir_flow::field::id;
use weir_flow::flow::{Flow, eth_type, ip_proto};
use weir_flow::{FieldId, Mask};

use super::mpls;
use super::vlan;

const ETHERNET: &[FieldId] = &[id::DL_SRC, id::DL_DST];
const IPV4: &[FieldId] = &[id::NW_SRC, id::NW_DST, id::NW_TOS, id::NW_TTL];
const IPV6: &[FieldId] = &[id::IPV6_SRC, id::IPV6_DST, id::IPV6_LABEL, id::NW_TOS, id::NW_TTL];
const ARP: &[FieldId] = &[id::ARP_SPA, id::ARP_TPA, id::ARP_OP, id::ARP_SHA, id::ARP_THA];
const PORTS: &[FieldId] = &[id::TCP_SRC, id::TCP_DST];
const ND: &[FieldId] = &[id::ND_TARGET, id::ND_SLL, id::ND_TLL];
const ND_EXTENSIONS: &[FieldId] = &[id::ND_RESERVED, id::ND_OPTIONS_TYPE];
const PRIORITY: &[FieldId] = &[id::SKB_PRIORITY];
const MARK: &[FieldId] = &[id::PKT_MARK];

/// Appends the actions that make `base` into `flow`, and makes `base` equal to it. The original packet
/// had `n_vlans` tags. After the last label was popped (`popped`) nobody has seen the headers behind
/// it, so nobody has written there.
pub(super) fn commit(
    flow: &Flow,
    base: &mut Flow,
    n_vlans: usize,
    popped: bool,
    wc: &mut Mask,
    out: &mut Vec<Action>,
) {
    let mut c = Commit { flow, base, wc, out };
    c.set(Header::Ethernet, ETHERNET);
    // Off with the labels first, if all of them go: what is below could not be written otherwise.
    let was_mpls = mpls::is_mpls(c.base.dl_type.get());
    let unlabelled = was_mpls && !mpls::is_mpls(flow.dl_type.get());
    if unlabelled {
        mpls::commit(flow, c.base, c.wc, c.out);
    }
    if !popped {
        c.network();
        c.transport();
    }
    if !unlabelled {
        mpls::commit(flow, c.base, c.wc, c.out);
    }
    vlan::commit(flow, c.base, n_vlans, c.wc, c.out);
    c.set(Header::SkbPriority, PRIORITY);
    c.set(Header::PktMark, MARK);
}

struct Commit<'a> {
    flow: &'a Flow,
    base: &'a mut Flow,
    wc: &'a mut Mask,
    out: &'a mut Vec<Action>,
}

impl Commit<'_> {
    fn network(&mut self) {
        // Behind a label that was pushed, the network header is out of sight.
        if self.flow.dl_type != self.base.dl_type || !self.network_differs() {
            return;
        }
        // Without a protocol the packet had no proper network header.
        self.wc.0.nw_proto = 0xff;
        if self.flow.nw_proto == 0 {
            return;
        }
        match self.base.dl_type.get() {
            eth_type::IPV4 => self.set(Header::Ipv4, IPV4),
            eth_type::IPV6 => {
                self.set(Header::Ipv6, IPV6);
                if is_nd(self.flow) {
                    self.set(Header::Nd, ND);
                    self.set(Header::Nd, ND_EXTENSIONS);
                }
            }
            eth_type::ARP | eth_type::RARP => self.set(Header::Arp, ARP),
            _ => {}
        }
    }

    fn network_differs(&self) -> bool {
        let fields: &[&[FieldId]] = match self.base.dl_type.get() {
            eth_type::IPV4 => &[IPV4],
            eth_type::IPV6 => &[IPV6, ND, ND_EXTENSIONS],
            eth_type::ARP | eth_type::RARP => &[ARP],
            _ => &[],
        };
        let mut fields = fields.iter().copied().flatten().map(|id| id.field());
        fields.any(|f| f.get(self.flow) != f.get(self.base))
    }

    fn transport(&mut self) {
        let header = match (self.base.dl_type.get(), self.flow.nw_proto) {
            (eth_type::IPV4 | eth_type::IPV6, ip_proto::TCP) => Header::Tcp,
            (eth_type::IPV4 | eth_type::IPV6, ip_proto::UDP) => Header::Udp,
            (eth_type::IPV4 | eth_type::IPV6, ip_proto::SCTP) => Header::Sctp,
            (eth_type::IPV4, ip_proto::ICMP) => Header::Icmp,
            (eth_type::IPV6, ip_proto::ICMPV6) => Header::Icmpv6,
            _ => return,
        };
        let (new, old) = (self.flow, &*self.base);
        let icmp = matches!(header, Header::Icmp | Header::Icmpv6);
        if icmp && (new.tp_src, new.tp_dst) != (old.tp_src, old.tp_dst) {
            // Type and code mean little without each other: they are written together.
            self.wc.0.tp_src = 0xff.into();
            self.wc.0.tp_dst = 0xff.into();
            let value = Flow { tp_src: new.tp_src, tp_dst: new.tp_dst, ..Flow::ZERO };
            let mask = Flow { tp_src: 0xff.into(), tp_dst: 0xff.into(), ..Flow::ZERO };
            (self.base.tp_src, self.base.tp_dst) = (new.tp_src, new.tp_dst);
            self.out.push(Action::Set(Box::new(SetHeader { header, value, mask })));
        } else {
            self.set(header, PORTS);
        }
    }

    /// Writes those of the fields that differ.
    fn set(&mut self, header: Header, fields: &[FieldId]) {
        let mut value = Flow::ZERO;
        let mut mask = Flow::ZERO;
        for f in fields.iter().map(|id| id.field()) {
            let (new, old) = (f.get(self.flow), f.get(self.base));
            if new == old {
                continue;
            }
            // The bits that differ are set in `wc` by whoever changed them; to be on the safe side
            // against one that forgot, they are set here too.
            let bits = f.get(&self.wc.0) | (new ^ old);
            f.set(&mut self.wc.0, bits);
            f.set(&mut value, new & bits);
            f.set(&mut mask, bits);
            f.set(self.base, new);
        }
        if mask != Flow::ZERO {
            self.out.push(Action::Set(Box::new(SetHeader { header, value, mask })));
        }
    }
}

fn is_nd(flow: &Flow) -> bool {
    flow.dl_type.get() == eth_type::IPV6
        && flow.nw_proto == ip_proto::ICMPV6
        && flow.tp_dst.get() == 0
        && matches!(flow.tp_src.get(), 135 | 136)
}
