//! [`Trace`]: what a translation did, as a tree, and its text as `ofproto/trace` prints it.

/// What a node of the tree is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeKind {
    /// A bridge that the packet came into.
    Bridge,
    /// A table that was looked up, or the action set.
    Table,
    /// The rest of a translation that had been frozen.
    Thaw,
    /// An action.
    Action,
    /// A bucket of a group.
    Bucket,
    /// Something worth knowing.
    Detail,
    /// Something that is probably not meant.
    Warning,
    /// Something that ended the translation.
    Error,
}

/// One node.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it is.
    pub kind: NodeKind,
    /// Its text.
    pub text: String,
    /// What happened because of it.
    pub children: Vec<Self>,
}

/// See the [module documentation](self).
#[derive(Debug, Default)]
pub struct Trace {
    roots: Vec<Node>,
    /// The nodes that are being executed, outermost first.
    open: Vec<Node>,
}

impl Trace {
    /// Adds a node below the one being executed.
    pub fn leaf(&mut self, kind: NodeKind, text: String) {
        self.attach(Node { kind, text, children: Vec::new() });
    }

    /// Adds a node and makes it the one being executed.
    pub fn enter(&mut self, kind: NodeKind, text: String) {
        self.open.push(Node { kind, text, children: Vec::new() });
    }

    /// Goes back to the node above. Without one, nothing happens.
    pub fn leave(&mut self) {
        if let Some(node) = self.open.pop() {
            self.attach(node);
        }
    }

    fn attach(&mut self, node: Node) {
        let siblings = self.open.last_mut().map_or(&mut self.roots, |n| &mut n.children);
        siblings.push(node);
    }

    /// The tree, all nodes closed.
    #[must_use]
    pub fn finish(mut self) -> Vec<Node> {
        while !self.open.is_empty() {
            self.leave();
        }
        self.roots
    }
}

/// The text of a tree.
#[must_use]
pub fn format(nodes: &[Node]) -> String {
    let mut out = String::new();
    print(nodes, At::default(), &mut out);
    out
}

/// Where a list of nodes stands.
#[derive(Clone, Copy, Default)]
struct At {
    level: usize,
    /// Is it what an action caused that others follow?
    under_more: bool,
    /// Does something follow the table or bridge whose list it is?
    parent_more: bool,
}

/// An action that is not the last of its list moves what it caused one column to the right, so that
/// the eye finds the next action again; the last one does not, so that long chains stay readable.
fn print(nodes: &[Node], at: At, out: &mut String) {
    for (i, node) in nodes.iter().enumerate() {
        let more = i + 1 < nodes.len() || at.parent_more;
        let text = &node.text;
        let terminal = " ".repeat(4 * (at.level + usize::from(!at.under_more)));
        let nested = " ".repeat(4 * at.level);
        match node.kind {
            NodeKind::Bridge => {
                let line = "-".repeat(text.chars().count());
                out.push_str(&format!("\n{nested}{text}\n{nested}{line}\n"));
            }
            NodeKind::Table | NodeKind::Thaw => out.push_str(&format!("{nested}{text}\n")),
            NodeKind::Action | NodeKind::Bucket => out.push_str(&format!("{terminal}{text}\n")),
            NodeKind::Detail => out.push_str(&format!("{terminal} -> {text}\n")),
            NodeKind::Warning => out.push_str(&format!("{terminal} >> {text}\n")),
            NodeKind::Error => out.push_str(&format!("{terminal} >>>> {text} <<<<\n")),
        }
        let below = match node.kind {
            // Actions within an action stand in its column, and so does what they cause.
            NodeKind::Action if at.under_more => At { parent_more: false, ..at },
            NodeKind::Action => {
                At { level: at.level + usize::from(more), under_more: more, parent_more: false }
            }
            NodeKind::Bucket => At {
                level: at.level + usize::from(!at.under_more) + 1,
                under_more: false,
                parent_more: false,
            },
            _ => At {
                level: at.level + usize::from(at.under_more),
                under_more: false,
                parent_more: more,
            },
        };
        print(&node.children, below, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The indentation, from `ofproto/trace` of Open vSwitch 3.1.
    #[test]
    fn indents_as_ovs_does() {
        let mut t = Trace::default();
        t.enter(NodeKind::Bridge, "bridge(\"br0\")".into());
        t.enter(NodeKind::Table, " 0. priority 1".into());
        t.enter(NodeKind::Action, "resubmit(,1)".into());
        t.enter(NodeKind::Table, " 1. priority 2".into());
        t.enter(NodeKind::Action, "output:10".into());
        t.enter(NodeKind::Bridge, "bridge(\"br1\")".into());
        t.enter(NodeKind::Table, " 0. priority 3".into());
        t.leaf(NodeKind::Action, "output:1".into());
        for _ in 0..3 {
            t.leave();
        }
        t.enter(NodeKind::Action, "NORMAL".into());
        t.leaf(NodeKind::Detail, "flooding".into());
        for _ in 0..3 {
            t.leave();
        }
        t.leaf(NodeKind::Action, "output:3".into());
        let want = "
bridge(\"br0\")
-------------
 0. priority 1
    resubmit(,1)
     1. priority 2
            output:10

            bridge(\"br1\")
            -------------
                 0. priority 3
                    output:1
            NORMAL
             -> flooding
    output:3
";
        assert_eq!(format(&t.finish()), want);
    }
}
