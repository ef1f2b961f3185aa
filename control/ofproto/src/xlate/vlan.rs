//! VLAN tags in flows: push, pop, and the datapath actions that lead from one stack to another.

use weir_flow::Mask;
use weir_flow::action::Action;
use weir_flow::flow::{Flow, MAX_VLANS, VLAN_CFI, Vlan, eth_type};

/// Makes room for an outermost tag. The innermost one is forgotten if there are too many.
pub(super) fn push(flow: &mut Flow, wc: &mut Mask, tag: Vlan) {
    let n = flow.n_vlans();
    exact(wc, 0, n);
    flow.vlans.copy_within(..MAX_VLANS - 1, 1);
    flow.vlans[0] = tag;
}

/// Takes the outermost tag off. Nothing happens without one.
pub(super) fn pop(flow: &mut Flow, wc: &mut Mask) {
    let n = flow.n_vlans();
    if n == 0 {
        return;
    }
    // The outermost too: a tag that is pushed later may or may not be the one that went.
    exact(wc, 0, n);
    flow.vlans.copy_within(1.., 0);
    flow.vlans[MAX_VLANS - 1] = Vlan::default();
}

/// A tag that came into being by writing its VID or PCP gets a protocol identifier, one that went
/// loses it.
pub(super) fn fix_tpid(flow: &mut Flow) {
    let tag = &mut flow.vlans[0];
    if tag.tci.get() & VLAN_CFI == 0 {
        *tag = Vlan { tpid: 0.into(), tci: tag.tci };
    } else if tag.tpid.get() == 0 {
        tag.tpid = eth_type::VLAN_8021Q.into();
    }
}

/// A tag.
#[must_use]
pub(super) fn tag(tpid: u16, tci: u16) -> Vlan {
    Vlan { tpid: tpid.into(), tci: tci.into() }
}

/// Adds all tags to a mask.
pub(super) fn examine(flow: &Flow, wc: &mut Mask) {
    exact(wc, 0, flow.n_vlans());
}

/// Adds the tags `from..to`, the outermost being 0, to a mask.
pub(super) fn exact(wc: &mut Mask, from: usize, to: usize) {
    for v in wc.0.vlans.iter_mut().take(to).skip(from) {
        *v = tag(0xffff, 0xffff);
    }
}

/// Appends the pops and pushes that make `base`'s tags into `flow`'s. The original packet had
/// `n_original` tags.
pub(super) fn commit(
    flow: &Flow,
    base: &mut Flow,
    n_original: usize,
    wc: &mut Mask,
    out: &mut Vec<Action>,
) {
    let (n_base, n_flow) = (base.n_vlans(), flow.n_vlans());
    let inner = |f: &Flow, n: usize, i: usize| f.vlans.get(n - 1 - i).copied();
    let mut common = 0;
    while common < n_base.min(n_flow) && inner(base, n_base, common) == inner(flow, n_flow, common)
    {
        common += 1;
    }
    if n_base == n_flow && common == n_base {
        return;
    }
    // Where tags went and others come, any of the original ones may come back; where some are left,
    // they may be others that look like them.
    let comes_back = n_flow > common && n_base < n_original;
    let all = comes_back || n_flow < n_original;
    exact(wc, 0, if all { n_original } else { n_base - common });
    for _ in common..n_base {
        out.push(Action::PopVlan);
    }
    for v in flow.vlans.iter().take(n_flow - common).rev() {
        out.push(Action::PushVlan { tpid: v.tpid.get(), tci: v.tci.get() });
    }
    base.vlans = flow.vlans;
}

/// Hides tags that are not to be looked at: the packet then looks like one whose Ethernet type is
/// the hidden tag's.
pub(super) fn limit(flow: &mut Flow, limit: usize) {
    let n = flow.n_vlans();
    if limit == 0 || n <= limit {
        return;
    }
    let mut seen = Flow { in_port: flow.in_port, recirc_id: flow.recirc_id, ..*flow };
    let tpid = flow.vlans[limit.min(MAX_VLANS - 1)].tpid;
    crate::xlate::mpls::hide_above_ethernet(&mut seen);
    seen.dl_type = tpid;
    for v in seen.vlans.iter_mut().skip(limit) {
        *v = Vlan::default();
    }
    *flow = seen;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(tags: &[u16]) -> Flow {
        let mut f = Flow::ZERO;
        for (v, vid) in f.vlans.iter_mut().zip(tags) {
            *v = tag(0x8100, VLAN_CFI | vid);
        }
        f
    }

    fn actions(from: &[u16], to: &[u16]) -> String {
        let (mut base, mut wc, mut out) = (with(from), Mask::default(), Vec::new());
        commit(&with(to), &mut base, from.len(), &mut wc, &mut out);
        assert_eq!(base.vlans, with(to).vlans);
        let text = |a: &Action| match a {
            Action::PopVlan => "pop".to_owned(),
            Action::PushVlan { tci, .. } => format!("push{}", tci & 0xfff),
            other => format!("{other:?}"),
        };
        out.iter().map(text).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn only_differing_tags_are_changed() {
        assert_eq!(actions(&[1, 2], &[1, 2]), "");
        assert_eq!(actions(&[1, 2], &[3, 2]), "pop push3");
        assert_eq!(actions(&[1], &[5, 1]), "push5");
        assert_eq!(actions(&[5, 1], &[1]), "pop");
        assert_eq!(actions(&[1], &[]), "pop");
        assert_eq!(actions(&[], &[1, 2]), "push2 push1");
        assert_eq!(actions(&[1, 2], &[1, 3]), "pop pop push3 push1");
    }

    #[test]
    fn hidden_tags_look_like_an_ethernet_type() {
        let mut f = with(&[1, 2]);
        f.dl_type = 0x0800.into();
        f.nw_proto = 6;
        limit(&mut f, 1);
        assert_eq!((f.dl_type.get(), f.nw_proto, f.n_vlans()), (0x8100, 0, 1));
    }
}
