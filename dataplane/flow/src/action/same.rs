//! Comparing action lists.

use super::{Action, Userspace};

/// How to tell whether two packets for user space go to the same receiver in the same way.
pub type SameUserspace<'a> = &'a dyn Fn(&Userspace, &Userspace) -> bool;

/// Do two lists do the same? `userspace` compares what goes to user space.
#[must_use]
pub fn same_actions(a: &[Action], b: &[Action], userspace: SameUserspace<'_>) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b, userspace))
}

fn same(a: &Action, b: &Action, userspace: SameUserspace<'_>) -> bool {
    use Action as A;
    let same_actions = |a: &[Action], b: &[Action]| same_actions(a, b, userspace);
    match (a, b) {
        (A::Output(x), A::Output(y)) => x == y,
        (A::Userspace(x), A::Userspace(y)) => userspace(x, y),
        (A::Set(x), A::Set(y)) => x == y,
        (A::PushVlan { tpid: p, tci: t }, A::PushVlan { tpid: q, tci: u }) => (p, t) == (q, u),
        (A::PopVlan, A::PopVlan) => true,
        (A::PushMpls { ethertype: e, lse: l }, A::PushMpls { ethertype: f, lse: m }) => {
            (e, l) == (f, m)
        }
        (A::PopMpls { ethertype: e }, A::PopMpls { ethertype: f }) => e == f,
        (A::Sample { probability: p, actions: x }, A::Sample { probability: q, actions: y }) => {
            p == q && same_actions(x, y)
        }
        (A::Recirc(x), A::Recirc(y)) => x == y,
        (A::Hash { algorithm: g, basis: x }, A::Hash { algorithm: h, basis: y }) => {
            (g, x) == (h, y)
        }
        (A::Truncate(x), A::Truncate(y)) => x == y,
        (A::Clone(x), A::Clone(y)) => same_actions(x, y),
        (
            A::CheckPktLen { len: l, greater: g, less_equal: e },
            A::CheckPktLen { len: m, greater: h, less_equal: f },
        ) => l == m && same_actions(g, h) && same_actions(e, f),
        (A::Meter(x), A::Meter(y)) => x == y,
        (A::Drop(x), A::Drop(y)) => x == y,
        _ => false,
    }
}
