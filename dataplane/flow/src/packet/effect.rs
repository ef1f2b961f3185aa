//! What datapath actions do to a packet, told in terms of its [`Flow`]: parsing a packet after an
//! action gives the flow that `effect` gives before it.

use crate::action::SetHeader;
use crate::flow::{Flow, KEY_WORDS, MAX_VLANS, VLAN_CFI, Vlan};

/// The masked bits of a header are written.
pub fn set(flow: &mut Flow, set: &SetHeader) {
    let it = set.value.words().iter().zip(set.mask.words());
    for (word, (value, mask)) in flow.words_mut().iter_mut().zip(it).take(KEY_WORDS) {
        *word = *word & !mask | value & mask;
    }
}

/// A tag is pushed; one beyond [`MAX_VLANS`] is forgotten.
pub fn push_vlan(flow: &mut Flow, tpid: u16, tci: u16) {
    flow.vlans.copy_within(..MAX_VLANS - 1, 1);
    flow.vlans[0] = Vlan { tpid: tpid.into(), tci: (tci | VLAN_CFI).into() };
}

/// The outermost tag is popped.
pub fn pop_vlan(flow: &mut Flow) {
    flow.vlans.copy_within(1.., 0);
    flow.vlans[MAX_VLANS - 1] = Vlan::default();
}

/// A label is pushed. What was behind the Ethernet type cannot be seen any more.
pub fn push_mpls(flow: &mut Flow, ethertype: u16, lse: u32) {
    flow.mpls_lse.rotate_right(1);
    flow.mpls_lse[0] = lse.into();
    flow.dl_type = ethertype.into();
    hide_network(flow);
}

/// A label is popped. What is behind the last one is not known until the packet is parsed again,
/// which is why such packets are recirculated.
pub fn pop_mpls(flow: &mut Flow, ethertype: u16) {
    flow.mpls_lse.rotate_left(1);
    if let Some(last) = flow.mpls_lse.last_mut() {
        *last = 0.into();
    }
    flow.dl_type = ethertype.into();
}

/// Clears every field of the network and transport headers.
fn hide_network(flow: &mut Flow) {
    let z = Flow::ZERO;
    (flow.nw_frag, flow.nw_proto, flow.nw_tos, flow.nw_ttl) = (0, 0, 0, 0);
    (flow.nw_src, flow.nw_dst) = (z.nw_src, z.nw_dst);
    (flow.ipv6_src, flow.ipv6_dst, flow.ipv6_label) = (z.ipv6_src, z.ipv6_dst, z.ipv6_label);
    (flow.tp_src, flow.tp_dst, flow.tcp_flags) = (z.tp_src, z.tp_dst, z.tcp_flags);
    (flow.arp_sha, flow.arp_tha, flow.nd_target) = (z.arp_sha, z.arp_tha, z.nd_target);
    (flow.nd_reserved, flow.nd_options_type) = (z.nd_reserved, 0);
    (flow.nsh_flags, flow.nsh_ttl, flow.nsh_mdtype, flow.nsh_np) = (0, 0, 0, 0);
    (flow.nsh_path_hdr, flow.nsh_context) = (z.nsh_path_hdr, z.nsh_context);
}
