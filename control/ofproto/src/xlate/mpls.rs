//! MPLS label stacks in flows: push, pop, and the datapath actions that lead from one stack to
//! another.

use weir_flow::action::Action;
use weir_flow::flow::{Flow, MAX_MPLS_LABELS, eth_type};
use weir_flow::{Field, Mask};

/// Bottom-of-stack bit of a label stack entry.
pub(super) const BOS: u32 = 0x100;

/// Is it one of the two MPLS Ethernet types?
#[must_use]
pub(super) fn is_mpls(dl_type: u16) -> bool {
    matches!(dl_type, eth_type::MPLS | eth_type::MPLS_MCAST)
}

/// Number of labels that can be seen. `wc` is told of the bits that say so.
pub(super) fn count(flow: &Flow, mut wc: Option<&mut Mask>) -> usize {
    if !is_mpls(flow.dl_type.get()) {
        return 0;
    }
    let mut n = 0;
    for (i, lse) in flow.mpls_lse.iter().enumerate() {
        if let Some(m) = wc.as_deref_mut().and_then(|wc| wc.0.mpls_lse.get_mut(i)) {
            *m = (m.get() | BOS).into();
        }
        if lse.get() & BOS != 0 {
            return i + 1;
        }
        if let Some(m) = wc.as_deref_mut().and_then(|wc| wc.0.mpls_lse.get_mut(i)) {
            // That it is zero takes all bits, that it is not takes one.
            let top = 0x8000_0000u32.checked_shr(lse.get().leading_zeros());
            *m = (m.get() | top.unwrap_or(u32::MAX)).into();
        }
        n += usize::from(lse.get() != 0);
    }
    n
}

/// Pushes a label on top of the `n` there are, a copy of the outermost one or a fresh one. The
/// network headers disappear from sight.
pub(super) fn push(flow: &mut Flow, n: usize, ethertype: u16, wc: &mut Mask) {
    if n > 0 {
        for m in wc.0.mpls_lse.iter_mut().take(n) {
            *m = u32::MAX.into();
        }
        flow.mpls_lse.copy_within(..MAX_MPLS_LABELS - 1, 1);
        flow.mpls_lse[0] = (flow.mpls_lse[1].get() & !BOS).into();
    } else {
        // Explicit null of the payload's family.
        let label = if flow.dl_type.get() == eth_type::IPV6 { 2 } else { 0 };
        let (tc, ttl) = if flow.is_ip_any() {
            wc.0.nw_tos |= 0xfc;
            wc.0.nw_ttl = 0xff;
            // A packet whose time is up already gets as much as one that has none.
            let ttl = if flow.nw_ttl == 0 { 64 } else { flow.nw_ttl };
            (u32::from(flow.nw_tos & 0xfc) >> 2, u32::from(ttl))
        } else {
            (0, 64)
        };
        let lse = label << 12 | tc << 9 & 0xe00 | BOS | ttl;
        hide_above_ethernet(flow);
        flow.mpls_lse[0] = lse.into();
    }
    flow.dl_type = ethertype.into();
}

/// Pops one of the `n` labels. False if there is none or too many to know what follows.
pub(super) fn pop(flow: &mut Flow, n: usize, ethertype: u16, wc: &mut Mask) -> bool {
    if n == 0 || (n == MAX_MPLS_LABELS && flow.mpls_lse[n - 1].get() & BOS == 0) {
        return false;
    }
    for m in wc.0.mpls_lse.iter_mut().take(n).skip(1) {
        *m = u32::MAX.into();
    }
    flow.mpls_lse.copy_within(1.., 0);
    if let Some(last) = flow.mpls_lse.get_mut(n - 1) {
        *last = 0.into();
    }
    flow.dl_type = ethertype.into();
    true
}

/// Zeroes every field that comes from behind the Ethernet type.
pub(super) fn hide_above_ethernet(flow: &mut Flow) {
    let clean = Flow {
        in_port: flow.in_port,
        recirc_id: flow.recirc_id,
        dl_dst: flow.dl_dst,
        dl_src: flow.dl_src,
        dl_type: flow.dl_type,
        vlans: flow.vlans,
        packet_type: flow.packet_type,
        skb_priority: flow.skb_priority,
        pkt_mark: flow.pkt_mark,
        ct_state: flow.ct_state,
        ct_zone: flow.ct_zone,
        ct_mark: flow.ct_mark,
        ct_label: flow.ct_label,
        regs: flow.regs,
        metadata: flow.metadata,
        conj_id: flow.conj_id,
        actset_output: flow.actset_output,
        tun_id: flow.tun_id,
        tun_src: flow.tun_src,
        tun_dst: flow.tun_dst,
        tun_ipv6_src: flow.tun_ipv6_src,
        tun_ipv6_dst: flow.tun_ipv6_dst,
        tun_flags: flow.tun_flags,
        tun_ttl: flow.tun_ttl,
        tun_tos: flow.tun_tos,
        tun_gbp_id: flow.tun_gbp_id,
        tun_gbp_flags: flow.tun_gbp_flags,
        tun_metadata_present: flow.tun_metadata_present,
        tun_metadata: flow.tun_metadata,
        ..Flow::ZERO
    };
    *flow = clean;
}

/// Writes a part of the outermost label.
pub(super) fn set_outermost(field: &Field, flow: &mut Flow, wc: &mut Mask, value: u128) {
    if is_mpls(flow.dl_type.get()) {
        field.set(&mut wc.0, field.all_ones());
        field.set(flow, value);
    }
}

