//! The action set (OpenFlow 1.1 section 4.6): which actions may be in it, and in which order they
//! are executed.

use super::{Action, Actions};

/// Where an action stands in the action set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// Executed in this order; of several, only the last counts.
    Slot(u8),
    /// Executed in the order they came.
    SetOrMove,
    /// Of these only the last of the highest rank is executed. Without one the set does nothing.
    Final(u8),
    /// Not allowed.
    Never,
}

fn place(action: &Action) -> Place {
    match action {
        Action::StripVlan { .. } => Place::Slot(0),
        Action::PopMpls { .. } => Place::Slot(1),
        Action::Decap { .. } => Place::Slot(2),
        Action::Encap(_) => Place::Slot(3),
        Action::PushMpls { .. } => Place::Slot(4),
        Action::PushVlan { .. } => Place::Slot(5),
        Action::DecTtl { .. } => Place::Slot(6),
        Action::DecMplsTtl => Place::Slot(7),
        Action::DecNshTtl => Place::Slot(8),
        Action::Ct(_) => Place::Final(0),
        Action::CtClear => Place::Final(1),
        Action::Resubmit { .. } => Place::Final(2),
        Action::Output { .. } => Place::Final(3),
        Action::Group(_) => Place::Final(4),
        Action::SetField(_)
        | Action::RegMove { .. }
        | Action::SetEthSrc(_)
        | Action::SetEthDst(_)
        | Action::SetIpDscp(_)
        | Action::SetIpEcn(_)
        | Action::SetIpTtl(_)
        | Action::SetIpv4Src(_)
        | Action::SetIpv4Dst(_)
        | Action::SetL4SrcPort(_)
        | Action::SetL4DstPort(_)
        | Action::SetMplsLabel(_)
        | Action::SetMplsTc(_)
        | Action::SetMplsTtl(_)
        | Action::SetQueue(_)
        | Action::SetTunnel { .. }
        | Action::SetVlanPcp(_)
        | Action::SetVlanVid(_) => Place::SetOrMove,
        _ => Place::Never,
    }
}

/// May the action be written into an action set?
#[must_use]
pub fn is_allowed(action: &Action) -> bool {
    place(action) != Place::Never
}

/// The list that executing an action set amounts to. `set` has the actions in the order in which
/// they were written.
#[must_use]
pub fn to_list(set: &[Action]) -> Actions {
    let mut slots: [Option<&Action>; 9] = [None; 9];
    let mut set_or_move = Vec::new();
    let mut last: Option<(u8, &Action)> = None;
    for action in set {
        match place(action) {
            Place::Slot(n) => {
                if let Some(slot) = slots.get_mut(usize::from(n)) {
                    *slot = Some(action);
                }
            }
            Place::SetOrMove => set_or_move.push(action),
            Place::Final(rank) if last.is_none_or(|(r, _)| rank >= r) => {
                last = Some((rank, action));
            }
            Place::Final(_) | Place::Never => {}
        }
    }
    let Some((_, last)) = last else { return Actions::new() };
    let in_order = slots.into_iter().flatten().chain(set_or_move).chain([last]);
    in_order.cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ofp_port::OfPort;

    #[test]
    fn order_and_final_action() {
        let out = |n| Action::Output { port: OfPort(n), max_len: 0 };
        let set = [out(1), Action::SetQueue(3), Action::DecMplsTtl, out(2)];
        let expected = [Action::DecMplsTtl, Action::SetQueue(3), out(2)];
        assert_eq!(to_list(&set), expected);
        assert_eq!(to_list(&[Action::Group(1), out(1)]), [Action::Group(1)]);
        assert!(to_list(&[Action::SetQueue(3)]).is_empty());
        assert!(!is_allowed(&Action::Exit));
    }
}
