//! The action set: what `write_actions` gathers and the end of the pipeline executes, and what a
//! bucket holds, in OpenFlow's order whatever the order of writing. Actions that have no place in it,
//! like outputs to a register's port, are left out.

use weir_openflow::{Action, Actions};

/// What the set does, in order. Empty if it does not say where the packet goes.
#[must_use]
pub(crate) fn ordered(set: &[Action]) -> Actions {
    let mut list = Vec::new();
    let last = |is: fn(&Action) -> bool| set.iter().rev().find(|a| is(a)).cloned();
    let once: [fn(&Action) -> bool; 9] = [
        |a| matches!(a, Action::StripVlan { .. }),
        |a| matches!(a, Action::PopMpls { .. }),
        |a| matches!(a, Action::Decap { .. }),
        |a| matches!(a, Action::Encap(_)),
        |a| matches!(a, Action::PushMpls { .. }),
        |a| matches!(a, Action::PushVlan { .. }),
        |a| matches!(a, Action::DecTtl { .. }),
        |a| matches!(a, Action::DecMplsTtl),
        |a| matches!(a, Action::DecNshTtl),
    ];
    list.extend(once.into_iter().filter_map(last));
    list.extend(set.iter().filter(|a| is_set(a)).cloned());
    list.extend(last(|a| matches!(a, Action::SetQueue(_))));
    let finals: [fn(&Action) -> bool; 5] = [
        |a| matches!(a, Action::Group(_)),
        |a| matches!(a, Action::Output { .. }),
        |a| matches!(a, Action::Resubmit { .. }),
        |a| matches!(a, Action::CtClear),
        |a| matches!(a, Action::Ct(_)),
    ];
    match finals.into_iter().find_map(last) {
        Some(action) => {
            list.push(action);
            list
        }
        None => Vec::new(),
    }
}

fn is_set(action: &Action) -> bool {
    matches!(
        action,
        Action::SetField(_)
            | Action::RegMove { .. }
            | Action::SetEthSrc(_)
            | Action::SetEthDst(_)
            | Action::SetIpv4Src(_)
            | Action::SetIpv4Dst(_)
            | Action::SetIpDscp(_)
            | Action::SetIpEcn(_)
            | Action::SetIpTtl(_)
            | Action::SetL4SrcPort(_)
            | Action::SetL4DstPort(_)
            | Action::SetMplsLabel(_)
            | Action::SetMplsTc(_)
            | Action::SetMplsTtl(_)
            | Action::SetTunnel { .. }
            | Action::SetVlanVid(_)
            | Action::SetVlanPcp(_)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_openflow::OfPort;

    fn out(n: u16) -> Action {
        Action::Output { port: OfPort(n), max_len: 0 }
    }

    #[test]
    fn order_is_openflows_and_the_last_of_a_kind_counts() {
        let set = [
            out(1),
            Action::SetQueue(1),
            Action::SetEthSrc([1; 6]),
            Action::PushVlan { ethertype: 0x8100 },
            out(2),
            Action::StripVlan { of11: true },
        ];
        let want = [
            Action::StripVlan { of11: true },
            Action::PushVlan { ethertype: 0x8100 },
            Action::SetEthSrc([1; 6]),
            Action::SetQueue(1),
            out(2),
        ];
        assert_eq!(ordered(&set), want);
        assert!(ordered(&set[1..4]).is_empty());
    }
}