/// Appends the pops, sets and pushes that make `base`'s labels into `flow`'s.
pub(super) fn commit(flow: &Flow, base: &mut Flow, wc: &mut Mask, out: &mut Vec<Action>) {
    if is_mpls(base.dl_type.get()) == is_mpls(flow.dl_type.get()) && base.mpls_lse == flow.mpls_lse
    {
        return;
    }
    let mut n_base = count(base, Some(&mut *wc));
    let n_flow = count(flow, Some(&mut *wc));
    let inner = |f: &Flow, n: usize, i: usize| f.mpls_lse.get(n - 1 - i).map(|l| l.get());
    let mut common = 0;
    while common < n_base.min(n_flow) && inner(base, n_base, common) == inner(flow, n_flow, common)
    {
        common += 1;
    }
    let mut ignored = Mask::CATCHALL;
    while n_base > common {
        if n_base - 1 == common && n_flow > common {
            // One label of each differs: rewrite it.
            let Some(lse) = n_flow.checked_sub(n_base).and_then(|i| flow.mpls_lse.get(i)) else {
                break;
            };
            // The whole entry is written, so all of its bits count.
            wc.0.mpls_lse = [u32::MAX.into(); MAX_MPLS_LABELS];
            base.mpls_lse[0] = *lse;
            out.push(set_lse(lse.get()));
            common += 1;
        } else {
            let last = n_base == 1 || is_mpls(flow.dl_type.get());
            let next = if last { flow.dl_type.get() } else { eth_type::MPLS };
            out.push(Action::PopMpls { ethertype: next });
            if !pop(base, n_base, flow.dl_type.get(), &mut ignored) {
                break;
            }
            n_base -= 1;
        }
    }
    if n_base < n_flow {
        // Labels that a clone popped come back: they are those of the packet.
        wc.0.mpls_lse = [u32::MAX.into(); MAX_MPLS_LABELS];
    }
    while n_base < n_flow {
        let Some(lse) = flow.mpls_lse.get(n_flow - n_base - 1) else { break };
        out.push(Action::PushMpls { ethertype: flow.dl_type.get(), lse: lse.get() });
        base.mpls_lse.copy_within(..MAX_MPLS_LABELS - 1, 1);
        base.mpls_lse[0] = *lse;
        base.dl_type = flow.dl_type;
        n_base += 1;
    }
}

fn set_lse(lse: u32) -> Action {
    use weir_flow::action::{Header, SetHeader};
    let (mut value, mut mask) = (Flow::ZERO, Flow::ZERO);
    value.mpls_lse[0] = lse.into();
    mask.mpls_lse[0] = u32::MAX.into();
    Action::Set(Box::new(SetHeader { header: Header::Mpls, value, mask }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip() -> Flow {
        let mut f = Flow::ZERO;
        f.dl_type = eth_type::IPV4.into();
        f.nw_proto = 6;
        f.nw_ttl = 9;
        f
    }

    #[test]
    fn push_takes_ttl_from_the_network_header_and_copies_the_outer_label() {
        let (mut f, mut wc) = (ip(), Mask::default());
        push(&mut f, 0, eth_type::MPLS, &mut wc);
        assert_eq!(f.mpls_lse[0].get(), 0x109);
        assert_eq!((f.nw_proto, wc.0.nw_ttl), (0, 0xff));
        push(&mut f, 1, eth_type::MPLS, &mut wc);
        assert_eq!(f.mpls_lse.map(weir_flow::flow::U32::get), [0x009, 0x109, 0]);
        assert_eq!(count(&f, None), 2);
        assert!(pop(&mut f, 2, eth_type::MPLS, &mut wc) && count(&f, None) == 1);
        assert!(pop(&mut f, 1, eth_type::IPV4, &mut wc) && count(&f, None) == 0);
        assert!(!pop(&mut f, 0, eth_type::IPV4, &mut wc));
    }

    #[test]
    fn push_starts_with_64_where_there_is_no_ttl() {
        let pushed = |dl_type: u16, ttl: u8| {
            let mut f = Flow::ZERO;
            f.dl_type = dl_type.into();
            f.nw_ttl = ttl;
            push(&mut f, 0, eth_type::MPLS, &mut Mask::default());
            f.mpls_lse[0].get()
        };
        assert_eq!(pushed(eth_type::ARP, 0), 0x140);
        assert_eq!(pushed(eth_type::IPV4, 0), 0x140);
        assert_eq!(pushed(eth_type::IPV4, 9), 0x109);
        assert_eq!(pushed(eth_type::IPV6, 0), 0x2140);
    }

    #[test]
    fn commit_goes_from_stack_to_stack() {
        let mut base = ip();
        let mut flow = ip();
        let mut wc = Mask::default();
        push(&mut flow, 0, eth_type::MPLS, &mut wc);
        push(&mut flow, 1, eth_type::MPLS, &mut wc);
        let mut out = Vec::new();
        commit(&flow, &mut base, &mut wc, &mut out);
        assert!(matches!(out[..], [Action::PushMpls { lse: 0x109, .. }, Action::PushMpls { .. }]));
        assert_eq!(base.mpls_lse, flow.mpls_lse);
        out.clear();
        let mut target = flow;
        target.mpls_lse[0] = 0x7009.into();
        commit(&target, &mut base, &mut wc, &mut out);
        assert!(matches!(out[..], [Action::Set(_)]));
        out.clear();
        commit(&ip(), &mut base, &mut wc, &mut out);
        let pops = [eth_type::MPLS, eth_type::IPV4];
        for (a, want) in out.iter().zip(pops) {
            assert!(matches!(a, Action::PopMpls { ethertype } if *ethertype == want));
        }
        assert_eq!(out.len(), 2);
    }
}
