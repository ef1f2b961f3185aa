//! Texts of actions in traces.

use weir_openflow::actions::{display, format::Names};
use weir_openflow::{Action, NameMap};

/// One action.
pub(super) fn action(action: &Action, names: &NameMap) -> String {
    actions(std::slice::from_ref(action), names)
}

/// A list.
pub(super) fn actions(list: &[Action], names: &NameMap) -> String {
    display(list, Names { ports: Some(names), tables: None }).to_string()
}
